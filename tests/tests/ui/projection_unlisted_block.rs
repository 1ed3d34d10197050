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
#[read_model(of(Account))]
pub struct Unlisted {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened))]
impl Unlisted {}
#[projection(of = Customer, ignore(Opened))]
impl Unlisted {}

#[derive(ReadModel)]
#[read_model(of(Account, Customer))]
pub struct Blockless {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened))]
impl Blockless {}

#[derive(ReadModel)]
#[read_model(of(Account, Account))]
pub struct Twice {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened))]
impl Twice {}

fn main() {}
