//! One batch of a read model: events are read, folded into their rows, and stored with the checkpoint.
//!
//! Always true here: a batch ends at a stored event. What one stored event has become is folded whole or not at all. A batch that
//! meets an event it can't fold is cut off before it and done again, so a row that an event left half changed is never stored.
//!
//! A batch is bounded in time, since the process that feeds a model has to say so while it works. Folding is the user's code
//! and blocks its thread, so it pauses between two events for the other tasks of its runtime. If one event alone takes too long
//! for that, later batches are decoded and folded on a thread of the runtime's blocking pool.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::load::PAGE_BYTES;
use super::model::{Feeder, Model, Pending, catch, key_value};
use super::runner::{IDLE_CHECKPOINT, Runner};
use crate::error::{EventPlace, ProjectionError, StoreError};
use crate::read::{FoldError, Projection, Row, Value, as_stored, from_row, to_row};
use crate::store::{CommitError, RowChange, StoredEvent};
use crate::{Position, StreamName, Timestamp, Uuid, Version};

/// The most events a batch reads.
pub(super) const BATCH_EVENTS: usize = 4_000;
/// The most time a batch takes, half of it to read events and half of it to fold them. One event is folded however long it takes.
const BATCH_TIME: Duration = Duration::from_secs(1);
/// Folding pauses after this time, so that the other tasks of its thread run.
pub(super) const SLICE: Duration = Duration::from_millis(5);

/// Where an event stands.
pub(super) struct Place {
    /// How many events of its batch came before it, matching or not.
    before: usize,
    at: EventPlace,
}

struct Batch<M> {
    events: VecDeque<(Place, Pending<M>)>,
    /// How many events were looked at, matching or not.
    seen: usize,
    last: Position,
    /// The error of the event that ended it.
    unreadable: Option<ProjectionError>,
}

/// The rows that events have made.
struct Folded {
    changes: Vec<RowChange>,
    places: Vec<Place>,
    /// The last event, if time was up before the others were folded.
    cut: Option<Position>,
}

/// The answer to a fold. Else the number of events in the log before the one that can't be folded, and its error.
type FoldResult = Result<Folded, (usize, ProjectionError)>;

/// How much a runner does at once, by what it has measured.
pub(super) struct Pace {
    /// The most events of the next batch.
    events_max: usize,
    /// Events are decoded and folded on a thread of the blocking pool.
    pub(super) apart: bool,
    /// Counts what was done. A runner that does not count is stuck.
    pub(super) moved: Arc<AtomicU64>,
}

impl Pace {
    pub(super) fn new(model: &Model) -> Self {
        Pace { events_max: BATCH_EVENTS, apart: false, moved: Arc::clone(&model.moved) }
    }

    /// Another process took the model over before the batch was stored.
    pub(super) fn lost(&mut self) {
        self.events_max = (self.events_max / 2).max(1);
        self.apart = true;
    }

    fn stored(&mut self, batch: &Measured, budget: Duration) {
        self.events_max = if batch.cut {
            batch.covered
        } else if batch.took > 2 * budget && batch.folded > 1 {
            batch.covered / 2
        } else {
            self.events_max * 2
        };
        self.events_max = self.events_max.clamp(1, BATCH_EVENTS);
    }
}

struct Measured {
    folded: usize,
    /// The events of the log up to the last one that was folded.
    covered: usize,
    cut: bool,
    took: Duration,
}

impl<M: Projection> Runner<M> {
    /// One batch; answers how many events it looked at.
    pub(super) async fn step(&mut self) -> Result<usize, ProjectionError> {
        let from = self.position;
        let mut max = match self.step_max(self.pace.events_max).await? {
            Ok(max) => max,
            // It has ended processes, so that no code sees it.
            Err(why) => return self.park(why).await.map(|()| 1),
        };
        loop {
            let started = Instant::now();
            let budget = self.budget();
            let Batch { events, seen, last, unreadable } = self.read(max, started + budget / 2).await?;
            let mut measured = Measured { folded: 0, covered: seen, cut: false, took: Duration::ZERO };
            let stored = match self.fold(events, budget / 2).await? {
                Ok(folded) => {
                    measured.folded = folded.places.len();
                    if let Some(place) = folded.places.last().filter(|_| folded.cut.is_some()) {
                        (measured.cut, measured.covered) = (true, place.before + 1);
                    }
                    match self.store(folded.changes, folded.cut.unwrap_or(last)).await {
                        Err(CommitError::Unstorable(why)) => {
                            // Events are counted from there.
                            self.position = from;
                            Err(suspect(&folded.places, &FoldError::Unstorable(why.to_string())))
                        }
                        stored => Ok(stored?),
                    }
                }
                Err(failed) => Err(failed),
            };
            match stored {
                Ok(()) => {
                    measured.took = started.elapsed();
                    self.measured(&measured, budget);
                    // The events before it are stored; now it is the first of the next batch.
                    return match unreadable {
                        Some(why) if seen == 0 => self.park(why).await.map(|()| 1),
                        _ => Ok(seen),
                    };
                }
                Err((0, why)) => {
                    let why = self.unless_superseded(why).await?;
                    return self.park(why).await.map(|()| 1);
                }
                // Done again, without the event that can't be folded, and what comes after it.
                Err((before, _)) => max = before,
            }
        }
    }

