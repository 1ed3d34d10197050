//! What the runtime asks of a store.
//!
//! **Unstable** until the read side stands: the traits may change in a minor release.
//!
//! A store implements [`EventLog`], and whichever of [`Keys`], [`SnapshotStore`] and [`ReadModelStore`] it offers; a
//! [`Store`] holds them together. What each promises is written at its methods and tested by the contract suite
//! (`store::contract`, feature `contract`), which runs on any store.
//!
//! In one paragraph: an append is atomic, over all of its streams; acknowledged means durable; a refused append changes
//! nothing. A stream's versions are 1, 2, 3, ... and its `recorded_at` never goes back. Positions are unique and grow in
//! the order of delivery: a reader that remembers the last position it saw never skips an event. False conflicts are
//! allowed, a false pass is not.

#[cfg(any(feature = "memory", feature = "postgres", feature = "sqlite"))]
mod check;
mod connect;
#[cfg(feature = "contract")]
pub mod contract;
mod inline;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod url;

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

pub(crate) use connect::check_runtime;
pub use connect::connect;
pub use inline::{InlineFold, InlineRefusal, Placed, RowKey, RowSet};

use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::read::{Column, Row, Value};
use crate::{StreamName, Timestamp};

/// A store, as the parts it offers.
#[derive(Clone)]
pub struct Store {
    /// The events.
    pub log: Arc<dyn EventLog>,
    /// Idempotency keys, kept in the append's transaction.
    pub keys: Option<Arc<dyn Keys>>,
    /// Snapshots of states.
    pub snapshots: Option<Arc<dyn SnapshotStore>>,
    /// Read models and their checkpoints.
    pub read_models: Option<Arc<dyn ReadModelStore>>,
    /// Who feeds which read model, where several processes may.
    pub leases: Option<Arc<dyn Leases>>,
}

/// One atomic append: events for one or more streams, all or none.
pub struct Append {
    /// The streams, each at most once and at least one. A stream may come without events, to hold a key.
    pub streams: Vec<StreamAppend>,
    /// The clock's time. A stream's events are recorded at this or at the time of the event before, whichever is later.
    pub recorded_at: Timestamp,
    /// Who gave the command.
    pub actor: Option<Arc<str>>,
    /// What all events of one chain of causes share; `None`: the id of this append's first event.
    pub correlation_id: Option<Uuid>,
    /// What caused it.
    pub causation_id: Option<Uuid>,
    /// Others are about to append too. A hint: a store that commits in groups leaves this one to the group, and one that
    /// comes alone need not wait for any.
    pub crowded: bool,
    /// The inline read models' part: run once positions are known and before anything is written.
    pub inline: Option<Arc<dyn InlineFold>>,
}

/// The part of an append that belongs to one stream.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamName,
    /// The version the stream must have.
    pub expected: Version,
    /// The id of the event at that version, which the stream must still have. After a restore that lost the
    /// stream's last events, other events take their versions. `None` compares the version only.
    pub expected_event: Option<Uuid>,
    /// The events, to become versions `expected + 1`, `expected + 2`, ...
    pub events: Vec<NewEvent>,
    /// An idempotency key of the command, with a hash of the command.
    pub key: Option<NewKey>,
}

/// An event to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its own id.
    pub id: Uuid,
    /// Its name.
    pub name: &'static str,
    /// The version of its schema.
    pub schema_version: u32,
    /// When it happened in the world; `None`: when it is recorded.
    pub occurred_at: Option<Timestamp>,
    /// Its stored form.
    pub payload: Vec<u8>,
}

/// An idempotency key to be stored with an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key; its scope is the stream.
    pub key: Arc<str>,
    /// A hash of the command, or of all commands of a unit of work.
    pub command_hash: u64,
    /// The version of the algorithm that made the hash; a store keeps it and looks no further.
    pub hash_version: u8,
}

/// The version of the algorithm by which this build hashes commands. Version 1 is that of the builds that stored no version.
pub const HASH_VERSION: u8 = 2;

/// A stored idempotency key: what its first use led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRecord {
    /// A hash of the command, or of all commands of a unit of work.
    pub command_hash: u64,
    /// The version of the algorithm that made the hash.
    pub hash_version: u8,
    /// The stream's version before the command.
    pub before: Version,
    /// The stream's version after it.
    pub after: Version,
    /// The position of the append's last event; of the store's last event where there were none.
    pub position: Position,
}

/// What an append led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The positions of all events, in the order of the append's streams and their events: increasing.
    pub positions: Vec<Position>,
    /// For each of the append's streams, when its events were recorded.
    pub recorded_at: Vec<Timestamp>,
    /// The position of the last event; of the store's last event where the append holds none.
    pub position: Position,
}

