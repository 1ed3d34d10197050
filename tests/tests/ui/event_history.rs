use gesta::prelude::*;

#[event(version = 3)]
#[removed(2, #[renamed(2, from = "word")] note: String)]
#[removed(2, #[added(3, default = None)] teller: Option<String>)]
#[serde(default)]
pub struct Paid {
    #[added(2, default = 0)]
    #[added(3, default = 1)]
    pub twice_added: i64,
    #[renamed(2, from = "a")]
    #[renamed(2, from = "b")]
    pub twice_renamed: i64,
    #[added(3, default = 0)]
    #[renamed(2, from = "c")]
    pub renamed_before: i64,
    #[added(2, default = 0)]
    #[converted(2, from = u32)]
    pub converted_when_added: i64,
    #[renamed(3, from = "same")]
    pub same: i64,
    #[renamed(2, from = "x")]
    #[renamed(3, from = "y")]
    pub y: i64,
}

// Two fields of one name in one version.
#[event(version = 3)]
#[removed(2, to: String)]
#[removed(3, #[added(2, default = 0)] fee: i64)]
pub struct Sent {
    #[renamed(2, from = "to")]
    pub address: String,
    #[renamed(3, from = "cost")]
    #[serde(rename = "fee")]
    pub price: i64,
    #[renamed(3, from = "fee")]
    pub total: i64,
}

// Nothing is wrong with names that are there at different times, in whatever order that is written.
#[event(version = 4)]
#[removed(2, kind: String)]
#[removed(4, #[added(3, default = 1)] kind: u8)]
pub struct Kept {
    #[converted(4, from = u16)]
    #[converted(2, from = u8)]
    #[renamed(3, from = "one")]
    #[renamed(4, from = "two")]
    pub three: u32,
}

fn main() {}
