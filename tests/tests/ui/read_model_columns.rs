use gesta::prelude::*;

pub struct Money(i64);

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
    #[index]
    balance: Money,
    since: std::time::SystemTime,
    other: Option<Money>,
}

#[derive(ReadModel)]
pub struct ByMoney {
    #[key]
    money: Money,
}

fn main() {}
