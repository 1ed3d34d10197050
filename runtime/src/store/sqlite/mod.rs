//! The SQLite store: one file, one app that writes to it, any number that read beside it.
//!
//! The file is an ordinary SQLite database in WAL mode; its tables are named `gesta_..`, beside one table for each read model.
//! `SELECT * FROM gesta_log` shows the events to people. Other programs may read it while an app has it open, and must not
//! write to it. Beside `bank.db` stands `bank.db.lock`, which holds the lock of the app that writes and stays when it ends;
//! two hard links to one file are two files to that lock.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | `bank.db` | the events up to the last checkpoint |
//! | `bank.db-wal` | the log: the latest events, while an app has the file open or after it was killed |
//! | `bank.db-shm` | the locks of SQLite's readers and writer |
//! | `bank.db.lock` | the lock of the app that writes |
//!
//! All of them belong on a local disk. A new file can be read and written by its owner alone (mode
//! 0600), and so can the files beside it. To share a file, change its mode while no app has it open
//! (`chmod 640 bank.db`): SQLite gives the files beside it the same mode. The mode of a file that
//! is there already stays as it is.
//!
//! The store is the file that was opened. If one of the files is removed, moved or replaced, the
//! store stops, and everything answers [`StoreError::FileReplaced`]: what it would acknowledge
//! could never be found again. `bank.db` and the log are looked at after each commit, the others
//! once a second.
//!
//! Don't open `bank.db` as a plain file in the process of the app, for example to copy it: when
//! such a file is closed, POSIX drops SQLite's locks, and another program can remove the log under
//! the app.
//!
//! # Backup
//!
//! Copying `bank.db` alone while an app has it open loses everything in the log, and may give a
//! torn copy. These are right:
//!
//! * `sqlite3 bank.db "VACUUM INTO 'backup.db'"`, at any time: the copy is whole, and one file;
//! * `sqlite3 bank.db ".backup backup.db"`, at any time;
//! * copying `bank.db` after [`App::shutdown`](crate::App::shutdown), once `bank.db-wal` is gone;
//! * a snapshot of the file system that holds `bank.db` and `bank.db-wal` at one moment.
//!
//! Restore a backup while no app has the file open, and remove the old `-wal` and `-shm` files
//! first. A copy that was made of an open file can't be told from a file that was closed in order.
//! So the first opening of a copy in a folder logs a warning with the last event that it holds.
//!
//! # The log
//!
//! The log is written back and begun again when it is longer than 16 MiB, also while reads overlap:
//! the writer waits for the reads that began before, usually for milliseconds and for about a
//! second at most; no read waits. A read that stays open for longer keeps the log growing, since
//! SQLite shows it one state of the file. The writer tries again every 3 s. From 64 MiB on, a
//! warning names the process that reads, if the system tells it.
//!
//! # Read-only folders
//!
//! With `?mode=ro`, a file that was closed in order is also read in a folder that can't be written,
//! for example on a read-only mount. No lock can be taken there. If an app opens the file elsewhere
//! meanwhile, a read that meets its change answers an error, and later reads go on beside that app.
//! If the folder holds a log that was left by a crash, opening says so: the log has to be read
//! first, and that needs write access.

mod batch;
mod engine;
mod errors;
mod file;
mod frozen;
mod identity;
mod locks;
mod log;
mod options;
mod readers;
mod schema;
mod tables;
mod writer;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::options::{SqliteMode, SqliteOptions, Synchronous};

use self::engine::{Engine, Head};
use self::errors::{While, counter};
use self::readers::Readers;
use self::tables::Model;
use self::writer::Writer;
use super::{
    Append, AppendError, Appended, BegunEvent, Capabilities, Checkpoint, CommitError, EarlierOwner, EventLog, KeyRecord, Keys,
    ModelSpec, Parked, ParkingChange, Prepared, ReadModelStore, RowChange, RowQuery, Snapshot, SnapshotStore, Store, StoredType,
    Visit, check,
};
use crate::error::{StartError, StoreError};
use crate::event::{Position, Version};
use crate::read::{Row, Value};
use crate::{StreamName, Timestamp};

