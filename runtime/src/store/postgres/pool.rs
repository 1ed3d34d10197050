//! Connections that are lent again without a question.
//!
//! The driver's pool asks each connection that comes back whether it is still there: a second round trip for each statement, and
//! meanwhile another connection is opened. So one whose statement has succeeded is kept here, and lent before one of the pool's.
//!
//! Always true: a kept connection has ended all that it did, and none is kept while somebody waits for the pool. One that was open
//! when another was lost is lent no more.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};

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
pub(super) struct Pool {
    driver: PgPool,
    kept: Arc<Mutex<Kept>>,
    lost_at: LostAt,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    /// How many wait for one of the pool's.
    waiting: usize,
    closed: bool,
}

struct Idle {
    connection: PoolConnection<Postgres>,
    trusted: Instant,
    since: Instant,
}

impl Pool {
    pub(super) fn new(driver: PgPool, lost_at: LostAt) -> Self {
        Pool { driver, kept: Arc::default(), lost_at }
    }

    pub(super) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let waiting = match self.take() {
            Ok(lent) => return Ok(lent),
            Err(waiting) => waiting,
        };
        // From before the pool looks at it: a loss that is noted after that look counts for it too.
        let trusted = Instant::now();
        let connection = self.driver.acquire().await?;
        drop(waiting);
        Ok(Lent { connection, trusted, home: self.clone() })
    }

    /// One that is kept; else the caller counts as waiting, from the same look on.
    fn take(&self) -> Result<Lent, Waiting<'_>> {
        let mut kept = self.kept();
        while let Some(Idle { connection, trusted, since }) = kept.idle.pop() {
            // Left to the pool otherwise.
            if since.elapsed() < KEPT_MAX && !self.lost_at.is_after(trusted) {
                return Ok(Lent { connection, trusted, home: self.clone() });
            }
        }
        kept.waiting += 1;
        Err(Waiting(self))
    }

    /// Closes them all, once nobody uses them.
    pub(super) async fn close(&self) {
        {
            let mut kept = self.kept();
            kept.closed = true;
            kept.idle.clear();
        }
        self.driver.close().await;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for one of the pool's.
struct Waiting<'a>(&'a Pool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.kept().waiting -= 1;
    }
}

/// A connection. However it is dropped, the pool finds out what has become of it.
pub(super) struct Lent {
    connection: PoolConnection<Postgres>,
    /// The pool gave it after that.
    trusted: Instant,
    home: Pool,
}

impl Lent {
    /// Nothing that was asked of it is unanswered: whoever is next may have it at once.
    pub(super) fn keep(self) {
        let Lent { connection, trusted, home } = self;
        let mut kept = home.kept();
        if kept.waiting == 0 && !kept.closed {
            kept.idle.push(Idle { connection, trusted, since: Instant::now() });
        }
    }
    pub(super) fn close_on_drop(&mut self) {
        self.connection.close_on_drop();
    }
}

impl Deref for Lent {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}
impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
