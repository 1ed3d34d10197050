//! The contract suite finds what it was written for: stores with one fault each, and the case that must see it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gesta::read::{Row, Value};
use gesta::store::contract::{self, Case, Offers, Outcome, Subject};
use gesta::store::{
    Append, AppendError, Appended, Capabilities, Checkpoint, CommitError, EventLog, HASH_VERSION, KeyRecord, Keys, ModelSpec,
    Parked, ParkingChange, Placed, Prepared, ReadModelStore, RowChange, RowQuery, RowSet, Snapshot, SnapshotStore, Store,
    StoredEvent, StoredType, StreamAppend, Visit, memory,
};
use gesta::{Position, StoreError, StreamName, Timestamp, Uuid, Version};

macro_rules! mutants {
    ($($(#[$doc:meta])* $fault:ident => $case:ident,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Fault {
            /// The store as it should be.
            None,
            $($(#[$doc])* $fault,)*
        }
        const MUTANTS: &[(Fault, &str)] = &[$((Fault::$fault, stringify!($case)),)*];
    };
}

mutants! {
    /// The last event of several is acknowledged, but not stored.
    LostEvent => events_are_read_back_as_they_were_appended,
    /// An expected version below the stream's is taken for right.
    UncheckedVersionTooLow => an_expected_version_that_is_too_low_is_a_conflict,
    /// An expected version above the stream's is taken for right.
    UncheckedVersionTooHigh => an_expected_version_that_is_too_high_is_a_conflict,
    /// The second stream of an append is dropped.
    SecondStreamDropped => an_append_spans_streams_or_leaves_no_trace,
    /// Where one part of an append conflicts, the others are stored.
    HalfAUnit => of_two_units_that_share_a_stream_one_leaves_no_row,
    /// An append that was stored already is stored once more.
    DoubledByRepeating => an_append_that_is_repeated_is_a_conflict,
    /// Two events have one position.
    PositionReused => positions_are_not_given_twice,
    /// Two events are read in the other order.
    ReorderedRead => positions_grow_and_are_told_as_they_are_read,
    /// An event becomes visible only after the one behind it.
    TailMissed => a_live_reader_never_skips,
    /// Nobody is woken by an append.
    NobodyWoken => who_waits_is_woken,
    /// The clock's time is recorded as it is.
    RecordedAtGoesBack => recorded_at_never_goes_back_within_a_stream,
    /// An append is only begun when its future is polled again.
    LostWithItsCaller => an_append_that_nobody_waits_for_is_finished,
    /// Reads go on after the store was closed.
    ReadsAfterClose => a_closed_store_answers_closed,
    /// The kinds of events of refused appends become known.
    KindsOfRefusedAppends => kinds_of_events_are_known_with_their_first_position,
    /// The key of a refused append is stored.
    KeyOfARefusedAppend => a_refused_append_keeps_no_key,
    /// The key is not stored with its append.
    KeyForgotten => a_key_is_kept_with_what_it_led_to,
    /// The version of a key's hash is not stored.
    HashVersionForgotten => a_key_keeps_the_version_of_its_hash,
    /// Versions are looked at before keys are.
    KeyAfterVersion => a_key_that_is_taken_is_told_before_versions_are_looked_at,
    /// A key is one and the same on all streams.
    KeyScopeIgnoresTheStream => a_key_belongs_to_its_stream,
    /// An append is compared by version only, whichever event has it.
    ExpectedEventIgnored => an_append_onto_another_event_conflicts,
    /// A snapshot is kept whether or not its stream has the last event it was folded from.
    SnapshotOfLostEvents => a_snapshot_without_its_event_is_not_kept,
    /// The last snapshot that was saved wins.
    SnapshotOverwrittenByAnOlderOne => a_newer_snapshot_stays,
    /// The checkpoint is stored before the rows, in a transaction of its own.
    CheckpointBeforeRows => rows_and_checkpoint_are_stored_together,
    /// Rows are stored before the checkpoint, in a transaction of their own.
    RowsBeforeCheckpoint => a_checkpoint_that_was_moved_is_not_moved_again,
    /// The checkpoint is moved from wherever it is.
    CompareAndSetIgnored => of_racing_commits_one_counts,
    /// The checkpoint is moved by whoever knows its position.
    EpochIgnored => an_owner_that_was_replaced_can_not_commit,
    /// What is parked is stored before the rows, in a transaction of its own.
    ParkedBeforeRows => rows_checkpoint_and_parking_are_stored_together,
    /// What is parked is forgotten when the model gets another owner.
    ParkingForgotten => parked_streams_are_told_by_model_and_in_order,
    /// What is parked stays when the model starts anew.
    ParkingKept => another_fingerprint_forgets_what_was_parked,
    /// Models are known by their place in the last call.
    PlacesGivenAnew => a_model_keeps_its_place_when_others_are_prepared,
    /// Every append moves the inline models.
    UncarriedModelsMove => an_append_that_does_not_carry_a_model_leaves_it_behind,
    /// Rows that hold nothing are found below any bound.
    NothingWithinBounds => a_query_finds_what_is_wanted_in_order,
    /// A page goes on after the value it ended at, not after its row.
    TiesLostBetweenPages => pages_hold_each_row_once,
    /// What a refused fold has changed stays.
    RefusedFoldLeavesRows => a_refusing_fold_leaves_no_trace,
    /// Every append folds into the rows as they were before the first.
    FoldsDoNotSeeEachOther => rows_folded_at_once_see_each_other,
}

/// A memory store with a fault.
#[derive(Clone)]
struct Mutant {
    fault: Fault,
    inner: Store,
    kept: Arc<Mutex<Kept>>,
}

/// What a fault remembers.
#[derive(Default)]
struct Kept {
    clocks: HashMap<Uuid, Timestamp>,
    snapshots: HashMap<(StreamName, u64), Snapshot>,
    keys: HashMap<Arc<str>, KeyRecord>,
    types: Vec<StoredType>,
    missed: HashSet<Position>,
}

struct Mutants(Fault);

#[async_trait]
impl Subject for Mutants {
    fn offers(&self) -> Offers {
        Offers { durable: false, leases: false, ..Offers::ALL }
    }
    async fn fresh(&self, _place: &str) -> Store {
        let mutant = Arc::new(Mutant { fault: self.0, inner: memory::open(), kept: Arc::default() });
        Store {
            log: Arc::clone(&mutant) as Arc<dyn EventLog>,
            keys: Some(Arc::clone(&mutant) as Arc<dyn Keys>),
            snapshots: Some(Arc::clone(&mutant) as Arc<dyn SnapshotStore>),
            read_models: Some(mutant),
            leases: None,
        }
    }
    async fn reopen(&self, _place: &str) -> Option<Store> {
        None
    }
}

fn copy(append: &Append) -> Append {
    Append {
        streams: append.streams.clone(),
        recorded_at: append.recorded_at,
        actor: append.actor.clone(),
        correlation_id: append.correlation_id,
        causation_id: append.causation_id,
        crowded: append.crowded,
        inline: append.inline.clone(),
    }
}

/// The last thing of several is dropped, but its position is told.
fn with_one_more(mut done: Appended) -> Appended {
    done.position = done.position.next();
    done.positions.push(done.position);
    done
}

fn doubled(position: Position) -> Position {
    Position::new(position.get() - position.get().saturating_sub(1) % 2)
}

impl Mutant {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
    fn keys(&self) -> &dyn Keys {
        self.inner.keys.as_deref().expect("the memory store has keys")
    }
    fn models(&self) -> &dyn ReadModelStore {
        self.inner.read_models.as_deref().expect("the memory store has read models")
    }

    /// Stores the append, whatever it expects of the first stream that conflicts.
    async fn unchecked(
        &self,
        mut append: Append,
        wrong: impl Fn(&StreamAppend, Version) -> bool,
    ) -> Result<Appended, AppendError> {
        match self.inner.log.append(copy(&append)).await {
            Err(AppendError::Conflict { stream, actual }) => {
                match append.streams.iter_mut().find(|part| part.stream == stream && wrong(part, actual)) {
                    Some(part) => part.expected = actual,
                    None => return Err(AppendError::Conflict { stream, actual }),
                }
                self.inner.log.append(append).await
            }
            other => other,
        }
    }

    /// Applies what a refused fold has put before it was refused.
    async fn leave_rows(&self, append: &Append) -> Result<(), StoreError> {
        let Some(fold) = &append.inline else { return Ok(()) };
        let mut rows = RowSet::new();
        for key in fold.keys(append).unwrap_or_default() {
            let found = self.models().rows(key.model, std::slice::from_ref(&key.key)).await?;
            rows.insert_stored(key, found.into_iter().next().flatten());
        }
        let recorded_at = vec![append.recorded_at; append.streams.len()];
        let positions: Vec<_> = (100..200).map(Position::new).collect();
        let _ = fold.fold(append, &Placed { positions: &positions, recorded_at: &recorded_at }, &mut rows);
        for (model, change) in rows.changes().collect::<Vec<_>>() {
            let at = self.models().checkpoint(model).await?;
            self.models().commit(model, vec![change], at, at.position).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }

    /// Folds into rows as if none were there.
    async fn fold_apart(&self, mut append: Append) -> Result<Appended, AppendError> {
        let Some(fold) = append.inline.take() else { return self.inner.log.append(append).await };
        let mut rows = RowSet::new();
        for key in fold.keys(&append).map_err(AppendError::Inline)? {
            rows.insert_stored(key, None);
        }
        let done = self.inner.log.append(copy(&append)).await?;
        let placed = Placed { positions: &done.positions, recorded_at: &done.recorded_at };
        rows.fold(fold.as_ref(), &append, &placed).map_err(AppendError::Inline)?;
        for (model, change) in rows.changes().collect::<Vec<_>>() {
            loop {
                let at = self.models().checkpoint(model).await?;
                // Others move the checkpoint meanwhile.
                if self.models().commit(model, vec![change.clone()], at, at.position).await.is_ok() {
                    break;
                }
            }
        }
        Ok(done)
    }

    async fn half_a_unit(&self, append: Append) -> Result<Appended, AppendError> {
        let result = self.inner.log.append(copy(&append)).await;
        if let Err(AppendError::Conflict { .. }) = &result {
            for part in &append.streams {
                let mut alone = copy(&append);
                alone.streams = vec![part.clone()];
                let _ = self.inner.log.append(alone).await;
            }
        }
        result
    }

    async fn keys_everywhere(&self, append: Append) -> Result<Appended, AppendError> {
        let keys: Vec<_> = append.streams.iter().filter_map(|part| Some((part.stream.clone(), part.key.clone()?.key))).collect();
        for (stream, key) in &keys {
            if let Some(record) = self.kept.lock().expect("whole").keys.get(key) {
                return Err(AppendError::KeyTaken { stream: stream.clone(), record: *record });
            }
        }
        let done = self.inner.log.append(append).await?;
        for (stream, key) in keys {
            if let Some(record) = self.keys().find_key(&stream, &key).await? {
                self.kept.lock().expect("whole").keys.insert(key, record);
            }
        }
        Ok(done)
    }

    /// Shows an event as the fault has it.
    fn shown<'e>(&self, mut event: StoredEvent<'e>) -> StoredEvent<'e> {
        if self.is(Fault::PositionReused) {
            event.position = doubled(event.position);
        }
        if let Some(clock) = self.kept.lock().expect("whole").clocks.get(&event.id) {
            event.recorded_at = *clock;
        }
        event
    }
}

#[async_trait]
impl EventLog for Mutant {
    fn capabilities(&self) -> Capabilities {
        self.inner.log.capabilities()
    }

    async fn append(&self, mut append: Append) -> Result<Appended, AppendError> {
        let log = &self.inner.log;
        match self.fault {
            Fault::LostEvent => match append.streams.iter_mut().find(|part| part.events.len() > 1) {
                Some(part) => {
                    part.events.pop();
                    log.append(append).await.map(with_one_more)
                }
                None => log.append(append).await,
            },
            Fault::UncheckedVersionTooLow => self.unchecked(append, |part, actual| part.expected < actual).await,
            Fault::UncheckedVersionTooHigh => self.unchecked(append, |part, actual| part.expected > actual).await,
            Fault::ExpectedEventIgnored => {
                append.streams.iter_mut().for_each(|part| part.expected_event = None);
                log.append(append).await
            }
            Fault::SecondStreamDropped if append.streams.len() == 2 => {
                append.streams.pop();
                log.append(append).await.map(with_one_more)
            }
            Fault::HalfAUnit => self.half_a_unit(append).await,
            Fault::DoubledByRepeating => {
                let ids: Vec<_> = append.streams.iter().flat_map(|part| &part.events).map(|event| event.id).collect();
                let mut stored = false;
                let mut visit = |event: StoredEvent<'_>| {
                    stored |= ids.contains(&event.id);
                    ControlFlow::Continue(())
                };
                log.read_all(Position::ZERO, usize::MAX, &mut visit).await?;
                self.unchecked(append, |_, _| stored).await
            }
            Fault::PositionReused => log.append(append).await.map(|mut done| {
                done.position = doubled(done.position);
                done.positions.iter_mut().for_each(|position| *position = doubled(*position));
                done
            }),
            Fault::RecordedAtGoesBack => {
                let events = append.streams.iter().flat_map(|part| &part.events);
                self.kept.lock().expect("whole").clocks.extend(events.map(|event| (event.id, append.recorded_at)));
                let clock = append.recorded_at;
                log.append(append).await.map(|done| Appended { recorded_at: vec![clock; done.recorded_at.len()], ..done })
            }
            Fault::LostWithItsCaller => {
                tokio::task::yield_now().await;
                log.append(append).await
            }
            Fault::KindsOfRefusedAppends => {
                let result = log.append(copy(&append)).await;
                if let (Err(_), Some(part)) = (&result, append.streams.first()) {
                    let first = part.events.iter().take(1).map(|event| StoredType {
                        aggregate: part.stream.aggregate().to_owned(),
                        name: event.name.to_owned(),
                        schema_version: event.schema_version,
                        first_position: Position::new(1),
                    });
                    self.kept.lock().expect("whole").types.extend(first);
                }
                result
            }
            Fault::KeyOfARefusedAppend => {
                let result = log.append(copy(&append)).await;
                if let (Err(AppendError::Conflict { actual, .. }), Some(part)) = (&result, append.streams.first_mut()) {
                    part.events.clear();
                    part.expected = *actual;
                    let _ = log.append(append).await;
                }
                result
            }
            Fault::KeyForgotten => {
                append.streams.iter_mut().for_each(|part| part.key = None);
                log.append(append).await
            }
            Fault::KeyAfterVersion => {
                let mut without = copy(&append);
                for part in &mut without.streams {
                    part.key = None;
                    part.events.clear();
                }
                log.append(without).await?;
                log.append(append).await
            }
            Fault::KeyScopeIgnoresTheStream => self.keys_everywhere(append).await,
            Fault::RefusedFoldLeavesRows => {
                let result = log.append(copy(&append)).await;
                if let Err(AppendError::Inline(_)) = &result {
                    self.leave_rows(&append).await?;
                }
                result
            }
            Fault::UncarriedModelsMove => {
                let carried = append.inline.is_some();
                let done = log.append(append).await?;
                if !carried && let Ok(at) = self.models().checkpoint(0).await {
                    let _ = self.models().commit(0, Vec::new(), at, done.position).await;
                }
                Ok(done)
            }
            Fault::FoldsDoNotSeeEachOther => self.fold_apart(append).await,
            _ => log.append(append).await,
        }
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut shown = |event: StoredEvent<'_>| visit(self.shown(event));
        match self.inner.log.read_stream(stream, after, max, &mut shown).await {
            Err(StoreError::Closed) if self.is(Fault::ReadsAfterClose) => Ok(()),
            other => other,
        }
    }

    async fn read_all(&self, mut after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        if self.is(Fault::PositionReused) && after > Position::ZERO {
            after = after.next();
        }
        if self.is(Fault::ReorderedRead) {
            let mut first = None;
            let mut last = Position::ZERO;
            let mut find = |event: StoredEvent<'_>| {
                first.get_or_insert(event.position);
                last = event.position;
                ControlFlow::Continue(())
            };
            self.inner.log.read_all(after, max, &mut find).await?;
            let mut turned: Vec<_> = (first.map_or(1, Position::get)..=last.get()).collect();
            turned.reverse();
            for position in turned {
                self.inner.log.read_all(Position::new(position - 1), 1, visit).await?;
            }
            return Ok(());
        }
        if self.is(Fault::TailMissed) {
            let (head, mut left) = (self.inner.log.head().await?, max);
            let mut shown = |event: StoredEvent<'_>| {
                // The first who sees a later one does not see this one.
                if event.position < head && self.kept.lock().expect("whole").missed.insert(event.position) {
                    return ControlFlow::Continue(());
                }
                left -= 1;
                let goes_on = visit(event);
                if left == 0 { ControlFlow::Break(()) } else { goes_on }
            };
            return self.inner.log.read_all(after, usize::MAX, &mut shown).await;
        }
        let mut shown = |event: StoredEvent<'_>| visit(self.shown(event));
        self.inner.log.read_all(after, max, &mut shown).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let head = self.inner.log.head().await?;
        Ok(if self.is(Fault::PositionReused) { doubled(head) } else { head })
    }

    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        if self.is(Fault::NobodyWoken) && self.inner.log.head().await? <= position {
            return self.inner.log.wait_beyond(Position::new(u64::MAX)).await;
        }
        self.inner.log.wait_beyond(position).await
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        let mut types = self.kept.lock().expect("whole").types.clone();
        types.extend(self.inner.log.event_types().await?);
        Ok(types)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.log.close().await
    }
}

