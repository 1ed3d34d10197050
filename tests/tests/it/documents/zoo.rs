//! Samples, as the types read them that they are samples of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use gesta::prelude::*;
use gesta::schema::samples;
use gesta::{Event, Schema};
use serde_json::Value;

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

/// Each sample is read, and says the same when it is written again.
fn reads_its_samples<E: Event + Schema + fmt::Debug>(count: usize) {
    let samples = samples(&E::NODE).unwrap();
    assert_eq!(samples.len(), count, "{samples:#?}");
    for sample in samples {
        let event = E::decode(E::VERSION, sample.as_bytes()).unwrap_or_else(|why| panic!("{sample}: {why}"));
        let mut payload = Vec::new();
        event.encode(&mut payload).unwrap();
        let (went, came): (Value, Value) = (serde_json::from_str(&sample).unwrap(), serde_json::from_slice(&payload).unwrap());
        assert_eq!(sorted(went), sorted(came));
    }
}

/// Sets have no order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, sorted(value))).collect(),
        value => value,
    }
}

#[test]
fn types_read_their_samples() {
    reads_its_samples::<Closed>(1);
    // The least, and one for each form of `payment`: cash, card, voucher, and two kinds of split.
    reads_its_samples::<Ordered>(6);
}
