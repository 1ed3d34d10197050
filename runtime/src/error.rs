//! What can go wrong, by operation.

use std::fmt;

use crate::event::{Position, Version};
use crate::store::CommitError;
use crate::{InvalidId, Misplaced, Refusal, StreamName};

/// Why a value can't be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A number is NaN or infinite, which JSON can't hold.
    #[error("`{path}` is {value}: only finite numbers can be stored")]
    NotFinite {
        /// Where it stands, such as `lines[2].price`.
        path: String,
        /// `NaN`, `inf` or `-inf`.
        value: String,
    },
    /// A value nests deeper than it can be read back.
    #[error("`{path}` nests in more than {max} levels of lists and records: flatten the value")]
    TooDeep {
        /// The path of the value that is one level too deep, such as `tree.left.left`; cut where it
        /// is long.
        path: String,
        /// The limit.
        max: usize,
    },
    /// A text holds U+0000, which some stores and readers can't hold, so that no store takes it.
    #[error("`{path}` holds the character U+0000, which not every store can hold: remove it")]
    ZeroCharacter {
        /// The path of the text, such as `lines[2].note`.
        path: String,
    },
    /// The stored form can't be read back, or is read back as another value.
    #[error("can't be read back: {why}; let its `Serialize` and `Deserialize` agree")]
    NotReadBack {
        /// Why not.
        why: String,
    },
    /// The type's serializer panicked.
    #[error("writing it panicked: {0}")]
    Panicked(String),
    /// The type's serializer gave up.
    #[error("can't be written as JSON: {0}")]
    Unwritable(String),
}

/// Why something stored can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The aggregate has no event of this name.
    #[error(
        "`{aggregate}` has no event `{name}`: a newer build wrote it, or it was renamed or removed here; a renamed one keeps its stored name by `#[event(name = \"{name}\")]`"
    )]
    UnknownEvent {
        /// The aggregate.
        aggregate: &'static str,
        /// The name found.
        name: String,
    },
    /// The event has no such version: a newer one than this build knows, or one that can't be, or that was left out here.
    #[error("{}", unknown_version(name, *version, *newest))]
    UnknownVersion {
        /// The event.
        name: &'static str,
        /// The version found.
        version: u32,
        /// The newest version this build knows.
        newest: u32,
    },
    /// It holds a variant of an enum that this build does not know.
    #[error("{}{why}: a newer build wrote it, or the variant was renamed or removed here", at(path))]
    UnknownVariant {
        /// Where it stands, such as `lines[2].channel`.
        path: String,
        /// Which one, and those that are known.
        why: String,
    },
    /// The payload is not of its type's form.
    #[error("{}the payload can't be read: {why}; {}", at(path), begins_with(start))]
    Payload {
        /// Where, such as `lines[2].price`; empty where it is all of it, or no JSON at all.
        path: String,
        /// What is wrong there.
        why: String,
        /// The first 64 bytes, with whatever people can't read escaped; ends in ` ..` where there are more.
        start: String,
    },
    /// A version can't become the next one.
    #[error("version {from} of `{name}` can't become the next one: {why}{}", and_begins_with(start))]
    Step {
        /// The event.
        name: &'static str,
        /// The version it was in.
        from: u32,
        /// Why not; of a field that was converted, with its name.
        why: String,
        /// What the payload begins with, as in [`DecodeError::Payload`]; empty where it was not read from a store.
        start: String,
    },
    /// The code that makes today's events of it panicked: a step between two versions, an
    /// `#[upcast]` function, or the
    /// `Deserialize` of a part of it.
    #[error("making today's form of it panicked: {why}{}", and_begins_with(start))]
    Panicked {
        /// What the panic said.
        why: String,
        /// What the payload begins with, as in [`DecodeError::Payload`].
        start: String,
    },
}

fn unknown_version(name: &str, version: u32, newest: u32) -> String {
    if version > newest {
        return format!("`{name}` has no version {version} in this build, the newest is {newest}: a newer build wrote it");
    }
    let known = if newest == 1 { "1 is the only one".to_owned() } else { format!("versions go from 1 to {newest}") };
    format!("`{name}` has no version {version}: {known}")
}

fn begins_with(start: &str) -> String {
    if start.is_empty() { "it is empty".to_owned() } else { format!("it begins with {start}") }
}

