//! What the benchmarks share: a domain, the same by hand, and how to measure.

#![allow(missing_docs, reason = "nobody outside uses it")]
#![allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "handlers have the shapes that mean something")]

pub mod domain;
pub mod hand;
pub mod measure;
