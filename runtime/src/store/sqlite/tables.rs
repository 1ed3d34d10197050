//! The tables of read models, and the statements that read and write them.

use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::batch::number;
use super::errors::{SqlResult, While, counter, driver, is_unstorable};
use crate::StreamName;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::read::{ColumnKind, ColumnRole, Row, Value};
use crate::store::sql::PutError;
use crate::store::{
    BegunEvent, Checkpoint, CommitError, EarlierOwner, ModelSpec, Parked, ParkingChange, RowChange, RowQuery, check, sql,
};

const PUTTING: &str = "storing a row";

/// A read model in use, with its statements.
pub(super) struct Model {
    pub(super) spec: ModelSpec,
    select: String,
    by_key: String,
    upsert: String,
    delete: String,
}

/// What the file says of a model.
pub(super) struct StoredModel {
    pub(super) fingerprint: u64,
    pub(super) columns: String,
    pub(super) checkpoint: Checkpoint,
}

impl Model {
    pub(super) fn new(spec: ModelSpec) -> Self {
        let table = spec.table;
        let columns: Vec<_> = spec.columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
        let key = columns.get(spec.key_column()).cloned().unwrap_or_default();
        let select = format!("SELECT {} FROM \"{table}\"", columns.join(", "));
        let by_key = format!("{select} WHERE {key} = ?1");
        let places: Vec<_> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let others: Vec<_> = columns.iter().filter(|c| **c != key).map(|c| format!("{c} = excluded.{c}")).collect();
        let change = if others.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", others.join(", ")) };
        let upsert = format!(
            "INSERT INTO \"{table}\" ({}) VALUES ({}) ON CONFLICT ({key}) DO {change}",
            columns.join(", "),
            places.join(", ")
        );
        let delete = format!("DELETE FROM \"{table}\" WHERE {key} = ?1");
        Model { spec, select, by_key, upsert, delete }
    }

    /// Joins the models in use: in the place its table has, or in a new one. Answers the place.
    pub(super) fn take_place(self: &Arc<Self>, in_use: &mut Vec<Arc<Model>>) -> usize {
        let mut known = in_use.iter_mut().enumerate();
        if let Some((place, known)) = known.find(|(_, known)| known.spec.table.eq_ignore_ascii_case(self.spec.table)) {
            *known = Arc::clone(self);
            return place;
        }
        in_use.push(Arc::clone(self));
        in_use.len() - 1
    }

