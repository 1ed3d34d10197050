//! Keeping a read model while a batch runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::model::Model;
use crate::error::ProjectionError;
use crate::store::Leases;

/// Renews a lease while a batch runs in the same task.
pub(super) struct Keeper<'r> {
    pub(super) leases: &'r dyn Leases,
    pub(super) model: &'r Model,
    pub(super) epoch: u64,
    /// When the lease was renewed last.
    pub(super) renewed_at: Instant,
    /// Counts what the batch does.
    pub(super) moved: &'r AtomicU64,
    /// How long the batch may do nothing.
    pub(super) patience: Duration,
}

impl Keeper<'_> {
    /// Renews the lease until it is lost; answers that.
    pub(super) async fn keep(&mut self) -> ProjectionError {
        let (mut moved, mut moved_at) = (self.moved.load(Ordering::Relaxed), Instant::now());
        let every = self.leases.renew_every();
        let mut next = self.renewed_at + every;
        loop {
            tokio::time::sleep_until(next.into()).await;
            let asked_at = Instant::now();
            let now = self.moved.load(Ordering::Relaxed);
            if now != moved {
                (moved, moved_at) = (now, asked_at);
            } else if moved_at.elapsed() >= self.patience {
                tracing::warn!(
                    model = self.model.name,
                    stuck_for = ?self.patience,
                    "the read model does not move: its lease is not renewed, so that another process can take it over"
                );
                std::future::pending::<()>().await;
            }
            match self.leases.renew(self.model.place, self.epoch).await {
                Ok(true) => self.renewed_at = asked_at,
                Ok(false) => return ProjectionError::Superseded,
                // Also while the batch itself stores its rows, which keeps the model too.
                Err(why) => tracing::debug!(model = self.model.name, %why, "the lease could not be renewed, trying again"),
            }
            next = Instant::now() + every;
        }
    }
}
