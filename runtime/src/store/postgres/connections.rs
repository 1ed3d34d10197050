//! The connections of a store: apart by what they do, so that none waits for what it is to bring about.
//!
//! Always true: readers, however many and however long, can't take the connections of appends, nor those of the census that the
//! readers themselves wait for. A connection whose transaction was not ended is given to nobody else, and neither is one that was
//! open when another one was lost: both may be gone, or in the middle of something.
//!
//! Each runtime has connections of its own, up to the same number. A connection works while the runtime works that opened it, so one
//! that is used on another runtime would be lost, or would say nothing, once that runtime ends or stands still.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::runtime::{self, Handle};
use tokio::sync::watch;

use super::PostgresOptions;
use super::census::SERVER;
use super::errors::{SqlResult, While};
use super::pool::{Lent, Pool, Pooled, Probe};
use super::session::{LostAt, Sending, Session, silent};
use crate::error::StoreError;

/// Of the connections, those for the census, for leases and for telling of appends.
const CONTROL: u32 = 2;
/// The one that hears of appends, which is not given back.
const HEARING: u32 = 1;

/// How long is waited for it to be closed.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// The same for the connections of another runtime, which may stand still.
const GOODBYE_ELSEWHERE_MAX: Duration = Duration::from_secs(1);

/// Whoever waits for a lock for longer is told, before the silence of the server is taken for its end.
const READS_LOCK_WAIT: &str = "30s";
/// An append that waits for somebody's open transaction must not take along those that share its statement: they go on without it.
const APPENDS_LOCK_WAIT: &str = "200ms";
/// No process is so slow that it is ended for less silence between two statements of a transaction. More than a day is as good as none,
/// and the server counts milliseconds in 31 bits.
const SILENCE_MIN: Duration = Duration::from_secs(1);
const SILENCE_MAX: Duration = Duration::from_hours(24);

/// Settings of each connection; or, behind a pooler, of each of its transactions, so that no session keeps them for somebody else.
struct Settings {
    session: String,
    transaction: String,
}

impl Settings {
    /// `silence_max`: a process that says nothing for as long between two statements of a transaction, since it is stopped or can't be
    /// reached, must not keep others from what it has locked. Its session is ended.
    fn new(lock_wait: &str, silence_max: Duration, durable: bool) -> Self {
        let silence = silence_max.clamp(SILENCE_MIN, SILENCE_MAX).as_millis();
        let all = [
            "jit = off".to_owned(),
            format!("lock_timeout = '{lock_wait}'"),
            format!("idle_in_transaction_session_timeout = '{silence}ms'"),
            // An error would end the session, and nobody would know what became of the append.
            "exit_on_error = off".to_owned(),
            // The names of schemas stand in texts.
            "standard_conforming_strings = on".to_owned(),
        ];
        let session = all.iter().fold(String::new(), |sql, setting| sql + "; set " + setting);
        let transaction = all.iter().fold(String::new(), |sql, setting| sql + "set local " + setting + "; ");
        let [in_session, in_transaction] =
            [false, true].map(|local| if durable { durable_commits(local) } else { String::new() });
        Settings {
            session: format!("set default_transaction_isolation = 'read committed'{session}; {in_session}"),
            transaction: transaction + &in_transaction,
        }
    }
}

/// A statement that makes a commit wait for the disk, also if the database, the role or the server says otherwise; what is stronger stays.
fn durable_commits(local: bool) -> String {
    format!(
        "select pg_catalog.set_config('synchronous_commit', 'on', {local})
            where pg_catalog.current_setting('synchronous_commit') not in ('on', 'remote_apply'); "
    )
}

#[derive(Clone)]
pub(super) struct Connections {
    options: Arc<PostgresOptions>,
    runtimes: Arc<Runtimes>,
    lost_at: LostAt,
    /// How statements are sent in transactions of the user's, who knows how long they may wait and for what.
    users: Sending,
    /// Commits wait for the disk, unless the URL says otherwise.
    durable: bool,
    /// Of the one that hears of appends.
    hearing: Arc<Mutex<Option<PgPool>>>,
}

/// The connections of each runtime that uses the store.
struct Runtimes {
    pools: Mutex<Opened>,
    /// Goes when the store goes, or is closed.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Opened {
    of: Vec<(runtime::Id, Pools)>,
    closed: bool,
}

#[derive(Clone)]
struct Pools {
    appends: Pool,
    reads: Pool,
    control: Pool,
}

