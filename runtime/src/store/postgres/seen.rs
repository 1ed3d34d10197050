//! The events that this process has stored or read last, as a sample of what the server must still hold.
//!
//! A server that was restored, or that took over before it had received everything, lacks the transactions that
//! were committed last. Positions are taken before the commit, so those are not always the ones with the greatest
//! positions. Worked example: A takes position 105 and B takes 106; B commits, then A. A reader waits for A and then
//! reads both. A server whose log ends between the two commits holds 106 and not 105.
//!
//! So the sample is not one event but the [`SEEN_MAX`] events with the greatest positions. A loss goes unnoticed only
//! if a transaction committed after that many later events and was the first one lost.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::Position;

/// How many events a process remembers.
pub(super) const SEEN_MAX: usize = 256;

/// An event is remembered by position and id: two servers can give one position to two events.
#[derive(Default)]
pub(super) struct Seen(Mutex<BTreeSet<(Position, Uuid)>>);

impl Seen {
    fn events(&self) -> MutexGuard<'_, BTreeSet<(Position, Uuid)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers these events.
    pub(super) fn extend(&self, events: impl IntoIterator<Item = (Position, Uuid)>) {
        let mut seen = self.events();
        for event in events {
            if seen.len() < SEEN_MAX || seen.first().is_some_and(|least| *least < event) {
                seen.insert(event);
            }
            if seen.len() > SEEN_MAX {
                seen.pop_first();
            }
        }
    }

    /// The positions and the ids of the events that are remembered.
    pub(super) fn all(&self) -> (Vec<i64>, Vec<Uuid>) {
        self.events().iter().map(|(position, id)| (position.get().cast_signed(), *id)).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: u64) -> (Position, Uuid) {
        (Position::new(position), Uuid::from_u128(position.into()))
    }

    #[test]
    fn the_greatest_positions_are_remembered_in_any_order() {
        let seen = Seen::default();
        let count = SEEN_MAX as u64;
        seen.extend((1..=count).map(event));
        seen.extend((1..=3 * count).rev().step_by(2).map(event));
        seen.extend([event(5)]);
        let (positions, ids) = seen.all();
        assert_eq!((positions.len(), ids.len()), (SEEN_MAX, SEEN_MAX));
        assert_eq!(positions.first().copied(), Some(3 * count.cast_signed() - 2 * (count.cast_signed() - 1)));
        assert_eq!(positions.last().copied(), Some(3 * count.cast_signed()));
    }

    #[test]
    fn two_events_of_one_position_are_both_remembered() {
        let seen = Seen::default();
        seen.extend([event(7), (Position::new(7), Uuid::from_u128(99)), event(7)]);
        assert_eq!(seen.all().0, [7, 7]);
    }
}
