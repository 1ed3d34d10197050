use gesta::prelude::*;

pub struct Money(i64);

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
    #[index]
    balance: Money,
    folder: std::path::PathBuf,
    other: Option<Money>,
}

// A key needs more than a column does: rustc names each trait that is missing.
#[derive(ReadModel)]
pub struct ByMoney {
    #[key]
    money: Money,
}

fn main() {}
