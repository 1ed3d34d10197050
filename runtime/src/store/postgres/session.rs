//! A connection as statements are sent over it: prepared under a name, which the driver knows them by the next time, or without one.
//!
//! Always true: behind a pooler that gives each transaction another session, no statement has a name, which the session would keep
//! for whoever gets it next. A server that says nothing is not waited for without end; and whoever meets a connection that is lost
//! says so at once, see [`LostAt`].

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, Postgres};
use sqlx::{Either, Execute, Executor as _, Row as _, SqlStr};
use tokio::time::Sleep;

use super::errors::{SqlResult, is_lost, is_read_only};

/// The least time between two doubts.
const DOUBTS_APART: Duration = Duration::from_secs(1);

/// When a connection was found to be lost last, or to be of no use: those that were open then are asked nothing more.
#[derive(Clone, Default)]
pub(super) struct LostAt(Arc<Mutex<Lost>>);

#[derive(Default)]
struct Lost {
    at: Option<Instant>,
    /// The server that the newest connection is to, see [`SERVER`](super::census::SERVER).
    server: Option<i64>,
}

impl LostAt {
    fn lost(&self) -> MutexGuard<'_, Lost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn note(&self) {
        self.lost().at = Some(Instant::now());
    }
    /// The same for one that is of no use, which others may be just as well: that is looked at once in a while.
    fn doubt(&self) {
        let mut lost = self.lost();
        if lost.at.is_none_or(|at| at.elapsed() > DOUBTS_APART) {
            lost.at = Some(Instant::now());
        }
    }
    /// Whether one was lost since then.
    pub(super) fn is_after(&self, then: Instant) -> bool {
        self.lost().at.is_some_and(|at| at >= then)
    }
    /// A new connection, or behind a pooler a new transaction, is to this server. If the ones before were to another
    /// server, they are asked nothing more.
    pub(super) fn answers(&self, server: i64) {
        let mut lost = self.lost();
        if lost.server.replace(server).is_some_and(|before| before != server) {
            lost.at = Some(Instant::now());
        }
    }
    /// The server that the newest connection is to.
    pub(super) fn server(&self) -> Option<i64> {
        self.lost().server
    }
}

/// How statements are sent.
#[derive(Clone)]
pub(super) struct Sending {
    /// Under a name.
    pub(super) named: bool,
    /// How long the server may say nothing.
    pub(super) answer_wait_max: Duration,
    /// Over the store's own connections, and not over one of the user's.
    pub(super) ours: bool,
    pub(super) lost_at: LostAt,
}

impl Sending {
    fn silent(&self) -> sqlx::Error {
        self.lost_at.note();
        silent(self.answer_wait_max)
    }
}

/// What stands for an answer that has not come in time.
pub(super) fn silent(waited: Duration) -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no answer came in {waited:?}")).into()
}

pub(super) struct Session<'c> {
    connection: &'c mut PgConnection,
    sending: &'c Sending,
}

impl<'c> Session<'c> {
    pub(super) fn new(connection: &'c mut PgConnection, sending: &'c Sending) -> Self {
        Session { connection, sending }
    }

    fn send<'e, 'q: 'e>(&'e mut self, query: impl Execute<'q, Postgres> + 'q) -> Answers<'e> {
        let rows = self.connection.fetch_many(Outgoing { query, named: self.sending.named });
        Answers { rows, sending: self.sending, wait: None }
    }
}

/// Sends a statement over a session.
///
/// Not by the driver's own trait for that, which asks for more of whoever implements it where somebody else's features say so.
pub(super) trait Ask<'q>: Execute<'q, Postgres> + Sized + 'q {
    /// Its rows, as they come.
    fn rows<'e>(self, session: &'e mut Session<'_>) -> BoxStream<'e, SqlResult<PgRow>>
    where
        'q: 'e,
    {
        session.send(self).try_filter_map(|answer| std::future::ready(Ok(answer.right()))).boxed()
    }
    fn all<'e>(self, session: &'e mut Session<'_>) -> BoxFuture<'e, SqlResult<Vec<PgRow>>>
    where
        'q: 'e,
    {
        self.rows(session).try_collect().boxed()
    }
    /// The first of its rows, once all of it is done.
    fn optional<'e>(self, session: &'e mut Session<'_>) -> BoxFuture<'e, SqlResult<Option<PgRow>>>
    where
        'q: 'e,
    {
        self.rows(session).try_fold(None, |first: Option<PgRow>, row| std::future::ready(Ok(first.or(Some(row))))).boxed()
    }
    fn one<'e>(self, session: &'e mut Session<'_>) -> BoxFuture<'e, SqlResult<PgRow>>
    where
        'q: 'e,
    {
        self.optional(session).map(|row| row?.ok_or(sqlx::Error::RowNotFound)).boxed()
    }
    /// The only column of its only row.
    fn value<'e, T>(self, session: &'e mut Session<'_>) -> BoxFuture<'e, SqlResult<T>>
    where
        'q: 'e,
        T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> + 'e,
    {
        self.one(session).map(|row| row?.try_get(0)).boxed()
    }
    /// How many rows it changed.
    fn run<'e>(self, session: &'e mut Session<'_>) -> BoxFuture<'e, SqlResult<u64>>
    where
        'q: 'e,
    {
        let changed = |answer: Either<PgQueryResult, PgRow>| answer.left().map_or(0, |done| done.rows_affected());
        session.send(self).try_fold(0, move |sum, answer| std::future::ready(Ok(sum + changed(answer)))).boxed()
    }
}

impl<'q, Q: Execute<'q, Postgres> + 'q> Ask<'q> for Q {}

/// What the server answers, piece by piece, each within the time that it has.
struct Answers<'e> {
    rows: BoxStream<'e, SqlResult<Either<PgQueryResult, PgRow>>>,
    sending: &'e Sending,
    /// Runs while the next piece is waited for.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Stream for Answers<'_> {
    type Item = SqlResult<Either<PgQueryResult, PgRow>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(answer) = self.rows.poll_next_unpin(context) {
            self.wait = None;
            match &answer {
                Some(Err(error)) if is_lost(error) => self.sending.lost_at.note(),
                Some(Err(error)) if is_read_only(error) && self.sending.ours => self.sending.lost_at.doubt(),
                _ => {}
            }
            return Poll::Ready(answer);
        }
        let sending = self.sending;
        let wait = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(sending.answer_wait_max)));
        ready!(wait.as_mut().poll(context));
        Poll::Ready(Some(Err(sending.silent())))
    }
}

/// A statement on its way.
struct Outgoing<Q> {
    query: Q,
    named: bool,
}

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Outgoing<Q> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }
    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }
    fn persistent(&self) -> bool {
        self.named && self.query.persistent()
    }
}