fn and_begins_with(start: &str) -> String {
    if start.is_empty() { String::new() } else { format!("; {}", begins_with(start)) }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`: ") }
}

impl DecodeError {
    /// Whether a newer build may have written it, so that the data is fine and this build is not.
    ///
    /// A version that is not above the newest one was written by no newer build.
    pub fn may_be_newer_build(&self) -> bool {
        match self {
            DecodeError::UnknownEvent { .. } | DecodeError::UnknownVariant { .. } => true,
            DecodeError::UnknownVersion { version, newest, .. } => version > newest,
            _ => false,
        }
    }
}

/// Why an earlier version of an event can't become the next one: what `TryFrom` between the two answers, where
/// `#[converted(.., try_from = ..)]` says that a field's value may not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {from} of `{event}` can't become the next one: `{field}`: {why}")]
#[non_exhaustive]
pub struct UpcastError {
    /// The event.
    pub event: &'static str,
    /// The version it was in.
    pub from: u32,
    /// The field, as the next version has it.
    pub field: &'static str,
    /// Why its value doesn't fit.
    pub why: String,
}

impl From<UpcastError> for DecodeError {
    fn from(error: UpcastError) -> Self {
        let UpcastError { event, from, field, why } = error;
        DecodeError::Step { name: event, from, why: format!("`{field}`: {why}"), start: String::new() }
    }
}

/// A stored event that can't be used: which one, and why. It is never skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {version} of `{stream}` (`{name}` version {schema_version}, at position {position}): {why}")]
pub struct UnreadableEvent {
    /// The event's stream.
    pub stream: StreamName,
    /// Where it stands in the stream.
    pub version: Version,
    /// Where it stands among all events.
    pub position: Position,
    /// Its name.
    pub name: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// What is wrong with it.
    #[source]
    pub why: Unreadable,
}

impl UnreadableEvent {
    /// Whether the event is newer than this build, so that nothing is wrong with it: this build is to be replaced by one that
    /// knows it. The code that reads an event is deployed first, and only then the code that writes it.
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(&self.why, Unreadable::Decode(why) if why.may_be_newer_build())
    }
}

/// What a build says of an event that is newer than itself.
fn newer(event: &UnreadableEvent) -> String {
    format!("{event}; deploy the code that reads it here: first the code that reads an event, then the code that writes it")
}

/// What is wrong with a stored event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It can't be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It can't follow on what went before.
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// It is not the next one of its stream: one before it is missing or doubled.
    #[error("expected version {expected} here")]
    OutOfOrder {
        /// The version that should have come.
        expected: Version,
    },
    /// Applying it panicked.
    #[error("applying it panicked: {0}")]
    Panicked(String),
}

/// A store that could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store is closed, or shutting down.
    #[error("the store is closed")]
    Closed,
    /// It was opened for reading only.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// It does not offer this.
    #[error("this store does not offer {0}")]
    Unsupported(&'static str),
    /// What it keeps is not what it wrote.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A file of the store was removed, moved or replaced while it was open. What was written since
    /// may be gone with it.
    #[error(
        "`{file}` was removed, moved or replaced while the store had it open, and nothing more is written: stop the app, put \
         the file back, and start the app again"
    )]
    FileReplaced {
        /// The file.
        file: String,
    },
    /// Its driver reported an error. Nothing was changed, as far as is known: what may have been stored all the same says so by an error of
    /// its own, such as [`UnknownOutcome`](crate::store::AppendError::UnknownOutcome).
    #[error("{context}: {message}")]
    Driver {
        /// What the store was doing.
        context: &'static str,
        /// What the driver said.
        message: String,
        /// Whether the same may succeed later.
        transient: bool,
    },
    /// The database has lost a setting that the store relies on, so that a reader could skip events, or an append could be lost. The
    /// message names it and the statement that mends it. Readers stop until then, skip nothing, and go on by themselves.
    #[error("{0}")]
    Misconfigured(String),
}

impl StoreError {
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, StoreError::Driver { transient: true, .. } | StoreError::Misconfigured(_))
    }
}

