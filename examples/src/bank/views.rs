//! Three ways of looking at the accounts.

use gesta::EventOf;
use gesta::prelude::*;

use super::domain::{
    Account, AccountClosed, AccountId, AccountRegistered, Cents, HolderAdded, MoneyDeposited, MoneyPaidOut, MoneyReceived,
    MoneySent,
};

/// The list of accounts: a row for each that is open.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub struct AccountSummary {
    /// The account.
    #[key]
    pub account: AccountId,
    /// Who holds it, the first one first.
    pub holders: Vec<String>,
    /// What it holds.
    #[index]
    pub balance: Cents,
    /// How often money went in or out.
    pub bookings: u32,
    /// Since when it is open.
    pub opened_at: Timestamp,
}

#[projection(of = Account)]
impl AccountSummary {
    fn registered(e: &Recorded<AccountRegistered>) -> Self {
        let (account, opened_at) = (e.aggregate_id(), e.metadata.occurred_at);
        AccountSummary { account, holders: Vec::new(), balance: 0, bookings: 0, opened_at }
    }
    fn holder_added(&mut self, e: HolderAdded) {
        self.holders.push(e.name);
    }
    fn deposited(&mut self, e: &MoneyDeposited) {
        self.book(e.balance_after);
    }
    fn paid_out(&mut self, e: &MoneyPaidOut) {
        self.book(e.balance_after);
    }
    fn sent(&mut self, e: &MoneySent) {
        self.book(e.balance_after);
    }
    fn received(&mut self, e: &MoneyReceived) {
        self.book(e.balance_after);
    }
    fn closed(self, _: &AccountClosed) {}
}

impl AccountSummary {
    fn book(&mut self, balance: Cents) {
        self.balance = balance;
        self.bookings += 1;
    }
}

/// What moved the money of a [`StatementLine`].
#[value]
pub enum Booking {
    /// It was paid in.
    Deposit,
    /// It was paid out.
    Withdrawal,
    /// It went to another account.
    Sent,
    /// It came from another account.
    Received,
}

/// The statements of all accounts: a row for each booking.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub struct StatementLine {
    /// The account and the number of the entry in it, such as `ACC-1/000002`: the entries of an account in their order.
    #[key]
    pub entry: String,
    /// The account.
    #[index]
    pub account: AccountId,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// What moved the money.
    pub booking: Booking,
    /// The account at the other end, where there is one.
    pub counterparty: Option<AccountId>,
    /// How much the account holds more; below 0 where it holds less.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}

// Every booking is a row of its own, so each handler says which one. The numbers have gaps where an event is no booking.
#[projection(of = Account, ignore(AccountRegistered, HolderAdded, AccountClosed))]
impl StatementLine {
    #[key = entry(e)]
    fn deposited(e: &Recorded<MoneyDeposited>) -> Self {
        line(e, Booking::Deposit, None, e.amount, e.balance_after)
    }
    #[key = entry(e)]
    fn paid_out(e: &Recorded<MoneyPaidOut>) -> Self {
        line(e, Booking::Withdrawal, None, -e.amount, e.balance_after)
    }
    #[key = entry(e)]
    fn sent(e: &Recorded<MoneySent>) -> Self {
        line(e, Booking::Sent, Some(&e.to), -e.amount, e.balance_after)
    }
    #[key = entry(e)]
    fn received(e: &Recorded<MoneyReceived>) -> Self {
        line(e, Booking::Received, Some(&e.from), e.amount, e.balance_after)
    }
}

/// Which row an event belongs to. Zeros in front, so that the order of texts is the order of entries.
fn entry<E>(e: &Recorded<E>) -> String {
    format!("{}/{:06}", e.stream.id(), e.version.get())
}

fn line<E: EventOf<Account>>(
    e: &Recorded<E>,
    booking: Booking,
    counterparty: Option<&AccountId>,
    amount: Cents,
    balance: Cents,
) -> StatementLine {
    StatementLine {
        entry: entry(e),
        account: e.aggregate_id(),
        booked_at: e.metadata.recorded_at,
        booking,
        counterparty: counterparty.cloned(),
        amount,
        balance,
    }
}

/// Accounts that hold much: a row appears when the balance comes up to [`THRESHOLD`](HighValueAccount::THRESHOLD), and
/// goes when it falls below.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub struct HighValueAccount {
    /// The account.
    #[key]
    pub account: AccountId,
    /// What it holds.
    #[index]
    pub balance: Cents,
    /// Since when it holds that much without a break.
    pub since: Timestamp,
}

// An account is opened and closed with nothing in it, so neither makes a row nor ends one.
#[projection(of = Account, ignore(AccountRegistered, HolderAdded, AccountClosed))]
impl HighValueAccount {
    fn deposited(row: Option<Self>, e: &Recorded<MoneyDeposited>) -> Option<Self> {
        Self::next(row, e, e.balance_after)
    }
    fn paid_out(row: Option<Self>, e: &Recorded<MoneyPaidOut>) -> Option<Self> {
        Self::next(row, e, e.balance_after)
    }
    fn sent(row: Option<Self>, e: &Recorded<MoneySent>) -> Option<Self> {
        Self::next(row, e, e.balance_after)
    }
    fn received(row: Option<Self>, e: &Recorded<MoneyReceived>) -> Option<Self> {
        Self::next(row, e, e.balance_after)
    }
}

impl HighValueAccount {
    /// What an account holds at least to be in the list: ten thousand, in cents.
    pub const THRESHOLD: Cents = 1_000_000;

    fn next<E: EventOf<Account>>(row: Option<Self>, e: &Recorded<E>, balance: Cents) -> Option<Self> {
        let since = row.map_or(e.metadata.recorded_at, |row| row.since);
        (balance >= Self::THRESHOLD).then(|| HighValueAccount { account: e.aggregate_id(), balance, since })
    }
}