/// Opens a file.
///
/// Dropping the store without [`close`](EventLog::close) finishes what was queued and lets go of the file before it
/// comes back.
///
/// # Errors
/// [`StartError`] says why it can't be opened; nothing was touched then.
pub fn open(options: &SqliteOptions) -> Result<Store, StartError> {
    let sqlite = Arc::new(Sqlite::open(options)?);
    Ok(Store {
        log: Arc::clone(&sqlite) as Arc<dyn EventLog>,
        keys: Some(Arc::clone(&sqlite) as Arc<dyn Keys>),
        snapshots: Some(Arc::clone(&sqlite) as Arc<dyn SnapshotStore>),
        read_models: Some(sqlite),
        leases: None,
    })
}

struct Sqlite {
    readers: Arc<Readers>,
    /// The models in use, by their place.
    models: Arc<RwLock<Arc<Models>>>,
    access: Access,
}

type Models = Vec<Arc<Model>>;

enum Access {
    Write {
        engine: Arc<Engine>,
        /// Taken when the store lets go of the file.
        thread: Mutex<Option<JoinHandle<()>>>,
    },
    Read {
        closed: watch::Sender<bool>,
    },
}

/// How often a store that only reads looks for what others wrote: there is nothing that would tell it.
const POLL: Duration = Duration::from_millis(50);

impl Sqlite {
    fn open(options: &SqliteOptions) -> Result<Self, StartError> {
        if options.mode == SqliteMode::ReadOnly {
            let file = file::open_for_reading(options)?;
            let readers = Arc::new(Readers::new(Arc::new(file)));
            return Ok(Sqlite { readers, models: Arc::default(), access: Access::Read { closed: watch::Sender::new(false) } });
        }
        let (file, lock, connection, open) = file::open_for_writing(options)?;
        let file = Arc::new(file);
        let readers = Arc::new(Readers::new(Arc::clone(&file)));
        let (engine, thread) = Engine::start(Writer::new(file, connection, open)?, Arc::clone(&readers), lock)?;
        Ok(Sqlite { readers, models: Arc::default(), access: Access::Write { engine, thread: Mutex::new(Some(thread)) } })
    }

    /// Who writes, unless the store only reads.
    fn engine(&self) -> Result<&Engine, StoreError> {
        match &self.access {
            Access::Write { engine, .. } => Ok(engine),
            Access::Read { closed } if *closed.borrow() => Err(StoreError::Closed),
            Access::Read { .. } => Err(StoreError::ReadOnly),
        }
    }

    fn readers(&self) -> Result<&Readers, StoreError> {
        self.readers.check_open()?;
        Ok(&self.readers)
    }

