//! Appends inside one transaction: checked, folded and only then inserted, one after the other.
//!
//! Always true: an append inserts nothing before everything that can refuse it was looked at, so a refused one leaves no
//! trace. Whatever fails beyond that fails the whole batch, which is then rolled back.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use uuid::Uuid;

use super::errors::{SqlResult, blames_one, counter, driver};
use super::tables::Model;
use super::writer::{End, Known};
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::sql::PutError;
use crate::store::{Append, AppendError, Appended, KeyRecord, NewEvent, Placed, RowSet, StreamAppend, check};
use crate::{StreamName, Timestamp};

pub(super) struct Batch<'w> {
    connection: &'w Connection,
    known: &'w mut Known,
    models: &'w [Arc<Model>],
    /// The position of the last event before the batch.
    before: u64,
    rows: RowSet,
    insert: CachedStatement<'w>,
}

/// Why a batch can't go on.
pub(super) struct Failed {
    pub(super) error: AppendError,
    /// Whether one append may be to blame, so that each is worth a try by itself.
    pub(super) blames_one: bool,
}

impl Failed {
    pub(super) fn by_one(context: &'static str, message: &str) -> Self {
        Failed { error: check::misuse(context, message).into(), blames_one: true }
    }
}
impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Failed { error: driver("appending", &error).into(), blames_one: blames_one(&error) }
    }
}
impl From<PutError<rusqlite::Error>> for Failed {
    fn from(why: PutError<rusqlite::Error>) -> Self {
        match why {
            PutError::Unstorable(why) => Failed { error: why.into(), blames_one: true },
            PutError::Failed(error) => error.into(),
        }
    }
}
impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        let blames_one = matches!(error, StoreError::Driver { transient: false, .. });
        Failed { error: error.into(), blames_one }
    }
}

/// What an append's streams look like before it.
struct Before {
    /// When the events of each will be recorded.
    recorded_at: Vec<Timestamp>,
}

const END: &str = "SELECT version, recorded_at, event_id FROM gesta_events WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
const INSERT: &str = "INSERT INTO gesta_events (position, stream, version, type, event_id, recorded_at, occurred_at, \
    correlation_id, causation_id, actor, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const FIND_KEY: &str =
    "SELECT command_hash, before_version, after_version, position, hash_version FROM gesta_keys WHERE stream = ?1 AND key = ?2";
const FIND_OLD_KEY: &str =
    "SELECT command_hash, before_version, after_version, position, 1 FROM gesta_keys WHERE stream = ?1 AND key = ?2";
const INSERT_KEY: &str = "INSERT INTO gesta_keys (stream, key, command_hash, before_version, after_version, position, \
    recorded_at, hash_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

impl<'w> Batch<'w> {
    pub(super) fn begin(connection: &'w Connection, known: &'w mut Known, models: &'w [Arc<Model>]) -> Result<Self, Failed> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let insert = connection.prepare_cached(INSERT)?;
        let before = known.next - 1;
        Ok(Batch { connection, known, models, before, rows: RowSet::new(), insert })
    }

    /// One append: its own refusal inside, what fails the batch outside.
    pub(super) fn append(&mut self, append: &Append) -> Result<Result<Appended, AppendError>, Failed> {
        if let Err(misuse) = check::append(append) {
            return Ok(Err(misuse.into()));
        }
        if let Some(taken) = self.taken_key(append)? {
            return Ok(Err(taken));
        }
        let before = match self.check_versions(append)? {
            Ok(before) => before,
            Err(conflict) => return Ok(Err(conflict)),
        };
        let events: usize = append.streams.iter().map(|part| part.events.len()).sum();
        let positions: Vec<_> = (self.known.next..).take(events).map(Position::new).collect();
        let placed = Placed { positions: &positions, recorded_at: &before.recorded_at };
        if let Err(refused) = self.fold_inline(append, &placed)? {
            return Ok(Err(refused));
        }
        let head = self.known.next - 1;
        let position = positions.last().copied().unwrap_or(Position::new(head));
        self.insert_events(append, &before)?;
        self.insert_keys(append, &before, position)?;
        self.move_models(append, head, position);
        Ok(Ok(Appended { positions, recorded_at: before.recorded_at, position }))
    }

