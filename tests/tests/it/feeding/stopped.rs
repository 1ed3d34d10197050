//! A read model that is fed no more says so at each read, with the cause.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gesta::read::{Row, Value};
use gesta::store::{
    Checkpoint, CommitError, ModelSpec, Parked, ParkingChange, Prepared, ReadModelStore, RowChange, RowQuery, Store,
};
use gesta::{App, Position, ReadError, StoreError};
use sqlx::Executor as _;

use super::*;
use crate::postgres::server::Database;
use crate::stores::Folder;

/// A store that can't store rows, for a reason that can be given and taken away.
struct Refusing {
    rows: Arc<dyn ReadModelStore>,
    why: Arc<Mutex<Option<StoreError>>>,
}

#[async_trait]
impl ReadModelStore for Refusing {
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError> {
        self.rows.prepare(models).await
    }
    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError> {
        self.rows.checkpoint(model).await
    }
    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows.rows(model, keys).await
    }
    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        self.rows.query(model, query).await
    }
    async fn commit(&self, model: usize, changes: Vec<RowChange>, from: Checkpoint, to: Position) -> Result<(), CommitError> {
        self.commit_parking(model, changes, Vec::new(), from, to).await
    }
    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        self.rows.parked(model).await
    }
    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        let why = self.why.lock().unwrap().clone();
        if let Some(why) = why {
            assert!(!matches!(&why, StoreError::Damaged(what) if what == "unlucky"), "unlucky");
            return Err(why.into());
        }
        self.rows.commit_parking(model, changes, parking, from, to).await
    }
}

pub fn refusing(store: &Store) -> (Store, Arc<Mutex<Option<StoreError>>>) {
    let why = Arc::default();
    let rows = store.read_models.clone().unwrap();
    (Store { read_models: Some(Arc::new(Refusing { rows, why: Arc::clone(&why) })), ..store.clone() }, why)
}

pub fn driver(transient: bool) -> StoreError {
    StoreError::Driver { context: "storing rows", message: "no such column: rings".to_owned(), transient }
}

fn stopped<T: std::fmt::Debug>(answer: &Result<T, ReadError>, cause: &str) -> bool {
    matches!(answer, Err(ReadError::Stopped { .. })) && answer.as_ref().is_err_and(|why| why.to_string().contains(cause))
}

/// Every kind of read says that the model has stopped.
async fn says_so(app: &App, cause: &str) {
    until("a read says that the model has stopped", async || stopped(&app.read::<Rings>().get(&1).await, cause)).await;
    let answer = app.read::<Rings>().all().await;
    assert!(stopped(&answer, cause), "{answer:?}");
    let answer = app.settle().await;
    assert!(stopped(&answer, cause), "{answer:?}");
    let answer = app.retry_parked::<Rings>().await;
    assert!(stopped(&answer, cause), "{answer:?}");
}

/// F8, F9, R8: an error that does not pass by itself was tried again, or ended the runner, and reads answered from old rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_store_error_is_said_until_it_is_mended() {
    for why in [driver(false), StoreError::Damaged("the row is torn".to_owned()), StoreError::Unsupported("storing rows")] {
        let (store, refuses) = refusing(&gesta::store::connect("memory:").await.unwrap());
        let app = App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
        app.execute(&1, Plant).await.unwrap();
        app.settle().await.unwrap();
        *refuses.lock().unwrap() = Some(why.clone());
        app.execute(&1, Grow { micros: 0 }).await.unwrap();
        says_so(&app, &why.to_string()).await;
        *refuses.lock().unwrap() = None;
        until("the model works again", async || {
            app.read::<Rings>().get(&1).await.is_ok_and(|row| row.is_some_and(|row| row.rings == 1))
        })
        .await;
        app.settle().await.unwrap();
        app.shutdown().await.unwrap();
    }
}

/// F8: an error that passes by itself is no stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_passing_store_error_is_no_stop() {
    let (store, refuses) = refusing(&gesta::store::connect("memory:").await.unwrap());
    let app = App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    app.execute(&1, Plant).await.unwrap();
    app.settle().await.unwrap();
    *refuses.lock().unwrap() = Some(driver(true));
    let done = app.execute(&1, Grow { micros: 0 }).await.unwrap();
    let late = app.read::<Rings>().after(&done).within(Duration::from_millis(700)).get(&1).await;
    assert!(matches!(late, Err(ReadError::Late { .. })), "{late:?}");
    assert_eq!(app.read::<Rings>().get(&1).await.unwrap().map(|row| row.rings), Some(0));
    *refuses.lock().unwrap() = None;
    app.settle().await.unwrap();
    app.shutdown().await.unwrap();
}

