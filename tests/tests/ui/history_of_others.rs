use gesta::prelude::*;

#[value]
#[removed(2, currency: String)]
pub struct Money {
    #[renamed(2, from = "cents")]
    pub minor: i64,
}
#[value]
pub enum Channel {
    #[added(2, default = 0)]
    Online,
    Branch {
        #[converted(2, from = u32)]
        number: u64,
    },
}
#[command]
pub struct Pay {
    #[added(2, default = 0)]
    pub fee: i64,
}
#[state(snapshot_every = 10)]
pub struct Account {
    #[added(2, default = 0)]
    pub balance: i64,
}

// What can't be an event has one error.
#[event(version = 2)]
pub struct Paid(#[added(2, default = 0)] i64);
#[event(version = 2)]
pub enum Moved {
    #[added(2, default = 0)]
    Left,
}

fn main() {}
