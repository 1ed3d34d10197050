//! Asking whether a type can do something, without asking for it: so that one missing trait is one error, at one place.
//!
//! Always true here: generated code speaks to a type the user named through [`Probe`]; where the type lacks what is
//! needed, [`Lacks`] answers in its place, and the one error that says so comes from the type's schema, or from
//! [`stored`]. The answers of [`Lacks`] can't be compiled, so they never run.

use core::fmt::Debug;
use core::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::versions::Past;
use crate::aggregate::{Snapshots, State};
use crate::command::{Command, CommandData, CommandInfo, Need};
use crate::error::{DecodeError, EncodeError};
use crate::event::{Event, EventInfo, Recorded};
use crate::read::{ColumnKind, ColumnType, Fold, FoldError, IndexForm, On, Value};
use crate::schema::{Fingerprint, Node, Schema};

/// What a type can do: `Probe::<T>::clone` is the inherent function where `T` is `Clone`, and the one of [`Lacks`] where not.
pub struct Probe<T>(PhantomData<T>);

impl<T: Clone> Probe<T> {
    /// A copy.
    #[inline]
    pub fn clone(value: &T) -> T {
        value.clone()
    }
}
impl<T: Debug> Probe<T> {
    /// As something to be shown.
    #[inline]
    pub fn debug(value: &T) -> &dyn Debug {
        value
    }
}
impl<T: PartialEq> Probe<T> {
    /// Whether both are equal.
    #[inline]
    pub fn eq(a: &T, b: &T) -> bool {
        a == b
    }
}
impl<T: Serialize + DeserializeOwned + Schema> Probe<T> {
    /// Whether the type can be stored.
    pub const STORED: bool = true;
    /// Appends the stored form.
    pub fn encode(value: &T, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        crate::codec::encode(value, payload)
    }
    /// Reads a stored form.
    pub fn decode(payload: &[u8]) -> Result<T, DecodeError> {
        crate::codec::decode(payload)
    }
    /// Reads a stored form and writes it again.
    pub fn rewrite(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
        crate::codec::rewrite::<T>(payload)
    }
    /// The stored form of what an earlier version has become.
    pub fn written(value: &T) -> Result<Vec<u8>, DecodeError> {
        crate::codec::written(value)
    }
    /// How an index holds what a column keeps as JSON.
    pub const JSON_INDEX: IndexForm = IndexForm::of_json(&T::NODE);
    /// As JSON in a column.
    pub fn to_json(value: &T) -> Result<Value, String> {
        crate::read::column::to_json(value)
    }
    /// As an index holds what a column keeps as JSON.
    pub fn json_to_index(value: &T) -> Result<Value, String> {
        crate::read::index::json_to_index(value)
    }
    /// From JSON in a column.
    pub fn from_json(value: Value) -> Result<T, String> {
        crate::read::column::from_json(value)
    }
}
impl<T: Serialize + DeserializeOwned + PartialEq + Schema> Probe<T> {
    /// The stored form of a state.
    pub fn to_snapshot(state: &T) -> Result<Vec<u8>, EncodeError> {
        crate::codec::encode_state(state)
    }
}
impl<T: Past<Next: Serialize + Schema> + DeserializeOwned> Probe<T> {
    /// Reads this version of an event and writes the next one.
    pub fn advance(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
        crate::codec::written(&crate::codec::decode::<T>(payload)?.next()?)
    }
}
impl<T: Schema> Probe<T> {
    /// The hash of the schema.
    pub const SCHEMA: u64 = T::NODE.fingerprint();
    /// The schema.
    pub const NODE: Option<Node> = Some(T::NODE);
}
impl<T: State> Probe<T> {
    /// The state's doc comment.
    pub const STATE_DOC: &'static str = T::DOC;
    /// How the state is stored.
    pub const SNAPSHOTS: Option<Snapshots<T>> = Some(T::SNAPSHOTS);
}
impl<T: ColumnType> Probe<T> {
    /// What kind of column holds it.
    pub const KIND: ColumnKind = T::KIND;
    /// Whether it may be nothing.
    pub const NULLABLE: bool = T::NULLABLE;
    /// Why its values might not come back.
    pub const FLAW: Option<&'static str> = T::FLAW;
    /// How an index holds it.
    pub const INDEX: IndexForm = T::INDEX;
    /// As a store keeps it.
    pub fn to_column(value: &T) -> Result<Value, String> {
        value.to_value()
    }
    /// As an index holds it.
    pub fn to_index(value: &T) -> Result<Value, String> {
        value.to_index()
    }
    /// From what a store keeps.
    pub fn from_column(value: Value) -> Result<T, String> {
        T::from_value(value)
    }
}
impl<E: Event> Probe<E> {
    /// The event's type.
    pub const EVENT: EventInfo = EventInfo::of::<E>();
    /// Reads a stored version of the event.
    pub fn decode_event(version: u32, payload: &[u8]) -> Result<E, DecodeError> {
        E::decode(version, payload)
    }
    /// Appends the event's stored form.
    pub fn encode_event(event: &E, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        E::encode(event, payload)
    }
    /// The event with the key of its row.
    pub fn pending<A: 'static, M: On<A, E>>(event: Recorded<E>) -> Result<Box<dyn Fold<M>>, FoldError> {
        crate::read::pending::<A, E, M>(event)
    }
}

