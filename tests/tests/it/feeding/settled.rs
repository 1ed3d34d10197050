//! Waiting for read models has an end, which names the model, how far it has come, and the cause.

use std::sync::{Condvar, Mutex};

use gesta::store::postgres::{self, PostgresOptions};
use gesta::{App, LateCause, ReadError};
use sqlx::Executor as _;

use super::stopped::{driver, refusing};
use super::*;
use crate::postgres::server::Database;

/// Folding waits for this to be opened.
static GATE: Mutex<bool> = Mutex::new(false);
static OPENED: Condvar = Condvar::new();

#[derive(Debug, ReadModel)]
pub struct Gated {
    #[key]
    pub tree: u64,
}
#[projection(of = Tree, ignore(Grown))]
impl Gated {
    fn planted(e: &Recorded<Planted>) -> Self {
        drop(OPENED.wait_while(GATE.lock().unwrap(), |open| !*open).unwrap());
        Gated { tree: e.aggregate_id() }
    }
}

/// R5: `settle` had no end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn settle_ends_if_a_model_stands_still() {
    let app = App::connect("memory:").await.unwrap().aggregate::<Tree>().projection::<Gated>().start().await.unwrap();
    let done = app.execute(&1, Plant).await.unwrap();
    let explicit = app.settle_within(Duration::from_millis(300)).await;
    let (default, retried) =
        tokio::join!(tokio::time::timeout(LONG, app.settle()), tokio::time::timeout(LONG, app.retry_parked::<Gated>()));
    for late in [explicit, default.expect("it ends")] {
        let Err(ReadError::Late { model: "gated", asked, reached, cause: LateCause::Stuck, .. }) = late else {
            panic!("{late:?}")
        };
        assert_eq!((asked, reached), (done.position, gesta::Position::ZERO));
    }
    let retried = retried.expect("it ends");
    assert!(matches!(retried, Err(ReadError::Late { cause: LateCause::Stuck, .. })), "{retried:?}");
    *GATE.lock().unwrap() = true;
    OPENED.notify_all();
    app.settle().await.unwrap();
    app.shutdown().await.unwrap();
}

/// R5: a late read names the error of the store that is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_read_names_the_error_of_its_store() {
    let (store, refuses) = refusing(&gesta::store::connect("memory:").await.unwrap());
    let app = App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    *refuses.lock().unwrap() = Some(driver(true));
    let done = app.execute(&1, Plant).await.unwrap();
    let patience = Duration::from_millis(500);
    let late = [app.settle_within(patience).await, app.read::<Rings>().after(&done).within(patience).get(&1).await.map(drop)];
    for late in late {
        let Err(ReadError::Late { cause: LateCause::StoreFails(_), .. }) = &late else { panic!("{late:?}") };
        let said = late.unwrap_err().to_string();
        assert!(said.contains("`rings` has come to position 0, not yet to 1") && said.contains("no such column"), "{said}");
    }
    *refuses.lock().unwrap() = None;
    app.settle().await.unwrap();
    app.shutdown().await.unwrap();
}

/// R5: a late read says that another process feeds the model.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_read_says_that_another_process_feeds_it() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let start = async || {
        let options = PostgresOptions::parse(&database.url("")).unwrap().lease(Duration::from_secs(5));
        let store = postgres::open(&options).await.unwrap();
        App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap()
    };
    let first = start().await;
    first.settle().await.unwrap();
    let second = start().await;
    admin.execute("begin").await.unwrap();
    admin.execute("lock table rings in access exclusive mode").await.unwrap();
    first.execute(&1, Plant).await.unwrap();
    until("the other process feeds it", async || {
        let late = second.settle_within(Duration::from_millis(300)).await;
        matches!(late, Err(ReadError::Late { model: "rings", cause: LateCause::FedElsewhere, .. }))
    })
    .await;
    admin.execute("rollback").await.unwrap();
    second.settle().await.unwrap();
    first.shutdown().await.unwrap();
    second.shutdown().await.unwrap();
}