/// The store panics, which stands for any code outside of the model's handlers.
fn unlucky() -> StoreError {
    StoreError::Damaged("unlucky".to_owned())
}
const PANICKED: &str = "it panicked outside of its handlers: unlucky";

/// F9: code that panics outside of a handler ended the model, and reads answered from old rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_outside_of_a_handler_is_said() {
    let (store, refuses) = refusing(&gesta::store::connect("memory:").await.unwrap());
    let app = App::on(store).aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    app.execute(&1, Plant).await.unwrap();
    app.settle().await.unwrap();
    *refuses.lock().unwrap() = Some(unlucky());
    app.execute(&1, Grow { micros: 0 }).await.unwrap();
    app.execute(&3, Plant).await.unwrap();
    for key in [1, 3] {
        let said = async || stopped(&app.read::<Rings>().get(&key).await, PANICKED);
        until("a read says that the model has stopped", said).await;
    }
    assert!(stopped(&app.settle().await, PANICKED));
    app.shutdown().await.unwrap();
}

/// F9: an inline model whose code panics outside of a handler is an answer, and no panic of the caller.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_model_that_panics_refuses_to_start() {
    let (store, refuses) = refusing(&gesta::store::connect("memory:").await.unwrap());
    let app = App::on(store.clone()).aggregate::<Tree>().inline_projection::<Rings>().start().await.unwrap();
    app.execute(&1, Plant).await.unwrap();
    let without = App::on(store.clone()).aggregate::<Tree>().start().await.unwrap();
    *refuses.lock().unwrap() = Some(unlucky());
    without.execute(&1, Grow { micros: 0 }).await.unwrap();
    let read = app.read::<Rings>().get(&1).await;
    assert!(stopped(&read, PANICKED), "{read:?}");
    let started = App::on(store).aggregate::<Tree>().inline_projection::<Rings>().start().await;
    assert!(started.is_err_and(|why| why.to_string().contains(PANICKED)));
}

/// F8: the user of the app lost the right to write the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_revoked_on_postgres_is_said() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let first = App::connect(&database.url("?lease_s=2")).await.unwrap();
    let first = first.aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    let second = App::connect(&database.url("?lease_s=2")).await.unwrap();
    let second = second.aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    first.execute(&1, Plant).await.unwrap();
    first.settle().await.unwrap();
    admin.execute("alter table rings rename column rings to circles").await.unwrap();
    first.execute(&1, Grow { micros: 0 }).await.unwrap();
    for app in [&first, &second] {
        // Whichever of them feeds it.
        until("a read says that the model has stopped", async || stopped(&app.settle().await, "rings")).await;
    }
    admin.execute("alter table rings rename column circles to rings").await.unwrap();
    for app in [&first, &second] {
        until("the model works again", async || {
            app.read::<Rings>().get(&1).await.is_ok_and(|row| row.is_some_and(|row| row.rings == 1))
        })
        .await;
        app.shutdown().await.unwrap();
    }
}

/// F8: another program has changed the table of a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_from_a_file_is_said() {
    let folder = Folder::new();
    let app = App::connect(&folder.url("test.db")).await.unwrap();
    let app = app.aggregate::<Tree>().projection::<Rings>().start().await.unwrap();
    app.execute(&1, Plant).await.unwrap();
    app.settle().await.unwrap();
    let beside = rusqlite::Connection::open(folder.file("test.db")).unwrap();
    beside.execute_batch("ALTER TABLE rings RENAME TO circles").unwrap();
    app.execute(&1, Grow { micros: 0 }).await.unwrap();
    until("a read says that the model has stopped", async || stopped(&app.read::<Rings>().get(&1).await, "rings")).await;
    beside.execute_batch("ALTER TABLE circles RENAME TO rings").unwrap();
    until("the model works again", async || {
        app.read::<Rings>().get(&1).await.is_ok_and(|row| row.is_some_and(|row| row.rings == 1))
    })
    .await;
    app.shutdown().await.unwrap();
}
