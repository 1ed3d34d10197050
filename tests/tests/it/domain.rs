//! The domain that tests of the runtime share: accounts, small enough to know by heart.

use std::fmt;

use gesta::prelude::*;

#[id]
pub struct AccountId(String);

#[event]
pub struct Opened {
    pub owner: String,
}
#[event]
pub struct Deposited {
    pub amount: i64,
}
#[event]
pub struct Withdrawn {
    pub amount: i64,
}
#[event]
pub struct Measured {
    pub rate: f64,
}
#[event]
pub struct Closed;

#[state(snapshot_every = 10)]
pub struct Account {
    pub owner: String,
    pub balance: i64,
    pub bookings: u32,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner, balance: 0, bookings: 0 }
    }
    fn deposited(&mut self, e: &Deposited) {
        assert!(e.amount != BURSTS, "an account bursts at {BURSTS}");
        self.balance += e.amount;
        self.bookings += 1;
    }
    fn withdrawn(&mut self, e: &Withdrawn) {
        self.balance -= e.amount;
        self.bookings += 1;
    }
    fn measured(&mut self, _: &Measured) {}
    fn closed(self, _: Closed) {}
}

/// An amount that its event's application can't bear.
pub const BURSTS: i64 = 666;

#[command]
pub struct Open {
    pub owner: String,
}
#[command]
pub struct Deposit {
    pub amount: i64,
}
#[command]
pub struct Withdraw {
    pub amount: i64,
}
/// Many deposits of one each.
#[command]
pub struct Drip {
    pub times: u32,
}
#[command]
pub struct Measure {
    pub rate: f64,
}
/// Looks and does nothing.
#[command]
pub struct Audit;
#[command]
pub struct Close;
#[command]
pub struct Panic;
/// Returns a second creation.
#[command]
pub struct OpenAgain;
/// Opens where there is none, else deposits.
#[command]
pub struct Welcome {
    pub gift: i64,
}
/// Asks the bank, which takes its time.
#[command]
pub struct Borrow {
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    NotPositive,
    Insufficient { balance: i64 },
    NotEmpty,
    Unworthy,
}
impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
impl std::error::Error for AccountError {}

/// Somebody who lends money.
pub trait Lender: Send + Sync {
    /// Whether it lends; `attempt` is the same however often it is asked for one command.
    fn lend(&self, attempt: Uuid, amount: i64) -> bool;
}

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { owner: cmd.owner }
    }
    fn deposit(&self, cmd: &Deposit) -> Result<Deposited, AccountError> {
        if cmd.amount <= 0 {
            return Err(AccountError::NotPositive);
        }
        Ok(Deposited { amount: cmd.amount })
    }
    fn withdraw(&self, cmd: Withdraw) -> Result<Withdrawn, AccountError> {
        if cmd.amount > self.balance {
            return Err(AccountError::Insufficient { balance: self.balance });
        }
        Ok(Withdrawn { amount: cmd.amount })
    }
    fn drip(&self, cmd: Drip) -> Vec<AccountEvent> {
        (0..cmd.times).map(|_| Deposited { amount: 1 }.into()).collect()
    }
    fn measure(&self, cmd: Measure) -> Measured {
        Measured { rate: cmd.rate }
    }
    fn audit(&self, _: Audit) {}
    fn close(&self, _: Close) -> Result<Closed, AccountError> {
        if self.balance == 0 { Ok(Closed) } else { Err(AccountError::NotEmpty) }
    }
    fn panic(&self, _: Panic) {
        panic!("the vault is empty");
    }
    fn open_again(&self, _: OpenAgain) -> Opened {
        Opened { owner: String::new() }
    }
    fn welcome(this: Option<&Self>, cmd: Welcome) -> (Option<Opened>, Deposited) {
        let opened = this.is_none().then(|| Opened { owner: "guest".to_owned() });
        (opened, Deposited { amount: cmd.gift })
    }
    async fn borrow(&self, cmd: Borrow, lender: &dyn Lender, context: &Context) -> Result<Deposited, AccountError> {
        tokio::task::yield_now().await;
        if lender.lend(context.attempt_key(), cmd.amount) {
            Ok(Deposited { amount: cmd.amount })
        } else {
            Err(AccountError::Unworthy)
        }
    }
}

/// One row per account, there while it is.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "summary")]
pub struct Summary {
    #[key]
    pub account: AccountId,
    #[index]
    pub balance: i64,
    pub owner: String,
    pub version: u64,
}

#[projection(of = Account, ignore(Measured))]
impl Summary {
    fn opened(e: &Recorded<Opened>) -> Self {
        Summary { account: e.aggregate_id(), balance: 0, owner: e.owner.clone(), version: e.version.get() }
    }
    fn deposited(&mut self, e: &Recorded<Deposited>) {
        self.balance += e.amount;
        self.version = e.version.get();
    }
    fn withdrawn(&mut self, e: &Recorded<Withdrawn>) {
        self.balance -= e.amount;
        self.version = e.version.get();
    }
    fn closed(self, _: &Closed) {}
}

/// One row per amount that was ever deposited: rows that events of many streams create and change.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "amounts")]
pub struct Amounts {
    #[key]
    pub amount: i64,
    #[index]
    pub times: u32,
    pub last: Option<AccountId>,
}

#[projection(of = Account, ignore(Opened, Withdrawn, Measured, Closed))]
impl Amounts {
    #[key = e.amount]
    fn deposited(row: Option<Self>, e: &Recorded<Deposited>) -> Option<Self> {
        let times = row.map_or(0, |row| row.times) + 1;
        Some(Amounts { amount: e.amount, times, last: Some(e.aggregate_id()) })
    }
}

pub fn account(name: &str) -> AccountId {
    AccountId::new(name).expect("tests use valid ids")
}
