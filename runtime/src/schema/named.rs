//! The types that a schema knows by name.

use crate::__private::same;

/// A well-known type with rules of its own: not every text, or not every number, is one of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// The name in [`Node::Named`](super::Node::Named).
    pub name: &'static str,
    /// The width in bits of a type that is stored as a whole number; `None` for one that is stored as text.
    pub bits: Option<u8>,
    /// One value, as JSON.
    pub example: &'static str,
}

impl Named {
    const fn text(name: &'static str, example: &'static str) -> Self {
        Named { name, bits: None, example }
    }
    const fn number(name: &'static str, bits: u8, example: &'static str) -> Self {
        Named { name, bits: Some(bits), example }
    }
    /// The one of this name.
    pub const fn of(name: &str) -> Option<Named> {
        let mut i = 0;
        while i < NAMED.len() {
            if same(NAMED[i].name, name) {
                return Some(NAMED[i]);
            }
            i += 1;
        }
        None
    }
}

/// A text that can be an id: not any text can.
pub(crate) const TEXT_ID: &str = "text_id";

/// All of them; those of a feature too where the feature is off.
pub const NAMED: &[Named] = &[
    Named::text("char", "\"a\""),
    Named::text(TEXT_ID, "\"ID-1\""),
    Named::text("uuid", "\"01890a5d-ac96-774b-bcce-b302099a8057\""),
    Named::number("timestamp", 64, "1795253400000000"),
    Named::text("ip", "\"192.0.2.1\""),
    Named::text("ipv4", "\"192.0.2.1\""),
    Named::text("ipv6", "\"2001:db8::1\""),
    Named::text("socket_v4", "\"192.0.2.1:443\""),
    Named::number("nonzero_u8", 8, "1"),
    Named::number("nonzero_u16", 16, "1"),
    Named::number("nonzero_u32", 32, "1"),
    Named::number("nonzero_u64", 64, "1"),
    Named::number("nonzero_u128", 128, "1"),
    Named::number("nonzero_i8", 8, "1"),
    Named::number("nonzero_i16", 16, "1"),
    Named::number("nonzero_i32", 32, "1"),
    Named::number("nonzero_i64", 64, "1"),
    Named::number("nonzero_i128", 128, "1"),
    Named::text("datetime_utc", "\"2026-11-21T09:30:00Z\""),
    Named::text("datetime", "\"2026-11-21T09:30:00\""),
    Named::text("date", "\"2026-11-21\""),
    Named::text("time", "\"09:30:00\""),
    Named::text("decimal", "\"12.50\""),
];
