//! The domain of the load: accounts that live for a while, and pools that everybody pays into. Each event carries the
//! number of the command it came from, so that nothing is lost or doubled unseen.

use std::fmt;

use gesta::Builder;
use gesta::prelude::*;

#[id]
pub struct AccountId(String);
#[id]
pub struct PoolId(String);

#[event]
pub struct Opened {
    pub op: i64,
    pub owner: String,
}
#[event]
pub struct Deposited {
    pub op: i64,
    pub amount: i64,
}
#[event]
pub struct Withdrawn {
    pub op: i64,
    pub amount: i64,
}
#[event]
pub struct Closed {
    pub op: i64,
}

/// An account; its stream ends with it.
#[state(snapshot_every = 10)]
pub struct Account {
    pub balance: i64,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: &Opened) -> Self {
        Account { balance: 0 }
    }
    fn deposited(&mut self, e: &Deposited) {
        self.balance += e.amount;
    }
    fn withdrawn(&mut self, e: &Withdrawn) {
        self.balance -= e.amount;
    }
    fn closed(self, _: &Closed) {}
}

#[command]
pub struct Open {
    pub op: i64,
    pub owner: String,
}
#[command]
pub struct Deposit {
    pub op: i64,
    pub amount: i64,
}
#[command]
pub struct Withdraw {
    pub op: i64,
    pub amount: i64,
}
/// Looks and does nothing.
#[command]
pub struct Look;
#[command]
pub struct Close {
    pub op: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    Insufficient { balance: i64 },
    NotEmpty { balance: i64 },
}
impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
impl std::error::Error for AccountError {}

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { op: cmd.op, owner: cmd.owner }
    }
    fn deposit(&self, cmd: Deposit) -> Deposited {
        Deposited { op: cmd.op, amount: cmd.amount }
    }
    fn withdraw(&self, cmd: Withdraw) -> Result<Withdrawn, AccountError> {
        if cmd.amount > self.balance {
            return Err(AccountError::Insufficient { balance: self.balance });
        }
        Ok(Withdrawn { op: cmd.op, amount: cmd.amount })
    }
    fn look(&self, _: Look) {}
    fn close(&self, cmd: Close) -> Result<Closed, AccountError> {
        if self.balance == 0 { Ok(Closed { op: cmd.op }) } else { Err(AccountError::NotEmpty { balance: self.balance }) }
    }
}

#[event]
pub struct Founded {
    pub op: i64,
}
#[event]
pub struct Filled {
    pub op: i64,
    pub amount: i64,
}
#[event]
pub struct Drained {
    pub op: i64,
    pub amount: i64,
}

/// A pool of money: many clients at the same time.
#[state(snapshot_every = 50)]
pub struct Pool {
    pub total: i64,
}

#[aggregate(id = PoolId)]
impl Pool {
    fn founded(_: &Founded) -> Self {
        Pool { total: 0 }
    }
    fn filled(&mut self, e: &Filled) {
        self.total += e.amount;
    }
    fn drained(&mut self, e: &Drained) {
        self.total -= e.amount;
    }
}

/// Founds the pool where there is none.
#[command]
pub struct Fill {
    pub op: i64,
    pub amount: i64,
}
#[command]
pub struct Drain {
    pub op: i64,
    pub amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dry;
impl fmt::Display for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is not as much in it")
    }
}
impl std::error::Error for Dry {}

#[command_handler]
impl Pool {
    fn fill(this: Option<&Self>, cmd: Fill) -> (Option<Founded>, Filled) {
        (this.is_none().then_some(Founded { op: cmd.op }), Filled { op: cmd.op, amount: cmd.amount })
    }
    fn drain(&self, cmd: Drain) -> Result<Drained, Dry> {
        if cmd.amount > self.total { Err(Dry) } else { Ok(Drained { op: cmd.op, amount: cmd.amount }) }
    }
}

/// Inline, unless appends run beside each other: the accounts there are, gone with them.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "balances")]
pub struct Balance {
    #[key]
    pub account: AccountId,
    pub owner: String,
    #[index]
    pub amount: i64,
    pub version: i64,
    pub digest: i64,
}

#[projection(of = Account)]
impl Balance {
    fn opened(e: &Recorded<Opened>) -> Self {
        let account = AccountId::new(e.stream.id()).expect("a stream's id is one");
        Balance { account, owner: e.owner.clone(), amount: 0, version: 1, digest: digest(0, e.op) }
    }
    fn deposited(&mut self, e: &Recorded<Deposited>) {
        self.book(e.amount, e.op);
    }
    fn withdrawn(&mut self, e: &Recorded<Withdrawn>) {
        self.book(-e.amount, e.op);
    }
    fn closed(self, _: &Closed) {}
}

