//! Accounts, and what can happen to them.

use std::fmt;

use gesta::prelude::*;

/// An amount of money in cents.
pub type Cents = i64;

/// An amount as people write it: `12.34`.
pub fn euros(amount: Cents) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.unsigned_abs() / 100, amount.unsigned_abs() % 100)
}

/// The number of an account.
#[id]
pub struct AccountId(String);

/// An account was opened.
#[event]
pub struct AccountOpened {
    /// Whose it is.
    pub owner: String,
}

/// Money was paid in at the counter.
#[event]
pub struct MoneyDeposited {
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}

/// Money was paid out at the counter.
#[event]
pub struct MoneyWithdrawn {
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}

/// Money went to another account.
#[event]
pub struct MoneySent {
    /// Where it went.
    pub to: AccountId,
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}

/// Money came from another account.
#[event]
pub struct MoneyReceived {
    /// Where it came from.
    pub from: AccountId,
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance: Cents,
}

/// The account was closed. It was empty.
#[event]
pub struct AccountClosed;

/// An account that is open.
pub struct Account {
    balance: Cents,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: &AccountOpened) -> Self {
        Account { balance: 0 }
    }
    fn deposited(&mut self, e: &MoneyDeposited) {
        self.balance = e.balance;
    }
    fn withdrawn(&mut self, e: &MoneyWithdrawn) {
        self.balance = e.balance;
    }
    fn sent(&mut self, e: &MoneySent) {
        self.balance = e.balance;
    }
    fn received(&mut self, e: &MoneyReceived) {
        self.balance = e.balance;
    }
    fn closed(self, _: &AccountClosed) {}
}

/// Opens an account.
#[command]
pub struct OpenAccount {
    /// Whose it is to be.
    pub owner: String,
}

/// Pays money in at the counter.
#[command]
pub struct Deposit {
    /// How much.
    pub amount: Cents,
}

/// Pays money out at the counter.
#[command]
pub struct Withdraw {
    /// How much.
    pub amount: Cents,
}

/// The sender's half of a transfer; the other half is [`ReceiveMoney`].
#[command]
pub struct SendMoney {
    /// Where it is to go.
    pub to: AccountId,
    /// How much.
    pub amount: Cents,
}

/// The recipient's half of a transfer; the other half is [`SendMoney`].
#[command]
pub struct ReceiveMoney {
    /// Where it comes from.
    pub from: AccountId,
    /// How much.
    pub amount: Cents,
}

/// Closes an account.
#[command]
pub struct CloseAccount;

/// Why the bank refuses a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// An account belongs to somebody.
    NoOwner,
    /// Only an amount above 0 can move.
    NotPositive {
        /// What was asked for.
        amount: Cents,
    },
    /// The account does not hold enough.
    Insufficient {
        /// What was asked for.
        amount: Cents,
        /// What the account holds.
        balance: Cents,
    },
    /// An account can't hold more than a 64-bit number of cents.
    TooMuch,
    /// Money can't go from an account to itself.
    SameAccount,
    /// The account still holds money, so it can't be closed.
    NotEmpty {
        /// What it holds.
        balance: Cents,
    },
}

#[command_handler]
impl Account {
    fn open(cmd: OpenAccount) -> Result<AccountOpened, AccountError> {
        if cmd.owner.trim().is_empty() {
            return Err(AccountError::NoOwner);
        }
        Ok(AccountOpened { owner: cmd.owner })
    }
    fn deposit(&self, cmd: Deposit) -> Result<MoneyDeposited, AccountError> {
        let balance = self.with(cmd.amount)?;
        Ok(MoneyDeposited { amount: cmd.amount, balance })
    }
    fn withdraw(&self, cmd: Withdraw) -> Result<MoneyWithdrawn, AccountError> {
        let balance = self.without(cmd.amount)?;
        Ok(MoneyWithdrawn { amount: cmd.amount, balance })
    }
    fn send(&self, cmd: SendMoney, context: &Context) -> Result<MoneySent, AccountError> {
        if cmd.to.as_str() == context.id() {
            return Err(AccountError::SameAccount);
        }
        let balance = self.without(cmd.amount)?;
        Ok(MoneySent { to: cmd.to, amount: cmd.amount, balance })
    }
    fn receive(&self, cmd: ReceiveMoney) -> Result<MoneyReceived, AccountError> {
        let balance = self.with(cmd.amount)?;
        Ok(MoneyReceived { from: cmd.from, amount: cmd.amount, balance })
    }
    fn close(&self, _: CloseAccount) -> Result<AccountClosed, AccountError> {
        match self.balance {
            0 => Ok(AccountClosed),
            balance => Err(AccountError::NotEmpty { balance }),
        }
    }
}

impl Account {
    /// What it holds.
    pub fn balance(&self) -> Cents {
        self.balance
    }
    /// What it would hold with this much more.
    fn with(&self, amount: Cents) -> Result<Cents, AccountError> {
        positive(amount)?;
        self.balance.checked_add(amount).ok_or(AccountError::TooMuch)
    }
    /// What it would hold with this much less.
    fn without(&self, amount: Cents) -> Result<Cents, AccountError> {
        positive(amount)?;
        if amount > self.balance {
            return Err(AccountError::Insufficient { amount, balance: self.balance });
        }
        Ok(self.balance - amount)
    }
}

fn positive(amount: Cents) -> Result<(), AccountError> {
    if amount > 0 { Ok(()) } else { Err(AccountError::NotPositive { amount }) }
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountError::NoOwner => f.write_str("an account belongs to somebody: say to whom"),
            AccountError::NotPositive { amount } => write!(f, "{} is not above 0", euros(*amount)),
            AccountError::Insufficient { amount, balance } => {
                write!(f, "the account holds {}, less than {}", euros(*balance), euros(*amount))
            }
            AccountError::TooMuch => f.write_str("the account can't hold that much"),
            AccountError::SameAccount => f.write_str("money can't go from an account to itself"),
            AccountError::NotEmpty { balance } => write!(f, "the account still holds {}: pay it out first", euros(*balance)),
        }
    }
}

impl std::error::Error for AccountError {}
