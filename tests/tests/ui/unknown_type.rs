use gesta::prelude::*;

#[value]
pub struct Money(i64);

#[event]
pub struct Deposited {
    pub amount: Mony,
}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn deposited(_: Deposited) -> Self {
        Account
    }
    fn closed(self, _: Closd) {}
}

fn main() {}
