//! The memory store: everything of the contract but durability, under one lock.
//!
//! Always true: the event at position `n` stands at index `n - 1` of the log, and the event of version `v` of a stream at
//! index `v - 1` of its index. What is in the log never changes, so readers take a page of it and visit it unlocked.

mod tables;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use self::tables::Models;
use super::{
    Append, AppendError, Appended, Capabilities, Checkpoint, CommitError, EventLog, KeyRecord, Keys, ModelSpec, NewEvent, NewKey,
    Parked, ParkingChange, Placed, Prepared, ReadModelStore, RowChange, RowQuery, RowSet, Snapshot, SnapshotStore, Store,
    StoredEvent, StoredType, StreamAppend, Visit, check,
};
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::read::{Row, Value};
use crate::{StreamName, Timestamp};

/// Opens a new, empty store that lives as long as somebody holds it.
pub fn open() -> Store {
    MemoryStore::new().store()
}

/// A store in memory. Clones share what it holds.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    head: watch::Sender<Head>,
}

#[derive(Clone, Copy)]
struct Head {
    position: Position,
    closed: bool,
}

#[derive(Default)]
struct State {
    events: Vec<Arc<Record>>,
    streams: HashMap<StreamName, Stream>,
    /// For each event and version, the aggregates that have it.
    types: HashMap<(&'static str, u32), Vec<First>>,
    snapshots: HashMap<StreamName, BTreeMap<u64, Snapshot>>,
    models: Models,
}

/// An aggregate with the position of its first event of one kind.
struct First {
    aggregate: Box<str>,
    position: Position,
}

#[derive(Default)]
struct Stream {
    /// Where each version stands in the log.
    index: Vec<usize>,
    keys: BTreeMap<Arc<str>, KeyRecord>,
}

struct Record {
    stream: StreamName,
    version: Version,
    event: NewEvent,
    recorded_at: Timestamp,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    actor: Option<Arc<str>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// A new, empty store.
    pub fn new() -> Self {
        let (head, _) = watch::channel(Head { position: Position::ZERO, closed: false });
        MemoryStore { shared: Arc::new(Shared { state: Mutex::default(), head }) }
    }

    /// The store as its parts.
    pub fn store(&self) -> Store {
        Store {
            log: Arc::new(self.clone()),
            keys: Some(Arc::new(self.clone())),
            snapshots: Some(Arc::new(self.clone())),
            read_models: Some(Arc::new(self.clone())),
            leases: None,
        }
    }

    /// The state, unless the store is closed. Nothing panics while it is half changed, so a poisoned lock holds no harm: what
    /// may panic (an inline fold, a visitor) runs before anything is changed, or unlocked.
    fn open_state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.head.borrow().closed { Err(StoreError::Closed) } else { Ok(state) }
    }

