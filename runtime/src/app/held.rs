//! One aggregate in the hands of a command or a unit of work: its state, and what is about to happen to it.
//!
//! Always true here: the entry's state is the stored state with the planned events applied, so the next decision sees
//! them; only [`HeldStream::stored`] and [`HeldStream::unchanged`] give the state back to the cache, the one after a known
//! success, the other where nothing was planned. Dropping it anywhere else throws the state away.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use uuid::Uuid;

use super::Inner;
use super::cache::{Cached, Lease};
use super::load::{self, Entry, Refreshed, Until};
use super::options::{Options, surround};
use super::replay::{Before, lease_of_nothing};
use crate::command::{Cause, Env};
use crate::error::{Failure, LoadError, panic_message};
use crate::event::EventInfo;
use crate::schema::Fingerprint;
use crate::store::{NewEvent, NewKey, Snapshot, StreamAppend};
use crate::{
    Aggregate, AnyCommand, Command, CommandInfo, Context, Decoded, Dispatch, EncodeError, Handle, Metadata, Misplaced, Position,
    Recorded, Refusal, StreamName, Timestamp, Version, aggregate,
};

/// A command with whoever decides on it.
pub(crate) trait Decider<A: Aggregate>: Send + Sync {
    type Error: Send + 'static;
    fn info(&self) -> CommandInfo;
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError>;
    /// Whether the command in a written form is equal to this one.
    fn is_read_from(&self, written: &[u8]) -> bool;
    /// The command in a written form, written again.
    fn rewritten(&self, written: &[u8]) -> Option<Vec<u8>>;
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    fn decide<'a>(
        &self,
        stage: &'a crate::Stage<A>,
        env: &'a Env,
    ) -> impl Future<Output = Result<Vec<A::Event>, Refusal<Self::Error>>> + Send + 'a;
}

/// A command of a known type.
pub(crate) struct One<C>(pub(crate) C);

impl<C: Command> Decider<C::Aggregate> for One<C> {
    type Error = <C::Aggregate as Handle<C>>::Error;
    fn info(&self) -> CommandInfo {
        C::INFO
    }
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.encode(payload)
    }
    fn is_read_from(&self, written: &[u8]) -> bool {
        C::decode(written).is_ok_and(|command| command == self.0)
    }
    fn rewritten(&self, written: &[u8]) -> Option<Vec<u8>> {
        let mut payload = Vec::new();
        C::decode(written).ok()?.encode(&mut payload).ok()?;
        Some(payload)
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        &self.0
    }
    fn decide<'a>(
        &self,
        stage: &'a crate::Stage<C::Aggregate>,
        env: &'a Env,
    ) -> impl Future<Output = Result<Vec<<C::Aggregate as Aggregate>::Event>, Refusal<Self::Error>>> + Send + 'a {
        <C::Aggregate as Handle<C>>::handle(stage, self.0.clone(), env)
    }
}

/// Any command of an aggregate, refused with an `E`.
pub(crate) struct AnyOf<T, E> {
    pub(crate) command: T,
    pub(crate) error: std::marker::PhantomData<fn() -> E>,
}

impl<A: Dispatch<E>, E: Send + 'static> Decider<A> for AnyOf<A::Command, E> {
    type Error = E;
    fn info(&self) -> CommandInfo {
        self.command.info()
    }
    fn encode(&self, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.command.encode(payload)
    }
    fn is_read_from(&self, written: &[u8]) -> bool {
        let read = A::Command::decode(self.command.info().name, written);
        read.is_some_and(|read| read.is_ok_and(|command| command == self.command))
    }
    fn rewritten(&self, written: &[u8]) -> Option<Vec<u8>> {
        let mut payload = Vec::new();
        A::Command::decode(self.command.info().name, written)?.ok()?.encode(&mut payload).ok()?;
        Some(payload)
    }
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self.command.as_any()
    }
    fn decide<'a>(
        &self,
        stage: &'a crate::Stage<A>,
        env: &'a Env,
    ) -> impl Future<Output = Result<Vec<A::Event>, Refusal<E>>> + Send + 'a {
        A::dispatch(stage, self.command.clone(), env)
    }
}

