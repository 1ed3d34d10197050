//! Aggregates out of their events: the state now, at a version, as of a time, and the events themselves.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;

use uuid::Uuid;

use super::App;
use super::replay::Before;
use crate::aggregate::decode;
use crate::error::{LoadError, StoreError, Unreadable, UnreadableEvent, panic_message};
use crate::store::{Snapshot, Store, StoredEvent};
use crate::{Aggregate, Metadata, Position, Recorded, Stage, StreamName, Timestamp, Version};

/// How many events are read at a time; what a page holds is in memory together only where the caller keeps it.
pub(crate) const PAGE_EVENTS: usize = 1_000;
/// A page that is kept ends after this many bytes of payload.
pub(crate) const PAGE_BYTES: usize = 4 << 20;

/// An aggregate as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded<A> {
    /// Where its life stands.
    pub stage: Stage<A>,
    /// How many events it was folded from.
    pub version: Version,
}

impl<A> Loaded<A> {
    /// The state, where it is there.
    pub fn state(&self) -> Option<&A> {
        self.stage.as_alive()
    }
    /// The state, where it is there.
    pub fn into_state(self) -> Option<A> {
        self.stage.alive()
    }
}

/// The state of an aggregate with all that the next command needs to know.
pub(crate) struct Entry<A> {
    pub(crate) stage: Stage<A>,
    pub(crate) version: Version,
    pub(crate) recorded_at: Timestamp,
    /// The position and the id of the last stored event it was folded from.
    pub(crate) last_event: Option<(Position, Uuid)>,
    /// What the state may keep: the last snapshot, and the events it was folded from since, as they are in memory, in bytes.
    pub(crate) folded_bytes: usize,
    /// The version of the last snapshot known.
    pub(crate) snapshot: Version,
}

/// What each part of a value takes in memory besides its letters and digits, in bytes: a short text is a pointer, two lengths
/// and a piece of the allocator's.
const PART_BYTES: usize = 32;

/// An estimate of what a value takes in memory that was read from this stored form, in bytes.
#[allow(clippy::naive_bytecount, reason = "the compiler makes it as fast as it needs to be")]
pub(crate) fn bytes_in_memory(payload: &[u8]) -> usize {
    let commas = payload.iter().filter(|byte| **byte == b',').count();
    payload.len() + commas * PART_BYTES
}

impl<A: Aggregate> Entry<A> {
    pub(crate) fn absent() -> Self {
        let recorded_at = Timestamp::from_micros(i64::MIN);
        Entry {
            stage: Stage::Absent,
            version: Version::ZERO,
            recorded_at,
            last_event: None,
            folded_bytes: 0,
            snapshot: Version::ZERO,
        }
    }

    /// What is estimated to be in memory because of it, in bytes, and never far below what is. A state of numbers keeps nothing
    /// outside of itself. How much of its events another one keeps is known only where it has been written as a snapshot; without
    /// one it may keep them all, and a list that grows does.
    pub(crate) fn bytes(&self) -> usize {
        let kept = if std::mem::needs_drop::<A>() { self.folded_bytes } else { 0 };
        size_of::<Self>() + kept
    }

    /// Applies the next event of the stream.
    fn apply(&mut self, stored: &StoredEvent<'_>) -> Result<(), Unreadable> {
        let expected = self.version.next();
        if stored.version != expected {
            return Err(Unreadable::OutOfOrder { expected });
        }
        let mut events = decode::<A>(stored.name, stored.schema_version, stored.payload)?.into_iter();
        let stage = std::mem::take(&mut self.stage);
        self.stage = catch(|| Ok(events.try_fold(stage, |stage, event| A::apply(stage, event))?))?;
        self.version = expected;
        self.recorded_at = stored.recorded_at;
        self.last_event = Some((stored.position, stored.id));
        self.folded_bytes += bytes_in_memory(stored.payload);
        Ok(())
    }

    fn from_snapshot(snapshot: &Snapshot) -> Option<Self> {
        let stage = if snapshot.payload.is_empty() {
            Stage::Ended
        } else {
            // One that can't be read is as good as none: the events are the truth.
            let decode = A::SNAPSHOTS?.decode;
            Stage::Alive(catch(|| Ok(decode(&snapshot.payload)?)).ok()?)
        };
        let Snapshot { version, position, event_id, recorded_at, .. } = *snapshot;
        let (last_event, folded_bytes) = (Some((position, event_id)), bytes_in_memory(&snapshot.payload));
        Some(Entry { stage, version, recorded_at, last_event, folded_bytes, snapshot: version })
    }

