//! Units of work: commands on several aggregates that are stored together or not at all.
//!
//! Always true here: a unit waits for an aggregate only while it holds none, or in the order of their names; so no two
//! units wait for each other. A unit that comes upon a busy aggregate lets go of all it has and runs its closure again,
//! this time with every aggregate it is known to need taken beforehand. Only what the domain answers reaches the closure:
//! on anything else the closure is not polled again.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, Notify};

use super::cache::Lease;
use super::execute::Stored;
use super::held::{Decider, Given, Held, HeldStream, One, Undecided, derived_id};
use super::load::{Known, Met};
use super::options::{Options, said_beside};
use super::repeat::KeyedCommands;
use super::replay::Before;
use super::{App, Inner};
use crate::error::{Failure, UnitError};
use crate::store::KeyRecord;
use crate::{Aggregate, Command, CommandInfo, Handle, Position, Refusal, StoreError, StreamName, Uuid, Version};

/// What a unit of work led to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitDone {
    /// Where the last of its events stands among all events; the store's last position where there were none.
    pub position: Position,
    /// The version afterwards of each aggregate that something happened to.
    pub versions: Vec<(StreamName, Version)>,
    /// The idempotency key was used before: nothing was stored now. `versions` is then empty.
    pub repeated: bool,
}

impl UnitDone {
    /// The answer to a key that was used before, for the same commands.
    fn repeated(record: &KeyRecord) -> Self {
        UnitDone { position: record.position, versions: Vec::new(), repeated: true }
    }
}

impl From<&UnitDone> for Position {
    fn from(done: &UnitDone) -> Position {
        done.position
    }
}

/// A unit of work that runs when it is awaited; made by [`App::unit`].
#[must_use = "a unit of work runs when it is awaited"]
pub struct UnitOfWork<'a, F> {
    app: &'a App,
    work: F,
    options: Options,
}

impl<F> UnitOfWork<'_, F> {
    said_beside!(options);
}

impl<F> fmt::Debug for UnitOfWork<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitOfWork").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'a, E, F, W> IntoFuture for UnitOfWork<'a, F>
where
    F: FnMut(Unit) -> W + Send + 'a,
    W: Future<Output = Result<(), E>> + Send + 'a,
    E: Send + 'a,
{
    type Output = Result<UnitDone, UnitError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.app.inner.unit(self.work, self.options))
    }
}

