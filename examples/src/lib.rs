//! Small real applications of gesta, each with its domain in files of its own.
//!
//! * [`bank`]: accounts, transfers that are stored whole or not at all, and three ways of looking at them.
//! * [`traffic_fines`]: the fines of a municipality, imported from the event log of the system that managed them.

pub mod bank;
pub mod traffic_fines;
