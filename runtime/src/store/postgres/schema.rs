//! What a database holds: the tables of the store, their versions, and what must be true of them.
//!
//! Always true: everything is made in one transaction, under a lock that ends with it, so any number of processes may start
//! at once, also behind a pooler; and nothing is touched where everything is there.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Row as _};

use super::census::Census;
use super::connections::Connections;
use super::errors::{While, driver, is_forbidden, is_lock_timeout};
use super::pool::Lent;
use super::safety;
use super::session::{Ask as _, Session};
use crate::error::{StartError, StoreError};
use crate::schema::Fingerprint;

/// The format this build writes, and the newest it reads.
const FORMAT: i32 = 1;
/// The oldest server with all that is used here.
const SERVER_MIN: i32 = 130_005;
/// Who makes or changes tables holds this lock.
const MIGRATIONS_KEY: i64 = 0x6765_7374_615f_6d69;

const CONTEXT: &str = "opening the database";

/// A column that a later build added to a table, or the first column of a table that it added. Older builds
/// run on beside it and leave the column at its default, so the format stays the same.
struct Addition {
    table: &'static str,
    column: &'static str,
    /// The statement that adds it, for the schema of this name in quotes.
    sql: fn(&str) -> String,
}

const ADDITIONS: [Addition; 4] = [
    Addition {
        table: "gesta_keys",
        column: "hash_version",
        sql: |schema| format!("alter table {schema}.gesta_keys add column hash_version smallint not null default 1"),
    },
    Addition {
        table: "gesta_snapshots",
        column: "position",
        sql: |schema| format!("alter table {schema}.gesta_snapshots add column position bigint"),
    },
    Addition {
        table: "gesta_snapshots",
        column: "event_id",
        sql: |schema| format!("alter table {schema}.gesta_snapshots add column event_id uuid"),
    },
    Addition { table: "gesta_begun", column: "table_name", sql: begun_table },
];

/// The pauses between two attempts to change a table that another session uses, and the time for all of them.
const ADDITION_PAUSE: Duration = Duration::from_millis(100);
const ADDITIONS_MAX: Duration = Duration::from_secs(30);

/// Where the tables are, and the lock that appends hold.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The schema's name.
    pub(super) name: String,
    /// The same in quotes.
    pub(super) schema: String,
    /// The channel that tells of appends.
    pub(super) channel: String,
    /// Appends hold this advisory lock from before they take their positions until they are committed or rolled back.
    pub(super) lock_key: i64,
    /// The database's number in its server.
    pub(super) database: i64,
}

impl Place {
    /// The statement that takes the lock alone, to the end of the transaction.
    pub(super) fn lock_alone(&self) -> String {
        format!("select pg_catalog.pg_advisory_xact_lock({})", self.lock_key)
    }
}

/// A name as SQL takes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A function's body as SQL takes it, whatever it holds.
fn dollar_quoted(body: &str) -> String {
    let mut tag = "$$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, 'g');
    }
    format!("{tag}{body}{tag}")
}

/// The function of the trigger that holds the lock, in the schema of this name in quotes.
pub(super) fn hold_function(name: &str, lock_key: i64) -> String {
    let body = hold_body(lock_key);
    format!("create or replace function {name}.gesta_hold() returns trigger language plpgsql as $$ {body} $$")
}

pub(super) fn hold_body(lock_key: i64) -> String {
    format!("begin perform pg_catalog.pg_advisory_xact_lock_shared({lock_key}); return null; end")
}

/// The trigger that holds the lock.
pub(super) fn hold_trigger(name: &str) -> String {
    format!(
        "create trigger gesta_hold before insert on {name}.gesta_events for each statement execute function {name}.gesta_hold(); {}",
        hold_always(name)
    )
}

/// Also where a session says that it replays what another server did.
pub(super) fn hold_always(name: &str) -> String {
    format!("alter table {name}.gesta_events enable always trigger gesta_hold")
}

