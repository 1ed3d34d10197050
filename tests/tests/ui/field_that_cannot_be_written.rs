use std::collections::HashSet;

use gesta::prelude::*;

#[value]
pub struct Key {
    pub a: u8,
}

// What lacks `Eq` and `Hash` has a schema, but a set of it can't be read.
#[event]
pub struct Counted {
    pub keys: HashSet<Key>,
}

fn main() {}
