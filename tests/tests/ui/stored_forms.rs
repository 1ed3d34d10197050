use std::collections::{BTreeMap, HashMap};

use gesta::prelude::*;

#[value]
#[derive(Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub row: u8,
    pub seat: u8,
}
#[value]
pub struct Note(Option<String>);
#[value]
pub struct Range<T> {
    pub from: T,
    pub to: Option<T>,
}

// JSON has one `null`, and its keys are texts.
#[event]
pub struct Sold {
    pub twice: Option<Option<i64>>,
}
#[event]
pub struct Noted {
    pub hidden: Vec<Option<Note>>,
}
#[event]
pub struct Seated {
    pub by_place: BTreeMap<Place, i64>,
}
#[event]
pub struct Many {
    pub many: [u8; 64],
}

// What a tag stands among is kept in a buffer.
#[value]
#[serde(tag = "type")]
pub enum Counts {
    Count { by_number: HashMap<u16, i64> },
}
#[value]
#[serde(tag = "type")]
pub enum Wide {
    Total { total: Vec<i128> },
}
#[value]
#[serde(tag = "type")]
pub enum Plain {
    Plain(String),
}
#[value]
#[serde(tag = "type")]
pub enum Payment {
    Typed(Typed),
}
#[value]
#[serde(tag = "type")]
pub enum Described {
    Path(#[schema(opaque = "text")] std::path::PathBuf),
}
#[value]
pub struct Typed {
    pub r#type: String,
}

// A generic value is looked at where it is used.
#[event]
pub struct Planned {
    pub range: Range<Option<i64>>,
}

// What uses them has no errors of its own.
#[event]
pub struct Paid {
    pub payment: Payment,
}
#[aggregate(id = u64)]
impl Account {
    fn sold(_: Sold) -> Self {
        Account
    }
    fn planned(&mut self, _: Planned) {}
    fn paid(&mut self, _: Paid) {}
}
pub struct Account;

fn main() {}
