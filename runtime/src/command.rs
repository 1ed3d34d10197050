//! Commands: how one is decided on, and what its handler may ask for.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{DecodeError, EncodeError};
use crate::event::IdSource;
use crate::schema::Node;
use crate::{Aggregate, Stage, StreamName, Timestamp, Version};

/// What a command is made of, without a word about who handles it.
///
/// Implemented by `#[command]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    label = "not a command",
    note = "put `#[command]` on the struct `{Self}`"
)]
pub trait CommandData: Sized + Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its doc comment.
    const DOC: &'static str;
    /// What it looks like when written.
    const NODE: Node;
    /// Whether its handler may be run again after a conflict even though it takes a service: `#[command(retry)]`.
    const RETRY: bool;
    /// Appends the written form.
    ///
    /// # Errors
    /// [`EncodeError`] where the form would not read back as what it was.
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError>;
    /// Reads the written form.
    ///
    /// # Errors
    /// [`DecodeError`] where the payload is not of its form.
    fn decode(payload: &[u8]) -> Result<Self, DecodeError>;
}

/// A command that an aggregate handles.
///
/// Implemented by `#[command_handler]`.
#[diagnostic::on_unimplemented(
    message = "no aggregate handles `{Self}`",
    label = "not a command that anything handles",
    note = "add `fn name(&self, cmd: {Self}) -> ..` to the `#[command_handler]` block of its aggregate"
)]
pub trait Command: CommandData {
    /// The aggregate that handles it.
    type Aggregate: Handle<Self>;
    /// What is known of it without a value.
    const INFO: CommandInfo;
}

/// What is known of a command without a value of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CommandInfo {
    /// Its name.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What it looks like when written.
    pub node: Node,
    /// Whether its handler may run again after a conflict even though it takes a service.
    pub retry: bool,
    /// What its handler asks for beside state and command.
    pub needs: &'static [Need],
    /// True if its schema leaves open how deep a part of it nests.
    pub(crate) may_hold_opaque: bool,
}

impl CommandInfo {
    /// What is known of `C`, whose handler needs `needs`.
    pub const fn of<C: CommandData>(needs: &'static [Need]) -> Self {
        let may_hold_opaque = C::NODE.may_hold_opaque();
        CommandInfo { name: C::NAME, doc: C::DOC, node: C::NODE, retry: C::RETRY, needs, may_hold_opaque }
    }
    /// The services its handler asks for.
    pub fn services(&self) -> impl Iterator<Item = &'static Need> + use<> {
        self.needs.iter().filter(|need| need.id != TypeId::of::<Context>())
    }
    /// Whether the handler may be run again by itself after a conflict.
    pub(crate) fn runs_again(&self) -> bool {
        self.retry || self.services().next().is_none()
    }
}

/// One thing a handler asks for, by type.
#[derive(Clone, Copy)]
pub struct Need {
    id: TypeId,
    name: fn() -> &'static str,
}

impl Need {
    /// The type `T`.
    pub const fn of<T: ?Sized + 'static>() -> Self {
        Need { id: TypeId::of::<T>(), name: std::any::type_name::<T> }
    }
    /// The type's name, for messages.
    pub fn name(&self) -> &'static str {
        (self.name)()
    }
}
impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an aggregate decides on the command `C`.
///
/// Implemented by `#[command_handler]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the command `{C}`",
    label = "no handler of `{C}` here",
    note = "add `fn name(&self, cmd: {C}) -> ..` to the `#[command_handler]` block of `{Self}`"
)]
pub trait Handle<C>: Aggregate {
    /// Why the domain may refuse it.
    type Error: Send + 'static;
    /// Decides; changes nothing.
    fn handle<'a>(
        stage: &'a Stage<Self>,
        command: C,
        env: &'a Env,
    ) -> impl Future<Output = Result<Vec<Self::Event>, Refusal<Self::Error>>> + Send + 'a;
}

/// All commands of an aggregate.
///
/// Implemented by `#[command_handler]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` handles no commands",
    label = "an aggregate without commands",
    note = "write a `#[command_handler] impl {Self} {{ .. }}` block with a method for each command"
)]
pub trait Commands: Aggregate {
    /// Any one of them: the generated enum.
    type Command: AnyCommand;
    /// What is known of each.
    const COMMANDS: &'static [CommandInfo];
}