/// The function that does the census.
pub(super) fn census_function(name: &str, lock_key: i64) -> String {
    let body = dollar_quoted(&Census::body(name, lock_key));
    format!(
        "drop function if exists {name}.gesta_census(); create function {name}.gesta_census(out settled bigint, out last bigint, out id uuid, out holders text[], out server bigint, out alive uuid)
        language plpgsql volatile as {body}"
    )
}

/// The table that is empty after a crash of the server: by its row a census knows that there was none.
pub(super) fn alive_table(name: &str) -> String {
    format!(
        "create unlogged table {name}.gesta_alive (alone boolean not null default true primary key check (alone), id uuid not null)"
    )
}

/// Makes sure that everything is there and in order, and says where.
pub(super) async fn prepare(connections: &Connections, mut first: Lent, schema: Option<&str>) -> Result<Place, StartError> {
    let found = look(&mut first.session(), schema).await?;
    first.done().await.during(CONTEXT)?;
    if found.format != Some(FORMAT) {
        let mut transaction = connections.control_transaction(&begin_migration()).await.during(CONTEXT)?;
        migrate(&mut transaction.session(), &found).await?;
        transaction.done().await.during(CONTEXT)?;
    }
    add_missing(connections, &found).await?;
    let mut connection = connections.control().await?;
    let checked = safety::check(&mut connection.session(), &found.schema).await?;
    connection.done().await.during(CONTEXT)?;
    checked.map(|sound| sound.place).map_err(|flaw| refused(flaw.why))
}

/// What is there before anything is made.
struct Found {
    schema: String,
    format: Option<i32>,
    user: String,
    database: String,
}

/// Refuses a server that no store can be on.
async fn look(connection: &mut Session<'_>, schema: Option<&str>) -> Result<Found, StartError> {
    let row = sqlx::query(
        "select current_setting('server_version_num')::int4, current_setting('server_version'), current_schema()::text, \
         current_database()::text, pg_is_in_recovery(), current_user::text, current_setting('transaction_read_only'), \
         current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes')",
    );
    let row = row.one(connection).await.during(CONTEXT)?;
    let get = |at: usize| row.try_get::<Option<String>, _>(at).during(CONTEXT);
    if let Some(why) = too_old(row.try_get(0).during(CONTEXT)?, &get(1)?.unwrap_or_default()) {
        return Err(refused(why));
    }
    if row.try_get::<bool, _>(4).during(CONTEXT)? {
        let why = "the server is a standby, which only reads, and shows nobody's locks: connect to the primary";
        return Err(refused(why.to_owned()));
    }
    let schema = match schema {
        Some(schema) => schema.to_owned(),
        None => get(2)?.ok_or_else(|| {
            refused("no schema of the search path is there: name one by `?schema=..`, which is made if need be".to_owned())
        })?,
    };
    if get(6)?.as_deref() == Some("on") {
        let database = quoted(&get(3)?.unwrap_or_default());
        let why = "transactions only read here, and a store is for writing: take `default_transaction_read_only` out of the";
        return Err(refused(format!(
            "{why} settings, such as by `alter database {database} set default_transaction_read_only = off`"
        )));
    }
    let name = get(3)?.unwrap_or_default();
    if let Some(why) = wrong_encoding(&get(7)?.unwrap_or_default(), &name) {
        return Err(refused(why));
    }
    warn_of_loss(get(8)?.as_deref(), get(9)?.as_deref());
    let format = format_of(connection, &schema).await?;
    Ok(Found { schema, format, user: get(5)?.unwrap_or_default(), database: get(3)?.unwrap_or_default() })
}

/// Why a server of this version is not served.
fn too_old(number: i32, version: &str) -> Option<String> {
    // Before 13.5, and in 14.0, a transaction that is prepared looks like another one to those who wait for it.
    (number < SERVER_MIN || number == 140_000)
        .then(|| format!("the server is Postgres {version}, and gesta needs 13.5 or newer, and of 14 not 14.0: update it"))
}