    fn model(&self, place: usize) -> Result<Arc<Model>, StoreError> {
        let models = Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner));
        models.get(place).cloned().ok_or_else(|| check::unknown_model(place))
    }

    /// Notes something of a model.
    async fn note<T: Send + 'static>(
        &self,
        place: usize,
        context: &'static str,
        note: impl FnOnce(&Model, &Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let model = self.model(place)?;
        self.engine()?.run(move |writer| writer.transaction(context, |connection| note(&model, connection))).await
    }

    /// Reads a model's table in one state of the file, in which it must have the form it had when it was prepared.
    fn with_model<T>(
        &self,
        place: usize,
        read: impl FnOnce(&Model, &Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let readers = self.readers()?;
        let model = self.model(place)?;
        readers.with_snapshot(|connection| {
            let others_write = matches!(self.access, Access::Read { .. });
            if others_write && !model.stored(connection)?.is_some_and(|stored| model.is(&stored)) {
                let message = format!("the file has no `{}` of this build: open it again once it has", model.spec.table);
                return Err(check::misuse("reading rows", message));
            }
            read(&model, connection)
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        EventLog::release(self);
    }
}

#[async_trait]
impl EventLog for Sqlite {
    fn capabilities(&self) -> Capabilities {
        match self.access {
            Access::Write { .. } => Capabilities::ALL,
            Access::Read { .. } => Capabilities::ALL.shared().read_only(),
        }
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.engine()?.append(append).await
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.readers()?.with(|reader| reader.read_stream(stream, after, max, visit))
    }

    async fn read_all(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.readers()?.with(|reader| reader.read_all(after, max, visit))
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let readers = self.readers()?;
        match &self.access {
            Access::Write { engine, .. } => {
                let head = *engine.head().borrow();
                if head.closed { Err(readers.check_stopped().err().unwrap_or(StoreError::Closed)) } else { Ok(head.position) }
            }
            Access::Read { .. } => readers.with(readers::Reader::head),
        }
    }

    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        match &self.access {
            Access::Write { engine, .. } => {
                let mut head = engine.head().subscribe();
                let passed = |head: &Head| head.closed || head.position > position;
                match head.wait_for(passed).await {
                    Ok(head) if !head.closed => Ok(()),
                    _ => Err(self.readers.check_stopped().err().unwrap_or(StoreError::Closed)),
                }
            }
            Access::Read { closed } => {
                let mut closed = closed.subscribe();
                while self.head().await? <= position {
                    let _ = tokio::time::timeout(POLL, closed.wait_for(|closed| *closed)).await;
                }
                Ok(())
            }
        }
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        self.readers()?.with(readers::Reader::event_types)
    }

    fn release(&self) {
        let Access::Write { engine, thread } = &self.access else { return };
        engine.begin_release();
        // So that the file can be opened again at once. The thread itself may hold the last fold
        // that holds the store.
        let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        match &self.access {
            Access::Write { engine, .. } => {
                let closed = engine.close().await;
                self.readers.close();
                closed
            }
            Access::Read { closed } => {
                closed.send_replace(true);
                self.readers.close();
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Keys for Sqlite {
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        let only_reads = matches!(self.access, Access::Read { .. });
        self.readers()?.with(|reader| {
            let old = only_reads && schema::mark(&reader.connection).during("looking up a key")?.1 < schema::KEYS_NAME_THEIR_HASH;
            batch::find_key(&reader.connection, stream, key, old).during("looking up a key")
        })
    }
}

#[async_trait]
impl SnapshotStore for Sqlite {
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError> {
        let stream = stream.clone();
        let save = move |connection: &Connection| {
            let sql = "INSERT INTO gesta_snapshots AS t (stream, fingerprint, version, recorded_at, payload, position, event_id) \
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS \
                (SELECT 1 FROM gesta_events WHERE stream = ?1 AND version = ?3 AND event_id = ?7) \
                ON CONFLICT (stream, fingerprint) DO UPDATE SET version = excluded.version, \
                recorded_at = excluded.recorded_at, payload = excluded.payload, position = excluded.position, \
                event_id = excluded.event_id WHERE excluded.version >= t.version OR NOT EXISTS \
                (SELECT 1 FROM gesta_events e WHERE e.stream = t.stream AND e.version = t.version AND e.event_id = t.event_id)";
            let version = batch::number(snapshot.version.get());
            let (micros, payload) = (snapshot.recorded_at.as_micros(), &snapshot.payload);
            let (position, event_id) = (batch::number(snapshot.position.get()), snapshot.event_id.as_bytes());
            let values = params![stream.as_str(), fingerprint.cast_signed(), version, micros, payload, position, event_id];
            let saved = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
            saved.map(drop).during("saving a snapshot")
        };
        self.engine()?.run(move |writer| writer.transaction("saving a snapshot", save)).await
    }

    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        let only_reads = matches!(self.access, Access::Read { .. });
        self.readers()?.with(|reader| {
            // A file of an earlier format is not migrated by a reader, and names no events in its snapshots.
            if only_reads && schema::mark(&reader.connection).during("loading a snapshot")?.1 < schema::SNAPSHOTS_NAME_EVENTS {
                return Ok(None);
            }
            let sql = "SELECT version, recorded_at, payload, position, event_id FROM gesta_snapshots \
                WHERE stream = ?1 AND fingerprint = ?2 AND position IS NOT NULL AND event_id IS NOT NULL";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Snapshot {
                    version: Version::new(counter(row, 0)?),
                    position: Position::new(counter(row, 3)?),
                    event_id: Uuid::from_bytes(row.get(4)?),
                    recorded_at: Timestamp::from_micros(row.get(1)?),
                    payload: row.get(2)?,
                })
            };
            let values = params![stream.as_str(), fingerprint.cast_signed()];
            let found = reader.connection.prepare_cached(sql).and_then(|mut sql| sql.query_row(values, read).optional());
            found.during("loading a snapshot")
        })
    }
}

#[async_trait]
impl ReadModelStore for Sqlite {
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError> {
        check::models(&models)?;
        let models: Vec<_> = models.into_iter().map(|spec| Arc::new(Model::new(spec))).collect();
        if let Access::Read { .. } = &self.access {
            let stored = self.readers()?.with_snapshot(|connection| {
                models.iter().map(|model| Ok(model.stored(connection)?.filter(|stored| model.is(stored)))).collect()
            });
            let stored: Vec<_> = stored?;
            let mut in_use = self.models.write().unwrap_or_else(PoisonError::into_inner);
            let in_use = Arc::make_mut(&mut in_use);
            let prepared = models.iter().zip(stored).map(|(model, stored)| Prepared {
                place: model.take_place(in_use),
                checkpoint: stored.map(|stored| stored.checkpoint),
                replaced: None,
            });
            return Ok(prepared.collect());
        }
        let in_use = Arc::clone(&self.models);
        let prepare = move |writer: &mut Writer| {
            let prepared = writer.prepare(&models)?;
            *in_use.write().unwrap_or_else(PoisonError::into_inner) = writer.models();
            Ok(prepared)
        };
        self.engine()?.run(prepare).await
    }

    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError> {
        self.with_model(model, |model, connection| {
            let gone = || StoreError::Damaged(format!("the checkpoint of `{}` is gone: restore the file", model.spec.table));
            model.stored(connection)?.map(|stored| stored.checkpoint).ok_or_else(gone)
        })
    }

    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        self.with_model(model, |model, connection| {
            check::keys(&model.spec, keys)?;
            keys.iter().map(|key| model.row(connection, key).during("reading rows")).collect()
        })
    }

    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        self.with_model(model, |model, connection| model.query(connection, query))
    }

    async fn commit(&self, model: usize, changes: Vec<RowChange>, from: Checkpoint, to: Position) -> Result<(), CommitError> {
        self.commit_parking(model, changes, Vec::new(), from, to).await
    }

    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        self.with_model(model, Model::parked)
    }

    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        self.engine()?.run(move |writer| Ok(writer.commit_model(model, &changes, &parking, from, to))).await?
    }

    async fn start_feeding(&self, model: usize, epoch: u64) -> Result<EarlierOwner, StoreError> {
        self.note(model, "taking over a read model", move |model, connection| model.start_feeding(connection, epoch)).await
    }

    async fn stop_feeding(&self, model: usize, epoch: u64) -> Result<(), StoreError> {
        self.note(model, "giving a read model back", move |model, connection| model.stop_feeding(connection, epoch)).await
    }

    async fn mark_begun(&self, model: usize, event: &BegunEvent, forget: Option<Position>) -> Result<(), StoreError> {
        let event = event.clone();
        let mark = move |model: &Model, connection: &Connection| model.mark_begun(connection, &event, forget);
        self.note(model, "noting an event that is folded", mark).await
    }

    async fn clear_begun(&self, model: usize, position: Position) -> Result<(), StoreError> {
        self.note(model, "noting an event that is folded", move |model, connection| model.clear_begun(connection, position)).await
    }
}
