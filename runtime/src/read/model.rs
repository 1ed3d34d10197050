//! What a read model is, and how events become rows.

use std::any::{Any, TypeId};
use std::fmt;
use std::hash::Hash;

use super::column::{Column, ColumnError, ColumnType, Row, Value};
use crate::{Aggregate, AggregateId, DecodeError, Decoded, Recorded, StreamName, aggregate};

/// A row with a key, kept in a table of its own and folded from events.
///
/// Implemented by `#[derive(ReadModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a read model",
    label = "not a read model",
    note = "put `#[derive(ReadModel)]` on `{Self}` and `#[key]` on the field that names a row"
)]
pub trait ReadModel: Sized + Send + Sync + 'static {
    /// What names a row.
    type Key: ColumnType + Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static;
    /// The table's name.
    const TABLE: &'static str;
    /// Its doc comment.
    const DOC: &'static str;
    /// The table's columns, exactly one of which is the key: those of the fields, then those that hold the
    /// [own form](crate::read::IndexForm::Own) of an index or of the key.
    const COLUMNS: &'static [Column];
    /// True if the schema of a column leaves open how it is stored, so that the row may be read
    /// back as another one.
    #[doc(hidden)]
    const MAY_HOLD_OPAQUE: bool = true;
    /// The row's key.
    fn key(&self) -> &Self::Key;
    /// The row as a store keeps it.
    ///
    /// # Errors
    /// [`ColumnError`] where a column can't hold a field's value.
    fn to_row(&self) -> Result<Row, ColumnError>;
    /// The row from what a store keeps.
    ///
    /// # Errors
    /// [`ColumnError`] where a column does not hold what its field needs.
    fn from_row(row: Row) -> Result<Self, ColumnError>;
}

/// A read model with all of its sources: what `projection::<M>()` registers.
///
/// Implemented by the `#[projection(of = ..)]` block; where there are several, by `#[read_model(of(..))]`, which lists them.
#[diagnostic::on_unimplemented(
    message = "nothing feeds the read model `{Self}`",
    label = "no `#[projection]` block",
    note = "write a `#[projection(of = YourAggregate)] impl {Self} {{ .. }}` block with a method for each event"
)]
pub trait Projection: ReadModel {
    /// Changes whenever columns, handlers or the events they read do; another one means a rebuild.
    const FINGERPRINT: u64;
    /// Names each source.
    fn sources(sink: &mut SourceSink<Self>);
}

/// Takes the sources of a read model, see [`Projection::sources`].
pub struct SourceSink<M> {
    pub(crate) sources: Vec<Source<M>>,
}

/// One aggregate whose events feed `M`: what the runner calls for each of its events.
pub(crate) struct Source<M> {
    pub(crate) aggregate: &'static str,
    /// Whether the model handles the event of this name; `None` where the aggregate has no such event.
    pub(crate) handles: fn(&str) -> Option<bool>,
    /// Reads one stored event, by name, version and payload, and finds the row of each event that it is today.
    pub(crate) fold: FoldStored<M>,
    /// The key of a stream's row, where each stream has one row of its own: no handler says otherwise, and the row's key is the
    /// stream's id as it is.
    pub(crate) row_of: Option<fn(&StreamName) -> Option<Value>>,
}

type FoldStored<M> = fn(Recorded<(&str, u32, &[u8])>, &mut dyn FnMut(Box<dyn Fold<M>>)) -> Result<(), FoldError>;

impl<M: ReadModel> SourceSink<M> {
    pub(crate) fn collect() -> Vec<Source<M>>
    where
        M: Projection,
    {
        let mut sink = SourceSink { sources: Vec::new() };
        M::sources(&mut sink);
        sink.sources
    }

    /// The aggregate `A` is one; `by_stream` says that none of its handlers has a `#[key = ..]`.
    pub fn source<A: Feeds<M>>(&mut self, by_stream: bool) {
        let by_stream = by_stream && TypeId::of::<A::Id>() == TypeId::of::<M::Key>();
        self.sources.push(Source {
            aggregate: A::NAME,
            row_of: by_stream.then_some(|stream| {
                let id = <A::Id as AggregateId>::parse(stream.id()).ok()?;
                (&id as &dyn Any).downcast_ref::<M::Key>()?.to_index().ok()
            }),
            handles: A::effect_of,
            fold: |raw, each| {
                let ((name, version, payload), record) = raw.split();
                match aggregate::decode::<A>(name, version, payload).map_err(FoldError::Decode)? {
                    Decoded::One(event) => each(A::fold(record.map(|()| event))?),
                    Decoded::Became(events) => {
                        for (part, event) in (0..).zip(events) {
                            if A::effect_of(A::info(&event).name) != Some(false) {
                                each(A::fold(Recorded { part, ..record.clone() }.map(|()| event))?);
                            }
                        }
                    }
                }
                Ok(())
            },
        });
    }
}

/// One event that waits for its row.
pub trait Fold<M: ReadModel>: Send {
    /// The row's key.
    fn key(&self) -> &M::Key;
    /// Lets the event change the row.
    ///
    /// # Errors
    /// [`RowError`] where the row can't be created or changed.
    fn apply(self: Box<Self>, row: &mut Option<M>) -> Result<(), RowError>;
}