    /// The state as a snapshot, where it is time for one.
    pub(crate) fn due_snapshot(&mut self) -> Option<Result<Snapshot, crate::EncodeError>> {
        let (snapshots, (position, event_id)) = (A::SNAPSHOTS?, self.last_event?);
        if self.version.get() - self.snapshot.get() < snapshots.every {
            return None;
        }
        let payload = match &self.stage {
            Stage::Absent => return None,
            Stage::Alive(state) => (snapshots.encode)(state),
            Stage::Ended => Ok(Vec::new()),
        };
        self.snapshot = self.version;
        self.folded_bytes = payload.as_ref().map_or(self.folded_bytes, |payload| bytes_in_memory(payload));
        let Entry { version, recorded_at, .. } = *self;
        Some(payload.map(|payload| Snapshot { version, position, event_id, recorded_at, payload }))
    }
}

/// What a snapshot of `A` is kept under: it changes with the fold and with the state's schema, so that a snapshot made by
/// another definition is simply not found.
pub(crate) const fn snapshot_fingerprint<A: Aggregate>() -> Option<u64> {
    match A::SNAPSHOTS {
        None => None,
        Some(snapshots) => Some(crate::schema::Fingerprint::new().number(A::FINGERPRINT).number(snapshots.fingerprint).finish()),
    }
}

/// Runs the user's code on stored data; a panic is an answer like another.
fn catch<T>(work: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Unreadable::Panicked(panic_message(&*panic))))
}

/// Where a fold ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Head,
    Version(Version),
    Time(Timestamp),
    /// As the log was before an append.
    Before(Before),
}

impl Until {
    fn reached(self, event: &StoredEvent<'_>) -> bool {
        match self {
            Until::Head => false,
            Until::Version(version) => event.version > version,
            Until::Time(time) => event.recorded_at > time,
            Until::Before(before) => before.is_past(event),
        }
    }
    fn allows(self, snapshot: &Snapshot) -> bool {
        match self {
            Until::Head => true,
            Until::Version(version) => snapshot.version <= version,
            // `recorded_at` never goes back within a stream.
            Until::Time(time) => snapshot.recorded_at <= time,
            // A snapshot tells no position.
            Until::Before(_) => false,
        }
    }
}

/// Folds a stream from its last snapshot that is allowed, or from its beginning.
pub(crate) async fn load<A: Aggregate>(store: &Store, stream: &StreamName, until: Until) -> Result<Entry<A>, LoadError> {
    let mut entry = Entry::absent();
    if let (Some(fingerprint), Some(snapshots)) = (snapshot_fingerprint::<A>(), &store.snapshots)
        && let Some(snapshot) = snapshots.load_snapshot(stream, fingerprint).await?
        && until.allows(&snapshot)
    {
        entry = Entry::from_snapshot(&snapshot).unwrap_or(entry);
    }
    for _ in 0..LOADS_MAX {
        let snapshot = entry.snapshot;
        if !matches!(refresh(store, stream, &mut entry, until).await?, Refreshed::Replaced) {
            return Ok(entry);
        }
        if snapshot > Version::ZERO {
            tracing::warn!(%stream, version = %snapshot, "a snapshot holds events that its stream does not have: it is dropped");
        }
        entry = Entry::absent();
    }
    Err(replaced(stream).into())
}

/// The times a load starts over because the store lost events between two pages.
const LOADS_MAX: usize = 3;

/// The error of a reader whose stream lost events between two pages, each time it tried.
fn replaced(stream: &StreamName) -> StoreError {
    let message = format!("`{stream}` lost events that were just read: the store was restored meanwhile, so read it again");
    StoreError::Driver { context: "reading events", message, transient: true }
}

/// What a look at the events after an entry found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// No event came after it.
    Current,
    /// Events came after it, and are applied.
    Moved,
    /// The stream does not have the entry's last event: the store was restored without it. The entry is of no use.
    Replaced,
}