/// Why a store could not be opened, or an app not started.
///
/// `Debug` says the same as `Display`: `fn main() -> Result<..>` prints an error by `Debug`, and what is wrong here is for whoever
/// started the program to put right.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The URL's scheme names no store.
    #[error("`{scheme}:` is no store of gesta: use one of {known}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
        /// What there is.
        known: &'static str,
    },
    /// The URL names a store that was not compiled in.
    #[error(
        "`{scheme}:` needs the feature `{feature}`: write `gesta = {{ version = \"..\", features = [\"{feature}\"] }}` in Cargo.toml"
    )]
    FeatureOff {
        /// The scheme.
        scheme: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The URL can't be understood.
    #[error("`{url}`: {why}")]
    InvalidUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file is not a store of gesta.
    #[error("`{file}` is not a gesta store ({why}); it was not touched")]
    NotOurs {
        /// The file.
        file: String,
        /// What it is.
        why: String,
    },
    /// The file was written by a newer build.
    #[error("`{file}` has format {found}, this build knows formats up to {known}: use a newer build; it was not touched")]
    NewerFormat {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
        /// The newest format this build knows.
        known: u32,
    },
    /// Another process, or another app of this one, has the file open for writing.
    #[error(
        "`{file}` is open for writing elsewhere, and one app writes to a file at a time: end the other app with `shutdown()`, or \
         read with `?mode=ro`"
    )]
    InUse {
        /// The file.
        file: String,
    },
    /// Opened for reading, but there is nothing.
    #[error("`{file}` does not exist")]
    NoSuchFile {
        /// The file.
        file: String,
    },
    /// No tokio runtime is there to run the app.
    #[error("no tokio runtime is running here: call it in an `async fn main` with `#[tokio::main]`, or by `Runtime::block_on`")]
    NoRuntime,
    /// The tokio runtime lacks the timers that an app waits by.
    #[error("the tokio runtime has no timers: build it with `enable_all`")]
    NoTimers,
    /// Two things would be stored under one name.
    #[error("{}", name_taken(.first, .second, .name))]
    NameTaken {
        /// What is registered first.
        first: String,
        /// What is registered second.
        second: String,
        /// The name.
        name: String,
    },
    /// Handlers ask for services that were not registered; every one is named.
    #[error("{}", missing_services(.0))]
    MissingServices(Vec<MissingService>),
    /// A read model is fed by an aggregate that was not registered.
    #[error("the read model `{model}` is fed by `{aggregate}`, which is not registered: add `.aggregate::<{aggregate}>()`")]
    MissingAggregate {
        /// The read model.
        model: &'static str,
        /// The aggregate.
        aggregate: &'static str,
    },
    /// The store can't do what a registration asks of it.
    #[error("{what} needs a store that offers {capability}, this one does not")]
    Unsupported {
        /// What asks for it.
        what: String,
        /// What the store lacks.
        capability: &'static str,
    },
    /// An inline read model could not be brought up to the present.
    #[error("the read model `{model}` could not be caught up: {why}")]
    CatchUp {
        /// The read model.
        model: &'static str,
        /// Why not.
        #[source]
        why: ProjectionError,
    },
    /// The program is built so that it can't read what it would store, or would store it in another
    /// form than other builds. Nothing was stored.
    #[error("{}", incompatible_build(.0))]
    IncompatibleBuild(Vec<IncompatibleForm>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A stored form that a feature of another crate changes, see [`StartError::IncompatibleBuild`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncompatibleForm {
    /// The values that are stored otherwise, such as "a `Decimal`".
    pub value: &'static str,
    /// The feature that is known to do this, and how to find it.
    pub feature: &'static str,
    /// The text that was written, or the reason why it was not read back.
    pub why: String,
}

fn incompatible_build(forms: &[IncompatibleForm]) -> String {
    let form = |IncompatibleForm { value, feature, why }: &IncompatibleForm| format!("{value}: {why}; {feature}");
    let forms: Vec<_> = forms.iter().map(form).collect();
    format!("this build of the program can't store values that every build can read: {}", forms.join("; "))
}

/// A service that a handler asks for and nobody registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingService {
    /// The service's type.
    pub service: &'static str,
    /// The aggregate whose handler asks for it.
    pub aggregate: &'static str,
    /// The command.
    pub command: &'static str,
}

fn missing_services(missing: &[MissingService]) -> String {
    use fmt::Write as _;
    let mut text = String::new();
    for (i, MissingService { service, aggregate, command }) in missing.iter().enumerate() {
        let sep = if i == 0 { "" } else { "; " };
        // A trait object comes shared: nothing else holds what has no size.
        let add = match service.strip_prefix("dyn ") {
            Some(_) => format!(".shared_service::<{service}>(Arc::new(..))"),
            None => format!(".service::<{service}>(..)"),
        };
        let _ = write!(
            text,
            "{sep}the handler of `{command}` on `{aggregate}` takes `&{service}`, but no such service is registered: add `{add}`"
        );
    }
    text
}

fn name_taken(first: &str, second: &str, name: &str) -> String {
    if first == second {
        format!("{first} is registered twice: keep one")
    } else {
        format!("{first} and {second} would both be stored as `{name}`: give one of them another name")
    }
}

/// A refusal by a hook that runs before commands, see [`BeforeCommand`](crate::BeforeCommand).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("denied: {reason}")]
pub struct Denied {
    /// Why.
    pub reason: String,
}

impl Denied {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Denied { reason: reason.into() }
    }
}

