//! Locks whose lines end as on Windows: one that says what the code says, and one that is compared line by line.

#![deny(warnings)]
#![allow(dead_code)]
use gesta::prelude::*;

mod crlf {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "crlf.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod crlf_compared {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "crlf_compared.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

fn main() {}
