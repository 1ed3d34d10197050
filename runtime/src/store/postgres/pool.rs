//! Connections that are lent again without a question.
//!
//! The driver's pool asks each connection that comes back whether it is still there: a second round trip for each statement, and
//! meanwhile another connection is opened. So one that was answered is kept here, and lent before one of the pool's.
//!
//! Always true: a kept connection has ended all that it did, and none is kept while somebody waits for the pool. One that was open
//! when another was lost is lent no more, and one that is given up before all is answered is closed: the driver's
//! pool would ask it, and wait without end for one whose server says nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use tokio::runtime::Handle;

use super::census::SERVER;
use super::errors::{SqlResult, is_lost, no_connection};
use super::session::{Ask as _, Sending, Session};

/// One that nobody has used for as long is closed: what stands between may have forgotten it.
const KEPT_MAX: Duration = Duration::from_secs(30);
/// So is one that the pool has given so long ago: as the driver's pool does with those that it keeps.
const TRUSTED_MAX: Duration = Duration::from_mins(30);
/// How long the server is asked why it lets nobody in.
const PROBE_MAX: Duration = Duration::from_secs(2);
/// How long is waited for those that are in use, once nothing more is asked.
const CLOSE_MAX: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    driver: PgPool,
    kept: Mutex<Kept>,
    sending: Sending,
    /// Behind a pooler, what each transaction begins with, and every statement is in one: only there does a session stay the same.
    pooled: Option<Pooled>,
    probe: Probe,
    /// How many the pool has given, whether they are idle here or in use.
    given: Arc<AtomicU32>,
    runtime: Handle,
}

/// How the server is asked why it lets nobody in: the driver's pool tries until the time is over, and keeps to itself what it was told.
pub(super) struct Probe {
    pub(super) connect: PgConnectOptions,
    pub(super) settings: Option<Arc<str>>,
    /// How many connections the pool may have.
    pub(super) max: u32,
}

impl Probe {
    /// Why no connection can be made; `None` if one can, or if nothing was answered.
    async fn why(&self) -> Option<sqlx::Error> {
        let connect = async {
            let mut connection = self.connect.connect().await?;
            let set = match &self.settings {
                Some(settings) => connection.execute(sqlx::raw_sql(AssertSqlSafe(&**settings))).await.map(drop),
                None => Ok(()),
            };
            let _ = connection.close().await;
            set
        };
        tokio::time::timeout(PROBE_MAX, connect).await.ok()?.err()
    }
}

/// What holds behind a pooler.
pub(super) struct Pooled {
    /// Settings, for the transaction.
    pub(super) settings: String,
    /// How long is waited for a session, which is given once a transaction begins.
    pub(super) wait_max: Duration,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last is the last.
    idle: VecDeque<Lent>,
    /// How many wait for one of the pool's.
    waiting: usize,
    closed: bool,
}

impl Pool {
    pub(super) fn new(driver: PgPool, sending: Sending, pooled: Option<Pooled>, probe: Probe) -> Self {
        let (kept, given, runtime) = (Mutex::default(), Arc::default(), Handle::current());
        Pool(Arc::new(Shared { driver, kept, sending, pooled, probe, given, runtime }))
    }

    /// A connection for a few statements, which is to be given back by [`done`](Lent::done).
    pub(super) async fn lend(&self) -> SqlResult<Lent> {
        match &self.0.pooled {
            Some(Pooled { wait_max, .. }) => {
                let begun = tokio::time::timeout(*wait_max, self.begin(""));
                // One that was given up on its way is closed.
                begun.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
            }
            None => Ok(self.any().await?.0),
        }
    }

    /// The same in a transaction, `read committed`, that begins with these statements.
    pub(super) async fn begin(&self, statements: &str) -> SqlResult<Lent> {
        let pooled = self.0.pooled.as_ref();
        // Behind a pooler, each transaction may be on another server than the one before.
        let settings = pooled.map_or(String::new(), |pooled| format!("select {SERVER}; {}", pooled.settings));
        let begin = format!("begin isolation level read committed; {settings}{statements}");
        let mut again = false;
        loop {
            let (mut lent, kept) = self.any().await?;
            lent.state = State::Open;
            let begun = sqlx::raw_sql(AssertSqlSafe(&*begin)).optional(&mut lent.session()).await;
            let error = match begun {
                Ok(row) => {
                    if pooled.is_some() {
                        let server = row.ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
                        lent.sending.lost_at.answers(server);
                        lent.server = Some(server);
                    }
                    return Ok(lent);
                }
                Err(error) => error,
            };
            if !is_lost(&error) {
                // Such as by a time-out while it waits for a lock. That it ends badly changes nothing.
                let _ = lent.rollback().await;
                return Err(error);
            }
            // It was lost while nobody used it, and so were the others that are kept: none of them is lent any more. Nothing is done
            // yet, so that one more try does no harm where the pool has given it, either.
            if !kept && std::mem::replace(&mut again, true) {
                return Err(error);
            }
        }
    }