/// Applies the events that came after an entry.
///
/// Each page begins with the last event that is known, so that a page from a store that has lost it is recognised.
pub(crate) async fn refresh<A: Aggregate>(
    store: &Store,
    stream: &StreamName,
    entry: &mut Entry<A>,
    until: Until,
) -> Result<Refreshed, LoadError> {
    let before = entry.version;
    loop {
        let mut known = Known::new(entry.version, entry.last_event.map(|(_, id)| id));
        let (mut seen, mut ended, mut unreadable) = (0, false, None);
        store
            .log
            .read_stream(stream, known.after, PAGE_EVENTS + 1, &mut |event| {
                match known.meets(&event) {
                    Met::New => {}
                    Met::Known => return ControlFlow::Continue(()),
                    Met::Other => return ControlFlow::Break(()),
                }
                seen += 1;
                ended = until.reached(&event);
                if ended {
                    return ControlFlow::Break(());
                }
                match entry.apply(&event) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(why) => {
                        unreadable = Some(unreadable_event(stream, &event, why));
                        ControlFlow::Break(())
                    }
                }
            })
            .await?;
        if let Some(unreadable) = unreadable {
            return Err(unreadable.into());
        }
        if !known.is_there() {
            return Ok(Refreshed::Replaced);
        }
        if ended || seen < PAGE_EVENTS {
            return Ok(if entry.version == before { Refreshed::Current } else { Refreshed::Moved });
        }
        tokio::task::yield_now().await;
    }
}

/// The last event of a stream that a reader knows. The reader asks for it again, in front of the events after it.
pub(crate) struct Known {
    /// The version to read after.
    pub(crate) after: Version,
    /// Its id, until it was met.
    awaited: Option<Uuid>,
}

/// How an event relates to the one that is known.
pub(crate) enum Met {
    /// It comes after the known one.
    New,
    /// It is the known one.
    Known,
    /// Another event has the version of the known one.
    Other,
}

impl Known {
    /// `version` is that of the known event; with `None` no event is known, and all after `version` are read.
    pub(crate) fn new(version: Version, id: Option<Uuid>) -> Self {
        let after = if id.is_some() { Version::new(version.get().saturating_sub(1)) } else { version };
        Known { after, awaited: id }
    }

    /// Looks at the next event of the read, which is to end after [`Met::Other`].
    pub(crate) fn meets(&mut self, event: &StoredEvent<'_>) -> Met {
        match self.awaited {
            None => Met::New,
            Some(id) if id == event.id => {
                self.awaited = None;
                Met::Known
            }
            Some(_) => Met::Other,
        }
    }

    /// Whether the stream still has it, once the read has ended.
    pub(crate) fn is_there(&self) -> bool {
        self.awaited.is_none()
    }
}

pub(crate) fn unreadable_event(stream: &StreamName, event: &StoredEvent<'_>, why: Unreadable) -> UnreadableEvent {
    UnreadableEvent {
        stream: stream.clone(),
        version: event.version,
        position: event.position,
        name: event.name.to_owned(),
        schema_version: event.schema_version,
        why,
    }
}

/// A stored event's record around another form of its event.
pub(crate) fn record<E>(stream: StreamName, stored: &StoredEvent<'_>, event: E) -> Recorded<E> {
    let metadata = Metadata {
        event_id: stored.id,
        recorded_at: stored.recorded_at,
        occurred_at: stored.occurred_at,
        correlation_id: stored.correlation_id,
        causation_id: stored.causation_id,
        actor: stored.actor.map(Into::into),
    };
    Recorded { event, stream, version: stored.version, position: stored.position, part: 0, metadata }
}

/// The events of one aggregate, in order; read page by page.
pub struct History<A: Aggregate> {
    store: Store,
    stream: StreamName,
    after: Version,
    /// The id of the event at `after`, if it was read.
    last: Option<Uuid>,
    until: Version,
    page: VecDeque<Recorded<A::Event>>,
    /// Stands behind the page; the history ends with it.
    error: Option<LoadError>,
    ended: bool,
}

impl<A: Aggregate> History<A> {
    pub(crate) fn new(store: Store, stream: StreamName, after: Version, until: Version) -> Self {
        History { store, stream, after, last: None, until, page: VecDeque::new(), error: None, ended: false }
    }

    /// The next event; `None` after the last one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`LoadError`] where an event can't be read; nothing comes after it.
    pub async fn next(&mut self) -> Option<Result<Recorded<A::Event>, LoadError>> {
        // Events that have become none leave a page empty before the end.
        while self.page.is_empty() && !self.ended {
            self.read_page().await;
        }
        match self.page.pop_front() {
            Some(event) => Some(Ok(event)),
            None => self.error.take().map(Err),
        }
    }

