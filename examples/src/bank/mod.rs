//! A bank: accounts, transfers between them, and three ways of looking at them.

mod domain;
mod retired;
pub mod story;
mod transfer;
mod views;

#[cfg(test)]
mod tests;

pub use domain::*;
pub use retired::{AccountOpened, MoneyWithdrawn};
pub use transfer::{TransferError, transfer};
pub use views::{AccountSummary, Booking, HighValueAccount, StatementLine};
