//! Aggregates: what applies events, and so what a command is decided on.

use std::any::Any;
use std::fmt;

use crate::AggregateId;
use crate::error::{DecodeError, EncodeError, panic_message};
use crate::event::EventInfo;
use crate::schema::Node;
use crate::schema::lock::file::LockFile;

/// Where the life of an aggregate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage<S> {
    /// Nothing has happened yet.
    #[default]
    Absent,
    /// It is there.
    Alive(S),
    /// It was there, and an event ended it; its id is not used again.
    Ended,
}

impl<S> Stage<S> {
    /// The state, where it is there.
    pub fn alive(self) -> Option<S> {
        match self {
            Stage::Alive(state) => Some(state),
            Stage::Absent | Stage::Ended => None,
        }
    }
    /// The state by reference, where it is there.
    pub fn as_alive(&self) -> Option<&S> {
        match self {
            Stage::Alive(state) => Some(state),
            Stage::Absent | Stage::Ended => None,
        }
    }
    /// Whether an event ended it.
    pub fn is_ended(&self) -> bool {
        matches!(self, Stage::Ended)
    }
}

/// An event at a place of its stream where it can't stand, such as a second creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` {why}")]
pub struct Misplaced {
    /// The event's name.
    pub event: &'static str,
    /// What is wrong about its place.
    pub why: &'static str,
}

/// A domain type whose events are stored in one stream each.
///
/// Implemented by `#[aggregate]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate",
    label = "not an aggregate",
    note = "write an `#[aggregate(id = ..)] impl {Self} {{ .. }}` block with a method for each of its events"
)]
pub trait Aggregate: Sized + Send + Sync + 'static {
    /// What names one of them.
    type Id: AggregateId;
    /// Everything that can happen to one: the generated enum.
    type Event: for<'a> HappensTo<'a, Self> + Clone + fmt::Debug + PartialEq + Send + Sync + 'static;
    /// The name its streams are stored under.
    const NAME: &'static str;
    /// The doc comment of its `#[aggregate]` block; where there is none, that of its `#[state]`.
    const DOC: &'static str;
    /// What its ids are stored as, in the names of streams; `None` where a hand-written id does not say.
    const ID: Option<Node>;
    /// Its events.
    const EVENTS: &'static [EventInfo];
    /// Events that may be stored and become others when they are read: what its `#[upcast]` functions take.
    const RETIRED: &'static [EventInfo];
    /// What is stored, as its lock file has it, where `schema = ".."` names one.
    const LOCK: Option<Lock>;
    /// Changes whenever the fold does: the handlers' code, the events' schemas and versions, and what retired events become.
    const FINGERPRINT: u64;
    /// Changes whenever what the retired events become does: the code of the `#[upcast]` functions, and the events' schemas and
    /// versions.
    const UPCASTS: u64;
    /// How its state is stored, where `#[state]` asks for snapshots.
    const SNAPSHOTS: Option<Snapshots<Self>>;

    /// What the event makes of the stage.
    ///
    /// # Errors
    /// [`Misplaced`] where the event can't follow on what went before.
    fn apply(stage: Stage<Self>, event: Self::Event) -> Result<Stage<Self>, Misplaced>;
    /// Reads a stored event straight into its variant; a retired one becomes what its `#[upcast]` function makes of it.
    ///
    /// # Errors
    /// [`DecodeError`] where name or version are unknown, or the payload is not of that form.
    fn decode(name: &str, version: u32, payload: &[u8]) -> Result<Decoded<Self::Event>, DecodeError>;
    /// What is known of an event's type.
    fn info(event: &Self::Event) -> EventInfo;
    /// Appends the stored form of an event to `payload`.
    ///
    /// # Errors
    /// [`EncodeError`] where the form would not read back as what it was.
    fn encode(event: &Self::Event, payload: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// Reads a stored event: the one way to do so. A panic of the user's steps and `#[upcast]` functions is an answer like another.
pub(crate) fn decode<A: Aggregate>(name: &str, version: u32, payload: &[u8]) -> Result<Decoded<A::Event>, DecodeError> {
    let decoded = std::panic::catch_unwind(|| A::decode(name, version, payload));
    let panicked = |panic: Box<dyn Any + Send>| Err(DecodeError::Panicked { why: panic_message(&*panic), start: String::new() });
    let mut decoded = decoded.unwrap_or_else(panicked);
    if let Err(DecodeError::Step { start, .. } | DecodeError::Panicked { start, .. }) = &mut decoded {
        *start = crate::codec::beginning(payload);
    }
    decoded
}

/// What one stored event is today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded<E> {
    /// That event, in its current version.
    One(E),
    /// What a retired event has become: any number of events, in order.
    Became(Vec<E>),
}

