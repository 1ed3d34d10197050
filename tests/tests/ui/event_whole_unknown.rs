use gesta::prelude::*;

#[event(version = 2)]
#[converted(2, from = PaidV1)]
pub struct Paid {
    pub amount: i64,
}

fn main() {}
