//! The schemas of std's types, of `Uuid` and of [`Timestamp`](crate::Timestamp).
//!
//! Always true here: a type has a schema only if serde writes it as that schema says, and reads back what it wrote; a test
//! below shows it for each. Types of which that is not so are named in the documentation of [`schema`](super).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::num::NonZero;
use std::ops::{Bound, Range, RangeFrom, RangeTo};
use std::time::{Duration, SystemTime};

use super::{Field, Node, Schema, Tag, Variant};

macro_rules! leaf {
    ($($node:expr => $($t:ty),+;)*) => { $($(impl Schema for $t { const NODE: Node = $node; })+)* };
}
leaf! {
    Node::Bool => bool;
    Node::Int { signed: false, bits: 8 } => u8;
    Node::Int { signed: false, bits: 16 } => u16;
    Node::Int { signed: false, bits: 32 } => u32;
    Node::Int { signed: false, bits: 64 } => u64, usize;
    Node::Int { signed: false, bits: 128 } => u128;
    Node::Int { signed: true, bits: 8 } => i8;
    Node::Int { signed: true, bits: 16 } => i16;
    Node::Int { signed: true, bits: 32 } => i32;
    Node::Int { signed: true, bits: 64 } => i64, isize;
    Node::Int { signed: true, bits: 128 } => i128;
    Node::Float { bits: 32 } => f32;
    Node::Float { bits: 64 } => f64;
    Node::Text => String, Box<str>;
    Node::Named("char") => char;
    Node::Named("uuid") => uuid::Uuid;
    Node::Named("timestamp") => crate::Timestamp;
    Node::Named("ip") => IpAddr;
    Node::Named("ipv4") => Ipv4Addr;
    Node::Named("ipv6") => Ipv6Addr;
    Node::Named("socket_v4") => SocketAddrV4;
    Node::Named("nonzero_u8") => NonZero<u8>;
    Node::Named("nonzero_u16") => NonZero<u16>;
    Node::Named("nonzero_u32") => NonZero<u32>;
    Node::Named("nonzero_u64") => NonZero<u64>, NonZero<usize>;
    Node::Named("nonzero_u128") => NonZero<u128>;
    Node::Named("nonzero_i8") => NonZero<i8>;
    Node::Named("nonzero_i16") => NonZero<i16>;
    Node::Named("nonzero_i32") => NonZero<i32>;
    Node::Named("nonzero_i64") => NonZero<i64>, NonZero<isize>;
    Node::Named("nonzero_i128") => NonZero<i128>;
    Node::Record(&[field("secs", &u64::NODE), field("nanos", &u32::NODE)]) => Duration;
    Node::Record(&[field("secs_since_epoch", &u64::NODE), field("nanos_since_epoch", &u32::NODE)]) => SystemTime;
}

const fn field(name: &'static str, node: &'static Node) -> Field {
    Field { name, doc: "", default: false, node }
}
const fn variant(name: &'static str, node: Option<&'static Node>) -> Variant {
    Variant { name, doc: "", node }
}

macro_rules! holding {
    ($([$($generics:tt)*] $t:ty => $node:expr;)*) => { $(impl<$($generics)*> Schema for $t { const NODE: Node = $node; })* };
}
holding! {
    [T: Schema] Option<T> => Node::Optional(&T::NODE);
    [T: Schema] Vec<T> => Node::List(&T::NODE);
    [T: Schema] VecDeque<T> => Node::List(&T::NODE);
    [T: Schema] LinkedList<T> => Node::List(&T::NODE);
    [T: Schema] Box<[T]> => Node::List(&T::NODE);
    [T: Schema] BTreeSet<T> => Node::Set(&T::NODE);
    [T: Schema, S] HashSet<T, S> => Node::Set(&T::NODE);
    [T: Schema, const N: usize] [T; N] => Node::Array { len: N, item: &T::NODE };
    [K: Schema, V: Schema] BTreeMap<K, V> => Node::Map { key: &K::NODE, value: &V::NODE };
    [K: Schema, V: Schema, S] HashMap<K, V, S> => Node::Map { key: &K::NODE, value: &V::NODE };
    [T: Schema] Range<T> => Node::Record(&const { [field("start", &T::NODE), field("end", &T::NODE)] });
    [T: Schema] RangeFrom<T> => Node::Record(&const { [field("start", &T::NODE)] });
    [T: Schema] RangeTo<T> => Node::Record(&const { [field("end", &T::NODE)] });
    [T: Schema] Bound<T> => Node::Enum {
        tag: Tag::External,
        variants: &const { [variant("Unbounded", None), variant("Included", Some(&T::NODE)), variant("Excluded", Some(&T::NODE))] },
    };
    [T: Schema, E: Schema] Result<T, E> => Node::Enum {
        tag: Tag::External,
        variants: &const { [variant("Ok", Some(&T::NODE)), variant("Err", Some(&E::NODE))] },
    };
    [T: Schema] Box<T> => T::NODE;
}

impl<T: ToOwned + ?Sized> Schema for Cow<'_, T>
where
    T::Owned: Schema,
{
    const NODE: Node = <T::Owned as Schema>::NODE;
}

macro_rules! tuples {
    ($(($($t:ident),+);)*) => { $(impl<$($t: Schema),+> Schema for ($($t,)+) {
        const NODE: Node = Node::Tuple(&[$(&$t::NODE),+]);
    })* };
}
tuples! {
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
    (A, B, C, D, E, F, G);
    (A, B, C, D, E, F, G, H);
    (A, B, C, D, E, F, G, H, I);
    (A, B, C, D, E, F, G, H, I, J);
    (A, B, C, D, E, F, G, H, I, J, K);
    (A, B, C, D, E, F, G, H, I, J, K, L);
}
