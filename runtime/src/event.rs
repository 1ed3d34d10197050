//! Events, and what is recorded beside them.

use std::fmt;
use std::ops::Deref;

use uuid::Uuid;

use crate::error::{DecodeError, EncodeError};
use crate::schema::Node;
use crate::{Aggregate, AggregateId as _, HappensTo, StreamName, Timestamp};

/// Something that happened, as it is stored: a name, a version and fields.
///
/// Implemented by `#[event]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "put `#[event]` on the struct `{Self}`"
)]
pub trait Event: Sized + Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The name it is stored under.
    const NAME: &'static str;
    /// The version that is written today.
    const VERSION: u32;
    /// Its doc comment.
    const DOC: &'static str;
    /// Each version that can be read, from 1 on.
    const VERSIONS: &'static [EventVersion];
    /// Reads a stored version.
    ///
    /// # Errors
    /// [`DecodeError`] where the version is unknown or the payload is not of its form.
    fn decode(version: u32, payload: &[u8]) -> Result<Self, DecodeError>;
    /// Appends the stored form to `payload`.
    ///
    /// # Errors
    /// [`EncodeError`] where the form would not read back as what it was.
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// What is known of an event's type without a value of it.
#[derive(Debug, Clone, Copy)]
pub struct EventInfo {
    /// The name it is stored under.
    pub name: &'static str,
    /// The version that is written today.
    pub version: u32,
    /// Its doc comment.
    pub doc: &'static str,
    /// Each version that can be read, from 1 on.
    pub versions: &'static [EventVersion],
    /// True if its schema leaves open how a part of it is stored, so that it may be read back as
    /// another value.
    pub(crate) may_hold_opaque: bool,
}

/// A version of an event: what is stored, and how the version before becomes it.
#[derive(Debug, Clone, Copy)]
pub struct EventVersion {
    /// Its number, from 1 on.
    pub version: u32,
    /// What is stored.
    pub node: Node,
    /// What changed since the version before, a sentence each.
    pub changes: &'static [&'static str],
    /// Changes with the code that makes this version of the one before, as far as it stands in the event's attributes.
    pub logic: u64,
    /// Reads this version and writes the next one; the newest is written as it was read.
    pub advance: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

impl EventInfo {
    /// What is known of the event `E`.
    pub const fn of<E: Event>() -> Self {
        let may_hold_opaque = Self::newest_may_hold_opaque(E::VERSIONS);
        EventInfo { name: E::NAME, version: E::VERSION, doc: E::DOC, versions: E::VERSIONS, may_hold_opaque }
    }

    const fn newest_may_hold_opaque(versions: &[EventVersion]) -> bool {
        match versions {
            [.., newest] => newest.node.may_hold_opaque(),
            [] => false,
        }
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);
        impl $name {
            /// Before the first one.
            pub const ZERO: Self = Self(0);
            /// From its number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }
            /// Its number.
            pub const fn get(self) -> u64 {
                self.0
            }
            /// The one after it.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }
    };
}

counter! {
    /// Where an event stands in its stream: 1, 2, 3, ... without holes; 0 is a stream without events.
    Version
}
counter! {
    /// Where an event stands among all events of a store: unique and increasing in the order of delivery, with holes.
    ///
    /// 0 is before the first event.
    Position
}

/// What is recorded beside an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The event's own id, a UUID of version 7.
    pub event_id: Uuid,
    /// When it was recorded; never earlier than the event before it in its stream.
    pub recorded_at: Timestamp,
    /// When it happened in the world; `recorded_at` unless the caller said otherwise.
    pub occurred_at: Timestamp,
    /// What all events of one chain of causes share.
    pub correlation_id: Uuid,
    /// The event or message that the command was an answer to.
    pub causation_id: Option<Uuid>,
    /// Who gave the command.
    pub actor: Option<Box<str>>,
}

/// An event with where it stands and what was recorded beside it. Derefs to the event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded<E> {
    /// What happened.
    pub event: E,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Where it stands in its stream.
    pub version: Version,
    /// Where it stands among all events.
    pub position: Position,
    /// Which one of the events it is that a retired stored event has become, from 0 on; 0 for every other event. What one
    /// stored event has become shares its version, its position and its id: whoever remembers how far he has come by one of
    /// these is done with it once he is done with all of its parts.
    pub part: u32,
    /// What was recorded beside it.
    pub metadata: Metadata,
}

impl<E> Recorded<E> {
    /// An event with what is known of it; the store and the test kit make them.
    pub fn new(event: E, stream: StreamName, version: Version, position: Position, metadata: Metadata) -> Self {
        Recorded { event, stream, version, position, part: 0, metadata }
    }
    /// Returns the id of the aggregate `A` to which it happened.
    ///
    /// In a `#[projection(of = A)]` block `A` is that aggregate. Elsewhere it is the one aggregate that has the event; if several
    /// have it, the caller names one: `e.aggregate_id::<Account>()`.
    ///
    /// # Panics
    /// If the event stands in a stream of another aggregate.
    pub fn aggregate_id<A: Aggregate>(&self) -> A::Id
    where
        E: for<'a> HappensTo<'a, A>,
    {
        let (stream, name) = (&self.stream, A::NAME);
        assert!(stream.aggregate() == name, "`{stream}` is a stream of `{}`, not of `{name}`", stream.aggregate());
        A::Id::parse(stream.id()).unwrap_or_else(|why| panic!("the id of `{stream}` can't be read: {why}"))
    }
    /// The same record around another event.
    pub fn map<T>(self, f: impl FnOnce(E) -> T) -> Recorded<T> {
        Recorded {
            event: f(self.event),
            stream: self.stream,
            version: self.version,
            position: self.position,
            part: self.part,
            metadata: self.metadata,
        }
    }
    /// Splits the event from its record, so that a part of it can travel on with the same record.
    pub fn split(self) -> (E, Recorded<()>) {
        let Recorded { event, stream, version, position, part, metadata } = self;
        (event, Recorded { event: (), stream, version, position, part, metadata })
    }
}

impl<E> Deref for Recorded<E> {
    type Target = E;
    fn deref(&self) -> &E {
        &self.event
    }
}

impl Metadata {
    /// Made by the runtime, and by the test kit.
    pub fn new(event_id: Uuid, recorded_at: Timestamp) -> Self {
        Metadata { event_id, recorded_at, occurred_at: recorded_at, correlation_id: event_id, causation_id: None, actor: None }
    }
}

/// Where the runtime gets ids from: of events, and for [`Context::new_id`](crate::Context::new_id).
pub trait IdSource: Send + Sync + 'static {
    /// An id that was never given before; `now` orders it among the others.
    fn next(&self, now: Timestamp) -> Uuid;
}

/// Random ids of version 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl<I: IdSource + ?Sized> IdSource for std::sync::Arc<I> {
    fn next(&self, now: Timestamp) -> Uuid {
        (**self).next(now)
    }
}

impl IdSource for RandomIds {
    fn next(&self, now: Timestamp) -> Uuid {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        #[allow(clippy::cast_possible_truncation, reason = "below a billion")]
        let nanos = (micros % 1_000_000 * 1_000) as u32;
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, micros / 1_000_000, nanos))
    }
}
