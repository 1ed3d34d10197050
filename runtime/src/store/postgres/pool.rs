//! Connections that are lent again without a question.
//!
//! The driver's pool asks each connection that comes back whether it is still there: a second round trip for each statement, and
//! meanwhile another connection is opened. So one whose statement has succeeded is kept here, and lent before one of the pool's.
//!
//! Always true: a kept connection has ended all that it did, and none is kept while somebody waits for the pool. One that was open
//! when another was lost is lent no more, and one that is given up in the middle of a transaction is closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};

use super::errors::{SqlResult, is_lost};
use super::session::Session;

/// One that nobody has used for as long goes back to the pool, which knows how old it may get.
const KEPT_MAX: Duration = Duration::from_secs(30);

/// When a connection was found to be lost last.
#[derive(Clone, Default)]
pub(super) struct LostAt(Arc<Mutex<Option<Instant>>>);

impl LostAt {
    pub(super) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
    /// Whether one was lost since then.
    pub(super) fn is_after(&self, then: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at >= then)
    }
}

#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    driver: PgPool,
    kept: Mutex<Kept>,
    lost_at: LostAt,
    /// Behind a pooler, what a transaction begins with that every statement is in: only there does a session stay the same.
    begin: Option<&'static str>,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Lent>,
    /// How many wait for one of the pool's.
    waiting: usize,
    closed: bool,
}

impl Pool {
    pub(super) fn new(driver: PgPool, lost_at: LostAt, begin: Option<&'static str>) -> Self {
        Pool(Arc::new(Shared { driver, kept: Mutex::default(), lost_at, begin }))
    }

    /// A connection for a few statements, which is to be given back by [`done`](Lent::done).
    pub(super) async fn lend(&self) -> SqlResult<Lent> {
        match self.0.begin {
            Some(begin) => self.begin(begin).await,
            None => Ok(self.any().await?.0),
        }
    }

    /// The same in a transaction that begins with these statements.
    pub(super) async fn begin(&self, begin: &str) -> SqlResult<Lent> {
        loop {
            let (mut lent, kept) = self.any().await?;
            lent.open = true;
            let Err(error) = sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut lent.session()).await else { return Ok(lent) };
            if !is_lost(&error) {
                // Such as by a time-out while it waits for a lock. That it ends badly changes nothing.
                let _ = lent.rollback().await;
                return Err(error);
            }
            self.0.lost_at.note();
            if !kept {
                return Err(error);
            }
            // It was lost while nobody used it, and so were the others that are kept: none of them is lent any more.
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
        let connection = self.0.driver.acquire().await?;
        drop(waiting);
        let (open, named, home) = (false, self.0.begin.is_none(), Arc::downgrade(&self.0));
        Ok((Lent { connection, trusted, since: trusted, open, named, home }, false))
    }

    /// One that is kept; else the caller counts as waiting, from the same look on.
    fn take(&self) -> Result<Lent, Waiting<'_>> {
        let mut kept = self.0.kept();
        while let Some(lent) = kept.idle.pop() {
            // Left to the pool otherwise.
            if lent.since.elapsed() < KEPT_MAX && !self.0.lost_at.is_after(lent.trusted) {
                return Ok(lent);
            }
        }
        kept.waiting += 1;
        Err(Waiting(&self.0))
    }

    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        {
            let mut kept = self.0.kept();
            kept.closed = true;
            kept.idle.clear();
        }
        self.0.driver.close().await;
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for one of the pool's.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.kept().waiting -= 1;
    }
}

/// A connection. One that is dropped goes back to the driver's pool, which finds out what has become of it; in the middle of a
/// transaction it is closed.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    /// The pool gave it after that.
    trusted: Instant,
    /// When it was kept last.
    since: Instant,
    /// It is in a transaction.
    open: bool,
    named: bool,
    home: Weak<Shared>,
}

impl Lent {
    /// What statements are sent over.
    pub(super) fn session(&mut self) -> Session<'_> {
        Session::new(&mut self.connection, self.named)
    }

    /// Everything that was asked of it is answered: commits the transaction it is in, if it is in one, and lends it to whoever is next.
    pub(super) async fn done(self) -> SqlResult<()> {
        self.end("commit").await
    }

    /// The same with what was changed undone.
    pub(super) async fn rollback(self) -> SqlResult<()> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &'static str) -> SqlResult<()> {
        let home = self.home.upgrade();
        if self.open {
            let ended = sqlx::raw_sql(how).execute(&mut self.session()).await;
            if let Some(home) = home.as_ref().filter(|_| ended.as_ref().is_err_and(is_lost)) {
                home.lost_at.note();
            }
            ended?;
            self.open = false;
        }
        if let Some(home) = home {
            let mut kept = home.kept();
            if kept.waiting == 0 && !kept.closed {
                self.since = Instant::now();
                kept.idle.push(self);
            }
        }
        Ok(())
    }

    /// There is more to come of what was asked, as many rows at most, that nobody wants.
    pub(super) async fn interrupt(mut self, rows_max: usize) {
        if rows_max > ROWS_LEFT_MAX {
            // Those would be waited for.
            self.open = false;
            self.connection.close_on_drop();
        } else if self.open {
            let _ = self.done().await;
        }
    }
}

/// So many rows are read and thrown away for a connection to be used again.
const ROWS_LEFT_MAX: usize = 5_000;

impl Drop for Lent {
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}
