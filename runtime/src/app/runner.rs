//! Feeding a read model: read a batch of events, fold them into their rows, store rows and checkpoint together.
//!
//! Always true here: rows and checkpoint move in one transaction, so each event is in the rows exactly once, whatever
//! happens between two batches (`batch.rs`). An event that can't be folded parks its stream (`parking.rs`), or the model stops
//! before that event, and says so.
//!
//! However a runner ends, and while its store fails, each read says so. A lease is renewed beside a batch, in the same task, so
//! the renewals end with the runner.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::watch;

use super::batch::Pace;
use super::begun::Begun;
use super::failing::Failing;
use super::lease::Keeper;
use super::model::{Feeder, Model, ParkedStreams};
use crate::Position;
use crate::error::{ProjectionError, StoreError, panic_message};
use crate::read::Projection;
use crate::store::{Checkpoint, CommitError, EventLog, Leases, ParkingChange, ReadModelStore, RowChange};

/// How long a checkpoint may lag behind while no event matches.
pub(super) const IDLE_CHECKPOINT: Duration = Duration::from_secs(1);

/// Feeds one read model.
pub(crate) struct Runner<M> {
    pub(crate) model: Arc<Model>,
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) rows: Arc<dyn ReadModelStore>,
    /// Where several processes may feed the model.
    pub(crate) leases: Option<Arc<dyn Leases>>,
    /// When the lease was renewed last.
    pub(crate) renewed_at: Instant,
    /// How long a batch may do nothing before the lease is not renewed any more. `None` is as long as at first.
    pub(crate) patience: Option<Duration>,
    pub(crate) feeder: Arc<Feeder<M>>,
    pub(crate) pace: Pace,
    pub(crate) failing: Failing,
    pub(crate) begun: Begun,
    /// What is stored.
    pub(crate) checkpoint: Checkpoint,
    /// The store's [incarnation](ReadModelStore::incarnation) when that was known.
    pub(crate) incarnation: u64,
    /// How far it has read; beyond the checkpoint only while nothing matched.
    pub(crate) position: Position,
    pub(crate) stored_at: Instant,
    /// The streams that are passed over, as the store has them.
    pub(crate) parked: Arc<ParkedStreams>,
    /// Which of those who asked for another try at them have been heard; none before the first try.
    pub(crate) retried: Option<u64>,
}

/// A batch may do nothing for as many renewals of its lease. Then it is taken for stuck.
const STUCK_RENEWALS: u32 = 24;
/// The longest such time, which doubles each time the model was lost.
const PATIENCE_MAX: Duration = Duration::from_hours(1);

/// A runner without its type.
#[async_trait::async_trait]
pub(crate) trait Running: Send {
    async fn catch_up(&mut self) -> Result<(), ProjectionError>;
    /// Feeds the model until it can't go on; answers why.
    async fn feed(self: Box<Self>, shutdown: watch::Receiver<bool>) -> ProjectionError;
}

#[async_trait::async_trait]
impl<M: Projection> Running for Runner<M> {
    async fn catch_up(&mut self) -> Result<(), ProjectionError> {
        let caught_up = AssertUnwindSafe(Runner::catch_up(self)).catch_unwind().await;
        caught_up.unwrap_or_else(|panic| Err(ProjectionError::Panicked(panic_message(&*panic))))
    }
    async fn feed(self: Box<Self>, shutdown: watch::Receiver<bool>) -> ProjectionError {
        Runner::feed(*self, shutdown).await
    }
}

/// Runs until the app shuts down or the model can't go on.
pub(crate) fn run(
    model: &Arc<Model>,
    runner: Box<dyn Running>,
    shutdown: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    // It goes with the task, also if the task never ran.
    let mut end = End { model: Arc::clone(model), why: ProjectionError::RuntimeEnded };
    async move {
        let ended = AssertUnwindSafe(runner.feed(shutdown)).catch_unwind().await;
        end.why = ended.unwrap_or_else(|panic| ProjectionError::Panicked(panic_message(&*panic)));
        let model = end.model.name;
        match &end.why {
            ProjectionError::Store(StoreError::Closed) | ProjectionError::RuntimeEnded => {}
            ProjectionError::NewerBuildNeeded(event) => {
                tracing::warn!(model, %event, "the read model gives up its work: it needs a newer build");
            }
            why => tracing::error!(model, %why, "the read model has stopped"),
        }
    }
}

