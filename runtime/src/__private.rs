//! The only names that macros may use. No part of the API: everything here may change in any release.

mod checks;
mod env;
mod probe;
mod steps;
mod versions;

pub use checks::{block_fingerprint, distinct_names, model_fingerprint, upcasts_fingerprint};
pub use env::{env_for_tests, with_service};
pub use probe::{Lacks, Probe, any_opaque, command_info, field_node, snapshots, stored, tagged_content_node, tagged_field_node};
pub use steps::*;
pub use versions::*;

pub use crate::aggregate::{Aggregate, Decoded, EventOf, HappensTo, Lock, Misplaced, Snapshots, Stage, State};
pub use crate::command::{
    Answer, AnyCommand, Command, CommandData, CommandInfo, Commands, Context, Dispatch, Env, Handle, IntoEvents, MayRefuse, Need,
    NeverRefuses, Raise, Refusal,
};
pub use crate::error::{DecodeError, EncodeError, UpcastError};
pub use crate::event::{Event, EventInfo, EventVersion, Recorded};
pub use crate::id::{AggregateId, InvalidId, StreamName};
pub use crate::read::blocks::{PlaceOf, ProjectionBlock, SeveralBlocksNeed_read_model_of, Sourced};
pub use crate::read::column::{from_json, to_json};
pub use crate::read::index::{
    IndexColumn, all_columns, check_column, index_schema, json_to_index, own_columns, place_of, put_index, rank, ranks,
};
pub use crate::read::{
    Column, ColumnError, ColumnKind, ColumnRole, ColumnType, Effect, Feeds, Fold, FoldError, IndexForm, IndexedColumn, IntoKey,
    On, OrderedColumnType, Projection, ReadModel, Row, RowError, SourceSink, Value, pending, stream_key,
};
pub(crate) use crate::schema::TEXT_ID;
pub use crate::schema::lock::test::{LockTest, lock_test, released_lock};
pub use crate::schema::lock::{Declared, check as check_lock, fail as lock_fails};
pub use crate::schema::{Field, Fingerprint, Node, Schema, Tag, Variant};
pub use core;
pub use serde;
pub use std;
pub use uuid::Uuid;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is stored of an id.
pub const fn id_node(inner: Node) -> Node {
    match inner {
        Node::Text => Node::Named(TEXT_ID),
        other => other,
    }
}

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

/// Fails to compile where `E` is no event of `A`.
pub const fn is_event_of<E: EventOf<A>, A: Aggregate>() {}

/// An aggregate that is generic, of which `#[aggregate]` has said that it can't be.
#[diagnostic::on_unimplemented(
    message = "an aggregate can't be generic, since its events are stored under one name: write a plain type, with an enum or a `Box<dyn Trait>` in place of the parameter",
    label = "generic"
)]
pub trait Reported {}

/// Fails to compile where a generic aggregate is handled that nothing was said of.
pub const fn is_reported<A: Reported>() {}

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
