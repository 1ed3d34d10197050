//! Tests of a domain, without a store: given what happened, when a command comes, then these events.
//!
//! Everything here is deterministic: clock and ids are [fixed](START), events pass through their stored form once, and
//! a failure shows the lines in which what was expected and what was found differ.
//!
//! * [`given`] `.when(command).then(events)` tests an aggregate.
//! * [`given_events`] `.then_row(key, row)` tests a read model.
//! * What was stored by an earlier build is given by [`Given::and_stored`] and [`GivenEvents::and_stored`].
//! * [`FixedClock`] and [`SequentialIds`] make an app deterministic too: they are given to its
//!   [`Builder`](crate::Builder).

mod clock;
mod diff;
#[cfg(test)]
#[allow(clippy::unused_self, reason = "the signature says that the event ends it")]
mod fixture;
mod given;
mod ids;
mod rows;
mod stored;
#[cfg(test)]
mod tests;
mod wait;

pub use clock::{FixedClock, START};
pub use given::{Given, Outcome, given};
pub use ids::SequentialIds;
pub use rows::{GivenEvents, given_events};
