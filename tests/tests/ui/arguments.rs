use gesta::prelude::*;

#[event(title = "a", name = "b", name = "c")]
pub struct Opened {}
#[event(version = 2)]
pub struct Paid {}
#[event(name = "")]
pub struct Lent {}
#[event(name)]
pub struct Closed {}
#[command(retries = 3, retry, retry)]
pub struct Open {}
#[value(name = "a")]
pub struct Cents(i64);
#[id(String)]
pub struct AccountId(String);
#[state(snapshots = 3)]
pub struct Counter {}
#[state]
pub struct Counter2 {}
#[state(snapshot_every = 0)]
pub struct Counter3 {}
#[state(snapshot_every = "often")]
pub struct Counter4 {}

pub struct Account;
#[aggregate(id = u64, id = u32, key = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[command_handler(of = Account)]
impl Account {
    fn open(_: Open) {}
}
#[derive(ReadModel)]
#[read_model(name = "row", table = "a", table = "b")]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore = Opened, skip(Opened))]
impl Row {}
#[projection]
impl Row {}

pub struct Dashed;
#[aggregate(id = u64, name = "bank-account")]
impl Dashed {
    fn opened(_: Opened) -> Self {
        Dashed
    }
}

fn main() {}
