//! One binary for all integration tests.

mod grammar;
mod ui;