impl App {
    /// Runs commands on several aggregates as one: all of their events are stored, or none.
    ///
    /// The closure may run several times, whenever others were faster; so it should have no effect but its commands. Each
    /// command sees what the ones before it did. An error it returns ends the unit: nothing is stored. Aggregates to which
    /// nothing happened are not protected: they may have changed by the time the others are stored.
    ///
    /// Everything else than a refusal by the domain ends the unit without coming back to the closure, so the error type
    /// of the closure only has to know the domain's refusals.
    ///
    /// An idempotency key is kept with the aggregate of the unit's first command, and stands for all of its commands, also those
    /// that were refused and those that led to no event. At a repeat the closure runs again, if need be once more on the states that
    /// the first use saw: its commands are decided on them and [`load`](App::load) answers them, so that it comes to the same
    /// commands whatever happened since. Where it does not, the answer is [`Failure::KeyReused`]; so a closure with a key should
    /// look at nothing else that changes, such as a read model or the time.
    ///
    /// # Errors
    /// [`UnitError`]; nothing was stored, except where it is [`Failure::UnknownOutcome`].
    ///
    /// # Examples
    /// ```
    /// # use gesta::prelude::*;
    /// # #[id] pub struct AccountId(String);
    /// # #[event] pub struct Opened {}
    /// # #[event] pub struct Deposited { pub amount: i64 }
    /// # #[event] pub struct Withdrawn { pub amount: i64 }
    /// # pub struct Account { balance: i64 }
    /// # #[aggregate(id = AccountId)]
    /// # impl Account {
    /// #     fn opened(_: Opened) -> Self { Account { balance: 0 } }
    /// #     fn deposited(&mut self, e: Deposited) { self.balance += e.amount }
    /// #     fn withdrawn(&mut self, e: Withdrawn) { self.balance -= e.amount }
    /// # }
    /// # #[command] pub struct Deposit { pub amount: i64 }
    /// # #[command] pub struct Withdraw { pub amount: i64 }
    /// # #[derive(Debug, Clone)] pub struct AccountError;
    /// # #[command_handler]
    /// # impl Account {
    /// #     fn deposit(&self, cmd: Deposit) -> Deposited { Deposited { amount: cmd.amount } }
    /// #     fn withdraw(&self, cmd: Withdraw) -> Result<Withdrawn, AccountError> {
    /// #         if cmd.amount > self.balance { Err(AccountError) } else { Ok(Withdrawn { amount: cmd.amount }) }
    /// #     }
    /// # }
    /// # async fn transfer(app: &gesta::App, from: AccountId, to: AccountId, amount: i64) -> Result<(), Box<dyn std::error::Error>> {
    /// #[derive(Debug)]
    /// enum TransferError {
    ///     Sender(gesta::Refusal<AccountError>),
    ///     Recipient(gesta::Refusal<std::convert::Infallible>),
    /// }
    /// # impl std::fmt::Display for TransferError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { std::fmt::Debug::fmt(self, f) }
    /// # }
    /// # impl std::error::Error for TransferError {}
    /// app.unit(async |u| {
    ///     u.execute(&from, Withdraw { amount }).await.map_err(TransferError::Sender)?;
    ///     u.execute(&to, Deposit { amount }).await.map_err(TransferError::Recipient)?;
    ///     // The closure's error type is said here.
    ///     Ok::<_, TransferError>(())
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn unit<E, F, W>(&self, work: F) -> UnitOfWork<'_, F>
    where
        F: FnMut(Unit) -> W,
        W: Future<Output = Result<(), E>>,
    {
        UnitOfWork { app: self, work, options: Options::default() }
    }
}

/// Where the closure of a unit of work executes its commands.
pub struct Unit {
    run: Arc<Run>,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unit")
    }
}

/// One run of a unit's closure.
struct Run {
    app: Arc<Inner>,
    options: Options,
    /// Made when somebody asks for it.
    id: Arc<OnceLock<Uuid>>,
    /// It is compared with a first use of its key, before which the log was so.
    replay: Option<Before>,
    /// One command at a time.
    state: Mutex<State>,
    stopped: Notify,
}

struct State {
    /// Taken beforehand, in the order of names, and not yet used.
    taken: BTreeMap<StreamName, Lease>,
    /// In a replay, those that a service has had its part in, or whose handler failed: their states are not known from there on.
    assumed: BTreeSet<StreamName>,
    /// Those that had a command; the one that had the last stands last.
    held: Vec<Box<dyn HeldStream>>,
    given: Option<Given>,
    /// How many commands came this far.
    commands: u64,
    key: Option<(StreamName, KeyedCommands)>,
    /// A handler ran that must not run again by itself.
    ran_for_good: bool,
    /// Why the closure is not polled again.
    stop: Option<Stop>,
    /// A command is under way, or was never through.
    busy: bool,
}

enum Stop {
    /// This aggregate is busy.
    Busy(StreamName),
    /// The key was used before.
    KeyUsed(KeyRecord),
    Failed(Failure),
}

impl Unit {
    /// Runs a command as part of the unit; answers the aggregate's version afterwards, if the unit is stored.
    ///
    /// # Errors
    /// What the domain answers. Everything else ends the whole unit.
    pub async fn execute<C: Command>(
        &self,
        id: &<C::Aggregate as Aggregate>::Id,
        command: C,
    ) -> Result<Version, Refusal<<C::Aggregate as Handle<C>>::Error>> {
        let step = match StreamName::new(<C::Aggregate as Aggregate>::NAME, id) {
            Ok(stream) => self.run.step::<C::Aggregate, _>(&stream, &One(command)).await,
            Err(invalid) => Err(Step::Stopped(Stop::Failed(invalid.into()))),
        };
        match step {
            Ok(version) => Ok(version),
            Err(Step::Refused(refusal)) => Err(refusal),
            Err(Step::Stopped(stop)) => {
                self.run.state.lock().await.stop.get_or_insert(stop);
                self.run.stopped.notify_one();
                // Whoever runs the unit drops the closure now.
                std::future::pending().await
            }
        }
    }
}

