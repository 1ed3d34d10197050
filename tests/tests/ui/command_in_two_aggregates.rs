use gesta::prelude::*;

#[event]
pub struct Opened {}
#[command]
pub struct Open {}

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

pub struct Order;
#[aggregate(id = u64)]
impl Order {
    fn opened(_: Opened) -> Self {
        Order
    }
}
#[command_handler]
impl Order {
    fn open(_: Open) {}
}

fn main() {}