/// Why a database of this encoding is not served: others can't hold every text, or hold what is no text.
fn wrong_encoding(encoding: &str, database: &str) -> Option<String> {
    let make = format!(
        "create database {} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0",
        quoted(&format!("{database}_utf8"))
    );
    let why = match encoding {
        "UTF8" => return None,
        "SQL_ASCII" => "which checks no text, so that other clients could store some that can't be read",
        _ => "which can't hold every text",
    };
    Some(format!(
        "the database `{database}` has the encoding {encoding}, {why}: make one by `{make}`, and move to it what is stored"
    ))
}

/// Warns of settings of the server by which a crash of its machine takes away what was acknowledged.
fn warn_of_loss(fsync: Option<&str>, full_page_writes: Option<&str>) {
    if fsync == Some("off") {
        tracing::warn!(
            "the server has `fsync = off`: if its machine crashes, appends that were acknowledged are lost, and the database can be damaged; \
             set `fsync = on` in its configuration"
        );
    }
    if full_page_writes == Some("off") {
        tracing::warn!(
            "the server has `full_page_writes = off`: if its machine crashes, a page can be half written and its events are damaged, unless \
             the file system prevents that; set `full_page_writes = on` in its configuration"
        );
    }
}

fn refused(message: String) -> StartError {
    StoreError::Driver { context: CONTEXT, message, transient: false }.into()
}

/// Which format is there; none in a database without a store.
async fn format_of(connection: &mut Session<'_>, schema: &str) -> Result<Option<i32>, StartError> {
    let there = "select exists (select from pg_catalog.pg_tables where schemaname = $1 and tablename = 'gesta_store')";
    if !sqlx::query(there).bind(schema).value(connection).await.during(CONTEXT)? {
        return Ok(None);
    }
    let sql = format!("select format from {}.gesta_store", quoted(schema));
    let row = sqlx::query(AssertSqlSafe(sql)).optional(connection).await.during(CONTEXT)?;
    let empty =
        || refused(format!("the table `gesta_store` in the schema `{schema}` is empty: restore the database from a backup"));
    let found: i32 = row.ok_or_else(empty)?.try_get(0).during(CONTEXT)?;
    if found > FORMAT {
        let file = format!("the schema `{schema}` of the database");
        let number = |n: i32| n.unsigned_abs();
        return Err(StartError::NewerFormat { file, found: number(found), known: number(FORMAT) });
    }
    Ok(Some(found))
}

/// What a transaction begins with in which tables are made or changed: one at a time.
pub(super) fn begin_migration() -> String {
    format!("set local lock_timeout = '30s'; select pg_advisory_xact_lock({MIGRATIONS_KEY})")
}

async fn migrate(connection: &mut Session<'_>, found: &Found) -> Result<(), StartError> {
    let Found { schema, user, database, .. } = found;
    // Another process may have done it while this one waited for the lock.
    if format_of(connection, schema).await?.is_none() {
        // Not by `if not exists`, which asks for the right to create one even where there is one.
        let there = sqlx::query("select exists (select from pg_catalog.pg_namespace where nspname = $1)").bind(schema);
        let there: bool = there.value(connection).await.during(CONTEXT)?;
        let create = if there { String::new() } else { format!("create schema {}; ", quoted(schema)) };
        let made = sqlx::raw_sql(AssertSqlSafe(create + &tables(schema))).run(connection).await;
        made.map_err(|error| {
            if !is_forbidden(&error) {
                return driver("making the tables", &error).into();
            }
            let told = super::errors::plain(&error);
            refused(format!(
                "the tables can't be made in the schema `{schema}`: {told}; `grant create on schema {schema} to {user}` lets `{user}` make \
                 them, and a schema that is not there needs `grant create on database {database} to {user}`",
                schema = quoted(schema),
                user = quoted(user),
                database = quoted(database),
            ))
        })?;
    }
    Ok(())
}

