//! The Postgres store: any number of processes, on one database.
//!
//! All tables are in one schema and are named `gesta_..`, beside one table for each read model; they are made when the first app
//! starts. `select * from gesta_log` shows the events to people. Events are appended by gesta, or by statements that insert into
//! `gesta_events` and leave `position` to its default; they are never changed or removed.
//!
//! # What a reader relies on
//! Positions are given before they are committed. So that no reader passes over an event that is committed late, each append holds
//! a lock, by a trigger of the table, and readers wait for those that held it when they looked. A transaction that has appended and
//! stays open holds up every reader until it ends; after a second, who that is is logged. What would switch this off is looked for
//! when the store is opened.
//!
//! A database that logical replication feeds is no store: it fires no such triggers, and its sequences do not move.

mod append;
mod census;
mod connections;
mod engine;
mod errors;
mod exclusive;
pub(crate) mod joined;
mod models;
mod options;
mod pool;
mod reads;
mod safety;
mod schema;
mod seen;
mod session;
mod wake;
mod watch;
mod writer;

use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::Semaphore;

pub use self::options::{AppendOrder, PostgresOptions};

use self::append::{Kinds, Statements};
use self::census::Census;
use self::connections::Connections;
use self::engine::Engine;
use self::errors::While;
use self::models::{Model, Models, StoredModel};
use self::pool::Lent;
use self::reads::Reads;
use self::schema::Place;
use self::session::Ask as _;
use self::wake::Wake;
use self::writer::Writer;
use super::{
    Append, AppendError, Appended, BegunEvent, Capabilities, Checkpoint, CommitError, EarlierOwner, EventLog, KeyRecord, Keys,
    Leases, ModelSpec, Parked, ParkingChange, Prepared, ReadModelStore, RowChange, RowQuery, Snapshot, SnapshotStore, Store,
    StoredType, Visit, check,
};
use crate::error::{StartError, StoreError};
use crate::event::{Position, Version};
use crate::read::{Row, Value};
use crate::{StreamName, Timestamp};

/// Opens a database, and makes the store's tables where they are not there.
///
/// # Errors
/// [`StartError`] says why it can't be opened, and what to do.
pub async fn open(options: &PostgresOptions) -> Result<Store, StartError> {
    let postgres = Arc::new(Postgres::open(options).await?);
    Ok(Store {
        log: Arc::clone(&postgres) as Arc<dyn EventLog>,
        keys: Some(Arc::clone(&postgres) as Arc<dyn Keys>),
        snapshots: Some(Arc::clone(&postgres) as Arc<dyn SnapshotStore>),
        read_models: Some(Arc::clone(&postgres) as Arc<dyn ReadModelStore>),
        leases: Some(postgres),
    })
}

/// How often a read begins anew that another server has answered.
const LOOKS_MAX: usize = 5;
/// How long a read waits for somebody's open transaction while nothing is known that was settled before it.
const UNKNOWN_MAX: Duration = Duration::from_secs(10);

pub(crate) struct Postgres {
    connections: Connections,
    engine: Arc<Engine>,
    census: Arc<Census>,
    wake: Arc<Wake>,
    reads: Reads,
    place: Place,
    /// The models in use, by their place.
    models: Arc<RwLock<Arc<Models>>>,
    lease: Duration,
}

impl Postgres {
    async fn open(options: &PostgresOptions) -> Result<Self, StartError> {
        options.check().map_err(|message| StoreError::Driver { context: "opening the database", message, transient: false })?;
        let connections = Connections::new(options);
        let first = connections.first().await.map_err(|error| errors::opening(options, &error))?;
        let place = schema::prepare(&connections, first, options.schema.as_deref()).await?;
        let census = Arc::new(Census::new(&place));
        // So that it is known which server answers.
        census.look(&connections).await?;
        let wake = Wake::new();
        wake.start(&connections, &place);
        let models = Arc::<RwLock<Arc<Models>>>::default();
        let engine = Engine::new(Writer {
            connections: connections.clone(),
            statements: Statements::new(&place.schema),
            kinds: Kinds::default(),
            census: Arc::clone(&census),
            wake: Arc::clone(&wake),
            models: Arc::clone(&models),
            order: options.appends,
            place: place.clone(),
            turns: Semaphore::new(writer::TURNS),
        });
        let reads = Reads::new(&place.schema);
        Ok(Postgres { connections, engine, census, wake, reads, place, models, lease: options.lease })
    }

    /// What the writer sends is asked here too.
    fn statements(&self) -> &Statements {
        &self.engine.writer.statements
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.wake.is_closed() { Err(StoreError::Closed) } else { self.census.check() }
    }

