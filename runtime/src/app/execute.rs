//! The way of a command: take the state, decide, append, put the state back only after a known success.

use std::any::TypeId;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::cache::Lease;
use super::gate::Running;
use super::held::{Decider, DueSnapshot, Given, Held, HeldStream, One, Outcome, Undecided};
use super::hook::Proposed;
use super::load::History;
use super::options::{Options, said_beside};
use super::repeat::KeyedCommands;
use super::{App, Inner};
use crate::error::{ExecuteError, Failure, ProjectionError, StoreError, panic_message};
use crate::store::{Append, AppendError, Appended, KeyRecord, StreamAppend};
use crate::{Aggregate, Command, CommandInfo, Handle, InvalidId, Position, Recorded, StreamName, Version};

/// What a command led to.
#[non_exhaustive]
pub struct Done<A: Aggregate> {
    /// The aggregate's version afterwards.
    pub version: Version,
    /// Where the last of its events stands among all events; the store's last position where there were none. A read may
    /// ask for at least this, see [`Read::after`](crate::Read::after).
    pub position: Position,
    /// What happened, in order; nothing where the handler returned no event.
    pub events: Vec<Recorded<A::Event>>,
    /// The idempotency key was used before: nothing was stored now, and this is what its first use led to.
    pub repeated: bool,
}

// Not derived: that would ask the state, which is not in here, for the same.
impl<A: Aggregate> fmt::Debug for Done<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Done { version, position, events, repeated } = self;
        let mut done = f.debug_struct("Done");
        done.field("version", version).field("position", position).field("events", events).field("repeated", repeated).finish()
    }
}
impl<A: Aggregate> Clone for Done<A> {
    fn clone(&self) -> Self {
        Done { events: self.events.clone(), ..*self }
    }
}
impl<A: Aggregate> PartialEq for Done<A> {
    fn eq(&self, other: &Self) -> bool {
        let parts = |done: &Self| (done.version, done.position, done.repeated);
        parts(self) == parts(other) && self.events == other.events
    }
}

impl<A: Aggregate> From<&Done<A>> for Position {
    fn from(done: &Done<A>) -> Position {
        done.position
    }
}

/// A command that runs when it is awaited; made by [`App::execute`].
#[must_use = "a command runs when it is awaited"]
// Without a bound: of a command that nothing handles, `execute` says so, and the type says nothing more.
pub struct Execute<'a, C> {
    app: &'a App,
    stream: Result<StreamName, InvalidId>,
    command: C,
    options: Options,
}

impl<C> Execute<'_, C> {
    said_beside!(options);
}

impl<C: fmt::Debug> fmt::Debug for Execute<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Execute { app: _, stream, command, options } = self;
        f.debug_struct("Execute").field("stream", stream).field("command", command).field("options", options).finish()
    }
}

/// What executing the command `C` ends with.
pub type Executed<C> = Result<Done<<C as Command>::Aggregate>, ExecuteError<<<C as Command>::Aggregate as Handle<C>>::Error>>;

impl<'a, C: Command> IntoFuture for Execute<'a, C> {
    type Output = Executed<C>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;
    fn into_future(self) -> Self::IntoFuture {
        let Execute { app, stream, command, options } = self;
        Box::pin(async move {
            let stream = stream.map_err(Failure::from)?;
            app.inner.execute::<C::Aggregate, _>(&stream, &One(command), options).await
        })
    }
}

impl App {
    /// Runs a command on the aggregate with this id, when awaited.
    ///
    /// The command's type says which aggregate it is for, and which error its handler answers with. Commands on one
    /// aggregate run one after another; a command that others were faster than is decided again, see
    /// [`Limits::attempts`](crate::Limits::attempts). When it answers `Ok`, the events are durable.
    ///
    /// Dropping the future is safe: the command is either carried out whole or not at all, but it is unknown which.
    ///
    /// # Errors
    /// [`ExecuteError`]; nothing was stored, except where it is [`Failure::UnknownOutcome`].
    pub fn execute<'a, C: Command>(&'a self, id: &'a <C::Aggregate as Aggregate>::Id, command: C) -> Execute<'a, C> {
        let stream = StreamName::new(<C::Aggregate as Aggregate>::NAME, id);
        Execute { app: self, stream, command, options: Options::default() }
    }
}

