//! Units that span streams, from two stores at once, as two processes would send them.

use std::sync::Arc;

use gesta::Uuid;
use gesta::store::{AppendError, NewKey, Store, StreamAppend};
use tokio::sync::Barrier;

use super::super::server::Database;
use super::hand::{append, part, stream};
use super::oracle::table;

const ROUNDS: u64 = 200;

/// One over (A, B) and one over (B, C), which conflict on B.
async fn one_leaves_no_row(appends: [&str; 2]) {
    let database = Database::new().await;
    let mut stores = Vec::new();
    for appends in appends {
        let url = database.url(&format!("?appends={appends}"));
        stores.push(gesta::store::connect(&url).await.expect("the store opens"));
    }
    let (mut won, mut expected) = ([0, 0], Vec::new());
    for round in 0..ROUNDS {
        let barrier = Arc::new(Barrier::new(2));
        let id = |number| Uuid::from_u64_pair(round, number);
        let send = |store: &Store, parts: [(&str, u64); 2]| {
            let parts = parts.map(|(name, number)| part(&stream(&format!("Race-{name}{round}")), 0, &[id(number)]));
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.log.append(append(parts.into())).await
            })
        };
        // Each names the shared stream where the other does not, so that neither order of names is the one that helps.
        let first = send(&stores[0], [("a", 1), ("b", 2)]);
        let second = send(&stores[1], [("c", 3), ("b", 4)]);
        match (first.await.expect("no panic"), second.await.expect("no panic")) {
            (Ok(_), Err(AppendError::Conflict { stream, actual })) | (Err(AppendError::Conflict { stream, actual }), Ok(_))
                if (stream.id(), actual.get()) != (&*format!("b{round}"), 1) =>
            {
                panic!("round {round}: they conflict on {stream}, which has version {actual}")
            }
            (Ok(_), Err(AppendError::Conflict { .. })) => {
                won[0] += 1;
                expected.extend([id(1), id(2)]);
            }
            (Err(AppendError::Conflict { .. }), Ok(_)) => {
                won[1] += 1;
                expected.extend([id(3), id(4)]);
            }
            other => panic!("round {round}: one wins and one conflicts: {other:?}"),
        }
    }
    let mut stored: Vec<_> = table(&mut database.connect().await).await.iter().map(|stored| stored.id).collect();
    stored.sort_unstable();
    expected.sort_unstable();
    assert!(stored == expected, "{} events are stored, {} were acknowledged", stored.len(), expected.len());
    println!("units, {appends:?}: the first won {} times, the second {}", won[0], won[1]);
    for store in stores {
        store.log.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_units_that_conflict_on_a_stream_one_leaves_no_row() {
    one_leaves_no_row(["shared", "shared"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_units_that_conflict_on_a_stream_one_leaves_no_row_with_one_under_the_lock_alone() {
    one_leaves_no_row(["shared", "exclusive"]).await;
}

/// A part without events says where its stream stands: what is appended with it is stored before whatever moves that stream.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_because_a_stream_stood_somewhere_is_stored_before_it_moves() {
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let open = async || gesta::store::connect(&database.url(&format!("?appends={appends}"))).await.expect("the store opens");
        let stores = [open().await, open().await];
        let (mut both, mut refused) = (0, 0);
        for round in 0..ROUNDS {
            let (shared, own) = (stream(&format!("Race-shared{round}")), stream(&format!("Race-own{round}")));
            let key = NewKey { key: "looked".into(), command_hash: 1, hash_version: 2 };
            let looked = StreamAppend { key: Some(key), ..part(&shared, 0, &[]) };
            let barrier = Arc::new(Barrier::new(2));
            let send = |store: &Store, parts: Vec<StreamAppend>| {
                let (store, barrier) = (store.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    store.log.append(append(parts)).await
                })
            };
            let looks = send(&stores[0], vec![looked, part(&own, 0, &[Uuid::from_u64_pair(round, 1)])]);
            let moves = send(&stores[1], vec![part(&shared, 0, &[Uuid::from_u64_pair(round, 2)])]);
            let moved = moves.await.expect("no panic").expect("nothing that looks is in its way");
            match looks.await.expect("no panic") {
                Ok(looked) => {
                    assert!(looked.position < moved.position, "round {round}: it was stored after the stream had moved");
                    both += 1;
                }
                Err(AppendError::Conflict { stream, actual }) => {
                    assert_eq!((stream, actual.get()), (shared, 1), "round {round}");
                    refused += 1;
                }
                Err(why) => panic!("round {round}: {why}"),
            }
        }
        println!("a part without events, {appends}: stood {both} times, had moved {refused} times");
        assert!(both > 0 && refused > 0, "it was no race");
        for store in stores {
            store.log.close().await.expect("it closes");
        }
    }
}