/// What kept a command from being carried out, beside a refusal by the domain. The same on every aggregate.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A hook denied it. Nothing was stored.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Others were faster each time. Nothing was stored; the same command may succeed later.
    #[error("`{stream}` was changed by others at each of {attempts} attempts")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// How often it was tried.
        attempts: u32,
    },
    /// Other commands on the aggregate did not end in time. Nothing was stored; the same command may succeed later.
    ///
    /// Where it comes each time, somebody waits for itself: a command that is given inside of a handler, or of a unit of work, for
    /// an aggregate that this handler or unit holds; or one that was begun and is neither polled nor dropped.
    #[error(
        "`{stream}` was busy for {waited_ms} ms: its handler takes as long, or waits for itself; inside of a unit use the unit's `execute`"
    )]
    Busy {
        /// The stream.
        stream: StreamName,
        /// How long was waited, in milliseconds.
        waited_ms: u64,
    },
    /// The idempotency key was used before, with another command or other data. Nothing was stored.
    #[error("the key `{key}` was used on `{stream}` before, for another command or with other data")]
    KeyReused {
        /// The stream.
        stream: StreamName,
        /// The key.
        key: String,
    },
    /// A newer build stored the idempotency key, and this one can't compare the commands. Nothing was stored.
    #[error(
        "the key `{key}` was used on `{stream}` before, by a newer build: its hash has version {hash_version}; deploy that build here"
    )]
    NewerKey {
        /// The stream.
        stream: StreamName,
        /// The key.
        key: String,
        /// The version of its hash.
        hash_version: u8,
    },
    /// The id can't be part of a stream's name. Nothing was stored.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The idempotency key is empty, too long or holds a control character. Nothing was stored.
    #[error("the idempotency key can't be used: {0}")]
    InvalidKey(InvalidId),
    /// The actor can't be stored with the events. Nothing was stored.
    #[error(transparent)]
    InvalidActor(InvalidActor),
    /// More events than one append may hold. Nothing was stored.
    #[error("{events} events at once are more than the {max} of `Limits::events_per_append`")]
    TooManyEvents {
        /// How many it would have been.
        events: usize,
        /// The limit.
        max: usize,
    },
    /// An event is larger than allowed. Nothing was stored.
    #[error("`{event}` has {bytes} bytes, more than the {max} of `Limits::event_bytes`")]
    EventTooLarge {
        /// The event.
        event: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// An event, or a command with an idempotency key, can't be stored as it is. Nothing was
    /// stored.
    #[error("`{event}` can't be stored: {why}")]
    Unwritable {
        /// The event.
        event: &'static str,
        /// Why not.
        #[source]
        why: EncodeError,
    },
    /// A handler decided on an event that its aggregate can't apply there. Nothing was stored.
    #[error("the handler of `{command}` returned an event that can't follow: {why}")]
    Misplaced {
        /// The command.
        command: &'static str,
        /// What is wrong.
        #[source]
        why: Misplaced,
    },
    /// A hook panicked. Nothing was stored.
    #[error("a hook before `{command}` panicked: {message}")]
    HookPanicked {
        /// The command.
        command: &'static str,
        /// What it said.
        message: String,
    },
    /// The handler, or an event's application, panicked. Nothing was stored.
    #[error("the handler of `{command}` panicked: {message}")]
    Panicked {
        /// The command.
        command: &'static str,
        /// What it said.
        message: String,
    },
    /// An inline read model could not take the events. Nothing was stored.
    #[error("the inline read model `{model}` refuses `{event}`: {why}")]
    ReadModel {
        /// The read model.
        model: &'static str,
        /// The event.
        event: String,
        /// Why.
        #[source]
        why: crate::FoldError,
    },
    /// An inline read model could not be brought to the last event, which another app had stored without it. Nothing was stored.
    #[error("the inline read model `{model}` could not be caught up with what others have stored: {why}")]
    CatchUp {
        /// The read model.
        model: &'static str,
        /// Why not.
        #[source]
        why: ProjectionError,
    },
    /// A command of a unit of work was dropped before it was through, so the unit is incomplete. Nothing was stored.
    #[error("a command of the unit was dropped before it was through: await each one to its end")]
    Abandoned,
    /// The aggregate was not registered with this app.
    #[error("`{aggregate}` is not registered: add `.aggregate::<{aggregate}>()` before `.start()`")]
    Unregistered {
        /// The aggregate.
        aggregate: &'static str,
    },
    /// A stored event can't be read. Nothing was stored.
    #[error(transparent)]
    Unreadable(UnreadableEvent),
    /// A stored event is newer than this build: the code that wrote it is deployed elsewhere already, and the code that reads it
    /// not yet here. Nothing is wrong with the event, and nothing was stored.
    #[error("{}", newer(.0))]
    NewerBuildNeeded(UnreadableEvent),
    /// The app is shutting down. Nothing was stored.
    #[error("the app is shutting down")]
    ShuttingDown,
    /// It is not known whether the events were stored; with an idempotency key the command can be repeated safely.
    #[error("it is unknown whether the command was carried out: {0}")]
    UnknownOutcome(#[source] StoreError),
    /// The store failed. Nothing was stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Failure {
    /// Whether others were faster.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Failure::Conflict { .. })
    }
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Failure::Conflict { .. } | Failure::Busy { .. } => true,
            Failure::Store(e) | Failure::CatchUp { why: ProjectionError::Store(e), .. } => e.is_retryable(),
            _ => false,
        }
    }
    /// Whether it is unknown if the events were stored.
    pub fn is_unknown_outcome(&self) -> bool {
        matches!(self, Failure::UnknownOutcome(_))
    }
    /// Whether a stored event, or a key, is newer than this build, so that this build is to be replaced by one that knows it.
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, Failure::NewerBuildNeeded(_) | Failure::NewerKey { .. })
    }
}