    /// All that are left, in memory together.
    ///
    /// # Errors
    /// [`LoadError`] where an event can't be read.
    pub async fn all(mut self) -> Result<Vec<Recorded<A::Event>>, LoadError> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event?);
        }
        Ok(events)
    }

    async fn read_page(&mut self) {
        let (stream, until, mut page) = (&self.stream, self.until, VecDeque::new());
        let (mut seen, mut bytes, mut last, mut unreadable) = (0, 0, self.after, None);
        let (mut known, mut last_id) = (Known::new(self.after, self.last), self.last);
        let after = known.after;
        let mut visit = |event: StoredEvent<'_>| {
            match known.meets(&event) {
                Met::New => {}
                Met::Known => return ControlFlow::Continue(()),
                Met::Other => return ControlFlow::Break(()),
            }
            seen += 1;
            bytes += event.payload.len();
            if event.version > until {
                seen = 0;
                return ControlFlow::Break(());
            }
            if event.version != last.next() {
                unreadable = Some(unreadable_event(stream, &event, Unreadable::OutOfOrder { expected: last.next() }));
                return ControlFlow::Break(());
            }
            match decode::<A>(event.name, event.schema_version, event.payload) {
                Ok(decoded) => {
                    for (part, decoded) in (0..).zip(decoded) {
                        page.push_back(Recorded { part, ..record(stream.clone(), &event, decoded) });
                    }
                }
                Err(why) => {
                    unreadable = Some(unreadable_event(stream, &event, why.into()));
                    return ControlFlow::Break(());
                }
            }
            (last, last_id) = (event.version, Some(event.id));
            if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let read = self.store.log.read_stream(stream, after, PAGE_EVENTS + 1, &mut visit).await;
        let read = read.and_then(|()| if known.is_there() { Ok(()) } else { Err(replaced(stream)) });
        // Nothing is awaited from here on, so a page is either whole in here or was never read.
        (self.after, self.last, self.page) = (last, last_id, page);
        self.error = read.map_err(LoadError::from).err().or(unreadable.map(LoadError::from));
        self.ended = self.error.is_some() || seen == 0 || (seen < PAGE_EVENTS && bytes < PAGE_BYTES);
    }
}

impl App {
    /// The state of an aggregate now, from its events; [`Stage::Absent`] where nothing has happened.
    ///
    /// In the closure of a [unit of work](App::unit) that is compared with an earlier one by its key, the state that one saw.
    ///
    /// # Errors
    /// [`LoadError`] where an event can't be read, or the store failed.
    pub async fn load<A: Aggregate>(&self, id: &A::Id) -> Result<Loaded<A>, LoadError> {
        let until = self.inner.replayed().map_or(Until::Head, Until::Before);
        self.load_until(id, until).await
    }

    /// The state of an aggregate as it was at a version, so after that many events.
    ///
    /// # Errors
    /// [`LoadError::NoSuchVersion`] where there are fewer events; otherwise as [`load`](App::load).
    pub async fn load_at<A: Aggregate>(&self, id: &A::Id, version: Version) -> Result<Loaded<A>, LoadError> {
        let loaded = self.load_until(id, Until::Version(version)).await?;
        if loaded.version < version {
            let stream = StreamName::new(A::NAME, id)?;
            return Err(LoadError::NoSuchVersion { stream, asked: version, head: loaded.version });
        }
        Ok(loaded)
    }

    /// The state of an aggregate as it was known at a time: folded from the longest prefix of its events that were all
    /// recorded then or earlier.
    ///
    /// # Errors
    /// As [`load`](App::load).
    pub async fn load_as_of<A: Aggregate>(&self, id: &A::Id, time: Timestamp) -> Result<Loaded<A>, LoadError> {
        self.load_until(id, Until::Time(time)).await
    }

    async fn load_until<A: Aggregate>(&self, id: &A::Id, until: Until) -> Result<Loaded<A>, LoadError> {
        let stream = StreamName::new(A::NAME, id)?;
        let entry = load::<A>(&self.inner.store, &stream, until).await?;
        Ok(Loaded { stage: entry.stage, version: entry.version })
    }

    /// The events of an aggregate, from the first one on, with all that was recorded beside them.
    ///
    /// # Errors
    /// [`LoadError::InvalidId`]; what can't be read is answered when the history comes to it.
    pub fn history<A: Aggregate>(&self, id: &A::Id) -> Result<History<A>, LoadError> {
        let stream = StreamName::new(A::NAME, id)?;
        Ok(History::new(self.inner.store.clone(), stream, Version::ZERO, Version::new(u64::MAX)))
    }
}
