//! A runner whose store fails: it tries again, and reads say so once that lasts.

use std::time::{Duration, Instant};

use super::model::Model;
use crate::error::{ProjectionError, StoreError};

/// The pauses between attempts: the first and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// After as many failures in a row an error is said that does not pass by itself.
const LASTING_TIMES: u32 = 3;
/// After as long any error is said: rows are old by then.
const FAILING_MAX: Duration = Duration::from_secs(30);

/// The failures since the last success.
#[derive(Default)]
pub(crate) struct Failing {
    since: Option<Instant>,
    times: u32,
    /// Each read says so.
    said: bool,
}

impl Failing {
    /// The store has failed. Reads are told if that does not pass by itself, or has not passed for long.
    pub(super) fn note(&mut self, model: &Model, why: &StoreError) {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.times = self.times.saturating_add(1);
        let lasting = !why.is_retryable() && self.times >= LASTING_TIMES;
        // An operator has to act.
        let lasting = lasting || matches!(why, StoreError::Misconfigured(_));
        if lasting || since.elapsed() >= FAILING_MAX {
            if !std::mem::replace(&mut self.said, true) {
                tracing::error!(model = model.name, %why, "the read model has stopped until the store works again: its reads say so");
            }
            model.progress.send_modify(|progress| progress.stopped = Some(why.clone().into()));
        }
        model.progress.send_modify(|progress| progress.failing = Some(why.clone()));
        tracing::warn!(model = model.name, %why, pause = ?self.pause(), "the store failed, trying again");
    }

    /// The store works.
    pub(super) fn is_over(&mut self, model: &Model) {
        if self.times == 0 {
            return;
        }
        model.progress.send_modify(|progress| {
            progress.failing = None;
            if self.said {
                progress.stopped.take_if(|why| matches!(why, ProjectionError::Store(_)));
            }
        });
        if self.said {
            tracing::info!(model = model.name, "the read model works again");
        }
        *self = Failing::default();
    }

    /// Whether reads have been told.
    pub(super) fn is_said(&self) -> bool {
        self.said
    }

    /// The time to the next attempt.
    pub(super) fn pause(&self) -> Duration {
        PAUSE.0.saturating_mul(1 << self.times.saturating_sub(1).min(10)).min(PAUSE.1)
    }
}