impl From<UnreadableEvent> for Failure {
    fn from(event: UnreadableEvent) -> Self {
        if event.is_newer_build_needed() { Failure::NewerBuildNeeded(event) } else { Failure::Unreadable(event) }
    }
}

/// Why an actor can't be stored with the events of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidActor {
    /// It is stored with each event, so it has a limit.
    #[error("the actor has {bytes} bytes, and may have {max}: pass a shorter one")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// It holds U+0000, which not every store can hold.
    #[error("the actor holds the character U+0000: remove it")]
    ZeroCharacter,
}

/// Why a command was not carried out; `E` is the domain's own error.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ExecuteError<E> {
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
    /// Something else than the domain kept it from being carried out.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl<E> ExecuteError<E> {
    /// Whether the domain, or the aggregate's absence or presence, refused the command.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, ExecuteError::Failed(_))
    }
    /// Whether others were faster.
    pub fn is_conflict(&self) -> bool {
        matches!(self, ExecuteError::Failed(e) if e.is_conflict())
    }
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, ExecuteError::Failed(e) if e.is_retryable())
    }
    /// Whether it is unknown if the events were stored.
    pub fn is_unknown_outcome(&self) -> bool {
        matches!(self, ExecuteError::Failed(e) if e.is_unknown_outcome())
    }
    /// Whether a stored event is newer than this build, see [`Failure::NewerBuildNeeded`].
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, ExecuteError::Failed(e) if e.is_newer_build_needed())
    }
}

impl<E> From<Refusal<E>> for ExecuteError<E> {
    fn from(refusal: Refusal<E>) -> Self {
        match refusal {
            Refusal::Rejected(error) => ExecuteError::Rejected(error),
            Refusal::NotFound => ExecuteError::NotFound,
            Refusal::AlreadyExists => ExecuteError::AlreadyExists,
            Refusal::Ended => ExecuteError::Ended,
        }
    }
}

