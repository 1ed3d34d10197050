//! Nesting is refused before it is stored, so that what is stored can be read.

use std::collections::BTreeMap;

use gesta::{Envelope, ExecuteError, Failure, UnitError};

use super::*;
use crate::stores::on_every_store;

/// A row that holds a tree, and one more node for each growth.
#[derive(Debug, ReadModel)]
pub struct Bed {
    #[key]
    id: u64,
    trees: BTreeMap<String, Tree>,
}
#[projection(of = Garden, ignore(Rounded, Struck, Noted))]
impl Bed {
    fn planted(e: &Recorded<Planted>) -> Self {
        Bed { id: e.aggregate_id(), trees: [("tree".to_owned(), e.tree.clone())].into() }
    }
    fn grown(&mut self, _: &Grown) {
        let tree = self.trees.remove("tree").expect("it was planted");
        self.trees.insert("tree".to_owned(), Tree::Node(Box::new(tree)));
    }
}

/// `F10, R2`: a value that is stored can be read, at each depth, by the state, its snapshot and a read model.
#[tokio::test(flavor = "multi_thread")]
async fn nested_values_are_readable_or_refused_at_each_depth() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Bed>().start().await.unwrap();
        let (mut stored, mut refused, mut last) = (0, 0, None);
        for nodes in (0..94).step_by(13).chain(94..135).chain([1_000]) {
            let id = nodes as u64;
            match app.execute(&id, Plant { tree: Tree::of(nodes) }).await {
                Ok(done) => {
                    assert!(app.load::<Garden>(&id).await.is_ok(), "{nodes} nodes are stored and can't be read");
                    (stored, last) = (stored + 1, Some((id, done)));
                }
                Err(why) => {
                    let ExecuteError::Failed(Failure::Unwritable { event, .. }) = &why else { panic!("{why}") };
                    assert!(["Plant", "Planted"].contains(event), "{why}");
                    let why = why.to_string();
                    assert!(why.contains("`tree.Node.Node.") && why.contains("more than 100 levels"), "{why}");
                    assert!(why.len() < 600, "{why}");
                    assert_eq!(app.load::<Garden>(&id).await.unwrap().version.get(), 0);
                    refused += 1;
                }
            }
        }
        assert!(stored > 10 && refused > 30, "{stored} {refused}");
        // The state and the row have room around the deepest tree.
        let (id, done) = last.expect("some are stored");
        let done = app.execute(&id, Grow { times: 10 }).await.map_or(done.position, |done| done.position);
        let bed = app.read::<Bed>().after(done).within(LONG).get(&id).await.unwrap();
        assert!(bed.is_some());
        assert_eq!(app.read::<Bed>().all().await.unwrap().len(), stored);
    })
    .await;
}

/// `F10`: each way in answers alike, and a value that is 200,000 deep ends no process.
#[tokio::test(flavor = "multi_thread")]
async fn deep_values_are_refused_on_each_way_in() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        let deep = |why: &Failure| {
            let why = why.to_string();
            assert!(why.contains("more than 100 levels"), "{why}");
        };
        for nodes in [120, 200_000] {
            let plant = || Plant { tree: Tree::of(nodes) };
            match app.execute(&1, plant()).await {
                Err(ExecuteError::Failed(why)) => deep(&why),
                other => panic!("{other:?}"),
            }
            match app.execute(&1, plant()).idempotency_key("deep").await {
                Err(ExecuteError::Failed(why)) => deep(&why),
                other => panic!("{other:?}"),
            }
            let unit = app.unit(async |unit| {
                unit.execute(&2, Plant { tree: Tree::of(1) }).await.map_err(|_| ())?;
                unit.execute(&1, plant()).await.map(drop).map_err(|_| ())
            });
            match unit.await {
                Err(UnitError::Failed(why)) => deep(&why),
                other => panic!("{other:?}"),
            }
            let commands = [(1, Tree::of(nodes)), (3, Tree::of(1))];
            let mut many = app.execute_many::<Garden, String>(
                commands.into_iter().map(|(id, tree)| Envelope::<Garden>::new(id, Plant { tree })),
            );
            let mut done = 0;
            while let Some((number, answer)) = many.next().await {
                match (number, answer) {
                    (0, Err(ExecuteError::Failed(why))) => deep(&why),
                    (1, _) => done += 1,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(done, 1);
        }
        for id in [1, 2] {
            assert_eq!(app.load::<Garden>(&id).await.unwrap().version.get(), 0);
        }
    })
    .await;
}

/// `F10`: a state that events make deeper than it can be written has no snapshot, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_goes_on_when_it_nests_too_deep_for_a_snapshot() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        for _ in 0..4 {
            app.execute(&1, Grow { times: 100 }).await.unwrap();
        }
        let loaded = app.load::<Garden>(&1).await.unwrap();
        assert_eq!((loaded.version.get(), &loaded.state().unwrap().tree), (401, &Some(Tree::of(401))));
    })
    .await;
}

/// `F10`: a row that nests too deep parks its stream, with the limit, and keeps no other row from being read.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_nests_too_deep_parks_its_own_stream() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Bed>().start().await.unwrap();
        for id in [1, 2] {
            planted(&app, id).await;
        }
        let grown = app.execute(&1, Grow { times: 200 }).await.unwrap();
        let other = app.read::<Bed>().after(&grown).within(LONG).get(&2).await.unwrap();
        assert!(other.is_some());
        let parked = app.parked::<Bed>().await.unwrap();
        assert_eq!(parked.len(), 1, "{parked:?}");
        assert!(parked[0].why.contains("column `trees`") && parked[0].why.contains("more than 120 levels"), "{parked:?}");
    })
    .await;
}
