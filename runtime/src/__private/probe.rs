//! Asking whether a type can do something, without asking for it: so that one missing trait is one error, at one place.
//!
//! Always true here: generated code speaks to a type the user named through [`Probe`]; where the type lacks what is
//! needed, [`Lacks`] answers in its place, and the one error that says so comes from the type's schema, or from
//! [`stored`]. The answers of [`Lacks`] can't be compiled, so they never run.

use core::fmt::Debug;
use core::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aggregate::{Snapshots, State};
use crate::command::CommandData;
use crate::error::{DecodeError, EncodeError};
use crate::event::{Event, EventInfo, Recorded};
use crate::read::{ColumnType, Fold, FoldError, On, Value};
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
    /// The stored form.
    pub fn to_vec(value: &T) -> Result<Vec<u8>, EncodeError> {
        let mut payload = Vec::new();
        crate::codec::encode(value, &mut payload).map(|()| payload)
    }
    /// Reads a stored form.
    pub fn decode(payload: &[u8]) -> Result<T, DecodeError> {
        crate::codec::decode(payload)
    }
    /// As JSON in a column.
    pub fn to_json(value: &T) -> Result<Value, String> {
        crate::read::column::to_json(value)
    }
    /// From JSON in a column.
    pub fn from_json(value: Value) -> Result<T, String> {
        crate::read::column::from_json(value)
    }
}
impl<T: Schema> Probe<T> {
    /// The hash of the schema.
    pub const SCHEMA: u64 = T::NODE.fingerprint();
}
impl<T: State> Probe<T> {
    /// How the state is stored.
    pub const SNAPSHOTS: Option<Snapshots<T>> = Some(T::SNAPSHOTS);
}
impl<T: ColumnType> Probe<T> {
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
    /// The command's name.
    pub const COMMAND: &'static str = C::NAME;
    /// Appends the command's written form.
    pub fn encode_command(command: &C, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        C::encode(command, payload)
    }
    /// Reads the command's written form.
    pub fn decode_command(payload: &[u8]) -> Result<C, DecodeError> {
        C::decode(payload)
    }
}

/// The other half of [`Probe`]: what stands in for what a type can't do.
pub trait Lacks<T>: Sized {
    /// Never compiled.
    fn clone(_: &T) -> T {
        const { panic!("a type that is stored lacks `Clone`: put `#[value]` on it") }
    }
    /// Never compiled.
    fn debug(_: &T) -> &dyn Debug {
        const { panic!("a type that is stored lacks `Debug`: put `#[value]` on it") }
    }
    /// Never compiled.
    fn eq(_: &T, _: &T) -> bool {
        const { panic!("a type that is stored lacks `PartialEq`: put `#[value]` on it") }
    }
    /// Not stored.
    const STORED: bool = false;
    /// Never compiled.
    fn encode(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        const { panic!("a type that is stored can't be written: put `#[value]` on it") }
    }
    /// Never compiled.
    fn to_vec(_: &T) -> Result<Vec<u8>, EncodeError> {
        const { panic!("a type that is stored can't be written: put `#[value]` on it") }
    }
    /// Never compiled.
    fn decode(_: &[u8]) -> Result<T, DecodeError> {
        const { panic!("a type that is stored can't be read: put `#[value]` on it") }
    }
    /// Never compiled.
    fn to_json(_: &T) -> Result<Value, String> {
        const { panic!("a type that is stored can't be written: put `#[value]` on it") }
    }
    /// Never compiled.
    fn from_json(_: Value) -> Result<T, String> {
        const { panic!("a type that is stored can't be read: put `#[value]` on it") }
    }
    /// No schema.
    const SCHEMA: u64 = 0;
    /// No snapshots.
    const SNAPSHOTS: Option<Snapshots<T>> = None;
    /// Never compiled.
    fn from_column(_: Value) -> Result<T, String> {
        const { panic!("this type can't be a column") }
    }
    /// No event.
    const EVENT: EventInfo = EventInfo { name: "", version: 0, doc: "", versions: &[] };
    /// Never compiled.
    fn decode_event(_: u32, _: &[u8]) -> Result<T, DecodeError> {
        const { panic!("this type is not an event") }
    }
    /// Never compiled.
    fn encode_event(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        const { panic!("this type is not an event") }
    }
    /// Never compiled.
    fn pending<A: 'static, M: crate::ReadModel>(_: Recorded<T>) -> Result<Box<dyn Fold<M>>, FoldError> {
        const { panic!("this type is not an event") }
    }
    /// No command.
    const COMMAND: &'static str = "";
    /// Never compiled.
    fn encode_command(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        const { panic!("this type is not a command") }
    }
    /// Never compiled.
    fn decode_command(_: &[u8]) -> Result<T, DecodeError> {
        const { panic!("this type is not a command") }
    }
}
impl<T> Lacks<T> for Probe<T> {}

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