/// Why a unit of work was not carried out; `E` is the error of its closure. Nothing was stored, in none of its streams.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UnitError<E> {
    /// The closure said no.
    #[error("{0}")]
    Rejected(E),
    /// Something else kept it from being carried out.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl<E> UnitError<E> {
    /// Whether others were faster.
    pub fn is_conflict(&self) -> bool {
        matches!(self, UnitError::Failed(e) if e.is_conflict())
    }
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, UnitError::Failed(e) if e.is_retryable())
    }
    /// Whether it is unknown if the events were stored.
    pub fn is_unknown_outcome(&self) -> bool {
        matches!(self, UnitError::Failed(e) if e.is_unknown_outcome())
    }
    /// Whether a stored event is newer than this build, see [`Failure::NewerBuildNeeded`].
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, UnitError::Failed(e) if e.is_newer_build_needed())
    }
}

/// Why an aggregate could not be loaded.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The id can't be part of a stream's name.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// A stored event can't be read.
    #[error(transparent)]
    Unreadable(UnreadableEvent),
    /// A stored event is newer than this build; nothing is wrong with it.
    #[error("{}", newer(.0))]
    NewerBuildNeeded(UnreadableEvent),
    /// The stream has fewer events than asked for.
    #[error("`{stream}` has {head} events, version {asked} is not there yet")]
    NoSuchVersion {
        /// The stream.
        stream: StreamName,
        /// The version asked for.
        asked: Version,
        /// How many events there are.
        head: Version,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LoadError {
    /// Whether a stored event is newer than this build, see [`Failure::NewerBuildNeeded`].
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, LoadError::NewerBuildNeeded(_))
    }
}

impl From<UnreadableEvent> for LoadError {
    fn from(event: UnreadableEvent) -> Self {
        if event.is_newer_build_needed() { LoadError::NewerBuildNeeded(event) } else { LoadError::Unreadable(event) }
    }
}

/// Why a read model stopped.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// An event can't be folded into its row; the model stands before it and goes on from there once that is mended.
    #[error("event {version} of `{stream}` (`{name}` version {schema_version}, at position {position}){}: {why}", key.as_ref().map(|k| format!(", row {k}")).unwrap_or_default())]
    Event {
        /// The event's stream.
        stream: StreamName,
        /// Where it stands in the stream.
        version: Version,
        /// Where it stands among all events.
        position: Position,
        /// Its name.
        name: String,
        /// The version of its schema.
        schema_version: u32,
        /// The row's key, where it is known.
        key: Option<String>,
        /// Why not.
        #[source]
        why: crate::FoldError,
    },
    /// An event is newer than this build. Nothing is wrong with it and nothing was passed over: the model stands before the event,
    /// and a build that knows it goes on from there.
    #[error("{}", newer(.0))]
    NewerBuildNeeded(UnreadableEvent),
    /// Another app feeds the model now.
    #[error("another app feeds it now")]
    Superseded,
    /// Its code panicked, but not in a handler, which would be [`FoldError::Panicked`](crate::FoldError::Panicked).
    #[error("it panicked outside of its handlers: {0}")]
    Panicked(String),
    /// The runtime on which the app was started has ended, and with it the task that feeds the model.
    #[error(
        "the runtime on which the app was started has ended: start the app on the runtime that uses it, or keep that runtime alive"
    )]
    RuntimeEnded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CommitError> for ProjectionError {
    fn from(why: CommitError) -> Self {
        match why {
            CommitError::Superseded => ProjectionError::Superseded,
            CommitError::Unstorable(why) | CommitError::Store(why) => ProjectionError::Store(why),
        }
    }
}

/// Where an event that a read model can't take stands, for a message.
#[derive(Debug, Clone)]
pub(crate) struct EventPlace {
    pub(crate) stream: StreamName,
    pub(crate) version: Version,
    pub(crate) position: Position,
    pub(crate) name: String,
    pub(crate) schema_version: u32,
}

impl ProjectionError {
    /// An event that can't be folded: broken, or newer than this build.
    pub(crate) fn of(place: EventPlace, key: Option<String>, why: crate::FoldError) -> Self {
        let EventPlace { stream, version, position, name, schema_version } = place;
        match why {
            crate::FoldError::Decode(why) if why.may_be_newer_build() => {
                let why = Unreadable::Decode(why);
                ProjectionError::NewerBuildNeeded(UnreadableEvent { stream, version, position, name, schema_version, why })
            }
            why => ProjectionError::Event { stream, version, position, name, schema_version, key, why },
        }
    }
    /// Whether a stored event is newer than this build, see [`Failure::NewerBuildNeeded`].
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, ProjectionError::NewerBuildNeeded(_))
    }
}