impl<C: CommandData> Probe<C> {
    /// The command's type, without what its handler needs.
    pub const COMMAND: CommandInfo = CommandInfo::of::<C>(&[]);
    /// Appends the command's written form.
    pub fn encode_command(command: &C, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        C::encode(command, payload)
    }
    /// Reads the command's written form. What is read comes from outside, so a panic is an error
    /// like another.
    pub fn decode_command(payload: &[u8]) -> Result<C, DecodeError> {
        std::panic::catch_unwind(|| C::decode(payload)).unwrap_or_else(|panic| {
            let why = crate::error::panic_message(&*panic);
            Err(DecodeError::Panicked { why, start: crate::codec::beginning(payload) })
        })
    }
}

impl<C: Command> Probe<C> {
    /// The command's type.
    pub const HANDLED: CommandInfo = C::INFO;
}

/// What can't be compiled for any `T`. The check depends on `T`, since one that doesn't is made before anybody asks for it.
macro_rules! never {
    ($t:ty, $why:literal) => {{
        const { assert!(size_of::<Probe<$t>>() > 0, $why) };
        unreachable!()
    }};
}

/// The other half of [`Probe`]: what stands in for what a type can't do.
pub trait Lacks<T>: Sized {
    /// Never compiled.
    fn clone(_: &T) -> T {
        never!(T, "a type that is stored lacks `Clone`: put `#[value]` on it")
    }
    /// Never compiled.
    fn debug(_: &T) -> &dyn Debug {
        never!(T, "a type that is stored lacks `Debug`: put `#[value]` on it")
    }
    /// Never compiled.
    fn eq(_: &T, _: &T) -> bool {
        never!(T, "a type that is stored lacks `PartialEq`: put `#[value]` on it")
    }
    /// Not stored.
    const STORED: bool = false;
    /// Never compiled.
    fn encode(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        never!(T, "a type that is stored can't be written: put `#[value]` on it")
    }
    /// Never compiled.
    fn to_snapshot(_: &T) -> Result<Vec<u8>, EncodeError> {
        never!(T, "a type that is stored can't be written: put `#[value]` on it")
    }
    /// Never compiled.
    fn rewrite(_: &[u8]) -> Result<Vec<u8>, DecodeError> {
        never!(T, "this type can't be stored")
    }
    /// Never compiled.
    fn written(_: &T) -> Result<Vec<u8>, DecodeError> {
        never!(T, "this type can't be stored")
    }
    /// Never compiled.
    fn advance(_: &[u8]) -> Result<Vec<u8>, DecodeError> {
        never!(T, "this type can't be stored")
    }
    /// Never compiled.
    fn decode(_: &[u8]) -> Result<T, DecodeError> {
        never!(T, "a type that is stored can't be read: put `#[value]` on it")
    }
    /// Never compiled.
    fn to_json(_: &T) -> Result<Value, String> {
        never!(T, "a type that is stored can't be written: put `#[value]` on it")
    }
    /// No form.
    const JSON_INDEX: IndexForm = IndexForm::Column;
    /// Never compiled.
    fn json_to_index(_: &T) -> Result<Value, String> {
        never!(T, "a type that is stored can't be written: put `#[value]` on it")
    }
    /// Never compiled.
    fn from_json(_: Value) -> Result<T, String> {
        never!(T, "a type that is stored can't be read: put `#[value]` on it")
    }
    /// No schema.
    const SCHEMA: u64 = 0;
    /// No state with a doc comment.
    const STATE_DOC: &'static str = "";
    /// No schema.
    const NODE: Option<Node> = None;
    /// No snapshots.
    const SNAPSHOTS: Option<Snapshots<T>> = None;
    /// No column.
    const KIND: ColumnKind = ColumnKind::Json;
    /// No column.
    const NULLABLE: bool = false;
    /// No column.
    const FLAW: Option<&'static str> = None;
    /// No column.
    const INDEX: IndexForm = IndexForm::Column;
    /// Never compiled.
    fn to_column(_: &T) -> Result<Value, String> {
        never!(T, "this type can't be a column")
    }
    /// Never compiled.
    fn to_index(_: &T) -> Result<Value, String> {
        never!(T, "this type can't be a column")
    }
    /// Never compiled.
    fn from_column(_: Value) -> Result<T, String> {
        never!(T, "this type can't be a column")
    }
    /// No event.
    const EVENT: EventInfo = EventInfo { name: "", version: 0, doc: "", versions: &[], may_hold_opaque: false };
    /// Never compiled.
    fn decode_event(_: u32, _: &[u8]) -> Result<T, DecodeError> {
        never!(T, "this type is not an event")
    }
    /// Never compiled.
    fn encode_event(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        never!(T, "this type is not an event")
    }
    /// Never compiled.
    fn pending<A: 'static, M: crate::ReadModel>(_: Recorded<T>) -> Result<Box<dyn Fold<M>>, FoldError> {
        never!(T, "this type is not an event")
    }
    /// No command.
    const COMMAND: CommandInfo = NO_COMMAND;
    /// No command that is handled.
    const HANDLED: CommandInfo = NO_COMMAND;
    /// Never compiled.
    fn encode_command(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        never!(T, "this type is not a command")
    }
    /// Never compiled.
    fn decode_command(_: &[u8]) -> Result<T, DecodeError> {
        never!(T, "this type is not a command")
    }
}
impl<T> Lacks<T> for Probe<T> {}

