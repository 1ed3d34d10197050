//! Accounts, and what can happen to them.

use std::fmt;

use gesta::prelude::*;

use retired::{AccountOpened, MoneyWithdrawn};

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

/// An account was opened; who holds it comes right after.
#[event]
pub struct AccountRegistered;

/// Somebody holds the account from now on, alone or with those who hold it already.
#[event]
pub struct HolderAdded {
    /// Who.
    pub name: String,
}

/// Money was paid in.
#[event(version = 3)]
pub struct MoneyDeposited {
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    #[renamed(3, from = "balance")]
    pub balance_after: Cents,
    /// Where it was paid in: at the counter, before there was anything else.
    #[added(2, default = Channel::Branch)]
    pub channel: Channel,
}

/// Money was paid out.
#[event]
pub struct MoneyPaidOut {
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    pub balance_after: Cents,
    /// Where it was paid out.
    pub channel: Channel,
}

/// Money went to another account.
#[event(version = 4)]
pub struct MoneySent {
    /// Where it went.
    pub to: AccountId,
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    #[renamed(2, from = "balance")]
    pub balance_after: Cents,
    /// What it was for.
    pub remittance: Option<Remittance>,
}

/// Money came from another account.
#[event(version = 2)]
pub struct MoneyReceived {
    /// Where it came from.
    pub from: AccountId,
    /// How much.
    pub amount: Cents,
    /// What the account held afterwards.
    #[renamed(2, from = "balance")]
    pub balance_after: Cents,
    /// What it was for.
    pub remittance: Option<Remittance>,
}

/// The account was closed. It was empty.
#[event]
pub struct AccountClosed;

/// Where money is paid in and out.
#[value]
pub enum Channel {
    /// At the counter.
    Branch,
    /// At a machine.
    Terminal,
}

/// What a transfer is for.
#[value]
pub struct Remittance {
    /// In the sender's words.
    pub text: String,
    /// What the recipient knows it by.
    pub reference: Option<Reference>,
}

/// A number that the recipient has given to what is paid.
#[value]
pub struct Reference {
    /// Who keeps such numbers, such as `ISO 11649`.
    pub scheme: String,
    /// The number.
    pub number: u64,
}

/// An account that is open.
pub struct Account {
    balance: Cents,
    holders: Vec<String>,
}

/// An account: who holds it, and what it holds.
#[aggregate(id = AccountId, schema = "account.events")]
impl Account {
    fn registered(_: &AccountRegistered) -> Self {
        Account { balance: 0, holders: Vec::new() }
    }
    fn holder_added(&mut self, e: HolderAdded) {
        self.holders.push(e.name);
    }
    fn deposited(&mut self, e: &MoneyDeposited) {
        self.balance = e.balance_after;
    }
    fn paid_out(&mut self, e: &MoneyPaidOut) {
        self.balance = e.balance_after;
    }
    fn sent(&mut self, e: &MoneySent) {
        self.balance = e.balance_after;
    }
    fn received(&mut self, e: &MoneyReceived) {
        self.balance = e.balance_after;
    }
    fn closed(self, _: &AccountClosed) {}

    /// An account had one holder, and the event that opened it said who.
    #[upcast]
    fn opened(e: AccountOpened) -> (AccountRegistered, HolderAdded) {
        (AccountRegistered, HolderAdded { name: e.owner })
    }
    /// Money was paid out at the counter only.
    #[upcast]
    fn withdrawn(e: &MoneyWithdrawn) -> MoneyPaidOut {
        MoneyPaidOut { amount: e.amount, balance_after: e.balance, channel: Channel::Branch }
    }
}

/// Opens an account.
#[command]
pub struct OpenAccount {
    /// Whose it is to be.
    pub owner: String,
}

/// Adds a holder to an account.
#[command]
pub struct AddHolder {
    /// Who.
    pub name: String,
}

/// Pays money in.
#[command]
pub struct Deposit {
    /// How much.
    pub amount: Cents,
    /// Where.
    pub channel: Channel,
}

/// Pays money out.
#[command]
pub struct Withdraw {
    /// How much.
    pub amount: Cents,
    /// Where.
    pub channel: Channel,
}

/// The sender's half of a transfer; the other half is [`ReceiveMoney`].
#[command]
pub struct SendMoney {
    /// Where it is to go.
    pub to: AccountId,
    /// How much.
    pub amount: Cents,
    /// What it is for.
    pub remittance: Option<Remittance>,
}

/// The recipient's half of a transfer; the other half is [`SendMoney`].
#[command]
pub struct ReceiveMoney {
    /// Where it comes from.
    pub from: AccountId,
    /// How much.
    pub amount: Cents,
    /// What it is for.
    pub remittance: Option<Remittance>,
}

/// Closes an account.
#[command]
pub struct CloseAccount;

/// Why the bank refuses a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// An account belongs to somebody.
    NoOwner,
    /// Nobody holds an account twice.
    HolderAlready {
        /// Who.
        name: String,
    },
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
    fn open(cmd: OpenAccount) -> Result<(AccountRegistered, HolderAdded), AccountError> {
        Ok((AccountRegistered, HolderAdded { name: somebody(cmd.owner)? }))
    }
    fn add_holder(&self, cmd: AddHolder) -> Result<HolderAdded, AccountError> {
        let name = somebody(cmd.name)?;
        if self.holders.contains(&name) {
            return Err(AccountError::HolderAlready { name });
        }
        Ok(HolderAdded { name })
    }
    fn deposit(&self, cmd: Deposit) -> Result<MoneyDeposited, AccountError> {
        let balance_after = self.with(cmd.amount)?;
        Ok(MoneyDeposited { amount: cmd.amount, balance_after, channel: cmd.channel })
    }
    fn withdraw(&self, cmd: Withdraw) -> Result<MoneyPaidOut, AccountError> {
        let balance_after = self.without(cmd.amount)?;
        Ok(MoneyPaidOut { amount: cmd.amount, balance_after, channel: cmd.channel })
    }
    fn send(&self, cmd: SendMoney, context: &Context) -> Result<MoneySent, AccountError> {
        if cmd.to.as_str() == context.id() {
            return Err(AccountError::SameAccount);
        }
        let balance_after = self.without(cmd.amount)?;
        Ok(MoneySent { to: cmd.to, amount: cmd.amount, balance_after, remittance: cmd.remittance })
    }
    fn receive(&self, cmd: ReceiveMoney) -> Result<MoneyReceived, AccountError> {
        let balance_after = self.with(cmd.amount)?;
        Ok(MoneyReceived { from: cmd.from, amount: cmd.amount, balance_after, remittance: cmd.remittance })
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
    /// Who holds it, the first one first.
    pub fn holders(&self) -> &[String] {
        &self.holders
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

fn somebody(name: String) -> Result<String, AccountError> {
    if name.trim().is_empty() { Err(AccountError::NoOwner) } else { Ok(name) }
}

fn positive(amount: Cents) -> Result<(), AccountError> {
    if amount > 0 { Ok(()) } else { Err(AccountError::NotPositive { amount }) }
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountError::NoOwner => f.write_str("an account belongs to somebody: say to whom"),
            AccountError::HolderAlready { name } => write!(f, "{name} holds the account already"),
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

mod retired {
    //! What the bank has stored and stores no more. `#[upcast]` in [`Account`](super::Account)'s block says what each one is today.

    use gesta::prelude::*;

    use super::Cents;

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
}

fn main() {}
