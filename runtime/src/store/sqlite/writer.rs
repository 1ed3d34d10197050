//! The one connection that writes, and what is known without asking it.
//!
//! Always true outside of a batch: no transaction is open, and `next` and the caches say what the file says. Where a batch
//! fails, all of it is rolled back and everything known is read again.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lru::LruCache;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::batch::{Batch, Failed};
use super::errors::{SqlResult, While, counter, driver, may_be_stored};
use super::file::StoreFile;
use super::identity::OpenHere;
use super::log::{self, Log};
use super::readers::Readers;
use super::tables::Model;
use crate::error::StoreError;
use crate::event::Position;
use crate::store::{Append, AppendError, Appended, Checkpoint, CommitError, NewEvent, ParkingChange, Prepared, RowChange, check};
use crate::{StreamName, Timestamp};

pub(super) struct Writer {
    connection: Connection,
    log: Log,
    known: Known,
    /// The models in use, by their place.
    models: Arc<Vec<Arc<Model>>>,
    /// Set while it is not known what the file holds.
    stale: bool,
    file: Arc<StoreFile>,
    // Dropped after the connection.
    _open: OpenHere,
}

/// What the writer knows without asking, since nobody else writes.
pub(super) struct Known {
    /// The next event's position.
    pub(super) next: u64,
    pub(super) types: TypeIds,
    /// Where the streams end that were written to lately.
    pub(super) ends: LruCache<StreamName, End>,
    /// How far each of the models in use has come, by their place.
    pub(super) checkpoints: Vec<u64>,
}

/// Where a stream ends: its version, its last event, and when that was recorded.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) version: u64,
    /// `None` for a stream without events.
    pub(super) event_id: Option<Uuid>,
    pub(super) recorded_at: Timestamp,
}

/// As many ends of streams are kept in memory; a few MiB.
const ENDS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The numbers of the kinds of events that were met: for each event and version, by aggregate.
#[derive(Default)]
pub(super) struct TypeIds {
    ids: HashMap<(&'static str, u32), Vec<TypeId>>,
}

struct TypeId {
    aggregate: Box<str>,
    id: i64,
}

/// What became of a COMMIT that failed.
enum Uncommitted {
    /// Nothing was stored.
    NotStored(StoreError),
    /// Nobody knows.
    Unknown(StoreError),
}

pub(super) type AppendResults = Vec<Result<Appended, AppendError>>;

impl Writer {
    pub(super) fn new(file: Arc<StoreFile>, connection: Connection, open: OpenHere) -> Result<Self, StoreError> {
        let head = read_head(&connection)?;
        // The head was read from the log, so the log is there.
        let log = Log::of(&file)?;
        Ok(Writer {
            connection,
            log,
            known: Known::new(head, Vec::new()),
            models: Arc::default(),
            stale: false,
            file,
            _open: open,
        })
    }

    /// The position of the last event; `None` while that is not known for certain.
    pub(super) fn head(&self) -> Option<Position> {
        (!self.stale).then(|| Position::new(self.known.next - 1))
    }

    /// Whether the log has become long.
    pub(super) fn log_is_due(&self) -> bool {
        self.log.is_due()
    }

    /// Begins the log again, if it has become long.
    pub(super) fn shorten_log(&mut self, readers: &Readers) {
        if self.log.is_due() && self.file.check_stopped().is_ok() && self.connection.is_autocommit() {
            self.log.begin_again(&self.connection, &self.file, readers);
        }
    }

    /// Whether the store has stopped.
    pub(super) fn has_stopped(&self) -> bool {
        self.file.check_stopped().is_err()
    }