/// Adds the columns that an earlier build's tables lack. Each attempt waits 200 ms for the table's lock, because
/// appends queue behind it meanwhile.
async fn add_missing(connections: &Connections, found: &Found) -> Result<(), StartError> {
    let until = Instant::now() + ADDITIONS_MAX;
    loop {
        let mut connection = connections.control().await?;
        let missing = missing_additions(&mut connection.session(), &found.schema).await?;
        connection.done().await.during(CONTEXT)?;
        if missing.is_empty() {
            return Ok(());
        }
        let begin = begin_migration() + "; set local lock_timeout = '200ms'";
        let mut transaction = connections.control_transaction(&begin).await.during(CONTEXT)?;
        // Another process may have added them while this one waited for the lock.
        let missing = missing_additions(&mut transaction.session(), &found.schema).await?.join("; ");
        let added = sqlx::raw_sql(AssertSqlSafe(&*missing)).run(&mut transaction.session()).await;
        let Err(error) = added else {
            transaction.done().await.during(CONTEXT)?;
            continue;
        };
        let _ = transaction.rollback().await;
        if is_lock_timeout(&error) && Instant::now() < until {
            tokio::time::sleep(ADDITION_PAUSE).await;
            continue;
        }
        let said = super::errors::plain(&error);
        return Err(refused(format!(
            "the tables of an earlier build can't be brought to this one's form: {said}: run `{missing}` as the owner of the tables"
        )));
    }
}

/// The statements that add what the tables lack.
async fn missing_additions(connection: &mut Session<'_>, schema: &str) -> Result<Vec<String>, StartError> {
    let sql = "select t.at::int4 from unnest($2::text[], $3::text[]) with ordinality as t(name, col, at) where not exists (
            select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
                join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = $1 and c.relname = t.name and a.attname = t.col and not a.attisdropped
        ) order by t.at";
    let tables: Vec<_> = ADDITIONS.iter().map(|addition| addition.table).collect();
    let columns: Vec<_> = ADDITIONS.iter().map(|addition| addition.column).collect();
    let rows = sqlx::query(sql).bind(schema).bind(tables).bind(columns).all(connection).await.during(CONTEXT)?;
    let name = quoted(schema);
    let mut missing = Vec::new();
    for row in &rows {
        let at: i32 = row.try_get(0).during(CONTEXT)?;
        let addition = usize::try_from(at - 1).ok().and_then(|at| ADDITIONS.get(at));
        missing.extend(addition.map(|addition| (addition.sql)(&name)));
    }
    Ok(missing)
}