    /// The time for one batch: no more than the pause between two renewals of the lease.
    fn budget(&self) -> Duration {
        self.leases.as_ref().map_or(BATCH_TIME, |leases| leases.renew_every().min(BATCH_TIME))
    }

    fn measured(&mut self, batch: &Measured, budget: Duration) {
        self.pace.moved.fetch_add(1, Ordering::Relaxed);
        self.pace.stored(batch, budget);
        self.patience = None;
        let Some(leases) = &self.leases else { return };
        if batch.folded > 0 && batch.took > leases.renew_every() {
            tracing::warn!(
                model = self.model.name,
                events = batch.folded,
                took = ?batch.took,
                lease_third = ?leases.renew_every(),
                "a batch took longer than a third of the lease: make the model's code faster, or the lease longer"
            );
        }
    }

    /// The event that can't be folded, unless another process has moved the model since: then its rows were ahead of the events.
    async fn unless_superseded(&self, why: ProjectionError) -> Result<ProjectionError, StoreError> {
        let stored = self.rows.checkpoint(self.model.place).await?;
        Ok(if stored == self.checkpoint { why } else { ProjectionError::Superseded })
    }

    async fn read(&self, max: usize, until: Instant) -> Result<Batch<M>, ProjectionError> {
        if self.pace.apart {
            return self.read_apart(max, until).await;
        }
        let mut reading = Reading::new(self.position, until);
        let (feeder, parked) = (&self.feeder, &*self.parked);
        self.log
            .read_all(self.position, max, &mut |event| {
                if !parked.is_empty() && parked.contains_key(event.stream) {
                    reading.skip(&event)
                } else {
                    reading.take(feeder, &event)
                }
            })
            .await?;
        Ok(reading.batch)
    }

    /// The same where the user's code has a thread of its own.
    async fn read_apart(&self, max: usize, until: Instant) -> Result<Batch<M>, ProjectionError> {
        let (mut copies, mut bytes) = (Vec::new(), 0);
        self.log
            .read_all(self.position, max, &mut |event| {
                bytes += event.payload.len();
                copies.push(Copied::of(&event));
                if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await?;
        let mut reading = Reading::new(self.position, until);
        let (feeder, parked) = (Arc::clone(&self.feeder), Arc::clone(&self.parked));
        self.on_a_thread(move |moved, cancelled| {
            for copy in &copies {
                moved.fetch_add(1, Ordering::Relaxed);
                let event = copy.event();
                let parked = !parked.is_empty() && parked.contains_key(event.stream);
                let next = if parked { reading.skip(&event) } else { reading.take(&feeder, &event) };
                if next.is_break() || cancelled.load(Ordering::Relaxed) {
                    break;
                }
            }
            reading.batch
        })
        .await
    }

    /// Folds events into their rows, until time is up; the first one in any case.
    async fn fold(&mut self, events: VecDeque<(Place, Pending<M>)>, budget: Duration) -> Result<FoldResult, ProjectionError> {
        let mut folding = match Folding::new(events) {
            Ok(folding) => folding,
            Err(failed) => return Ok(Err(failed)),
        };
        let stored = if folding.keys.is_empty() { Vec::new() } else { self.read_rows(&folding.keys).await? };
        let until = Instant::now() + budget;
        let folding = if self.pace.apart {
            self.on_a_thread(move |moved, cancelled| {
                folding.take_rows(stored)?;
                while !folding.run(until, moved) && Instant::now() < until && !cancelled.load(Ordering::Relaxed) {}
                Ok::<_, ProjectionError>(folding)
            })
            .await??
        } else {
            folding.take_rows(stored)?;
            loop {
                let began = Instant::now();
                let done = folding.run(until.min(began + SLICE), &self.pace.moved);
                self.look_at_slice(began.elapsed());
                if done || Instant::now() >= until {
                    break folding;
                }
                tokio::task::yield_now().await;
            }
        };
        let folded = folding.finish();
        self.outlived().await?;
        Ok(folded)
    }

    /// If one event blocks its thread for as long, nothing on this thread can renew the lease.
    pub(super) fn look_at_slice(&mut self, took: Duration) {
        if let Some(leases) = &self.leases
            && took > leases.renew_every()
        {
            tracing::warn!(
                model = self.model.name,
                ?took,
                "folding one event takes long: from here on it has a thread of its own"
            );
            self.pace.apart = true;
        }
    }

    /// Runs the user's code on a thread of the blocking pool. If this future is dropped, the code is asked to end.
    pub(super) async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicU64, &AtomicBool) -> T + Send + 'static,
    ) -> Result<T, ProjectionError> {
        struct Cancel(Arc<AtomicBool>);
        impl Drop for Cancel {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let (moved, cancelled) = (Arc::clone(&self.pace.moved), Arc::new(AtomicBool::new(false)));
        let _cancel = Cancel(Arc::clone(&cancelled));
        match tokio::task::spawn_blocking(move || work(&moved, &cancelled)).await {
            Ok(done) => Ok(done),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(ProjectionError::RuntimeEnded),
            },
        }
    }