/// The end of a runner, however it ends: each read is told.
struct End {
    model: Arc<Model>,
    why: ProjectionError,
}

impl Drop for End {
    fn drop(&mut self) {
        self.model.progress.send_modify(|progress| progress.stopped = Some(self.why.clone()));
    }
}

impl<M: Projection> Runner<M> {
    /// Feeds the model whenever it is this process's; answers why it does so no longer.
    async fn feed(mut self, mut shutdown: watch::Receiver<bool>) -> ProjectionError {
        let Some(leases) = self.leases.clone() else {
            let why = self.feed_own(&mut shutdown).await;
            self.stop_feeding().await;
            return why;
        };
        loop {
            if let Err(why) = self.take_over(&*leases, &mut shutdown).await {
                return why;
            }
            match self.feed_own(&mut shutdown).await {
                ProjectionError::Superseded => {
                    tracing::warn!(model = self.model.name, position = %self.checkpoint.position, "another process has taken over the read model");
                    // This process lives.
                    let _ = self.outlived().await;
                    self.pace.lost();
                    let patience = self.patience.unwrap_or(leases.renew_every() * STUCK_RENEWALS);
                    self.patience = Some((patience * 2).min(PATIENCE_MAX));
                }
                // Another process may have what this one lacks; and if not, its reads are to say so too.
                ProjectionError::Store(why) if !matches!(why, StoreError::Closed) => {
                    self.give_back(&*leases).await;
                    let _ = tokio::time::timeout(self.failing.pause(), shutdown.changed()).await;
                }
                why => {
                    self.give_back(&*leases).await;
                    return why;
                }
            }
        }
    }

    /// So that others, perhaps of a newer build, need not wait. Where it fails, the lease runs out.
    async fn give_back(&mut self, leases: &dyn Leases) {
        self.stop_feeding().await;
        let _ = leases.release(self.model.place, self.checkpoint.epoch).await;
    }

    /// Waits until the model is this process's. Reads look at what another one stores meanwhile.
    async fn take_over(&mut self, leases: &dyn Leases, shutdown: &mut watch::Receiver<bool>) -> Result<(), ProjectionError> {
        loop {
            if *shutdown.borrow_and_update() {
                return Err(StoreError::Closed.into());
            }
            let incarnation = self.rows.incarnation();
            match leases.acquire(self.model.place).await {
                Ok(Some(checkpoint)) => {
                    tracing::info!(model = self.model.name, epoch = checkpoint.epoch, "feeds the read model");
                    (self.checkpoint, self.position, self.retried) = (checkpoint, checkpoint.position, None);
                    (self.renewed_at, self.incarnation) = (Instant::now(), incarnation);
                    return Ok(());
                }
                Ok(None) => self.is_superseded().await,
                Err(StoreError::Closed) => return Err(StoreError::Closed.into()),
                Err(why) => self.failing.note(&self.model, &why),
            }
            // An app that is gone wants nothing more than one that shuts down.
            if let Ok(Err(_)) = tokio::time::timeout(leases.renew_every(), shutdown.changed()).await {
                return Err(StoreError::Closed.into());
            }
        }
    }

    /// Another process feeds the model. If this one could not, that is no longer the answer of its reads once the other one can.
    async fn is_superseded(&mut self) {
        if self.failing.is_said() {
            let stored = self.rows.checkpoint(self.model.place).await;
            if !stored.is_ok_and(|stored| stored.position > self.checkpoint.position) {
                return;
            }
        }
        self.failing = Failing::default();
        let asked = *self.model.retries_asked.borrow();
        self.model.progress.send_modify(|progress| {
            // Whoever asked for another try is told that this process can't give it one.
            (progress.stopped, progress.retried) = (Some(ProjectionError::Superseded), asked);
        });
    }

