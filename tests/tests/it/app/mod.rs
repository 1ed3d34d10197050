//! What the app promises, on every store.

mod commands;
mod follow;
mod keys;
mod many;
mod past;
mod reads;
mod start;
mod units;
