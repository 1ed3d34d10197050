use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
}

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Paid, Opened, Opened))]
impl Row {
    fn paid(&mut self, _: &Paid) {}
    fn paid_again(&mut self, _: Paid) {}
}

fn main() {}
