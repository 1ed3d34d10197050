//! What would let a reader skip an event is refused when the store is opened, with the statement that mends it.

use gesta::App;
use gesta::store::connect;
use sqlx::{AssertSqlSafe, Executor};

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// A name that has to be quoted wherever it stands.
const SCHEMA: &str = "?schema=o%27dd%20$$%20$1%20{schema}";
const QUOTED: &str = "\"o'dd $$ $1 {schema}\"";

#[tokio::test]
async fn what_readers_rely_on_is_looked_at_and_what_mends_it_is_named() {
    let database = Database::new().await;
    let url = database.url(SCHEMA);
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    app.execute(&account("a"), Drip { times: 5 }).await.unwrap();
    app.shutdown().await.unwrap();
    let mut admin = database.connect().await;
    for (harm, why) in [
        ("drop trigger gesta_hold on {s}.gesta_events", "the trigger `gesta_hold` on `gesta_events` is gone"),
        ("drop function {s}.gesta_hold() cascade", "the trigger `gesta_hold` on `gesta_events` is gone"),
        ("alter table {s}.gesta_events disable trigger gesta_hold", "the trigger `gesta_hold` is not enabled always"),
        ("alter table {s}.gesta_events disable trigger all", "the trigger `gesta_hold` is not enabled always"),
        ("alter table {s}.gesta_events enable replica trigger gesta_hold", "the trigger `gesta_hold` is not enabled always"),
        ("alter table {s}.gesta_events enable trigger gesta_hold", "the trigger `gesta_hold` is not enabled always"),
        (
            "drop trigger gesta_hold on {s}.gesta_events; create trigger gesta_hold before insert on {s}.gesta_events
             for each row execute function {s}.gesta_hold(); alter table {s}.gesta_events enable always trigger gesta_hold",
            "the trigger `gesta_hold` does not run before each statement that inserts",
        ),
        (
            "drop trigger gesta_hold on {s}.gesta_events; create trigger gesta_hold after insert on {s}.gesta_events
             for each statement execute function {s}.gesta_hold(); alter table {s}.gesta_events enable always trigger gesta_hold",
            "the trigger `gesta_hold` does not run before each statement that inserts",
        ),
        (
            "drop trigger gesta_hold on {s}.gesta_events; create trigger gesta_hold before insert on {s}.gesta_events
             for each statement when (false) execute function {s}.gesta_hold();
             alter table {s}.gesta_events enable always trigger gesta_hold",
            "the trigger `gesta_hold` does not run before each statement that inserts",
        ),
        ("alter table {s}.gesta_events set unlogged", "`gesta_events` is empty after a crash"),
        ("alter table {s}.gesta_events drop constraint gesta_events_stream_version_key", "two events could have one version"),
        ("alter table {s}.gesta_events alter position drop default", "positions do not come from `gesta_positions`"),
        (
            "create function {s}.swallow() returns trigger language plpgsql as 'begin return null; end';
             create trigger swallow before insert on {s}.gesta_events for each row execute function {s}.swallow()",
            "the trigger `swallow` could take rows out of what is appended, or change them",
        ),
        (
            "create rule swallow as on insert to {s}.gesta_events do instead nothing",
            "the rule `swallow` could take rows out of what is appended, or change them",
        ),
        (
            "create or replace function {s}.gesta_hold() returns trigger language plpgsql as 'begin return null; end'",
            "the trigger `gesta_hold` does not take the lock that readers look for",
        ),
        ("alter sequence {s}.gesta_positions cache 20", "`gesta_positions` gives positions out of order"),
        ("alter sequence {s}.gesta_positions increment 2", "`gesta_positions` gives positions out of order"),
        ("alter sequence {s}.gesta_positions cycle", "`gesta_positions` gives positions out of order"),
        ("alter sequence {s}.gesta_positions restart 3", "the last event stands at 6, and `gesta_positions` at 0, so positions would"),
        ("select setval('{l}.gesta_positions', 4)", "the last event stands at 6, and `gesta_positions` at 4, so positions would"),
        (
            "create or replace function {s}.gesta_census(out settled bigint, out last bigint, out id uuid, out holders text[], out server bigint, out alive uuid)
             language plpgsql as 'begin settled := 1; end'",
            "the function `gesta_census` is not the one of this schema",
        ),
        ("alter table {s}.gesta_alive set logged", "`gesta_alive` is not the table that a crash of the server empties"),
        ("drop table {s}.gesta_alive", "`gesta_alive` is not the table that a crash of the server empties"),
        ("drop function {s}.gesta_census()", "the function `gesta_census` is not the one of this schema"),
    ] {
        let harm = harm.replace("{s}", QUOTED).replace("{l}", &QUOTED.replace('\'', "''"));
        sqlx::raw_sql(AssertSqlSafe(harm.clone())).execute(&mut admin).await.unwrap_or_else(|why| panic!("{harm}: {why}"));
        let refused = connect(&url).await.err().unwrap_or_else(|| panic!("{harm}: it opens")).to_string();
        let told = format!("opening the database: the schema `o'dd $$ $1 {{schema}}` is not safe to read from: {why}");
        let rest = refused.strip_prefix(&told).unwrap_or_else(|| panic!("{refused}"));
        // Between the first backtick of what is left and the last one.
        let run = rest.split_once(": `").and_then(|(_, run)| run.rsplit_once('`')).map(|(run, _)| run);
        let run = run.unwrap_or_else(|| panic!("nothing to run: {refused}"));
        sqlx::raw_sql(AssertSqlSafe(run.to_owned())).execute(&mut admin).await.unwrap_or_else(|why| panic!("{run}: {why}"));
        drop(connect(&url).await.unwrap_or_else(|why| panic!("after `{run}`: {why}")));
    }
    let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
    app.execute(&account("a"), Deposit { amount: 5 }).await.unwrap();
    app.settle().await.unwrap();
    assert_eq!(app.read::<Summary>().get(&account("a")).await.unwrap().map(|row| row.balance), Some(10));
    drop(admin);
    app.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_schema_that_was_renamed_does_not_read_what_has_its_old_name() {
    let database = Database::new().await;
    drop(connect(&database.url("?schema=ledger")).await.unwrap());
    let mut admin = database.connect().await;
    admin.execute("alter schema ledger rename to archive").await.unwrap();
    drop(connect(&database.url("?schema=ledger")).await.unwrap());
    let refused = connect(&database.url("?schema=archive")).await.err().expect("it would look at the wrong events").to_string();
    assert!(refused.contains("the function `gesta_census` is not the one of this schema: `drop function if exists"), "{refused}");
}
