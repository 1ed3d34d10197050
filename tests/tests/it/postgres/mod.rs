//! The Postgres store, on a real server.

mod checks;
mod contract;
mod crash;
mod cut;
mod input;
mod keys;
mod lost;
mod opening;
mod proxy;
mod restored;
pub mod server;
mod timeouts;
mod waiting;
