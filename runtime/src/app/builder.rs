//! From a URL to an app that runs: the store is opened, types are registered, names and services are checked, read models
//! are brought up.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::batch::Pace;
use super::begun::Begun;
use super::cache::StateCache;
use super::failing::Failing;
use super::gate::Gate;
use super::hook::BeforeCommand;
use super::inline::{CatchUp, InlineModels};
use super::load::snapshot_fingerprint;
use super::model::{Feeder, InlineModel, Model};
use super::options::Limits;
use super::runner::{self, Runner, Running};
use super::{App, Inner};
use crate::catalogue::{self, AggregateEntry, Catalogue, ReadModelEntry};
use crate::command::Services;
use crate::error::{MissingService, ProjectionError, StartError};
use crate::event::{EventInfo, IdSource, RandomIds};
use crate::read::Projection;
use crate::store::{Capabilities, Checkpoint, EventLog, Leases, Prepared, ReadModelStore, Store, StoredType, check_runtime};
use crate::time::{Clock, SystemClock};
use crate::{CommandInfo, Commands, Lock, Position, codec};

/// An app that is being put together: a store, and what is registered with it. Made by [`App::connect`].
#[must_use = "an app runs once it is started"]
pub struct Builder {
    store: Store,
    sole_writer: bool,
    owns_store: bool,
    aggregates: Vec<Registered>,
    models: Vec<RegisteredModel>,
    services: Services,
    hooks: Vec<Arc<dyn BeforeCommand>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    limits: Limits,
}

/// A registered aggregate without its type.
struct Registered {
    type_id: TypeId,
    type_name: &'static str,
    name: &'static str,
    /// What it applies, and what it makes of retired ones.
    events: [&'static [EventInfo]; 2],
    commands: &'static [CommandInfo],
    describe: fn() -> AggregateEntry,
    lock: Option<Lock>,
    fingerprint: u64,
    /// What its snapshots are kept under, where it has any.
    snapshots: Option<u64>,
}

/// A registered read model: what makes its inline part, and what runs it.
struct RegisteredModel {
    model: Model,
    inline: Option<Box<dyn InlineModel>>,
    run: fn(Feed) -> Box<dyn Running>,
    describe: fn(bool, &[AggregateEntry]) -> ReadModelEntry,
}

/// What a runner needs of the app.
struct Feed {
    model: Arc<Model>,
    log: Arc<dyn EventLog>,
    rows: Arc<dyn ReadModelStore>,
    leases: Option<Arc<dyn Leases>>,
    checkpoint: Checkpoint,
}

fn runner_of<M: Projection>(feed: Feed) -> Box<dyn Running> {
    let Feed { model, log, rows, leases, checkpoint } = feed;
    let (feeder, position) = (Arc::new(Feeder::<M>::new()), checkpoint.position);
    let parked = Arc::clone(&model.progress.borrow().parked);
    let (stored_at, renewed_at, pace) = (Instant::now(), Instant::now(), Pace::new(&model));
    let incarnation = model.progress.borrow().incarnation;
    Box::new(Runner {
        model,
        log,
        rows,
        leases,
        renewed_at,
        patience: None,
        feeder,
        pace,
        failing: Failing::default(),
        begun: Begun::default(),
        checkpoint,
        incarnation,
        position,
        stored_at,
        parked,
        retried: None,
    })
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aggregates: Vec<_> = self.aggregates.iter().map(|registered| registered.name).collect();
        let models: Vec<_> = self.models.iter().map(|registered| registered.model.name).collect();
        f.debug_struct("Builder").field("aggregates", &aggregates).field("models", &models).finish_non_exhaustive()
    }
}

impl App {
    /// Opens the store a URL names, and begins an app on it.
    ///
    /// | URL | store | feature |
    /// |---|---|---|
    /// | `memory:` | a new one in memory | `memory` |
    /// | `sqlite:bank.db`, `sqlite:///var/lib/bank.db` | a file, made where it is missing; `?mode=ro` reads beside the app that writes, `?synchronous=normal` gives up the last moments at a power loss | `sqlite` |
    /// | `postgres://user:password@host/database` | a schema of a database, made where it is missing; any number of processes at once. [`PostgresOptions`](crate::store::postgres::PostgresOptions::parse) lists what can stand behind it | `postgres` |
    ///
    /// # Errors
    /// [`StartError`]; nothing of somebody else's was touched.
    pub async fn connect(url: &str) -> Result<Builder, StartError> {
        let store = crate::store::connect(url).await?;
        let sole_writer = store.log.capabilities().sole_writer;
        Ok(Builder { sole_writer, owns_store: true, ..Builder::new(store) })
    }

