//! That this program reads what it stores, and stores it in the form that every other build of it
//! reads.
//!
//! Always true here: an app that runs has passed this check. Cargo unites the features of a
//! program's crates, so a crate that has nothing to do with gesta can change how `serde_json` reads
//! a number or how `rust_decimal` writes one. No schema shows that, so known values are written and
//! read back when an app starts.
//!
//! Features that change neither are no reason to refuse: `preserve_order`, `raw_value` and
//! `unbounded_depth` of `serde_json`, and
//! `serde-str` of `rust_decimal`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::error::IncompatibleForm;

/// Writes a value of each form and reads it back.
///
/// # Errors
/// Each form that is written otherwise than it should be, or is not read back.
pub(crate) fn check() -> Result<(), Vec<IncompatibleForm>> {
    let mut found = Vec::new();
    let mut form = |value: &'static str, feature: &'static str, checked: Result<(), String>| {
        if let Err(why) = checked {
            found.push(IncompatibleForm { value, feature, why });
        }
    };
    form("a whole number", UNKNOWN, whole_numbers());
    form("a floating point number", "the feature `float_roundtrip` of `serde_json` is off: turn it on", floats());
    form("an `f64` in an enum with `#[serde(tag = \"..\")]`", ARBITRARY_PRECISION, tagged());
    form("an enum", UNKNOWN, enums());
    form("a text", UNKNOWN, texts());
    form("a map", UNKNOWN, comes_back(&BTreeMap::from([(1_u16, None), (2, Some(true))]), r#"{"1":null,"2":true}"#));
    form("a time", UNKNOWN, times());
    #[cfg(feature = "chrono")]
    form("a date of `chrono`", UNKNOWN, dates());
    #[cfg(feature = "rust_decimal")]
    form("a `Decimal`", SERDE_FLOAT, decimals());
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// No feature is known that changes it.
const UNKNOWN: &str = "a crate of the program is patched, or has a feature that gesta does not know: find and remove it";
const ARBITRARY_PRECISION: &str = "the feature `arbitrary_precision` of `serde_json` is on: turn it off, \
                                   `cargo tree -e features -i serde_json` shows which dependency turns it on";
#[cfg(feature = "rust_decimal")]
const SERDE_FLOAT: &str = "the feature `serde-float` of `rust_decimal` is on: turn it off, \
                           `cargo tree -e features -i rust_decimal` shows which dependency turns it on";

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, written: &str) -> Result<(), String> {
    let found = serde_json::to_string(value).map_err(|why| format!("it can't be written: {why}"))?;
    if found != written {
        return Err(format!("it is written as {found}, and should be {written}"));
    }
    let read = super::decode::<T>(written.as_bytes()).map_err(|why| format!("it can't be read back: {why}"))?;
    // Written once more, since `-0.0` equals `0.0`.
    let again = serde_json::to_string(&read).map_err(|why| format!("it can't be written: {why}"))?;
    if read == *value && again == written { Ok(()) } else { Err(format!("{written} is read back as {again}")) }
}

fn whole_numbers() -> Result<(), String> {
    comes_back(&(u64::MAX, i64::MIN, NonZero::<u8>::MIN), "[18446744073709551615,-9223372036854775808,1]")?;
    let written = "[340282366920938463463374607431768211455,-170141183460469231731687303715884105728]";
    comes_back(&(u128::MAX, i128::MIN), written)
}

/// Versions of `serde_json` differ in how they write an exponent, which every one of them reads.
fn floats() -> Result<(), String> {
    // A reader that is off by one bit reads the first one as its neighbour.
    for number in [31.245_270_191_439_438_f64, 5e-324, f64::MAX, -0.0, 0.1] {
        let written = serde_json::to_string(&number).map_err(|why| format!("it can't be written: {why}"))?;
        let read = super::decode::<f64>(written.as_bytes()).map_err(|why| format!("it can't be read back: {why}"))?;
        if read.to_bits() != number.to_bits() {
            return Err(format!("{written} is read back as {read:e}"));
        }
    }
    comes_back(&(0.1_f64, 0.1_f32), "[0.1,0.1]")
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Card { cents: i64, fee: f64, rate: f32, part: Option<u8>, note: String },
}

fn tagged() -> Result<(), String> {
    let card = Tagged::Card { cents: -5, fee: 0.1, rate: 0.1, part: None, note: "a".to_owned() };
    comes_back(&card, r#"{"type":"Card","cents":-5,"fee":0.1,"rate":0.1,"part":null,"note":"a"}"#)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum External {
    Cash,
    Card { fee: f64 },
    Two(u8, i8),
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Adjacent {
    Cash,
    Card(f64),
}

fn enums() -> Result<(), String> {
    let external = (External::Cash, External::Card { fee: 0.5 }, External::Two(1, -1));
    comes_back(&external, r#"["Cash",{"Card":{"fee":0.5}},{"Two":[1,-1]}]"#)?;
    comes_back(&(Adjacent::Cash, Adjacent::Card(0.5)), r#"[{"type":"Cash"},{"type":"Card","data":0.5}]"#)
}

fn texts() -> Result<(), String> {
    let written = "[\"\\u0001\\\"\\\\/\u{e9}\u{2028}\",\"\u{20ac}\",\"192.0.2.1\",\"01890a5d-ac96-774b-bcce-b302099a8057\"]";
    let uuid = uuid::Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
    comes_back(&("\u{1}\"\\/\u{e9}\u{2028}".to_owned(), '\u{20ac}', IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), uuid), written)
}

fn times() -> Result<(), String> {
    let written = r#"[-1,{"secs":1,"nanos":2},{"secs_since_epoch":1,"nanos_since_epoch":0}]"#;
    let (timestamp, duration) = (Timestamp::from_micros(-1), Duration::new(1, 2));
    comes_back(&(timestamp, duration, SystemTime::UNIX_EPOCH + Duration::from_secs(1)), written)
}

#[cfg(feature = "chrono")]
fn dates() -> Result<(), String> {
    let Some(time) = chrono::DateTime::from_timestamp(1_795_253_400, 500_000_000) else { return Ok(()) };
    let naive = time.naive_utc();
    let written = r#"["2026-11-21T09:30:00.500Z","2026-11-21T09:30:00.500","2026-11-21","09:30:00.500"]"#;
    comes_back(&(time, naive, naive.date(), naive.time()), written)
}

#[cfg(feature = "rust_decimal")]
fn decimals() -> Result<(), String> {
    // More digits than a float has, and an end that is no digit of the value.
    let decimal = rust_decimal::Decimal::from_parts(1_234_567_890, 987_654_321, 555_555_555, false, 10);
    comes_back(&decimal, &format!("\"{decimal}\""))?;
    comes_back(&rust_decimal::Decimal::new(1_500, 3), "\"1.500\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads each number as its neighbour.
    #[derive(Debug, PartialEq, Serialize)]
    struct Next(u8);
    impl<'de> Deserialize<'de> for Next {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u8::deserialize(deserializer).map(|number| Next(number + 1))
        }
    }

    #[test]
    fn a_form_is_named_when_it_is_written_or_read_otherwise() {
        assert_eq!(check(), Ok(()));
        assert_eq!(comes_back(&1.5_f64, "1.50"), Err("it is written as 1.5, and should be 1.50".to_owned()));
        assert_eq!(comes_back(&Next(1), "1"), Err("1 is read back as 2".to_owned()));
    }
}