#[async_trait]
impl Keys for Mutant {
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        let everywhere = self.kept.lock().expect("whole").keys.get(key).copied();
        let mut found = if everywhere.is_some() { everywhere } else { self.keys().find_key(stream, key).await? };
        if let Some(record) = &mut found
            && self.is(Fault::HashVersionForgotten)
        {
            record.hash_version = HASH_VERSION;
        }
        Ok(found)
    }
}

#[async_trait]
impl SnapshotStore for Mutant {
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError> {
        if self.is(Fault::SnapshotOverwrittenByAnOlderOne) || self.is(Fault::SnapshotOfLostEvents) {
            self.kept.lock().expect("whole").snapshots.insert((stream.clone(), fingerprint), snapshot.clone());
        }
        let snapshots = self.inner.snapshots.as_deref().expect("the memory store has snapshots");
        snapshots.save_snapshot(stream, fingerprint, snapshot).await
    }
    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        if let Some(snapshot) = self.kept.lock().expect("whole").snapshots.get(&(stream.clone(), fingerprint)) {
            return Ok(Some(snapshot.clone()));
        }
        let snapshots = self.inner.snapshots.as_deref().expect("the memory store has snapshots");
        snapshots.load_snapshot(stream, fingerprint).await
    }
}

#[async_trait]
impl ReadModelStore for Mutant {
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError> {
        let mut kept = Vec::new();
        for model in (0..2).filter(|_| self.is(Fault::ParkingKept)) {
            kept.extend(self.models().parked(model).await.into_iter().flatten().map(|parked| (model, parked)));
        }
        let mut prepared = self.models().prepare(models).await?;
        for (model, parked) in kept {
            let (at, parking) = (self.models().checkpoint(model).await?, vec![ParkingChange::Park(parked)]);
            let _ = self.models().commit_parking(model, Vec::new(), parking, at, at.position).await;
        }
        for prepared in prepared.iter().filter(|_| self.is(Fault::ParkingForgotten)) {
            let (place, at) = (prepared.place, self.models().checkpoint(prepared.place).await?);
            let parked = self.models().parked(place).await?;
            let parking = parked.into_iter().map(|parked| ParkingChange::Release(parked.stream)).collect();
            let _ = self.models().commit_parking(place, Vec::new(), parking, at, at.position).await;
        }
        if self.is(Fault::PlacesGivenAnew) {
            prepared.iter_mut().enumerate().for_each(|(place, prepared)| prepared.place = place);
        }
        Ok(prepared)
    }
    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError> {
        self.models().checkpoint(model).await
    }
    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        self.models().rows(model, keys).await
    }

    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        let mut query = query.clone();
        if self.is(Fault::NothingWithinBounds) && query.to.is_some() && query.from.is_none() {
            query.from = Some(Value::Null);
        }
        let Some((value, _)) = query.after.clone().filter(|_| self.is(Fault::TiesLostBetweenPages)) else {
            return self.models().query(model, &query).await;
        };
        let max = std::mem::replace(&mut query.max, usize::MAX);
        let mut rows = self.models().query(model, &query).await?;
        rows.retain(|row| row[query.column] != value);
        rows.truncate(max);
        Ok(rows)
    }

    async fn commit(&self, model: usize, changes: Vec<RowChange>, mut from: Checkpoint, to: Position) -> Result<(), CommitError> {
        match self.fault {
            Fault::CheckpointBeforeRows => {
                self.models().commit(model, Vec::new(), from, to).await?;
                from.position = to;
            }
            Fault::RowsBeforeCheckpoint => {
                let is = self.models().checkpoint(model).await?;
                self.models().commit(model, changes.clone(), is, is.position).await?;
            }
            Fault::CompareAndSetIgnored => from = self.models().checkpoint(model).await?,
            Fault::EpochIgnored => from.epoch = self.models().checkpoint(model).await?.epoch,
            _ => {}
        }
        self.models().commit(model, changes, from, to).await
    }

    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        self.models().parked(model).await
    }

    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        if self.is(Fault::ParkedBeforeRows) {
            let is = self.models().checkpoint(model).await?;
            self.models().commit_parking(model, Vec::new(), parking.clone(), is, is.position).await?;
        }
        self.models().commit_parking(model, changes, parking, from, to).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_fault_the_wrapped_store_keeps_the_contract() {
    contract::run(&Mutants(Fault::None)).await.assert();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_is_seen_by_the_case_that_was_written_for_it() {
    let run = |(fault, name): &(Fault, &'static str)| {
        let (fault, name) = (*fault, *name);
        tokio::spawn(async move {
            let case = Case::named(name).unwrap_or_else(|| panic!("there is no case `{name}`"));
            let outcome = case.run(&Mutants(fault)).await;
            assert!(matches!(outcome, Outcome::Broken(_)), "`{name}` does not see {fault:?}: {outcome:?}");
        })
    };
    // At once, since some cases wait a while for what never comes.
    for mutant in MUTANTS.iter().map(run).collect::<Vec<_>>() {
        mutant.await.expect("the case sees the fault");
    }
}
