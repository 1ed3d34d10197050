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

pub struct Row;
#[projection(of = Account)]
impl Row {
    fn opened(_: &Opened) -> Self {
        Row
    }
}

fn main() {}
