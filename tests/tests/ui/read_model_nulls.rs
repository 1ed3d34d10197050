use gesta::prelude::*;

// A key names one row.
#[derive(ReadModel)]
pub struct Plain {
    #[key]
    id: Option<u64>,
}
type MaybeId = Option<u64>;
#[derive(ReadModel)]
pub struct Aliased {
    #[key]
    id: MaybeId,
}
#[value]
#[derive(Eq, Hash)]
pub struct Wrapped<T>(T);
#[derive(ReadModel)]
pub struct Generic {
    #[key]
    id: Wrapped<Option<u64>>,
}

// A table has one null.
#[value]
pub struct Note(Option<String>);
#[derive(ReadModel)]
pub struct Twice {
    #[key]
    id: u64,
    plain: Option<Option<i64>>,
    aliased: Option<MaybeId>,
    newtype: Option<Note>,
    generic: Wrapped<Option<Wrapped<Option<bool>>>>,
    listed: Vec<Option<Option<i64>>>,
    #[index]
    indexed: Option<Option<i64>>,
}

// These are fine.
#[derive(ReadModel)]
pub struct Fine {
    #[key]
    id: Wrapped<u64>,
    note: Note,
    maybe: Option<Wrapped<i64>>,
    list: Option<Vec<Option<i64>>>,
}

fn main() {}
