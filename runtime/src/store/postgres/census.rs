//! The lock census: up to which position everything is settled, so that a reader never skips an event.
//!
//! Positions are given before they are committed, so a reader that takes what is there now would pass over an event that is
//! committed a moment later with a lower one. Every append holds a lock from before it takes its positions until it is over.
//! A census (1) reads the last position given, (2) lists who holds the lock, (3) waits until *those* are gone, and never keeps
//! anybody out; only then (4) may a later statement read up to that position.
//!
//! Always true: `settled` was read before the holders were listed, and is told only after every one of them was gone. A census that
//! has to wait goes on with the holders it found, so writers that come without end can't keep it from ending.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex as StdMutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::connections::Connections;
use super::errors::While;
use super::schema::Place;
use super::session::Session;
use crate::Position;
use crate::error::StoreError;

const CONTEXT: &str = "looking for open appends";
/// How long one call waits for open appends. It does not skip them then: it answers what was settled before.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pauses between looks at those who still hold the lock: the first and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
/// Who holds up the readers for as long is named.
const WARN_AFTER: Duration = Duration::from_secs(1);

/// When the server was started, in microseconds: which one it is.
pub(super) const SERVER: &str = "(extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint";

/// What is known of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// No event will ever come at this position or below that is not there now.
    pub(super) settled: u64,
    /// The position of the last event up to there.
    pub(super) last: u64,
    /// Which server said so, see [`SERVER`].
    pub(super) server: i64,
}

pub(super) struct Census {
    known: watch::Sender<Known>,
    /// Calls that asked for a census.
    asked: AtomicU64,
    under_way: Mutex<UnderWay>,
    /// The last event that this process has stored or read.
    tail: StdMutex<Option<(Position, Uuid)>>,
    /// Set once the server has lost what this process has seen.
    lost: OnceLock<String>,
    begin: String,
    holders: String,
    names: String,
    last: String,
    event_at: String,
}

#[derive(Default)]
struct UnderWay {
    /// Calls whose census is done.
    done: u64,
    /// One that waits for holders.
    waiting: Option<Waiting>,
}

struct Waiting {
    server: i64,
    /// Calls that it serves.
    serves: u64,
    position: u64,
    holders: Vec<String>,
    since: Instant,
    warned: bool,
}

impl Census {
    pub(super) fn new(place: &Place) -> Self {
        let (schema, key) = (&place.schema, place.lock_key.cast_unsigned());
        let lock = format!(
            "l.locktype = 'advisory' and l.classid::int8 = {} and l.objid::int8 = {} and l.objsubid = 1 and l.granted \
             and l.database = (select oid from pg_catalog.pg_database where datname = current_database())",
            key >> 32,
            key & 0xffff_ffff
        );
        Census {
            known: watch::Sender::new(Known::default()),
            asked: AtomicU64::new(0),
            under_way: Mutex::default(),
            tail: StdMutex::new(None),
            lost: OnceLock::new(),
            begin: format!("select settled, last, holders, server from {schema}.gesta_census()"),
            holders: format!(
                "select l.virtualtransaction from pg_catalog.pg_locks l where {lock} and l.virtualtransaction = any($1)"
            ),
            // One that is prepared has no session any more, but still the lock that stands for its own number.
            names: format!(
                "select coalesce('pid ' || l.pid, 'prepared transaction ' || quote_literal(p.gid), 'unknown')
                 from pg_catalog.pg_locks l
                 left join (pg_catalog.pg_locks x join pg_catalog.pg_prepared_xacts p on p.transaction = x.transactionid)
                    on x.virtualtransaction = l.virtualtransaction and x.locktype = 'transactionid' and x.granted
                 where {lock} and l.virtualtransaction = any($1)",
            ),
            last: format!("select coalesce(max(position), 0), {SERVER} from {schema}.gesta_events where position <= $1"),
            event_at: format!("select event_id from {schema}.gesta_events where position = $1"),
        }
    }

    /// What the function `gesta_census` does. In one call, since each of its statements sees what was committed before it.
    pub(super) fn body(schema: &str, lock_key: i64) -> String {
        let key = lock_key.cast_unsigned();
        format!(
            " begin
                select case when is_called then last_value else 0 end into settled from {schema}.gesta_positions;
                select array_agg(virtualtransaction) into holders from pg_catalog.pg_locks
                    where locktype = 'advisory' and classid::int8 = {} and objid::int8 = {} and objsubid = 1 and granted
                    and database = (select oid from pg_catalog.pg_database where datname = current_database());
                if holders is null then
                    select coalesce(max(position), 0) into last from {schema}.gesta_events where position <= settled;
                end if;
                server := {SERVER};
            end ",
            key >> 32,
            key & 0xffff_ffff
        )
    }

    /// What was known last.
    pub(super) fn known(&self) -> Known {
        *self.known.borrow()
    }

    /// This process has stored or read this event.
    pub(super) fn seen(&self, position: Position, id: Uuid) {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_none_or(|(last, _)| last < position) {
            *tail = Some((position, id));
        }
    }

