//! The Postgres store, on a real server.

mod contract;
mod examples;
mod joint;
mod owners;
mod races;
pub mod server;