enum Step<E> {
    Refused(Refusal<E>),
    Stopped(Stop),
}

impl<E> From<Failure> for Step<E> {
    fn from(failure: Failure) -> Self {
        Step::Stopped(Stop::Failed(failure))
    }
}

impl Run {
    fn new(
        app: &Arc<Inner>,
        options: &Options,
        id: &Arc<OnceLock<Uuid>>,
        taken: BTreeMap<StreamName, Lease>,
        replay: Option<Before>,
    ) -> Arc<Self> {
        let state = State {
            taken,
            assumed: BTreeSet::new(),
            held: Vec::new(),
            given: None,
            commands: 0,
            key: None,
            ran_for_good: false,
            stop: None,
            busy: false,
        };
        let (app, options, id) = (app.clone(), options.clone(), Arc::clone(id));
        Arc::new(Run { app, options, id, replay, state: Mutex::new(state), stopped: Notify::new() })
    }

    /// The unit's id, the same in each of its runs.
    fn id(&self) -> Uuid {
        *self.id.get_or_init(|| self.app.ids.next(self.app.clock.now()))
    }

    /// What is given for the next command: all of the first one's, but an id of its own, which is the same in each run.
    fn given<'s>(&self, state: &'s mut State, info: &CommandInfo) -> &'s Given {
        let given = state.given.as_mut().expect("the first command sets it");
        given.now = self.replay.and_then(|before| before.now());
        state.commands += 1;
        if !info.needs.is_empty() {
            let number = state.commands.to_le_bytes();
            given.command_id = match &state.key {
                Some((first, key)) => derived_id(&[first.as_str().as_bytes(), key.key().as_bytes(), &number]),
                None => derived_id(&[self.id().as_bytes(), &number]),
            };
        }
        given
    }

    async fn step<A: Aggregate, D: Decider<A>>(&self, stream: &StreamName, decider: &D) -> Result<Version, Step<D::Error>> {
        let app = &*self.app;
        let mut state = self.state.lock().await;
        if std::mem::replace(&mut state.busy, true) {
            return Err(Failure::Abandoned.into());
        }
        app.check_registered::<A>()?;
        let info = decider.info();
        app.ask_hook(&info, decider.as_any(), stream, &self.options).await?;
        if state.given.is_none() {
            state.key = app.keyed(decider, &self.options)?.map(|key| (stream.clone(), key));
            state.given = Some(Given::new(&info, stream, &self.options, || self.id()));
        } else if let Some((_, key)) = &mut state.key {
            key.add(stream, decider)?;
        }
        let asks_services = info.services().next().is_some();
        if asks_services
            && self.replay.is_none()
            && let Some((first, key)) = &state.key
            && let Some(record) = app.find_key(first, key).await?
        {
            // A service must not act again for a unit that was carried out.
            return Err(Step::Stopped(Stop::KeyUsed(record)));
        }
        let mut held = match (state.take_held::<A>(stream), self.replay) {
            (Some(held), _) => held,
            (None, Some(before)) => Box::new(Held::<A>::open_before(app, stream, before).await?),
            (None, None) => Box::new(Held::<A>::open(app, state.lease(app, stream).await.map_err(Step::Stopped)?).await?),
        };
        if self.replay.is_some() && (asks_services || state.assumed.contains(stream)) {
            // The service acted at the first use, and what it answered is not known.
            state.assumed.insert(stream.clone());
            let version = held.version();
            state.held.push(held);
            state.busy = false;
            return Ok(version);
        }
        state.ran_for_good |= !info.runs_again();
        let given = self.given(&mut state, &info);
        let decided = held.decide(app, decider, given).await;
        let version = held.version();
        state.held.push(held);
        let answer = match decided {
            Ok(()) => Ok(version),
            Err(Undecided::Refused(refusal)) => Err(Step::Refused(refusal)),
            Err(Undecided::Failed(_)) if self.replay.is_some() => {
                // It was carried out at the first use, perhaps where more is allowed.
                state.assumed.insert(stream.clone());
                Ok(version)
            }
            Err(Undecided::Failed(failure)) => return Err(failure.into()),
        };
        // Only here: one that was dropped on its way, or failed, leaves the unit without what it was to do.
        state.busy = false;
        answer
    }
}