/// The reason why a read model is late.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LateCause {
    /// This app feeds the model, which works and has not come far enough.
    #[error("it works, and is not there yet")]
    Working,
    /// This app feeds the model, which has done nothing while it was waited for: its code takes as long for one event, or its
    /// runtime is blocked or not driven.
    #[error(
        "it has done nothing meanwhile: its code takes as long for one event, or the runtime on which the app was started is blocked or not driven"
    )]
    Stuck,
    /// Another process feeds the model.
    #[error("another process feeds it")]
    FedElsewhere,
    /// The store fails, and is tried again.
    #[error("the store fails, and is tried again: {0}")]
    StoreFails(#[source] StoreError),
}

/// Why a read model could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The model was not registered with this app.
    #[error("the read model `{model}` is not registered: add `.projection::<{model}>()` before `.start()`")]
    Unregistered {
        /// The model.
        model: &'static str,
    },
    /// The view is late: what was asked for had happened, but the model had not come that far in time.
    #[error(
        "the read model `{model}` has come to position {reached}, not yet to {asked}, after waiting {waited_ms} ms: {cause}; what was written is stored, only the read model is behind"
    )]
    Late {
        /// The model.
        model: &'static str,
        /// The position asked for.
        asked: Position,
        /// How far the model has come.
        reached: Position,
        /// How long was waited, in milliseconds.
        waited_ms: u64,
        /// The reason, as far as this app knows it.
        cause: LateCause,
    },
    /// The position asked for is above the last one of the store.
    #[error("position {asked} is unknown here: the last one is {head}")]
    PositionUnknown {
        /// The position asked for.
        asked: Position,
        /// The last one.
        head: Position,
    },
    /// The model is being rebuilt, because its definition changed or it is new.
    #[error("the read model `{model}` is being rebuilt: it has come to position {reached} of {target}")]
    Rebuilding {
        /// The model.
        model: &'static str,
        /// How far it has come.
        reached: Position,
        /// How far it has to go.
        target: Position,
    },
    /// The model has come to an event that is newer than this build, and gave up before it. Where a newer build feeds the same
    /// model, ask that one.
    #[error("the read model `{model}` waits for a newer build: {}", newer(event))]
    NewerBuildNeeded {
        /// The model.
        model: &'static str,
        /// The event.
        event: UnreadableEvent,
    },
    /// The row, or one of the rows that are asked for, is not what it should be: an event of its stream can't be folded, so the
    /// model passes over that stream from there on.
    #[error(
        "the read model `{model}` has parked a stream at {parked}; once that is mended, start the app again or call `retry_parked`"
    )]
    Parked {
        /// The model.
        model: &'static str,
        /// The stream, and the first event that can't be folded.
        parked: crate::store::Parked,
    },
    /// The model has stopped.
    #[error("the read model `{model}` has stopped: {why}")]
    Stopped {
        /// The model.
        model: &'static str,
        /// Why.
        #[source]
        why: ProjectionError,
    },
    /// The file holds the model in another form than this build has; only a build that may write can rebuild it.
    #[error(
        "the stored read model `{model}` was made by another version of its definition: start an app that may write, which rebuilds it"
    )]
    Outdated {
        /// The model.
        model: &'static str,
    },
    /// A row can't be read.
    #[error("a row of the read model `{model}`: {why}")]
    Row {
        /// The model.
        model: &'static str,
        /// Why not.
        #[source]
        why: crate::ColumnError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadError {
    /// Whether a stored event is newer than this build, see [`Failure::NewerBuildNeeded`].
    pub fn is_newer_build_needed(&self) -> bool {
        matches!(self, ReadError::NewerBuildNeeded { .. })
    }

    /// What is answered where a model has stopped.
    pub(crate) fn stopped(model: &'static str, why: ProjectionError) -> Self {
        match why {
            ProjectionError::NewerBuildNeeded(event) => ReadError::NewerBuildNeeded { model, event },
            why => ReadError::Stopped { model, why },
        }
    }
}
