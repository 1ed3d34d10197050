use gesta::prelude::*;

#[event(name = "Paid")]
pub struct PaidV1 {
    pub amount: String,
}

// Marks that belong on the explicit struct, and a second one.
#[event(version = 3)]
#[removed(1, note: String)]
#[converted(2, from = PaidV1)]
#[converted(3, from = PaidV2)]
pub struct Paid {
    #[added(3, default = 0)]
    pub fee: i64,
    #[renamed(2, from = "sum")]
    pub amount: String,
}
#[event(version = 2)]
#[converted(4, from = PaidV1)]
pub struct Paid4 {
    #[added(2, default = 0)]
    pub fee: i64,
}

fn main() {}