/// A task of each runtime that uses the store. The connections of the runtime go with it.
struct Watcher {
    runtimes: Weak<Runtimes>,
    id: runtime::Id,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let Some(runtimes) = self.runtimes.upgrade() else { return };
        let gone: Vec<_> = {
            let mut opened = runtimes.opened();
            opened.of.extract_if(.., |(id, _)| *id == self.id).collect()
        };
        drop(gone);
    }
}

impl Runtimes {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pools {
    /// None is opened yet.
    fn new(options: &PostgresOptions, lost_at: &LostAt) -> Self {
        let appends = (options.connections_max / 4).clamp(1, 8);
        let reads = options.connections_max.saturating_sub(CONTROL + HEARING + appends).max(1);
        let (wait_max, answer_wait_max) = (options.connection_wait_max, options.answer_wait_max);
        let pooled = options.transaction_pooler;
        let connect = connect_options(options);
        let durable = commits_are_durable(options);
        let pool = |max, settings: Arc<str>| {
            let outlived = {
                let lost_at = lost_at.clone();
                move |age: Duration| Instant::now().checked_sub(age).is_some_and(|opened| lost_at.is_after(opened))
            };
            let outlived_too = outlived.clone();
            let pool = PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(wait_max)
                // Under load an append waits, which is no fault. One that waits for too long fails, and says why.
                .acquire_slow_threshold(Duration::MAX)
                // A third of all time went into asking whether they are still there; who uses one that is not is told then.
                .test_before_acquire(false)
                .before_acquire(move |_, connection| {
                    let outlived = outlived(connection.age);
                    Box::pin(async move { Ok(!outlived) })
                })
                // Before the pool asks it whether it is still there, and waits for the answer without end.
                .after_release(move |connection, of| {
                    let outlived = outlived_too(of.age);
                    Box::pin(async move {
                        if outlived {
                            return Ok(false);
                        }
                        tokio::time::timeout(answer_wait_max, connection.ping()).await.unwrap_or(Err(silent(answer_wait_max)))?;
                        Ok(true)
                    })
                });
            let pool = if pooled {
                pool
            } else {
                let lost_at = lost_at.clone();
                pool.after_connect(move |connection, _| {
                    let (begin, lost_at) = (format!("select {SERVER}; {settings}"), lost_at.clone());
                    Box::pin(async move {
                        // The settings may answer with rows of their own.
                        let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
                        lost_at.answers(rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?);
                        Ok(())
                    })
                })
            };
            pool.connect_lazy_with(connect.clone())
        };
        let sending = sending(options, lost_at);
        let pools = [(appends, APPENDS_LOCK_WAIT), (reads, READS_LOCK_WAIT), (CONTROL, READS_LOCK_WAIT)];
        let [appends, reads, control] = pools.map(|(max, lock_wait)| {
            let Settings { session, transaction } = Settings::new(lock_wait, options.lease, durable);
            let session: Arc<str> = session.into();
            let probe = Probe { connect: connect.clone(), settings: (!pooled).then(|| Arc::clone(&session)), max };
            let pooled = pooled.then_some(Pooled { settings: transaction, wait_max });
            Pool::new(pool(max, session), sending.clone(), pooled, probe)
        });
        Pools { appends, reads, control }
    }

    async fn close(&self) {
        let (appends, reads, control) = (self.appends.close(), self.reads.close(), self.control.close());
        futures_util::future::join3(appends, reads, control).await;
    }
}

fn connect_options(options: &PostgresOptions) -> PgConnectOptions {
    let connect = options.connect.clone();
    // A pooler refuses a setting that it does not know, and all numbers are sent as such.
    if options.transaction_pooler { connect.extra_float_digits(None).statement_cache_capacity(0) } else { connect }
}

/// Whether the store makes commits durable by itself: unless the URL sets it.
fn commits_are_durable(options: &PostgresOptions) -> bool {
    !options.connect.get_options().is_some_and(|options| options.contains("synchronous_commit"))
}

fn sending(options: &PostgresOptions, lost_at: &LostAt) -> Sending {
    let (named, answer_wait_max) = (!options.transaction_pooler, options.answer_wait_max);
    Sending { named, answer_wait_max, ours: true, lost_at: lost_at.clone() }
}

impl Connections {
    /// None is opened yet.
    pub(super) fn new(options: &PostgresOptions) -> Self {
        let lost_at = LostAt::default();
        let users = Sending { named: false, answer_wait_max: Duration::MAX, ours: false, ..sending(options, &lost_at) };
        let runtimes = Arc::new(Runtimes { pools: Mutex::default(), ended: watch::Sender::new(false) });
        let durable = commits_are_durable(options);
        Connections { options: Arc::new(options.clone()), runtimes, lost_at, users, durable, hearing: Arc::default() }
    }

