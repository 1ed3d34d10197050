//! A domain as a user writes it.

use std::sync::Arc;

use gesta::prelude::*;

#[id]
pub struct AccountId(String);

#[id]
pub struct CustomerNumber(u32);

#[value]
pub struct Cents(pub i64);

#[value]
pub enum Channel {
    Branch,
    Online,
}

#[value]
#[derive(Default)]
pub struct Address {
    pub street: String,
    pub lines: Vec<String>,
}

#[event]
pub struct Opened {
    /// Who it belongs to.
    pub owner: String,
    pub channel: Channel,
}

#[event]
pub struct Deposited {
    pub amount: Cents,
}

#[event]
pub struct Closed;

#[derive(Debug, PartialEq)]
pub struct Account {
    pub owner: String,
    pub balance: i64,
}

/// Where money is kept.
#[aggregate(id = AccountId)]
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner, balance: 0 }
    }
    fn deposited(&mut self, e: &Deposited) {
        self.balance += e.amount.0;
    }
    fn closed(self, _: Closed) {}
}

#[derive(Debug, PartialEq, Eq)]
pub enum AccountError {
    TooLittle,
    NotLent,
}

#[command]
pub struct Open {
    pub owner: String,
}
#[command]
pub struct Deposit {
    pub amount: i64,
}
#[command]
pub struct DepositOften {
    pub amounts: Vec<i64>,
}
#[command(retry)]
pub struct Lend {
    pub amount: i64,
}
#[command]
pub struct Close;
#[command]
pub struct CloseIfEmpty;
#[command]
pub struct Touch;
#[command]
pub struct Ensure {
    pub owner: String,
}
#[command(name = "ask_time")]
pub struct AskTime {}

/// A service behind a trait.
pub trait Bank: Send + Sync {
    fn lends(&self, amount: i64) -> bool;
}
pub struct Generous;
impl Bank for Generous {
    fn lends(&self, amount: i64) -> bool {
        amount < 1_000
    }
}

pub type Answered<T> = Result<T, AccountError>;

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { owner: cmd.owner, channel: Channel::Branch }
    }
    fn deposit(&self, cmd: &Deposit) -> Result<Deposited, AccountError> {
        if cmd.amount > 0 { Ok(Deposited { amount: Cents(cmd.amount) }) } else { Err(AccountError::TooLittle) }
    }
    fn deposit_often(&self, cmd: DepositOften) -> Vec<AccountEvent> {
        cmd.amounts.into_iter().map(|n| Deposited { amount: Cents(n) }.into()).collect()
    }
    async fn lend(&self, cmd: Lend, bank: &dyn Bank, context: &Context) -> Answered<(Deposited, Option<Closed>)> {
        std::future::ready(()).await;
        assert_eq!(context.id(), "ACC-1");
        if bank.lends(cmd.amount) { Ok((Deposited { amount: Cents(cmd.amount) }, None)) } else { Err(AccountError::NotLent) }
    }
    fn close(&self, _: Close) -> (Deposited, Closed) {
        (Deposited { amount: Cents(-self.balance) }, Closed)
    }
    fn close_if_empty(&self, _: CloseIfEmpty) -> Option<[Closed; 1]> {
        (self.balance == 0).then_some([Closed])
    }
    fn touch(&self, _: Touch) {}
    fn ensure(this: Option<&Self>, cmd: Ensure) -> Result<Option<Opened>, AccountError> {
        Ok(this.is_none().then_some(Opened { owner: cmd.owner, channel: Channel::Online }))
    }
    fn ask_time(&self, _: AskTime, context: &Context) -> Result<(), Arc<str>> {
        Err(format!("{}", context.now().as_micros()).into())
    }
}

#[event]
pub struct Registered {
    pub address: Option<Address>,
    pub accounts: std::collections::BTreeMap<AccountId, Cents>,
}

/// Somebody; `Closed` serves here too.
pub enum Customer {
    Plain,
}

#[aggregate(id = CustomerNumber, name = "customer")]
impl Customer {
    fn registered(_: &Registered) -> Customer {
        Customer::Plain
    }
    fn closed(&mut self, e: Closed) {
        let _ = (e, matches!(self, Customer::Plain));
    }
}

#[state(snapshot_every = 100, logic_version = 2)]
#[derive(Eq)]
pub struct Counter {
    pub count: u64,
}

#[event(name = "counted", version = 1)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    pub how_many: u64,
    #[serde(rename = "why", default)]
    pub reason: Option<String>,
    #[schema(opaque = "seconds")]
    pub took: std::time::Duration,
}

#[aggregate(id = u64)]
impl Counter {
    fn counted(e: Counted) -> Counter {
        Counter { count: e.how_many }
    }
}
