//! The lock census: up to which position everything is settled, so that a reader never skips an event.
//!
//! Positions are given before they are committed, so a reader that takes what is there now would pass over an event that is
//! committed a moment later with a lower one. Every append holds a lock from before it takes its positions until it is over.
//! A census (1) reads the last position given, (2) lists who holds the lock, (3) waits until *those* are gone, and never keeps
//! anybody out; only then (4) may a later statement read up to that position.
//!
//! Always true: the position was read before the holders were listed, and what is told of is the last event up to there, only
//! after every one of them was gone. No read goes beyond that event: positions behind it, which nobody has used, may be given again
//! once the server has crashed. A census that has to wait goes on with the holders it found, so writers that come without end can't
//! keep it from ending. They are known by what the server calls them, which after a crash may be anybody: so once they are gone, the
//! server must not have crashed since they were found, which a row says that no crash leaves there (`gesta_alive`, an unlogged table).
//!
//! A standby is asked nothing: the appends that are open on its primary hold no lock there.
//!
//! The sequence is asked by the function that takes its lock. Whoever selects from it as from a table may be told 32 positions too
//! many: while `nextval` writes its log, that is what stands there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::connections::Connections;
use super::errors::{SqlResult, While};
use super::schema::Place;
use super::seen::Seen;
use super::session::{Ask as _, Session};
use super::watch::Watch;
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
    /// The position of an event: none will ever come there or below that is not there now.
    pub(super) last: u64,
    /// That event.
    id: Option<Uuid>,
    /// Which server said so, see [`SERVER`].
    pub(super) server: i64,
    /// When the look at it began.
    since: Option<Instant>,
    /// The settings that a read has to find, see [`Watch`].
    pub(super) settings: i64,
}

impl Known {
    /// Whether no connection was lost since, and perhaps the server with it, which may have lost what was not on its disk.
    fn holds(&self, connections: &Connections) -> bool {
        self.since.is_some_and(|since| !connections.lost_since(since))
    }
}