    fn model(&self, place: usize) -> Result<Arc<Model>, StoreError> {
        self.check()?;
        let models = Arc::clone(&self.models.read().unwrap_or_else(PoisonError::into_inner));
        models.get(place).cloned().ok_or_else(|| check::unknown_model(place))
    }

    async fn keep_for(&self, model: usize, epoch: u64, lease: Duration) -> Result<bool, StoreError> {
        let model = self.model(model)?;
        let mut connection = self.met(For::Control).await?;
        let kept = model.renew(&mut connection.session(), epoch, lease).await?;
        connection.done().await.during("keeping a read model, or giving it back")?;
        Ok(kept)
    }

    /// Notes the events that a read over a connection to this server has visited.
    fn saw(&self, server: Option<i64>, visited: &reads::Visited) {
        self.census.seen(visited.last.iter().copied());
        if server != Some(self.census.known().server) {
            // This process has met another server meanwhile, and compared what it had seen without these events.
            self.connections.distrust();
        }
    }

    /// A connection to a server that this process has met: one that holds all events that the process has seen.
    ///
    /// Each statement that brings knowledge goes over such a connection. A new connection, or behind a pooler a new
    /// transaction, says which server it is to; if that is another one, the process meets it first.
    async fn met(&self, purpose: For) -> Result<Lent, StoreError> {
        for _ in 0..LOOKS_MAX {
            let connection = match purpose {
                For::Reading => self.connections.read().await?,
                For::Control => self.connections.control().await?,
                For::Commit => self.connections.read_transaction().await.during("storing rows")?,
            };
            if connection.server() == Some(self.census.known().server) {
                return Ok(connection);
            }
            let _ = connection.rollback().await;
            self.census.look(&self.connections).await?;
        }
        Err(other_servers())
    }
}

/// The use of a connection.
#[derive(Clone, Copy)]
enum For {
    Reading,
    Control,
    /// Of a read model's rows.
    Commit,
}

/// The error of a caller that another server answered each time it tried.
fn other_servers() -> StoreError {
    let message = "another server answered each time: see whether it is restarted over and over".to_owned();
    StoreError::Driver { context: "connecting", message, transient: true }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The tasks that tell and hear of appends go home.
        self.wake.close();
    }
}

#[async_trait]
impl EventLog for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL.shared()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.engine.append(append).await
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.check()?;
        let connection = self.met(For::Reading).await?;
        let server = connection.server();
        let visited = self.reads.stream(connection, stream, after, max, visit).await?;
        self.saw(server, &visited);
        Ok(())
    }

    async fn read_all(&self, mut after: Position, mut max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.check()?;
        if max == 0 {
            return Ok(());
        }
        if self.census.known().last > after.get()
            && let connection = self.met(For::Reading).await?
            && let Some(known) = self.census.known_still(&self.connections)
        {
            let server = connection.server();
            let visited = self.reads.all(connection, after, known, max, &mut *visit).await?;
            self.saw(server, &visited);
            max -= visited.count;
            if visited.count == 0 {
                self.census.watch.suspect();
            }
            if visited.ended || max == 0 {
                return Ok(());
            }
            after = visited.last.back().map_or(after, |(position, _)| *position);
        }
        let began = Instant::now();
        let mut looks = 0;
        while looks < LOOKS_MAX {
            let Some(known) = self.census.look(&self.connections).await? else {
                if began.elapsed() < UNKNOWN_MAX {
                    continue;
                }
                let message = "nothing is known yet of what this server holds, since somebody's transaction is open that has appended: end it";
                return Err(StoreError::Driver { context: "reading events", message: message.to_owned(), transient: true });
            };
            if known.last <= after.get() {
                return Ok(());
            }
            looks += 1;
            let connection = self.met(For::Reading).await?;
            let server = connection.server();
            let visited = self.reads.all(connection, after, known, max, &mut *visit).await?;
            self.saw(server, &visited);
            // None, though there is one: another server answers since, or its settings are others.
            if visited.count > 0 {
                return Ok(());
            }
            self.census.watch.suspect();
        }
        let message =
            "another server answered each time, or the settings of the schema were others: see whether it is restarted, or \
                       changed, over and over"
                .to_owned();
        Err(StoreError::Driver { context: "reading events", message, transient: true })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.check()?;
        let mut connection = self.met(For::Reading).await?;
        let head = self.reads.head(&mut connection.session()).await?;
        let _ = connection.done().await;
        self.census.seen(head);
        Ok(head.map_or(Position::ZERO, |(position, _)| position))
    }

    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        let mut ear = self.wake.ear();
        let server = self.census.known().server;
        loop {
            self.check()?;
            let known = self.census.known_still(&self.connections);
            // On another server, whoever waits may have come less far.
            if self.census.known().server != server {
                return Ok(());
            }
            if known.is_some_and(|known| known.last > position.get())
                || self.census.look(&self.connections).await?.is_some_and(|known| known.last > position.get())
            {
                return Ok(());
            }
            self.wake.changed(&mut ear).await;
        }
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        self.check()?;
        let mut connection = self.met(For::Reading).await?;
        let types = self.reads.types(&mut connection.session()).await?;
        let _ = connection.done().await;
        Ok(types)
    }

    fn as_any(self: Arc<Self>) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.engine.close().await;
        self.wake.close();
        self.connections.close().await;
        Ok(())
    }
}

