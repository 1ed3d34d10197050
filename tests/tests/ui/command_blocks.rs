// One block an aggregate: its enum has one place. What rustc says of two is its own, and more than one error; the first says it.
use gesta::prelude::*;

#[event]
pub struct Opened {}
#[command]
pub struct Open {}
#[command]
pub struct Close {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[command_handler]
impl Account {
    fn open(_: Open) {}
}
#[command_handler]
impl Account {
    fn close(&self, _: Close) {}
}

fn main() {}
