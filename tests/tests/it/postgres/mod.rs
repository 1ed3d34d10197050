//! The Postgres store, on a real server.

mod contract;
mod joint;
mod owners;
pub mod server;
