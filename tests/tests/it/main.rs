//! What is tested from outside, as users see it: one binary for all of it.

#![allow(unreachable_pub, missing_docs, reason = "everything here is private, and named by what it promises")]
// The shapes of handlers are the grammar under test.
#![allow(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::wildcard_imports,
    clippy::match_same_arms
)]

mod app;
mod contract;
mod domain;
mod grammar;
mod histories;
mod mutants;
mod sqlite;
mod stores;
mod ui;
