//! Chapters about what comes up after the first day.

#[doc = include_str!("guide/changing_an_event.md")]
pub mod changing_an_event {}
