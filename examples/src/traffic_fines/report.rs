//! What an import came to.

use std::collections::BTreeMap;

use gesta::ExecuteError;
use serde::Serialize;

use super::domain::FineError;
use super::import::Unreadable;
use super::views::{FineBalance, YearTotals};

/// So many rows that can't be read are listed; all of them are counted.
const UNREADABLE_LISTED_MAX: usize = 100;

/// What an import came to. All amounts are in cents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// All rows: accepted, rejected or unreadable.
    pub rows: u64,
    /// Rows that became an event.
    pub accepted: u64,
    /// Rows that the domain refused, by the reason.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Rows that can't be read.
    pub unreadable: u64,
    /// The first of them, in the order of their lines.
    pub unreadable_rows: Vec<Unreadable>,
    /// All fines.
    pub fines: u64,
    /// Their amounts.
    pub fined_cents: i64,
    /// The latest penalty of each.
    pub penalties_cents: i64,
    /// What posting them cost.
    pub expenses_cents: i64,
    /// What was paid for them.
    pub paid_cents: i64,
    /// Fines of which all that is owed was paid.
    pub settled: u64,
    /// What is still to be paid; where more was paid than is owed, nothing.
    pub open_balance_cents: i64,
    /// Fines that were handed over to a credit collection agency.
    pub in_collection: u64,
    /// The same by the year in which the fine was created.
    pub by_year: BTreeMap<i32, Year>,
}

/// The fines that were created in a year. All amounts are in cents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Year {
    /// How many there are.
    pub issued: u64,
    /// Their amounts.
    pub fined_cents: i64,
    /// The latest penalty of each.
    pub penalties_cents: i64,
    /// What posting them cost.
    pub expenses_cents: i64,
    /// What was paid for them, whenever it was paid.
    pub paid_cents: i64,
}

impl Report {
    /// A row became an event.
    pub fn accept(&mut self) {
        self.rows += 1;
        self.accepted += 1;
    }

    /// The domain refused a row.
    ///
    /// # Errors
    /// The error itself where it is not the domain's: the row was neither accepted nor rejected, and nothing is counted.
    pub fn reject(&mut self, error: ExecuteError<FineError>) -> Result<(), ExecuteError<FineError>> {
        let reason = match &error {
            ExecuteError::Rejected(FineError::FineNotPositive { .. }) => "fine_not_positive",
            ExecuteError::Rejected(FineError::PaymentNotPositive { .. }) => "payment_not_positive",
            ExecuteError::NotFound => "no_such_fine",
            ExecuteError::AlreadyExists => "fine_exists",
            ExecuteError::Ended => "fine_ended",
            _ => return Err(error),
        };
        self.rows += 1;
        *self.rejected_by_reason.entry(reason).or_default() += 1;
        Ok(())
    }

    /// A row can't be read.
    pub fn skip(&mut self, row: Unreadable) {
        self.rows += 1;
        self.unreadable += 1;
        if self.unreadable_rows.len() < UNREADABLE_LISTED_MAX {
            self.unreadable_rows.push(row);
        }
    }

    /// How many rows the domain refused.
    pub fn rejected(&self) -> u64 {
        self.rejected_by_reason.values().sum()
    }

    /// Adds a fine to the totals.
    pub fn add_fine(&mut self, fine: &FineBalance) {
        self.fines += 1;
        self.fined_cents += fine.amount.0;
        self.penalties_cents += fine.penalty.unwrap_or_default().0;
        self.expenses_cents += fine.expenses.0;
        self.paid_cents += fine.paid.0;
        self.settled += u64::from(fine.is_settled());
        self.open_balance_cents += fine.open().0;
        self.in_collection += u64::from(fine.in_collection);
    }

    /// Adds a year.
    pub fn add_year(&mut self, totals: &YearTotals) {
        let year = Year {
            issued: totals.issued,
            fined_cents: totals.fined.0,
            penalties_cents: totals.penalties.0,
            expenses_cents: totals.expenses.0,
            paid_cents: totals.paid.0,
        };
        self.by_year.insert(totals.year, year);
    }

    /// Whether the years come to the same as the fines: the two are folded from the same events on ways of their own.
    pub fn agrees(&self) -> bool {
        let mut sum = Year::default();
        for year in self.by_year.values() {
            sum.issued += year.issued;
            sum.fined_cents += year.fined_cents;
            sum.penalties_cents += year.penalties_cents;
            sum.expenses_cents += year.expenses_cents;
            sum.paid_cents += year.paid_cents;
        }
        let fines = Year {
            issued: self.fines,
            fined_cents: self.fined_cents,
            penalties_cents: self.penalties_cents,
            expenses_cents: self.expenses_cents,
            paid_cents: self.paid_cents,
        };
        sum == fines
    }
}
