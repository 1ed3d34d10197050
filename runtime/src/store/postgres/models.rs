//! The tables of read models, and the statements that read and write them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::append::counter;
use super::errors::{Sent, SqlResult, While, driver, is_unstorable};
use super::schema::quoted;
use super::session::{Ask as _, Session};
use super::writer::{Writer, uncommitted};
use crate::StreamName;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::read::{Column, ColumnKind, ColumnRole, Row, Value};
use crate::store::sql::PutError;
use crate::store::{
    Append, BegunEvent, Checkpoint, CommitError, EarlierOwner, InlineFold, ModelSpec, Parked, ParkingChange, RowChange, RowQuery,
    RowSet, check, sql,
};

/// The models in use, by their place.
pub(super) type Models = Vec<Arc<Model>>;

/// A read model in use, with its statements.
pub(super) struct Model {
    pub(super) spec: ModelSpec,
    schema: String,
    /// With its schema, in quotes.
    table: String,
    select: String,
    by_keys: String,
    upsert: String,
    delete: String,
    /// Another build has put rows of its own definition in the place of these.
    replaced: AtomicBool,
}

/// What the database says of a model.
pub(super) struct StoredModel {
    fingerprint: u64,
    columns: String,
    pub(super) checkpoint: Checkpoint,
    /// The id of the event at the checkpoint.
    event_id: Option<Uuid>,
}

/// The columns of a [`StoredModel`], of `gesta_models` as `m`.
const STORED: &str = "m.fingerprint, m.columns, m.position, m.epoch, \
    (select e.event_id from {schema}.gesta_events e where e.position = m.position)";

impl StoredModel {
    fn read(row: &PgRow) -> SqlResult<Self> {
        let checkpoint = Checkpoint { position: Position::new(counter(row, 2)?), epoch: counter(row, 3)? };
        let fingerprint = row.try_get::<i64, _>(0)?.cast_unsigned();
        Ok(StoredModel { fingerprint, columns: row.try_get(1)?, checkpoint, event_id: row.try_get(4)? })
    }

    /// The last event that is folded or passed over.
    pub(super) fn last_event(&self) -> Option<(Position, Uuid)> {
        Some((self.checkpoint.position, self.event_id?))
    }
}

/// A model whose table is there.
pub(super) struct PreparedModel {
    pub(super) checkpoint: Checkpoint,
    /// The fingerprint of rows that had to go.
    pub(super) replaced: Option<u64>,
    /// The last event that is folded or passed over.
    pub(super) last_event: Option<(Position, Uuid)>,
}

impl Model {
    pub(super) fn new(spec: ModelSpec, schema: &str) -> Self {
        let table = format!("{schema}.{}", quoted(spec.table));
        let columns: Vec<_> = spec.columns.iter().map(|c| quoted(c.name)).collect();
        let key = spec.key_column();
        let (key_name, key_type) = (columns.get(key).cloned().unwrap_or_default(), spec.columns.get(key).map_or("text", type_of));
        let select = format!("select {} from {table}", columns.join(", "));
        let by_keys = format!("{select} where {key_name} = any($1::{key_type}[])");
        let places = spec.columns.iter().zip(1..).map(|(column, n)| format!("${n}::{}[]", type_of(column)));
        let places: Vec<_> = places.collect();
        let others: Vec<_> = columns.iter().filter(|c| **c != key_name).map(|c| format!("{c} = excluded.{c}")).collect();
        let change = if others.is_empty() { "nothing".to_owned() } else { format!("update set {}", others.join(", ")) };
        let upsert = format!(
            "insert into {table} ({}) select * from unnest({}) on conflict ({key_name}) do {change}",
            columns.join(", "),
            places.join(", ")
        );
        let delete = format!("delete from {table} where {key_name} = any($1::{key_type}[])");
        Model { spec, schema: schema.to_owned(), table, select, by_keys, upsert, delete, replaced: AtomicBool::new(false) }
    }

