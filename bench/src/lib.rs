//! What the benchmarks share: a domain, the same by hand, and how to measure.

#![allow(missing_docs, reason = "nobody outside uses it")]

pub mod domain;
pub mod hand;
pub mod history;
pub mod measure;
pub mod package;
