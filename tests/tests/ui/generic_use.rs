use gesta::prelude::*;

pub struct Money {
    pub minor: i64,
}

#[value]
pub struct Range<T> {
    pub from: T,
    pub to: T,
}

// Only its parameter lacks something.
#[event]
pub struct Planned {
    pub prices: Range<Money>,
}

// A field of its own does, whatever the parameter is.
#[value]
pub struct Priced<T> {
    pub what: T,
    pub price: Money,
}

// Events aren't generic.
#[event]
pub struct Paid<T> {
    pub amount: T,
}

fn main() {}