/// A command of which only the aggregate is known: the enum that `#[command_handler]` generates.
pub trait AnyCommand: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// What is known of the one it holds.
    fn info(&self) -> CommandInfo;
    /// Appends the written form of the one it holds.
    ///
    /// # Errors
    /// [`EncodeError`] where the form would not read back as what it was.
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError>;
    /// The one it holds.
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    /// Reads a command by its name; `None` where the aggregate has no such command.
    fn decode(name: &str, payload: &[u8]) -> Option<Result<Self, DecodeError>>;
}

/// How an aggregate decides on any of its commands, with one error type `E` for all: each handler's own error must
/// become `E` by `From`.
///
/// Implemented by `#[command_handler]`.
pub trait Dispatch<E>: Commands {
    /// Decides; changes nothing.
    fn dispatch<'a>(
        stage: &'a Stage<Self>,
        command: Self::Command,
        env: &'a Env,
    ) -> impl Future<Output = Result<Vec<Self::Event>, Refusal<E>>> + Send + 'a;
}

/// Why a command was not accepted. Nothing was stored, and the same command may be accepted later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<E> {
    /// The domain says no.
    #[error("{0}")]
    Rejected(E),
    /// The command needs one that is there, and there never was one.
    #[error("there is none with this id")]
    NotFound,
    /// The command creates, and there is one.
    #[error("there is one with this id already")]
    AlreadyExists,
    /// It has ended; its id is not used again.
    #[error("the one with this id has ended")]
    Ended,
}

impl<E> Refusal<E> {
    /// The same refusal with the domain's error turned into another.
    pub fn map<T>(self, f: impl FnOnce(E) -> T) -> Refusal<T> {
        match self {
            Refusal::Rejected(error) => Refusal::Rejected(f(error)),
            Refusal::NotFound => Refusal::NotFound,
            Refusal::AlreadyExists => Refusal::AlreadyExists,
            Refusal::Ended => Refusal::Ended,
        }
    }
}

/// What a command handler may return: events with or without a `Result` around them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be returned by a command handler",
    label = "neither an event nor made of events",
    note = "return an event, a tuple, an array, an `Option` or a `Vec` of events, `()`, or a `Result` of one of these"
)]
pub trait Answer {
    /// The events.
    type Events;
    /// The domain's error.
    type Error: Send + 'static;
    /// [`MayRefuse`] where there is a `Result`, else [`NeverRefuses`]: the error of the latter is no error of the domain.
    #[doc(hidden)]
    type Kind;
    /// Splits the one from the other.
    ///
    /// # Errors
    /// The domain's error.
    fn split(self) -> Result<Self::Events, Self::Error>;
}
impl<T, E: Send + 'static> Answer for Result<T, E> {
    type Events = T;
    type Error = E;
    type Kind = MayRefuse;
    fn split(self) -> Result<T, E> {
        self
    }
}

/// An [`Answer`] that may be a refusal.
#[doc(hidden)]
#[derive(Debug)]
pub enum MayRefuse {}

/// An [`Answer`] that is none.
#[doc(hidden)]
#[derive(Debug)]
pub enum NeverRefuses {}

/// An [`Answer`] whose error becomes the error `E` of [`Dispatch`]: by `From`, and asking nothing of `E` where the handler
/// never refuses.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the error of a handler that returns `{Self}` does not become `{E}`",
    note = "implement `From` of that error for `{E}`"
)]
pub trait Raise<E>: Answer {
    /// As the common error.
    fn raise(error: Self::Error) -> E;
}
impl<A: Answer<Error: Become<A::Kind, E>>, E> Raise<E> for A {
    fn raise(error: A::Error) -> E {
        error.become_it()
    }
}

/// The two ways of [`Raise`].
#[doc(hidden)]
pub trait Become<Kind, E> {
    /// As the common error.
    fn become_it(self) -> E;
}
impl<T: Into<E>, E> Become<MayRefuse, E> for T {
    fn become_it(self) -> E {
        self.into()
    }
}
impl<E> Become<NeverRefuses, E> for Infallible {
    fn become_it(self) -> E {
        match self {}
    }
}

/// What is made of events of the aggregate `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of `{A}`",
    label = "returned here, but `{A}` does not apply it",
    note = "add `fn name(&mut self, e: {Self})` to the `#[aggregate]` block of `{A}`"
)]
pub trait IntoEvents<A: Aggregate> {
    /// Appends the events, in order.
    fn push_to(self, events: &mut Vec<A::Event>);
}

