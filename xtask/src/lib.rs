//! What the tests and the front door share: servers that they bring up by themselves.

pub mod pooler;
pub mod postgres;
