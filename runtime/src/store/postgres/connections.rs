//! The connections of a store: apart by what they do, so that none waits for what it is to bring about.
//!
//! Always true: readers, however many and however long, can't take the connections of appends, nor those of the census that the
//! readers themselves wait for. A connection whose transaction was not ended is given to nobody else, and neither is one that was
//! open when another one was lost: both may be gone, or in the middle of something.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::PostgresOptions;
use super::errors::{SqlResult, While};
use super::pool::{Lent, LostAt, Pool};
use super::session::Session;
use crate::error::StoreError;

/// Of the connections, those for the census, for leases and for telling of appends.
const CONTROL: u32 = 2;
/// The one that hears of appends, which is not given back.
const HEARING: u32 = 1;

/// Settings of each connection; and, behind a pooler, what each of its transactions begins with instead, so that no session keeps
/// them for somebody else.
struct Settings {
    session: &'static str,
    begin: &'static str,
}

const READS: Settings = Settings {
    session: "set default_transaction_isolation = 'read committed'; set jit = off",
    begin: "begin isolation level read committed; set local jit = off",
};
/// An append that waits for somebody's open transaction must not take along those that share its statement: they go on without it.
const APPENDS: Settings = Settings {
    session: "set default_transaction_isolation = 'read committed'; set jit = off; set lock_timeout = '200ms'",
    begin: "begin isolation level read committed; set local jit = off; set local lock_timeout = '200ms'",
};

#[derive(Clone)]
pub(super) struct Connections {
    appends: Pool,
    reads: Pool,
    control: Pool,
    /// None behind a pooler, where nobody is told of anything.
    hearing: Option<PgPool>,
    connect: PgConnectOptions,
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
        let pooled = options.transaction_pooler;
        let connect = options.connect.clone();
        // A pooler refuses a setting that it does not know, and all numbers are sent as such.
        let connect = if pooled { connect.extra_float_digits(None).statement_cache_capacity(0) } else { connect };
        let pool = |max, settings: &'static str| {
            let lost_at = lost_at.clone();
            let pool = PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(wait_max)
                // A third of all time went into asking whether they are still there; who uses one that is not is told then.
                .test_before_acquire(false)
                .before_acquire(move |_, connection| {
                    let opened = Instant::now().checked_sub(connection.age);
                    let outlived = opened.is_some_and(|opened| lost_at.is_after(opened));
                    Box::pin(async move { Ok(!outlived) })
                });
            let pool = if pooled {
                pool
            } else {
                pool.after_connect(move |connection, _| {
                    Box::pin(async move {
                        connection.execute(settings).await?;
                        Ok(())
                    })
                })
            };
            pool.connect_lazy_with(connect.clone())
        };
        let hearing = (!pooled).then(|| pool(HEARING, READS.session));
        let [appends, reads, control] = [(appends, APPENDS), (reads, READS), (CONTROL, READS)]
            .map(|(max, settings)| Pool::new(pool(max, settings.session), lost_at.clone(), pooled.then_some(settings.begin)));
        Connections { appends, reads, control, hearing, connect, wait_max, lost_at }
    }

    /// The first one, which shows whether the database can be reached: without waiting for as long as others do.
    pub(super) async fn first(&self) -> SqlResult<Lent> {
        // Else an address where nobody listens is tried until the time is over.
        let connect = async { self.connect.connect().await?.close().await };
        tokio::time::timeout(self.wait_max, connect).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.control.lend().await
    }

    /// A connection was lost, and those that are open are no better: whoever asks for one gets a new one.
    pub(super) fn distrust(&self) {
        self.lost_at.note();
    }

    pub(super) async fn append(&self) -> SqlResult<Lent> {
        self.appends.lend().await
    }
    /// In a transaction that begins with these statements.
    pub(super) async fn append_transaction(&self, begin: &str) -> SqlResult<Lent> {
        self.appends.begin(begin).await
    }
    pub(super) async fn read(&self) -> Result<Lent, StoreError> {
        self.reads.lend().await.during("connecting to read")
    }
    /// In a transaction that begins with these statements.
    pub(super) async fn read_transaction(&self, begin: &str) -> SqlResult<Lent> {
        self.reads.begin(begin).await
    }
    pub(super) async fn control(&self) -> Result<Lent, StoreError> {
        self.control.lend().await.during("connecting")
    }
    /// In a transaction that begins with these statements.
    pub(super) async fn control_transaction(&self, begin: &str) -> SqlResult<Lent> {
        self.control.begin(begin).await
    }

    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        let (appends, reads, control) = (self.appends.close(), self.reads.close(), self.control.close());
        futures_util::future::join3(appends, reads, control).await;
        if let Some(hearing) = &self.hearing {
            hearing.close().await;
        }
    }

    /// What statements are sent over on a connection that is none of these.
    pub(super) fn session_of<'c>(&self, connection: &'c mut PgConnection) -> Session<'c> {
        Session::new(connection, self.hearing.is_some())
    }

    /// Who hears of what others tell; nobody behind a pooler.
    pub(super) async fn listener(&self) -> SqlResult<Option<PgListener>> {
        match &self.hearing {
            Some(hearing) => PgListener::connect_with(hearing).await.map(Some),
            None => Ok(None),
        }
    }
}