/// Why an event could not be folded into a read model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The event can't be read.
    #[error(transparent)]
    Decode(DecodeError),
    /// The stream's id is no key of the model.
    #[error("the key: {0}")]
    Key(String),
    /// The row can't be created or changed.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A column can't hold a value.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// The handler panicked. A panic while the event is read is [`DecodeError::Panicked`].
    #[error("its handler panicked: {0}")]
    Panicked(String),
    /// The store can't hold the row that came of it, however often it is tried.
    #[error("its row can't be stored: {0}")]
    Unstorable(String),
    /// Processes of this build have died while they folded it, for example of an endless recursion. Another build tries it again.
    #[error("{times} processes of this build have died while they folded it: mend the code that folds it, and deploy that")]
    EndsProcess {
        /// How many.
        times: u32,
    },
}

/// A row that is created twice, or changed while it is absent: never an overwrite, never a silent skip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// `fn(e) -> Self`, but the row is there.
    #[error(
        "`{event}` creates a row that is there already; where that is meant, write `fn name(row: Option<Self>, e: &{event}) -> Option<Self>`"
    )]
    Exists {
        /// The event's name.
        event: &'static str,
    },
    /// `fn(&mut self, e)` or `fn(self, e)`, but the row is not there.
    #[error(
        "`{event}` needs a row that is not there; where that is meant, write `fn name(row: Option<Self>, e: &{event}) -> Option<Self>`"
    )]
    Absent {
        /// The event's name.
        event: &'static str,
    },
    /// The handler gave the row another key.
    #[error("`{event}` belongs to the row {expected}, but its handler returned the row {returned}")]
    KeyChanged {
        /// The event's name.
        event: &'static str,
        /// The key the event was routed by.
        expected: String,
        /// The key of the row the handler returned.
        returned: String,
    },
}

/// What a handler does to its row, by its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `fn(e) -> Self`.
    Creates,
    /// `fn(&mut self, e)`.
    Changes,
    /// `fn(self, e)`.
    Ends,
    /// `fn(Option<Self>, e) -> Option<Self>`.
    Any,
    /// `ignore(..)`.
    Ignores,
}

/// What the read model does with the event `E` of the aggregate `A`.
///
/// Implemented by `#[projection]`, for each handler and each ignored event.
#[diagnostic::on_unimplemented(
    message = "the read model `{Self}` says nothing about `{E}`, an event of `{A}`",
    label = "`{E}` is missing in this block",
    note = "add `fn name(&mut self, e: &{E})` to the `#[projection(of = {A})]` block, or list it: `ignore({E})`"
)]
pub trait On<A, E>: ReadModel {
    /// What the handler's signature says.
    const EFFECT: Effect;
    /// The key of the event's row.
    ///
    /// # Errors
    /// Says why the event has none.
    fn row_key(event: &Recorded<E>) -> Result<Self::Key, String>;
    /// Lets the event change the row.
    ///
    /// # Errors
    /// [`RowError`] where the row can't be created or changed.
    fn on(row: &mut Option<Self>, event: &Recorded<E>) -> Result<(), RowError>;
}

/// An aggregate whose every event the read model `M` says something about.
///
/// Implemented by `#[aggregate]`.
pub trait Feeds<M: ReadModel>: Aggregate {
    /// Whether the model handles the event of this name, or may handle what it has become; `None` where the aggregate has no
    /// such event.
    fn effect_of(event: &str) -> Option<bool>;
    /// One event with the key of its row.
    ///
    /// # Errors
    /// [`FoldError`] where the key can't be found.
    fn fold(event: Recorded<Self::Event>) -> Result<Box<dyn Fold<M>>, FoldError>;
}

/// The key of a row, from the id of a stream.
#[diagnostic::on_unimplemented(
    message = "a row's key `{K}` can't be taken from the id `{Self}`",
    label = "the key of the row is not the id of this aggregate",
    note = "say on each handler which row its event belongs to: `#[key = e.field]`"
)]
pub trait IntoKey<K> {
    /// The key.
    fn into_key(self) -> K;
}
impl<T> IntoKey<T> for T {
    fn into_key(self) -> T {
        self
    }
}

/// One event of one type with the key of its row; made by the generated `Feeds::fold`.
struct Pending<A, E, M: ReadModel> {
    key: M::Key,
    event: Recorded<E>,
    source: std::marker::PhantomData<fn(A)>,
}

impl<A: 'static, E: crate::Event, M: On<A, E>> Fold<M> for Pending<A, E, M> {
    fn key(&self) -> &M::Key {
        &self.key
    }
    fn apply(self: Box<Self>, row: &mut Option<M>) -> Result<(), RowError> {
        M::on(row, &self.event)?;
        match row {
            Some(row) if *row.key() != self.key => Err(RowError::KeyChanged {
                event: E::NAME,
                expected: format!("{:?}", self.key),
                returned: format!("{:?}", row.key()),
            }),
            _ => Ok(()),
        }
    }
}

/// Called by the generated `Feeds::fold`.
#[doc(hidden)]
pub fn pending<A: 'static, E: crate::Event, M: On<A, E>>(event: Recorded<E>) -> Result<Box<dyn Fold<M>>, FoldError> {
    let key = M::row_key(&event).map_err(FoldError::Key)?;
    Ok(Box::new(Pending { key, event, source: std::marker::PhantomData::<fn(A)> }))
}

/// The key of a row, from the id of the event's stream; called by generated code.
#[doc(hidden)]
pub fn stream_key<A: Aggregate, K>(event: &Recorded<impl Sized>) -> Result<K, String>
where
    A::Id: IntoKey<K>,
{
    <A::Id as crate::AggregateId>::parse(event.stream.id()).map(IntoKey::into_key).map_err(|e| e.to_string())
}
