//! Transfers: two accounts, one unit of work.

use std::fmt;

use gesta::{App, Refusal, UnitDone, UnitError};

use super::domain::{AccountError, AccountId, Cents, ReceiveMoney, Remittance, SendMoney};

/// Why a transfer was refused; neither account was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferError {
    /// The sender's account refused.
    Sender(Refusal<AccountError>),
    /// The recipient's account refused.
    Recipient(Refusal<AccountError>),
}

/// Moves money between two accounts for somebody: both are changed, or neither is.
///
/// # Errors
/// [`TransferError`] where one of the accounts refuses; nothing was stored.
pub async fn transfer(
    app: &App,
    from: &AccountId,
    to: &AccountId,
    amount: Cents,
    remittance: Option<Remittance>,
    who: &str,
) -> Result<UnitDone, UnitError<TransferError>> {
    app.unit(async |unit| {
        unit.execute(from, SendMoney { to: to.clone(), amount, remittance: remittance.clone() })
            .await
            .map_err(TransferError::Sender)?;
        unit.execute(to, ReceiveMoney { from: from.clone(), amount, remittance: remittance.clone() })
            .await
            .map_err(TransferError::Recipient)?;
        Ok(())
    })
    .actor(who)
    .await
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransferError::Sender(refusal) => write!(f, "the sender's account: {refusal}"),
            TransferError::Recipient(refusal) => write!(f, "the recipient's account: {refusal}"),
        }
    }
}

impl std::error::Error for TransferError {}
