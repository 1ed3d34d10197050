//! One binary for all integration tests.

#![allow(unreachable_pub, missing_docs, reason = "everything here is private, and named by what it promises")]

mod app;
mod domain;
mod grammar;
mod histories;
mod stores;
mod ui;
