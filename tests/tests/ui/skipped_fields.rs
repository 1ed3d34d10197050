use gesta::prelude::*;

#[value]
pub struct Price {
    pub minor: i64,
    #[serde(skip)]
    pub shown: String,
}

#[value]
pub enum Payment {
    Card {
        number: String,
        #[serde(skip_serializing, default)]
        code: String,
    },
}

#[event]
pub struct Paid {
    pub price: Price,
    pub payment: Payment,
    #[serde(skip, default = "seven")]
    pub hidden: i64,
}

#[state(snapshot_every = 10)]
pub struct Account {
    pub paid: i64,
    #[serde(skip)]
    pub cached: Option<Price>,
}

#[aggregate(id = u64)]
impl Account {
    fn paid(e: Paid) -> Self {
        Account { paid: e.price.minor, cached: Some(e.price) }
    }
}

// A command is not kept.
#[command]
pub struct Pay {
    pub price: i64,
    #[serde(skip)]
    pub user: String,
}

fn seven() -> i64 {
    7
}

fn main() {}
