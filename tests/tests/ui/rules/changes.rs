//! The changes of the table: the types before each, and after it.

#![allow(dead_code, unused_imports, missing_docs, reason = "every row uses some of it")]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gesta::prelude::*;

pub mod field_added_with_default {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, #[serde(default)] pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_added_optional {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: Option<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_added_without_default {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod optional_field_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: Option<i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_renamed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub amt: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub amount: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod fields_reordered {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub b: String, pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_made_optional {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: Option<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_made_required {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: Option<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod default_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { #[serde(default)] pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod default_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { #[serde(default)] pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_widened {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i8, pub b: i16, pub c: i32, pub d: i64, pub e: u8, pub f: u16, pub g: u32, pub h: u64, pub i: u8, pub j: u32 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i16, pub b: i32, pub c: i64, pub d: i128, pub e: u16, pub f: u32, pub g: u64, pub h: u128, pub i: i16, pub j: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_narrowed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i16, pub b: i32, pub c: i64, pub d: i128, pub e: u16, pub f: u32, pub g: u64, pub h: u128, pub i: i16, pub j: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i8, pub b: i16, pub c: i32, pub d: i64, pub e: u8, pub f: u16, pub g: u32, pub h: u64, pub i: u8, pub j: u32 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_sign_changed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: u64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: u64, pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_to_float {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i32 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_to_integer {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_widened {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: f32 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_narrowed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f32 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod newtype_and_inner {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub struct Cents(pub i64);
        #[event]
        pub struct Happened { pub a: Cents, pub b: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub struct Name(pub String);
        #[event]
        pub struct Happened { pub a: i64, pub b: Name }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod nested_retyped {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub struct Money { pub minor: i64 }
        #[event]
        pub struct Happened { pub parts: Vec<Money> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub struct Money { pub minor: String }
        #[event]
        pub struct Happened { pub parts: Vec<Money> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod text_to_id {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[id]
        pub struct Name(String);
        #[event]
        pub struct Happened { pub a: Name }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod id_to_text {
    use super::*;
    pub mod before {
        use super::*;
        #[id]
        pub struct Name(String);
        #[event]
        pub struct Happened { pub a: Name }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod set_to_list {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeSet<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: Vec<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod list_to_set {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: Vec<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeSet<String> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod tuple_length {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: (i64, i64), pub b: (i64, i64, i64) }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: (i64, i64, i64), pub b: (i64, i64) }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod array_length {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: [u8; 3] }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: [u8; 4] }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_kind {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<String, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<u64, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_widened {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<u32, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<u64, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_variant_added {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Branch }
        #[event]
        pub struct Happened { pub a: BTreeMap<Channel, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, App }
        #[event]
        pub struct Happened { pub a: BTreeMap<Channel, i64> }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_added {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Branch, Card { number: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, Card { number: String }, App }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Branch, App }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_renamed {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Branch, App }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, Phone }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_given_data {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Branch, App }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, App { version: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod tag_style {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel { Card { number: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        #[serde(tag = "type")]
        pub enum Channel { Card { number: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod opaque_changed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { #[schema(opaque = "seconds")] pub a: Duration }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { #[schema(opaque = "milliseconds")] pub a: Duration }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod event_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        #[event]
        pub struct Ended { pub why: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
            fn ended(self, _: Ended) {}
        }
    }
}

pub mod event_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        #[event]
        pub struct Ended { pub why: String }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
            fn ended(self, _: Ended) {}
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod event_renamed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Occurred { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Occurred) -> Self { Thing }
        }
    }
}

pub mod version_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event(version = 2)]
        pub struct Happened { pub a: i64, #[added(2, default = 0)] pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod version_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event(version = 2)]
        pub struct Happened { pub a: i64, #[added(2, default = 0)] pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod aggregate_renamed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, name = "Item")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod id_changed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = i64)]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}