    /// Stores a batch of appends in one transaction; a refused one leaves no trace.
    pub(super) fn append(&mut self, appends: &[Append]) -> AppendResults {
        match self.try_append(appends) {
            Ok(results) => results,
            // One of them can't be written at all: it must not take the others with it.
            Err(Failed { blames_one: true, .. }) if appends.len() > 1 => {
                appends.iter().flat_map(|append| self.append(std::slice::from_ref(append))).collect()
            }
            Err(Failed { error, .. }) => {
                let error = match error {
                    AppendError::Store(why) => self.file.explain(why).into(),
                    error => error,
                };
                appends.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    fn try_append(&mut self, appends: &[Append]) -> Result<AppendResults, Failed> {
        self.refresh()?;
        let next = self.known.next;
        // A fold is the runtime's, which catches the user's panics; if one gets through all the same, it must not end the
        // writer of everybody.
        let run = catch_unwind(AssertUnwindSafe(|| -> Result<_, Failed> {
            let mut batch = Batch::begin(&self.connection, &mut self.known, &self.models)?;
            let results = appends.iter().map(|append| batch.append(append)).collect::<Result<Vec<_>, _>>()?;
            batch.finish()?;
            Ok(results)
        }));
        let results = match run {
            Ok(Ok(results)) => results,
            Ok(Err(failed)) => {
                self.roll_back();
                return Err(failed);
            }
            Err(_) => {
                self.roll_back();
                return Err(Failed::by_one(
                    "folding inline read models",
                    "a fold panicked: its panics are the runtime's to catch",
                ));
            }
        };
        match self.commit(next) {
            Ok(()) => Ok(results),
            Err(Uncommitted::NotStored(error)) => Err(Failed { error: error.into(), blames_one: false }),
            Err(Uncommitted::Unknown(error)) => Err(Failed { error: AppendError::UnknownOutcome(error), blames_one: false }),
        }
    }

    /// Takes these models into use, beside those that are.
    pub(super) fn prepare(&mut self, models: &[Arc<Model>]) -> Result<Vec<Prepared>, StoreError> {
        let prepared: Vec<_> = self.transaction("preparing read models", |connection| {
            models.iter().map(|model| model.prepare(connection)).collect::<Result<_, StoreError>>()
        })?;
        let mut in_use = self.models.to_vec();
        let places: Vec<_> = models.iter().map(|model| model.take_place(&mut in_use)).collect();
        self.known.checkpoints.resize(in_use.len(), 0);
        for (place, (checkpoint, _)) in places.iter().zip(&prepared) {
            self.known.checkpoints[*place] = checkpoint.position.get();
        }
        self.models = Arc::new(in_use);
        let prepared = places.into_iter().zip(prepared);
        Ok(prepared.map(|(place, (at, replaced))| Prepared { place, checkpoint: Some(at), replaced }).collect())
    }

    /// The models in use, by their place.
    pub(super) fn models(&self) -> Arc<Vec<Arc<Model>>> {
        Arc::clone(&self.models)
    }

    /// Stores rows of a model, and moves its checkpoint.
    pub(super) fn commit_model(
        &mut self,
        place: usize,
        changes: &[RowChange],
        parking: &[ParkingChange],
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        let model = self.models.get(place).cloned().ok_or_else(|| check::unknown_model(place))?;
        self.transaction("storing rows", |connection| model.commit(connection, changes, parking, from, to))?;
        if let Some(at) = self.known.checkpoints.get_mut(place) {
            *at = to.get();
        }
        Ok(())
    }

    /// Runs something else in a transaction of its own.
    pub(super) fn transaction<T, E: From<StoreError>>(
        &mut self,
        context: &'static str,
        run: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.refresh()?;
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE").during(context);
        begun.map_err(|why| self.file.explain(why))?;
        let result = catch_unwind(AssertUnwindSafe(|| run(&self.connection)));
        match result {
            Ok(Ok(value)) => match self.commit(self.known.next) {
                Ok(()) => Ok(value),
                Err(Uncommitted::NotStored(error) | Uncommitted::Unknown(error @ StoreError::FileReplaced { .. })) => {
                    Err(error.into())
                }
                Err(Uncommitted::Unknown(error)) => {
                    let message = format!("{error}; whether it was stored is unknown, read it again to find out");
                    Err(StoreError::Driver { context, message, transient: false }.into())
                }
            },
            Ok(Err(error)) => {
                self.roll_back();
                Err(error)
            }
            Err(_) => {
                self.roll_back();
                let message = "the store panicked: please report it".to_owned();
                Err(StoreError::Driver { context, message, transient: false }.into())
            }
        }
    }

    /// Commits, and finds out what happened where that fails.
    ///
    /// Where the flush of the log fails, the frames may be in the file all the same, and a crash before they are overwritten
    /// would bring them back. So one more transaction is written over them: when that is through, they are gone for good;
    /// when not, nobody knows.
    fn commit(&mut self, next_before: u64) -> Result<(), Uncommitted> {
        let committed = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        let Err(error) = committed else {
            // It is stored in whatever SQLite has open. If that is not the file any more, it may be
            // gone.
            return self.log.check(&self.file).map_err(|why| {
                self.stale = true;
                Uncommitted::Unknown(why)
            });
        };
        self.roll_back();
        let told = driver("committing", &error);
        if !may_be_stored(&error) {
            return Err(Uncommitted::NotStored(told));
        }
        let gone = self.refresh().is_ok() && self.known.next == next_before && self.overwrite().is_ok();
        self.stale = true;
        Err(if gone { Uncommitted::NotStored(told) } else { Uncommitted::Unknown(told) })
    }

    /// A transaction that changes nothing but is written.
    fn overwrite(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(&format!("PRAGMA user_version = {}", super::schema::FORMAT))
    }

    fn roll_back(&mut self) {
        self.stale = true;
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            // A connection that can't even roll back is of no use; closing it rolls back too.
            if let Ok(connection) = self.file.writer() {
                self.connection = connection;
            }
        }
    }

    /// Reads what is known from the file again, where a failure has left it unclear.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        self.file.check_stopped()?;
        if !self.stale {
            return Ok(());
        }
        if !self.connection.is_autocommit() {
            self.connection = self.file.writer().during("opening the file again")?;
        }
        let head = read_head(&self.connection)?;
        // A connection that was replaced may have been the last one, and taken the log with it.
        self.log = Log::of(&self.file)?;
        let checkpoints = self.models.iter().map(|model| model.stored(&self.connection)).collect::<Result<Vec<_>, _>>()?;
        let checkpoints = checkpoints.into_iter().map(|stored| stored.map_or(0, |stored| stored.checkpoint.position.get()));
        self.known = Known::new(head, checkpoints.collect());
        self.stale = false;
        Ok(())
    }

    /// Writes the log back into the file, so that it is whole without the log beside it.
    pub(super) fn close(self) -> Result<(), StoreError> {
        // Even if no write has met it.
        let there = self.file.check();
        // A long read elsewhere leaves the log as it is; the next to open the file goes on with it.
        self.connection.busy_handler(Some(log::wait)).during("closing the file")?;
        let written = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).during("closing the file");
        self.connection.close().map_err(|(_, error)| driver("closing the file", &error))?;
        there.and(written)
    }
}

fn read_head(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(position), 0) FROM gesta_events";
    connection.query_row(sql, [], |row| counter(row, 0)).during("reading the last position")
}