    /// Joins the models in use: in the place its table has, or in a new one. Answers the place.
    pub(super) fn take_place(self: &Arc<Self>, in_use: &mut Models) -> usize {
        if let Some(place) = in_use.iter().position(|known| known.spec.table.eq_ignore_ascii_case(self.spec.table)) {
            in_use[place] = Arc::clone(self);
            return place;
        }
        in_use.push(Arc::clone(self));
        in_use.len() - 1
    }

    fn statement(&self, sql: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(sql.replace("{schema}", &self.schema))
    }

    /// What the database says of it; `None` where there is nothing of that name. Nobody changes it before the transaction ends, where
    /// that is asked for.
    pub(super) async fn stored(&self, connection: &mut Session<'_>, hold: bool) -> SqlResult<Option<StoredModel>> {
        let hold = if hold { " for update" } else { "" };
        let sql = format!("select {STORED} from {{schema}}.gesta_models as m where table_name = $1{hold}");
        let row = sqlx::query(self.statement(&sql)).bind(self.name()).optional(connection).await?;
        row.map(|row| StoredModel::read(&row)).transpose()
    }

    /// Names differ in more than their case, as in the other stores.
    fn name(&self) -> String {
        self.spec.table.to_ascii_lowercase()
    }

    /// Whether the database's table is of this definition.
    pub(super) fn is(&self, stored: &StoredModel) -> bool {
        stored.fingerprint == self.spec.fingerprint && stored.columns == sql::columns(&self.spec)
    }

    /// Where it stands, if its rows are of this definition.
    pub(super) fn current(&self, stored: &StoredModel) -> Result<Checkpoint, StoreError> {
        self.replaced.store(!self.is(stored), Ordering::Relaxed);
        self.check_current()?;
        Ok(stored.checkpoint)
    }

    /// That its rows were of this definition when that was looked at last.
    pub(super) fn check_current(&self) -> Result<(), StoreError> {
        if !self.replaced.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(self.is_replaced())
    }

    pub(super) fn is_replaced(&self) -> StoreError {
        let message =
            format!("another build has replaced `{}` by rows of its own definition: deploy that build here", self.spec.table);
        check::misuse("reading rows", message)
    }

    /// Takes it over, if nobody has it and its rows are of this definition. Whoever stores rows at this moment has it, however long that
    /// takes: that is not waited for.
    pub(super) async fn acquire(&self, connection: &mut Session<'_>, lease: Duration) -> SqlResult<Option<StoredModel>> {
        let sql = format!(
            "update {{schema}}.gesta_models as m set epoch = epoch + 1,
                owned_until = clock_timestamp() + $4 * interval '1 microsecond'
             where table_name = (
                select table_name from {{schema}}.gesta_models where table_name = $1 and fingerprint = $2 and columns = $3
                    and (owned_until is null or owned_until <= clock_timestamp()) for update skip locked
             ) returning {STORED}",
        );
        let query = sqlx::query(self.statement(&sql)).bind(self.name()).bind(self.spec.fingerprint.cast_signed());
        let row = query.bind(sql::columns(&self.spec)).bind(micros(lease)).optional(connection).await?;
        if let Some(row) = row {
            return StoredModel::read(&row).map(Some);
        }
        if let Some(stored) = self.stored(connection, false).await? {
            self.replaced.store(!self.is(&stored), Ordering::Relaxed);
        }
        Ok(None)
    }

