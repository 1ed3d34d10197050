use std::collections::HashMap;

use gesta::prelude::*;

#[value]
pub struct Key {
    pub a: u8,
}

// A key without `Eq` and `Hash` has a schema, but such a map can't be read.
#[event]
pub struct Counted {
    pub by_key: HashMap<Key, u64>,
}

fn main() {}