/// What is the same on each attempt at a command.
pub(crate) struct Given {
    /// The time that handlers see, where it is not the clock's.
    pub(crate) now: Option<Timestamp>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) cause: Cause,
    pub(crate) command_id: Uuid,
}

impl Given {
    /// `new_id` is asked for an id that is the same on each attempt; not where it is not seen, or where the idempotency key makes
    /// one that is also the same when the caller repeats the command.
    pub(crate) fn new(info: &CommandInfo, first: &StreamName, options: &Options, new_id: impl FnOnce() -> Uuid) -> Self {
        let command_id = match &options.key {
            _ if info.needs.is_empty() => Uuid::nil(),
            Some(key) => derived_id(&[first.as_str().as_bytes(), key.as_bytes()]),
            None => new_id(),
        };
        let mut cause = options.cause.clone();
        if info.services().next().is_some() {
            // A service may execute commands of its own, which belong to the same chain.
            cause.correlation_id = cause.correlation_id.or(Some(command_id));
        }
        Given { now: None, occurred_at: options.occurred_at, cause, command_id }
    }
}

/// An id that is the same wherever it is made of the same.
pub(crate) fn derived_id(parts: &[&[u8]]) -> Uuid {
    let half = |salt| parts.iter().fold(Fingerprint::new().number(salt), |hash, part| hash.bytes(part)).finish();
    let bytes = Uuid::from_u64_pair(half(0), half(1)).into_bytes();
    uuid::Builder::from_bytes(bytes).with_version(uuid::Version::Custom).with_variant(uuid::Variant::RFC4122).into_uuid()
}

/// Why there is no decision.
pub(crate) enum Undecided<E> {
    Refused(Refusal<E>),
    Failed(Failure),
}

impl<E> From<Failure> for Undecided<E> {
    fn from(failure: Failure) -> Self {
        Undecided::Failed(failure)
    }
}

/// An event that was decided on.
struct Planned<E> {
    id: Uuid,
    event: E,
    occurred_at: Option<Timestamp>,
    /// Its stored form, if the event may be written otherwise now that it was read back.
    written: Option<Vec<u8>>,
}

/// One aggregate in somebody's hands.
pub(crate) struct Held<A: Aggregate> {
    lease: Lease,
    entry: Box<Entry<A>>,
    /// The version in the store.
    base: Version,
    /// The state came from the cache, so where others may write it may be old.
    from_cache: bool,
    planned: Vec<Planned<A::Event>>,
    /// The planned events as they go to the store; empty once they went.
    encoded: Vec<NewEvent>,
    key: Option<NewKey>,
}

impl<A: Aggregate> Held<A> {
    /// Takes the state out of the cache, or loads it.
    pub(crate) async fn open(app: &Inner, mut lease: Lease) -> Result<Self, Failure> {
        let cached = lease.take().and_then(|cached| (cached.state as Box<dyn Any>).downcast::<Entry<A>>().ok());
        let from_cache = cached.is_some();
        let entry = match cached {
            Some(entry) => entry,
            None => Box::new(Box::pin(load::load(&app.store, lease.stream(), Until::Head)).await?),
        };
        let base = entry.version;
        Ok(Held { lease, entry, base, from_cache, planned: Vec::new(), encoded: Vec::new(), key: None })
    }

    /// The state as it was before an append, to decide on and never to store.
    pub(crate) async fn open_before(app: &Inner, stream: &StreamName, before: Before) -> Result<Self, Failure> {
        let entry = Box::new(Box::pin(load::load(&app.store, stream, Until::Before(before))).await?);
        let (lease, base) = (lease_of_nothing(stream), entry.version);
        Ok(Held { lease, entry, base, from_cache: false, planned: Vec::new(), encoded: Vec::new(), key: None })
    }