    /// Keeps it for so long, unless it was taken over: answers whether it was kept. An error while rows are being stored: that is not
    /// waited for, and until it is over nobody takes it over.
    pub(super) async fn renew(&self, connection: &mut Session<'_>, epoch: u64, lease: Duration) -> Result<bool, StoreError> {
        const CONTEXT: &str = "keeping a read model, or giving it back";
        let sql = self.statement(
            "update {schema}.gesta_models set owned_until = clock_timestamp() + $3 * interval '1 microsecond' where table_name = (
                select table_name from {schema}.gesta_models where table_name = $1 and epoch = $2 for update skip locked
             )",
        );
        let query = sqlx::query(sql).bind(self.name()).bind(epoch.cast_signed()).bind(micros(lease));
        if query.run(connection).await.during(CONTEXT)? == 1 {
            return Ok(true);
        }
        let stored = self.stored(connection, false).await.during(CONTEXT)?;
        if stored.is_none_or(|stored| stored.checkpoint.epoch != epoch) {
            return Ok(false);
        }
        let message = format!("rows of `{}` are still being stored, by a statement whose answer was lost", self.spec.table);
        Err(StoreError::Driver { context: CONTEXT, message, transient: true })
    }

    /// Makes the table one of this definition.
    pub(super) async fn prepare(&self, connection: &mut Session<'_>) -> Result<PreparedModel, StoreError> {
        const CONTEXT: &str = "preparing a read model";
        let stored = self.stored(connection, true).await.during(CONTEXT)?;
        let there = sqlx::query("select to_regclass($1) is not null").bind(&self.table);
        let there: bool = there.value(connection).await.during(CONTEXT)?;
        if stored.is_none() && there {
            let message = format!("the database has {} already, which is not ours: give the read model another name", self.table);
            return Err(check::misuse(CONTEXT, message));
        }
        if let Some(stored) = &stored
            && there
            && self.is(stored)
        {
            let last_event = stored.last_event();
            return Ok(PreparedModel { checkpoint: stored.checkpoint, replaced: None, last_event });
        }
        let forget = self.statement("delete from {schema}.gesta_parked where table_name = $1");
        sqlx::query(forget).bind(self.name()).run(connection).await.during(CONTEXT)?;
        let forget = self.statement("delete from {schema}.gesta_begun where table_name = $1");
        sqlx::query(forget).bind(self.name()).run(connection).await.during(CONTEXT)?;
        let made = sqlx::raw_sql(AssertSqlSafe(self.definition())).run(connection).await.during(CONTEXT);
        made.map_err(|why| match why {
            StoreError::Driver { context, message, transient } => {
                let message = format!("the table of the read model `{}` can't be made: {message}", self.spec.table);
                StoreError::Driver { context, message, transient }
            }
            other => other,
        })?;
        let epoch = stored.as_ref().map_or(0, |stored| stored.checkpoint.epoch) + 1;
        let sql = self.statement(
            "insert into {schema}.gesta_models (table_name, fingerprint, columns, position, epoch) values ($1, $2, $3, 0, $4)
             on conflict (table_name) do update set fingerprint = excluded.fingerprint, columns = excluded.columns,
                position = 0, epoch = excluded.epoch, owned_until = null",
        );
        let query = sqlx::query(sql).bind(self.name()).bind(self.spec.fingerprint.cast_signed()).bind(sql::columns(&self.spec));
        query.bind(epoch.cast_signed()).run(connection).await.during(CONTEXT)?;
        let (checkpoint, replaced) = (Checkpoint { position: Position::ZERO, epoch }, stored.map(|stored| stored.fingerprint));
        Ok(PreparedModel { checkpoint, replaced, last_event: None })
    }

    fn definition(&self) -> String {
        let (schema, table) = (&self.schema, &self.table);
        let key = self.spec.columns.get(self.spec.key_column()).map_or(String::new(), |c| quoted(c.name));
        let mut sql = format!("drop table if exists {table}; create table {table} (");
        for column in self.spec.columns {
            let collation = if type_of(column) == "text" { " collate \"C\"" } else { "" };
            let not_null = if column.nullable && column.role != ColumnRole::Key { "" } else { " not null" };
            // Writing to a string can't fail.
            let _ = write!(sql, "{} {}{collation}{not_null}, ", quoted(column.name), type_of(column));
        }
        let _ = write!(sql, "primary key ({key}));");
        for column in self.spec.columns.iter().filter(|c| c.role == ColumnRole::Indexed) {
            let _ = write!(sql, " create index on {table} ({}, {key});", quoted(column.name));
        }
        let _ =
            write!(sql, " comment on table {table} is 'a read model of gesta, see {}.gesta_models'", schema.replace('\'', "''"));
        sql
    }

    /// The rows with these keys, in their order.
    pub(super) async fn rows(&self, connection: &mut Session<'_>, keys: &[Value]) -> SqlResult<Vec<Option<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(AssertSqlSafe(&*self.by_keys));
        // No row has a key that no text can hold.
        let possible = keys.iter().filter(|key| !has_zero_byte(key));
        let query = bind_all(query, self.spec.columns.get(self.spec.key_column()), possible);
        let mut found = HashMap::with_capacity(keys.len());
        for row in query.all(connection).await? {
            let row = self.read(&row)?;
            if let Some(key) = row.get(self.spec.key_column()) {
                found.insert(key.clone(), row);
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    fn read(&self, row: &PgRow) -> SqlResult<Row> {
        let value = |(at, column): (usize, &Column)| {
            Ok(match column.kind {
                ColumnKind::Integer => row.try_get::<Option<i64>, _>(at)?.map_or(Value::Null, Value::Integer),
                ColumnKind::Real => row.try_get::<Option<f64>, _>(at)?.map_or(Value::Null, Value::Real),
                ColumnKind::Text | ColumnKind::Json => row.try_get::<Option<String>, _>(at)?.map_or(Value::Null, Value::Text),
            })
        };
        self.spec.columns.iter().enumerate().map(value).collect()
    }

    /// Stores and removes rows.
    pub(super) async fn put(&self, connection: &mut Session<'_>, changes: &[RowChange]) -> Result<(), PutError<sqlx::Error>> {
        for change in changes {
            check::change(&self.spec, change).map_err(PutError::Unstorable)?;
            let texts = change.row.iter().flatten().chain([&change.key]);
            if texts.into_iter().any(has_zero_byte) {
                let message = format!(
                    "the row {} of `{}` holds a zero byte, which Postgres keeps in no text: take it out",
                    change.key, self.spec.table
                );
                return Err(PutError::Unstorable(check::misuse("storing a row", message)));
            }
        }
        // A statement touches each row once: the last change counts.
        let last: HashMap<_, _> = changes.iter().map(|change| (&change.key, change)).collect();
        let changes = || last.values().copied();
        let gone: Vec<_> = changes().filter(|change| change.row.is_none()).map(|change| &change.key).collect();
        if !gone.is_empty() {
            let query = sqlx::query(AssertSqlSafe(&*self.delete));
            let query = bind_all(query, self.spec.columns.get(self.spec.key_column()), gone.into_iter());
            query.run(connection).await?;
        }
        let rows: Vec<_> = changes().filter_map(|change| change.row.as_ref()).collect();
        if !rows.is_empty() {
            let mut query = sqlx::query(AssertSqlSafe(&*self.upsert));
            for (at, column) in self.spec.columns.iter().enumerate() {
                query = bind_all(query, Some(column), rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null)));
            }
            query.run(connection).await?;
        }
        Ok(())
    }

    /// Stores rows and moves the checkpoint, if it stands where it is expected.
    pub(super) async fn commit(
        &self,
        connection: &mut Session<'_>,
        changes: &[RowChange],
        parking: &[ParkingChange],
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        let sql = self
            .statement("update {schema}.gesta_models set position = $2 where table_name = $1 and position = $3 and epoch = $4");
        let query = sqlx::query(sql).bind(self.name()).bind(to.get().cast_signed());
        let query = query.bind(from.position.get().cast_signed()).bind(from.epoch.cast_signed());
        let moved = query.run(connection).await.during("moving a checkpoint")?;
        if moved != 1 {
            return Err(CommitError::Superseded);
        }
        self.put(connection, changes).await.map_err(|why| match why {
            PutError::Unstorable(why) => CommitError::Unstorable(why),
            PutError::Failed(error) => driver("storing rows", &error).into(),
        })?;
        for change in parking {
            self.change_parking(connection, change).await.during("parking a stream")?;
        }
        Ok(())
    }

    async fn change_parking(&self, connection: &mut Session<'_>, change: &ParkingChange) -> SqlResult<()> {
        let query = match change {
            ParkingChange::Park(Parked { stream, version, position, name, schema_version, why }) => {
                let sql = self.statement(
                    "insert into {schema}.gesta_parked (table_name, stream, version, position, name, schema_version, why)
                     values ($1, $2, $3, $4, $5, $6, $7)
                     on conflict (table_name, stream) do update set version = excluded.version, position = excluded.position,
                        name = excluded.name, schema_version = excluded.schema_version, why = excluded.why",
                );
                let query = sqlx::query(sql).bind(self.name()).bind(stream.as_str()).bind(version.get().cast_signed());
                let query = query.bind(position.get().cast_signed()).bind(name).bind(i64::from(*schema_version));
                // Told to people only.
                query.bind(why.replace('\0', "\u{fffd}"))
            }
            ParkingChange::Release(stream) => {
                let sql = self.statement("delete from {schema}.gesta_parked where table_name = $1 and stream = $2");
                sqlx::query(sql).bind(self.name()).bind(stream.as_str())
            }
        };
        query.run(connection).await.map(drop)
    }

    /// The streams that are parked, by the positions of their events.
    pub(super) async fn parked(&self, connection: &mut Session<'_>) -> Result<Vec<Parked>, StoreError> {
        const CONTEXT: &str = "reading what is parked";
        let sql = self.statement(
            "select stream, version, position, name, schema_version, why from {schema}.gesta_parked
             where table_name = $1 order by position",
        );
        let rows = sqlx::query(sql).bind(self.name()).all(connection).await.during(CONTEXT)?;
        let read = |row: &PgRow| {
            let stream = StreamName::parse(row.try_get(0).during(CONTEXT)?)
                .map_err(|why| StoreError::Damaged(format!("a parked stream of `{}`: {why}", self.spec.table)))?;
            let read = || {
                let (version, position) = (Version::new(counter(row, 1)?), Position::new(counter(row, 2)?));
                let schema_version = u32::try_from(counter(row, 4)?).map_err(|why| sqlx::Error::Decode(why.into()))?;
                Ok(Parked { stream, version, position, name: row.try_get(3)?, schema_version, why: row.try_get(5)? })
            };
            read().during(CONTEXT)
        };
        rows.iter().map(read).collect()
    }

    /// Notes the owner; answers what is known of the one before.
    pub(super) async fn start_feeding(&self, connection: &mut Session<'_>, epoch: u64) -> Result<EarlierOwner, StoreError> {
        const CONTEXT: &str = "taking over a read model";
        let sql = self.statement(
            "with earlier as (
                select position, stream, times, build, epoch from {schema}.gesta_begun where table_name = $1
             ), noted as (
                insert into {schema}.gesta_begun (table_name, position, stream, times, build, epoch)
                values ($1, 0, '', 0, 0, $2) on conflict (table_name, position) do update set epoch = excluded.epoch
             ) select position, stream, times, build, epoch from earlier order by position",
        );
        let rows = sqlx::query(sql).bind(self.name()).bind(epoch.cast_signed()).all(connection).await.during(CONTEXT)?;
        let mut earlier = EarlierOwner::default();
        for row in &rows {
            let position = counter(row, 0).during(CONTEXT)?;
            if position == 0 {
                earlier.died = counter(row, 4).during(CONTEXT)? != epoch;
                continue;
            }
            let stream = StreamName::parse(row.try_get(1).during(CONTEXT)?)
                .map_err(|why| StoreError::Damaged(format!("an event that `{}` has begun: {why}", self.spec.table)))?;
            let times = u32::try_from(counter(row, 2).during(CONTEXT)?).unwrap_or(u32::MAX);
            let build = row.try_get::<i64, _>(3).during(CONTEXT)?.cast_unsigned();
            earlier.begun.push(BegunEvent { position: Position::new(position), stream, times, build });
        }
        Ok(earlier)
    }

    pub(super) async fn stop_feeding(&self, connection: &mut Session<'_>, epoch: u64) -> Result<(), StoreError> {
        let sql = self.statement("delete from {schema}.gesta_begun where table_name = $1 and position = 0 and epoch = $2");
        let query = sqlx::query(sql).bind(self.name()).bind(epoch.cast_signed());
        query.run(connection).await.map(drop).during("giving a read model back")
    }

    pub(super) async fn mark_begun(
        &self,
        connection: &mut Session<'_>,
        event: &BegunEvent,
        forget: Option<Position>,
    ) -> Result<(), StoreError> {
        let sql = self.statement(
            "with forgotten as (
                delete from {schema}.gesta_begun where table_name = $1 and position = $6 and position <> $2
             ) insert into {schema}.gesta_begun (table_name, position, stream, times, build, epoch)
             values ($1, $2, $3, $4, $5, 0)
             on conflict (table_name, position) do update set times = excluded.times, build = excluded.build",
        );
        let query = sqlx::query(sql).bind(self.name()).bind(event.position.get().cast_signed()).bind(event.stream.as_str());
        let query = query.bind(i64::from(event.times)).bind(event.build.cast_signed());
        let query = query.bind(forget.map(|position| position.get().cast_signed()));
        query.run(connection).await.map(drop).during("noting an event that is folded")
    }

    pub(super) async fn clear_begun(&self, connection: &mut Session<'_>, position: Position) -> Result<(), StoreError> {
        let sql = self.statement("delete from {schema}.gesta_begun where table_name = $1 and position = $2");
        let query = sqlx::query(sql).bind(self.name()).bind(position.get().cast_signed());
        query.run(connection).await.map(drop).during("noting an event that is folded")
    }

    /// The rows a query asks for.
    pub(super) async fn query(&self, connection: &mut Session<'_>, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        check::query(&self.spec, query)?;
        let after = query.after.iter().flat_map(|(value, key)| [value, key]);
        if query.from.iter().chain(&query.to).chain(after).any(has_zero_byte) {
            let message = format!("`{}` is asked for a text with a zero byte, which Postgres keeps in none", self.spec.table);
            return Err(check::misuse("reading rows", format!("{message}: take it out")));
        }
        let mut rows = Vec::new();
        for part in sql::parts(&self.spec, &self.select, query, '$') {
            if rows.len() < query.max {
                let max = i64::try_from(query.max - rows.len()).unwrap_or(i64::MAX);
                let mut statement = sqlx::query(AssertSqlSafe(part.sql));
                for value in part.values {
                    statement = match value {
                        Value::Null => statement.bind(None::<String>),
                        Value::Integer(n) => statement.bind(n),
                        Value::Real(n) => statement.bind(n),
                        Value::Text(text) => statement.bind(text),
                    };
                }
                let found = statement.bind(max).all(connection).await.during("reading rows")?;
                for row in &found {
                    rows.push(self.read(row).during("reading rows")?);
                }
            }
        }
        Ok(rows)
    }
}