impl State {
    fn take_held<A: Aggregate>(&mut self, stream: &StreamName) -> Option<Box<Held<A>>> {
        let at = self.held.iter().position(|held| held.stream() == stream)?;
        let held: Box<dyn Any> = self.held.remove(at);
        Some(held.downcast().expect("a stream's name says which aggregate it belongs to"))
    }

    async fn lease(&mut self, app: &Inner, stream: &StreamName) -> Result<Lease, Stop> {
        if let Some(lease) = self.taken.remove(stream) {
            return Ok(lease);
        }
        if self.held.iter().all(|held| held.stream() < stream) && self.taken.keys().all(|taken| taken < stream) {
            return app.lease(stream).await.map_err(Stop::Failed);
        }
        app.cache.try_acquire(stream).ok_or_else(|| Stop::Busy(stream.clone()))
    }
}

impl Inner {
    async fn unit<E, F, W>(self: &Arc<Self>, mut work: F, options: Options) -> Result<UnitDone, UnitError<E>>
    where
        F: FnMut(Unit) -> W,
        W: Future<Output = Result<(), E>>,
    {
        let options = options.surrounded();
        options.check_actor()?;
        let _running = self.enter()?;
        let (id, mut needed) = (Arc::default(), BTreeSet::new());
        let mut attempts = 0;
        loop {
            attempts += 1;
            let again = match self.run_unit(&mut work, &options, &id, &needed).await? {
                RunEnd::Done(done) => return Ok(done),
                RunEnd::Rejected(error) => return Err(UnitError::Rejected(error)),
                RunEnd::KeyUsed(used) => return Ok(Box::pin(self.settle_use(&mut work, &options, &id, *used)).await?),
                RunEnd::Busy { stream, needed: used, may_run_again } => {
                    needed.extend(used);
                    // A new one each time, so this ends; it does not count as being slower than others.
                    attempts -= u32::from(needed.insert(stream.clone()));
                    (stream, may_run_again)
                }
                RunEnd::Conflict(stream, may_run_again) => (stream, may_run_again),
            };
            let (stream, may_run_again) = again;
            if attempts >= self.limits.attempts || !may_run_again {
                tracing::warn!(%stream, attempts, "a unit of work met a conflict");
                return Err(Failure::Conflict { stream, attempts: attempts.max(1) }.into());
            }
        }
    }

    /// The answer to a key that was used before: whether the closure gives the commands of the first use, as the log was then.
    async fn settle_use<E, F, W>(
        self: &Arc<Self>,
        work: &mut F,
        options: &Options,
        id: &Arc<OnceLock<Uuid>>,
        used: Use,
    ) -> Result<UnitDone, Failure>
    where
        F: FnMut(Unit) -> W,
        W: Future<Output = Result<(), E>>,
    {
        let Use { stream, key, record, complete } = used;
        let is_use = key.is_use(&stream, &record)?;
        // Of the first version of hashes the first command is all that is known.
        if record.hash_version == 1 || (complete && is_use) {
            return if is_use { Ok(UnitDone::repeated(&record)) } else { Err(key.reused(&stream)) };
        }
        let before = self.before_use(&stream, &record).await?;
        let run = Run::new(self, options, id, BTreeMap::new(), Some(before));
        let busy = tokio::select! {
            biased;
            () = run.stopped.notified() => false,
            _ = self.replaying(before, work(Unit { run: run.clone() })) => run.state.lock().await.busy,
        };
        let mut state = run.state.lock().await;
        state.busy = true;
        match state.stop.take() {
            Some(Stop::Failed(failure)) => return Err(failure),
            _ if busy => return Err(Failure::Abandoned),
            _ => {}
        }
        match &state.key {
            Some((first, given)) if *first == stream && given.is_use(&stream, &record)? => Ok(UnitDone::repeated(&record)),
            _ => Err(key.reused(&stream)),
        }
    }

