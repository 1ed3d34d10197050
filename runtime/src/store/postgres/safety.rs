//! The settings of the schema that the store relies on, each with the statement that restores it.
//!
//! Always true: a schema that lacks one of them is refused at the start, and by [`Watch`](super::watch::Watch) later.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::census::Census;
use super::errors::While;
use super::schema::{Place, alive_table, census_function, hold_always, hold_body, hold_function, hold_trigger, quoted};
use super::session::{Ask as _, Session};
use crate::error::StoreError;

const CONTEXT: &str = "checking the schema";

/// A setting that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Says what is wrong, and the statement that mends it.
    pub(super) why: String,
    /// An append that is stored now could be lost, or could contradict another one. Otherwise only readers are at risk.
    pub(super) stops_appends: bool,
}

/// A schema that is in order.
pub(super) struct Sound {
    pub(super) place: Place,
    /// Stands for the settings that were checked, see [`settings`].
    pub(super) settings: i64,
}

/// A number that differs after each committed change of what readers rely on: it is a hash over the versions of the catalogue's rows.
/// A change that was taken back differs too.
///
/// Of the table, of its sequence and of its schema, as SQL expressions that give their numbers.
pub(super) fn settings(events: &str, positions: &str, schema: &str) -> String {
    let all = |row: &str, table: &str, of: &str| {
        format!(
            "(select pg_catalog.string_agg(pg_catalog.concat({row}), ' ' order by x.oid) from pg_catalog.{table} x where x.{of} = {events})"
        )
    };
    format!(
        "pg_catalog.hashtextextended(pg_catalog.concat_ws(' ',
            (select x.xmin from pg_catalog.pg_class x where x.oid = {events}),
            (select x.xmin from pg_catalog.pg_class x where x.oid = {positions}),
            (select x.xmin from pg_catalog.pg_sequence x where x.seqrelid = {positions}),
            (select pg_catalog.string_agg(pg_catalog.concat(x.oid, '.', x.xmin, '.', p.xmin), ' ' order by x.oid)
                from pg_catalog.pg_trigger x join pg_catalog.pg_proc p on p.oid = x.tgfoid where x.tgrelid = {events}),
            (select x.xmin from pg_catalog.pg_proc x where x.proname = 'gesta_census' and x.pronamespace = {schema} limit 1),
            (select x.xmin from pg_catalog.pg_class x where x.relname = 'gesta_alive' and x.relnamespace = {schema}),
            {defaults},
            (select pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, '.', x.xmin), ' ' order by x.indexrelid)
                from pg_catalog.pg_index x where x.indrelid = {events}),
            {rules}
        ), 0)",
        defaults = all("x.oid, '.', x.xmin", "pg_attrdef", "adrelid"),
        rules = all("x.oid, '.', x.xmin", "pg_rewrite", "ev_class"),
    )
}

