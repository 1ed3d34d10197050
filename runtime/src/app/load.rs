//! Aggregates out of their events: the state now, at a version, as of a time, and the events themselves.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;

use super::App;
use crate::aggregate::decode;
use crate::error::{LoadError, Unreadable, UnreadableEvent, panic_message};
use crate::store::{Snapshot, Store, StoredEvent};
use crate::{Aggregate, Metadata, Recorded, Stage, StreamName, Timestamp, Version};

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
    /// The stored form of the last snapshot and of the events it was folded from since, in bytes.
    pub(crate) folded_bytes: usize,
    /// The version of the last snapshot known.
    pub(crate) snapshot: Version,
}

/// A state without snapshots is taken to keep no more than this of its events.
const KEPT_BYTES_MAX: usize = 4 << 10;

impl<A: Aggregate> Entry<A> {
    pub(crate) fn absent() -> Self {
        let recorded_at = Timestamp::from_micros(i64::MIN);
        Entry { stage: Stage::Absent, version: Version::ZERO, recorded_at, folded_bytes: 0, snapshot: Version::ZERO }
    }

    /// What is estimated to be in memory because of it, in bytes. How much of its events a state keeps is not known, except
    /// where it has been written as a snapshot; that it keeps all of a long history is unlikely, and to take it for granted
    /// would evict those first that take longest to load.
    pub(crate) fn bytes(&self) -> usize {
        let kept = if A::SNAPSHOTS.is_some() { self.folded_bytes } else { self.folded_bytes.min(KEPT_BYTES_MAX) };
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
        self.folded_bytes += stored.payload.len();
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
        let Snapshot { version, recorded_at, .. } = *snapshot;
        Some(Entry { stage, version, recorded_at, folded_bytes: snapshot.payload.len(), snapshot: version })
    }

    /// The state as a snapshot, where it is time for one.
    pub(crate) fn due_snapshot(&mut self) -> Option<Result<Snapshot, crate::EncodeError>> {
        let snapshots = A::SNAPSHOTS?;
        if self.version.get() - self.snapshot.get() < snapshots.every {
            return None;
        }
        let payload = match &self.stage {
            Stage::Absent => return None,
            Stage::Alive(state) => (snapshots.encode)(state),
            Stage::Ended => Ok(Vec::new()),
        };
        self.snapshot = self.version;
        self.folded_bytes = payload.as_ref().map_or(self.folded_bytes, Vec::len);
        Some(payload.map(|payload| Snapshot { version: self.version, recorded_at: self.recorded_at, payload }))
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
}

impl Until {
    fn reached(self, event: &StoredEvent<'_>) -> bool {
        match self {
            Until::Head => false,
            Until::Version(version) => event.version > version,
            Until::Time(time) => event.recorded_at > time,
        }
    }
    fn allows(self, snapshot: &Snapshot) -> bool {
        match self {
            Until::Head => true,
            Until::Version(version) => snapshot.version <= version,
            // `recorded_at` never goes back within a stream.
            Until::Time(time) => snapshot.recorded_at <= time,
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
    refresh(store, stream, &mut entry, until).await?;
    Ok(entry)
}

/// Applies the events that came after an entry; answers whether there were any.
pub(crate) async fn refresh<A: Aggregate>(
    store: &Store,
    stream: &StreamName,
    entry: &mut Entry<A>,
    until: Until,
) -> Result<bool, LoadError> {
    let before = entry.version;
    loop {
        let (mut seen, mut ended, mut unreadable) = (0, false, None);
        store
            .log
            .read_stream(stream, entry.version, PAGE_EVENTS, &mut |event| {
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
        if ended || seen < PAGE_EVENTS {
            return Ok(entry.version != before);
        }
        tokio::task::yield_now().await;
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
    until: Version,
    page: VecDeque<Recorded<A::Event>>,
    /// Stands behind the page; the history ends with it.
    error: Option<LoadError>,
    ended: bool,
}

impl<A: Aggregate> History<A> {
    pub(crate) fn new(store: Store, stream: StreamName, after: Version, until: Version) -> Self {
        History { store, stream, after, until, page: VecDeque::new(), error: None, ended: false }
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
        let mut visit = |event: StoredEvent<'_>| {
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
            last = event.version;
            if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let read = self.store.log.read_stream(stream, self.after, PAGE_EVENTS, &mut visit).await;
        // Nothing is awaited from here on, so a page is either whole in here or was never read.
        (self.after, self.page) = (last, page);
        self.error = read.map_err(LoadError::from).err().or(unreadable.map(LoadError::from));
        self.ended = self.error.is_some() || seen == 0 || (seen < PAGE_EVENTS && bytes < PAGE_BYTES);
    }
}

impl App {
    /// The state of an aggregate now, from its events; [`Stage::Absent`] where nothing has happened.
    ///
    /// # Errors
    /// [`LoadError`] where an event can't be read, or the store failed.
    pub async fn load<A: Aggregate>(&self, id: &A::Id) -> Result<Loaded<A>, LoadError> {
        self.load_until(id, Until::Head).await
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
