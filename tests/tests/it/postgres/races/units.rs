//! Units that span streams, from two stores at once, as two processes would send them.

use std::sync::Arc;

use gesta::Uuid;
use gesta::store::{AppendError, Store};
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
