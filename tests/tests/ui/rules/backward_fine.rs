//! Changes that leave what is stored readable: today's types, with the lock of what was stored before.

#![allow(dead_code, unused_imports, missing_docs, reason = "every row uses some of it")]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gesta::prelude::*;

pub mod field_added_with_default {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, #[serde(default)] pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_added_with_default.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_added_optional {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: Option<String> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_added_optional.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod fields_reordered {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub b: String, pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "fields_reordered.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_made_optional {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: Option<String> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_made_optional.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod default_added {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { #[serde(default)] pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "default_added.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_widened {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i16, pub b: i32, pub c: i64, pub d: i128, pub e: u16, pub f: u32, pub g: u64, pub h: u128, pub i: i16, pub j: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "integer_widened.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod newtype_and_inner {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub struct Name(pub String);
        #[event]
        pub struct Happened { pub a: i64, pub b: Name }
        pub struct Thing;
        #[aggregate(id = u64, schema = "newtype_and_inner.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod id_to_text {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64, schema = "id_to_text.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod set_to_list {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: Vec<String> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "set_to_list.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_widened {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<u64, i64> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "map_key_widened.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_variant_added {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, App }
        #[event]
        pub struct Happened { pub a: BTreeMap<Channel, i64> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "map_key_variant_added.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_added {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, Card { number: String }, App }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64, schema = "variant_added.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod event_added {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        #[event]
        pub struct Ended { pub why: String }
        pub struct Thing;
        #[aggregate(id = u64, schema = "event_added.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
            fn ended(self, _: Ended) {}
        }
    }
}

pub mod version_added {
    use super::*;
    pub mod after {
        use super::*;
        #[event(version = 2)]
        pub struct Happened { pub a: i64, #[added(2, default = 0)] pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "version_added.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

fn main() {}
