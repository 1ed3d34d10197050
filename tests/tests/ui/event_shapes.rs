use gesta::prelude::*;

#[event]
pub enum Moved {
    Left,
    Right,
}
#[event]
pub struct Paid(i64);
#[event]
pub union Bits {
    a: u32,
}
#[event]
pub struct Lent<T> {
    amount: T,
}
#[event]
fn opened() {}

// What uses them has no errors of its own.
pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn moved(_: Moved) -> Self {
        Account
    }
    fn paid(&mut self, _: &Paid) {}
}
#[command]
pub struct Pay;
#[command_handler]
impl Account {
    fn pay(&self, _: Pay) -> Vec<Paid> {
        Vec::new()
    }
}

fn main() {}