    /// What the file says of it; `None` where there is nothing of that name.
    pub(super) fn stored(&self, connection: &Connection) -> Result<Option<StoredModel>, StoreError> {
        let sql = "SELECT fingerprint, columns, position, epoch FROM gesta_models WHERE table_name = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let checkpoint = Checkpoint { position: Position::new(counter(row, 2)?), epoch: counter(row, 3)? };
            Ok(StoredModel { fingerprint: row.get::<_, i64>(0)?.cast_unsigned(), columns: row.get(1)?, checkpoint })
        };
        let row = connection.prepare_cached(sql).and_then(|mut sql| sql.query_row([self.spec.table], read).optional());
        row.during("reading a checkpoint")
    }

    /// Whether the file's table is of this definition.
    pub(super) fn is(&self, stored: &StoredModel) -> bool {
        stored.fingerprint == self.spec.fingerprint && stored.columns == sql::columns(&self.spec)
    }

    /// Makes the table one of this definition, and this owner its owner; answers the fingerprint of rows that had to go.
    pub(super) fn prepare(&self, connection: &Connection) -> Result<(Checkpoint, Option<u64>), StoreError> {
        let context = "preparing a read model";
        let table = self.spec.table;
        let stored = self.stored(connection)?;
        let sql = "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
        let there: Option<String> = connection.query_row(sql, [table], |row| row.get(0)).optional().during(context)?;
        if stored.is_none() && there.is_some() {
            let message = format!("the file has a table `{table}` that is not ours: give the read model another name");
            return Err(check::misuse(context, message));
        }
        let epoch = stored.as_ref().map_or(0, |stored| stored.checkpoint.epoch) + 1;
        let (mut position, mut replaced) = (Position::ZERO, None);
        match stored {
            Some(stored) if there.is_some() && self.is(&stored) => position = stored.checkpoint.position,
            stored => {
                replaced = stored.map(|stored| stored.fingerprint);
                connection.execute("DELETE FROM gesta_parked WHERE table_name = ?1", [table]).during(context)?;
                connection.execute("DELETE FROM gesta_begun WHERE table_name = ?1", [table]).during(context)?;
                connection.execute_batch(&self.definition()).during(context)?;
            }
        }
        let sql = "INSERT INTO gesta_models (table_name, fingerprint, columns, position, epoch) VALUES (?1, ?2, ?3, ?4, ?5) \
            ON CONFLICT (table_name) DO UPDATE SET table_name = excluded.table_name, fingerprint = excluded.fingerprint, \
            columns = excluded.columns, position = excluded.position, epoch = excluded.epoch";
        let fingerprint = self.spec.fingerprint.cast_signed();
        let values = params![table, fingerprint, sql::columns(&self.spec), number(position.get()), number(epoch)];
        connection.execute(sql, values).during(context)?;
        Ok((Checkpoint { position, epoch }, replaced))
    }

    fn definition(&self) -> String {
        let table = self.spec.table;
        let key = self.spec.columns.get(self.spec.key_column()).map_or("", |c| c.name);
        let mut sql = format!("DROP TABLE IF EXISTS \"{table}\"; CREATE TABLE \"{table}\" (");
        for column in self.spec.columns {
            let kind = match column.kind {
                ColumnKind::Integer => "INTEGER",
                ColumnKind::Real => "REAL",
                ColumnKind::Text | ColumnKind::Json => "TEXT",
            };
            let not_null = if column.nullable && column.role != ColumnRole::Key { "" } else { " NOT NULL" };
            let _ = write!(sql, "\"{}\" {kind}{not_null}, ", column.name);
        }
        let _ = write!(sql, "PRIMARY KEY (\"{key}\")) STRICT, WITHOUT ROWID;");
        for column in self.spec.columns.iter().filter(|c| c.role == ColumnRole::Indexed) {
            let name = column.name;
            // An index shares its names with tables, and no table has a point in its name.
            let _ = write!(sql, "CREATE INDEX \"{table}.{name}\" ON \"{table}\" (\"{name}\", \"{key}\");");
        }
        sql
    }

    /// The row with this key.
    pub(super) fn row(&self, connection: &Connection, key: &Value) -> SqlResult<Option<Row>> {
        let mut statement = connection.prepare_cached(&self.by_key)?;
        statement.query_row([Sql(key)], |row| self.read(row)).optional()
    }

    fn read(&self, row: &rusqlite::Row<'_>) -> SqlResult<Row> {
        (0..self.spec.columns.len())
            .map(|at| match row.get_ref(at)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(n) => Ok(Value::Integer(n)),
                ValueRef::Real(n) => Ok(Value::Real(n)),
                ValueRef::Text(_) => row.get(at).map(Value::Text),
                ValueRef::Blob(_) => {
                    Err(rusqlite::Error::InvalidColumnType(at, self.select.clone(), rusqlite::types::Type::Blob))
                }
            })
            .collect()
    }

    /// Stores or removes a row.
    pub(super) fn put(&self, connection: &Connection, change: &RowChange) -> Result<(), PutError<rusqlite::Error>> {
        check::change(&self.spec, change).map_err(PutError::Unstorable)?;
        let done = match &change.row {
            Some(row) => {
                connection.prepare_cached(&self.upsert).and_then(|mut sql| sql.execute(params_from_iter(row.iter().map(Sql))))
            }
            None => connection.prepare_cached(&self.delete).and_then(|mut sql| sql.execute([Sql(&change.key)])),
        };
        done.map(drop).map_err(|error| {
            if is_unstorable(&error) { PutError::Unstorable(driver(PUTTING, &error)) } else { PutError::Failed(error) }
        })
    }

    /// Moves the checkpoint along with an append.
    pub(super) fn move_to(&self, connection: &Connection, position: u64) -> Result<(), StoreError> {
        let sql = "UPDATE gesta_models SET position = ?2 WHERE table_name = ?1";
        let moved = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(params![self.spec.table, number(position)]));
        match moved.during("moving a checkpoint")? {
            1 => Ok(()),
            _ => Err(StoreError::Damaged(format!("the checkpoint of `{}` is gone: restore the file", self.spec.table))),
        }
    }

    /// Stores rows and moves the checkpoint, if it stands where it is expected.
    pub(super) fn commit(
        &self,
        connection: &Connection,
        changes: &[RowChange],
        parking: &[ParkingChange],
        from: Checkpoint,
        to: Position,
    ) -> Result<(), CommitError> {
        let sql = "UPDATE gesta_models SET position = ?2 WHERE table_name = ?1 AND position = ?3 AND epoch = ?4";
        let values = params![self.spec.table, number(to.get()), number(from.position.get()), number(from.epoch)];
        let moved = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
        if moved.during("moving a checkpoint")? != 1 {
            return Err(CommitError::Superseded);
        }
        changes.iter().try_for_each(|change| self.put(connection, change)).map_err(|why| match why {
            PutError::Unstorable(why) => CommitError::Unstorable(why),
            PutError::Failed(error) => driver(PUTTING, &error).into(),
        })?;
        Ok(parking.iter().try_for_each(|change| self.change_parking(connection, change))?)
    }

    /// The streams that are parked, by the positions of their events.
    pub(super) fn parked(&self, connection: &Connection) -> Result<Vec<Parked>, StoreError> {
        let context = "reading what is parked";
        // Who only reads may have opened a file of the first format.
        let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'gesta_parked'";
        let there = connection.prepare_cached(there).and_then(|mut sql| sql.query_row([], |row| row.get::<_, i64>(0)));
        if there.during(context)? == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT stream, version, position, name, schema_version, why FROM gesta_parked WHERE table_name = ?1 \
            ORDER BY position";
        let mut statement = connection.prepare_cached(sql).during(context)?;
        let mut rows = statement.query([self.spec.table]).during(context)?;
        let mut parked = Vec::new();
        while let Some(row) = rows.next().during(context)? {
            let stream: String = row.get(0).during(context)?;
            let stream = StreamName::parse(&stream)
                .map_err(|why| StoreError::Damaged(format!("a parked stream of `{}`: {why}", self.spec.table)))?;
            let read = || {
                let (version, position) = (Version::new(counter(row, 1)?), Position::new(counter(row, 2)?));
                Ok(Parked { stream, version, position, name: row.get(3)?, schema_version: row.get(4)?, why: row.get(5)? })
            };
            parked.push(read().during(context)?);
        }
        Ok(parked)
    }

    fn change_parking(&self, connection: &Connection, change: &ParkingChange) -> Result<(), StoreError> {
        let table = self.spec.table;
        let done = match change {
            ParkingChange::Park(Parked { stream, version, position, name, schema_version, why }) => {
                let sql = "INSERT OR REPLACE INTO gesta_parked (table_name, stream, version, position, name, schema_version, why) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let (version, position) = (number(version.get()), number(position.get()));
                let values = params![table, stream.as_str(), version, position, name, schema_version, why];
                connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values))
            }
            ParkingChange::Release(stream) => {
                let sql = "DELETE FROM gesta_parked WHERE table_name = ?1 AND stream = ?2";
                connection.prepare_cached(sql).and_then(|mut sql| sql.execute([table, stream.as_str()]))
            }
        };
        done.map(drop).during("parking a stream")
    }

    /// Notes the owner; answers what is known of the one before.
    pub(super) fn start_feeding(&self, connection: &Connection, epoch: u64) -> Result<EarlierOwner, StoreError> {
        let (context, table) = ("taking over a read model", self.spec.table);
        let sql = "SELECT position, stream, times, build, epoch FROM gesta_begun WHERE table_name = ?1 ORDER BY position";
        let mut earlier = EarlierOwner::default();
        {
            let mut statement = connection.prepare_cached(sql).during(context)?;
            let mut rows = statement.query([table]).during(context)?;
            while let Some(row) = rows.next().during(context)? {
                let position = counter(row, 0).during(context)?;
                if position == 0 {
                    earlier.died = counter(row, 4).during(context)? != epoch;
                    continue;
                }
                let stream: String = row.get(1).during(context)?;
                let stream = StreamName::parse(&stream)
                    .map_err(|why| StoreError::Damaged(format!("an event that `{table}` has begun: {why}")))?;
                let (times, build) = (row.get(2).during(context)?, row.get::<_, i64>(3).during(context)?.cast_unsigned());
                earlier.begun.push(BegunEvent { position: Position::new(position), stream, times, build });
            }
        }
        let sql = "INSERT OR REPLACE INTO gesta_begun (table_name, position, stream, times, build, epoch) \
            VALUES (?1, 0, '', 0, 0, ?2)";
        connection.prepare_cached(sql).and_then(|mut sql| sql.execute(params![table, number(epoch)])).during(context)?;
        Ok(earlier)
    }

    pub(super) fn stop_feeding(&self, connection: &Connection, epoch: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM gesta_begun WHERE table_name = ?1 AND position = 0 AND epoch = ?2";
        let done = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(params![self.spec.table, number(epoch)]));
        done.map(drop).during("giving a read model back")
    }

    pub(super) fn mark_begun(
        &self,
        connection: &Connection,
        event: &BegunEvent,
        forget: Option<Position>,
    ) -> Result<(), StoreError> {
        if let Some(position) = forget.filter(|position| *position != event.position) {
            self.clear_begun(connection, position)?;
        }
        let sql = "INSERT OR REPLACE INTO gesta_begun (table_name, position, stream, times, build, epoch) \
            VALUES (?1, ?2, ?3, ?4, ?5, 0)";
        let BegunEvent { position, stream, times, build } = event;
        let values = params![self.spec.table, number(position.get()), stream.as_str(), times, build.cast_signed()];
        let done = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
        done.map(drop).during("noting an event that is folded")
    }

    pub(super) fn clear_begun(&self, connection: &Connection, position: Position) -> Result<(), StoreError> {
        let sql = "DELETE FROM gesta_begun WHERE table_name = ?1 AND position = ?2";
        let values = params![self.spec.table, number(position.get())];
        let done = connection.prepare_cached(sql).and_then(|mut sql| sql.execute(values));
        done.map(drop).during("noting an event that is folded")
    }

    /// The rows a query asks for.
    pub(super) fn query(&self, connection: &Connection, query: &RowQuery) -> Result<Vec<Row>, StoreError> {
        check::query(&self.spec, query)?;
        let mut rows = Vec::new();
        for part in sql::parts(&self.spec, &self.select, query, '?') {
            if rows.len() < query.max {
                self.read_part(connection, &part, query.max - rows.len(), &mut rows).during("reading rows")?;
            }
        }
        Ok(rows)
    }

    fn read_part(&self, connection: &Connection, part: &sql::Part, max: usize, rows: &mut Vec<Row>) -> SqlResult<()> {
        let max = Value::Integer(i64::try_from(max).unwrap_or(i64::MAX));
        let mut statement = connection.prepare_cached(&part.sql)?;
        let mut found = statement.query(params_from_iter(part.values.iter().chain([&max]).map(Sql)))?;
        while let Some(row) = found.next()? {
            rows.push(self.read(row)?);
        }
        Ok(())
    }
}

/// A value as SQLite takes it.
struct Sql<'v>(&'v Value);

impl ToSql for Sql<'_> {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(n) => ValueRef::Integer(*n),
            Value::Real(n) => ValueRef::Real(*n),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