/// Why an append was refused. Nothing of it was stored, except where it says otherwise.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A stream did not have the expected version, or another event than the expected one at that version.
    #[error("`{stream}` has version {actual}, or another event there than the expected one")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// The version it has.
        actual: Version,
    },
    /// A key is there already: what its first use led to. Looked at before the versions are.
    #[error("a key was used before on `{stream}`")]
    KeyTaken {
        /// The stream.
        stream: StreamName,
        /// What the first use led to.
        record: KeyRecord,
    },
    /// An inline read model refused.
    #[error("an inline read model refused: {}", .0.why)]
    Inline(InlineRefusal),
    /// An inline read model that the append folds into has not come to the last event.
    #[error("the inline read model `{model}` has not come to the last event: catch it up before appending")]
    Behind {
        /// The read model.
        model: &'static str,
    },
    /// It is unknown whether the append was stored: the connection broke after it was sent.
    #[error("it is unknown whether the events were stored: {0}")]
    UnknownOutcome(#[source] StoreError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A stored event, borrowed from the store while it is visited.
#[derive(Debug, Clone, Copy)]
pub struct StoredEvent<'a> {
    /// Where it stands among all events.
    pub position: Position,
    /// Its stream's name, see [`StreamName::parse`].
    pub stream: &'a str,
    /// Where it stands in its stream.
    pub version: Version,
    /// Its name.
    pub name: &'a str,
    /// The version of its schema.
    pub schema_version: u32,
    /// Its stored form.
    pub payload: &'a [u8],
    /// Its own id.
    pub id: Uuid,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// What all events of its chain of causes share.
    pub correlation_id: Uuid,
    /// What caused it.
    pub causation_id: Option<Uuid>,
    /// Who gave the command.
    pub actor: Option<&'a str>,
}

/// Sees one event after another; `Break` ends the read.
pub type Visit<'v> = &'v mut (dyn for<'e> FnMut(StoredEvent<'e>) -> ControlFlow<()> + Send);

/// A kind of event that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredType {
    /// The aggregate.
    pub aggregate: String,
    /// The event.
    pub name: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// Where the first one stands.
    pub first_position: Position,
}

/// What a store can and can't do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that a store can or can't do")]
pub struct Capabilities {
    /// One append can span several streams.
    pub several_streams: bool,
    /// No other process or app appends to it while this one has it open, so a cached state is always current.
    pub sole_writer: bool,
    /// It can be written to.
    pub writable: bool,
    /// What it holds outlives the process.
    pub durable: bool,
}

impl Capabilities {
    /// Everything; what a store lacks is switched off afterwards.
    pub const ALL: Capabilities = Capabilities { several_streams: true, sole_writer: true, writable: true, durable: true };
    /// The same without other writers being ruled out.
    #[must_use]
    pub const fn shared(self) -> Self {
        Capabilities { sole_writer: false, ..self }
    }
    /// The same without appends that span streams.
    #[must_use]
    pub const fn one_stream(self) -> Self {
        Capabilities { several_streams: false, ..self }
    }
    /// The same without writing.
    #[must_use]
    pub const fn read_only(self) -> Self {
        Capabilities { writable: false, ..self }
    }
    /// The same without outliving the process.
    #[must_use]
    pub const fn in_memory(self) -> Self {
        Capabilities { durable: false, ..self }
    }
}

/// The events: an append-only log of streams.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// What this store can and can't do.
    fn capabilities(&self) -> Capabilities;

    /// Stores an append: all of it, or nothing.
    ///
    /// In this order: a key that is there already answers [`AppendError::KeyTaken`]; a stream that has not its expected
    /// version, or another event at that version, [`AppendError::Conflict`]; an inline read model that refuses, [`AppendError::Inline`]. Once called, an append
    /// is finished whether or not the future is polled to its end. When it answers `Ok`, the append is durable.
    ///
    /// # Errors
    /// [`AppendError`] says what was refused.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// Visits the events of one stream after a version, in order, `max` at most; a stream that is not there has none.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError>;

    /// Visits all events after a position, in order, `max` at most.
    ///
    /// An event that was not visited because it was not there yet has a position above every one that was.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn read_all(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError>;

    /// The position of the last event; [`Position::ZERO`] where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Comes back when there is an event after `position`; it may come back earlier.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store is closed, so that whoever waits goes home.
    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError>;

    /// Every kind of event in the store, by aggregate, name and version; from a small table, not by a scan.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError>;

    /// Itself, for what an app does with one kind of store only.
    #[doc(hidden)]
    fn as_any(self: Arc<Self>) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    /// Lets go of what only one app at a time can hold, for example the lock of a file, before it
    /// comes back: the app that owned the store was dropped, and other owners of the same store may
    /// still read. Every append that was called is finished; later ones answer
    /// [`StoreError::Closed`]. A store that several processes write to has nothing to do.
    fn release(&self) {}

    /// Finishes every append that was called, and lets go of the store. Everything but a second `close` answers
    /// [`StoreError::Closed`] afterwards.
    ///
    /// # Errors
    /// [`StoreError`] where something could not be finished.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Idempotency keys, which an append stores in its own transaction, also where it holds no event.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// What the first use of a key on this stream led to.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError>;
}

