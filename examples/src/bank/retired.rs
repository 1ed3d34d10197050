//! What the bank has stored and stores no more. `#[upcast]` in [`Account`](super::Account)'s block says what each one is today.

use gesta::prelude::*;

use super::domain::Cents;

/// An account was opened for somebody. Since an account may have several holders, that is two events.
#[event]
pub struct AccountOpened {
    /// Whose it is.
    pub owner: String,
}

/// Money was paid out at the counter. Since there are machines, [`MoneyPaidOut`](super::MoneyPaidOut) says where.
#[event]
pub struct MoneyWithdrawn {
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}