impl<E> Decoded<E> {
    /// Each event, with its number among those that a retired one has become, as something else.
    pub(crate) fn map_parts<T>(self, mut map: impl FnMut((u32, E)) -> T) -> Decoded<T> {
        match self {
            Decoded::One(event) => Decoded::One(map((0, event))),
            Decoded::Became(events) => Decoded::Became((0..).zip(events).map(map).collect()),
        }
    }
}

impl<E> IntoIterator for Decoded<E> {
    type Item = E;
    type IntoIter = std::iter::Chain<std::option::IntoIter<E>, std::vec::IntoIter<E>>;
    fn into_iter(self) -> Self::IntoIter {
        let (one, became) = match self {
            Decoded::One(event) => (Some(event), Vec::new()),
            Decoded::Became(events) => (None, events),
        };
        one.into_iter().chain(became)
    }
}

/// A schema lock: the file that lists what is stored.
#[derive(Debug, Clone, Copy)]
pub struct Lock {
    /// The file as `schema = ".."` names it.
    pub file: &'static str,
    /// What stood in it when this was compiled.
    pub text: &'static [u8],
}

impl Lock {
    /// What may still change without being a change of a released schema, each as `MoneyDeposited v2`; none where the file
    /// can't be read.
    pub fn drafts(&self) -> Vec<String> {
        LockFile::parse(self.file, self.text).map(|lock| lock.drafts()).unwrap_or_default()
    }
}

/// An event that the aggregate `A` applies.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of `{A}`",
    label = "not an event of `{A}`",
    note = "add `fn name(&mut self, e: {Self})` to the `#[aggregate]` block of `{A}`, or remove it here"
)]
pub trait EventOf<A: Aggregate>: crate::Event {
    /// As the aggregate's event.
    fn wrap(self) -> A::Event;
    /// Back out of the aggregate's event, where it is this one.
    fn unwrap(event: A::Event) -> Result<Self, A::Event>;
}

/// An event that happens to the aggregate `A`: one of its events, or the enum of them.
///
/// The lifetime has no meaning. It lets generated code say whose event it handles, in a clause that the compiler prefers to the
/// impls of other aggregates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of an aggregate",
    label = "the compiler can't tell whose event this is",
    note = "take the event by its type, `&Recorded<Opened>`; in a generic function add the bound `E: EventOf<Account>`"
)]
pub trait HappensTo<'a, A> {}
impl<A: Aggregate, E: EventOf<A>> HappensTo<'_, A> for E {}

/// How the state of an aggregate is stored; made by `#[state]`.
#[derive(Debug)]
pub struct Snapshots<A> {
    /// A snapshot is taken when this many events have come since the last one.
    pub every: u64,
    /// Changes with the state's schema.
    pub fingerprint: u64,
    /// Writes a state.
    pub encode: fn(&A) -> Result<Vec<u8>, EncodeError>,
    /// Reads a state.
    pub decode: fn(&[u8]) -> Result<A, DecodeError>,
}

impl<A> Clone for Snapshots<A> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A> Copy for Snapshots<A> {}

/// A state that can be stored, so that an aggregate is read from its last snapshot on.
///
/// Implemented by `#[state]`.
pub trait State: Sized {
    /// Its doc comment.
    const DOC: &'static str;
    /// How it is stored.
    const SNAPSHOTS: Snapshots<Self>;
}
