//! The run of a unit's closure by which a repeat is compared with the first use.
//!
//! Always true here: a replay stores nothing, holds no lease, and asks no service. Its closure sees the states that the first
//! use saw: the unit decides on them, and [`App::load`](super::App::load) answers them. So a closure that looks at nothing
//! else gives the commands of the first use again, whatever happened since; one that is given other data gives others.
//!
//! The alternatives are worse. To compare only the first command takes a transfer to another recipient for a repeat. To compare
//! the commands that the closure gives on the states of now refuses the repeat of a transfer that has emptied the account, since
//! the closure ends at the first refusal. To take each command for accepted misses the closure that lets another account pay where
//! the first can't.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::cache::{Lease, StateCache};
use crate::event::Position;
use crate::store::{KeyRecord, StoredEvent};
use crate::{StoreError, StreamName, Timestamp};

tokio::task_local! {
    /// The replay whose closure runs in this task, with the app it belongs to.
    static REPLAY: (Arc<Inner>, Before);
}

/// The log as it was before one append.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    /// The first of its events that is known, or the last.
    position: Position,
    /// The correlation id of its events, where the first of them is not known.
    chain: Option<Uuid>,
    /// When it was recorded, where it has an event.
    at: Option<Timestamp>,
}

impl Before {
    /// Whether an event was stored by the append, or later.
    pub(crate) fn is_past(&self, event: &StoredEvent<'_>) -> bool {
        // Earlier events of the chain, where the caller named it, were recorded earlier.
        let is_own = self.chain == Some(event.correlation_id) && self.at == Some(event.recorded_at);
        event.position >= self.position || is_own
    }
    /// The time then.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.at
    }
}

impl Inner {
    /// The log as it was before the first use of a key.
    ///
    /// The part that holds the key is the first of its append, so its first event is the append's. Where it has none, the
    /// append's last event tells its chain of causes: by default this append began it.
    pub(crate) async fn before_use(&self, stream: &StreamName, record: &KeyRecord) -> Result<Before, StoreError> {
        let mut before = Before { position: record.position, chain: None, at: None };
        if record.after > record.before {
            let mut visit = |event: StoredEvent<'_>| {
                (before.position, before.at) = (event.position, Some(event.recorded_at));
                std::ops::ControlFlow::Break(())
            };
            self.store.log.read_stream(stream, record.before, 1, &mut visit).await?;
        } else if let Some(previous) = record.position.get().checked_sub(1) {
            let mut visit = |event: StoredEvent<'_>| {
                if event.position == record.position {
                    (before.chain, before.at) = (Some(event.correlation_id), Some(event.recorded_at));
                }
                std::ops::ControlFlow::Break(())
            };
            self.store.log.read_all(Position::new(previous), 1, &mut visit).await?;
        }
        Ok(before)
    }

    /// Runs a closure whose loads see the log as it was.
    pub(crate) async fn replaying<F: Future>(self: &Arc<Self>, before: Before, work: F) -> F::Output {
        REPLAY.scope((self.clone(), before), work).await
    }

    /// The log that loads see in this task, where it is not the one of now.
    pub(crate) fn replayed(&self) -> Option<Before> {
        let replay = REPLAY.try_with(|(app, before)| std::ptr::eq(&raw const **app, self).then_some(*before));
        replay.ok().flatten()
    }
}

/// A lease that keeps nobody from the aggregate.
pub(crate) fn lease_of_nothing(stream: &StreamName) -> Lease {
    let cache = StateCache::new(0, 0);
    cache.try_acquire(stream).expect("a cache that is new has leased nothing")
}
