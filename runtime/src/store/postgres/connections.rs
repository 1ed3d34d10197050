//! The connections of a store: apart by what they do, so that none waits for what it is to bring about.
//!
//! Always true: readers, however many and however long, can't take the connections of appends, nor those of the census that the
//! readers themselves wait for.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Transaction};

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
}

pub(super) type Lent = PoolConnection<Postgres>;

impl Connections {
    /// None is opened yet.
    pub(super) fn new(options: &PostgresOptions) -> Self {
        let appends = (options.connections_max / 4).clamp(1, 8);
        let reads = options.connections_max.saturating_sub(CONTROL + appends).max(1);
        let pool = |max, settings: &'static str| {
            PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(options.connection_wait_max)
                // A third of all time went into asking whether they are still there; who uses one that is not is told then.
                .test_before_acquire(false)
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        connection.execute(settings).await?;
                        Ok(())
                    })
                })
                .connect_lazy_with(options.connect.clone())
        };
        Connections { appends: pool(appends, APPENDS), reads: pool(reads, READS), control: pool(CONTROL, READS) }
    }

    /// The first one, which shows whether the database can be reached: without waiting for as long as others do.
    pub(super) async fn first(&self) -> Result<Lent, sqlx::Error> {
        // Else an address where nobody listens is tried until the time is over.
        self.control.connect_options().connect().await?.close().await?;
        self.control.acquire().await
    }
    pub(super) async fn append(&self) -> Result<Lent, sqlx::Error> {
        self.appends.acquire().await
    }
    /// A transaction that begins with these statements.
    pub(super) async fn append_transaction(&self, begin: String) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.appends.begin_with(AssertSqlSafe(begin)).await
    }
    pub(super) async fn read_transaction(&self, begin: String) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.reads.begin_with(AssertSqlSafe(begin)).await
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
