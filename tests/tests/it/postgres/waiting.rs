//! Readers and appends that are open: no reader passes over what may still be committed, and who holds it up is named.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gesta::store::Store;
use gesta::{App, Position};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;
use crate::told::Listening;

/// An append by hand, in a transaction that stays open.
pub async fn open_append(admin: &mut PgConnection, stream: &str) {
    let sql = format!(
        "begin; insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
         values ('{stream}', 1, 'Opened', 1, gen_random_uuid(), 0, '{{\"owner\":\"hand\"}}')"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await.unwrap();
}

async fn streams(store: &Store) -> Vec<String> {
    let mut streams = Vec::new();
    let mut visit = |event: gesta::store::StoredEvent<'_>| {
        streams.push(event.stream.to_owned());
        ControlFlow::Continue(())
    };
    store.log.read_all(Position::ZERO, usize::MAX, &mut visit).await.unwrap();
    streams
}

/// What is read once this is told of those who hold readers up.
async fn held_up(store: &Store, told: &Listening, who: &str) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut lines = Vec::new();
    loop {
        let read = streams(store).await;
        lines.extend(told.lines());
        let named = |line: &String| {
            line.starts_with("WARN message=a transaction that has appended is still open")
                && line.contains(&format!("holders=\"{who}\""))
        };
        if lines.iter().any(named) {
            return read;
        }
        assert!(Instant::now() < deadline, "nobody is named: {lines:#?}");
    }
}

// On one thread, so that all that is told is seen.
#[tokio::test]
async fn an_append_that_stays_open_holds_readers_up_and_is_never_passed_over() {
    let database = Database::new().await;
    let store = gesta::store::connect(&database.url("")).await.unwrap();
    let app = lending(App::connect(&database.url("")).await.unwrap()).projection::<Summary>().start().await.unwrap();
    let open = async |name: &str| app.execute(&account(name), Open { owner: name.into() }).await.unwrap().position;
    open("a").await;
    assert_eq!(streams(&store).await, ["Account-a"]);
    let mut admin = database.connect().await;
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut admin).await.unwrap();
    let gid = format!("{} o'k", database.name());
    let quoted = gid.replace('\'', "''");
    let told = Listening::begin();

    open_append(&mut admin, "Account-h1").await;
    open("b").await;
    assert_eq!(held_up(&store, &told, &format!("pid {pid}")).await, ["Account-a"]);
    admin.execute("commit").await.unwrap();
    assert_eq!(streams(&store).await, ["Account-a", "Account-h1", "Account-b"]);

    open_append(&mut admin, "Account-h2").await;
    open("c").await;
    assert_eq!(streams(&store).await, ["Account-a", "Account-h1", "Account-b"]);
    admin.execute("rollback").await.unwrap();
    assert_eq!(streams(&store).await, ["Account-a", "Account-h1", "Account-b", "Account-c"]);

    open_append(&mut admin, "Account-h3").await;
    admin.execute(AssertSqlSafe(format!("prepare transaction '{quoted}'"))).await.unwrap();
    let last = open("d").await;
    let who = format!("prepared transaction '{}'", quoted.replace('\\', "\\\\"));
    let read = held_up(&store, &told, &who).await;
    assert_eq!(read, ["Account-a", "Account-h1", "Account-b", "Account-c"]);
    let late = app.read::<Summary>().after(last).within(Duration::from_millis(100)).all().await;
    admin.execute(AssertSqlSafe(format!("commit prepared '{quoted}'"))).await.unwrap();
    assert!(late.is_err(), "the model can't have come there: {late:?}");
    assert_eq!(streams(&store).await, ["Account-a", "Account-h1", "Account-b", "Account-c", "Account-h3", "Account-d"]);
    app.settle().await.unwrap();
    assert_eq!(app.read::<Summary>().all().await.unwrap().len(), 6);
}

#[tokio::test]
async fn an_append_that_is_open_in_another_database_delays_nothing() {
    let (database, other) = (Database::new().await, Database::new().await);
    drop(gesta::store::connect(&other.url("")).await.unwrap());
    let mut admin = other.connect().await;
    open_append(&mut admin, "Account-x").await;
    let store = gesta::store::connect(&database.url("")).await.unwrap();
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    for name in ["a", "b", "c"] {
        app.execute(&account(name), Open { owner: name.into() }).await.unwrap();
        // A read that finds somebody in its way answers what was settled before.
        assert_eq!(streams(&store).await.last().map(String::as_str), Some(&*format!("Account-{name}")));
    }
    admin.execute("rollback").await.unwrap();
}
