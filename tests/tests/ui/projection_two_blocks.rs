use gesta::prelude::*;

#[event]
pub struct Opened {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
pub struct Customer;
#[aggregate(id = u64)]
impl Customer {
    fn opened(_: Opened) -> Self {
        Customer
    }
}

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened))]
impl Row {}
#[projection(of = Customer, ignore(Opened))]
impl Row {}

fn main() {}