    /// Lets the handler decide, and applies what it decided on.
    pub(crate) async fn decide<D: Decider<A>>(
        &mut self,
        app: &Inner,
        decider: &D,
        given: &Given,
    ) -> Result<(), Undecided<D::Error>> {
        let info = decider.info();
        if info.may_hold_opaque {
            check_depth(&info, decider)?;
        }
        if self.from_cache && self.planned.is_empty() && !app.sole_writer && !info.runs_again() {
            // It can't be asked twice, so it must not be asked about the past.
            self.refresh(app).await?;
        }
        let now = given.now.unwrap_or_else(|| app.clock.now());
        let context = Context {
            stream: self.lease.stream().clone(),
            version: self.entry.version,
            now,
            occurred_at: given.occurred_at,
            command_id: given.command_id,
            cause: given.cause.clone(),
            ids: app.ids.clone(),
        };
        let env = Env { context: Arc::new(context), services: app.services.clone() };
        // Inside of a future of its own, since the command is copied before its handler's future is
        // there.
        let decision = AssertUnwindSafe(async { decider.decide(&self.entry.stage, &env).await }).catch_unwind();
        let decision = match given.cause.correlation_id {
            Some(correlation_id) if !info.needs.is_empty() => surround(&given.cause, correlation_id, decision).await,
            _ => decision.await,
        };
        let events = match decision {
            Ok(Ok(events)) => events,
            Ok(Err(refusal)) => return Err(Undecided::Refused(refusal)),
            Err(panic) => {
                return Err(Failure::Panicked { command: info.name, message: panic_message(&*panic) }.into());
            }
        };
        let planned = self.planned.len() + events.len();
        if planned > app.limits.events_per_append {
            return Err(Failure::TooManyEvents { events: planned, max: app.limits.events_per_append }.into());
        }
        for event in events {
            self.plan(app, info.name, event, now, given.occurred_at)?;
        }
        Ok(())
    }

    fn plan(
        &mut self,
        app: &Inner,
        command: &'static str,
        event: A::Event,
        now: Timestamp,
        occurred_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let id = app.ids.next(now);
        let encoded = encode::<A>(&event, id, occurred_at)?;
        let (bytes, max) = (encoded.payload.len(), app.limits.event_bytes);
        if bytes > max {
            return Err(Failure::EventTooLarge { event: encoded.name, bytes, max });
        }
        let (event, written) = if A::info(&event).may_hold_opaque {
            (read_back::<A>(&encoded)?, Some(encoded.payload.clone()))
        } else {
            (event, None)
        };
        let stage = std::mem::take(&mut self.entry.stage);
        let applied = std::panic::catch_unwind(AssertUnwindSafe(|| A::apply(stage, event.clone())));
        self.entry.stage = match applied {
            Ok(Ok(stage)) => stage,
            Ok(Err(why)) => return Err(misplaced(command, why)),
            Err(panic) => return Err(Failure::Panicked { command, message: panic_message(&*panic) }),
        };
        self.entry.version = self.entry.version.next();
        self.entry.folded_bytes += load::bytes_in_memory(&encoded.payload);
        self.planned.push(Planned { id, event, occurred_at, written });
        self.encoded.push(encoded);
        Ok(())
    }

    /// Reads what other writers have stored since; answers whether the state has changed by it.
    async fn refresh(&mut self, app: &Inner) -> Result<bool, Failure> {
        debug_assert!(self.planned.is_empty());
        let refreshed = Box::pin(load::refresh(&app.store, self.lease.stream(), &mut self.entry, Until::Head)).await?;
        if refreshed == Refreshed::Replaced {
            *self.entry = Box::pin(load::load(&app.store, self.lease.stream(), Until::Head)).await?;
        }
        self.base = self.entry.version;
        self.from_cache = false;
        Ok(refreshed != Refreshed::Current)
    }