    /// Visits records a page at a time: `page` names those of the next one.
    fn visit(
        &self,
        mut max: usize,
        visit: Visit<'_>,
        mut page: impl FnMut(&State, usize) -> Vec<(Position, Arc<Record>)>,
    ) -> Result<(), StoreError> {
        while max > 0 {
            let records = page(&*self.open_state()?, max.min(PAGE_EVENTS));
            if records.is_empty() {
                break;
            }
            max -= records.len();
            for (position, record) in records {
                if visit(record.stored(position)).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// How many events are taken at once: enough that the lock does not count, few enough that a writer does not wait.
const PAGE_EVENTS: usize = 256;

impl Record {
    fn stored(&self, position: Position) -> StoredEvent<'_> {
        StoredEvent {
            position,
            stream: self.stream.as_str(),
            version: self.version,
            name: self.event.name,
            schema_version: self.event.schema_version,
            payload: &self.event.payload,
            id: self.event.id,
            recorded_at: self.recorded_at,
            occurred_at: self.event.occurred_at.unwrap_or(self.recorded_at),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            actor: self.actor.as_deref(),
        }
    }
}

fn position_of(index: usize) -> Position {
    Position::new(index as u64 + 1)
}

fn index_after(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl State {
    fn head(&self) -> Position {
        Position::new(self.events.len() as u64)
    }

    fn append(&mut self, append: Append) -> Result<Appended, AppendError> {
        check::append(&append)?;
        self.check_keys_and_versions(&append)?;
        let recorded_at: Vec<_> = append.streams.iter().map(|part| self.recorded_at(part, append.recorded_at)).collect();
        let count = append.streams.iter().map(|part| part.events.len()).sum();
        let positions: Vec<_> = (self.events.len()..).take(count).map(position_of).collect();
        let changes = self.fold_inline(&append, &Placed { positions: &positions, recorded_at: &recorded_at })?;

        // From here on nothing can be refused.
        let (before, position) = (self.head(), positions.last().copied().unwrap_or_else(|| self.head()));
        for (model, change) in changes {
            if let Some(model) = self.models.get_mut(model) {
                model.table.put(change.key, change.row);
            }
        }
        let first_id = append.streams.iter().flat_map(|part| &part.events).map(|event| event.id).next();
        let about = About {
            correlation_id: append.correlation_id.or(first_id).unwrap_or_default(),
            causation_id: append.causation_id,
            actor: append.actor,
        };
        for (part, recorded_at) in append.streams.into_iter().zip(&recorded_at) {
            self.store(part, *recorded_at, position, &about);
        }
        if let Some(fold) = &append.inline {
            self.models.advance(before, position, |place| fold.carries(place));
        }
        Ok(Appended { positions, recorded_at, position })
    }

    fn check_keys_and_versions(&self, append: &Append) -> Result<(), AppendError> {
        for part in &append.streams {
            let stream = self.streams.get(&part.stream);
            if let (Some(stream), Some(new)) = (stream, &part.key)
                && let Some(record) = stream.keys.get(&new.key)
            {
                return Err(AppendError::KeyTaken { stream: part.stream.clone(), record: *record });
            }
        }
        for part in &append.streams {
            let stream = self.streams.get(&part.stream);
            let actual = Version::new(stream.map_or(0, |stream| stream.index.len() as u64));
            let replaced = part.expected_event.is_some_and(|id| self.event_id(&part.stream, actual) != Some(id));
            if actual != part.expected || replaced {
                return Err(AppendError::Conflict { stream: part.stream.clone(), actual });
            }
        }
        Ok(())
    }

    /// The id of the event at this version of a stream.
    fn event_id(&self, stream: &StreamName, version: Version) -> Option<Uuid> {
        let before = usize::try_from(version.get().checked_sub(1)?).ok()?;
        let at = self.streams.get(stream)?.index.get(before)?;
        self.events.get(*at).map(|record| record.event.id)
    }

    fn recorded_at(&self, part: &StreamAppend, now: Timestamp) -> Timestamp {
        let last = self.streams.get(&part.stream).and_then(|stream| stream.index.last());
        last.and_then(|at| self.events.get(*at)).map_or(now, |event| event.recorded_at.max(now))
    }

    fn fold_inline(&self, append: &Append, placed: &Placed<'_>) -> Result<Vec<(usize, RowChange)>, AppendError> {
        let Some(fold) = &append.inline else { return Ok(Vec::new()) };
        let mut rows = RowSet::new();
        for key in fold.keys(append).map_err(AppendError::Inline)? {
            let model = self.models.get(key.model).ok_or_else(|| check::unknown_model(key.model))?;
            if !model.spec.inline {
                return Err(check::not_inline(model.spec.table).into());
            }
            if model.checkpoint.position != self.head() {
                return Err(AppendError::Behind { model: model.spec.table });
            }
            check::keys(&model.spec, [&key.key])?;
            let row = model.table.get(&key.key).cloned();
            rows.insert_stored(key, row);
        }
        rows.fold(fold.as_ref(), append, placed).map_err(AppendError::Inline)?;
        let changes: Vec<_> = rows.changes().collect();
        for (place, change) in &changes {
            let model = self.models.get(*place).ok_or_else(|| check::unknown_model(*place))?;
            check::change(&model.spec, change)?;
        }
        Ok(changes)
    }

    fn store(&mut self, part: StreamAppend, recorded_at: Timestamp, position: Position, about: &About) {
        let stream = self.streams.entry(part.stream.clone()).or_default();
        if let Some(new) = part.key {
            let after = Version::new(part.expected.get() + part.events.len() as u64);
            let NewKey { command_hash, hash_version, .. } = new;
            let record = KeyRecord { command_hash, hash_version, before: part.expected, after, position };
            stream.keys.insert(new.key, record);
        }
        for event in part.events {
            let index = self.events.len();
            let aggregates = self.types.entry((event.name, event.schema_version)).or_default();
            if !aggregates.iter().any(|first| *first.aggregate == *part.stream.aggregate()) {
                aggregates.push(First { aggregate: part.stream.aggregate().into(), position: position_of(index) });
            }
            stream.index.push(index);
            self.events.push(Arc::new(Record {
                stream: part.stream.clone(),
                version: Version::new(stream.index.len() as u64),
                event,
                recorded_at,
                correlation_id: about.correlation_id,
                causation_id: about.causation_id,
                actor: about.actor.clone(),
            }));
        }
    }
}

/// What all events of an append share.
struct About {
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    actor: Option<Arc<str>>,
}

#[async_trait]
impl EventLog for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL.in_memory()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let mut state = self.open_state()?;
        let appended = state.append(append)?;
        // Under the lock, so that the head is never told to go back.
        self.shared.head.send_if_modified(|head| std::mem::replace(&mut head.position, appended.position) != appended.position);
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut next = index_after(after.get());
        self.visit(max, visit, |state, max| {
            let index = state.streams.get(stream).and_then(|stream| stream.index.get(next..)).unwrap_or_default();
            let page = index.iter().take(max).filter_map(|at| Some((position_of(*at), Arc::clone(state.events.get(*at)?))));
            let page: Vec<_> = page.collect();
            next = next.saturating_add(page.len());
            page
        })
    }

    async fn read_all(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut next = index_after(after.get());
        self.visit(max, visit, |state, max| {
            let events = state.events.get(next..).unwrap_or_default();
            let page: Vec<_> = (next..).map(position_of).zip(events.iter().take(max).cloned()).collect();
            next = next.saturating_add(page.len());
            page
        })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.open_state()?.head())
    }

    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        let mut head = self.shared.head.subscribe();
        match head.wait_for(|head| head.closed || head.position > position).await {
            Ok(head) if !head.closed => Ok(()),
            _ => Err(StoreError::Closed),
        }
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        let state = self.open_state()?;
        let mut types = Vec::with_capacity(state.types.len());
        for ((name, schema_version), aggregates) in &state.types {
            types.extend(aggregates.iter().map(|first| StoredType {
                aggregate: first.aggregate.to_string(),
                name: (*name).to_owned(),
                schema_version: *schema_version,
                first_position: first.position,
            }));
        }
        types.sort_by(|a, b| (&a.aggregate, &a.name, a.schema_version).cmp(&(&b.aggregate, &b.name, b.schema_version)));
        Ok(types)
    }