impl Known {
    fn new(head: u64, checkpoints: Vec<u64>) -> Self {
        Known { next: head + 1, types: TypeIds::default(), ends: LruCache::new(ENDS_MAX), checkpoints }
    }
}

impl TypeIds {
    /// The number of a kind of event, which is given one where this is the first.
    pub(super) fn id(&mut self, connection: &Connection, aggregate: &str, event: &NewEvent, position: i64) -> SqlResult<i64> {
        let ids = self.ids.entry((event.name, event.schema_version)).or_default();
        if let Some(known) = ids.iter().find(|known| *known.aggregate == *aggregate) {
            return Ok(known.id);
        }
        let find = "SELECT id FROM gesta_event_types WHERE aggregate = ?1 AND name = ?2 AND schema_version = ?3";
        let kind = params![aggregate, event.name, event.schema_version];
        let id = connection.prepare_cached(find)?.query_row(kind, |row| row.get(0)).optional()?;
        let id = if let Some(id) = id {
            id
        } else {
            let insert =
                "INSERT INTO gesta_event_types (aggregate, name, schema_version, first_position) VALUES (?1, ?2, ?3, ?4)";
            let row = params![aggregate, event.name, event.schema_version, position];
            connection.prepare_cached(insert)?.execute(row)?;
            connection.last_insert_rowid()
        };
        ids.push(TypeId { aggregate: aggregate.into(), id });
        Ok(id)
    }
}