    /// Before a refusal, or an answer without events, goes out: whether it was based on an old state. If so the state is
    /// current now, and the command is to be decided again.
    pub(crate) async fn was_stale(&mut self, app: &Inner) -> Result<bool, Failure> {
        if app.sole_writer || !self.from_cache || !self.planned.is_empty() {
            return Ok(false);
        }
        self.refresh(app).await
    }

    /// The planned events as they were stored.
    pub(crate) fn recorded(&mut self, cause: &Cause, outcome: &Outcome<'_>) -> Vec<Recorded<A::Event>> {
        let stream = self.lease.stream();
        let mut version = self.base;
        let planned = std::mem::take(&mut self.planned).into_iter().zip(outcome.positions);
        let recorded = planned.map(|(planned, position)| {
            version = version.next();
            let metadata = Metadata {
                event_id: planned.id,
                recorded_at: outcome.recorded_at,
                occurred_at: planned.occurred_at.unwrap_or(outcome.recorded_at),
                correlation_id: outcome.correlation_id,
                causation_id: cause.causation_id,
                actor: cause.actor.as_deref().map(Into::into),
            };
            Recorded::new(planned.event, stream.clone(), version, *position, metadata)
        });
        recorded.collect()
    }
}

fn encode<A: Aggregate>(event: &A::Event, id: Uuid, occurred_at: Option<Timestamp>) -> Result<NewEvent, Failure> {
    let mut payload = Vec::with_capacity(128);
    let EventInfo { name, version, .. } = A::info(event);
    A::encode(event, &mut payload).map_err(|why| Failure::Unwritable { event: name, why })?;
    Ok(NewEvent { id, name, schema_version: version, occurred_at, payload })
}

/// The stored form of an event that was sent before.
fn encode_again<A: Aggregate>(planned: &Planned<A::Event>) -> Result<NewEvent, Failure> {
    let Planned { id, event, occurred_at, written } = planned;
    match written {
        None => encode::<A>(event, *id, *occurred_at),
        Some(payload) => {
            let EventInfo { name, version, .. } = A::info(event);
            Ok(NewEvent { id: *id, name, schema_version: version, occurred_at: *occurred_at, payload: payload.clone() })
        }
    }
}

/// The event as every later load reads it: where the schema does not say all about the stored form,
/// that may be another value.
fn read_back<A: Aggregate>(encoded: &NewEvent) -> Result<A::Event, Failure> {
    let unwritable = |why: String| Failure::Unwritable { event: encoded.name, why: EncodeError::NotReadBack { why } };
    match aggregate::decode::<A>(encoded.name, encoded.schema_version, &encoded.payload) {
        Ok(Decoded::One(event)) => Ok(event),
        Ok(Decoded::Became(_)) => Err(unwritable("it is read back as a retired event".to_owned())),
        Err(why) => Err(unwritable(why.to_string())),
    }
}

/// Refuses a command that nests too deep, whether or not it is written: each attempt copies it,
/// which needs the stack for each level.
fn check_depth<A: Aggregate, D: Decider<A>>(info: &CommandInfo, decider: &D) -> Result<(), Failure> {
    match decider.encode(&mut Vec::new()) {
        Err(why @ EncodeError::TooDeep { .. }) => Err(Failure::Unwritable { event: info.name, why }),
        // All else is the matter of what is stored: of the key, and of the events.
        _ => Ok(()),
    }
}

fn misplaced(command: &'static str, why: Misplaced) -> Failure {
    Failure::Misplaced { command, why }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::InvalidId(e) => e.into(),
            LoadError::Unreadable(e) | LoadError::NewerBuildNeeded(e) => e.into(),
            LoadError::Store(e) => e.into(),
            LoadError::NoSuchVersion { .. } => unreachable!("commands are decided on the head"),
        }
    }
}

/// What the store made of one stream's part of an append.
pub(crate) struct Outcome<'a> {
    pub(crate) positions: &'a [Position],
    pub(crate) recorded_at: Timestamp,
    pub(crate) correlation_id: Uuid,
}

