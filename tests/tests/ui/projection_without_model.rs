// Without the derive nothing of the block holds. rustc says so once for each trait; the first says what to write.
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