#[async_trait]
impl Keys for Postgres {
    async fn find_key(&self, stream: &StreamName, key: &str) -> Result<Option<KeyRecord>, StoreError> {
        self.check()?;
        if key.contains('\0') {
            return Ok(None);
        }
        let mut connection = self.met(For::Reading).await?;
        let found = self.statements().find_key(&mut connection.session(), stream, key).await?;
        let _ = connection.done().await;
        Ok(found)
    }
}

#[async_trait]
impl SnapshotStore for Postgres {
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError> {
        const CONTEXT: &str = "saving a snapshot";
        self.check()?;
        let sql = format!(
            "insert into {schema}.gesta_snapshots as t (stream, fingerprint, version, recorded_at, payload, position, event_id)
             select $1, $2, $3, $4, $5, $6, $7
             where exists (select from {schema}.gesta_events where stream = $1 and version = $3 and event_id = $7)
             on conflict (stream, fingerprint) do update set version = excluded.version, recorded_at = excluded.recorded_at,
                payload = excluded.payload, position = excluded.position, event_id = excluded.event_id
             where excluded.version >= t.version or not exists (
                select from {schema}.gesta_events e where e.stream = t.stream and e.version = t.version and e.event_id = t.event_id
             )",
            schema = self.place.schema
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(stream.as_str()).bind(fingerprint.cast_signed());
        let query =
            query.bind(snapshot.version.get().cast_signed()).bind(snapshot.recorded_at.as_micros()).bind(snapshot.payload);
        let query = query.bind(snapshot.position.get().cast_signed()).bind(snapshot.event_id);
        let mut connection = self.met(For::Reading).await?;
        query.run(&mut connection.session()).await.during(CONTEXT)?;
        connection.done().await.during(CONTEXT)
    }

    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        self.check()?;
        let sql = format!(
            "select version, recorded_at, payload, position, event_id from {}.gesta_snapshots
             where stream = $1 and fingerprint = $2 and position is not null and event_id is not null",
            self.place.schema
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(stream.as_str()).bind(fingerprint.cast_signed());
        let mut connection = self.met(For::Reading).await?;
        let row = query.optional(&mut connection.session()).await.during("loading a snapshot")?;
        let _ = connection.done().await;
        let read = |row: sqlx::postgres::PgRow| {
            Ok(Snapshot {
                version: Version::new(append::counter(&row, 0)?),
                position: Position::new(append::counter(&row, 3)?),
                event_id: row.try_get(4)?,
                recorded_at: Timestamp::from_micros(row.try_get(1)?),
                payload: row.try_get(2)?,
            })
        };
        row.map(read).transpose().during("loading a snapshot")
    }
}

#[async_trait]
impl ReadModelStore for Postgres {
    async fn prepare(&self, models: Vec<ModelSpec>) -> Result<Vec<Prepared>, StoreError> {
        const CONTEXT: &str = "preparing read models";
        self.check()?;
        check::models(&models)?;
        let models: Vec<_> = models.into_iter().map(|spec| Arc::new(Model::new(spec, &self.place.schema))).collect();
        let mut transaction = self.connections.control_transaction(&schema::begin_migration()).await.during(CONTEXT)?;
        let mut prepared = Vec::with_capacity(models.len());
        for model in &models {
            prepared.push(model.prepare(&mut transaction.session()).await?);
        }
        transaction.done().await.during(CONTEXT)?;
        let mut in_use = self.models.write().unwrap_or_else(PoisonError::into_inner);
        let in_use = Arc::make_mut(&mut in_use);
        let prepared = models.iter().zip(prepared).map(|(model, prepared)| {
            self.census.seen(prepared.last_event);
            let (checkpoint, replaced) = (Some(prepared.checkpoint), prepared.replaced);
            Prepared { place: model.take_place(in_use), checkpoint, replaced }
        });
        Ok(prepared.collect())
    }