pub(super) struct Census {
    known: watch::Sender<Known>,
    /// Calls that asked for a census.
    asked: AtomicU64,
    under_way: Mutex<UnderWay>,
    seen: Seen,
    /// Set once the server has lost what this process has seen.
    lost: OnceLock<String>,
    pub(super) watch: Watch,
    begin: String,
    holders: String,
    names: String,
    last: String,
    event_at: String,
    missing: String,
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
    /// What a crash of the server takes away.
    alive: Option<Uuid>,
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
            seen: Seen::default(),
            lost: OnceLock::new(),
            watch: Watch::new(place),
            // The last event was stored before the census began, so the sequence had come there.
            begin: format!(
                "select settled, last, holders, server, id, alive, (select max(position) from {schema}.gesta_events)
                 from {schema}.gesta_census()"
            ),
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
            last: format!(
                "select e.position, s.server, e.event_id, (select id from {schema}.gesta_alive)
                 from (select {SERVER} as server) as s left join (
                    select position, event_id from {schema}.gesta_events where position <= $1 order by position desc limit 1
                ) as e on true"
            ),
            event_at: format!("select event_id from {schema}.gesta_events where position = $1"),
            missing: format!(
                "select t.position from unnest($1::int8[], $2::uuid[]) as t(position, id) where not exists (
                    select from {schema}.gesta_events e where e.position = t.position and e.event_id = t.id
                ) order by 1 desc limit 1"
            ),
        }
    }

    /// What the function `gesta_census` does. In one call, since each of its statements sees what was committed before it.
    pub(super) fn body(schema: &str, lock_key: i64) -> String {
        let key = lock_key.cast_unsigned();
        format!(
            " begin
                if pg_catalog.pg_is_in_recovery() then
                    raise exception using errcode = 'read_only_sql_transaction',
                        message = 'the server is a standby, which only reads, and shows nobody''s locks';
                end if;
                select coalesce(pg_catalog.pg_sequence_last_value('{literal}.gesta_positions'::regclass), 0) into settled;
                select array_agg(virtualtransaction) into holders from pg_catalog.pg_locks
                    where locktype = 'advisory' and classid::int8 = {} and objid::int8 = {} and objsubid = 1 and granted
                    and database = (select oid from pg_catalog.pg_database where datname = current_database());
                if holders is null then
                    select position, event_id into last, id from {schema}.gesta_events where position <= settled
                        order by position desc limit 1;
                else
                    insert into {schema}.gesta_alive (id) select pg_catalog.gen_random_uuid()
                        where not exists (select from {schema}.gesta_alive) on conflict do nothing;
                    select a.id into alive from {schema}.gesta_alive as a;
                end if;
                server := {SERVER};
            end ",
            key >> 32,
            key & 0xffff_ffff,
            literal = schema.replace('\'', "''"),
        )
    }

    /// What was known last.
    pub(super) fn known(&self) -> Known {
        Known { settings: self.watch.trusted(), ..*self.known.borrow() }
    }

    /// The same, unless a connection was lost since.
    pub(super) fn known_still(&self, connections: &Connections) -> Option<Known> {
        Some(self.known()).filter(|known| known.holds(connections))
    }

    /// This process has stored or read these events.
    pub(super) fn seen(&self, events: impl IntoIterator<Item = (Position, Uuid)>) {
        self.seen.extend(events);
    }

    /// An error once events are gone that this process has seen: nothing that it knows can be relied on then.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.lost.get().map_or(Ok(()), |why| Err(StoreError::Damaged(why.clone())))
    }

    /// Nothing that this process knows can be relied on any more.
    pub(super) fn stop(&self, why: String) {
        tracing::error!("{why}");
        let _ = self.lost.set(why);
    }

    /// A census that begins now, or one of another call that began after this one. `None` while nothing is known of this server.
    pub(super) async fn look(&self, connections: &Connections) -> Result<Option<Known>, StoreError> {
        self.check()?;
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let patience = Instant::now() + PATIENCE;
        let Ok(mut under_way) = tokio::time::timeout_at(patience.into(), self.under_way.lock()).await else {
            // Others wait for whoever is still open. What was known before is still true.
            return Ok(self.known_still(connections));
        };
        while under_way.done < asked {
            // What is known is looked at again then.
            under_way.waiting.take_if(|waiting| connections.lost_since(waiting.since));
            if under_way.waiting.is_none() && !self.begin(&mut under_way, connections).await? {
                if Instant::now() >= patience {
                    return Ok(None);
                }
                tokio::time::sleep(PAUSE.1).await;
                continue;
            }
            if let Some(waiting) = &mut under_way.waiting {
                match self.wait(waiting, patience, connections).await {
                    Ok(true) => {}
                    // Still open.
                    Ok(false) => return Ok(self.known_still(connections)),
                    Err(error) => {
                        under_way.waiting = None;
                        return Err(error);
                    }
                }
                let Waiting { serves, position, server, alive, since, .. } = *waiting;
                under_way.waiting = None;
                let mut connection = connections.control().await?;
                let last = sqlx::query(AssertSqlSafe(&*self.last)).bind(position.cast_signed());
                let row = last.one(&mut connection.session()).await.during(CONTEXT)?;
                connection.done().await.during(CONTEXT)?;
                // Who held the lock of a server that is gone says nothing of the next one.
                if row.try_get::<i64, _>(1).during(CONTEXT)? == server
                    && row.try_get::<Option<Uuid>, _>(3).during(CONTEXT)? == alive
                {
                    under_way.done = serves;
                    self.tell(&row, [0, 2], server, since)?;
                }
            }
        }
        Ok(Some(self.known()))
    }

    /// Answers `false` where the settings can't be trusted yet, see [`Watch::verify`].
    async fn begin(&self, under_way: &mut UnderWay, connections: &Connections) -> Result<bool, StoreError> {
        let (serves, since) = (self.asked.load(Ordering::SeqCst), Instant::now());
        let mut connection = connections.control().await?;
        if !self.watch.verify(&mut connection.session()).await? {
            connection.done().await.during(CONTEXT)?;
            return Ok(false);
        }
        let row = sqlx::query(AssertSqlSafe(&*self.begin)).one(&mut connection.session()).await;
        let row = row.inspect_err(|_| self.watch.suspect()).during(CONTEXT)?;
        let number = |row: &PgRow, at: usize| row.try_get::<Option<i64>, _>(at).during(CONTEXT);
        let server = number(&row, 3)?.unwrap_or_default();
        let known = self.known();
        if server != known.server || !known.holds(connections) {
            self.meet(server, since, &mut connection.session()).await?;
        }
        connection.done().await.during(CONTEXT)?;
        let position = number(&row, 0)?.unwrap_or_default().unsigned_abs();
        let stored = number(&row, 6)?.unwrap_or_default().unsigned_abs();
        if stored > position {
            return Err(self.watch.set_back(position, stored));
        }
        match row.try_get::<Option<Vec<String>>, _>(2).during(CONTEXT)? {
            None => {
                under_way.done = serves;
                self.tell(&row, [1, 4], server, since)?;
            }
            Some(holders) => {
                let alive = row.try_get(5).during(CONTEXT)?;
                under_way.waiting = Some(Waiting { server, alive, serves, position, holders, since, warned: false });
            }
        }
        Ok(true)
    }

    /// Waits for the holders that were found; answers whether they are gone.
    async fn wait(&self, waiting: &mut Waiting, patience: Instant, connections: &Connections) -> Result<bool, StoreError> {
        let mut pause = PAUSE.0;
        loop {
            let mut connection = connections.control().await?;
            let left = sqlx::query(AssertSqlSafe(&*self.holders)).bind(&waiting.holders);
            let left = texts(left.all(&mut connection.session()).await).during(CONTEXT)?;
            waiting.holders.retain(|holder| left.contains(holder));
            if waiting.holders.is_empty() {
                connection.done().await.during(CONTEXT)?;
                return Ok(true);
            }
            if !waiting.warned && waiting.since.elapsed() > WARN_AFTER {
                waiting.warned = true;
                let who = sqlx::query(AssertSqlSafe(&*self.names)).bind(&waiting.holders);
                let who = texts(who.all(&mut connection.session()).await).during(CONTEXT)?;
                let (settled, waits_for) = (self.known().last, waiting.position);
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

    /// The event that a row names in these columns, if there is one, is settled.
    fn tell(&self, row: &PgRow, [position, id]: [usize; 2], server: i64, since: Instant) -> Result<(), StoreError> {
        let last: Option<i64> = row.try_get(position).during(CONTEXT)?;
        let (last, id) = (last.unwrap_or_default().unsigned_abs(), row.try_get(id).during(CONTEXT)?);
        self.known.send_modify(|known| {
            let (last, id) = if last >= known.last { (last, id) } else { (known.last, known.id) };
            *known = Known { last, id, server, since: Some(since), settings: 0 };
        });
        Ok(())
    }

    /// Another server answers, or perhaps the same after a restart or a crash. What was committed may be lost there; and what was only
    /// given as a position may be given again.
    async fn meet(&self, server: i64, since: Instant, connection: &mut Session<'_>) -> Result<(), StoreError> {
        let (positions, ids) = self.seen.all();
        if let Some(last) = positions.last().copied() {
            let missing = sqlx::query(AssertSqlSafe(&*self.missing)).bind(positions).bind(ids);
            if let Some(row) = missing.optional(connection).await.during(CONTEXT)? {
                let position: i64 = row.try_get(0).during(CONTEXT)?;
                let why = format!(
                    "the event at position {position} is gone, which this process has seen: the server was restored, or failed over, \
                     without its last events; restart this process, so that nothing is built on what is lost"
                );
                tracing::error!(position, "{why}");
                let _ = self.lost.set(why);
                return self.check();
            }
            tracing::info!(
                last,
                "the server has restarted, or a connection to it was lost: it holds all events that this process has seen"
            );
        }
        let known = self.known();
        // With an event there is all that gave positions up to it: none of them is given again.
        let keeps = server == known.server && known.id.is_some() && self.event(known.last, connection).await? == known.id;
        let known = if keeps { Known { since: Some(since), ..known } } else { Known { server, ..Known::default() } };
        self.known.send_replace(known);
        Ok(())
    }

    /// Which event stands at a position.
    async fn event(&self, position: u64, connection: &mut Session<'_>) -> Result<Option<Uuid>, StoreError> {
        let event = sqlx::query(AssertSqlSafe(&*self.event_at)).bind(position.cast_signed());
        let event = event.optional(connection).await.during(CONTEXT)?;
        event.map(|row| row.try_get(0)).transpose().during(CONTEXT)
    }
}

fn texts(rows: SqlResult<Vec<PgRow>>) -> SqlResult<Vec<String>> {
    rows?.iter().map(|row| row.try_get(0)).collect()
}