/// Checks what readers rely on so that they never skip an event: each point that is not so would be a loss without a sign.
pub(super) async fn check(connection: &mut Session<'_>, schema: &str) -> Result<Result<Sound, Flaw>, StoreError> {
    let name = quoted(schema);
    let sql = format!(
        "select lock_key, (select oid::int8 from pg_catalog.pg_database where datname = current_database()) from {name}.gesta_store"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).one(connection).await.during(CONTEXT)?;
    let (lock_key, database): (i64, i64) = (row.try_get(0).during(CONTEXT)?, row.try_get(1).during(CONTEXT)?);
    let sql = format!(
        "select s.seqcache, s.seqincrement, s.seqcycle,
            case when has_sequence_privilege(c.oid, 'usage') then coalesce(pg_catalog.pg_sequence_last_value(c.oid), 0) end,
            (select coalesce(max(position), 0) from {name}.gesta_events),
            (select case when t.tgtype <> 6 or t.tgqual is not null then 'shape' else t.tgenabled::text end from pg_catalog.pg_trigger t
                where t.tgrelid = e.oid and t.tgname = 'gesta_hold' and not t.tgisinternal),
            (select p.prosrc from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
                where t.tgrelid = e.oid and t.tgname = 'gesta_hold' and not t.tgisinternal),
            (select p.prosrc from pg_catalog.pg_proc p where p.pronamespace = n.oid and p.proname = 'gesta_census'),
            (select p.prosrc from pg_catalog.pg_proc p where p.pronamespace = n.oid and p.proname = 'gesta_hold'),
            e.relpersistence::text,
            (select pg_get_expr(d.adbin, d.adrelid) from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute a
                on a.attrelid = d.adrelid and a.attnum = d.adnum where d.adrelid = e.oid and a.attname = 'position'
                and exists (select from pg_catalog.pg_depend o where o.classid = 'pg_catalog.pg_attrdef'::regclass and o.objid = d.oid
                    and o.refclassid = 'pg_catalog.pg_class'::regclass and o.refobjid = c.oid)),
            (select array_agg(pg_get_indexdef(i.indexrelid)) from pg_catalog.pg_index i
                where i.indrelid = e.oid and i.indisunique and i.indisvalid and i.indimmediate),
            (select t.tgname::text from pg_catalog.pg_trigger t where t.tgrelid = e.oid and not t.tgisinternal
                and t.tgtype & 7 = 7 and t.tgenabled <> 'D' limit 1),
            (select r.rulename::text from pg_catalog.pg_rewrite r where r.ev_class = e.oid limit 1),
            (select a.relpersistence::text from pg_catalog.pg_class a where a.relnamespace = n.oid and a.relname = 'gesta_alive'),
            row_security_active(e.oid),
            (select has_table_privilege(a.oid, 'select') and has_table_privilege(a.oid, 'insert') from pg_catalog.pg_class a
                where a.relnamespace = n.oid and a.relname = 'gesta_alive'),
            c.relpersistence::text, {settings}
        from pg_catalog.pg_class e
            join pg_catalog.pg_namespace n on n.oid = e.relnamespace and n.nspname = $1 and e.relname = 'gesta_events'
            join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'gesta_positions'
            join pg_catalog.pg_sequence s on s.seqrelid = c.oid",
        settings = settings("e.oid", "c.oid", "n.oid"),
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(schema).optional(connection).await.during(CONTEXT)?;
    let Some(row) = row else {
        let why = "the sequence `gesta_positions` or the table `gesta_events` is gone: restore it".to_owned();
        return Ok(Err(Flaw { why: unsafe_to_read(schema, &why), stops_appends: true }));
    };
    let settings = row.try_get(18).during(CONTEXT)?;
    if let Err(Flaw { why, stops_appends }) = flaw(&row, &name, lock_key) {
        return Ok(Err(Flaw { why: unsafe_to_read(schema, &why), stops_appends }));
    }
    let place = Place { name: schema.to_owned(), channel: format!("gesta_{lock_key:016x}"), schema: name, lock_key, database };
    Ok(Ok(Sound { place, settings }))
}

/// The message about a schema of this name, without quotes.
pub(super) fn unsafe_to_read(schema: &str, why: &str) -> String {
    format!("the schema `{schema}` is not safe to read from: {why}")
}

/// The message about a sequence that stands before the last event, in a schema of this name in quotes.
pub(super) fn set_back(name: &str, last: i64, stored: i64) -> String {
    format!(
        "the last event stands at {stored}, and `gesta_positions` at {last}, so positions would be given twice: \
         `select setval('{}.gesta_positions', {stored})`, while nobody appends",
        name.replace('\'', "''")
    )
}

/// Finds the first setting that is wrong, in a row of the statement of [`check`].
fn flaw(row: &PgRow, name: &str, lock_key: i64) -> Result<(), Flaw> {
    let readers = |why: String| Flaw { why, stops_appends: false };
    let all = |why: String| Flaw { why, stops_appends: true };
    check_sequence(row, name).map_err(readers)?;
    check_trigger(row, name, lock_key).map_err(readers)?;
    check_alive(row, name).map_err(readers)?;
    // Its text names the schema: in one that was renamed, it would look at whatever has the old name now.
    if one_line(&text(row, 7).unwrap_or_default()) != one_line(&Census::body(name, lock_key)) {
        let function = one_line(&census_function(name, lock_key));
        return Err(readers(format!("the function `gesta_census` is not the one of this schema: `{function}`")));
    }
    check_storage(row, name).map_err(all)?;
    check_table(row, name).map_err(readers)
}

fn text(row: &PgRow, at: usize) -> Option<String> {
    row.try_get(at).unwrap_or_default()
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_sequence(row: &PgRow, name: &str) -> Result<(), String> {
    let number = |at: usize| row.try_get::<i64, _>(at).unwrap_or_default();
    if number(0) != 1 || number(1) != 1 || row.try_get::<bool, _>(2).unwrap_or(true) {
        return Err(format!(
            "`gesta_positions` gives positions out of order: `alter sequence {name}.gesta_positions cache 1 increment 1 no cycle`"
        ));
    }
    let Some(last) = row.try_get::<Option<i64>, _>(3).unwrap_or_default() else {
        return Err(format!("positions can't be taken: `grant usage on sequence {name}.gesta_positions to ..`"));
    };
    let stored = number(4);
    if stored > last {
        return Err(set_back(name, last, stored));
    }
    Ok(())
}

fn check_trigger(row: &PgRow, name: &str, lock_key: i64) -> Result<(), String> {
    let function = hold_function(name, lock_key);
    let holds = |source: Option<String>| source.is_some_and(|source| one_line(&source) == one_line(&hold_body(lock_key)));
    match text(row, 5).as_deref() {
        Some("A") => {}
        Some("shape") => {
            let trigger = hold_trigger(name);
            return Err(format!(
                "the trigger `gesta_hold` does not run before each statement that inserts: `drop trigger gesta_hold on \
                 {name}.gesta_events; {trigger}`, while nobody appends"
            ));
        }
        Some(_) => {
            let enable = hold_always(name);
            return Err(format!("the trigger `gesta_hold` is not enabled always: `{enable}`, while nobody appends"));
        }
        None => {
            let trigger = hold_trigger(name);
            let both = if holds(text(row, 8)) { trigger } else { format!("{function}; {trigger}") };
            return Err(format!("the trigger `gesta_hold` on `gesta_events` is gone: `{both}`, while nobody appends"));
        }
    }
    if !holds(text(row, 6)) {
        return Err(format!(
            "the trigger `gesta_hold` does not take the lock that readers look for: `{function}`, while nobody appends; if it \
             calls another function, drop it before"
        ));
    }
    Ok(())
}

/// Checks that a crash takes no event away, and that a version and a position have one event each.
fn check_storage(row: &PgRow, name: &str) -> Result<(), String> {
    let table = format!("{name}.gesta_events");
    if text(row, 9).as_deref() != Some("p") {
        return Err(format!("`gesta_events` is empty after a crash: `alter table {table} set logged`"));
    }
    if text(row, 17).as_deref() != Some("p") {
        return Err(format!("`gesta_positions` begins again after a crash: `alter sequence {name}.gesta_positions set logged`"));
    }
    let indexes = row.try_get::<Option<Vec<String>>, _>(11).ok().flatten().unwrap_or_default();
    for (columns, what) in [("(stream, version)", "version"), ("(position)", "position")] {
        // `position` is a word of SQL, which is shown in quotes.
        if !indexes.iter().any(|index| index.replace('"', "").ends_with(&format!(" {columns}"))) {
            return Err(format!("two events could have one {what}: `alter table {table} add unique {columns}`"));
        }
    }
    Ok(())
}

/// What is wrong with the table that a crash empties.
fn check_alive(row: &PgRow, name: &str) -> Result<(), String> {
    if row.try_get::<Option<String>, _>(14).unwrap_or_default().as_deref() != Some("u") {
        let again = alive_table(name);
        return Err(format!(
            "`gesta_alive` is not the table that a crash of the server empties: `drop table if exists {name}.gesta_alive; {again}`"
        ));
    }
    if row.try_get::<Option<bool>, _>(16).unwrap_or_default() != Some(true) {
        return Err(format!("`gesta_alive` can't be used: `grant select, insert on {name}.gesta_alive to ..`"));
    }
    Ok(())
}

/// What is wrong with the table of events itself, as the columns from the 9th on tell.
fn check_table(row: &PgRow, name: &str) -> Result<(), String> {
    let text = |at: usize| text(row, at);
    let table = format!("{name}.gesta_events");
    let is_next = |default: String| {
        // A session can ask for all names to be shown in quotes.
        let default = default.replace('"', "");
        default.trim_start_matches("pg_catalog.").starts_with("nextval(") && default.ends_with("'::regclass)")
    };
    if !text(10).is_some_and(is_next) {
        let default = format!("nextval('{}.gesta_positions')", name.replace('\'', "''"));
        return Err(format!(
            "positions do not come from `gesta_positions`: `alter table {table} alter position set default {default}`, while nobody appends"
        ));
    }
    if row.try_get::<bool, _>(15).unwrap_or(true) {
        return Err(format!("events could be hidden from readers: `alter table {table} disable row level security`"));
    }
    if let Some(trigger) = text(12) {
        let cure = format!("drop trigger {} on {table}", quoted(&trigger));
        return Err(format!("the trigger `{trigger}` could take rows out of what is appended, or change them: `{cure}`"));
    }
    if let Some(rule) = text(13) {
        let cure = format!("drop rule {} on {table}", quoted(&rule));
        return Err(format!("the rule `{rule}` could take rows out of what is appended, or change them: `{cure}`"));
    }
    Ok(())
}