    /// A connection, and whether it was kept.
    async fn any(&self) -> SqlResult<(Lent, bool)> {
        let waiting = match self.take() {
            Ok(lent) => return Ok((lent, true)),
            Err(waiting) => waiting,
        };
        // From before the pool looks at it: a loss that is noted after that look counts for it too.
        let trusted = Instant::now();
        let connection = match self.0.driver.acquire().await {
            Ok(connection) => connection,
            Err(error) => return Err(self.no_connection(error).await),
        };
        drop(waiting);
        self.0.given.fetch_add(1, Ordering::Relaxed);
        let (sending, home, given) = (self.0.sending.clone(), Arc::downgrade(&self.0), Arc::clone(&self.0.given));
        // One to another server than the newest is not lent. If it is the newest itself, its server was just noted.
        let server = sending.lost_at.server();
        Ok((Lent { connection, server, trusted, since: trusted, state: State::Asked, sending, home, given }, false))
    }

    /// Why the pool has given none. Nothing was sent then.
    async fn no_connection(&self, error: sqlx::Error) -> sqlx::Error {
        match error {
            sqlx::Error::PoolClosed => error,
            // All are in use.
            sqlx::Error::PoolTimedOut if self.0.given.load(Ordering::Relaxed) >= self.0.probe.max => error,
            sqlx::Error::PoolTimedOut => self.0.probe.why().await.map_or(error, no_connection),
            other => no_connection(other),
        }
    }

    /// One that is kept; else the caller counts as waiting, from the same look on.
    fn take(&self) -> Result<Lent, Waiting<'_>> {
        let mut kept = self.0.kept();
        let doubtful = |lent: &Lent| {
            let old = lent.since.elapsed() > KEPT_MAX || lent.trusted.elapsed() > TRUSTED_MAX;
            old || lent.is_doubtful()
        };
        while kept.idle.front().is_some_and(doubtful) {
            kept.idle.pop_front().into_iter().for_each(Lent::close);
        }
        while let Some(mut lent) = kept.idle.pop_back() {
            if !doubtful(&lent) {
                lent.state = State::Asked;
                return Ok(lent);
            }
            lent.close();
        }
        kept.waiting += 1;
        Err(Waiting(&self.0))
    }

    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        {
            let mut kept = self.0.kept();
            kept.closed = true;
            kept.idle.drain(..).for_each(Lent::close);
        }
        // One that is on its way back may have been asked whether it is still there, in vain.
        let _ = tokio::time::timeout(CLOSE_MAX, self.0.driver.close()).await;
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The driver's pool takes a connection back in a task, which needs a runtime wherever a store is dropped.
        let _runtime = self.runtime.enter();
        self.kept().idle.clear();
    }
}

/// Somebody waits for one of the pool's.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.kept().waiting -= 1;
    }
}

/// A connection. One that is dropped before everything was answered that was asked of it is closed.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    /// The server it is to; behind a pooler, the one that its transaction is on.
    server: Option<i64>,
    /// The pool gave it after that.
    trusted: Instant,
    /// When it was kept last.
    since: Instant,
    state: State,
    sending: Sending,
    home: Weak<Shared>,
    given: Arc<AtomicU32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Something may be asked of it, and not be answered yet.
    Asked,
    /// The same, in a transaction.
    Open,
    /// It has ended all that it did.
    Answered,
}

impl Lent {
    /// What statements are sent over.
    pub(super) fn session(&mut self) -> Session<'_> {
        Session::new(&mut self.connection, &self.sending)
    }

    /// The server it is to, see [`SERVER`]. `None` behind a pooler outside of a transaction.
    pub(super) fn server(&self) -> Option<i64> {
        self.server
    }

    /// Whether it is in a transaction, of which nothing is stored yet.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Everything that was asked of it is answered: commits the transaction it is in, if it is in one, and lends it to whoever is next.
    pub(super) async fn done(self) -> SqlResult<()> {
        self.end("commit").await
    }

    /// The same with what was changed undone.
    pub(super) async fn rollback(self) -> SqlResult<()> {
        if self.is_doubtful() {
            // Its end undoes it too; whoever says nothing would be waited for once more.
            self.close();
            return Ok(());
        }
        self.end("rollback").await
    }

    /// Whether it was there when another was lost, or was lost itself.
    fn is_doubtful(&self) -> bool {
        self.sending.lost_at.is_after(self.trusted)
    }

    async fn end(mut self, how: &'static str) -> SqlResult<()> {
        let home = self.home.upgrade();
        if self.is_open() {
            sqlx::raw_sql(how).run(&mut self.session()).await?;
        }
        self.state = State::Answered;
        if let Some(home) = home {
            let mut kept = home.kept();
            if kept.waiting == 0 && !kept.closed {
                self.since = Instant::now();
                kept.idle.push_back(self);
            }
        }
        Ok(())
    }

    /// Closes it, whatever has become of it.
    fn close(mut self) {
        self.state = State::Asked;
    }

    /// There is more to come of what was asked, as many rows at most, that nobody wants.
    pub(super) async fn interrupt(mut self, rows_max: usize) {
        if rows_max > ROWS_LEFT_MAX || self.is_doubtful() {
            // Those would be waited for.
            self.close();
        } else if self.is_open() {
            let _ = self.done().await;
        } else {
            // The driver's pool reads them.
            self.state = State::Answered;
        }
    }
}

/// So many rows are read and thrown away for a connection to be used again.
const ROWS_LEFT_MAX: usize = 5_000;

impl Drop for Lent {
    fn drop(&mut self) {
        self.given.fetch_sub(1, Ordering::Relaxed);
        if self.state != State::Answered {
            self.connection.close_on_drop();
        }
    }
}