/// Snapshots: one state for each stream and fingerprint, the latest one.
#[async_trait]
pub trait SnapshotStore: Send + Sync + 'static {
    /// Keeps a state, in place of an older one. A newer one stays, if the stream still has its last event.
    ///
    /// A state whose own last event is not in the stream is not kept: it was folded from events that the store has
    /// lost since.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError>;

    /// The latest state of this stream and fingerprint. The caller verifies that the stream has its last event: a
    /// restore can bring back a snapshot and not the events. A snapshot that names no event, as earlier builds wrote
    /// it, is not loaded.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError>;
}

/// A stored state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// How many events it holds.
    pub version: Version,
    /// The position of the last of them.
    pub position: Position,
    /// The id of the last of them.
    pub event_id: Uuid,
    /// When the last of them was recorded.
    pub recorded_at: Timestamp,
    /// Its stored form; empty for one that has ended.
    pub payload: Vec<u8>,
}

/// What a store must know of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSpec {
    /// Its table, and its name.
    pub table: &'static str,
    /// Its columns; exactly one is the key.
    pub columns: &'static [Column],
    /// Which definition its rows were folded by.
    pub fingerprint: u64,
    /// Whether appends may carry it, see [`InlineFold::carries`]. With an append that does, its checkpoint moves from the last
    /// event before the append to its last. An append that does not leaves it where it is, since nobody has considered those
    /// events: it is behind until it was caught up by [`commit`](ReadModelStore::commit), and an append that folds into it
    /// meanwhile is answered by [`AppendError::Behind`].
    pub inline: bool,
}

impl ModelSpec {
    /// Where its key stands among its columns.
    pub fn key_column(&self) -> usize {
        self.columns.iter().position(|c| c.role == crate::read::ColumnRole::Key).unwrap_or(0)
    }
}

/// How far a read model has come: every event up to here was considered, matching or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last position considered.
    pub position: Position,
    /// Counts the owners: whoever took the model over last may move it.
    pub epoch: u64,
}

/// A read model in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// By what it is known while the store is open; a table keeps its place.
    pub place: usize,
    /// How far it has come; `None` where it is not there with this fingerprint, which only a store that may write mends.
    pub checkpoint: Option<Checkpoint>,
    /// The fingerprint of the rows that were there and are gone, because this one is another or the columns are.
    pub replaced: Option<u64>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The value of its key column.
    pub key: Value,
    /// The row; `None` removes it.
    pub row: Option<Row>,
}

/// A stream that a read model passes over, because an event in it can't be folded: the first one of them, where the model goes on
/// once that is mended. Its events stay in the log; all other streams go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {version} of `{stream}` (`{name}` version {schema_version}, at position {position}): {why}")]
pub struct Parked {
    /// The stream.
    pub stream: StreamName,
    /// Where the event stands in it.
    pub version: Version,
    /// Where it stands among all events.
    pub position: Position,
    /// The event's name.
    pub name: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// Why it can't be folded.
    pub why: String,
}

/// What becomes of a stream that is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParkingChange {
    /// It is parked from this event on, whether or not it was.
    Park(Parked),
    /// It is parked no longer.
    Release(StreamName),
}

/// An event whose fold had begun when its process died, as a read model's store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunEvent {
    /// The position of the event.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// How many processes of the build have begun to fold it, and were not heard of again.
    pub times: u32,
    /// The build: a hash of the program.
    pub build: u64,
}

/// How the owner of a read model before this one has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlierOwner {
    /// It has not said that it ends.
    pub died: bool,
    /// The events whose folds have begun and were not heard of again, by position.
    pub begun: Vec<BegunEvent>,
}

/// Which rows are wanted, in the order of a column and, where equal, of the key.
///
/// Nothing comes before every value. Rows that hold nothing in the column are left out where a bound is given, unless that
/// bound is itself nothing: from nothing to nothing are the rows that hold nothing there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowQuery {
    /// The column to order by and to look in; indexed, or the key.
    pub column: usize,
    /// The least value wanted.
    pub from: Option<Value>,
    /// The greatest value wanted.
    pub to: Option<Value>,
    /// Only rows that come after this value of the column and this key.
    pub after: Option<(Value, Value)>,
    /// From the greatest to the least. `after` then means further down.
    pub descending: bool,
    /// How many at most.
    pub max: usize,
}

impl RowQuery {
    /// Whether rows that hold nothing in the column are wanted.
    pub fn wants_nothing(&self) -> bool {
        let nothing = |bound: &Option<Value>| matches!(bound, Some(Value::Null));
        nothing(&self.from) || (self.from.is_none() && (self.to.is_none() || nothing(&self.to)))
    }
}

