use gesta::prelude::*;

#[command]
pub struct Open {}

pub struct NotACommand {}

#[event]
pub struct Opened {}
pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[command_handler]
impl Account {
    fn not(&self, _: NotACommand) {}
}

fn execute<C: gesta::Command>(_: C) {}

fn main() {
    execute(Open {});
}
