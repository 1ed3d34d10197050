//! What the cases are written with.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::{Offers, Subject};
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{
    Append, AppendError, Appended, CommitError, HASH_VERSION, KeyRecord, NewEvent, NewKey, ReadModelStore, Snapshot, Store,
    StoredEvent, StreamAppend,
};
use crate::{StreamName, Timestamp};

/// Why a promise is broken.
pub(super) struct Failure(pub(super) String);

pub(super) type Checked<T = ()> = Result<T, Failure>;

macro_rules! unexpected {
    ($($error:ty),*) => { $(impl From<$error> for Failure {
        #[track_caller]
        fn from(error: $error) -> Self {
            Failure(format!("unexpected: {error} (line {})", std::panic::Location::caller()))
        }
    })* };
}
unexpected!(AppendError, StoreError, CommitError, crate::InvalidId, tokio::task::JoinError);

/// Fails the case unless something is so.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::store::contract::kit::Failure(format!("{} ({}:{})", format_args!($($message)+), file!(), line!())));
        }
    };
}
/// Fails the case unless two things are the same.
macro_rules! same {
    ($left:expr, $right:expr, $($message:tt)+) => {{
        match (&$left, &$right) {
            (left, right) => ensure!(left == right, "{}: found {left:?}, expected {right:?}", format_args!($($message)+)),
        }
    }};
}
/// Fails the case unless a value matches; gives what the pattern binds.
macro_rules! matching {
    ($value:expr, $pattern:pat => $bound:expr, $($message:tt)+) => {
        match $value {
            $pattern => $bound,
            other => {
                return Err($crate::store::contract::kit::Failure(
                    format!("{}: found {other:?} ({}:{})", format_args!($($message)+), file!(), line!()),
                ));
            }
        }
    };
}
pub(super) use {ensure, matching, same};

/// Where a case runs.
pub(super) struct Ground<'s> {
    pub(super) subject: &'s dyn Subject,
    pub(super) offers: Offers,
    place: &'static str,
}

impl<'s> Ground<'s> {
    pub(super) fn new(subject: &'s dyn Subject, offers: Offers, place: &'static str) -> Self {
        Ground { subject, offers, place }
    }
    /// An empty store.
    pub(super) async fn store(&self) -> Store {
        self.subject.fresh(self.place).await
    }
    /// Closes the store and opens it again.
    pub(super) async fn reopen(&self, store: Store) -> Checked<Store> {
        store.log.close().await?;
        drop(store);
        self.reopen_closed().await
    }
    /// Opens again what was closed.
    pub(super) async fn reopen_closed(&self) -> Checked<Store> {
        let reopened = self.subject.reopen(self.place).await;
        reopened.ok_or_else(|| Failure("`Offers::durable` is said, but nothing is there to reopen".to_owned()))
    }
}

pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// An id that no other event of this process has.
pub(super) fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 | u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

pub(super) fn stream(id: &str) -> StreamName {
    StreamName::new("Account", &Id(id.to_owned())).expect("the suite's own ids are valid")
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Id(String);

impl crate::AggregateId for Id {
    fn write(&self, text: &mut String) {
        text.push_str(&self.0);
    }
    fn parse(text: &str) -> Result<Self, crate::InvalidId> {
        Ok(Id(text.to_owned()))
    }
}

pub(super) fn event(name: &'static str) -> NewEvent {
    let id = new_id();
    NewEvent { id, name, schema_version: 1, occurred_at: None, payload: format!("{{\"id\":\"{id}\"}}").into_bytes() }
}

/// The part of an append that belongs to a stream.
pub(super) fn part(stream: &StreamName, expected: u64, events: usize) -> StreamAppend {
    let events = (0..events).map(|_| event("Deposited")).collect();
    StreamAppend { stream: stream.clone(), expected: Version::new(expected), expected_event: None, events, key: None }
}

pub(super) fn with_key(mut part: StreamAppend, key: &str, command_hash: u64) -> StreamAppend {
    part.key = Some(NewKey { key: key.into(), command_hash, hash_version: HASH_VERSION });
    part
}

pub(super) fn append(streams: Vec<StreamAppend>) -> Append {
    Append {
        streams,
        recorded_at: at(1_000_000),
        actor: None,
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    }
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Appends events to one stream.
pub(super) async fn put(store: &Store, stream: &StreamName, expected: u64, events: usize) -> Result<Appended, AppendError> {
    store.log.append(append(vec![part(stream, expected, events)])).await
}

/// An event as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) position: Position,
    pub(super) stream: String,
    pub(super) version: u64,
    pub(super) name: String,
    pub(super) schema_version: u32,
    pub(super) payload: Vec<u8>,
    pub(super) id: Uuid,
    pub(super) recorded_at: Timestamp,
    pub(super) occurred_at: Timestamp,
    pub(super) correlation_id: Uuid,
    pub(super) causation_id: Option<Uuid>,
    pub(super) actor: Option<String>,
}

impl Seen {
    fn new(event: StoredEvent<'_>) -> Self {
        Seen {
            position: event.position,
            stream: event.stream.to_owned(),
            version: event.version.get(),
            name: event.name.to_owned(),
            schema_version: event.schema_version,
            payload: event.payload.to_vec(),
            id: event.id,
            recorded_at: event.recorded_at,
            occurred_at: event.occurred_at,
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            actor: event.actor.map(str::to_owned),
        }
    }
}

pub(super) async fn read_stream(store: &Store, stream: &StreamName, after: u64, max: usize) -> Checked<Vec<Seen>> {
    let mut seen = Vec::new();
    let mut visit = |event: StoredEvent<'_>| {
        seen.push(Seen::new(event));
        ControlFlow::Continue(())
    };
    store.log.read_stream(stream, Version::new(after), max, &mut visit).await?;
    Ok(seen)
}

pub(super) async fn read_all(store: &Store, after: Position, max: usize) -> Checked<Vec<Seen>> {
    let mut seen = Vec::new();
    let mut visit = |event: StoredEvent<'_>| {
        seen.push(Seen::new(event));
        ControlFlow::Continue(())
    };
    store.log.read_all(after, max, &mut visit).await?;
    Ok(seen)
}

pub(super) async fn everything(store: &Store) -> Checked<Vec<Seen>> {
    read_all(store, Position::ZERO, usize::MAX).await
}

pub(super) async fn find_key(store: &Store, stream: &StreamName, key: &str) -> Checked<Option<KeyRecord>> {
    let keys = store.keys.as_ref().ok_or_else(|| Failure("the store has no keys".to_owned()))?;
    Ok(keys.find_key(stream, key).await?)
}

pub(super) fn models(store: &Store) -> Checked<&dyn ReadModelStore> {
    store.read_models.as_deref().ok_or_else(|| Failure("the store has no read models".to_owned()))
}

/// A state of the stream as it was after this event.
pub(super) fn snapshot_at(event: &Seen, payload: &[u8]) -> Snapshot {
    let Seen { version, position, id, .. } = *event;
    Snapshot { version: Version::new(version), position, event_id: id, recorded_at: at(7), payload: payload.to_vec() }
}
