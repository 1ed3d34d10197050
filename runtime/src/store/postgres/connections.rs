//! The connections of a store: apart by what they do, so that none waits for what it is to bring about.
//!
//! Always true: readers, however many and however long, can't take the connections of appends, nor those of the census that the
//! readers themselves wait for. A connection whose transaction was not ended is given to nobody else, and neither is one that was
//! open when another one was lost: both may be gone, or in the middle of something.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::PostgresOptions;
use super::errors::While;
use crate::error::StoreError;

/// Of the connections, those for the census, for leases, and for telling and hearing of appends.
const CONTROL: u32 = 3;

/// Settings of each connection.
const READS: &str = "set default_transaction_isolation = 'read committed'; set jit = off";
/// An append that waits for somebody's open transaction must not take along those that share its statement: they go on without it.
const APPENDS: &str = "set default_transaction_isolation = 'read committed'; set jit = off; set lock_timeout = '200ms'";

#[derive(Clone)]
pub(super) struct Connections {
    appends: PgPool,
    reads: PgPool,
    pub(super) control: PgPool,
    wait_max: Duration,
    lost_at: LostAt,
}

/// When a connection was found to be lost last.
type LostAt = Arc<Mutex<Option<Instant>>>;

fn note(lost_at: &LostAt) {
    *lost_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

pub(super) type Lent = PoolConnection<Postgres>;

impl Connections {
    /// None is opened yet.
    pub(super) fn new(options: &PostgresOptions) -> Self {
        let appends = (options.connections_max / 4).clamp(1, 8);
        let reads = options.connections_max.saturating_sub(CONTROL + appends).max(1);
        let wait_max = options.connection_wait_max;
        let lost_at = LostAt::default();
        let pool = |max, settings: &'static str| {
            let lost_at = Arc::clone(&lost_at);
            PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(wait_max)
                // A third of all time went into asking whether they are still there; who uses one that is not is told then.
                .test_before_acquire(false)
                .before_acquire(move |_, connection| {
                    let lost_at = *lost_at.lock().unwrap_or_else(PoisonError::into_inner);
                    let outlived = lost_at.is_some_and(|at| connection.age >= at.elapsed());
                    Box::pin(async move { Ok(!outlived) })
                })
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        connection.execute(settings).await?;
                        Ok(())
                    })
                })
                .connect_lazy_with(options.connect.clone())
        };
        let (appends, reads, control) = (pool(appends, APPENDS), pool(reads, READS), pool(CONTROL, READS));
        Connections { appends, reads, control, wait_max, lost_at }
    }

    /// The first one, which shows whether the database can be reached: without waiting for as long as others do.
    pub(super) async fn first(&self) -> Result<Lent, sqlx::Error> {
        // Else an address where nobody listens is tried until the time is over.
        let connect = async { self.control.connect_options().connect().await?.close().await };
        tokio::time::timeout(self.wait_max, connect).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.control.acquire().await
    }

    /// A connection was lost, and those that are open are no better: whoever asks for one gets a new one.
    pub(super) fn distrust(&self) {
        note(&self.lost_at);
    }

    pub(super) async fn append(&self) -> Result<Lent, sqlx::Error> {
        self.appends.acquire().await
    }
    /// A transaction that begins with these statements.
    pub(super) async fn append_transaction(&self, begin: String) -> Result<Open, sqlx::Error> {
        self.begin(self.appends.acquire().await?, begin).await
    }
    pub(super) async fn read_transaction(&self, begin: String) -> Result<Open, sqlx::Error> {
        self.begin(self.reads.acquire().await?, begin).await
    }
    async fn begin(&self, connection: Lent, begin: String) -> Result<Open, sqlx::Error> {
        let mut open = Open { connection, lost_at: Arc::clone(&self.lost_at), ended: false };
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *open.connection).await?;
        Ok(open)
    }
    pub(super) async fn read(&self) -> Result<Lent, StoreError> {
        self.reads.acquire().await.during("connecting to read")
    }
    pub(super) async fn control(&self) -> Result<Lent, StoreError> {
        self.control.acquire().await.during("connecting")
    }
    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        futures_util::future::join3(self.appends.close(), self.reads.close(), self.control.close()).await;
    }
}

/// A transaction. The driver's own one gives its connection back in the middle of it where one of the statements that it begins
/// with fails, such as by a time-out while it waits for a lock.
pub(super) struct Open {
    connection: Lent,
    lost_at: LostAt,
    ended: bool,
}

impl Open {
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("commit").await
    }
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("rollback").await
    }
    async fn end(mut self, how: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(how).execute(&mut *self.connection).await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
            // It may be that it was lost; one that was not costs the others to be opened anew.
            note(&self.lost_at);
        }
    }
}

impl Deref for Open {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}
impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
