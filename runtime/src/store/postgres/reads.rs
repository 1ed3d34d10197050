//! Reading events: one statement, streamed, so memory does not grow with what is read.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::append::counter;
use super::census::{Known, SERVER};
use super::errors::{SqlResult, While};
use super::pool::Lent;
use super::seen::SEEN_MAX;
use super::session::{Ask as _, Session};
use super::watch;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{StoredEvent, StoredType, Visit};
use crate::{StreamName, Timestamp};

const CONTEXT: &str = "reading events";

pub(super) struct Reads {
    pub(super) stream: String,
    all: String,
    types: String,
    head: String,
}

/// What a read has come to.
pub(super) struct Visited {
    pub(super) count: usize,
    /// The events that were visited last, [`SEEN_MAX`] at most.
    pub(super) last: VecDeque<(Position, Uuid)>,
    pub(super) ended: bool,
}

impl Reads {
    pub(super) fn new(schema: &str) -> Self {
        let select = format!(
            "select position, stream, version, name, schema_version, event_id, recorded_at, occurred_at, correlation_id,
                causation_id, actor, payload from {schema}.gesta_events"
        );
        Reads {
            stream: format!("{select} where stream = $1 and version > $2 order by version limit $3"),
            all: format!(
                "{select} where position > $1 and position <= $2 and {SERVER} = $4 and {settings} = $5
                order by position limit $3",
                settings = watch::current(schema)
            ),
            types: format!(
                "select aggregate, name, schema_version, first_position from {schema}.gesta_event_types
                 order by aggregate, name, schema_version"
            ),
            head: format!("select position, event_id from {schema}.gesta_events order by position desc limit 1"),
        }
    }

    pub(super) async fn stream(
        &self,
        connection: Lent,
        stream: &StreamName,
        after: Version,
        max: usize,
        visit: Visit<'_>,
    ) -> Result<Visited, StoreError> {
        let query =
            sqlx::query(AssertSqlSafe(&*self.stream)).bind(stream.as_str()).bind(number(after.get())).bind(row_limit(max));
        visit_all(connection, query, max, visit).await
    }

    /// The events after a position, up to the last one that is settled; none where another server answers than the one that said so,
    /// which may give the same positions to other events; and none where the settings are no longer those that were trusted.
    pub(super) async fn all(
        &self,
        connection: Lent,
        after: Position,
        known: Known,
        max: usize,
        visit: Visit<'_>,
    ) -> Result<Visited, StoreError> {
        let query = sqlx::query(AssertSqlSafe(&*self.all)).bind(number(after.get())).bind(number(known.last));
        let query = query.bind(row_limit(max)).bind(known.server).bind(known.settings);
        visit_all(connection, query, max, visit).await
    }

    pub(super) async fn types(&self, connection: &mut Session<'_>) -> Result<Vec<StoredType>, StoreError> {
        const CONTEXT: &str = "reading the kinds of events";
        let rows = sqlx::query(AssertSqlSafe(&*self.types)).all(connection).await.during(CONTEXT)?;
        let read = |row: &PgRow| {
            let schema_version = schema_version(row, 2)?;
            let first_position = Position::new(counter(row, 3)?);
            Ok(StoredType { aggregate: row.try_get(0)?, name: row.try_get(1)?, schema_version, first_position })
        };
        rows.iter().map(read).collect::<SqlResult<_>>().during(CONTEXT)
    }

    /// The last event that is committed, settled or not; `None` in an empty store.
    pub(super) async fn head(&self, connection: &mut Session<'_>) -> Result<Option<(Position, Uuid)>, StoreError> {
        const CONTEXT: &str = "reading the last position";
        let row = sqlx::query(AssertSqlSafe(&*self.head)).optional(connection).await.during(CONTEXT)?;
        let read = |row: PgRow| Ok((Position::new(counter(&row, 0)?), row.try_get(1)?));
        row.map(read).transpose().during(CONTEXT)
    }
}

async fn visit_all(
    mut connection: Lent,
    query: Query<'_, Postgres, PgArguments>,
    max: usize,
    visit: Visit<'_>,
) -> Result<Visited, StoreError> {
    let visited = match visit_rows(&mut connection.session(), query, visit).await {
        Ok(visited) => visited,
        Err(why) => {
            connection.interrupt(max).await;
            return Err(why);
        }
    };
    if visited.ended {
        connection.interrupt(max - visited.count).await;
    } else {
        // Everything was read by then.
        let _ = connection.done().await;
    }
    Ok(visited)
}

pub(super) async fn visit_rows(
    connection: &mut Session<'_>,
    query: Query<'_, Postgres, PgArguments>,
    visit: Visit<'_>,
) -> Result<Visited, StoreError> {
    let mut visited = Visited { count: 0, last: VecDeque::new(), ended: false };
    let mut rows = query.rows(connection);
    while let Some(row) = rows.try_next().await.during(CONTEXT)? {
        let event = event(&row).map_err(|why| {
            let position = row.try_get::<i64, _>(0).unwrap_or_default();
            StoreError::Damaged(format!(
                "the event at position {position} can't be read: {why}: restore the database from a backup"
            ))
        })?;
        visited.count += 1;
        if visited.last.len() == SEEN_MAX {
            visited.last.pop_front();
        }
        visited.last.push_back((event.position, event.id));
        if let ControlFlow::Break(()) = visit(event) {
            visited.ended = true;
            break;
        }
    }
    Ok(visited)
}

fn event(row: &PgRow) -> SqlResult<StoredEvent<'_>> {
    let id = row.try_get(5)?;
    let recorded_at = Timestamp::from_micros(row.try_get(6)?);
    Ok(StoredEvent {
        position: Position::new(counter(row, 0)?),
        stream: row.try_get(1)?,
        version: Version::new(counter(row, 2)?),
        name: row.try_get(3)?,
        schema_version: schema_version(row, 4)?,
        payload: row.try_get(11)?,
        id,
        recorded_at,
        occurred_at: row.try_get::<Option<i64>, _>(7)?.map_or(recorded_at, Timestamp::from_micros),
        correlation_id: row.try_get::<Option<Uuid>, _>(8)?.unwrap_or(id),
        causation_id: row.try_get(9)?,
        actor: row.try_get(10)?,
    })
}

fn schema_version(row: &PgRow, at: usize) -> SqlResult<u32> {
    u32::try_from(counter(row, at)?).map_err(|why| sqlx::Error::Decode(why.into()))
}

pub(super) fn number(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

pub(super) fn row_limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