    fn taken_key(&mut self, append: &Append) -> Result<Option<AppendError>, Failed> {
        for part in &append.streams {
            if let Some(new) = &part.key
                && let Some(record) = find_key(self.connection, &part.stream, &new.key, false)?
            {
                return Ok(Some(AppendError::KeyTaken { stream: part.stream.clone(), record }));
            }
        }
        Ok(None)
    }

    fn check_versions(&mut self, append: &Append) -> Result<Result<Before, AppendError>, Failed> {
        let mut recorded_at = Vec::with_capacity(append.streams.len());
        for part in &append.streams {
            let end = self.end_of(&part.stream)?;
            let replaced = part.expected_event.is_some_and(|id| end.event_id != Some(id));
            if end.version != part.expected.get() || replaced {
                return Ok(Err(AppendError::Conflict { stream: part.stream.clone(), actual: Version::new(end.version) }));
            }
            recorded_at.push(append.recorded_at.max(end.recorded_at));
        }
        Ok(Ok(Before { recorded_at }))
    }

    fn end_of(&mut self, stream: &StreamName) -> Result<End, Failed> {
        if let Some(end) = self.known.ends.get(stream) {
            return Ok(*end);
        }
        let mut statement = self.connection.prepare_cached(END)?;
        let read = |row: &rusqlite::Row<'_>| {
            let (version, recorded_at) = (counter(row, 0)?, Timestamp::from_micros(row.get(1)?));
            Ok(End { version, event_id: Some(Uuid::from_bytes(row.get(2)?)), recorded_at })
        };
        let end = statement.query_row([stream.as_str()], read).optional()?;
        let end = end.unwrap_or(End { version: 0, event_id: None, recorded_at: Timestamp::from_micros(i64::MIN) });
        self.known.ends.put(stream.clone(), end);
        Ok(end)
    }

    fn fold_inline(&mut self, append: &Append, placed: &Placed<'_>) -> Result<Result<(), AppendError>, Failed> {
        let Some(fold) = &append.inline else { return Ok(Ok(())) };
        let keys = match fold.keys(append) {
            Ok(keys) => keys,
            Err(refusal) => return Ok(Err(AppendError::Inline(refusal))),
        };
        for key in keys {
            let (Some(model), Some(at)) = (self.models.get(key.model), self.known.checkpoints.get(key.model)) else {
                return Ok(Err(check::unknown_model(key.model).into()));
            };
            if !model.spec.inline {
                return Ok(Err(check::not_inline(model.spec.table).into()));
            }
            if *at != self.known.next - 1 {
                return Ok(Err(AppendError::Behind { model: model.spec.table }));
            }
            if let Err(misuse) = check::keys(&model.spec, [&key.key]) {
                return Ok(Err(misuse.into()));
            }
            if !self.rows.has(&key) {
                let row = model.row(self.connection, &key.key)?;
                self.rows.insert_stored(key, row);
            }
        }
        Ok(self.rows.fold(fold.as_ref(), append, placed).map_err(AppendError::Inline))
    }

    fn insert_events(&mut self, append: &Append, before: &Before) -> Result<(), Failed> {
        let first = append.streams.iter().flat_map(|part| &part.events).map(|event| event.id).next();
        let correlation_id = append.correlation_id.or(first).unwrap_or_default();
        for (part, recorded_at) in append.streams.iter().zip(&before.recorded_at) {
            for (event, version) in part.events.iter().zip(part.expected.get() + 1..) {
                self.insert_event(append, part, event, version, *recorded_at, correlation_id)?;
            }
            if let Some(last) = part.events.last()
                && let Some(end) = self.known.ends.get_mut(&part.stream)
            {
                let version = end.version + part.events.len() as u64;
                *end = End { version, event_id: Some(last.id), recorded_at: *recorded_at };
            }
        }
        Ok(())
    }

    fn insert_event(
        &mut self,
        append: &Append,
        part: &StreamAppend,
        event: &NewEvent,
        version: u64,
        recorded_at: Timestamp,
        correlation_id: Uuid,
    ) -> Result<(), Failed> {
        let position = number(self.known.next);
        let kind = self.known.types.id(self.connection, part.stream.aggregate(), event, position)?;
        let inserted = self.insert.execute(params![
            position,
            part.stream.as_str(),
            number(version),
            kind,
            event.id.as_bytes(),
            recorded_at.as_micros(),
            event.occurred_at.filter(|at| *at != recorded_at).map(Timestamp::as_micros),
            (correlation_id != event.id).then_some(correlation_id.as_bytes()),
            append.causation_id.as_ref().map(Uuid::as_bytes),
            append.actor.as_deref(),
            event.payload,
        ])?;
        if inserted != 1 {
            return Err(Failed::by_one("appending", "an event was not inserted: look for triggers on `gesta_events`"));
        }
        self.known.next += 1;
        Ok(())
    }

    fn insert_keys(&mut self, append: &Append, before: &Before, position: Position) -> Result<(), Failed> {
        for (part, recorded_at) in append.streams.iter().zip(&before.recorded_at) {
            let Some(new) = &part.key else { continue };
            let inserted = self.connection.prepare_cached(INSERT_KEY)?.execute(params![
                part.stream.as_str(),
                &*new.key,
                new.command_hash.cast_signed(),
                number(part.expected.get()),
                number(part.expected.get() + part.events.len() as u64),
                number(position.get()),
                recorded_at.as_micros(),
                new.hash_version,
            ])?;
            if inserted != 1 {
                return Err(Failed::by_one("appending", "a key was not inserted: look for triggers on `gesta_keys`"));
            }
        }
        Ok(())
    }

    /// Writes the rows that were folded, and how far the inline models have come.
    pub(super) fn finish(mut self) -> Result<(), Failed> {
        for (place, change) in std::mem::take(&mut self.rows).changes() {
            let model = self.models.get(place).ok_or_else(|| check::unknown_model(place))?;
            model.put(self.connection, &change)?;
        }
        // No checkpoint is beyond the last event, so those that are beyond the one before the batch have moved in it.
        for (model, at) in self.models.iter().zip(&self.known.checkpoints).filter(|(_, at)| **at > self.before) {
            model.move_to(self.connection, *at)?;
        }
        Ok(())
    }

    /// Lets the inline models come along that the append carries and that stood at the last event before it.
    fn move_models(&mut self, append: &Append, head: u64, position: Position) {
        let Some(fold) = &append.inline else { return };
        for (place, (model, at)) in self.models.iter().zip(&mut self.known.checkpoints).enumerate() {
            if model.spec.inline && *at == head && fold.carries(place) {
                *at = position.get();
            }
        }
    }
}

/// What the first use of a key led to. `old`: the file is of a format whose hashes were all made by the first algorithm.
pub(super) fn find_key(connection: &Connection, stream: &StreamName, key: &str, old: bool) -> SqlResult<Option<KeyRecord>> {
    let mut statement = connection.prepare_cached(if old { FIND_OLD_KEY } else { FIND_KEY })?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(KeyRecord {
            command_hash: row.get::<_, i64>(0)?.cast_unsigned(),
            hash_version: row.get(4)?,
            before: Version::new(counter(row, 1)?),
            after: Version::new(counter(row, 2)?),
            position: Position::new(counter(row, 3)?),
        })
    };
    statement.query_row([stream.as_str(), key], read).optional()
}

/// A counter as SQLite keeps it; one that does not fit is above all there can be.
pub(super) fn number(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}