    fn incarnation(&self) -> u64 {
        self.census.known().server.cast_unsigned()
    }

    async fn checkpoint(&self, model: usize) -> Result<Checkpoint, StoreError> {
        let model = self.model(model)?;
        let mut connection = self.met(For::Reading).await?;
        let stored = model.stored(&mut connection.session(), false).await.during("reading a checkpoint")?;
        let _ = connection.done().await;
        let gone = || StoreError::Damaged(format!("the checkpoint of `{}` is gone: restore the database", model.spec.table));
        let stored = stored.ok_or_else(gone)?;
        self.census.seen(stored.last_event());
        model.current(&stored)
    }

    async fn rows(&self, model: usize, keys: &[Value]) -> Result<Vec<Option<Row>>, StoreError> {
        let model = self.model(model)?;
        check::keys(&model.spec, keys)?;
        model.check_current()?;
        let mut connection = self.met(For::Reading).await?;
        let rows = model.rows(&mut connection.session(), keys).await.during("reading rows")?;
        let _ = connection.done().await;
        Ok(rows)
    }

    async fn query(&self, model: usize, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        let model = self.model(model)?;
        model.check_current()?;
        let mut connection = self.met(For::Reading).await?;
        let rows = model.query(&mut connection.session(), query).await?;
        let _ = connection.done().await;
        Ok(rows)
    }

    async fn commit(&self, model: usize, changes: Vec<RowChange>, from: Checkpoint, to: Position) -> Result<(), CommitError> {
        self.commit_parking(model, changes, Vec::new(), from, to).await
    }

    async fn parked(&self, model: usize) -> Result<Vec<Parked>, StoreError> {
        let model = self.model(model)?;
        let mut connection = self.met(For::Reading).await?;
        let parked = model.parked(&mut connection.session()).await?;
        let _ = connection.done().await;
        Ok(parked)
    }

    async fn commit_parking(
        &self,
        model: usize,
        changes: Vec<RowChange>,
        parking: Vec<ParkingChange>,
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        const CONTEXT: &str = "storing rows";
        let model = self.model(model)?;
        let mut transaction = self.met(For::Commit).await?;
        match model.commit(&mut transaction.session(), &changes, &parking, from, to).await {
            Ok(()) => transaction.done().await.during(CONTEXT).map_err(CommitError::from),
            Err(why) => {
                let _ = transaction.rollback().await;
                Err(why)
            }
        }
    }

    async fn start_feeding(&self, model: usize, epoch: u64) -> Result<EarlierOwner, StoreError> {
        let model = self.model(model)?;
        let mut connection = self.connections.control().await?;
        let earlier = model.start_feeding(&mut connection.session(), epoch).await?;
        connection.done().await.during("taking over a read model")?;
        Ok(earlier)
    }

    async fn stop_feeding(&self, model: usize, epoch: u64) -> Result<(), StoreError> {
        let model = self.model(model)?;
        let mut connection = self.connections.control().await?;
        model.stop_feeding(&mut connection.session(), epoch).await?;
        connection.done().await.during("giving a read model back")
    }

    async fn mark_begun(&self, model: usize, event: &BegunEvent, forget: Option<Position>) -> Result<(), StoreError> {
        let model = self.model(model)?;
        let mut connection = self.connections.control().await?;
        model.mark_begun(&mut connection.session(), event, forget).await?;
        connection.done().await.during("noting an event that is folded")
    }

    async fn clear_begun(&self, model: usize, position: Position) -> Result<(), StoreError> {
        let model = self.model(model)?;
        let mut connection = self.connections.control().await?;
        model.clear_begun(&mut connection.session(), position).await?;
        connection.done().await.during("noting an event that is folded")
    }
}

#[async_trait]
impl Leases for Postgres {
    fn renew_every(&self) -> Duration {
        self.lease / 3
    }

    async fn acquire(&self, model: usize) -> Result<Option<Checkpoint>, StoreError> {
        const CONTEXT: &str = "taking over a read model";
        let model = self.model(model)?;
        let mut connection = self.met(For::Control).await?;
        let acquired = model.acquire(&mut connection.session(), self.lease).await.during(CONTEXT)?;
        connection.done().await.during(CONTEXT)?;
        self.census.seen(acquired.as_ref().and_then(StoredModel::last_event));
        Ok(acquired.map(|stored| stored.checkpoint))
    }

    async fn renew(&self, model: usize, epoch: u64) -> Result<bool, StoreError> {
        self.keep_for(model, epoch, self.lease).await
    }

    async fn release(&self, model: usize, epoch: u64) -> Result<(), StoreError> {
        self.keep_for(model, epoch, Duration::ZERO).await.map(drop)
    }
}