    /// Renews the lease, if it is time to.
    pub(super) async fn renew(&mut self) -> Result<(), ProjectionError> {
        match &self.leases {
            Some(leases) if self.renewed_at.elapsed() >= leases.renew_every() => self.renew_now().await,
            _ => Ok(()),
        }
    }

    async fn renew_now(&mut self) -> Result<(), ProjectionError> {
        let Some(leases) = &self.leases else { return Ok(()) };
        let asked_at = Instant::now();
        if !leases.renew(self.model.place, self.checkpoint.epoch).await? {
            return Err(ProjectionError::Superseded);
        }
        self.renewed_at = asked_at;
        Ok(())
    }

    async fn feed_own(&mut self, shutdown: &mut watch::Receiver<bool>) -> ProjectionError {
        let (mut behind, mut unsure) = (true, false);
        loop {
            if *shutdown.borrow_and_update() {
                return self.store_position().await.err().unwrap_or(StoreError::Closed.into());
            }
            let turned = self.turn_kept(unsure).await;
            unsure &= turned.is_err();
            if turned.is_ok() {
                self.failing.is_over(&self.model);
            } else {
                // Whatever has failed, the process lives. Where this fails too, the note stays.
                let _ = self.outlived().await;
            }
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
                Ok(_) => continue,
                Err(why) => why,
            };
            match stopped {
                // Busy, or full, or a disk that fails for a while, or a connection that was lost, or a right that is missing: it
                // is tried until it is stored.
                ProjectionError::Store(why) if !matches!(why, StoreError::Closed) => {
                    self.failing.note(&self.model, &why);
                    if self.failing.is_said() && self.leases.is_some() {
                        return why.into();
                    }
                    let _ = tokio::time::timeout(self.failing.pause(), shutdown.changed()).await;
                    unsure = true;
                }
                why => return why,
            }
        }
    }

    /// A turn, while the lease is renewed. The renewals stop if the turn does nothing for long: a process that is stuck must not
    /// keep the model.
    async fn turn_kept(&mut self, unsure: bool) -> Result<usize, ProjectionError> {
        let Some(leases) = self.leases.clone() else { return self.turn_or_anew(unsure).await };
        let patience = self.patience.unwrap_or(leases.renew_every() * STUCK_RENEWALS);
        let mut keeper = Keeper {
            leases: &*leases,
            model: &Arc::clone(&self.model),
            epoch: self.checkpoint.epoch,
            renewed_at: self.renewed_at,
            moved: &Arc::clone(&self.pace.moved),
            patience,
        };
        let turned = tokio::select! {
            biased;
            turned = self.turn_or_anew(unsure) => turned,
            lost = keeper.keep() => Err(lost),
        };
        self.renewed_at = self.renewed_at.max(keeper.renewed_at);
        turned
    }

    async fn turn_or_anew(&mut self, unsure: bool) -> Result<usize, ProjectionError> {
        // Another server may not have the checkpoint that was stored on the one before.
        if unsure || self.rows.incarnation() != self.incarnation { self.turn_anew().await } else { self.turn().await }
    }

    /// Runs until everything there is now is in the rows, from wherever the store says that they are.
    pub(crate) async fn catch_up(&mut self) -> Result<(), ProjectionError> {
        self.incarnation = self.rows.incarnation();
        self.checkpoint = self.rows.checkpoint(self.model.place).await?;
        self.position = self.checkpoint.position;
        self.take_up_parked(false).await?;
        let caught_up = loop {
            match self.step().await {
                Ok(0) => break self.store_position().await,
                Ok(_) => {}
                Err(why) => break Err(why),
            }
        };
        self.stop_feeding().await;
        caught_up
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
        self.incarnation = self.rows.incarnation();
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
            // Who asked before this process fed the model is heard too.
            None => {
                let wanted = asked > self.model.progress.borrow().retried;
                self.take_up_parked(wanted).await?;
            }
            Some(heard) if heard < asked => self.retry_parked(true).await?,
            Some(_) => return self.step().await,
        }
        self.retried = Some(asked);
        self.model.progress.send_modify(|progress| progress.retried = asked);
        self.step().await
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
