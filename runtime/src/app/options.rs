//! What a caller says beside a command, and what an app allows.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::command::Cause;
use crate::error::{Failure, InvalidActor};
use crate::{Recorded, Timestamp};

/// What an app allows. Each limit has a default that suits most; more may be added, so give the others by `..`.
///
/// # Examples
/// ```
/// let limits = gesta::Limits { attempts: 10, ..gesta::Limits::default() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most events one command, or one unit of work, may store. Default: 1,000.
    pub events_per_append: usize,
    /// The most bytes the stored form of one event may have. Default: 1 MiB.
    pub event_bytes: usize,
    /// The most states of aggregates that are kept in memory between commands; 0 switches the cache off. Default: 100,000.
    pub cache_entries: usize,
    /// The most bytes those states may take. Estimated, since a state does not say: the size of its type, and its last
    /// snapshot with the events since, or without snapshots all of its events; nothing besides where the type holds nothing on
    /// the heap. So states with long histories and texts or lists in them fill the cache sooner without snapshots than with them
    /// ([`#[state]`](crate::state)). Default: 64 MiB.
    pub cache_bytes: usize,
    /// How often a command is decided before its conflict is answered. Default: 5.
    pub attempts: u32,
    /// How long a command waits while others run on its aggregate, before it answers [`Failure::Busy`](crate::Failure::Busy).
    /// Default: 30 s.
    pub wait_max: Duration,
    /// How many commands [`App::execute_many`](crate::App::execute_many) runs at the same time. Default: 512.
    pub commands_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            events_per_append: 1_000,
            event_bytes: 1 << 20,
            cache_entries: 100_000,
            cache_bytes: 64 << 20,
            attempts: 5,
            wait_max: Duration::from_secs(30),
            commands_in_flight: 512,
        }
    }
}

/// The longest actor, in bytes: it is stored with each event.
const ACTOR_BYTES_MAX: usize = 1_024;

/// What is said beside one command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) key: Option<Arc<str>>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) cause: Cause,
}

impl Options {
    pub(crate) fn caused_by<E>(&mut self, event: &Recorded<E>) {
        self.cause.correlation_id = Some(event.metadata.correlation_id);
        self.cause.causation_id = Some(event.metadata.event_id);
        if self.cause.actor.is_none() {
            self.cause.actor = event.metadata.actor.as_deref().map(Into::into);
        }
    }

    /// Refuses an actor that not every store can hold.
    pub(crate) fn check_actor(&self) -> Result<(), Failure> {
        let Some(actor) = self.cause.actor.as_deref() else { return Ok(()) };
        if actor.len() > ACTOR_BYTES_MAX {
            return Err(Failure::InvalidActor(InvalidActor::TooLong { bytes: actor.len(), max: ACTOR_BYTES_MAX }));
        }
        if actor.contains('\0') { Err(Failure::InvalidActor(InvalidActor::ZeroCharacter)) } else { Ok(()) }
    }

    /// What was not said comes from the surroundings, see [`caused_by`].
    pub(crate) fn surrounded(mut self) -> Self {
        let _ = SURROUNDING.try_with(|surrounding| {
            let cause = &mut self.cause;
            cause.actor = cause.actor.take().or_else(|| surrounding.actor.clone());
            cause.correlation_id = cause.correlation_id.or(surrounding.correlation_id);
            cause.causation_id = cause.causation_id.or(surrounding.causation_id);
        });
        self
    }
}

/// The methods by which a caller says something beside a command: the same wherever there is one.
macro_rules! said_beside {
    ($options:ident) => {
        /// A key that makes the command safe to repeat: its first success is the answer to every repeat, and nothing is
        /// stored again. Its scope is the aggregate; the same key with another command or other data is
        /// [`Failure::KeyReused`](crate::Failure::KeyReused). At most 255 bytes, without control characters.
        /// A field with `#[serde(skip)]` is no part of what is compared.
        ///
        /// Commands are compared by what they mean: maps, sets and fields have no order, and a field that holds nothing or its
        /// default says the same as no field, so a repeat may also come before and after a deploy that adds such a field. The
        /// store keeps a hash of 64 bits, which finds mistakes; it is no proof against a client that searches for two commands
        /// with one hash. Such a client can only repeat its own key.
        pub fn idempotency_key(mut self, key: impl Into<std::sync::Arc<str>>) -> Self {
            self.$options.key = Some(key.into());
            self
        }
        /// Who gives the command; recorded with each of its events. At most 1,024 bytes, without
        /// U+0000; another one is [`Failure::InvalidActor`](crate::Failure::InvalidActor).
        pub fn actor(mut self, actor: impl Into<std::sync::Arc<str>>) -> Self {
            self.$options.cause.actor = Some(actor.into());
            self
        }
        /// When it happens in the world; the time it is recorded at unless said here.
        pub fn occurred_at(mut self, at: $crate::Timestamp) -> Self {
            self.$options.occurred_at = Some(at);
            self
        }
        /// The chain of causes the command belongs to; a new one unless said here or by
        /// [`caused_by`](Self::caused_by).
        pub fn correlation_id(mut self, id: $crate::Uuid) -> Self {
            self.$options.cause.correlation_id = Some(id);
            self
        }
        /// The event the command is an answer to: its events carry that event's id as their cause, its correlation id
        /// and, unless another is given, its actor.
        pub fn caused_by<R>(mut self, event: &$crate::Recorded<R>) -> Self {
            self.$options.caused_by(event);
            self
        }
    };
}
pub(crate) use said_beside;

tokio::task_local! {
    static SURROUNDING: Cause;
}

/// Runs a future in which every command is an answer to this event, as if each said `caused_by(event)`.
///
/// # Examples
/// ```
/// # async fn example(app: gesta::App, event: gesta::Recorded<gesta::RawEvent>) {
/// gesta::caused_by(&event, async {
///     // commands executed here carry the event's correlation id and actor, and name it as their cause
/// })
/// .await;
/// # }
/// ```
pub async fn caused_by<E, F: Future>(event: &Recorded<E>, work: F) -> F::Output {
    let mut options = Options::default();
    options.caused_by(event);
    SURROUNDING.scope(options.cause, work).await
}

/// Runs a handler that may execute further commands, which then belong to the same chain of causes.
pub(crate) async fn surround<F: Future>(cause: &Cause, correlation_id: Uuid, work: F) -> F::Output {
    let cause = Cause { correlation_id: Some(correlation_id), ..cause.clone() };
    SURROUNDING.scope(cause, work).await
}