    async fn run_unit<E, F, W>(
        self: &Arc<Self>,
        work: &mut F,
        options: &Options,
        id: &Arc<OnceLock<Uuid>>,
        needed: &BTreeSet<StreamName>,
    ) -> Result<RunEnd<E>, Failure>
    where
        F: FnMut(Unit) -> W,
        W: Future<Output = Result<(), E>>,
    {
        let mut taken = BTreeMap::new();
        for stream in needed {
            taken.insert(stream.clone(), self.lease(stream).await?);
        }
        let run = Run::new(self, options, id, taken, None);
        let answer = tokio::select! {
            biased;
            () = run.stopped.notified() => None,
            answer = work(Unit { run: run.clone() }) => Some(answer),
        };
        // What is left in the closure's hands can do nothing more: it finds the unit stopped.
        let mut state = run.state.lock().await;
        let stop = state.stop.take();
        let busy = std::mem::replace(&mut state.busy, true);
        let (held, ran_for_good) = (std::mem::take(&mut state.held), state.ran_for_good);
        let (key, given) = (state.key.take(), state.given.take());
        state.taken.clear();
        drop(state);
        match (stop, answer) {
            (Some(Stop::Busy(stream)), _) => {
                let needed = held.iter().map(|held| held.stream().clone()).collect();
                held.into_iter().for_each(HeldStream::unchanged);
                Ok(RunEnd::Busy { stream, needed, may_run_again: !ran_for_good })
            }
            (Some(Stop::KeyUsed(record)), _) => Ok(RunEnd::used(key, record, false)),
            (Some(Stop::Failed(failure)), _) => {
                drop(held);
                self.fail_unit(key, failure, false).await
            }
            (None, Some(Ok(()))) if busy => Err(Failure::Abandoned),
            (None, Some(Ok(()))) => match self.store_unit(held, key.clone(), given, !ran_for_good).await {
                Err(failure) if !failure.is_unknown_outcome() => self.fail_unit(key, failure, true).await,
                stored => stored,
            },
            (None, Some(Err(error))) => self.refuse_unit(held, key, error, !ran_for_good).await,
            (None, None) => unreachable!("whoever stops a unit says why"),
        }
    }

