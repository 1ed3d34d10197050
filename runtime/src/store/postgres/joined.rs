//! The store inside a transaction of the user's: what is appended is stored when that transaction is, or not at all.
//!
//! Always true: an append that is refused is undone to where it began, so the transaction goes on; and nothing that is not
//! committed leaves it: no snapshot, no cached state, no word to readers.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::{Mutex, MutexGuard};

use super::Postgres;
use super::append::NewKinds;
use super::census::SERVER;
use super::errors::{Sent, SqlResult, While, driver, is_lock_timeout};
use super::exclusive::ALONE_WAIT_MS;
use super::options::AppendOrder;
use super::reads::{number, row_limit, visit_rows};
use super::session::{Ask as _, Session};
use super::writer::{CONTEXT, PAUSE, WAIT_MAX, uncommitted};
use crate::StreamName;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{
    Append, AppendError, Appended, Capabilities, EventLog, KeyRecord, Keys, Snapshot, SnapshotStore, Store, StoredType, Visit,
};

/// As often is an append sent again that others were in the way of.
const ATTEMPTS_MAX: usize = 3;

/// The user's.
type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// The store in a transaction.
pub(crate) struct Joined {
    postgres: Arc<Postgres>,
    /// `None` once it has ended.
    transaction: Mutex<Option<Transaction>>,
    /// It has had the lock alone from its beginning.
    alone: bool,
}

impl Joined {
    /// Takes the store into a transaction. `alone`: inline read models will be folded in it, so it keeps all other appends out.
    pub(crate) async fn new(store: &Store, mut transaction: Transaction, alone: bool) -> Result<Arc<Self>, StoreError> {
        const CONTEXT: &str = "joining a transaction";
        let misuse = |message: &str| StoreError::Driver { context: CONTEXT, message: message.to_owned(), transient: false };
        let postgres = Arc::clone(&store.log).as_any().and_then(|any| any.downcast::<Postgres>().ok());
        let postgres = postgres.ok_or(StoreError::Unsupported("transactions of yours"))?;
        let mut session = postgres.connections.session_of(&mut transaction);
        let sql = format!(
            "select current_setting('transaction_isolation'), {SERVER},
                (select oid::int8 from pg_catalog.pg_database where datname = current_database())"
        );
        let row = sqlx::query(AssertSqlSafe(sql)).one(&mut session).await.during(CONTEXT)?;
        if let Some(durable) = postgres.connections.durable_commit() {
            sqlx::raw_sql(AssertSqlSafe(durable)).run(&mut session).await.during(CONTEXT)?;
        }
        let isolation: String = row.try_get(0).during(CONTEXT)?;
        if isolation != "read committed" {
            return Err(misuse(&format!(
                "the transaction is `{isolation}`, in which a version that was looked at may be an old one: begin it as `read committed`"
            )));
        }
        let server: i64 = row.try_get(1).during(CONTEXT)?;
        if server != postgres.census.known().server {
            postgres.census.look(&postgres.connections).await?;
        }
        let database: i64 = row.try_get(2).during(CONTEXT)?;
        if (server, database) != (postgres.census.known().server, postgres.place.database) {
            return Err(misuse("the transaction is one of another database: begin it where the store is"));
        }
        let alone = alone || postgres.engine.writer.order == AppendOrder::Exclusive;
        if alone {
            lock_alone(&postgres, &mut session).await.during(CONTEXT)?;
        }
        Ok(Arc::new(Joined { postgres, transaction: Mutex::new(Some(transaction)), alone }))
    }

    /// The store as an app takes it.
    pub(crate) fn store(self: &Arc<Self>, of: &Store) -> Store {
        let snapshots = of.snapshots.clone();
        Store {
            log: Arc::clone(self) as Arc<dyn EventLog>,
            keys: Some(Arc::clone(self) as Arc<dyn Keys>),
            snapshots: snapshots.map(|snapshots| Arc::new(LoadedOnly(snapshots)) as Arc<dyn SnapshotStore>),
            read_models: None,
            leases: None,
        }
    }

    /// What statements are sent over in the transaction.
    fn session<'c>(&'c self, transaction: &'c mut PgConnection) -> Session<'c> {
        self.postgres.connections.session_of(transaction)
    }

    /// The transaction, while nobody else uses it.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, Option<Transaction>> {
        self.transaction.lock().await
    }

    /// Commits it.
    pub(crate) async fn commit(&self) -> Result<(), AppendError> {
        const CONTEXT: &str = "committing";
        let mut transaction = self.lock().await.take().ok_or(StoreError::Closed)?;
        // A commit of one that has failed undoes it, and says that all is well; so does one where there is none any more.
        sqlx::raw_sql("savepoint gesta").run(&mut self.session(&mut transaction)).await.during(CONTEXT)?;
        match transaction.commit().await {
            Ok(()) => {
                self.postgres.wake.appended();
                Ok(())
            }
            Err(error) => {
                self.postgres.connections.distrust();
                Err(super::errors::sent(CONTEXT, &error).into_error())
            }
        }
    }

    async fn try_append(&self, connection: &mut PgConnection, append: &Append) -> Result<Option<Appended>, Sent> {
        let (session, writer) = (&mut self.session(connection), &self.postgres.engine.writer);
        // Not by the driver's own way, which begins a transaction where there is none any more.
        sqlx::raw_sql("savepoint gesta").run(session).await.map_err(|error| uncommitted(&error))?;
        let result = if writer.is_alone(append) {
            self.append_alone(session, append).await
        } else {
            let sent = writer.send_on(session, &[append], &NewKinds::default()).await;
            sent.map(|mut results| results.pop().flatten())
        };
        let end = match result {
            // Without its transaction nothing of it is stored, whatever was sent.
            Err(Sent::Unknown(AppendError::UnknownOutcome(error))) => return Err(Sent::Refused(error.into())),
            Ok(Some(_)) => "release savepoint gesta",
            _ => "rollback to savepoint gesta; release savepoint gesta",
        };
        match (result, sqlx::raw_sql(end).run(session).await) {
            (Ok(_), Err(error)) => Err(uncommitted(&error)),
            (result, _) => result,
        }
    }

    /// Under the lock alone, which the transaction has then, or gets now.
    async fn append_alone(&self, session: &mut Session<'_>, append: &Append) -> Result<Option<Appended>, Sent> {
        if !self.alone {
            // Two that have appended wait for each other: neither goes on before the other has ended.
            lock_alone(&self.postgres, session).await.map_err(|error| Sent::Refused(driver(CONTEXT, &error).into()))?;
        }
        match self.postgres.engine.writer.decide(session, &[append]).await?.pop() {
            Some(Ok(appended)) => Ok(Some(appended)),
            Some(Err(refused)) => Err(Sent::Refused(refused)),
            None => Ok(None),
        }
    }
}

