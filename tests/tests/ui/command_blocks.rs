// One block an aggregate: its enum has one place. The commands of the second have no errors of their own.
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
