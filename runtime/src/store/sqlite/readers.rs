//! The connections that read, each by one caller at a time, on the caller's own thread.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::batch::number;
use super::errors::{While, counter};
use super::file::StoreFile;
use super::frozen::{self, Frozen};
use super::identity::OpenHere;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{StoredEvent, StoredType, Visit};
use crate::{StreamName, Timestamp};

/// As many connections are kept; more are opened where more are read from at once.
const IDLE_MAX: usize = 4;

pub(super) struct Readers {
    pool: Mutex<Pool>,
    file: Arc<StoreFile>,
}

struct Pool {
    /// The connections that no read uses; `None` once the store is closed.
    idle: Option<Vec<Reader>>,
    /// When each read began that has not ended.
    reads: Vec<Instant>,
}

/// A connection, and the kinds of events it has met, by their numbers.
pub(super) struct Reader {
    pub(super) connection: Connection,
    kinds: Vec<Option<Kind>>,
    /// What must not change, if the connection takes no locks.
    frozen: Option<Frozen>,
    // Dropped after the connection.
    _open: OpenHere,
}

struct Kind {
    name: Box<str>,
    schema_version: u32,
}

/// A read that has not ended.
struct Reading<'r> {
    readers: &'r Readers,
    since: Instant,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let reads = &mut self.readers.lock().reads;
        if let Some(at) = reads.iter().position(|since| *since == self.since) {
            reads.swap_remove(at);
        }
    }
}

impl Readers {
    pub(super) fn new(file: Arc<StoreFile>) -> Self {
        Readers { pool: Mutex::new(Pool { idle: Some(Vec::new()), reads: Vec::new() }), file }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends a connection. It is not kept where `read` panics, and where the store was closed meanwhile.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.file.check_before_read()?;
        let mut pool = self.lock();
        let idle = pool.idle.as_mut().map(Vec::pop).ok_or(StoreError::Closed)?;
        let reading = Reading { readers: self, since: Instant::now() };
        pool.reads.push(reading.since);
        drop(pool);
        let idle = idle.filter(|reader| reader.frozen.as_ref().is_none_or(Frozen::holds));
        let mut reader = match idle {
            Some(reader) => reader,
            None => self.open().map_err(|why| self.file.explain(why))?,
        };
        let result = read(&mut reader).map_err(|why| self.file.explain(why));
        if reader.frozen.as_ref().is_some_and(|frozen| !frozen.holds()) {
            return Err(frozen::changed(&self.file.shown));
        }
        if let Some(idle) = self.lock().idle.as_mut()
            && idle.len() < IDLE_MAX
        {
            idle.push(reader);
        }
        result
    }

    fn open(&self) -> Result<Reader, StoreError> {
        let open = self.file.open_here();
        let (connection, frozen) = self.file.reader()?;
        Ok(Reader { connection, kinds: Vec::new(), frozen, _open: open })
    }

    /// Whether the store has stopped.
    pub(super) fn check_stopped(&self) -> Result<(), StoreError> {
        self.file.check_stopped()
    }

    /// Whether there can be reads.
    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        self.check_stopped()?;
        if self.lock().idle.is_some() { Ok(()) } else { Err(StoreError::Closed) }
    }

    /// Since when the oldest read has been open.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.lock().reads.iter().min().map(Instant::elapsed)
    }

    /// The same where several statements must see one state of the file.
    pub(super) fn with_snapshot<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|reader| {
            // Rolled back when it is dropped, which ends a transaction that has only read.
            let snapshot = reader.connection.unchecked_transaction().during("reading")?;
            read(&snapshot)
        })
    }

    /// Closes the connections that no read uses. What reads later opens its own.
    pub(super) fn close_idle(&self) {
        if let Some(idle) = &mut self.lock().idle {
            idle.clear();
        }
    }

    pub(super) fn close(&self) {
        self.lock().idle = None;
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream, version, type, event_id, recorded_at, occurred_at, correlation_id, causation_id, actor, ",
            "payload FROM gesta_events WHERE ",
            $rest
        )
    };
}

