//! The connections that read, each by one caller at a time, on the caller's own thread.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::batch::number;
use super::errors::{While, counter};
use super::file::StoreFile;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{StoredEvent, StoredType, Visit};
use crate::{StreamName, Timestamp};

/// As many connections are kept; more are opened where more are read from at once.
const IDLE_MAX: usize = 4;

pub(super) struct Readers {
    file: Arc<StoreFile>,
    /// Those that nobody uses; `None` once the store is closed.
    idle: Mutex<Option<Vec<Reader>>>,
}

/// A connection, and the kinds of events it has met, by their numbers.
pub(super) struct Reader {
    pub(super) connection: Connection,
    kinds: Vec<Option<Kind>>,
}

struct Kind {
    name: Box<str>,
    schema_version: u32,
}

impl Readers {
    pub(super) fn new(file: Arc<StoreFile>) -> Self {
        Readers { file, idle: Mutex::new(Some(Vec::new())) }
    }

    /// Lends a connection. It is not kept where `read` panics, and where the store was closed meanwhile.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(Vec::pop);
        let mut reader = match idle.ok_or(StoreError::Closed)? {
            Some(reader) => reader,
            None => Reader { connection: self.file.reader().during("opening the file to read")?, kinds: Vec::new() },
        };
        let result = read(&mut reader);
        if let Some(idle) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            && idle.len() < IDLE_MAX
        {
            idle.push(reader);
        }
        result
    }

    /// The same where several statements must see one state of the file.
    pub(super) fn with_snapshot<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|reader| {
            // Rolled back when it is dropped, which ends a transaction that has only read.
            let snapshot = reader.connection.unchecked_transaction().during("reading")?;
            read(&snapshot)
        })
    }

    pub(super) fn close(&self) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
        let Reader { connection, kinds } = self;
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
