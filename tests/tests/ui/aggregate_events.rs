use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}
pub struct NotAnEvent {
    pub amount: i64,
}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
    fn paid_again(&mut self, _: &Paid) {}
}

pub struct Order;
#[aggregate(id = u64)]
impl Order {
    fn opened(_: Opened) -> Self {
        Order
    }
    fn not(&mut self, _: NotAnEvent) {}
}

fn main() {}
