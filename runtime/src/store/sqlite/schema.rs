//! What a file holds: its mark, its format and its tables.

use rusqlite::Connection;

/// `application_id` of a file of ours: `GEST` in ASCII.
pub(super) const APPLICATION_ID: u32 = 0x4745_5354;
/// `user_version`: the format this build writes, and the newest it reads. Format 1 had no `gesta_parked`. Format 2
/// kept no version of a key's hash, and no event beside a snapshot; it had no `gesta_begun`.
pub(super) const FORMAT: u32 = 3;
/// The first format whose keys say how their hash was made.
pub(super) const KEYS_NAME_THEIR_HASH: u32 = 3;
/// The first format whose snapshots name their last event.
pub(super) const SNAPSHOTS_NAME_EVENTS: u32 = 3;

/// Every table of the store. The events carry their stream's name, so that a replay needs no join.
///
/// What is `NULL` in an event is as it is by default: `occurred_at` is `recorded_at`, `correlation_id` is `event_id`.
/// No foreign keys: the one writer keeps `type` right, and they would be looked up at each insert.
const TABLES: &str = "
CREATE TABLE gesta_event_types (
    id INTEGER PRIMARY KEY,
    aggregate TEXT NOT NULL,
    name TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    first_position INTEGER NOT NULL,
    UNIQUE (aggregate, name, schema_version)
) STRICT;
CREATE TABLE gesta_events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    type INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    occurred_at INTEGER,
    correlation_id BLOB,
    causation_id BLOB,
    actor TEXT,
    payload BLOB NOT NULL,
    UNIQUE (stream, version)
) STRICT;
CREATE TABLE gesta_keys (
    stream TEXT NOT NULL,
    key TEXT NOT NULL,
    command_hash INTEGER NOT NULL,
    before_version INTEGER NOT NULL,
    after_version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    hash_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (stream, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE gesta_snapshots (
    stream TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    version INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    payload BLOB NOT NULL,
    position INTEGER,
    event_id BLOB,
    PRIMARY KEY (stream, fingerprint)
) STRICT;
CREATE TABLE gesta_models (
    table_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    fingerprint INTEGER NOT NULL,
    columns TEXT NOT NULL,
    position INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The streams that read models pass over, each with the first event that could not be folded.
const PARKED: &str = "
CREATE TABLE gesta_parked (
    table_name TEXT NOT NULL COLLATE NOCASE,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (table_name, stream)
) STRICT, WITHOUT ROWID;
";

/// Brings the tables of format 2 to format 3.
const FORMAT_3: &str = "
ALTER TABLE gesta_keys ADD COLUMN hash_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE gesta_snapshots ADD COLUMN position INTEGER;
ALTER TABLE gesta_snapshots ADD COLUMN event_id BLOB;
";

/// The events whose folds have begun, and at position 0 the owner of a read model that has not ended in order.
const BEGUN: &str = "
CREATE TABLE IF NOT EXISTS gesta_begun (
    table_name TEXT NOT NULL COLLATE NOCASE,
    position INTEGER NOT NULL,
    stream TEXT NOT NULL,
    times INTEGER NOT NULL,
    build INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (table_name, position)
) STRICT, WITHOUT ROWID;
";

/// The log as people read it: `SELECT * FROM gesta_log`. No code reads it.
fn log_view() -> String {
    let recorded_at = as_text("e.recorded_at");
    let occurred_at = as_text("coalesce(e.occurred_at, e.recorded_at)");
    format!(
        "CREATE VIEW gesta_log AS SELECT
            e.position, e.stream, e.version, t.name, t.schema_version, CAST(e.payload AS TEXT) AS payload,
            {recorded_at} AS recorded_at, {occurred_at} AS occurred_at, e.actor,
            lower(hex(e.event_id)) AS event_id,
            lower(hex(coalesce(e.correlation_id, e.event_id))) AS correlation_id,
            lower(hex(e.causation_id)) AS causation_id
        FROM gesta_events e JOIN gesta_event_types t ON t.id = e.type;"
    )
}

/// Microseconds as [`Timestamp`](crate::Timestamp) shows them. SQLite knows the years from 0 to 9999, so the time is moved by cycles of
/// 400 years, after which the calendar repeats, into those that begin in 2000.
fn as_text(micros: &str) -> String {
    const YEAR_2000: i64 = 946_684_800;
    const CYCLE: i64 = 12_622_780_800;
    format!(
        "(SELECT CASE WHEN year < 0 THEN printf('-%04d', -year) WHEN year > 9999 THEN printf('+%d', year) ELSE printf('%04d', year) END
                || strftime('-%m-%dT%H:%M:%S', second, 'unixepoch') || printf('.%06dZ', fraction)
            FROM (SELECT CAST(strftime('%Y', second, 'unixepoch') AS INTEGER) + 400 * cycle AS year, second, fraction
            FROM (SELECT second - cycle * {CYCLE} AS second, cycle, fraction
            FROM (SELECT second, fraction,
                (second - {YEAR_2000}) / {CYCLE} - ((second - {YEAR_2000}) % {CYCLE} < 0) AS cycle
            FROM (SELECT {micros} / 1000000 - ({micros} % 1000000 < 0) AS second,
                ({micros} % 1000000 + 1000000) % 1000000 AS fraction)))))"
    )
}

/// Creates everything in one transaction, so that a crash leaves a store or nothing.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let log_view = log_view();
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
        {TABLES}
        {PARKED}
        {BEGUN}
        {log_view}
        PRAGMA application_id = {APPLICATION_ID};
        PRAGMA user_version = {FORMAT};
        COMMIT;"
    ))
}

/// Brings a file of an older format to this one, in one transaction.
pub(super) fn migrate(connection: &Connection, from: u32) -> rusqlite::Result<()> {
    let parked = if from < 2 { PARKED } else { "" };
    let columns = if from < 3 { FORMAT_3 } else { "" };
    // No code reads it, so a file may have lost it.
    let log_view = format!("DROP VIEW IF EXISTS gesta_log; {}", log_view());
    connection
        .execute_batch(&format!("BEGIN IMMEDIATE; {parked} {columns} {BEGUN} {log_view} PRAGMA user_version = {FORMAT}; COMMIT;"))
}

/// Whether the file holds nothing at all, as SQLite sees it after it has undone what a crash left half done.
pub(super) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    Ok(pages == 0)
}

/// The mark and the format, as SQLite sees them.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let read = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i32>(0)).map(i32::cast_unsigned);
    Ok((read("PRAGMA application_id")?, read("PRAGMA user_version")?))
}