impl Inner {
    pub(crate) async fn execute<A: Aggregate, D: Decider<A>>(
        &self,
        stream: &StreamName,
        decider: &D,
        options: Options,
    ) -> Result<Done<A>, ExecuteError<D::Error>> {
        let options = options.surrounded();
        let info = decider.info();
        self.check_registered::<A>()?;
        options.check_actor()?;
        let _running = self.enter()?;
        if !self.hooks.is_empty() {
            Box::pin(self.ask_hook(&info, decider.as_any(), stream, &options)).await?;
        }
        let key = self.keyed(decider, &options)?;
        if let Some(key) = &key
            && info.services().next().is_some()
            && let Some(record) = self.find_key(stream, key).await?
        {
            // A service must not act again for a command that was carried out.
            return Ok(Box::pin(self.repeated(stream, key, record)).await?);
        }
        let given = Given::new(&info, stream, &options, || self.ids.next(self.clock.now()));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let last = attempts >= self.limits.attempts;
            // In pieces of less than a kilobyte, which an allocator keeps at hand; in one piece the future is several.
            match Box::pin(self.attempt(stream, decider, &given, key.as_ref())).await? {
                Attempt::Done(done) => {
                    tracing::debug!(%stream, command = info.name, version = %done.version, repeated = done.repeated, "executed");
                    return Ok(done);
                }
                Attempt::Stale if !last => {}
                Attempt::Conflict if !last && info.runs_again() => {
                    tracing::debug!(%stream, command = info.name, attempts, "others were faster, deciding again");
                }
                Attempt::Conflict | Attempt::Stale => {
                    tracing::warn!(%stream, command = info.name, attempts, "conflict");
                    return Err(Failure::Conflict { stream: stream.clone(), attempts }.into());
                }
            }
        }
    }

    async fn attempt<A: Aggregate, D: Decider<A>>(
        &self,
        stream: &StreamName,
        decider: &D,
        given: &Given,
        key: Option<&KeyedCommands>,
    ) -> Result<Attempt<A>, ExecuteError<D::Error>> {
        let lease = self.lease(stream).await?;
        let mut held = Box::new(Held::<A>::open(self, lease).await?);
        match Box::pin(held.decide(self, decider, given)).await {
            Ok(()) => {}
            Err(Undecided::Failed(failure)) => {
                // What the handler made of the state of now is no answer to a command that was carried out.
                if let Some(key) = key
                    && let Ok(Some(record)) = self.find_key(stream, key).await
                {
                    return Ok(Attempt::Done(Box::pin(self.repeated(stream, key, record)).await?));
                }
                return Err(failure.into());
            }
            Err(Undecided::Refused(refusal)) => {
                if let Some(key) = key
                    && let Some(record) = self.find_key(stream, key).await?
                {
                    held.unchanged();
                    return Ok(Attempt::Done(Box::pin(self.repeated(stream, key, record)).await?));
                }
                let stale = held.was_stale(self).await?;
                held.unchanged();
                return if stale { Ok(Attempt::Stale) } else { Err(refusal.into()) };
            }
        }
        if let Some(key) = key {
            held.hold_key(key.stored());
        }
        if !held.has_news() {
            let stale = held.was_stale(self).await?;
            let version = held.version();
            held.unchanged();
            if stale {
                return Ok(Attempt::Stale);
            }
            let position = self.store.log.head().await.map_err(Failure::from)?;
            return Ok(Attempt::Done(Done { version, position, events: Vec::new(), repeated: false }));
        }
        match Box::pin(self.append(&mut [&mut *held], given)).await? {
            Stored::Conflict => Ok(Attempt::Conflict),
            Stored::KeyTaken(record) => {
                drop(held);
                let key = key.expect("a key is taken only where one was given");
                Ok(Attempt::Done(Box::pin(self.repeated(stream, key, record)).await?))
            }
            Stored::Yes(appended) => {
                let recorded_at = appended.recorded_at[0];
                let correlation_id = given.cause.correlation_id.or_else(|| held.ids().first().copied()).unwrap_or_default();
                let outcome = Outcome { positions: &appended.positions, recorded_at, correlation_id };
                let version = held.version();
                let last_event = appended.positions.last().copied().zip(held.ids().last().copied());
                let events = held.recorded(&given.cause, &outcome);
                let snapshot = held.stored(recorded_at, last_event);
                self.save(snapshot).await;
                Ok(Attempt::Done(Done { version, position: appended.position, events, repeated: false }))
            }
        }
    }

    pub(crate) fn check_registered<A: Aggregate>(&self) -> Result<(), Failure> {
        if self.aggregates.contains(&TypeId::of::<A>()) { Ok(()) } else { Err(Failure::Unregistered { aggregate: A::NAME }) }
    }

    /// Lets a command or a unit in, where the app can store something and is not shutting down.
    pub(crate) fn enter(&self) -> Result<Running<'_>, Failure> {
        if !self.writable {
            return Err(StoreError::ReadOnly.into());
        }
        self.gate.enter().ok_or(Failure::ShuttingDown)
    }

    /// The lease of a stream, once those that came earlier are done with it.
    pub(crate) async fn lease(&self, stream: &StreamName) -> Result<Lease, Failure> {
        if let Some(lease) = self.cache.try_acquire(stream) {
            return Ok(lease);
        }
        let wait_max = self.limits.wait_max;
        Box::pin(tokio::time::timeout(wait_max, self.cache.acquire(stream))).await.map_err(|_| {
            let waited_ms = u64::try_from(wait_max.as_millis()).unwrap_or(u64::MAX);
            Failure::Busy { stream: stream.clone(), waited_ms }
        })
    }

    pub(crate) async fn ask_hook(
        &self,
        info: &CommandInfo,
        command: &(dyn std::any::Any + Send + Sync),
        stream: &StreamName,
        options: &Options,
    ) -> Result<(), Failure> {
        for hook in &self.hooks {
            let proposed = Proposed { info: *info, command, stream, actor: options.cause.actor.as_deref() };
            let asked = AssertUnwindSafe(hook.before(proposed)).catch_unwind().await;
            asked.map_err(|panic| Failure::HookPanicked { command: info.name, message: panic_message(&*panic) })??;
        }
        Ok(())
    }

    /// The answer to a key that was used before: what its first use led to, read from the store.
    async fn repeated<A: Aggregate>(
        &self,
        stream: &StreamName,
        key: &KeyedCommands,
        record: KeyRecord,
    ) -> Result<Done<A>, Failure> {
        key.check(stream, &record)?;
        let history = History::<A>::new(self.store.clone(), stream.clone(), record.before, record.after);
        let events = if record.before == record.after { Vec::new() } else { history.all().await? };
        Ok(Done { version: record.after, position: record.position, events, repeated: true })
    }

    /// Appends what is planned. Where it stays unknown whether the append was stored, the same append is repeated (never the
    /// handlers), and a conflict is held against the ids of its own events.
    pub(crate) async fn append(&self, held: &mut [&mut dyn HeldStream], given: &Given) -> Result<Stored, Failure> {
        let mut unknown = None;
        for _ in 0..APPENDS_MAX {
            let streams = held.iter_mut().map(|held| held.part()).collect::<Result<Vec<_>, _>>()?;
            let again = unknown.is_some().then(|| streams.clone());
            let append = Append {
                streams,
                recorded_at: self.clock.now(),
                actor: given.cause.actor.clone(),
                correlation_id: given.cause.correlation_id,
                causation_id: given.cause.causation_id,
                crowded: self.is_crowded(),
                inline: self.inline.clone(),
            };
            let log = self.store.log.clone();
            let appending: BoxFuture<'static, _> = Box::pin(async move { log.append(append).await });
            let refused = match (Appending { appending: Some(appending), held }).await {
                Ok(appended) => return Ok(Stored::Yes(appended)),
                Err(AppendError::Behind { model }) => {
                    self.catch_up_inline(model).await.map_err(|why| match why {
                        ProjectionError::NewerBuildNeeded(event) => Failure::NewerBuildNeeded(event),
                        why => Failure::CatchUp { model, why },
                    })?;
                    continue;
                }
                Err(AppendError::UnknownOutcome(why)) => {
                    tracing::warn!(%why, "it is unknown whether an append was stored, repeating it");
                    unknown = Some(why);
                    continue;
                }
                Err(refused) => refused,
            };
            if let Some(streams) = again {
                match Box::pin(self.find_own(&streams)).await {
                    Ok(Some(appended)) => return Ok(Stored::Yes(appended)),
                    Ok(None) => {}
                    Err(why) => return Err(Failure::UnknownOutcome(why)),
                }
            }
            return match refused {
                // The latter was dealt with above.
                AppendError::Conflict { .. } | AppendError::Behind { .. } => Ok(Stored::Conflict),
                AppendError::KeyTaken { record, .. } => Ok(Stored::KeyTaken(record)),
                AppendError::Inline(refusal) => {
                    Err(Failure::ReadModel { model: refusal.model, event: refusal.event, why: refusal.why })
                }
                AppendError::Store(why) if unknown.is_some() => Err(Failure::UnknownOutcome(why)),
                AppendError::Store(why) => Err(why.into()),
                AppendError::UnknownOutcome(why) => Err(Failure::UnknownOutcome(why)),
            };
        }
        let Some(unknown) = unknown else {
            // Each time, others had stored something that the inline models had not come to.
            return Ok(Stored::Conflict);
        };
        self.cache.clear();
        Err(Failure::UnknownOutcome(unknown))
    }

    /// Whether an append was stored after all: the events at its versions are its own.
    async fn find_own(&self, streams: &[StreamAppend]) -> Result<Option<Appended>, StoreError> {
        let mut found = Appended { positions: Vec::new(), recorded_at: Vec::new(), position: Position::ZERO };
        for part in streams {
            let (mut own, mut recorded_at) = (Vec::new(), None);
            self.store
                .log
                .read_stream(&part.stream, part.expected, part.events.len(), &mut |event| {
                    own.push(event.id);
                    found.positions.push(event.position);
                    recorded_at = Some(event.recorded_at);
                    std::ops::ControlFlow::Continue(())
                })
                .await?;
            if !own.iter().eq(part.events.iter().map(|event| &event.id)) {
                return Ok(None);
            }
            found.recorded_at.push(recorded_at.unwrap_or_else(|| self.clock.now()));
        }
        // An append of a key alone leaves no event to know it by; its key answers for it.
        let Some(position) = found.positions.iter().max().copied() else { return Ok(None) };
        found.position = position;
        Ok(Some(found))
    }

    /// Keeps a snapshot that is due. The events are stored already, so a failure costs time only.
    pub(crate) async fn save(&self, due: Option<DueSnapshot>) {
        let (Some(due), Some(snapshots)) = (due, &self.store.snapshots) else { return };
        if let Err(why) = snapshots.save_snapshot(&due.stream, due.fingerprint, due.snapshot).await {
            tracing::warn!(stream = %due.stream, %why, "a snapshot could not be stored");
        }
    }
}

