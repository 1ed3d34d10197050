//! The state that is kept is the one that the stored events give.

use gesta::{ExecuteError, Failure};

use super::*;
use crate::stores::{Folder, on_every_store};

async fn look(app: &App, id: u64) -> String {
    match app.execute(&id, Look {}).await {
        Err(ExecuteError::Rejected(seen)) => seen,
        other => panic!("{other:?}"),
    }
}

/// `F15`: what a lossy form loses is lost at once, in the cached state, in the answer and in what another app reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_cached_state_equals_the_replayed_one_for_lossy_forms() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        let done = app.execute(&1, Round { number: 1_234 }).await.unwrap();
        let stored: Vec<_> = app.history::<Garden>(&1).unwrap().all().await.unwrap().split_off(1);
        assert_eq!(done.events, stored);
        assert_eq!(look(&app, 1).await, "rounded=1200 sum=1200 struck=0");
        // In a unit, two in a row.
        app.unit(async |unit| {
            unit.execute(&1, Round { number: 50 }).await.map_err(|_| ())?;
            unit.execute(&1, Round { number: 199 }).await.map(drop).map_err(|_| ())
        })
        .await
        .unwrap();
        assert_eq!(look(&app, 1).await, "rounded=100 sum=1300 struck=0");
        let other = App::on(app.store().clone()).aggregate::<Garden>().start().await.unwrap();
        assert_eq!(look(&other, 1).await, look(&app, 1).await);
    })
    .await;
}

/// A state whose form loses what its events tell.
mod snapshot {
    use gesta::prelude::*;

    #[event]
    pub struct Counted {
        pub number: i64,
    }
    #[event]
    pub struct Began {}
    #[state(snapshot_every = 2)]
    pub struct Counter {
        #[serde(with = "super::hundreds")]
        #[schema(opaque = "whole hundreds")]
        pub sum: i64,
    }
    #[aggregate(id = u64)]
    impl Counter {
        fn began(_: Began) -> Self {
            Counter { sum: 0 }
        }
        fn counted(&mut self, e: Counted) {
            self.sum += e.number;
        }
    }
    #[command]
    pub struct Count {
        pub number: i64,
    }
    #[command_handler]
    impl Counter {
        fn count(this: Option<&Self>, cmd: Count) -> (Option<Began>, Counted) {
            (this.is_none().then_some(Began {}), Counted { number: cmd.number })
        }
    }
}

/// `F15`: a snapshot that would be loaded as another state is not stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_loaded_snapshot_equals_the_replayed_state() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<snapshot::Counter>().start().await.unwrap();
        let mut sum = 0;
        for number in [70, 50, 80, 30, 1, 2, 3] {
            app.execute(&1, snapshot::Count { number }).await.unwrap();
            sum += number;
            assert_eq!(app.load::<snapshot::Counter>(&1).await.unwrap().state().unwrap().sum, sum);
        }
        // Whole hundreds are written as they are, so this state has a snapshot.
        app.execute(&2, snapshot::Count { number: 300 }).await.unwrap();
        app.execute(&2, snapshot::Count { number: 300 }).await.unwrap();
        assert_eq!(app.load::<snapshot::Counter>(&2).await.unwrap().state().unwrap().sum, 600);
    })
    .await;
}

/// `F15, F18`: an event of a foreign form that can't be read back is refused before it is stored.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_refused_when_its_form_is_not_read_back() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        for number in [fragile::UNREADABLE, fragile::READ] {
            match app.execute(&1, Strike { given: 1, number }).await {
                Err(ExecuteError::Failed(Failure::Unwritable { event: "Struck", why })) => {
                    assert!(why.to_string().contains("can't be read back"), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(app.load::<Garden>(&1).await.unwrap().version.get(), 1);
        app.execute(&1, Strike { given: 1, number: 2 }).await.unwrap();
    })
    .await;
}

#[value]
pub struct Total {
    #[serde(with = "hundreds")]
    #[schema(opaque = "whole hundreds")]
    sum: i64,
}
#[derive(Debug, ReadModel)]
pub struct Totals {
    #[key]
    id: u64,
    total: Total,
}
#[projection(of = Garden, ignore(Grown, Rounded, Noted))]
impl Totals {
    fn planted(e: &Recorded<Planted>) -> Self {
        Totals { id: e.aggregate_id(), total: Total { sum: 0 } }
    }
    fn struck(&mut self, e: &Struck) {
        self.total.sum += e.number;
    }
}

/// `F15`: a row does not depend on how many of its events are folded at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_lossy_row_does_not_depend_on_its_batches() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Totals>().start().await.unwrap();
        planted(&app, 1).await;
        let mut one_by_one = None;
        for _ in 0..5 {
            let done = app.execute(&1, Strike { given: 1, number: 160 }).await.unwrap();
            one_by_one = app.read::<Totals>().after(&done).within(LONG).get(&1).await.unwrap();
        }
        // A batch folds all of them at once.
        planted(&app, 2).await;
        let last = app
            .unit(async |unit| {
                for _ in 0..5 {
                    unit.execute(&2, Strike { given: 1, number: 160 }).await.map_err(|_| ())?;
                }
                Ok::<_, ()>(())
            })
            .await
            .unwrap();
        let at_once = app.read::<Totals>().after(&last).within(LONG).get(&2).await.unwrap();
        let sum = |row: Option<Totals>| row.expect("a row").total.sum;
        assert_eq!((sum(one_by_one), sum(at_once)), (500, 500));
    })
    .await;
}

/// `F15`: the same after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_app_decides_on_the_same_state() {
    let folder = Folder::new();
    let start = async || App::connect(&folder.url("lossy.db")).await.unwrap().aggregate::<Garden>().start().await.unwrap();
    let app = start().await;
    planted(&app, 1).await;
    app.execute(&1, Round { number: 1_234 }).await.unwrap();
    let warm = look(&app, 1).await;
    app.shutdown().await.unwrap();
    drop(app);
    assert_eq!(look(&start().await, 1).await, warm);
}
