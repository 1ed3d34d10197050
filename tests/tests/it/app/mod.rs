//! What the app promises, on every store.

pub mod builds;
mod cached;
mod columns;
pub mod commands;
mod dropped;
mod fingerprints;
mod follow;
mod ghosts;
mod ids;
mod kept;
mod keys;
mod many;
mod parking;
mod past;
pub mod reads;
mod repeated_units;
mod repeats;
mod retired;
mod shared;
mod start;
mod times;
mod units;
mod unlocked;
