//! What is tested from outside, as users see it: one binary for all of it.

#![allow(unreachable_pub, missing_docs, reason = "everything here is private, and named by what it promises")]
#![allow(clippy::wildcard_imports, clippy::match_same_arms, reason = "tests name what they are about")]

mod app;
mod contract;
mod documents;
mod domain;
mod evolve;
mod facade;
mod features;
mod feeding;
// Its programs are killed by a signal, and watched by a library that is loaded before all others.
#[cfg(target_os = "linux")]
mod faults;
mod grammar;
mod histories;
mod lock;
mod mutants;
mod no_runtime;
mod postgres;
mod rules;
mod scripts;
mod sqlite;
mod stored;
mod stores;
mod told;
mod ui;
