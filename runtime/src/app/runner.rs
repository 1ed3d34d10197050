//! Feeding a read model: read a batch of events, fold them into their rows, store rows and checkpoint together.
//!
//! Always true here: rows and checkpoint move in one transaction, so each event is in the rows exactly once, whatever
//! happens between two batches. A batch that meets an event it can't fold is cut off before it and done again, so a row
//! that an event left half changed is never stored; the model then parks the event's stream (`parking.rs`), or stops before
//! that event, and says so.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::watch;

use super::load::PAGE_BYTES;
use super::model::{Feeder, Model, ParkedStreams, Pending, catch, key_value};
use crate::error::{EventPlace, ProjectionError, StoreError, panic_message};
use crate::read::{FoldError, Projection, Row, Value};
use crate::store::{Checkpoint, CommitError, EventLog, Leases, ParkingChange, ReadModelStore, RowChange, StoredEvent};
use crate::{Position, StreamName};

/// The most events a batch reads.
const BATCH_EVENTS: usize = 4_000;
/// How long a checkpoint may lag behind while no event matches.
const IDLE_CHECKPOINT: Duration = Duration::from_secs(1);
/// The pauses between attempts while the store fails: the first and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Feeds one read model.
pub(crate) struct Runner<M> {
    pub(crate) model: Arc<Model>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) rows: Arc<dyn ReadModelStore>,
    /// Where several processes may feed the model.
    pub(crate) leases: Option<Arc<dyn Leases>>,
    /// When the lease was renewed last.
    pub(crate) renewed_at: Instant,
    pub(crate) feeder: Feeder<M>,
    /// What is stored.
    pub(crate) checkpoint: Checkpoint,
    /// How far it has read; beyond the checkpoint only while nothing matched.
    pub(crate) position: Position,
    pub(crate) stored_at: Instant,
    /// The streams that are passed over, as the store has them.
    pub(crate) parked: Arc<ParkedStreams>,
    /// Which of those who asked for another try at them have been heard; none before the first try.
    pub(crate) retried: Option<u64>,
}

/// A runner without its type.
#[async_trait::async_trait]
pub(crate) trait Running: Send {
    async fn catch_up(&mut self) -> Result<(), ProjectionError>;
    async fn run(self: Box<Self>, shutdown: watch::Receiver<bool>);
}

#[async_trait::async_trait]
impl<M: Projection> Running for Runner<M> {
    async fn catch_up(&mut self) -> Result<(), ProjectionError> {
        Runner::catch_up(self).await
    }
    async fn run(self: Box<Self>, shutdown: watch::Receiver<bool>) {
        Runner::run(*self, shutdown).await;
    }
}

/// Where an event stands.
pub(super) struct Place {
    /// How many events of its batch came before it, matching or not.
    before: usize,
    at: EventPlace,
}

struct Batch<M> {
    events: Vec<(Place, Pending<M>)>,
    /// How many events were looked at, matching or not.
    seen: usize,
    last: Position,
    /// What kept it from going on.
    unreadable: Option<ProjectionError>,
}

/// What events have made of their rows.
struct Folded {
    changes: Vec<RowChange>,
    places: Vec<Place>,
}

impl<M: Projection> Runner<M> {
    /// Runs until the app shuts down or the model can't go on. However it ends, whoever waits for the model is told.
    pub(crate) async fn run(self, shutdown: watch::Receiver<bool>) {
        let model = Arc::clone(&self.model);
        let ended = AssertUnwindSafe(self.feed(shutdown)).catch_unwind().await;
        let why = ended.unwrap_or_else(|panic| ProjectionError::Panicked(panic_message(&*panic)));
        match &why {
            ProjectionError::Store(StoreError::Closed) => {}
            ProjectionError::NewerBuildNeeded(event) => {
                tracing::warn!(model = model.name, %event, "the read model gives up its work: it needs a newer build");
            }
            why => tracing::error!(model = model.name, %why, "the read model has stopped"),
        }
        model.progress.send_modify(|progress| progress.stopped = Some(why));
    }