impl From<sqlx::Error> for PutError<sqlx::Error> {
    fn from(error: sqlx::Error) -> Self {
        if is_unstorable(&error) { PutError::Unstorable(driver("storing a row", &error)) } else { PutError::Failed(error) }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn has_zero_byte(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains('\0'))
}

fn type_of(column: &Column) -> &'static str {
    match column.kind {
        ColumnKind::Integer => "int8",
        ColumnKind::Real => "float8",
        ColumnKind::Text | ColumnKind::Json => "text",
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds the values of one column as an array.
fn bind_all<'q, 'v>(query: Statement<'q>, column: Option<&Column>, values: impl Iterator<Item = &'v Value>) -> Statement<'q> {
    match column.map_or(ColumnKind::Text, |column| column.kind) {
        ColumnKind::Integer => {
            query.bind(values.map(|value| if let Value::Integer(n) = value { Some(*n) } else { None }).collect::<Vec<_>>())
        }
        ColumnKind::Real => {
            query.bind(values.map(|value| if let Value::Real(n) = value { Some(*n) } else { None }).collect::<Vec<_>>())
        }
        ColumnKind::Text | ColumnKind::Json => query
            .bind(values.map(|value| if let Value::Text(text) = value { Some(text.clone()) } else { None }).collect::<Vec<_>>()),
    }
}

/// The models in a transaction that has the lock alone, with how far they have come in it.
#[derive(Clone)]
pub(super) struct Held {
    models: Arc<Models>,
    checkpoints: Vec<Option<u64>>,
    moved: Vec<bool>,
    schema: String,
}

impl Held {
    pub(super) fn get(&self, place: usize) -> Option<&Arc<Model>> {
        self.models.get(place)
    }
    pub(super) fn checkpoint(&self, place: usize) -> Option<u64> {
        self.checkpoints.get(place).copied().flatten()
    }
    /// Lets those come along that an append carries and that stood at the last event before it.
    pub(super) fn moved(&mut self, fold: &dyn InlineFold, before: u64, to: u64) {
        for (place, (model, at)) in self.models.iter().zip(&mut self.checkpoints).enumerate() {
            if model.spec.inline && *at == Some(before) && fold.carries(place) {
                *at = Some(to);
                self.moved[place] = true;
            }
        }
    }
    /// Writes the rows that were folded, and how far the models have come.
    pub(super) async fn store(self, connection: &mut Session<'_>, rows: RowSet) -> Result<(), Sent> {
        let mut changes: HashMap<usize, Vec<RowChange>> = HashMap::new();
        for (place, change) in rows.changes() {
            changes.entry(place).or_default().push(change);
        }
        for (place, changes) in changes {
            let model = self.models.get(place).ok_or_else(|| Sent::Refused(check::unknown_model(place).into()))?;
            model.put(connection, &changes).await.map_err(|why| match why {
                PutError::Unstorable(why) => Sent::Refused(why.into()),
                PutError::Failed(error) => uncommitted(&error),
            })?;
        }
        let all = self.models.iter().zip(&self.checkpoints).zip(&self.moved);
        let moved = all.filter(|(_, moved)| **moved);
        let (mut names, mut positions) = (Vec::new(), Vec::new());
        for ((model, at), _) in moved {
            names.push(model.name());
            positions.push(at.unwrap_or(0).cast_signed());
        }
        if !names.is_empty() {
            let moves = format!(
                "update {}.gesta_models m set position = t.position from unnest($1::text[], $2::int8[]) as t(name, position)
                 where m.table_name = t.name",
                self.schema
            );
            let query = sqlx::query(AssertSqlSafe(moves)).bind(names).bind(positions);
            query.run(connection).await.map_err(|error| uncommitted(&error))?;
        }
        Ok(())
    }
}

impl Writer {
    /// Takes the models into the transaction that its appends carry; and the position of the last event.
    pub(super) async fn hold_models(&self, connection: &mut Session<'_>, appends: &[&Append]) -> Result<(Held, u64), Sent> {
        let schema = &self.place.schema;
        let models = Arc::clone(&self.models.read().unwrap_or_else(std::sync::PoisonError::into_inner));
        let mut checkpoints = vec![None; models.len()];
        if appends.iter().any(|append| append.inline.is_some()) {
            for (place, model) in models.iter().enumerate().filter(|(_, model)| model.spec.inline) {
                let stored = model.stored(connection, true).await.map_err(|error| uncommitted(&error))?;
                checkpoints[place] = stored.filter(|stored| model.is(stored)).map(|stored| stored.checkpoint.position.get());
            }
        }
        let head = format!("select coalesce(max(position), 0) from {schema}.gesta_events");
        let head: i64 = sqlx::query(AssertSqlSafe(head)).value(connection).await.map_err(|error| uncommitted(&error))?;
        let moved = vec![false; models.len()];
        Ok((Held { models, checkpoints, moved, schema: schema.clone() }, head.unsigned_abs()))
    }
}
