//! The Postgres store, on a real server.

mod contract;
mod owners;
pub mod server;