/// A snapshot that is due, with the name it is kept under.
pub(crate) struct DueSnapshot {
    pub(crate) stream: StreamName,
    pub(crate) fingerprint: u64,
    pub(crate) snapshot: Snapshot,
}

/// A held aggregate of whatever type.
pub(crate) trait HeldStream: Any + Send {
    fn stream(&self) -> &StreamName;
    fn version(&self) -> Version;
    /// The version in the store.
    fn base(&self) -> Version;
    /// The position and the id of the event at that version.
    fn last_event(&self) -> Option<(Position, Uuid)>;
    /// How many events are planned.
    fn planned(&self) -> usize;
    /// Stores this key with its part.
    fn hold_key(&mut self, key: NewKey);
    /// Whether there is something to store: events, or a key.
    fn has_news(&self) -> bool;
    /// Whether its state may be old, where others may write.
    fn is_cached(&self) -> bool;
    /// Its part of an append; the same each time it is asked.
    fn part(&mut self) -> Result<StreamAppend, Failure>;
    /// The ids of the planned events.
    fn ids(&self) -> Vec<Uuid>;
    /// Gives its lease away, for whoever drops it while its part is on its way.
    fn pass_on(&mut self) -> Lease;
    /// Its part was stored, with its last event at this position and under this id, if it had one: the state goes
    /// back to the cache, and may be due for a snapshot.
    fn stored(self: Box<Self>, recorded_at: Timestamp, last_event: Option<(Position, Uuid)>) -> Option<DueSnapshot>;
    /// Nothing was planned: the state goes back to the cache.
    fn unchanged(self: Box<Self>);
}

impl<A: Aggregate> HeldStream for Held<A> {
    fn stream(&self) -> &StreamName {
        self.lease.stream()
    }
    fn version(&self) -> Version {
        self.entry.version
    }
    fn base(&self) -> Version {
        self.base
    }
    fn last_event(&self) -> Option<(Position, Uuid)> {
        self.entry.last_event
    }
    fn planned(&self) -> usize {
        self.planned.len()
    }
    fn hold_key(&mut self, key: NewKey) {
        self.key = Some(key);
    }
    fn has_news(&self) -> bool {
        self.entry.version != self.base || self.key.is_some()
    }
    fn is_cached(&self) -> bool {
        self.from_cache
    }
    fn part(&mut self) -> Result<StreamAppend, Failure> {
        let mut events = std::mem::take(&mut self.encoded);
        if events.len() != self.planned.len() {
            events = self.planned.iter().map(encode_again::<A>).collect::<Result<_, _>>()?;
        }
        let expected_event = self.entry.last_event.map(|(_, id)| id);
        let stream = self.lease.stream().clone();
        Ok(StreamAppend { stream, expected: self.base, expected_event, events, key: self.key.clone() })
    }
    fn ids(&self) -> Vec<Uuid> {
        self.planned.iter().map(|planned| planned.id).collect()
    }
    fn pass_on(&mut self) -> Lease {
        self.lease.pass_on()
    }
    fn stored(mut self: Box<Self>, recorded_at: Timestamp, last_event: Option<(Position, Uuid)>) -> Option<DueSnapshot> {
        if self.entry.version != self.base {
            self.entry.recorded_at = recorded_at;
        }
        self.entry.last_event = last_event.or(self.entry.last_event);
        let snapshot = self.entry.due_snapshot();
        let stream = self.lease.stream().clone();
        let bytes = self.entry.bytes();
        self.lease.put_back(Cached { state: self.entry, bytes });
        let fingerprint = load::snapshot_fingerprint::<A>()?;
        match snapshot? {
            Ok(snapshot) => Some(DueSnapshot { stream, fingerprint, snapshot }),
            Err(why) => {
                tracing::warn!(%stream, %why, "the state can't be stored as a snapshot");
                None
            }
        }
    }
    fn unchanged(self: Box<Self>) {
        if self.planned.is_empty() && self.entry.version == self.base {
            let bytes = self.entry.bytes();
            self.lease.put_back(Cached { state: self.entry, bytes });
        }
    }
}
