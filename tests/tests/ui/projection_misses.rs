use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}
#[event]
pub struct Closed {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
    fn closed(self, _: Closed) {}
}

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account)]
impl Row {
    fn paid(&mut self, _: &Paid) {}
}

fn main() {}
