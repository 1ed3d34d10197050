use gesta::prelude::*;

pub struct NotShown;
fn in_cents(euros: String) -> i64 {
    euros.len() as i64
}
fn refused(_: u32) -> Result<i64, NotShown> {
    Err(NotShown)
}
#[value]
pub struct Cents(pub i64);

#[event(version = 2)]
pub struct Paid {
    #[added(2, default = "text")]
    pub fee: i64,
    #[added(2, default = unknown())]
    pub limit: i64,
    #[converted(2, from = u32)]
    pub amount: Cents,
    #[converted(2, from = u32, with = in_cents)]
    pub takes_text: i64,
    #[converted(2, from = String, with = in_cents)]
    pub returns_i64: u8,
    #[converted(2, from = u32, with = nowhere)]
    pub missing: i64,
}

#[event(version = 2)]
pub struct Tried {
    #[converted(2, try_from = u32)]
    pub amount: Cents,
    #[converted(2, try_from = u32, with = refused)]
    pub refused: i64,
    #[converted(2, try_from = String, with = in_cents)]
    pub never_fails: i64,
}

#[event(version = 2)]
#[removed(2, note: NotShown)]
pub struct Lent {
    #[converted(2, from = Missing)]
    pub amount: i64,
}

fn main() {}