    /// Begins an app on a store, such as one of your own, or one that several apps share.
    ///
    /// Since others may hold the same store, what it says of being the sole writer is not relied on: before a refusal goes
    /// out, the tail of the stream is read again. Shutting the app down leaves the store open.
    pub fn on(store: Store) -> Builder {
        Builder::new(store)
    }
}

impl Builder {
    fn new(store: Store) -> Self {
        Builder {
            store,
            sole_writer: false,
            owns_store: false,
            aggregates: Vec::new(),
            models: Vec::new(),
            services: Services::default(),
            hooks: Vec::new(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            limits: Limits::default(),
        }
    }

    /// Registers an aggregate with its commands.
    pub fn aggregate<A: Commands>(mut self) -> Self {
        self.aggregates.push(Registered {
            type_id: TypeId::of::<A>(),
            type_name: std::any::type_name::<A>(),
            name: A::NAME,
            events: [A::EVENTS, A::RETIRED],
            commands: A::COMMANDS,
            describe: catalogue::aggregate::<A>,
            lock: A::LOCK,
            fingerprint: A::FINGERPRINT,
            snapshots: snapshot_fingerprint::<A>(),
        });
        self
    }

    /// Registers a read model that follows the events: with its own checkpoint, a moment behind.
    pub fn projection<M: Projection>(self) -> Self {
        self.model::<M>(None)
    }

    /// Registers a read model that is stored in the same transaction as the events: never behind, and an event it can't
    /// take refuses the command. That holds for an event of a newer build too: see
    /// [the guide](crate::guide::changing_an_event#deploying-it).
    pub fn inline_projection<M: Projection>(self) -> Self {
        self.model::<M>(Some(Box::new(Feeder::<M>::new())))
    }

    fn model<M: Projection>(mut self, inline: Option<Box<dyn InlineModel>>) -> Self {
        let model = Model::of::<M>(inline.is_some());
        self.models.push(RegisteredModel { model, inline, run: runner_of::<M>, describe: catalogue::read_model::<M> });
        self
    }

    /// Registers a service that command handlers take as `&S`, such as a client of another system.
    pub fn service<S: Send + Sync + 'static>(self, service: S) -> Self {
        self.shared_service(Arc::new(service))
    }

    /// Registers a service that is shared, or that handlers take as a trait object `&dyn S`.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::Arc;
    /// trait Rates: Send + Sync {
    ///     fn rate(&self, currency: &str) -> f64;
    /// }
    /// struct FixedRates;
    /// # impl Rates for FixedRates { fn rate(&self, _: &str) -> f64 { 1.0 } }
    /// # fn example(builder: gesta::Builder) -> gesta::Builder {
    /// builder.shared_service::<dyn Rates>(Arc::new(FixedRates))
    /// # }
    /// ```
    pub fn shared_service<S: ?Sized + Send + Sync + 'static>(mut self, service: Arc<S>) -> Self {
        self.services.insert(service);
        self
    }

    /// Asks this before each command, in the order given; the first that denies ends it.
    pub fn before_command(mut self, hook: impl BeforeCommand) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Takes the time from this clock instead of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes ids from here instead of random ones.
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Sets what the app allows.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is registered, as documentation: see [`catalogue`](crate::catalogue).
    pub fn catalogue(&self) -> Catalogue {
        let aggregates: Vec<_> = self.aggregates.iter().map(|registered| (registered.describe)()).collect();
        let models = self.models.iter();
        let models = models.map(|registered| (registered.describe)(registered.model.inline, &aggregates)).collect();
        Catalogue::new(aggregates, models)
    }

    /// Checks what is registered against each other and against the store, brings inline read models to the present, and
    /// lets the others run.
    ///
    /// Kinds of events in the store that this build doesn't know are logged as warnings and listed by
    /// [`App::unknown_events`]. They may be a newer build's, which is the usual state of a deploy: the app starts, and answers
    /// [`Failure::NewerBuildNeeded`](crate::Failure::NewerBuildNeeded) where it comes upon one. An inline read model that comes
    /// upon one refuses the commands it would have to fold, and lets all others go on.
    ///
    /// Read models are fed by tasks of the runtime that this is called on. Once that runtime has ended, commands go on from any other
    /// one, and each read of a model that was fed there answers [`ReadError::Stopped`](crate::ReadError::Stopped).
    ///
    /// # Errors
    /// [`StartError`] names what does not fit, and what to write.
    pub async fn start(self) -> Result<App, StartError> {
        check_runtime()?;
        let Builder { store, sole_writer, owns_store, aggregates, models, services, hooks, clock, ids, limits } = self;
        codec::canary::check().map_err(StartError::IncompatibleBuild)?;
        check_names(&aggregates, &models)?;
        check_services(&aggregates, &services)?;
        check_sources(&aggregates, &models)?;
        if !models.is_empty() && store.read_models.is_none() {
            let what = format!("the read model `{}`", models[0].model.name);
            return Err(StartError::Unsupported { what, capability: "read models" });
        }
        let unknown = unknown_events(&aggregates, store.log.event_types().await?);
        for kind in &unknown {
            let (aggregate, name, version, first) = (&kind.aggregate, &kind.name, kind.schema_version, kind.first_position);
            tracing::warn!(
                %aggregate, event = %name, version, %first,
                "the store holds events that this build can't read: a newer build wrote them, or they were renamed or removed here"
            );
        }

        for Registered { name, fingerprint, snapshots, .. } in &aggregates {
            let snapshots = snapshots.map(shown);
            tracing::info!(aggregate = name, fingerprint = shown(*fingerprint), snapshots, "registered");
        }
        warn_of_locks(&aggregates, store.log.capabilities());
        let writable = store.log.capabilities().writable;
        let (shutdown, _) = watch::channel(false);
        let starting = Starting(owns_store.then_some(&store));
        let Fed { models, inline, catch_ups, runners } = prepare(&store, models, writable, &shutdown).await?;
        starting.succeeded();
        let inline = (!inline.models.is_empty()).then(|| Arc::new(inline) as _);
        tracing::info!(aggregates = aggregates.len(), models = models.len(), writable, "started");
        let inner = Inner {
            cache: StateCache::new(limits.cache_entries, limits.cache_bytes),
            store,
            sole_writer,
            owns_store,
            writable,
            aggregates: aggregates.iter().map(|registered| registered.type_id).collect(),
            models,
            inline,
            catch_ups,
            services: Arc::new(services),
            hooks,
            clock,
            ids,
            limits,
            gate: Gate::default(),
            announced: AtomicUsize::new(0),
            shutdown,
            runners: tokio::sync::Mutex::new(runners),
            unknown,
        };
        Ok(App { inner: Arc::new(inner) })
    }
}