const NO_COMMAND: CommandInfo =
    CommandInfo { name: "", doc: "", node: Node::Record(&[]), retry: false, needs: &[], may_hold_opaque: false };

/// The command's type with what its handler needs.
pub const fn command_info(command: CommandInfo, needs: &'static [Need]) -> CommandInfo {
    CommandInfo { needs, ..command }
}

/// Fails to compile where a type with this schema can't be written and read. A schema that has no value, because a field
/// lacks one, has been reported already.
pub const fn stored(schema: &Node, stored: bool) {
    // Reads the schema: an error in it ends the evaluation here, silently.
    let _ = schema.may_hold_float();
    assert!(
        stored,
        "a field's type has a schema, but can't be written and read: put `#[value]` on it, and give the keys of maps and sets `Eq` and `Hash`"
    );
}

/// The schema of a field. Fails to compile where its values would not come back as they went.
#[track_caller]
pub const fn field_node(node: Node) -> Node {
    judged(node, node.flaw())
}

/// The schema of a field inside an enum with a tag among its fields, likewise.
#[track_caller]
pub const fn tagged_field_node(node: Node) -> Node {
    judged(node, node.flaw_in_tagged())
}

/// The schema of the one unnamed content of a variant of an enum with this tag among its fields, likewise.
#[track_caller]
pub const fn tagged_content_node(node: Node, tag: &str) -> Node {
    judged(node, node.flaw_as_tagged(tag))
}

#[track_caller]
const fn judged(node: Node, flaw: Option<&'static str>) -> Node {
    match flaw {
        None => node,
        Some(why) => panic!("{}", why),
    }
}

/// Returns true if a row with columns of these schemas may be read back as another one; a column
/// without a schema may.
pub const fn any_opaque(columns: &[Option<Node>]) -> bool {
    let mut i = 0;
    while i < columns.len() {
        match &columns[i] {
            Some(node) if !node.may_hold_opaque() => {}
            _ => return true,
        }
        i += 1;
    }
    false
}

/// How a state is stored, made by `#[state]`.
pub const fn snapshots<T>(
    every: u64,
    logic_version: u64,
    schema: &Node,
    encode: fn(&T) -> Result<Vec<u8>, EncodeError>,
    decode: fn(&[u8]) -> Result<T, DecodeError>,
) -> Snapshots<T> {
    let fingerprint = Fingerprint::new().node(schema).number(logic_version).finish();
    Snapshots { every, fingerprint, encode, decode }
}