    /// Feeds the model whenever it is this process's; answers why it does so no longer.
    async fn feed(mut self, mut shutdown: watch::Receiver<bool>) -> ProjectionError {
        let Some(leases) = self.leases.clone() else { return self.feed_own(&mut shutdown).await };
        loop {
            if let Err(why) = self.take_over(&*leases, &mut shutdown).await {
                return why;
            }
            let why = self.feed_own(&mut shutdown).await;
            if !matches!(why, ProjectionError::Superseded) {
                // So that others, perhaps of a newer build, need not wait. Where it fails, the lease runs out.
                let _ = leases.release(self.model.place, self.checkpoint.epoch).await;
                return why;
            }
            tracing::warn!(model = self.model.name, "another process has taken over the read model");
        }
    }

    /// Waits until the model is this process's. Reads look at what another one stores meanwhile.
    async fn take_over(&mut self, leases: &dyn Leases, shutdown: &mut watch::Receiver<bool>) -> Result<(), ProjectionError> {
        loop {
            if *shutdown.borrow_and_update() {
                return Err(StoreError::Closed.into());
            }
            match leases.acquire(self.model.place).await {
                Ok(Some(checkpoint)) => {
                    tracing::info!(model = self.model.name, epoch = checkpoint.epoch, "feeds the read model");
                    (self.checkpoint, self.position, self.retried) = (checkpoint, checkpoint.position, None);
                    self.renewed_at = Instant::now();
                    return Ok(());
                }
                Ok(None) => self.model.progress.send_modify(|progress| progress.stopped = Some(ProjectionError::Superseded)),
                Err(why @ StoreError::Driver { .. }) => {
                    tracing::warn!(model = self.model.name, %why, "whose the read model is can't be found out, trying again");
                }
                Err(why) => return Err(why.into()),
            }
            // An app that is gone wants nothing more than one that shuts down.
            if let Ok(Err(_)) = tokio::time::timeout(leases.renew_every(), shutdown.changed()).await {
                return Err(StoreError::Closed.into());
            }
        }
    }

    /// Says that it is still there, where it is time to.
    pub(super) async fn renew(&mut self) -> Result<(), ProjectionError> {
        match &self.leases {
            Some(leases) if self.renewed_at.elapsed() >= leases.renew_every() => self.renew_now().await,
            _ => Ok(()),
        }
    }

    async fn renew_now(&mut self) -> Result<(), ProjectionError> {
        let Some(leases) = &self.leases else { return Ok(()) };
        if !leases.renew(self.model.place, self.checkpoint.epoch).await? {
            return Err(ProjectionError::Superseded);
        }
        self.renewed_at = Instant::now();
        Ok(())
    }

    async fn feed_own(&mut self, shutdown: &mut watch::Receiver<bool>) -> ProjectionError {
        let (mut pause, mut behind, mut unsure) = (PAUSE.0, true, false);
        loop {
            if *shutdown.borrow_and_update() {
                return self.store_position().await.err().unwrap_or(StoreError::Closed.into());
            }
            let turned = if unsure { self.turn_anew().await } else { self.turn().await };
            unsure &= turned.is_err();
            let stopped = match turned {
                Ok(0) => {
                    if std::mem::replace(&mut behind, false) {
                        tracing::info!(model = self.model.name, position = %self.position, "has caught up");
                    }
                    match self.wait(shutdown).await {
                        Ok(()) => continue,
                        Err(why) => why.into(),
                    }
                }
                Ok(_) => {
                    pause = PAUSE.0;
                    continue;
                }
                Err(why) => why,
            };
            match stopped {
                // Busy, or full, or a disk that fails for a while, or a connection that was lost: it is tried until it is stored.
                ProjectionError::Store(why @ StoreError::Driver { .. }) => {
                    tracing::warn!(model = self.model.name, %why, ?pause, "the store failed, trying again");
                    let _ = tokio::time::timeout(pause, shutdown.changed()).await;
                    pause = (pause * 2).min(PAUSE.1);
                    unsure = true;
                }
                why => return why,
            }
        }
    }

    /// Runs until everything there is now is in the rows, from wherever the store says that they are.
    pub(crate) async fn catch_up(&mut self) -> Result<(), ProjectionError> {
        self.checkpoint = self.rows.checkpoint(self.model.place).await?;
        self.position = self.checkpoint.position;
        self.take_up_parked().await?;
        while self.step().await? > 0 {}
        self.store_position().await
    }

