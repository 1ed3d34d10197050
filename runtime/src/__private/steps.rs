//! The parts of generated functions that need no generated code.

use core::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::vec::IntoIter;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};

use crate::aggregate::{Misplaced, Stage};
use crate::command::Refusal;
use crate::error::panic_message;
use crate::id::{AggregateId, InvalidId, StreamName};
use crate::read::{ColumnError, Effect, Row, RowError, Value};

/// Why an event that creates can't stand here, or one that needs a state.
pub fn misplaced<S>(stage: &Stage<S>, event: &'static str, creates: bool) -> Misplaced {
    let why = match (stage, creates) {
        (Stage::Ended, _) => "comes after the event that ended it",
        (_, true) => "creates what is there already",
        (_, false) => "needs what is not there yet",
    };
    Misplaced { event, why }
}

/// For a command that creates.
pub fn absent<S, E>(stage: &Stage<S>) -> Result<(), Refusal<E>> {
    match stage {
        Stage::Absent => Ok(()),
        Stage::Alive(_) => Err(Refusal::AlreadyExists),
        Stage::Ended => Err(Refusal::Ended),
    }
}
/// For a command that needs a state.
pub fn alive<S, E>(stage: &Stage<S>) -> Result<&S, Refusal<E>> {
    match stage {
        Stage::Alive(state) => Ok(state),
        Stage::Absent => Err(Refusal::NotFound),
        Stage::Ended => Err(Refusal::Ended),
    }
}
/// For a command that takes either.
pub fn not_ended<S, E>(stage: &Stage<S>) -> Result<Option<&S>, Refusal<E>> {
    match stage {
        Stage::Alive(state) => Ok(Some(state)),
        Stage::Absent => Ok(None),
        Stage::Ended => Err(Refusal::Ended),
    }
}

/// For an event that creates a row.
pub fn no_row<M>(row: &Option<M>, event: &'static str) -> Result<(), RowError> {
    if row.is_some() { Err(RowError::Exists { event }) } else { Ok(()) }
}
/// For an event that changes a row.
pub fn row<'a, M>(row: &'a mut Option<M>, event: &'static str) -> Result<&'a mut M, RowError> {
    row.as_mut().ok_or(RowError::Absent { event })
}
/// For an event that ends a row.
pub fn take_row<M>(row: &mut Option<M>, event: &'static str) -> Result<M, RowError> {
    row.take().ok_or(RowError::Absent { event })
}
/// Whether a read model does anything with the event.
pub fn handles(effect: Effect) -> bool {
    effect != Effect::Ignores
}

/// Adds a column to a row.
pub fn put(row: &mut Row, column: &'static str, value: Result<Value, String>) -> Result<(), ColumnError> {
    row.push(value.map_err(|why| ColumnError { column, why })?);
    Ok(())
}
/// Takes the next column of a row.
pub fn take<T>(row: &mut IntoIter<Value>, column: &'static str, read: fn(Value) -> Result<T, String>) -> Result<T, ColumnError> {
    let value = row.next().ok_or_else(|| "the stored row has no such column".to_owned());
    let value = value.and_then(|value| {
        let read = std::panic::catch_unwind(AssertUnwindSafe(|| read(value)));
        read.unwrap_or_else(|panic| Err(format!("reading it panicked: {}", panic_message(&*panic))))
    });
    value.map_err(|why| ColumnError { column, why })
}

/// The name of a variant as a column keeps it.
pub fn name_to_value(name: &str) -> Result<Value, String> {
    Ok(Value::Text(name.to_owned()))
}
/// The variant of this name.
pub fn value_to_name<T: Copy>(value: &Value, variants: &[(&str, T)]) -> Result<T, String> {
    let found = match value {
        Value::Text(name) => variants.iter().find(|(known, _)| known == name),
        _ => None,
    };
    found.map(|(_, variant)| *variant).ok_or_else(|| format!("{value} is no variant of it"))
}

/// Writes a type without fields: as an empty record, so that fields can come later.
pub fn write_unit<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_map(Some(0))?.end()
}
/// Reads a type without fields.
pub fn read_unit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    struct Empty;
    impl<'de> Visitor<'de> for Empty {
        type Value = ();
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an empty record")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(())
        }
    }
    deserializer.deserialize_map(Empty)
}

/// Reads the text of an id.
pub fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    check_id(String::deserialize(deserializer)?).map_err(D::Error::custom)
}
/// A text that can be an id.
pub fn check_id(id: String) -> Result<String, InvalidId> {
    StreamName::check_id(&id).map(|()| id)
}
/// The text of an id from a column.
pub fn id_from_value(value: Value) -> Result<String, String> {
    match value {
        Value::Text(id) => check_id(id).map_err(|e| e.to_string()),
        other => Err(format!("expected an id, found {other}")),
    }
}
/// Parses what an id is made of.
pub fn parse_id<T: AggregateId>(text: &str, kind: &'static str) -> Result<T, InvalidId> {
    T::parse(text).map_err(|_| InvalidId::Malformed { text: text.to_owned(), kind })
}
/// Shows what an id is made of.
pub fn show_id(id: &dyn Display, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    id.fmt(f)
}

/// What `#[key = ..]` may yield: the key, or a reference to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the key of this read model: `{K}`",
    label = "expected `{K}` or `&{K}`",
    note = "the expression after `#[key = ..]` yields the value of the model's `#[key]` field, or a reference to it"
)]
pub trait ToKey<K> {
    /// The key.
    fn to_key(&self) -> K;
}
#[diagnostic::do_not_recommend]
impl<K: Clone> ToKey<K> for K {
    fn to_key(&self) -> K {
        self.clone()
    }
}
#[diagnostic::do_not_recommend]
impl<K: Clone> ToKey<K> for &K {
    fn to_key(&self) -> K {
        K::clone(self)
    }
}
/// An ignored event has no row.
pub fn ignored<K>() -> Result<K, String> {
    Err("the event is ignored".to_owned())
}