    async fn store_unit<E>(
        &self,
        mut held: Vec<Box<dyn HeldStream>>,
        key: Option<(StreamName, KeyedCommands)>,
        given: Option<Given>,
        may_run_again: bool,
    ) -> Result<RunEnd<E>, Failure> {
        if let Some((stream, key)) = &key
            && let Some(at) = held.iter().position(|held| held.stream() == stream)
        {
            held[at].hold_key(key.stored());
            // First, so that its first event is the append's: see `replay`.
            held[..=at].rotate_right(1);
        }
        let (mut news, rest): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| held.has_news());
        if let Some(moved) = self.release(rest).await? {
            return Ok(RunEnd::Conflict(moved, may_run_again));
        }
        let Some(given) = given.filter(|_| !news.is_empty()) else {
            let position = self.store.log.head().await?;
            return Ok(RunEnd::Done(UnitDone { position, versions: Vec::new(), repeated: false }));
        };
        if news.len() > 1 && !self.store.log.capabilities().several_streams {
            return Err(StoreError::Unsupported("appends that span several streams").into());
        }
        let events: usize = news.iter().map(|held| held.planned()).sum();
        if events > self.limits.events_per_append {
            return Err(Failure::TooManyEvents { events, max: self.limits.events_per_append });
        }
        let mut parts: Vec<&mut dyn HeldStream> = news.iter_mut().map(|held| &mut **held).collect();
        match self.append(&mut parts, &given).await? {
            Stored::Yes(appended) => {
                let changed = news.iter().filter(|held| held.planned() > 0);
                let versions = changed.map(|held| (held.stream().clone(), held.version())).collect();
                let mut positions = appended.positions.into_iter();
                for (held, recorded_at) in news.into_iter().zip(appended.recorded_at) {
                    let last_event = positions.by_ref().take(held.planned()).last().zip(held.ids().last().copied());
                    self.save(held.stored(recorded_at, last_event)).await;
                }
                Ok(RunEnd::Done(UnitDone { position: appended.position, versions, repeated: false }))
            }
            Stored::Conflict => Ok(RunEnd::Conflict(news[0].stream().clone(), may_run_again)),
            Stored::KeyTaken(record) => Ok(RunEnd::used(key, record, true)),
        }
    }

    /// The closure said no: before that goes out, a key that was used before answers, and what was old is looked at again.
    async fn refuse_unit<E>(
        &self,
        held: Vec<Box<dyn HeldStream>>,
        key: Option<(StreamName, KeyedCommands)>,
        error: E,
        may_run_again: bool,
    ) -> Result<RunEnd<E>, Failure> {
        let moved = self.release(held).await?;
        if let Some((stream, used)) = &key
            && let Some(record) = self.find_key(stream, used).await?
        {
            return Ok(RunEnd::used(key, record, false));
        }
        match moved {
            Some(stream) => Ok(RunEnd::Conflict(stream, may_run_again)),
            None => Ok(RunEnd::Rejected(error)),
        }
    }

    /// What the unit came to now is no answer to one that was carried out: a key that was used before answers.
    async fn fail_unit<E>(
        &self,
        key: Option<(StreamName, KeyedCommands)>,
        failure: Failure,
        complete: bool,
    ) -> Result<RunEnd<E>, Failure> {
        if let Some((stream, used)) = &key
            && let Ok(Some(record)) = self.find_key(stream, used).await
        {
            return Ok(RunEnd::used(key, record, complete));
        }
        Err(failure)
    }

    /// Lets go of aggregates that the unit is done with; answers one that others had changed before the unit looked at it. That
    /// one and those behind it are read again when they are needed next.
    async fn release(&self, held: Vec<Box<dyn HeldStream>>) -> Result<Option<StreamName>, Failure> {
        for held in held {
            if !self.sole_writer
                && held.is_cached()
                && self.has_moved(held.stream().clone(), held.base(), held.last_event()).await?
            {
                return Ok(Some(held.stream().clone()));
            }
            held.unchanged();
        }
        Ok(None)
    }

    /// Whether other writers have stored something since, or the store has lost the last event.
    async fn has_moved(&self, stream: StreamName, base: Version, last_event: Option<(Position, Uuid)>) -> Result<bool, Failure> {
        let mut known = Known::new(base, last_event.map(|(_, id)| id));
        let mut moved = false;
        self.store
            .log
            .read_stream(&stream, known.after, 2, &mut |event| {
                if let Met::Known = known.meets(&event) {
                    return ControlFlow::Continue(());
                }
                moved = true;
                ControlFlow::Break(())
            })
            .await?;
        Ok(moved || !known.is_there())
    }
}

/// How one run of a unit's closure ended.
enum RunEnd<E> {
    Done(UnitDone),
    Rejected(E),
    /// An aggregate was busy, after those in `needed` were taken.
    Busy {
        stream: StreamName,
        needed: Vec<StreamName>,
        may_run_again: bool,
    },
    /// Others stored something first; whether the closure may run again.
    Conflict(StreamName, bool),
    KeyUsed(Box<Use>),
}

/// A key that was used before, with the commands that the closure gave now.
struct Use {
    stream: StreamName,
    key: KeyedCommands,
    record: KeyRecord,
    /// The closure came to its end, so these are all of its commands.
    complete: bool,
}

impl<E> RunEnd<E> {
    fn used(key: Option<(StreamName, KeyedCommands)>, record: KeyRecord, complete: bool) -> Self {
        let (stream, key) = key.expect("a key is found only where one was given");
        RunEnd::KeyUsed(Box::new(Use { stream, key, record, complete }))
    }
}