impl Balance {
    fn book(&mut self, amount: i64, op: i64) {
        self.amount += amount;
        self.version += 1;
        self.digest = digest(self.digest, op);
    }
}

/// Inline, unless appends run beside each other: rows that many appends of one batch change.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "pools")]
pub struct PoolSheet {
    #[key]
    pub pool: PoolId,
    pub total: i64,
    pub digest: i64,
}

#[projection(of = Pool)]
impl PoolSheet {
    fn founded(e: &Recorded<Founded>) -> Self {
        PoolSheet { pool: PoolId::new(e.stream.id()).expect("a stream's id is one"), total: 0, digest: digest(0, e.op) }
    }
    fn filled(&mut self, e: &Filled) {
        self.total += e.amount;
        self.digest = digest(self.digest, e.op);
    }
    fn drained(&mut self, e: &Drained) {
        self.total -= e.amount;
        self.digest = digest(self.digest, e.op);
    }
}

/// A moment behind: all accounts there ever were.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "statements")]
pub struct Statement {
    #[key]
    pub account: AccountId,
    pub closed: bool,
    pub paid_in: i64,
    pub paid_out: i64,
    pub digest: i64,
}

#[projection(of = Account)]
impl Statement {
    fn opened(e: &Recorded<Opened>) -> Self {
        let account = AccountId::new(e.stream.id()).expect("a stream's id is one");
        Statement { account, closed: false, paid_in: 0, paid_out: 0, digest: digest(0, e.op) }
    }
    fn deposited(&mut self, e: &Deposited) {
        self.paid_in += e.amount;
        self.digest = digest(self.digest, e.op);
    }
    fn withdrawn(&mut self, e: &Withdrawn) {
        self.paid_out += e.amount;
        self.digest = digest(self.digest, e.op);
    }
    fn closed(&mut self, e: &Closed) {
        self.closed = true;
        self.digest = digest(self.digest, e.op);
    }
}

/// A moment behind: what went in and out, by the amount's last digits, from all accounts and pools; a row goes after ten
/// events, and comes again.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "flows", of(Account, Pool))]
pub struct Flow {
    #[key]
    pub bucket: i64,
    pub events: i64,
    pub sum: i64,
    pub digest: i64,
}

/// How many rows [`Flow`] has at most.
pub const BUCKETS: i64 = 23;
/// After how many events a row of [`Flow`] goes.
pub const FLOW_EVENTS: i64 = 10;

#[projection(of = Account, ignore(Opened, Closed))]
impl Flow {
    #[key = e.amount % BUCKETS]
    fn deposited(row: Option<Self>, e: &Deposited) -> Option<Self> {
        Flow::book(row, e.amount, e.op)
    }
    #[key = e.amount % BUCKETS]
    fn withdrawn(row: Option<Self>, e: &Withdrawn) -> Option<Self> {
        Flow::book(row, -e.amount, e.op)
    }
}

#[projection(of = Pool, ignore(Founded))]
impl Flow {
    #[key = e.amount % BUCKETS]
    fn filled(row: Option<Self>, e: &Filled) -> Option<Self> {
        Flow::book(row, e.amount, e.op)
    }
    #[key = e.amount % BUCKETS]
    fn drained(row: Option<Self>, e: &Drained) -> Option<Self> {
        Flow::book(row, -e.amount, e.op)
    }
}

impl Flow {
    fn book(row: Option<Self>, amount: i64, op: i64) -> Option<Self> {
        let bucket = amount.abs() % BUCKETS;
        let before = row.unwrap_or(Flow { bucket, events: 0, sum: 0, digest: 0 });
        let (events, sum) = (before.events + 1, before.sum + amount);
        (events < FLOW_EVENTS).then_some(Flow { bucket, events, sum, digest: digest(before.digest, op) })
    }
}

/// Depends on every command and on their order.
fn digest(before: i64, op: i64) -> i64 {
    before.wrapping_mul(31).wrapping_add(op)
}

/// The app of the load: two models inline, two a moment behind. All are a moment behind where a URL asks for appends that run
/// beside each other, which those that carry an inline model don't.
pub fn register(builder: Builder, url: &str) -> Builder {
    let builder = builder.aggregate::<Account>().aggregate::<Pool>().projection::<Statement>().projection::<Flow>();
    if url.contains("appends=shared") {
        builder.projection::<Balance>().projection::<PoolSheet>()
    } else {
        builder.inline_projection::<Balance>().inline_projection::<PoolSheet>()
    }
}