/// A start that has not succeeded. If it is dropped, tasks that were begun may hold the store for a
/// moment more.
struct Starting<'s>(Option<&'s Store>);

impl Starting<'_> {
    fn succeeded(mut self) {
        self.0 = None;
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if let Some(store) = self.0 {
            store.log.release();
        }
    }
}

/// The read models of an app, and who feeds them.
#[derive(Default)]
struct Fed {
    models: Vec<Arc<Model>>,
    inline: InlineModels,
    catch_ups: Vec<CatchUp>,
    runners: JoinSet<()>,
}

/// Takes over the models in the store, catches up the inline ones and lets the others run.
async fn prepare(
    store: &Store,
    registered: Vec<RegisteredModel>,
    writable: bool,
    shutdown: &watch::Sender<bool>,
) -> Result<Fed, StartError> {
    let mut fed = Fed::default();
    let Some(rows) = store.read_models.clone().filter(|_| !registered.is_empty()) else { return Ok(fed) };
    let specs = registered.iter().map(|registered| registered.model.spec.clone()).collect();
    let incarnation = rows.incarnation();
    let prepared = rows.prepare(specs).await?;
    let head = store.log.head().await?;
    for (RegisteredModel { mut model, inline: part, run, .. }, Prepared { place, checkpoint, replaced }) in
        registered.into_iter().zip(prepared)
    {
        model.place = place;
        let (name, fingerprint) = (model.name, shown(model.spec.fingerprint));
        tracing::info!(model = name, fingerprint, inline = model.inline, "registered");
        if let Some(replaced) = replaced {
            tracing::info!(model = name, fingerprint, before = shown(replaced), "its definition has changed: it is rebuilt");
        }
        let position = checkpoint.map_or(Position::ZERO, |checkpoint| checkpoint.position);
        // Who only reads can't wait for what another process does.
        let complete_from = if writable { head } else { Position::ZERO };
        model.progress.send_modify(|progress| {
            (progress.position, progress.incarnation) = (position, incarnation);
            progress.complete_from = complete_from;
            progress.outdated = checkpoint.is_none();
        });
        if checkpoint.is_some() {
            // Before anybody can read: it is tried again only once the model runs.
            let parked = rows.parked(place).await?;
            let parked = parked.into_iter().map(|parked| (parked.stream.clone(), parked)).collect();
            model.progress.send_modify(|progress| progress.parked = Arc::new(parked));
        }
        let model = Arc::new(model);
        fed.models.push(model.clone());
        let (Some(checkpoint), true) = (checkpoint, writable) else { continue };
        let feed =
            Feed { model: model.clone(), log: store.log.clone(), rows: rows.clone(), leases: store.leases.clone(), checkpoint };
        let mut runner = run(feed);
        match part {
            Some(part) => {
                let caught_up = loop {
                    match runner.catch_up().await {
                        // Another process brings it nearer: one that starts and does the same, or the appends of one that runs.
                        Err(ProjectionError::Superseded) if rows.checkpoint(place).await?.position < head => {}
                        Err(ProjectionError::Superseded) => break Ok(()),
                        caught_up => break caught_up,
                    }
                };
                match caught_up {
                    Ok(()) => {}
                    // Commands that it does not fold go on; what it does fold, it refuses until a newer build is here.
                    Err(why @ ProjectionError::NewerBuildNeeded(_)) => {
                        tracing::warn!(model = model.name, %why, "the inline read model needs a newer build");
                        model.progress.send_modify(|progress| progress.stopped = Some(why));
                    }
                    Err(why) => return Err(StartError::CatchUp { model: model.name, why }),
                }
                fed.inline.models.push((model.clone(), part));
                fed.catch_ups.push(CatchUp { model, runner: runner.into() });
            }
            None => {
                fed.runners.spawn(runner::run(&model, runner, shutdown.subscribe()));
            }
        }
    }
    Ok(fed)
}

