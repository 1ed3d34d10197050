//! What an import came to.

use std::collections::BTreeMap;

use gesta::{App, ExecuteError, Failure, ReadError};
use serde::Serialize;

use super::domain::{FineError, FineId};
use super::import::Unreadable;
use super::views::{FineBalance, YearTotals};

/// What an import came to. All amounts are in cents.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// What was done to come to it; nothing where it was only read.
    #[serde(flatten)]
    pub import: Option<Import>,
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

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Import {
    /// All rows: accepted and rejected.
    pub rows: u64,
    /// Rows that became an event, now or in an earlier import of the same log.
    pub accepted: u64,
    /// Rows that did not.
    pub rejected: u64,
    /// Why not.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Accepted rows over the time from the start until the read models were settled.
    pub events_per_second: f64,
}

/// A row that did not become an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The fine, where it could be read.
    pub fine: Option<FineId>,
    /// Why, in a word.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub why: String,
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

impl Import {
    /// A row became an event.
    pub fn accept(&mut self) {
        self.rows += 1;
        self.accepted += 1;
    }
    /// A row did not.
    pub fn reject(&mut self, rejected: &Rejected) {
        self.rows += 1;
        self.rejected += 1;
        *self.rejected_by_reason.entry(rejected.reason).or_default() += 1;
    }
}

impl Rejected {
    /// A row that can't be read.
    pub fn unreadable(row: &Unreadable) -> Self {
        Rejected { line: row.line, fine: None, reason: "unreadable", why: row.why.clone() }
    }

    /// A row that the domain refused.
    ///
    /// # Errors
    /// What kept it from deciding: then the row was neither accepted nor rejected.
    pub fn refused(line: u64, fine: FineId, error: ExecuteError<FineError>) -> Result<Self, Failure> {
        let why = error.to_string();
        let reason = match error {
            ExecuteError::Rejected(FineError::FineNotPositive { .. }) => "fine_not_positive",
            ExecuteError::Rejected(FineError::PaymentNotPositive { .. }) => "payment_not_positive",
            ExecuteError::NotFound => "no_such_fine",
            ExecuteError::AlreadyExists => "fine_exists",
            ExecuteError::Ended => "fine_ended",
            ExecuteError::Failed(failure) => return Err(failure),
        };
        Ok(Rejected { line, fine: Some(fine), reason, why })
    }
}

impl Report {
    /// Of an import alone.
    pub fn of_part(import: Import) -> Self {
        Report { import: Some(import), ..Report::default() }
    }

    /// Reads all of it from the read models.
    ///
    /// # Errors
    /// Where one of them can't be read.
    pub async fn read(app: &App) -> Result<Self, ReadError> {
        let mut report = Report::default();
        let mut fines = app.read::<FineBalance>().rows().await?;
        while let Some(fine) = fines.next().await {
            report.add_fine(&fine?);
        }
        for year in app.read::<YearTotals>().all().await? {
            report.add_year(&year);
        }
        Ok(report)
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