    async fn store(&mut self, changes: Vec<RowChange>, to: Position) -> Result<(), CommitError> {
        self.position = to;
        if !changes.is_empty() || self.stored_at.elapsed() >= IDLE_CHECKPOINT {
            self.commit(changes, Vec::new()).await?;
        }
        self.model.progress.send_if_modified(|progress| {
            let moved = progress.position < to;
            (progress.position, progress.incarnation) = (to, self.incarnation);
            moved
        });
        Ok(())
    }
}

/// A batch while its events are read.
struct Reading<M> {
    batch: Batch<M>,
    bytes: usize,
    until: Instant,
}

impl<M: Projection> Reading<M> {
    fn new(after: Position, until: Instant) -> Self {
        let batch = Batch { events: VecDeque::new(), seen: 0, last: after, unreadable: None };
        Reading { batch, bytes: 0, until }
    }

    /// An event of a parked stream.
    fn skip(&mut self, event: &StoredEvent<'_>) -> ControlFlow<()> {
        (self.batch.seen, self.batch.last) = (self.batch.seen + 1, event.position);
        ControlFlow::Continue(())
    }

    fn take(&mut self, feeder: &Feeder<M>, event: &StoredEvent<'_>) -> ControlFlow<()> {
        let batch = &mut self.batch;
        let (whole, seen) = (batch.events.len(), batch.seen);
        let mut misplaced = None;
        let read = feeder.read(event, &mut |pending| match Place::of(event, seen) {
            Ok(place) => batch.events.push_back((place, pending)),
            Err(why) => misplaced = Some(why),
        });
        if let Some(why) = read.map_err(|why| Place::error_of(event, why)).err().or(misplaced) {
            batch.events.truncate(whole);
            batch.unreadable = Some(why);
            return ControlFlow::Break(());
        }
        (batch.seen, batch.last) = (batch.seen + 1, event.position);
        if batch.events.len() == whole {
            return ControlFlow::Continue(());
        }
        self.bytes += event.payload.len();
        if self.bytes < PAGE_BYTES && Instant::now() < self.until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Events on their way into their rows.
struct Folding<M: Projection> {
    events: VecDeque<(Place, Pending<M>)>,
    keys: Vec<Value>,
    row_of: HashMap<M::Key, usize>,
    rows: Vec<Option<M>>,
    /// The events that are folded.
    places: Vec<Place>,
    /// How many of the rows they belong to. Rows stand in the order of their first events.
    used: usize,
    failed: Option<(usize, ProjectionError)>,
}

impl<M: Projection> Folding<M> {
    fn new(events: VecDeque<(Place, Pending<M>)>) -> Result<Self, (usize, ProjectionError)> {
        let (mut row_of, mut keys) = (HashMap::<M::Key, usize>::new(), Vec::new());
        for (place, pending) in &events {
            if !row_of.contains_key(pending.key()) {
                let value = key_value::<M>(pending.key()).map_err(|why| (place.before, place.error(None, why.into())))?;
                row_of.insert(pending.key().clone(), keys.len());
                keys.push(value);
            }
        }
        let places = Vec::with_capacity(events.len());
        Ok(Folding { events, keys, row_of, rows: Vec::new(), places, used: 0, failed: None })
    }

    fn take_rows(&mut self, stored: Vec<Option<Row>>) -> Result<(), ProjectionError> {
        self.rows.reserve(stored.len());
        for (row, key) in stored.into_iter().zip(&self.keys) {
            self.rows.push(row.map(from_row::<M>).transpose().map_err(|why| damaged::<M>(key, &why))?);
        }
        Ok(())
    }

    /// Folds one stored event after another until this time; answers whether it has come to the end.
    fn run(&mut self, until: Instant, moved: &AtomicU64) -> bool {
        while let Some((place, pending)) = self.events.pop_front() {
            let row = self.row_of[pending.key()];
            let folded = catch(|| {
                pending.apply(&mut self.rows[row]).map_err(FoldError::from).and_then(|()| as_stored(&mut self.rows[row]))
            });
            if let Err(why) = folded {
                self.failed = Some((place.before, place.error(Some(&self.keys[row]), why)));
                return true;
            }
            moved.fetch_add(1, Ordering::Relaxed);
            self.used = self.used.max(row + 1);
            let whole = self.events.front().is_none_or(|(next, _)| next.before != place.before);
            self.places.push(place);
            if whole && Instant::now() >= until {
                return self.events.is_empty();
            }
        }
        true
    }

    fn finish(self) -> FoldResult {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let cut = if self.events.is_empty() { None } else { self.places.last().map(|place| place.at.position) };
        let rows = self.keys.into_iter().zip(&self.rows).take(self.used);
        let changes: Result<Vec<_>, _> = rows.map(|(key, row)| to_change(key, row.as_ref())).collect();
        match changes {
            Ok(changes) => Ok(Folded { changes, places: self.places, cut }),
            Err(why) => Err(suspect(&self.places, &why)),
        }
    }
}

/// An event as it is stored, kept while the store goes on.
pub(super) struct Copied {
    position: Position,
    stream: String,
    version: Version,
    name: String,
    schema_version: u32,
    payload: Vec<u8>,
    id: Uuid,
    recorded_at: Timestamp,
    occurred_at: Timestamp,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    actor: Option<String>,
}

impl Copied {
    pub(super) fn of(event: &StoredEvent<'_>) -> Self {
        Copied {
            position: event.position,
            stream: event.stream.to_owned(),
            version: event.version,
            name: event.name.to_owned(),
            schema_version: event.schema_version,
            payload: event.payload.to_vec(),
            id: event.id,
            recorded_at: event.recorded_at,
            occurred_at: event.occurred_at,
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            actor: event.actor.map(ToOwned::to_owned),
        }
    }

    pub(super) fn event(&self) -> StoredEvent<'_> {
        StoredEvent {
            position: self.position,
            stream: &self.stream,
            version: self.version,
            name: &self.name,
            schema_version: self.schema_version,
            payload: &self.payload,
            id: self.id,
            recorded_at: self.recorded_at,
            occurred_at: self.occurred_at,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            actor: self.actor.as_deref(),
        }
    }
}

/// The one of these events that made a row which can't be kept is among those before this one, or it or one behind it: it is found
/// by halving. What one stored event has become stays together; where only one is left, it is that one.
fn suspect(places: &[Place], why: &FoldError) -> (usize, ProjectionError) {
    let middle = &places[places.len() / 2];
    let place = places.iter().find(|place| place.before > 0).filter(|_| middle.before == 0).unwrap_or(middle);
    (place.before, place.error(None, why.clone()))
}

fn to_change<M: Projection>(key: Value, row: Option<&M>) -> Result<RowChange, FoldError> {
    let row: Option<Row> = row.map(to_row).transpose()?;
    Ok(RowChange { key, row })
}

pub(super) fn damaged<M: Projection>(key: &Value, why: &crate::ColumnError) -> ProjectionError {
    ProjectionError::Store(StoreError::Damaged(format!("row {key} of the read model `{}`: {why}", M::TABLE)))
}

impl Place {
    pub(super) fn of(event: &StoredEvent<'_>, before: usize) -> Result<Self, ProjectionError> {
        let stream = StreamName::parse(event.stream)
            .map_err(|why| StoreError::Damaged(format!("the stream's name at position {}: {why}", event.position)))?;
        let StoredEvent { version, position, schema_version, .. } = *event;
        let at = EventPlace { stream, version, position, name: event.name.to_owned(), schema_version };
        Ok(Place { before, at })
    }
    pub(super) fn error_of(event: &StoredEvent<'_>, why: FoldError) -> ProjectionError {
        Self::of(event, 0).map_or_else(|damaged| damaged, |place| place.error(None, why))
    }
    pub(super) fn error(&self, key: Option<&Value>, why: FoldError) -> ProjectionError {
        ProjectionError::of(self.at.clone(), key.map(ToString::to_string), why)
    }
}