/// A fingerprint for people.
fn shown(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// No two things are stored under one name.
fn check_names(aggregates: &[Registered], models: &[RegisteredModel]) -> Result<(), StartError> {
    let taken = |first: String, second: String, name: &str| StartError::NameTaken { first, second, name: name.to_owned() };
    let mut names: HashMap<&str, &Registered> = HashMap::new();
    for aggregate in aggregates {
        if let Some(other) = names.insert(aggregate.name, aggregate) {
            let describe = |registered: &Registered| format!("the aggregate `{}`", registered.type_name);
            return Err(taken(describe(other), describe(aggregate), aggregate.name));
        }
    }
    let mut tables: HashMap<String, &Model> = HashMap::new();
    for RegisteredModel { model, .. } in models {
        // SQL does not tell apart what differs in case only.
        if let Some(other) = tables.insert(model.name.to_lowercase(), model) {
            let describe = |model: &Model| format!("the read model `{}`", model.type_name);
            return Err(taken(describe(other), describe(model), model.name));
        }
    }
    Ok(())
}

/// Every service that a handler asks for is there; all that are missing are named.
fn check_services(aggregates: &[Registered], services: &Services) -> Result<(), StartError> {
    let mut missing = Vec::new();
    for aggregate in aggregates {
        for command in aggregate.commands {
            let absent = command.needs.iter().filter(|need| !services.has(need));
            missing.extend(absent.map(|need| MissingService {
                service: need.name(),
                aggregate: aggregate.name,
                command: command.name,
            }));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(StartError::MissingServices(missing)) }
}

/// Every aggregate that feeds a read model is there.
fn check_sources(aggregates: &[Registered], models: &[RegisteredModel]) -> Result<(), StartError> {
    let names: HashSet<&str> = aggregates.iter().map(|aggregate| aggregate.name).collect();
    for RegisteredModel { model, .. } in models {
        if let Some(aggregate) = model.sources.iter().find(|source| !names.contains(*source)) {
            return Err(StartError::MissingAggregate { model: model.name, aggregate });
        }
    }
    Ok(())
}

/// What is about to be stored for good should be in a schema lock, and in a release of it.
fn warn_of_locks(aggregates: &[Registered], capabilities: Capabilities) {
    if !capabilities.durable || !capabilities.writable {
        return;
    }
    for aggregate in aggregates {
        let Some(lock) = aggregate.lock else {
            tracing::warn!(
                aggregate = aggregate.name,
                r#type = aggregate.type_name,
                "the compiler does not check this aggregate's events against what is stored: write \
                 `#[aggregate(.., schema = \"{}.events\")]`, then run `GESTA_SCHEMA=write cargo test gesta_schema`",
                file_stem(aggregate.name)
            );
            continue;
        };
        let drafts = lock.drafts();
        if !drafts.is_empty() {
            tracing::warn!(
                aggregate = aggregate.name,
                file = lock.file,
                drafts = drafts.join(", "),
                "what is stored now has schemas that may still change: `GESTA_SCHEMA=release cargo test gesta_schema` freezes them"
            );
        }
    }
}

/// The name of an aggregate as part of a file's name.
fn file_stem(aggregate: &str) -> String {
    aggregate.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).flat_map(char::to_lowercase).collect()
}

/// The kinds of events that are stored and that this build can't read.
fn unknown_events(aggregates: &[Registered], mut stored: Vec<StoredType>) -> Vec<StoredType> {
    let knows = |kind: &StoredType| {
        let aggregate = aggregates.iter().find(|aggregate| aggregate.name == kind.aggregate);
        let event = aggregate.and_then(|aggregate| aggregate.events.into_iter().flatten().find(|event| event.name == kind.name));
        event.is_some_and(|event| event.versions.iter().any(|known| known.version == kind.schema_version))
    };
    stored.retain(|kind| !knows(kind));
    stored
}
