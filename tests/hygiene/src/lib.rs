//! Generated code in the worst place to be: the dependency has another name, there is no prelude, the names of std are
//! taken, warnings are errors. That this compiles is the test.

#![no_implicit_prelude]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]
#![allow(dead_code, reason = "nothing here is run")]
#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
    clippy::unnecessary_wraps,
    clippy::must_use_candidate,
    reason = "the handlers are examples of signatures"
)]

pub mod nested;
pub mod rules;
pub mod shadowed;
