//! A process keeps the read model that it feeds, however long that takes, and gives it up once it stands still.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use gesta::App;
use gesta::store::postgres::{self, PostgresOptions};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;

use super::*;
use crate::postgres::server::Database;

const LEASE: Duration = Duration::from_millis(600);

/// An app on a thread and a runtime of its own, as in another process.
struct Owner {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    fn start(database: &Database, lease: Duration) -> Self {
        let options = PostgresOptions::parse(&database.url("")).unwrap().lease(lease);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (started, start) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            small_runtime().block_on(async {
                let store = postgres::open(&options).await.unwrap();
                let app = App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
                started.send(()).unwrap();
                let _ = stopped.await;
                app.shutdown().await.unwrap();
            });
        });
        start.recv().unwrap();
        Owner { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

/// Stores trees that grow this often together, at this pace.
async fn grow(database: &Database, trees: std::ops::Range<u64>, times: usize, micros: u64) -> i64 {
    let app = App::connect(&database.url("")).await.unwrap().aggregate::<Tree>().start().await.unwrap();
    for tree in trees.clone() {
        app.execute(&tree, Plant).await.unwrap();
    }
    let mut head = 0;
    let commands = trees.cycle().take(times).map(|tree| gesta::Envelope::<Tree>::new(tree, Grow { micros }));
    let mut done = app.execute_many::<Tree, String>(commands);
    while let Some((_, done)) = done.next().await {
        head = head.max(done.unwrap().position.get());
    }
    drop(done);
    app.shutdown().await.unwrap();
    head.cast_signed()
}

async fn position(admin: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select position from gesta_models").fetch_one(admin).await.unwrap()
}

async fn epoch(admin: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select epoch from gesta_models").fetch_one(admin).await.unwrap()
}

/// F3: a batch took longer than the lease, so each of two processes took the model from the other, for ever.
#[tokio::test]
async fn two_owners_come_to_the_end_of_a_slow_fold() {
    let database = Database::new().await;
    let head = grow(&database, 1..33, 800, 3_000).await;
    let owners = [Owner::start(&database, LEASE), Owner::start(&database, LEASE)];
    let mut admin = database.connect().await;
    until("the model is at the last event", async || position(&mut admin).await == head).await;
    assert!(epoch(&mut admin).await <= 3, "the model went to and fro: epoch {}", epoch(&mut admin).await);
    drop(owners);
    let rings: Vec<i64> = sqlx::query_scalar("select rings from rings").fetch_all(&mut admin).await.unwrap();
    assert_eq!(rings, [25; 32], "each event is in a row once");
}

/// F3: one event can take longer than the lease, on a runtime that has one thread.
#[tokio::test]
async fn two_owners_pass_an_event_that_outlasts_the_lease() {
    let database = Database::new().await;
    let slow = u64::try_from(3 * LEASE.as_micros()).unwrap();
    let head = grow(&database, 1..2, 2, slow).await;
    let owners = [Owner::start(&database, LEASE), Owner::start(&database, LEASE)];
    let mut admin = database.connect().await;
    until("the model is at the last event", async || position(&mut admin).await == head).await;
    drop(owners);
    let rings: i64 = sqlx::query_scalar("select rings from rings").fetch_one(&mut admin).await.unwrap();
    assert_eq!(rings, 2, "each event is in the row once");
}

/// F3: a slow read of rows lost the model, because it was kept between batches only.
#[tokio::test]
async fn a_model_is_kept_while_its_rows_are_waited_for() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let first = Owner::start(&database, LEASE);
    until("the model has an owner", async || epoch(&mut admin).await == 2).await;
    let second = Owner::start(&database, LEASE);
    let mut holder = database.connect().await;
    holder.execute("begin").await.unwrap();
    holder.execute("lock table rings in access exclusive mode").await.unwrap();
    let head = grow(&database, 1..2, 3, 0).await;
    let waits = "select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    until("the owner waits", async || sqlx::query_scalar(waits).fetch_one(&mut admin).await.unwrap()).await;
    let started = std::time::Instant::now();
    until("four leases pass", async || started.elapsed() > 4 * LEASE).await;
    assert_eq!(epoch(&mut admin).await, 2, "another process has taken the model");
    holder.execute("rollback").await.unwrap();
    until("the model is at the last event", async || position(&mut admin).await == head).await;
    assert_eq!(epoch(&mut admin).await, 2);
    drop((first, second));
}

/// F3: a lease is renewed for as long as a batch moves, and no longer.
#[tokio::test]
async fn an_owner_that_is_stuck_loses_the_model() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let lease = Duration::from_millis(300);
    let first = Owner::start(&database, lease);
    until("the model has an owner", async || epoch(&mut admin).await == 2).await;
    // Slow enough that the events behind it are folded on a thread of their own, while the lease is renewed.
    grow(&database, 1..2, 1, 200_000).await;
    let head = grow(&database, 2..3, 1, HANGS).await;
    until("the owner hangs", async || HUNG.lock().unwrap().0).await;
    let second = Owner::start(&database, lease);
    until("the model is at the last event", async || position(&mut admin).await == head).await;
    assert!(epoch(&mut admin).await > 2);
    release();
    drop((first, second));
    let rings: Vec<i64> = sqlx::query_scalar("select rings from rings order by tree").fetch_all(&mut admin).await.unwrap();
    assert_eq!(rings, [1, 1], "each event is in the rows once");
}
