//! Chapters about what comes up after the first day.

#[doc = include_str!("guide/changing_an_event.md")]
pub mod changing_an_event {}

#[doc = include_str!("guide/gesta_behind_another_crate.md")]
pub mod gesta_behind_another_crate {}
