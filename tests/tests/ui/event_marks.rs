use gesta::prelude::*;

#[event(version = 2)]
#[removed]
#[removed(2)]
#[removed(2, teller)]
#[removed(2, String)]
#[removed(2, note: String, more: String)]
#[removed(2, #[cfg(unix)] #[serde(flatten)] reason: String)]
#[added(2, default = 0)]
#[renamed(2, from = "Payed")]
#[converted(2)]
pub struct Paid {
    #[added]
    pub a: i64,
    #[added(2)]
    pub b: i64,
    #[added(2, 0)]
    pub c: i64,
    #[added(default = 0)]
    pub d: i64,
    #[added(2, default = 0, from = i64)]
    pub e: i64,
    #[added = 2]
    pub f: i64,
    #[added(2 default = 0)]
    pub g: i64,
    #[renamed(2)]
    pub h: i64,
    #[renamed(2, from = old)]
    pub i: i64,
    #[renamed(2, from = "not a name")]
    pub j: i64,
    #[renamed(2, "old")]
    pub k: i64,
    #[converted(2, u32)]
    pub l: i64,
    #[converted(2, from = u32, by = in_cents)]
    pub m: i64,
    #[converted(2, from = u32, with = |n| n.into())]
    pub n: i64,
    #[removed(2, o: i64)]
    pub o: i64,
    #[added("2", default = 0)]
    pub p: i64,
    #[added(99999999999, default = 0)]
    pub q: i64,
    #[added(2, default = )]
    pub r: i64,
}

fn main() {}
