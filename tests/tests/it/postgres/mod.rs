//! The Postgres store, on a real server.

mod contract;
pub mod server;
