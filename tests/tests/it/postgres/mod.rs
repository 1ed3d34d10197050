//! The Postgres store, on a real server.

mod checks;
mod contract;
mod crash;
mod cut;
mod examples;
mod full;
mod inline;
mod input;
mod joint;
mod keys;
mod lost;
mod opening;
mod owners;
mod pooled;
mod positions;
mod proxy;
mod races;
mod restored;
pub mod server;
mod timeouts;
mod waiting;