    async fn wait(&mut self, shutdown: &mut watch::Receiver<bool>) -> Result<(), StoreError> {
        let lags = self.position != self.checkpoint.position;
        let mut asked = self.model.retries_asked.subscribe();
        let heard = self.retried;
        let renew_in = self.leases.as_ref().map(|leases| leases.renew_every().saturating_sub(self.renewed_at.elapsed()));
        tokio::select! {
            // An app that is gone wants nothing more than one that shuts down.
            ended = shutdown.changed() => if ended.is_err() { Err(StoreError::Closed) } else { Ok(()) },
            waited = self.log.wait_beyond(self.position) => waited,
            // The model holds the sender.
            () = async { let _ = asked.wait_for(|asked| Some(*asked) > heard).await; } => Ok(()),
            () = tokio::time::sleep(renew_in.unwrap_or_default()), if renew_in.is_some() => Ok(()),
            () = tokio::time::sleep(IDLE_CHECKPOINT), if lags => match self.store_position().await {
                Err(ProjectionError::Store(why)) => Err(why),
                // Whoever took over will be met by the next batch.
                _ => Ok(()),
            },
        }
    }

    /// The same after the store failed: where a connection was lost at a commit, it may have been stored all the same, or be about to
    /// be. The lease stands in the model's row, which that commit has changed, so it is over once the lease could be renewed. Under
    /// the same epoch nobody else has moved the checkpoint.
    async fn turn_anew(&mut self) -> Result<usize, ProjectionError> {
        self.renew_now().await?;
        let stored = self.rows.checkpoint(self.model.place).await?;
        if stored.epoch != self.checkpoint.epoch {
            return Err(ProjectionError::Superseded);
        }
        (self.checkpoint, self.position, self.retried) = (stored, stored.position, None);
        self.turn().await
    }

    /// What is parked, where it is time to try that again, and one batch.
    async fn turn(&mut self) -> Result<usize, ProjectionError> {
        self.renew().await?;
        let asked = *self.model.retries_asked.borrow();
        match self.retried {
            None => self.take_up_parked().await?,
            Some(heard) if heard < asked => self.retry_parked().await?,
            Some(_) => return self.step().await,
        }
        self.retried = Some(asked);
        self.model.progress.send_modify(|progress| progress.retried = asked);
        self.step().await
    }

