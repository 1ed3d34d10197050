//! Types of std that a column keeps as text which does not sort as they do, and those that it keeps as JSON.
//!
//! Always true here: the text is what people and SQL read, and comes back exactly; the form in the index is only compared.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::num::NonZero;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::column::{ColumnKind, ColumnType, Value, from_json, to_json};
use super::index::{IndexForm, OrderedColumnType, json_to_index};
use crate::schema::Node;
use crate::{Schema, Timestamp};

/// For each type: how it is written, how it is read, and what the index holds.
macro_rules! kept_as_text {
    ($($t:ty { $write:expr, $read:expr, $kind:ident: $index:expr })*) => { $(
        impl $crate::read::ColumnType for $t {
            const KIND: $crate::read::ColumnKind = $crate::read::ColumnKind::Text;
            const INDEX: $crate::read::IndexForm =
                $crate::read::IndexForm::Own { kind: $crate::read::ColumnKind::$kind, version: 1 };
            fn to_value(&self) -> Result<$crate::read::Value, String> {
                let write: fn(&Self) -> Result<String, String> = $write;
                write(self).map($crate::read::Value::Text)
            }
            fn from_value(value: $crate::read::Value) -> Result<Self, String> {
                let read: fn(&str) -> Result<Self, String> = $read;
                read(&String::from_value(value)?)
            }
            fn to_index(&self) -> Result<$crate::read::Value, String> {
                let index: fn(&Self) -> Result<_, String> = $index;
                index(self).map($crate::read::Value::$kind)
            }
        }
        impl $crate::read::OrderedColumnType for $t {}
    )* };
}
#[cfg(any(feature = "chrono", feature = "rust_decimal"))]
pub(super) use kept_as_text;

pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why| format!("`{text}`: {why}"))
}

kept_as_text! {
    u128 { |n| Ok(n.to_string()), parsed, Text: |n| Ok(format!("{n:039}")) }
    i128 { |n| Ok(n.to_string()), parsed, Text: |n| {
        let digits = format!("{:039}", n.unsigned_abs());
        Ok(if *n < 0 { below_zero(&digits) } else { digits })
    } }
    Ipv4Addr { |ip| Ok(ip.to_string()), parsed, Text: |ip| Ok(format!("{:08x}", ip.to_bits())) }
    Ipv6Addr { |ip| Ok(ip.to_string()), parsed, Text: |ip| Ok(format!("{:032x}", ip.to_bits())) }
    IpAddr { |ip| Ok(ip.to_string()), parsed, Text: |ip| Ok(match ip {
        IpAddr::V4(ip) => format!("4{:08x}", ip.to_bits()),
        IpAddr::V6(ip) => format!("6{:032x}", ip.to_bits()),
    }) }
    SocketAddrV4 { |at| Ok(at.to_string()), parsed, Text: |at| Ok(format!("{:08x}{:04x}", at.ip().to_bits(), at.port())) }
    Duration { |time| Ok(seconds(*time)), read_seconds, Text: |time| Ok(sortable_seconds(*time)) }
    SystemTime {
        |time| since_1970(*time).map(seconds),
        |text| {
            let time = SystemTime::UNIX_EPOCH.checked_add(read_seconds(text)?);
            time.ok_or_else(|| format!("`{text}` seconds after 1970 is later than this machine can tell"))
        },
        Text: |time| since_1970(*time).map(sortable_seconds)
    }
}

/// The sortable digits of a number below zero, from those of the number without its sign: the larger those are, the less it is.
pub(super) fn below_zero(digits: &str) -> String {
    let turned = digits.chars().map(|c| c.to_digit(10).and_then(|digit| char::from_digit(9 - digit, 10)).unwrap_or(c));
    // `-` comes before every digit, and `~` after: of two that begin alike, the one with more digits is less.
    std::iter::once('-').chain(turned).chain(std::iter::once('~')).collect()
}

