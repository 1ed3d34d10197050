//! The fines of a municipality, imported from the event log of the system that managed them.
//!
//! The log is the *Road Traffic Fine Management Process* (de Leoni, Mannhardt, 2015, 4TU.ResearchData,
//! doi 10.4121/uuid:270fd440-1057-4fb9-89a9-b699b47990f5) as CSV; `data/traffic_fines_sample.csv` has made-up rows of that
//! form.

mod domain;
pub mod import;
mod money;
pub mod report;
pub mod run;
mod views;

#[cfg(test)]
mod tests;

pub use domain::*;
pub use money::{Cents, InvalidAmount};
pub use views::{FineBalance, YearTotals};