    /// One batch; answers how many events it looked at.
    async fn step(&mut self) -> Result<usize, ProjectionError> {
        let (mut max, from) = (BATCH_EVENTS, self.position);
        loop {
            let batch = self.read(max).await?;
            let (seen, unreadable, last) = (batch.seen, batch.unreadable.clone(), batch.last);
            let stored = match self.fold(batch.events).await? {
                Ok(folded) => match self.store(folded.changes, last).await {
                    Err(CommitError::Unstorable(why)) => {
                        // Events are counted from there.
                        self.position = from;
                        Err(suspect(&folded.places, &FoldError::Unstorable(why.to_string())))
                    }
                    stored => Ok(stored?),
                },
                Err(failed) => Err(failed),
            };
            match stored {
                Ok(()) => {
                    // What went before it is stored; now it is the first of the next batch.
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

    /// An event that can't be folded, unless somebody else has moved the model since: then its rows were ahead of the events.
    async fn unless_superseded(&self, why: ProjectionError) -> Result<ProjectionError, StoreError> {
        let stored = self.rows.checkpoint(self.model.place).await?;
        Ok(if stored == self.checkpoint { why } else { ProjectionError::Superseded })
    }

    async fn read(&self, max: usize) -> Result<Batch<M>, ProjectionError> {
        let mut batch = Batch { events: Vec::new(), seen: 0, last: self.position, unreadable: None };
        let mut bytes = 0;
        let (feeder, parked) = (&self.feeder, &*self.parked);
        self.log
            .read_all(self.position, max, &mut |event| {
                if !parked.is_empty() && parked.contains_key(event.stream) {
                    (batch.seen, batch.last) = (batch.seen + 1, event.position);
                    return ControlFlow::Continue(());
                }
                let (whole, seen) = (batch.events.len(), batch.seen);
                let mut misplaced = None;
                let read = feeder.read(&event, &mut |pending| match Place::of(&event, seen) {
                    Ok(place) => batch.events.push((place, pending)),
                    Err(why) => misplaced = Some(why),
                });
                if let Some(why) = read.map_err(|why| Place::error_of(&event, why)).err().or(misplaced) {
                    // What a retired event has become is folded whole or not at all.
                    batch.events.truncate(whole);
                    batch.unreadable = Some(why);
                    return ControlFlow::Break(());
                }
                if batch.events.len() > whole {
                    bytes += event.payload.len();
                }
                batch.seen += 1;
                batch.last = event.position;
                if bytes < PAGE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await?;
        Ok(batch)
    }

    /// What the events make of their rows; else how many events of the log lie before the one that can't be folded.
    #[allow(clippy::type_complexity, reason = "it is used once, right above")]
    async fn fold(&self, events: Vec<(Place, Pending<M>)>) -> Result<Result<Folded, (usize, ProjectionError)>, ProjectionError> {
        let (mut places_of, mut keys) = (HashMap::<M::Key, usize>::new(), Vec::new());
        for (place, pending) in &events {
            if !places_of.contains_key(pending.key()) {
                match key_value::<M>(pending.key()) {
                    Ok(value) => {
                        places_of.insert(pending.key().clone(), keys.len());
                        keys.push(value);
                    }
                    Err(why) => return Ok(Err((place.before, place.error(None, why.into())))),
                }
            }
        }
        let stored = if keys.is_empty() { Vec::new() } else { self.rows.rows(self.model.place, &keys).await? };
        let mut rows = Vec::with_capacity(stored.len());
        for (row, key) in stored.into_iter().zip(&keys) {
            rows.push(row.map(M::from_row).transpose().map_err(|why| damaged::<M>(key, &why))?);
        }
        let mut places = Vec::with_capacity(events.len());
        for (place, pending) in events {
            let row = places_of[pending.key()];
            if let Err(why) = catch(|| pending.apply(&mut rows[row])) {
                return Ok(Err((place.before, place.error(Some(&keys[row]), why))));
            }
            places.push(place);
        }
        let changes: Result<Vec<_>, _> = keys.into_iter().zip(&rows).map(|(key, row)| to_change(key, row.as_ref())).collect();
        Ok(match changes {
            Ok(changes) => Ok(Folded { changes, places }),
            Err(why) => Err(suspect(&places, &why.into())),
        })
    }

    async fn store(&mut self, changes: Vec<RowChange>, to: Position) -> Result<(), CommitError> {
        self.position = to;
        if !changes.is_empty() || self.stored_at.elapsed() >= IDLE_CHECKPOINT {
            self.commit(changes, Vec::new()).await?;
        }
        self.model.progress.send_if_modified(|progress| {
            let moved = progress.position < to;
            progress.position = to;
            moved
        });
        Ok(())
    }

    pub(super) async fn store_position(&mut self) -> Result<(), ProjectionError> {
        if self.position != self.checkpoint.position {
            self.commit(Vec::new(), Vec::new()).await?;
        }
        Ok(())
    }

    /// Stores rows, what is parked with them, and how far the model has come.
    pub(super) async fn commit(&mut self, changes: Vec<RowChange>, parking: Vec<ParkingChange>) -> Result<(), CommitError> {
        let (place, from, to) = (self.model.place, self.checkpoint, self.position);
        let committed = self.rows.commit_parking(place, changes, parking, from, to).await;
        match committed {
            Ok(()) => {
                self.checkpoint.position = self.position;
                self.stored_at = Instant::now();
                Ok(())
            }
            // It was not stored, as far as is known, so it is read again from where the store is.
            Err(why) => {
                self.position = self.checkpoint.position;
                Err(why)
            }
        }
    }
}

/// The one of these events that made a row which can't be kept is among those before this one, or it or one behind it: which it is is found
/// by halving. What one stored event has become stays together; where only one is left, it is that one.
fn suspect(places: &[Place], why: &FoldError) -> (usize, ProjectionError) {
    let middle = &places[places.len() / 2];
    let place = places.iter().find(|place| place.before > 0).filter(|_| middle.before == 0).unwrap_or(middle);
    (place.before, place.error(None, why.clone()))
}

fn to_change<M: Projection>(key: Value, row: Option<&M>) -> Result<RowChange, crate::ColumnError> {
    let row: Option<Row> = row.map(M::to_row).transpose()?;
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
