use gesta::prelude::*;

// No word about what changed.
#[event(version = 2)]
pub struct Opened {
    pub owner: String,
}
#[event(version = 5)]
pub struct Paid {
    #[added(2, default = 0)]
    pub fee: i64,
}
#[event(version = 4, name = "lent")]
#[removed(4, to: String)]
pub struct Lent {
    #[converted(2, from = u32)]
    pub amount: i64,
}

// An earlier version that is there, but not named.
#[event(name = "Closed")]
pub struct ClosedV1 {
    pub reason: String,
}
#[event(version = 3)]
pub struct Closed {
    #[added(3, default = 0)]
    pub at: i64,
}
impl From<ClosedV1> for ClosedV2 {
    fn from(_: ClosedV1) -> Self {
        ClosedV2 {}
    }
}

// Numbers that no version has.
#[event(version = 0)]
pub struct Printed {}
#[event]
pub struct Moved {
    #[added(2, default = String::new())]
    pub to: String,
}
#[event(version = 2)]
#[removed(3, from: String)]
pub struct Renamed {
    #[renamed(1, from = "name")]
    pub to: String,
}

// What uses them has no errors of its own.
pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, e: Paid) {
        let _ = (e.fee, PaidV1 {});
    }
    fn lent(&mut self, e: Lent) {
        let before: LentV2 = LentV1 { amount: 1, to: String::new() }.into();
        let _ = (e.amount, before);
    }
    fn printed(&mut self, _: Printed) {}
    fn moved(&mut self, _: Moved) {}
    fn renamed(&mut self, _: Renamed) {}
}

fn main() {}