macro_rules! made_of_events {
    ($([$($g:ident),* $(; const $n:ident)?] $t:ty, $self:ident, $out:ident, $body:expr;)*) => {$(
        impl<A: Aggregate, $($g: IntoEvents<A>,)* $(const $n: usize)?> IntoEvents<A> for $t {
            fn push_to($self, $out: &mut Vec<A::Event>) { $body }
        }
        impl<$($g,)* $(const $n: usize)?> Answer for $t {
            type Events = Self;
            type Error = Infallible;
            type Kind = NeverRefuses;
            fn split(self) -> Result<Self, Infallible> { Ok(self) }
        }
    )*};
}
made_of_events! {
    [] (), self, _out, ();
    [T] Option<T>, self, out, if let Some(events) = self { events.push_to(out) };
    [T] Vec<T>, self, out, for events in self { events.push_to(out) };
    [T; const N] [T; N], self, out, for events in self { events.push_to(out) };
    [T, U] (T, U), self, out, { self.0.push_to(out); self.1.push_to(out) };
    [T, U, V] (T, U, V), self, out, { self.0.push_to(out); self.1.push_to(out); self.2.push_to(out) };
    [T, U, V, W] (T, U, V, W), self, out, { self.0.push_to(out); self.1.push_to(out); self.2.push_to(out); self.3.push_to(out) };
}

/// What surrounds a command while it is decided: who gave it, when, on what, and where ids come from.
///
/// A handler that wants it takes `&Context` after the command.
#[derive(Clone)]
pub struct Context {
    pub(crate) stream: StreamName,
    pub(crate) version: Version,
    pub(crate) now: Timestamp,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) command_id: Uuid,
    pub(crate) cause: Cause,
    pub(crate) ids: Arc<dyn IdSource>,
}

/// Who and what stands behind a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) actor: Option<Arc<str>>,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) causation_id: Option<Uuid>,
}

impl Context {
    /// The stream of the aggregate.
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }
    /// The id of the aggregate, as text.
    pub fn id(&self) -> &str {
        self.stream.id()
    }
    /// How many events the decision is based on.
    pub fn version(&self) -> Version {
        self.version
    }
    /// The time now: the runtime's clock, read once for each attempt.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// When it happens in the world: what the caller said, else [`now`](Context::now).
    pub fn occurred_at(&self) -> Timestamp {
        self.occurred_at.unwrap_or(self.now)
    }
    /// Who gave the command.
    pub fn actor(&self) -> Option<&str> {
        self.cause.actor.as_deref()
    }
    /// What all events of this chain of causes share, where the command belongs to one already.
    pub fn correlation_id(&self) -> Option<Uuid> {
        self.cause.correlation_id
    }
    /// The event or message the command is an answer to.
    pub fn causation_id(&self) -> Option<Uuid> {
        self.cause.causation_id
    }
    /// A key that is the same on each attempt at this command, for services that must not act twice. Where the command has an
    /// idempotency key it is also the same when the caller repeats it, as after a crash between the service and the append.
    pub fn attempt_key(&self) -> Uuid {
        self.command_id
    }
    /// A new id.
    pub fn new_id(&self) -> Uuid {
        self.ids.next(self.now)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("stream", &self.stream)
            .field("version", &self.version)
            .field("now", &self.now)
            .field("command_id", &self.command_id)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// What the runtime hands to a generated handler.
#[doc(hidden)]
#[derive(Clone)]
pub struct Env {
    // An `Arc`, so that context and services are found in one way: as `Arc<T>` behind `Any`.
    pub(crate) context: Arc<Context>,
    pub(crate) services: Arc<Services>,
}

/// What handlers may ask for, by type.

#[derive(Default)]
pub(crate) struct Services(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

impl Services {
    pub(crate) fn insert<S: ?Sized + Send + Sync + 'static>(&mut self, service: Arc<S>) {
        self.0.insert(TypeId::of::<S>(), Box::new(service));
    }
    pub(crate) fn has(&self, need: &Need) -> bool {
        need.id == TypeId::of::<Context>() || self.0.contains_key(&need.id)
    }
}

impl Env {
    /// What a handler's parameter `&T` stands for: the context, else a service.
    ///
    /// # Panics
    /// Where the service is missing; `start` has checked that none is.
    pub fn parameter<T: ?Sized + Send + Sync + 'static>(&self) -> &T {
        let found: Option<&dyn Any> = if TypeId::of::<T>() == TypeId::of::<Context>() {
            Some(&self.context)
        } else {
            self.services.0.get(&TypeId::of::<T>()).map(|service| &**service as &dyn Any)
        };
        found.and_then(|found| found.downcast_ref::<Arc<T>>()).expect("start has checked that every service is registered")
    }
}
