//! The only names that macros may use. No part of the API: everything here may change in any release.

pub use crate::aggregate::{Aggregate, EventOf, Misplaced, Snapshots, Stage, State};
pub use crate::command::{
    Answer, AnyCommand, Command, CommandData, CommandInfo, Commands, Context, Dispatch, Env, Handle, IntoEvents, Need, Refusal,
};
pub use crate::error::{DecodeError, EncodeError};
pub use crate::event::{Event, EventInfo, Recorded};
pub use crate::id::{AggregateId, InvalidId, StreamName};
pub use crate::read::column::{from_json, to_json};
pub use crate::read::{
    Column, ColumnError, ColumnKind, ColumnRole, ColumnType, Effect, Feeds, Fold, FoldError, IndexedColumn, IntoKey, On,
    Projection, ReadModel, Row, RowError, SourceSink, Value, pending, stream_key,
};
pub use crate::schema::{Field, Fingerprint, Node, Schema, Variant};
pub use core;
pub use serde;
pub use std;
pub use uuid::Uuid;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the stored form of a value.
pub fn encode<T: Serialize + Schema>(value: &T, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
    crate::codec::encode(value, payload)
}

/// Reads a stored form.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    crate::codec::decode(payload)
}

/// No event of this aggregate has this name.
pub fn unknown_event<T>(aggregate: &'static str, name: &str) -> Result<T, DecodeError> {
    Err(DecodeError::UnknownEvent { aggregate, name: name.to_owned() })
}

/// This event has no such version.
pub fn unknown_version<T>(name: &'static str, version: u32, newest: u32) -> Result<T, DecodeError> {
    Err(DecodeError::UnknownVersion { name, version, newest })
}

/// Finds out whether a type is a [`State`], without asking for it: `Probe::<T>::SNAPSHOTS` is the inherent constant where
/// it is, and the one of [`NoState`] where it is not.
pub struct Probe<T>(core::marker::PhantomData<T>);

impl<T: State> Probe<T> {
    /// How the state is stored.
    pub const SNAPSHOTS: Option<Snapshots<T>> = Some(T::SNAPSHOTS);
}

/// The other half of [`Probe`].
pub trait NoState<T> {
    /// No snapshots.
    const SNAPSHOTS: Option<Snapshots<T>> = None;
}
impl<T> NoState<T> for Probe<T> {}

/// Fails to compile where `E` is no event of `A`.
pub const fn is_event_of<E: EventOf<A>, A: Aggregate>() {}

/// Fails to compile where `M` says nothing about one of `A`'s events.
pub const fn covers<A: Feeds<M>, M: ReadModel>() {}

/// Whether two texts are the same, in `const`.
pub const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