    async fn close(&self) -> Result<(), StoreError> {
        // Under the lock, so that no append is under way afterwards.
        let _state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.head.send_if_modified(|head| !std::mem::replace(&mut head.closed, true));
        Ok(())
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        let state = self.open_state()?;
        Ok(state.streams.get(stream).and_then(|stream| stream.keys.get(key)).copied())
    }
}

#[async_trait]
impl SnapshotStore for MemoryStore {
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError> {
        let mut state = self.open_state()?;
        let in_stream = |of: &Snapshot| state.event_id(stream, of.version) == Some(of.event_id);
        if !in_stream(&snapshot) {
            return Ok(());
        }
        let there = state.snapshots.get(stream).and_then(|kept| kept.get(&fingerprint));
        if there.is_none_or(|there| there.version <= snapshot.version || !in_stream(there)) {
            state.snapshots.entry(stream.clone()).or_default().insert(fingerprint, snapshot);
        }
        Ok(())
    }

    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.open_state()?.snapshots.get(stream).and_then(|kept| kept.get(&fingerprint)).cloned())
    }
}

#[async_trait]
impl ReadModelStore for MemoryStore {
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError> {
        check::models(&models)?;
        Ok(self.open_state()?.models.prepare(&models))
    }

    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError> {
        let state = self.open_state()?;
        state.models.get(model).map(|model| model.checkpoint).ok_or_else(|| check::unknown_model(model))
    }

    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        let state = self.open_state()?;
        let model = state.models.get(model).ok_or_else(|| check::unknown_model(model))?;
        check::keys(&model.spec, keys)?;
        Ok(keys.iter().map(|key| model.table.get(key).cloned()).collect())
    }

    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        let state = self.open_state()?;
        let model = state.models.get(model).ok_or_else(|| check::unknown_model(model))?;
        check::query(&model.spec, query)?;
        Ok(model.query(query))
    }

    async fn commit(&self, model: usize, changes: Vec<RowChange>, from: Checkpoint, to: Position) -> Result<(), CommitError> {
        self.commit_parking(model, changes, Vec::new(), from, to).await
    }

    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        let state = self.open_state()?;
        state.models.get(model).map(tables::Model::parked).ok_or_else(|| check::unknown_model(model))
    }

    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        let mut state = self.open_state()?;
        let model = state.models.get_mut(model).ok_or_else(|| check::unknown_model(model))?;
        if model.checkpoint != from {
            return Err(CommitError::Superseded);
        }
        for change in &changes {
            check::change(&model.spec, change).map_err(CommitError::Unstorable)?;
        }
        for change in changes {
            model.table.put(change.key, change.row);
        }
        model.change_parking(parking);
        model.checkpoint.position = to;
        Ok(())
    }
}