impl Reader {
    pub(super) fn read_stream(
        &mut self,
        stream: &StreamName,
        after: Version,
        max: usize,
        visit: Visit<'_>,
    ) -> Result<(), StoreError> {
        let sql = select!("stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
        self.visit(sql, params![stream.as_str(), number(after.get()), limit(max)], visit)
    }

    pub(super) fn read_all(&mut self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        let sql = select!("position > ?1 ORDER BY position LIMIT ?2");
        self.visit(sql, params![number(after.get()), limit(max)], visit)
    }

    fn visit(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql], visit: Visit<'_>) -> Result<(), StoreError> {
        let Reader { connection, kinds, .. } = self;
        let mut statement = connection.prepare_cached(sql).during("reading events")?;
        let mut rows = statement.query(values).during("reading events")?;
        while let Some(row) = rows.next().during("reading events")? {
            let event = Raw::new(row, kinds, connection).map_err(|what| {
                let position = row.get_ref(0).ok().and_then(|value| value.as_i64().ok()).unwrap_or_default();
                match what {
                    Fault::Holds(column) => StoreError::Damaged(format!(
                        "the event at position {position} holds no usable `{column}`: restore the file from a backup"
                    )),
                    Fault::Store(error) => error,
                }
            })?;
            if let ControlFlow::Break(()) = visit(event) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn head(&mut self) -> Result<Position, StoreError> {
        let context = "reading the last position";
        let mut statement =
            self.connection.prepare_cached("SELECT coalesce(max(position), 0) FROM gesta_events").during(context)?;
        let head = statement.query_row([], |row| counter(row, 0)).during(context)?;
        Ok(Position::new(head))
    }

    pub(super) fn event_types(&mut self) -> Result<Vec<StoredType>, StoreError> {
        let context = "reading the kinds of events";
        let sql = "SELECT aggregate, name, schema_version, first_position FROM gesta_event_types \
            ORDER BY aggregate, name, schema_version";
        let mut statement = self.connection.prepare_cached(sql).during(context)?;
        let types = statement.query_map([], |row| {
            let first_position = Position::new(counter(row, 3)?);
            Ok(StoredType { aggregate: row.get(0)?, name: row.get(1)?, schema_version: row.get(2)?, first_position })
        });
        types.and_then(Iterator::collect).during(context)
    }
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}

/// What is wrong with a row.
enum Fault {
    /// This column holds what nobody wrote there.
    Holds(&'static str),
    Store(StoreError),
}

/// The columns of one event.
struct Raw;

impl Raw {
    #[allow(clippy::new_ret_no_self, reason = "it reads a row, and the row is the event")]
    fn new<'r>(row: &'r rusqlite::Row<'_>, kinds: &'r mut Vec<Option<Kind>>, db: &Connection) -> Result<StoredEvent<'r>, Fault> {
        let kind = number_of(row, 3, "type")?;
        let kind = find_kind(kinds, usize::try_from(kind).map_err(|_| Fault::Holds("type"))?, db)?;
        let id = uuid_of(row, 4, "event_id")?.ok_or(Fault::Holds("event_id"))?;
        let recorded_at = time_of(row, 5, "recorded_at")?.ok_or(Fault::Holds("recorded_at"))?;
        Ok(StoredEvent {
            position: Position::new(number_of(row, 0, "position")?),
            stream: text_of(row, 1, "stream")?.ok_or(Fault::Holds("stream"))?,
            version: Version::new(number_of(row, 2, "version")?),
            name: &kind.name,
            schema_version: kind.schema_version,
            payload: match row.get_ref(10) {
                Ok(ValueRef::Blob(payload)) => payload,
                _ => return Err(Fault::Holds("payload")),
            },
            id,
            recorded_at,
            occurred_at: time_of(row, 6, "occurred_at")?.unwrap_or(recorded_at),
            correlation_id: uuid_of(row, 7, "correlation_id")?.unwrap_or(id),
            causation_id: uuid_of(row, 8, "causation_id")?,
            actor: text_of(row, 9, "actor")?,
        })
    }
}

fn number_of(row: &rusqlite::Row<'_>, at: usize, column: &'static str) -> Result<u64, Fault> {
    match row.get_ref(at) {
        Ok(ValueRef::Integer(n)) => u64::try_from(n).map_err(|_| Fault::Holds(column)),
        _ => Err(Fault::Holds(column)),
    }
}

fn time_of(row: &rusqlite::Row<'_>, at: usize, column: &'static str) -> Result<Option<Timestamp>, Fault> {
    match row.get_ref(at) {
        Ok(ValueRef::Integer(micros)) => Ok(Some(Timestamp::from_micros(micros))),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Fault::Holds(column)),
    }
}

fn uuid_of(row: &rusqlite::Row<'_>, at: usize, column: &'static str) -> Result<Option<Uuid>, Fault> {
    match row.get_ref(at) {
        Ok(ValueRef::Blob(bytes)) => Uuid::from_slice(bytes).map(Some).map_err(|_| Fault::Holds(column)),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Fault::Holds(column)),
    }
}

fn text_of<'r>(row: &'r rusqlite::Row<'_>, at: usize, column: &'static str) -> Result<Option<&'r str>, Fault> {
    match row.get_ref(at) {
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).map(Some).map_err(|_| Fault::Holds(column)),
        Ok(ValueRef::Null) => Ok(None),
        _ => Err(Fault::Holds(column)),
    }
}

/// The kind of event with this number; one that was not met yet is read, within the same state of the file.
fn find_kind<'k>(kinds: &'k mut Vec<Option<Kind>>, id: usize, connection: &Connection) -> Result<&'k Kind, Fault> {
    if kinds.get(id).is_none_or(Option::is_none) {
        load_kinds(kinds, connection).map_err(Fault::Store)?;
    }
    kinds.get(id).and_then(Option::as_ref).ok_or(Fault::Holds("type"))
}

fn load_kinds(kinds: &mut Vec<Option<Kind>>, connection: &Connection) -> Result<(), StoreError> {
    let context = "reading the kinds of events";
    let mut statement = connection.prepare_cached("SELECT id, name, schema_version FROM gesta_event_types").during(context)?;
    let mut rows = statement.query([]).during(context)?;
    while let Some(row) = rows.next().during(context)? {
        let read = || Ok((row.get::<_, u32>(0)?, Kind { name: row.get(1)?, schema_version: row.get(2)? }));
        let (id, kind) = read().during(context)?;
        let id = id as usize;
        if id > KINDS_MAX {
            return Err(StoreError::Damaged(format!("there is a kind of event with the number {id}: restore the file")));
        }
        if kinds.len() <= id {
            kinds.resize_with(id + 1, || None);
        }
        if let Some(place) = kinds.get_mut(id) {
            *place = Some(kind);
        }
    }
    Ok(())
}

/// Numbers are given one after the other; one far above is none of ours, and must not be given room for.
const KINDS_MAX: usize = 10_000_000;
