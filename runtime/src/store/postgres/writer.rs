//! A batch of appends: as one statement beside others, or in a transaction that has the lock alone.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::Semaphore;

use super::append::{Events, Kinds, NewKeys, NewKinds, Statements, appended, correlation_id, counter, single};
use super::census::{Census, Known};
use super::connections::Connections;
use super::errors::{Sent, SqlResult, While, driver, sent};
use super::models::Models;
use super::options::AppendOrder;
use super::schema::Place;
use super::session::{Ask as _, Session};
use super::wake::Wake;
use crate::Timestamp;
use crate::error::StoreError;
use crate::event::Position;
use crate::store::{Append, AppendError, Appended, NewEvent, StreamAppend};

pub(super) const CONTEXT: &str = "appending";
/// How often an append is sent again that lost a race which nothing stored explains.
const ATTEMPTS_MAX: usize = 5;
/// How many of those that wait for somebody's open transaction try at once.
pub(super) const TURNS: usize = 2;
/// How long an append waits for somebody's open transaction.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(10);
/// The pauses between its attempts, each of which waits for a while itself: the first and the longest.
pub(super) const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

pub(super) struct Writer {
    pub(super) connections: Connections,
    pub(super) statements: Statements,
    pub(super) kinds: Kinds,
    pub(super) census: Arc<Census>,
    pub(super) wake: Arc<Wake>,
    pub(super) models: Arc<RwLock<Arc<Models>>>,
    pub(super) order: AppendOrder,
    pub(super) place: Place,
    /// How many of those that wait for somebody's open transaction try at once.
    pub(super) turns: Semaphore,
}

pub(super) type Results = Vec<Result<Appended, AppendError>>;

impl Writer {
    /// Stores each of these appends, or says why not; `None` for one that somebody's open transaction is in the way of, which is to be
    /// given to [`wait`](Writer::wait), so that nobody else waits for it.
    pub(super) async fn write(&self, appends: &[Append]) -> Vec<Option<Result<Appended, AppendError>>> {
        if let Err(why) = self.census.check_appends(&self.connections).await {
            return appends.iter().map(|_| Some(Err(why.clone().into()))).collect();
        }
        let known = self.census.known();
        let (alone, beside): (Vec<_>, Vec<_>) = appends.iter().partition(|append| self.is_alone(append));
        let beside = if beside.is_empty() { Vec::new() } else { self.beside(&beside).await };
        let alone = if alone.is_empty() { Vec::new() } else { self.alone(&alone).await };
        let (mut alone, mut beside) = (alone.into_iter(), beside.into_iter());
        let results = appends.iter().map(|append| if self.is_alone(append) { alone.next() } else { beside.next() }.flatten());
        let results: Vec<_> = results.collect();
        for (append, result) in appends.iter().zip(&results) {
            if let Some(result) = result {
                self.told(append, result, known);
            }
        }
        if self.census.watch.is_due_in_background() {
            // Where nobody reads, nobody else looks.
            let (census, connections) = (Arc::clone(&self.census), self.connections.clone());
            tokio::spawn(async move { census.verify(&connections).await });
        }
        results
    }

