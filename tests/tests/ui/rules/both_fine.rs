//! Changes that each build reads of the other, and those that only one of them does.

#![allow(dead_code, unused_imports, missing_docs, reason = "every row uses some of it")]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gesta::prelude::*;
use gesta::schema::{assert_backward, assert_forward};

pub mod field_added_with_default {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
            #[serde(default)]
            pub b: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod field_added_optional {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
            pub b: Option<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod field_added_without_default {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
            pub b: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod optional_field_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
            pub b: Option<i64>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod fields_reordered {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
            pub b: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub b: String,
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod field_made_optional {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: Option<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod field_made_required {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: Option<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod default_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            #[serde(default)]
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod default_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            #[serde(default)]
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod integer_widened {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i8,
            pub b: i16,
            pub c: i32,
            pub d: i64,
            pub e: u8,
            pub f: u16,
            pub g: u32,
            pub h: u64,
            pub i: u8,
            pub j: u32,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i16,
            pub b: i32,
            pub c: i64,
            pub d: i128,
            pub e: u16,
            pub f: u32,
            pub g: u64,
            pub h: u128,
            pub i: i16,
            pub j: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod integer_narrowed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i16,
            pub b: i32,
            pub c: i64,
            pub d: i128,
            pub e: u16,
            pub f: u32,
            pub g: u64,
            pub h: u128,
            pub i: i16,
            pub j: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i8,
            pub b: i16,
            pub c: i32,
            pub d: i64,
            pub e: u8,
            pub f: u16,
            pub g: u32,
            pub h: u64,
            pub i: u8,
            pub j: u32,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
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
        pub struct Happened {
            pub a: Cents,
            pub b: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub struct Name(pub String);
        #[event]
        pub struct Happened {
            pub a: i64,
            pub b: Name,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod text_to_id {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[id]
        pub struct Name(String);
        #[event]
        pub struct Happened {
            pub a: Name,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
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
        pub struct Happened {
            pub a: Name,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod set_to_list {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: BTreeSet<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: Vec<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod list_to_set {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: Vec<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: BTreeSet<String>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod map_key_widened {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: BTreeMap<u32, i64>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: BTreeMap<u64, i64>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod map_key_variant_added {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
        }
        #[event]
        pub struct Happened {
            pub a: BTreeMap<Channel, i64>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
            App,
        }
        #[event]
        pub struct Happened {
            pub a: BTreeMap<Channel, i64>,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod variant_added {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
            Card { number: String },
        }
        #[event]
        pub struct Happened {
            pub a: Channel,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
            Card { number: String },
            App,
        }
        #[event]
        pub struct Happened {
            pub a: Channel,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod variant_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
            App,
        }
        #[event]
        pub struct Happened {
            pub a: Channel,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel {
            Branch,
        }
        #[event]
        pub struct Happened {
            pub a: Channel,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod event_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        #[event]
        pub struct Ended {
            pub why: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
            fn ended(self, _: Ended) {}
        }
    }
}

pub mod event_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        #[event]
        pub struct Ended {
            pub why: String,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
            fn ended(self, _: Ended) {}
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod version_added {
    use super::*;
    pub mod before {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event(version = 2)]
        pub struct Happened {
            pub a: i64,
            #[added(2, default = 0)]
            pub b: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

pub mod version_removed {
    use super::*;
    pub mod before {
        use super::*;
        #[event(version = 2)]
        pub struct Happened {
            pub a: i64,
            #[added(2, default = 0)]
            pub b: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened {
            pub a: i64,
        }
        pub struct Thing;
        #[aggregate(id = u64)]
        impl Thing {
            fn happened(_: Happened) -> Self {
                Thing
            }
        }
    }
}

const _: () = assert_backward::<field_added_with_default::before::Thing, field_added_with_default::after::Thing>();
const _: () = assert_backward::<field_added_optional::before::Thing, field_added_optional::after::Thing>();
const _: () = assert_backward::<fields_reordered::before::Thing, fields_reordered::after::Thing>();
const _: () = assert_backward::<field_made_optional::before::Thing, field_made_optional::after::Thing>();
const _: () = assert_backward::<default_added::before::Thing, default_added::after::Thing>();
const _: () = assert_backward::<integer_widened::before::Thing, integer_widened::after::Thing>();
const _: () = assert_backward::<newtype_and_inner::before::Thing, newtype_and_inner::after::Thing>();
const _: () = assert_backward::<id_to_text::before::Thing, id_to_text::after::Thing>();
const _: () = assert_backward::<set_to_list::before::Thing, set_to_list::after::Thing>();
const _: () = assert_backward::<map_key_widened::before::Thing, map_key_widened::after::Thing>();
const _: () = assert_backward::<map_key_variant_added::before::Thing, map_key_variant_added::after::Thing>();
const _: () = assert_backward::<variant_added::before::Thing, variant_added::after::Thing>();
const _: () = assert_backward::<event_added::before::Thing, event_added::after::Thing>();
const _: () = assert_backward::<version_added::before::Thing, version_added::after::Thing>();

const _: () = assert_forward::<field_added_with_default::before::Thing, field_added_with_default::after::Thing>();
const _: () = assert_forward::<field_added_optional::before::Thing, field_added_optional::after::Thing>();
const _: () = assert_forward::<field_added_without_default::before::Thing, field_added_without_default::after::Thing>();
const _: () = assert_forward::<optional_field_removed::before::Thing, optional_field_removed::after::Thing>();
const _: () = assert_forward::<text_to_id::before::Thing, text_to_id::after::Thing>();
const _: () = assert_forward::<fields_reordered::before::Thing, fields_reordered::after::Thing>();
const _: () = assert_forward::<field_made_required::before::Thing, field_made_required::after::Thing>();
const _: () = assert_forward::<default_removed::before::Thing, default_removed::after::Thing>();
const _: () = assert_forward::<integer_narrowed::before::Thing, integer_narrowed::after::Thing>();
const _: () = assert_forward::<newtype_and_inner::before::Thing, newtype_and_inner::after::Thing>();
const _: () = assert_forward::<list_to_set::before::Thing, list_to_set::after::Thing>();
const _: () = assert_forward::<variant_removed::before::Thing, variant_removed::after::Thing>();
const _: () = assert_forward::<event_removed::before::Thing, event_removed::after::Thing>();
const _: () = assert_forward::<version_removed::before::Thing, version_removed::after::Thing>();

fn main() {}
