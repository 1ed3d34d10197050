use gesta::prelude::*;

#[event]
pub struct Opened {}
#[command]
pub struct Open {}
pub struct Bank;

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[command_handler]
impl Account {
    fn nothing() {}
    fn no_command(&self) {}
    fn changes(&mut self, _: Open) {}
    fn consumes(self, _: Open) {}
    fn owned(this: Option<Self>, _: Open) {}
    fn generic<C>(&self, _: C) {}
    fn by_value(&self, _: Open, bank: Bank) {}
    fn changed(&self, _: Open, bank: &mut Bank) {}
    fn tuple(&self, _: (Open, Bank)) {}
    fn number(&self, _: i64) {}
    const LIMIT: i64 = 3;

    // The right ones are there all the same.
    fn open(_: Open) -> Opened {
        Opened {}
    }
}

fn open(cmd: Open) -> AccountCommand {
    cmd.into()
}

fn main() {}