    /// An error once events are gone that this process has seen: nothing that it knows can be relied on then.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.lost.get().map_or(Ok(()), |why| Err(StoreError::Damaged(why.clone())))
    }

    /// A census that begins now, or one of another call that began after this one.
    pub(super) async fn look(&self, connections: &Connections) -> Result<Known, StoreError> {
        self.check()?;
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut under_way = self.under_way.lock().await;
        let patience = Instant::now() + PATIENCE;
        while under_way.done < asked {
            if under_way.waiting.is_none() {
                self.begin(&mut under_way, connections).await?;
            }
            if let Some(waiting) = &mut under_way.waiting {
                match self.wait(waiting, patience, connections).await {
                    Ok(true) => {}
                    // Still open. What was settled before is still true.
                    Ok(false) => return Ok(self.known()),
                    Err(error) => {
                        // Who held the lock of a server that is gone says nothing of the next one.
                        under_way.waiting = None;
                        return Err(error);
                    }
                }
                let Waiting { serves, position: settled, server, .. } = *waiting;
                under_way.waiting = None;
                let mut connection = connections.control().await?;
                let last = sqlx::query_as::<_, (i64, i64)>(AssertSqlSafe(&*self.last)).bind(settled.cast_signed());
                let (last, answers) = last.fetch_one(&mut connection.session()).await.during(CONTEXT)?;
                connection.done().await.during(CONTEXT)?;
                if answers == server {
                    under_way.done = serves;
                    self.tell(settled, last.unsigned_abs(), server);
                }
            }
        }
        Ok(self.known())
    }

    async fn begin(&self, under_way: &mut UnderWay, connections: &Connections) -> Result<(), StoreError> {
        let serves = self.asked.load(Ordering::SeqCst);
        let mut connection = connections.control().await?;
        let row = sqlx::query(AssertSqlSafe(&*self.begin)).fetch_one(&mut connection.session()).await.during(CONTEXT)?;
        let number = |row: &PgRow, at: usize| row.try_get::<Option<i64>, _>(at).during(CONTEXT);
        let server = number(&row, 3)?.unwrap_or_default();
        if server != self.known().server {
            self.meet(server, &mut connection.session()).await?;
        }
        connection.done().await.during(CONTEXT)?;
        let settled = number(&row, 0)?.unwrap_or_default().unsigned_abs();
        match row.try_get::<Option<Vec<String>>, _>(2).during(CONTEXT)? {
            None => {
                under_way.done = serves;
                self.tell(settled, number(&row, 1)?.unwrap_or_default().unsigned_abs(), server);
            }
            Some(holders) => {
                let since = Instant::now();
                under_way.waiting = Some(Waiting { server, serves, position: settled, holders, since, warned: false });
            }
        }
        Ok(())
    }

    /// Waits for the holders that were found; answers whether they are gone.
    async fn wait(&self, waiting: &mut Waiting, patience: Instant, connections: &Connections) -> Result<bool, StoreError> {
        let mut pause = PAUSE.0;
        loop {
            let mut connection = connections.control().await?;
            let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(&*self.holders)).bind(&waiting.holders);
            let left = rows.fetch_all(&mut connection.session()).await.during(CONTEXT)?;
            waiting.holders.retain(|holder| left.contains(holder));
            if waiting.holders.is_empty() {
                connection.done().await.during(CONTEXT)?;
                return Ok(true);
            }
            if !waiting.warned && waiting.since.elapsed() > WARN_AFTER {
                waiting.warned = true;
                let who = sqlx::query_scalar::<_, String>(AssertSqlSafe(&*self.names)).bind(&waiting.holders);
                let who = who.fetch_all(&mut connection.session()).await.during(CONTEXT)?;
                let (settled, waits_for) = (self.known().settled, waiting.position);
                tracing::warn!(
                    settled,
                    waits_for,
                    settled_lag_ms = u64::try_from(waiting.since.elapsed().as_millis()).unwrap_or(u64::MAX),
                    holders = who.join(", "),
                    "a transaction that has appended is still open: until it ends, no reader gets what was appended after it"
                );
            }
            connection.done().await.during(CONTEXT)?;
            if Instant::now() >= patience {
                return Ok(false);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    fn tell(&self, settled: u64, last: u64, server: i64) {
        self.known.send_if_modified(|known| {
            let before = *known;
            *known = Known { settled: settled.max(known.settled), last: last.max(known.last), server };
            *known != before
        });
    }

    /// Another server answers, or the same after a restart. What was committed may be lost there; and what was only given as a
    /// position may be given again.
    async fn meet(&self, server: i64, connection: &mut Session<'_>) -> Result<(), StoreError> {
        let tail = *self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((position, id)) = tail {
            let there: Option<Uuid> = sqlx::query_scalar(AssertSqlSafe(&*self.event_at))
                .bind(position.get().cast_signed())
                .fetch_optional(connection)
                .await
                .during(CONTEXT)?;
            if there != Some(id) {
                let why = format!(
                    "the event at position {position} is gone, which this process has seen: the server was restored, or failed over, \
                     without its last events; restart this process, so that nothing is built on what is lost"
                );
                tracing::error!(%position, "{why}");
                let _ = self.lost.set(why);
                return self.check();
            }
            tracing::info!(%position, "the server was restarted, or is another one; it holds all that this process has seen");
        }
        self.known.send_replace(Known { server, ..Known::default() });
        Ok(())
    }
}
