use gesta::prelude::*;

pub struct Money {
    pub minor: i64,
}

#[event]
pub struct Deposited {
    pub id: u64,
    pub amount: Money,
}
#[value]
pub struct Basket {
    pub prices: Vec<Option<Money>>,
    pub total: (u8, Money),
}
#[value]
pub enum Fee {
    None,
    Fixed(Money),
    Both { base: Money },
}
#[value]
pub struct Price(Money);
#[command]
pub struct Deposit {
    pub at: std::path::PathBuf,
}
#[state(snapshot_every = 10)]
pub struct Account {
    pub balance: Money,
}

// What uses them has no errors of its own.
#[aggregate(id = u64)]
impl Account {
    fn deposited(e: Deposited) -> Self {
        Account { balance: e.amount }
    }
}
#[command_handler]
impl Account {
    fn deposit(_: Deposit) -> Result<Deposited, Fee> {
        Err(Fee::None)
    }
}
#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
    fee: Fee,
    basket: Basket,
}
#[projection(of = Account, ignore(Deposited))]
impl Row {}

fn main() {}
