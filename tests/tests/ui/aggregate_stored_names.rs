use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event(name = "Opened")]
pub struct Reopened {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn reopened(&mut self, _: Reopened) {}
}

#[command]
pub struct Open {}
#[command(name = "Open")]
pub struct Reopen {}
#[command_handler]
impl Account {
    fn open(_: Open) {}
    fn reopen(&self, _: Reopen) {}
}

fn main() {}