    /// Stores an append that somebody's open transaction is in the way of, once that has ended.
    pub(super) async fn wait(&self, append: &Append) -> Result<Appended, AppendError> {
        let (until, mut pause) = (Instant::now() + WAIT_MAX, PAUSE.0);
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
            // However many wait, some connections are left to those who need not.
            let turn = self.turns.acquire().await;
            let known = self.census.known();
            let result = if self.is_alone(append) { self.one_alone(append).await } else { self.one(append).await };
            let result = match result {
                Ok(result) => result,
                Err(blocked) if Instant::now() >= until => Err(blocked),
                Err(_) => continue,
            };
            drop(turn);
            self.told(append, &result, known);
            return result;
        }
    }

    /// What is known once an append was answered; and what was known before it was sent.
    fn told(&self, append: &Append, result: &Result<Appended, AppendError>, before: Known) {
        let Ok(Appended { position, positions, .. }) = result else { return };
        if let Some(lowest) = positions.iter().min()
            && before.server == self.census.known().server
        {
            self.census.check_position(*lowest, Position::new(before.last));
        }
        if let Some(event) = append.streams.iter().rev().find_map(|part| part.events.last())
            && !positions.is_empty()
        {
            self.census.seen([(*position, event.id)]);
        }
        self.wake.appended();
    }

    /// Whether an append needs the lock alone: inline read models have come to the last event before it, so there must be one; and
    /// a stream without events has no row that would keep others away from it.
    pub(super) fn is_alone(&self, append: &Append) -> bool {
        self.order == AppendOrder::Exclusive
            || append.inline.is_some()
            || append.streams.iter().any(|part| part.events.is_empty())
    }

    /// As one statement; where that is in somebody's way, append by append.
    async fn beside(&self, appends: &[&Append]) -> Vec<Option<Result<Appended, AppendError>>> {
        if let [append] = appends {
            return vec![self.one(append).await.ok()];
        }
        let refused = match self.send(appends).await {
            Ok(results) => results,
            // One of them is to blame, or is in the way: it must not take the others with it.
            Err(
                Sent::Raced(_)
                | Sent::Blocked(_)
                | Sent::Refused(AppendError::Store(StoreError::Driver { transient: false, .. })),
            ) => appends.iter().map(|_| None).collect(),
            Err(Sent::Refused(error) | Sent::Unknown(error)) => {
                return appends.iter().map(|_| Some(Err(error.clone()))).collect();
            }
        };
        let each = appends.iter().zip(refused).map(|(append, stored)| async {
            match stored {
                Some(appended) => Some(Ok(appended)),
                None => self.one(append).await.ok(),
            }
        });
        futures_util::future::join_all(each).await
    }

    /// One append by itself. An error on the outside: somebody's open transaction is in its way.
    async fn one(&self, append: &Append) -> Result<Result<Appended, AppendError>, AppendError> {
        let mut raced = None;
        for _ in 0..ATTEMPTS_MAX {
            match self.send(&[append]).await {
                Ok(mut results) => {
                    if let Some(appended) = results.pop().flatten() {
                        return Ok(Ok(appended));
                    }
                }
                Err(Sent::Raced(error)) => raced = Some(error),
                Err(Sent::Blocked(error)) => return Err(error),
                Err(Sent::Refused(error) | Sent::Unknown(error)) => return Ok(Err(error)),
            }
            match self.reason(append).await {
                Ok(None) => {}
                Ok(Some(reason)) => return Ok(Err(reason)),
                Err(error) => return Ok(Err(error.into())),
            }
        }
        let message = "others were in the way each time: the same may succeed later".to_owned();
        Ok(Err(raced.unwrap_or(StoreError::Driver { context: CONTEXT, message, transient: true }.into())))
    }

    /// Why an append was refused, as far as what is stored now says so.
    async fn reason(&self, append: &Append) -> Result<Option<AppendError>, StoreError> {
        let mut connection = self.connections.append().await.during(CONTEXT)?;
        let reason = self.statements.reason(&mut connection.session(), append).await?;
        connection.done().await.during(CONTEXT)?;
        if reason.is_none() {
            self.meet_server().await?;
        }
        Ok(reason)
    }

    /// Where another server answers than the one that is known, finds out whether it holds what this process knows.
    async fn meet_server(&self) -> Result<(), StoreError> {
        let mut connection = self.connections.append().await.during(CONTEXT)?;
        let (answers, new) = self.statements.server(&mut connection.session()).await.during(CONTEXT)?;
        connection.done().await.during(CONTEXT)?;
        if answers != self.census.known().server || !new {
            self.census.look(&self.connections).await?;
        }
        self.census.verify(&self.connections).await
    }

    /// Sends a statement; `None` for an append that it refused.
    async fn send(&self, appends: &[&Append]) -> Result<Vec<Option<Appended>>, Sent> {
        let connection = self.connections.append().await;
        // Without a connection nothing was sent.
        let mut connection = connection.map_err(|error| Sent::Refused(driver(CONTEXT, &error).into()))?;
        let kinds = self.kinds.unknown(appends.iter().copied());
        match self.send_on(&mut connection.session(), appends, &kinds).await {
            Ok(stored) => {
                // In a transaction of its own it is stored only now.
                connection.done().await.map_err(|error| sent(CONTEXT, &error))?;
                if stored.iter().all(Option::is_some) {
                    self.learn(&kinds);
                }
                Ok(stored)
            }
            Err(Sent::Unknown(AppendError::UnknownOutcome(why))) if connection.is_open() => Err(Sent::Raced(why.into())),
            Err(Sent::Unknown(why)) => Err(Sent::Unknown(why)),
            Err(why) => {
                // The server has answered, and goes on.
                let _ = connection.rollback().await;
                Err(why)
            }
        }
    }

    /// The same on this connection, with the kinds of events that are not known.
    pub(super) async fn send_on(
        &self,
        connection: &mut Session<'_>,
        appends: &[&Append],
        kinds: &NewKinds<'_>,
    ) -> Result<Vec<Option<Appended>>, Sent> {
        let server = self.census.known().server;
        if let [append] = appends
            && kinds.is_empty()
            && let Some((part, event)) = single(append)
        {
            let stored = self.send_one(connection, append, part, event, server).await;
            return Ok(vec![stored.map_err(|error| sent(CONTEXT, &error))?]);
        }
        let rows = self.send_many(connection, appends, kinds, server).await;
        rows.and_then(|rows| stored(appends, &rows)).map_err(|error| sent(CONTEXT, &error))
    }

    /// Stores which kinds of events an append will bring, wherever they will stand behind what there is now.
    pub(super) async fn announce(&self, append: &Append) -> Result<(), StoreError> {
        let kinds = self.kinds.unknown(std::iter::once(append));
        if kinds.is_empty() {
            return Ok(());
        }
        let first = vec![self.census.known().last.cast_signed() + 1; kinds.names.len()];
        let query = sqlx::query(AssertSqlSafe(&*self.statements.insert_kinds));
        let query = query.bind(&kinds.aggregates).bind(&kinds.names).bind(kinds.schema_versions()).bind(first);
        let mut connection = self.connections.append().await.during(CONTEXT)?;
        query.run(&mut connection.session()).await.during(CONTEXT)?;
        connection.done().await.during(CONTEXT)?;
        self.learn(&kinds);
        Ok(())
    }

    pub(super) fn learn(&self, kinds: &NewKinds<'_>) {
        let kinds = kinds.aggregates.iter().zip(&kinds.names).zip(&kinds.versions);
        self.kinds.learn(kinds.map(|((aggregate, name), version)| (Box::from(*aggregate), *name, *version)));
    }

    async fn send_one(
        &self,
        connection: &mut Session<'_>,
        append: &Append,
        part: &StreamAppend,
        event: &NewEvent,
        server: i64,
    ) -> SqlResult<Option<Appended>> {
        let row = sqlx::query(AssertSqlSafe(&*self.statements.one))
            .bind(part.stream.as_str())
            .bind(part.expected.get().cast_signed())
            .bind(event.name)
            .bind(i64::from(event.schema_version))
            .bind(event.id)
            .bind(append.recorded_at.as_micros())
            .bind(event.occurred_at.map(Timestamp::as_micros))
            .bind(Some(correlation_id(append)).filter(|id| *id != event.id))
            .bind(append.causation_id)
            .bind(append.actor.as_deref())
            .bind(&*event.payload)
            .bind(server)
            .bind(part.expected_event)
            .optional(connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let position = Position::new(counter(&row, 0)?);
        let recorded_at = vec![Timestamp::from_micros(row.try_get(1)?)];
        Ok(Some(Appended { positions: vec![position], recorded_at, position }))
    }

    async fn send_many(
        &self,
        connection: &mut Session<'_>,
        appends: &[&Append],
        kinds: &NewKinds<'_>,
        server: i64,
    ) -> SqlResult<Vec<PgRow>> {
        let (mut events, mut keys) = (Events::default(), NewKeys::default());
        for (number, append) in (0..).zip(appends) {
            events.add(number, append, |_| append.recorded_at);
            keys.add(number, append);
        }
        let mut query = events.bind(self.statements.many(!keys.is_empty(), !kinds.is_empty())).bind(server);
        if !keys.is_empty() {
            query = query.bind(keys.appends).bind(keys.streams).bind(keys.keys).bind(keys.hashes).bind(keys.expected);
            query = query.bind(keys.hash_versions);
        }
        if !kinds.is_empty() {
            query = query.bind(&kinds.aggregates).bind(&kinds.names).bind(kinds.schema_versions());
        }
        query.all(connection).await
    }

    /// In a transaction under the lock alone; where one append can't be written at all, append by append. `None` where somebody's open
    /// transaction is in the way.
    async fn alone(&self, appends: &[&Append]) -> Vec<Option<Result<Appended, AppendError>>> {
        let all = |error: &AppendError| appends.iter().map(|_| Some(Err(error.clone()))).collect();
        let mut raced = 0;
        loop {
            match self.transaction(appends).await {
                Ok(results) => return results.into_iter().map(Some).collect(),
                Err(Sent::Raced(_)) if raced < ATTEMPTS_MAX => {
                    raced += 1;
                    if let Err(error) = self.meet_server().await {
                        return all(&error.into());
                    }
                }
                Err(Sent::Blocked(_)) => return appends.iter().map(|_| None).collect(),
                Err(Sent::Refused(AppendError::Store(StoreError::Driver { transient: false, .. }))) if appends.len() > 1 => {
                    let mut results = Vec::with_capacity(appends.len());
                    for append in appends {
                        let mut alone = Box::pin(self.alone(&[append])).await;
                        results.extend(alone.pop());
                    }
                    return results;
                }
                Err(failed) => return all(&failed.into_error()),
            }
        }
    }

    /// One append by itself, under the lock alone. An error on the outside: somebody's open transaction is in its way.
    async fn one_alone(&self, append: &Append) -> Result<Result<Appended, AppendError>, AppendError> {
        self.alone(&[append]).await.pop().flatten().ok_or_else(|| {
            let message = "somebody's transaction is still open that has appended, or that holds a row of it".to_owned();
            StoreError::Driver { context: CONTEXT, message, transient: true }.into()
        })
    }
}

/// What was stored of these appends, as the rows say that came back; `None` for one that was refused.
fn stored(appends: &[&Append], rows: &[PgRow]) -> SqlResult<Vec<Option<Appended>>> {
    let mut stored = HashMap::with_capacity(rows.len());
    for row in rows {
        let at = Timestamp::from_micros(row.try_get(3)?);
        stored.insert((row.try_get::<&str, _>(0)?, counter(row, 1)?), (Position::new(counter(row, 2)?), at));
    }
    Ok(appends.iter().map(|append| appended(append, &stored)).collect())
}

/// What a transaction's own errors mean: nothing of it is stored before its commit, so it may be done again.
pub(super) fn uncommitted(error: &sqlx::Error) -> Sent {
    match sent(CONTEXT, error) {
        Sent::Unknown(_) => Sent::Raced(driver(CONTEXT, error).into()),
        other => other,
    }
}
