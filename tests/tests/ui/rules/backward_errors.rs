//! Changes that leave what is stored unreadable: today's types, with the lock of what was stored before.

#![allow(dead_code, unused_imports, missing_docs, reason = "every row uses some of it")]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gesta::prelude::*;

pub mod field_added_without_default {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64, pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_added_without_default.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod optional_field_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "optional_field_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_renamed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub amount: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_renamed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod field_made_required {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: String }
        pub struct Thing;
        #[aggregate(id = u64, schema = "field_made_required.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod default_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "default_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_narrowed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i8, pub b: i16, pub c: i32, pub d: i64, pub e: u8, pub f: u16, pub g: u32, pub h: u64, pub i: u8, pub j: u32 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "integer_narrowed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_sign_changed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: u64, pub b: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "integer_sign_changed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod integer_to_float {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "integer_to_float.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_to_integer {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "float_to_integer.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_widened {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "float_widened.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod float_narrowed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: f32 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "float_narrowed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod nested_retyped {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub struct Money { pub minor: String }
        #[event]
        pub struct Happened { pub parts: Vec<Money> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "nested_retyped.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod text_to_id {
    use super::*;
    pub mod after {
        use super::*;
        #[id]
        pub struct Name(String);
        #[event]
        pub struct Happened { pub a: Name }
        pub struct Thing;
        #[aggregate(id = u64, schema = "text_to_id.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod list_to_set {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeSet<String> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "list_to_set.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod tuple_length {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: (i64, i64, i64), pub b: (i64, i64) }
        pub struct Thing;
        #[aggregate(id = u64, schema = "tuple_length.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod array_length {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: [u8; 4] }
        pub struct Thing;
        #[aggregate(id = u64, schema = "array_length.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod map_key_kind {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: BTreeMap<u64, i64> }
        pub struct Thing;
        #[aggregate(id = u64, schema = "map_key_kind.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64, schema = "variant_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_renamed {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, Phone }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64, schema = "variant_renamed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod variant_given_data {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        pub enum Channel { Branch, App { version: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64, schema = "variant_given_data.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod tag_style {
    use super::*;
    pub mod after {
        use super::*;
        #[value]
        #[serde(tag = "type")]
        pub enum Channel { Card { number: String } }
        #[event]
        pub struct Happened { pub a: Channel }
        pub struct Thing;
        #[aggregate(id = u64, schema = "tag_style.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod opaque_changed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { #[schema(opaque = "milliseconds")] pub a: Duration }
        pub struct Thing;
        #[aggregate(id = u64, schema = "opaque_changed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod event_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "event_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod event_renamed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Occurred { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "event_renamed.events")]
        impl Thing {
            fn happened(_: Occurred) -> Self { Thing }
        }
    }
}

pub mod version_removed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, schema = "version_removed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod aggregate_renamed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = u64, name = "Item", schema = "aggregate_renamed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

pub mod id_changed {
    use super::*;
    pub mod after {
        use super::*;
        #[event]
        pub struct Happened { pub a: i64 }
        pub struct Thing;
        #[aggregate(id = i64, schema = "id_changed.events")]
        impl Thing {
            fn happened(_: Happened) -> Self { Thing }
        }
    }
}

fn main() {}
