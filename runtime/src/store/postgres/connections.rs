//! The connections of a store: apart by what they do, so that none waits for what it is to bring about.
//!
//! Always true: readers, however many and however long, can't take the connections of appends, nor those of the census that the
//! readers themselves wait for. A connection whose transaction was not ended is given to nobody else, and neither is one that was
//! open when another one was lost: both may be gone, or in the middle of something.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::PostgresOptions;
use super::errors::While;
use super::pool::{Lent, LostAt, Pool};
use crate::error::StoreError;

/// Of the connections, those for the census, for leases and for telling of appends.
const CONTROL: u32 = 2;
/// The one that hears of appends, which is not given back.
const HEARING: u32 = 1;

/// Settings of each connection.
const READS: &str = "set default_transaction_isolation = 'read committed'; set jit = off";
/// An append that waits for somebody's open transaction must not take along those that share its statement: they go on without it.
const APPENDS: &str = "set default_transaction_isolation = 'read committed'; set jit = off; set lock_timeout = '200ms'";

#[derive(Clone)]
pub(super) struct Connections {
    appends: Pool,
    reads: Pool,
    control: Pool,
    hearing: PgPool,
    wait_max: Duration,
    lost_at: LostAt,
}

impl Connections {
    /// None is opened yet.
    pub(super) fn new(options: &PostgresOptions) -> Self {
        let appends = (options.connections_max / 4).clamp(1, 8);
        let reads = options.connections_max.saturating_sub(CONTROL + HEARING + appends).max(1);
        let wait_max = options.connection_wait_max;
        let lost_at = LostAt::default();
        let pool = |max, settings: &'static str| {
            let lost_at = lost_at.clone();
            PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(wait_max)
                // A third of all time went into asking whether they are still there; who uses one that is not is told then.
                .test_before_acquire(false)
                .before_acquire(move |_, connection| {
                    let opened = Instant::now().checked_sub(connection.age);
                    let outlived = opened.is_some_and(|opened| lost_at.is_after(opened));
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
        let hearing = pool(HEARING, READS);
        let [appends, reads, control] = [(appends, APPENDS), (reads, READS), (CONTROL, READS)]
            .map(|(max, settings)| Pool::new(pool(max, settings), lost_at.clone()));
        Connections { appends, reads, control, hearing, wait_max, lost_at }
    }

    /// The first one, which shows whether the database can be reached: without waiting for as long as others do.
    pub(super) async fn first(&self) -> Result<Lent, sqlx::Error> {
        // Else an address where nobody listens is tried until the time is over.
        let connect = async { self.hearing.connect_options().connect().await?.close().await };
        tokio::time::timeout(self.wait_max, connect).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.control.lend().await
    }

    /// A connection was lost, and those that are open are no better: whoever asks for one gets a new one.
    pub(super) fn distrust(&self) {
        self.lost_at.note();
    }

    pub(super) async fn append(&self) -> Result<Lent, sqlx::Error> {
        self.appends.lend().await
    }
    /// A transaction that begins with these statements.
    pub(super) async fn append_transaction(&self, begin: String) -> Result<Open, sqlx::Error> {
        self.begin(self.appends.lend().await?, begin).await
    }
    pub(super) async fn read_transaction(&self, begin: String) -> Result<Open, sqlx::Error> {
        self.begin(self.reads.lend().await?, begin).await
    }
    async fn begin(&self, connection: Lent, begin: String) -> Result<Open, sqlx::Error> {
        let mut open = Open { connection, lost_at: self.lost_at.clone(), ended: false };
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *open.connection).await?;
        Ok(open)
    }
    pub(super) async fn read(&self) -> Result<Lent, StoreError> {
        self.reads.lend().await.during("connecting to read")
    }
    pub(super) async fn control(&self) -> Result<Lent, StoreError> {
        self.control.lend().await.during("connecting")
    }
    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        let (appends, reads, control) = (self.appends.close(), self.reads.close(), self.control.close());
        futures_util::future::join4(appends, reads, control, self.hearing.close()).await;
    }
    /// Who hears of what others tell.
    pub(super) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        PgListener::connect_with(&self.hearing).await
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
            self.lost_at.note();
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
