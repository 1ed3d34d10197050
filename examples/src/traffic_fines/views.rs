//! What each fine comes to, and what each year does.

use gesta::prelude::*;

use super::domain::{
    Fine, FineCreated, FineId, FineSent, JudgeAppealed, OffenderNotified, PaymentReceived, PenaltyAdded, PrefectureAppealEntered,
    PrefectureAppealSent, PrefectureResultNotified, PrefectureResultReceived, SentToCollection,
};
use super::money::Cents;

/// What a fine comes to.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub struct FineBalance {
    /// The fine.
    #[key]
    pub fine: FineId,
    /// The year it was created in.
    #[index]
    pub year: i32,
    /// The fine's amount.
    pub amount: Cents,
    /// The latest penalty, where there is one.
    pub penalty: Option<Cents>,
    /// What posting it cost.
    pub expenses: Cents,
    /// What was paid.
    pub paid: Cents,
    /// Whether it was handed over to a credit collection agency.
    pub in_collection: bool,
}

#[projection(
    of = Fine,
    ignore(
        OffenderNotified,
        PrefectureAppealEntered,
        PrefectureAppealSent,
        PrefectureResultReceived,
        PrefectureResultNotified,
        JudgeAppealed
    )
)]
impl FineBalance {
    fn created(e: &Recorded<FineCreated>) -> Self {
        FineBalance {
            fine: e.aggregate_id(),
            year: e.year,
            amount: e.amount,
            penalty: None,
            expenses: Cents::ZERO,
            paid: Cents::ZERO,
            in_collection: false,
        }
    }
    fn sent(&mut self, e: &FineSent) {
        self.expenses += e.expense;
    }
    fn penalty_added(&mut self, e: &PenaltyAdded) {
        self.penalty = Some(e.amount);
    }
    fn paid(&mut self, e: &PaymentReceived) {
        self.paid += e.amount;
    }
    fn in_collection(&mut self, _: &SentToCollection) {
        self.in_collection = true;
    }
}

impl FineBalance {
    /// What is owed in all: the latest penalty, else the fine's amount, and the expenses.
    pub fn owed(&self) -> Cents {
        self.penalty.unwrap_or(self.amount) + self.expenses
    }
    /// Whether all of it was paid.
    pub fn is_settled(&self) -> bool {
        self.paid >= self.owed()
    }
    /// What is still to be paid.
    pub fn open(&self) -> Cents {
        (self.owed() - self.paid).max(Cents::ZERO)
    }
}

/// What the fines that were created in a year come to.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub struct YearTotals {
    /// The year.
    #[key]
    pub year: i32,
    /// How many fines were created.
    pub issued: u64,
    /// Their amounts.
    pub fined: Cents,
    /// The latest penalty of each.
    pub penalties: Cents,
    /// What posting them cost.
    pub expenses: Cents,
    /// What was paid for them, whenever it was paid.
    pub paid: Cents,
}

#[projection(
    of = Fine,
    ignore(
        OffenderNotified,
        PrefectureAppealEntered,
        PrefectureAppealSent,
        PrefectureResultReceived,
        PrefectureResultNotified,
        JudgeAppealed,
        SentToCollection
    )
)]
impl YearTotals {
    #[key = e.year]
    fn created(row: Option<Self>, e: &FineCreated) -> Option<Self> {
        let mut totals = row.unwrap_or(YearTotals {
            year: e.year,
            issued: 0,
            fined: Cents::ZERO,
            penalties: Cents::ZERO,
            expenses: Cents::ZERO,
            paid: Cents::ZERO,
        });
        totals.issued += 1;
        totals.fined += e.amount;
        Some(totals)
    }
    #[key = e.year]
    fn sent(&mut self, e: &FineSent) {
        self.expenses += e.expense;
    }
    #[key = e.year]
    fn penalty_added(&mut self, e: &PenaltyAdded) {
        self.penalties += e.amount - e.replaces.unwrap_or_default();
    }
    #[key = e.year]
    fn paid(&mut self, e: &PaymentReceived) {
        self.paid += e.amount;
    }
}