    /// The connections of the caller's runtime.
    fn pools(&self) -> SqlResult<Pools> {
        let handle = Handle::current();
        let id = handle.id();
        let mut opened = self.runtimes.opened();
        if opened.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        if let Some((_, pools)) = opened.of.iter().find(|(known, _)| *known == id) {
            return Ok(pools.clone());
        }
        let pools = Pools::new(&self.options, &self.lost_at);
        opened.of.push((id, pools.clone()));
        drop(opened);
        let (watcher, mut ended) = (Watcher { runtimes: Arc::downgrade(&self.runtimes), id }, self.runtimes.ended.subscribe());
        handle.spawn(async move {
            let _watcher = watcher;
            let _ = ended.wait_for(|ended| *ended).await;
        });
        Ok(pools)
    }

    /// The first one, which shows whether the database can be reached: without waiting for as long as others do.
    pub(super) async fn first(&self) -> SqlResult<Lent> {
        // Else an address where nobody listens is tried until the time is over.
        let connect = async { connect_options(&self.options).connect().await?.close().await };
        let wait_max = self.options.connection_wait_max;
        tokio::time::timeout(wait_max, connect).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        self.pools()?.control.lend().await
    }

    /// A connection was lost, and those that are open are no better: whoever asks for one gets a new one.
    pub(super) fn distrust(&self) {
        self.lost_at.note();
    }
    /// Whether one was lost since then, and the server perhaps with it.
    pub(super) fn lost_since(&self, then: Instant) -> bool {
        self.lost_at.is_after(then)
    }
    /// How long the server may say nothing.
    pub(super) fn answer_wait_max(&self) -> Duration {
        self.options.answer_wait_max
    }

    pub(super) async fn append(&self) -> SqlResult<Lent> {
        self.pools()?.appends.lend().await
    }
    /// In a transaction that begins with these statements.
    pub(super) async fn append_transaction(&self, statements: &str) -> SqlResult<Lent> {
        self.pools()?.appends.begin(statements).await
    }
    pub(super) async fn read(&self) -> Result<Lent, StoreError> {
        self.pools().during("connecting to read")?.reads.lend().await.during("connecting to read")
    }
    /// In a transaction.
    pub(super) async fn read_transaction(&self) -> SqlResult<Lent> {
        self.pools()?.reads.begin("").await
    }
    pub(super) async fn control(&self) -> Result<Lent, StoreError> {
        self.pools().during("connecting")?.control.lend().await.during("connecting")
    }
    /// In a transaction that begins with these statements.
    pub(super) async fn control_transaction(&self, statements: &str) -> SqlResult<Lent> {
        self.pools()?.control.begin(statements).await
    }

    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        let here = Handle::current().id();
        let all = {
            let mut opened = self.runtimes.opened();
            opened.closed = true;
            std::mem::take(&mut opened.of)
        };
        let closing = all.iter().map(|(id, pools)| async move {
            let patience = if *id == here { Duration::MAX } else { GOODBYE_ELSEWHERE_MAX };
            let _ = tokio::time::timeout(patience, pools.close()).await;
        });
        futures_util::future::join_all(closing).await;
        self.runtimes.ended.send_replace(true);
        let hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hearing) = hearing {
            // Who hears nothing any more may be in the midst of something that never ends.
            let _ = tokio::time::timeout(GOODBYE_MAX, hearing.close()).await;
        }
    }

    /// What a transaction of the user's begins with for its commit to wait for the disk.
    pub(super) fn durable_commit(&self) -> Option<String> {
        self.durable.then(|| durable_commits(true))
    }

    /// What statements are sent over on a connection of the user's.
    pub(super) fn session_of<'c>(&'c self, connection: &'c mut PgConnection) -> Session<'c> {
        Session::new(connection, &self.users)
    }

    /// Who hears of what others tell; nobody behind a pooler.
    pub(super) async fn listener(&self) -> SqlResult<Option<PgListener>> {
        // Behind a pooler nobody is told of anything.
        if self.options.transaction_pooler {
            return Ok(None);
        }
        // A pool for each: one that is given up says goodbye to its server, for as long as that takes.
        let pool = PgPoolOptions::new().max_connections(HEARING).acquire_timeout(self.options.connection_wait_max);
        let pool = pool.acquire_slow_threshold(Duration::MAX);
        let pool = pool.connect_lazy_with(connect_options(&self.options));
        let listener = PgListener::connect_with(&pool).await?;
        *self.hearing.lock().unwrap_or_else(PoisonError::into_inner) = Some(pool);
        Ok(Some(listener))
    }
}
