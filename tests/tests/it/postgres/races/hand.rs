//! Events as they are appended here: by gesta's own store, or by statements that people write.
//!
//! The statements go as plain text, so that they pass through a pooler that gives each transaction another session.

use gesta::store::{Append, NewEvent, StreamAppend};
use gesta::{StreamName, Timestamp, Uuid, Version};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::parse(name).expect("it is the name of a stream")
}

/// The part of an append that belongs to a stream: these events.
pub(crate) fn part(stream: &StreamName, expected: u64, ids: &[Uuid]) -> StreamAppend {
    let event = |id: &Uuid| NewEvent { id: *id, name: "Ran", schema_version: 1, occurred_at: None, payload: b"{}".to_vec() };
    StreamAppend {
        stream: stream.clone(),
        expected: Version::new(expected),
        expected_event: None,
        events: ids.iter().map(event).collect(),
        key: None,
    }
}

pub(crate) fn append(streams: Vec<StreamAppend>) -> Append {
    Append {
        streams,
        recorded_at: Timestamp::now(),
        actor: None,
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    }
}

/// Sends statements as text.
pub(crate) async fn send(connection: &mut PgConnection, sql: impl Into<String>) {
    let sql = sql.into();
    let sent = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await;
    sent.unwrap_or_else(|why| panic!("{sql}: {why}"));
}

/// The same as [`insert`], by `COPY`.
#[allow(dead_code, reason = "what the program of the race tests does, the tests have no need of")]
pub(crate) async fn copy(connection: &mut PgConnection, stream: &str, version: u64, id: Uuid) {
    let sql = "copy gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload) from stdin";
    let mut copy = connection.copy_in_raw(sql).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
    let row = format!("{stream}\t{version}\tRan\t1\t{id}\t1\t{{}}\n");
    copy.send(row.as_bytes()).await.unwrap_or_else(|why| panic!("{row}: {why}"));
    copy.finish().await.unwrap_or_else(|why| panic!("{row}: {why}"));
}

/// Inserts an event, and leaves its position to the table.
pub(crate) async fn insert(connection: &mut PgConnection, stream: &str, version: u64, id: Uuid) {
    let sql = format!(
        "insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
         values ('{stream}', {version}, 'Ran', 1, '{id}', 1, '{{}}')"
    );
    send(connection, sql).await;
}