/// Takes the lock alone, and leaves the settings of the transaction as they were.
async fn lock_alone(postgres: &Postgres, session: &mut Session<'_>) -> SqlResult<()> {
    let (until, mut pause) = (Instant::now() + WAIT_MAX, PAUSE.0);
    let before: String = sqlx::query("select current_setting('lock_timeout')").value(session).await?;
    let lock = format!("savepoint gesta_lock; set local lock_timeout = '{ALONE_WAIT_MS}ms'; {}", postgres.place.lock_alone());
    while let Err(error) = sqlx::raw_sql(AssertSqlSafe(&*lock)).run(session).await {
        if !is_lock_timeout(&error) || Instant::now() >= until {
            return Err(error);
        }
        // Everybody else waits behind it meanwhile.
        sqlx::raw_sql("rollback to savepoint gesta_lock; release savepoint gesta_lock").run(session).await?;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
    sqlx::query("select set_config('lock_timeout', $1, true)").bind(before).run(session).await?;
    sqlx::raw_sql("release savepoint gesta_lock").run(session).await?;
    Ok(())
}

#[async_trait]
impl EventLog for Joined {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL.shared()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        super::append::check(&append)?;
        self.postgres.census.check_appends(&self.postgres.connections).await?;
        let mut transaction = self.lock().await;
        let transaction = transaction.as_mut().ok_or(StoreError::Closed)?;
        // Not in the transaction: everybody else who appends the first event of a kind would wait for its end.
        self.postgres.engine.writer.announce(&append).await?;
        let mut raced = None;
        for _ in 0..ATTEMPTS_MAX {
            match self.try_append(transaction, &append).await {
                Ok(Some(appended)) => return Ok(appended),
                Ok(None) => {}
                Err(Sent::Refused(AppendError::Behind { model })) => {
                    let message = format!("the inline read model `{model}` was behind: begin the transaction again");
                    return Err(StoreError::Driver { context: CONTEXT, message, transient: true }.into());
                }
                Err(Sent::Raced(error)) => raced = Some(error),
                Err(failed) => return Err(failed.into_error()),
            }
            if let Some(reason) = self.postgres.statements().reason(&mut self.session(transaction), &append).await? {
                return Err(reason);
            }
        }
        if !self.postgres.statements().server(&mut self.session(transaction)).await.during(CONTEXT)?.1 {
            // It says that the sequence was set back.
            self.postgres.census.look(&self.postgres.connections).await?;
        }
        let message = "the server was restarted, or others were in the way each time: begin the transaction again".to_owned();
        Err(raced.unwrap_or(StoreError::Driver { context: CONTEXT, message, transient: true }.into()))
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut transaction = self.lock().await;
        let transaction = transaction.as_mut().ok_or(StoreError::Closed)?;
        let query = sqlx::query(AssertSqlSafe(&*self.postgres.reads.stream));
        let query = query.bind(stream.as_str()).bind(number(after.get())).bind(row_limit(max));
        visit_rows(&mut self.session(transaction), query, visit).await.map(drop)
    }

    async fn read_all(&self, _: Position, _: usize, _: Visit<'_>) -> Result<(), StoreError> {
        Err(StoreError::Unsupported("reading all events inside a transaction"))
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let mut transaction = self.lock().await;
        let transaction = transaction.as_mut().ok_or(StoreError::Closed)?;
        let head = self.postgres.reads.head(&mut self.session(transaction)).await?;
        Ok(head.map_or(Position::ZERO, |(position, _)| position))
    }

    async fn wait_beyond(&self, _: Position) -> Result<(), StoreError> {
        Err(StoreError::Unsupported("waiting for events inside a transaction"))
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        Err(StoreError::Unsupported("the kinds of events inside a transaction"))
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Keys for Joined {
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        let mut transaction = self.lock().await;
        let transaction = transaction.as_mut().ok_or(StoreError::Closed)?;
        self.postgres.statements().find_key(&mut self.session(transaction), stream, key).await
    }
}

/// Snapshots of what is committed; of what is not none is kept.
struct LoadedOnly(Arc<dyn SnapshotStore>);

#[async_trait]
impl SnapshotStore for LoadedOnly {
    async fn save_snapshot(&self, _: &StreamName, _: u64, _: Snapshot) -> Result<(), StoreError> {
        Ok(())
    }
    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        self.0.load_snapshot(stream, fingerprint).await
    }
}
