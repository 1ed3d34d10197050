//! What the app promises, on every store.

pub mod commands;
mod dropped;
mod follow;
mod keys;
mod many;
mod past;
pub mod reads;
mod shared;
mod start;
mod units;