/// In seconds, as SQL reads a decimal.
fn seconds(time: Duration) -> String {
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}
fn sortable_seconds(time: Duration) -> String {
    format!("{:020}.{:09}", time.as_secs(), time.subsec_nanos())
}
fn read_seconds(text: &str) -> Result<Duration, String> {
    let read = || {
        let (secs, nanos) = text.split_once('.')?;
        let nanos = if nanos.len() == 9 { nanos.parse().ok()? } else { return None };
        (nanos < 1_000_000_000).then_some(Duration::new(secs.parse().ok()?, nanos))
    };
    read().ok_or_else(|| format!("`{text}` is not a number of seconds with nine digits after the point"))
}
fn since_1970(time: SystemTime) -> Result<Duration, String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_err(|_| "a `SystemTime` before 1970 can't be stored: use a `Timestamp`".to_owned())
}

macro_rules! nonzero {
    ($($t:ty),*) => { $(
        impl ColumnType for NonZero<$t> {
            const KIND: ColumnKind = <$t>::KIND;
            const INDEX: IndexForm = <$t>::INDEX;
            fn to_value(&self) -> Result<Value, String> {
                self.get().to_value()
            }
            fn from_value(value: Value) -> Result<Self, String> {
                NonZero::new(<$t>::from_value(value)?).ok_or_else(|| "expected a number, found 0".to_owned())
            }
            fn to_index(&self) -> Result<Value, String> {
                self.get().to_index()
            }
        }
        impl OrderedColumnType for NonZero<$t> {}
    )* };
}
nonzero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl ColumnType for Cow<'static, str> {
    const KIND: ColumnKind = String::KIND;
    fn to_value(&self) -> Result<Value, String> {
        self.clone().into_owned().to_value()
    }
    fn from_value(value: Value) -> Result<Self, String> {
        String::from_value(value).map(Cow::Owned)
    }
}

/// The items of an array: serde writes and reads those of up to 32 only.
struct Items<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Items<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<T: Schema> Schema for Items<'_, T> {
    const NODE: Node = Node::List(&T::NODE);
}

impl<T: Serialize + DeserializeOwned + Schema, const N: usize> ColumnType for [T; N] {
    const KIND: ColumnKind = ColumnKind::Json;
    const FLAW: Option<&'static str> = <Items<'_, T> as Schema>::NODE.flaw();
    const INDEX: IndexForm = IndexForm::of_json(&<Items<'_, T> as Schema>::NODE);
    fn to_value(&self) -> Result<Value, String> {
        to_json(&Items(self))
    }
    fn from_value(value: Value) -> Result<Self, String> {
        let items: Vec<T> = from_json(value)?;
        items.try_into().map_err(|items: Vec<T>| format!("expected {N} items, found {}", items.len()))
    }
    fn to_index(&self) -> Result<Value, String> {
        json_to_index(&Items(self))
    }
}

/// As what is in it.
impl<T: ColumnType> ColumnType for Box<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    const FLAW: Option<&'static str> = T::FLAW;
    const INDEX: IndexForm = T::INDEX;
    fn to_value(&self) -> Result<Value, String> {
        T::to_value(self)
    }
    fn from_value(value: Value) -> Result<Self, String> {
        T::from_value(value).map(Box::new)
    }
    fn to_index(&self) -> Result<Value, String> {
        T::to_index(self)
    }
}

macro_rules! ordered {
    ($([$($g:tt)*] $t:ty),* $(,)?) => { $(impl<$($g)*> OrderedColumnType for $t {})* };
}
ordered![
    [] u8, [] u16, [] u32, [] u64, [] usize, [] i8, [] i16, [] i32, [] i64, [] isize, [] f32, [] f64, [] bool, [] char,
    [] String, [] Box<str>, [] Arc<str>, [] Cow<'static, str>, [] uuid::Uuid, [] Timestamp,
    [T: OrderedColumnType] Option<T>, [T: OrderedColumnType] Box<T>,
];
