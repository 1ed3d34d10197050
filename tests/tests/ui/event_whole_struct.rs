use gesta::prelude::*;

// Stored under another name, and in another version.
#[event]
pub struct PaidBefore {
    pub amount: String,
}
#[event(version = 2, name = "paid")]
#[converted(2, from = PaidBefore, with = paid)]
pub struct Paid {
    pub amount: i64,
}
fn paid(_: PaidBefore) -> Paid {
    Paid { amount: 0 }
}

#[event(name = "lent")]
pub struct LentBefore {}
#[event(version = 3, name = "lent")]
#[converted(3, from = LentBefore, with = lent)]
pub struct Lent {}
fn lent(_: LentBefore) -> Lent {
    Lent {}
}

// No `From`, and no `TryFrom`.
#[event(name = "Opened")]
pub struct OpenedBefore {}
#[event(version = 2)]
#[converted(2, from = OpenedBefore)]
pub struct Opened {}

#[event(name = "Closed")]
pub struct ClosedBefore {}
#[event(version = 3)]
#[converted(2, try_from = ClosedBefore)]
pub struct Closed {
    #[added(3, default = 0)]
    pub at: i64,
}

// No event, and nothing at all.
pub struct Plain;
#[event(version = 2)]
#[converted(2, from = Plain, with = of_plain)]
pub struct Moved {}
fn of_plain(_: Plain) -> Moved {
    Moved {}
}

fn main() {}