/// An append on its way.
///
/// The store finishes it, whether or not anybody waits. If nobody does any more, the leases stay until then: who read the
/// streams now would keep a state that is old a moment later, and refuse commands by it.
struct Appending<'a, 'h> {
    /// `None` once it has answered.
    appending: Option<BoxFuture<'static, Result<Appended, AppendError>>>,
    held: &'a mut [&'h mut dyn HeldStream],
}

impl Future for Appending<'_, '_> {
    type Output = Result<Appended, AppendError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let appending = self.appending.as_mut().expect("it is not polled after its answer");
        let answer = appending.as_mut().poll(context);
        if answer.is_ready() {
            self.appending = None;
        }
        answer
    }
}

impl Drop for Appending<'_, '_> {
    fn drop(&mut self) {
        let Some(appending) = self.appending.take() else { return };
        let leases: Vec<_> = self.held.iter_mut().map(|held| held.pass_on()).collect();
        // Without a runtime nobody is left to wait for it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = appending.await;
                drop(leases);
            });
        }
    }
}

/// How often one append is sent while its outcome stays unknown, or inline models are behind.
const APPENDS_MAX: u32 = 3;

/// What became of an append.
pub(crate) enum Stored {
    Yes(Appended),
    Conflict,
    KeyTaken(KeyRecord),
}

enum Attempt<A: Aggregate> {
    Done(Done<A>),
    /// Others stored something first.
    Conflict,
    /// The refusal was based on an old state; the state in the cache is current now.
    Stale,
}
