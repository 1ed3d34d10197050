//! Samples, as the types read them that they are samples of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::num::NonZero;

use gesta::prelude::*;
use gesta::schema::{NAMED, Named, Node, json_schema, samples};
use gesta::serde::de::DeserializeOwned;
use gesta::{Event, Schema};
use proptest::prelude::*;
use serde_json::Value;

use super::json_schema::validator;
use crate::grammar::zoo::{Filled, filled};

#[id]
pub struct OrderId(String);

#[value]
#[derive(Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    Small,
    Large,
}

#[value]
pub enum Payment {
    Cash,
    Card { number: String, valid: Option<bool> },
    Voucher(u32),
    Split(Box<Leg>, Size),
}

#[value]
pub struct Leg {
    pub of: Option<Size>,
    pub share: (f64, f32),
}

/// One of everything.
#[event]
pub struct Ordered {
    pub id: OrderId,
    pub uuid: Uuid,
    pub at: Timestamp,
    pub small: (u8, i8),
    pub middle: (u16, i16, u32),
    pub large: (i32, u64, i64),
    pub gift: bool,
    pub payments: Vec<Payment>,
    pub payment: Payment,
    pub sizes: BTreeSet<Size>,
    pub words: HashSet<String>,
    pub by_size: BTreeMap<Size, Payment>,
    pub by_number: HashMap<i64, String>,
    pub by_id: BTreeMap<OrderId, Option<Leg>>,
    pub note: Option<String>,
}

#[event]
pub struct Closed;

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// Each sample is read, and says the same when it is written again.
fn reads_its_samples<E: Event + Schema + fmt::Debug>(count: usize) {
    let samples = samples(&E::NODE).unwrap();
    assert_eq!(samples.len(), count, "{samples:#?}");
    let validator = validator(&E::NODE);
    for sample in samples {
        let event = E::decode(E::VERSION, sample.as_bytes()).unwrap_or_else(|why| panic!("{sample}: {why}"));
        let (went, came) = (parsed(sample.as_bytes()), written(&event));
        assert!(validator.is_valid(&went) && validator.is_valid(&came), "{sample}");
        assert_eq!(plain(went), plain(came));
    }
}

fn written(event: &impl Event) -> Value {
    let mut payload = Vec::new();
    event.encode(&mut payload).unwrap();
    parsed(&payload)
}

/// Sets have no order, and what holds nothing may be left out.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(plain).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let something =
                |(_, value): &(String, Value)| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
            fields.into_iter().filter(something).map(|(name, value)| (name, plain(value))).collect()
        }
        value => value,
    }
}

#[test]
fn types_read_their_samples() {
    reads_its_samples::<Closed>(1);
    // The least, and one for each form of `payment`: cash, card, voucher, and two kinds of split.
    reads_its_samples::<Ordered>(6);
    // The least, and one for each form of `shape`: a point, and lines, corners and boxes of four kinds of payment each.
    reads_its_samples::<Filled>(14);
}

#[test]
fn every_type_with_a_name_has_a_sample_that_it_reads() {
    let by_name = named_types();
    for Named { name, .. } in NAMED {
        let read =
            by_name.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no type here is stored as `{name}`"));
        let sample = &samples(&Node::Named(name)).unwrap()[0];
        read.1(sample).unwrap_or_else(|why| panic!("`{name}`, {sample}: {why}"));
        assert!(validator(&Node::Named(name)).is_valid(&parsed(sample.as_bytes())), "`{name}`, {sample}");
    }
}

type Read = fn(&str) -> Result<(), String>;

/// A type for each name, with what reads it.
fn named_types() -> Vec<(&'static str, Read)> {
    fn of<T: Schema + DeserializeOwned>() -> (&'static str, Read) {
        let Node::Named(name) = T::NODE else { panic!("{:?} has no name", T::NODE) };
        (name, |text| serde_json::from_str::<T>(text).map(drop).map_err(|e| e.to_string()))
    }
    vec![
        of::<char>(),
        of::<OrderId>(),
        of::<Uuid>(),
        of::<Timestamp>(),
        of::<std::net::IpAddr>(),
        of::<std::net::Ipv4Addr>(),
        of::<std::net::Ipv6Addr>(),
        of::<std::net::SocketAddrV4>(),
        of::<NonZero<u8>>(),
        of::<NonZero<u16>>(),
        of::<NonZero<u32>>(),
        of::<NonZero<u64>>(),
        of::<NonZero<u128>>(),
        of::<NonZero<i8>>(),
        of::<NonZero<i16>>(),
        of::<NonZero<i32>>(),
        of::<NonZero<i64>>(),
        of::<NonZero<i128>>(),
        of::<chrono::DateTime<chrono::Utc>>(),
        of::<chrono::NaiveDateTime>(),
        of::<chrono::NaiveDate>(),
        of::<chrono::NaiveTime>(),
        of::<rust_decimal::Decimal>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_what_the_schema_says(event in filled()) {
        // Without formats: years of more than four digits are none to JSON Schema.
        let document = parsed(json_schema("Filled", "", &Filled::NODE).as_bytes());
        let validator = jsonschema::draft202012::options().build(&document).unwrap();
        let written = written(&event);
        let errors: Vec<_> = validator.iter_errors(&written).map(|e| e.to_string()).collect();
        prop_assert!(errors.is_empty(), "{written}: {errors:?}");
    }
}