/// Every table of the store. Text is compared byte by byte, as the other stores do.
///
/// What is null in an event is as it is by default: `occurred_at` is `recorded_at`, `correlation_id` is `event_id`.
fn tables(schema: &str) -> String {
    let name = quoted(schema);
    let lock_key = Fingerprint::new().bytes(b"gesta appends").bytes(schema.as_bytes()).finish().cast_signed();
    format!(
        "create sequence {name}.gesta_positions as bigint cache 1;
        create table {name}.gesta_events (
            position bigint not null primary key default nextval('{literal}.gesta_positions'),
            stream text collate \"C\" not null,
            version bigint not null,
            name text collate \"C\" not null,
            schema_version bigint not null,
            event_id uuid not null,
            recorded_at bigint not null,
            occurred_at bigint,
            correlation_id uuid,
            causation_id uuid,
            actor text,
            payload bytea not null,
            unique (stream, version)
        );
        alter sequence {name}.gesta_positions owned by {name}.gesta_events.position;
        {alive};
        create table {name}.gesta_event_types (
            aggregate text collate \"C\" not null,
            name text collate \"C\" not null,
            schema_version bigint not null,
            first_position bigint not null,
            primary key (aggregate, name, schema_version)
        );
        create table {name}.gesta_keys (
            stream text collate \"C\" not null,
            key text collate \"C\" not null,
            command_hash bigint not null,
            before_version bigint not null,
            after_version bigint not null,
            position bigint not null,
            recorded_at bigint not null,
            hash_version smallint not null default 1,
            primary key (stream, key)
        );
        create table {name}.gesta_snapshots (
            stream text collate \"C\" not null,
            fingerprint bigint not null,
            version bigint not null,
            recorded_at bigint not null,
            payload bytea not null,
            position bigint,
            event_id uuid,
            primary key (stream, fingerprint)
        );
        create table {name}.gesta_models (
            table_name text collate \"C\" not null primary key,
            fingerprint bigint not null,
            columns text not null,
            position bigint not null,
            epoch bigint not null,
            owned_until timestamptz
        );
        create table {name}.gesta_parked (
            table_name text collate \"C\" not null,
            stream text collate \"C\" not null,
            version bigint not null,
            position bigint not null,
            name text not null,
            schema_version bigint not null,
            why text not null,
            primary key (table_name, stream)
        );
        {begun};
        create view {name}.gesta_log as
            select position, stream, version, name, schema_version, convert_from(payload, 'UTF8')::json as payload,
                {recorded_at} as recorded_at,
                {occurred_at} as occurred_at,
                actor, event_id, coalesce(correlation_id, event_id) as correlation_id, causation_id
            from {name}.gesta_events;
        {function};
        {trigger};
        {census};
        create table {name}.gesta_store (format int not null, lock_key bigint not null);
        insert into {name}.gesta_store values ({FORMAT}, {lock_key});",
        recorded_at = instant("recorded_at"),
        occurred_at = instant("coalesce(occurred_at, recorded_at)"),
        function = hold_function(&name, lock_key),
        trigger = hold_trigger(&name),
        census = census_function(&name, lock_key),
        alive = alive_table(&name),
        begun = begun_table(&name),
        literal = name.replace('\'', "''"),
    )
}

/// The events whose folds have begun, and at position 0 the owner of a read model that has not ended in order.
fn begun_table(schema: &str) -> String {
    format!(
        "create table {schema}.gesta_begun (
            table_name text collate \"C\" not null,
            position bigint not null,
            stream text collate \"C\" not null,
            times bigint not null,
            build bigint not null,
            epoch bigint not null,
            primary key (table_name, position)
        )"
    )
}

/// Microseconds as a time of Postgres, exact: in days and the rest, since it multiplies intervals as floating point numbers. It knows no
/// time before 4713 BC, and every other time that a [`Timestamp`](crate::Timestamp) holds.
fn instant(micros: &str) -> String {
    // 4712-01-01 BC: a year later, so that it is known in each time zone.
    const FIRST: i64 = -210_831_897_600_000_000;
    format!(
        "case when {micros} < {FIRST} then '-infinity' else
            (timestamp 'epoch' + {micros} / 86400000000 * interval '1 day' + {micros} % 86400000000 * interval '1 microsecond')
            at time zone 'UTC' end"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_not_served() {
        let why = too_old(120_017, "12.17 (Debian 12.17-1)").expect("it is too old");
        assert_eq!(
            why,
            "the server is Postgres 12.17 (Debian 12.17-1), and gesta needs 13.5 or newer, and of 14 not 14.0: update it"
        );
        assert!(too_old(130_004, "13.4").is_some() && too_old(140_000, "14.0").is_some());
        assert_eq!([130_005, 140_001, 150_000].map(|number| too_old(number, "")), [None, None, None]);
    }

    #[test]
    fn a_body_can_hold_its_own_quotes() {
        assert_eq!(dollar_quoted("a"), "$$a$$");
        assert_eq!(dollar_quoted("a$$b $g$"), "$gg$a$$b $g$$gg$");
    }
}