/// Why rows and checkpoint were not stored, or not as far as is known: a connection that was lost at the commit may have taken it along.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The checkpoint is not where it was expected: somebody else moved it.
    #[error("the checkpoint was moved by another owner")]
    Superseded,
    /// One of the rows is none that this store can hold, however often it is tried: too large, or with characters that it lacks.
    #[error(transparent)]
    Unstorable(StoreError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who feeds which read model, where several processes may: one at a time.
///
/// A lease runs out, so that a model goes on where its owner has died. An owner that was only slow finds out when it commits: the
/// epoch is another one then.
#[async_trait]
pub trait Leases: Send + Sync + 'static {
    /// How often an owner says that it is still there, at least.
    fn renew_every(&self) -> Duration;

    /// Takes a model over that nobody has, or whose lease has run out: answers where it stands, with an epoch that nobody else
    /// has. `None` while another one has it, and where the stored model is one of another definition.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn acquire(&self, model: usize) -> Result<Option<Checkpoint>, StoreError>;

    /// Keeps a model; `false` where it was taken over.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn renew(&self, model: usize, epoch: u64) -> Result<bool, StoreError>;

    /// Gives a model back, so that nobody has to wait for the lease to run out. One that was taken over stays with its new owner.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn release(&self, model: usize, epoch: u64) -> Result<(), StoreError>;
}

/// Read models: a table each, and their checkpoints.
#[async_trait]
pub trait ReadModelStore: Send + Sync + 'static {
    /// Makes this owner the one of each model: their tables are there afterwards, with rows of exactly this fingerprint.
    ///
    /// A model that is there with another fingerprint is emptied and starts at [`Position::ZERO`]. The epoch of each
    /// becomes one more than it was; on a store with [`Leases`] only that of a model that was emptied, and who feeds the others is not
    /// changed. Models are then known by the place that is answered, in the order of `models`. Those that
    /// were prepared earlier, perhaps for another app, stay in use under the places they have.
    ///
    /// On a store that is open for reading only, nothing is changed.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError>;

    /// A number that changes whenever another server answers than the one before. A checkpoint that was stored before
    /// may not be there then: the server was restored, or took over before it had received everything.
    fn incarnation(&self) -> u64 {
        0
    }

    /// How far a model has come.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError>;

    /// The rows with these keys; `None` for those that are not there.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError>;

    /// The rows a query asks for.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError>;

    /// Stores rows and moves the checkpoint from `from` to `to`, in one transaction; `from` must be what is stored.
    ///
    /// # Errors
    /// [`CommitError`] says why nothing was changed. Where a connection was lost on the way, all of it may be stored nevertheless:
    /// after a [`StoreError`], the checkpoint says so.
    async fn commit(&self, model: usize, changes: Vec<RowChange>, from: Checkpoint, to: Position) -> Result<(), CommitError>;

    /// The streams that are parked for a model, by the positions of their events. A model that starts anew has none.
    ///
    /// A store that can't park implements neither this nor [`commit_parking`](ReadModelStore::commit_parking); a model that
    /// meets an event it can't fold stops there.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        let _ = model;
        Ok(Vec::new())
    }

    /// Notes that this owner feeds a model; answers how the owner before it has ended.
    ///
    /// So a fold that ends its process is found. It outlives the process, not a crash of the server. A store that does not keep
    /// it implements none of the four methods.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn start_feeding(&self, model: usize, epoch: u64) -> Result<EarlierOwner, StoreError> {
        let _ = (model, epoch);
        Ok(EarlierOwner::default())
    }

    /// Notes that this owner feeds the model no longer; another owner's note stays.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn stop_feeding(&self, model: usize, epoch: u64) -> Result<(), StoreError> {
        let _ = (model, epoch);
        Ok(())
    }

    /// Notes that the fold of an event begins, and forgets the note at another position.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn mark_begun(&self, model: usize, event: &BegunEvent, forget: Option<Position>) -> Result<(), StoreError> {
        let _ = (model, event, forget);
        Ok(())
    }

    /// Forgets the note at a position: the process has outlived the fold.
    ///
    /// # Errors
    /// [`StoreError`] where the store failed.
    async fn clear_begun(&self, model: usize, position: Position) -> Result<(), StoreError> {
        let _ = (model, position);
        Ok(())
    }

    /// The same as [`commit`](ReadModelStore::commit), and parks and releases streams in the same transaction.
    ///
    /// # Errors
    /// [`CommitError`] says why nothing was changed; [`StoreError::Unsupported`] where the store can't park.
    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        if parking.is_empty() {
            self.commit(model, changes, from, to).await
        } else {
            Err(StoreError::Unsupported("parking").into())
        }
    }
}
