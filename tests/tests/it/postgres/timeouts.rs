//! Time-outs: of the server, of a lock, of the pool. Nothing was stored, the same may succeed later, and it does.

use std::time::{Duration, Instant};

use gesta::{App, Version};
use sqlx::{AssertSqlSafe, Executor};

use super::server::Database;
use super::waiting::open_append;
use crate::app::commands::lending;
use crate::domain::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_has_stored_nothing_and_harms_no_later_one() {
    for appends in ["shared", "exclusive"] {
        too_late(appends).await;
    }
}

async fn too_late(appends: &str) {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let name = database.name();
    admin.execute(AssertSqlSafe(format!("alter database {name} set statement_timeout = '400ms'"))).await.unwrap();
    let app = lending(App::connect(&database.url(&format!("?connections_max=6&appends={appends}"))).await.unwrap())
        .start()
        .await
        .unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    let canceled =
        "appending: canceling statement due to statement timeout: a time-out of the server, or somebody who cancelled it";

    let slow = "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(60); return null; end';
        create trigger slow after insert on gesta_events for each statement execute function slow()";
    sqlx::raw_sql(slow).execute(&mut admin).await.unwrap();
    for _ in 0..3 {
        let late = app.execute(&id, Deposit { amount: 1 }).await.unwrap_err();
        assert!(late.is_retryable() && !late.is_unknown_outcome(), "{late}");
        assert_eq!(late.to_string(), canceled);
    }
    admin.execute("drop trigger slow on gesta_events").await.unwrap();
    assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap().version, Version::new(2));

    // An append that holds only a key waits for those that are open, and is given up. Meanwhile it lets others go on, and the
    // connections it waited on must not be lent on as they are.
    open_append(&mut admin, "Account-h").await;
    let waiting = {
        let (app, id) = (app.clone(), id.clone());
        tokio::spawn(async move { app.execute(&id, Audit).idempotency_key("looked").await.map(drop) })
    };
    if appends == "shared" {
        for number in 0..20 {
            app.execute(&account(&format!("other{number}")), Open { owner: "Ann".into() }).await.unwrap();
        }
    }
    assert!(!waiting.is_finished(), "it can't go on");
    let late = waiting.await.unwrap().unwrap_err();
    assert!(late.is_retryable() && !late.is_unknown_outcome(), "{late}");
    assert_eq!(late.to_string(), "appending: somebody's transaction is still open that has appended, or that holds a row of it");
    admin.execute("rollback").await.unwrap();
    assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap().version, Version::new(3));
    assert!(!app.execute(&id, Audit).idempotency_key("looked").await.unwrap().repeated);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_session_was_ended_by_somebody_is_repeated() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    for options in ["?schema=shared", "?schema=alone&appends=exclusive"] {
        let app = lending(App::connect(&database.url(options)).await.unwrap()).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let schema = options.trim_start_matches("?schema=").split('&').next().unwrap_or_default();
        // Behind the insert, and so in the midst of the append.
        let slow = format!(
            "select pg_advisory_lock(1);
             create function {schema}.slow() returns trigger language plpgsql as
                'begin perform pg_advisory_xact_lock_shared(1); return null; end';
             create trigger slow after insert on {schema}.gesta_events for each statement execute function {schema}.slow()"
        );
        sqlx::raw_sql(AssertSqlSafe(slow)).execute(&mut admin).await.unwrap();
        let append = {
            let (app, id) = (app.clone(), id.clone());
            tokio::spawn(async move { app.execute(&id, Deposit { amount: 1 }).await })
        };
        let waiting = "select count(pg_terminate_backend(pid)) from pg_locks l
            where locktype = 'advisory' and objid = 1 and not granted
                and database = (select oid from pg_database where datname = current_database())";
        let deadline = Instant::now() + Duration::from_secs(20);
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut admin).await.unwrap() == 0 {
            assert!(Instant::now() < deadline, "nobody appends");
        }
        admin.execute("select pg_advisory_unlock(1)").await.unwrap();
        let done = append.await.unwrap().expect("it is repeated, not answered");
        assert_eq!((done.version, done.events.len()), (Version::new(2), 1), "{options}");
        app.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_is_named_and_frees_itself() {
    let database = Database::new().await;
    let url = database.url("?connections_max=6&connection_wait_max_s=1");
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    let mut admin = database.connect().await;
    sqlx::raw_sql("begin; lock table gesta_events in access exclusive mode").execute(&mut admin).await.unwrap();
    let load = || {
        let (app, id) = (app.clone(), id.clone());
        async move { app.load::<Account>(&id).await.map(|loaded| loaded.version) }
    };
    // Two wait for the table with the connections that there are for reading, whichever they are.
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..3 {
        loads.spawn(load());
    }
    let first = tokio::time::timeout(Duration::from_secs(20), loads.join_next()).await.expect("one is told that there is none");
    let full = first.unwrap().unwrap().unwrap_err();
    assert!(matches!(&full, gesta::LoadError::Store(why) if why.is_retryable()), "{full}");
    assert_eq!(
        full.to_string(),
        "connecting to read: no connection became free in time, or the server takes none: raise `connections_max` or `connection_wait_max_s`"
    );
    // Appends have connections of their own: this one waits for the table, and is carried out.
    let append = {
        let (app, id) = (app.clone(), id.clone());
        tokio::spawn(async move { app.execute(&id, Deposit { amount: 1 }).await })
    };
    admin.execute("commit").await.unwrap();
    assert_eq!(append.await.unwrap().unwrap().version, Version::new(2));
    for load in loads.join_all().await {
        load.expect("it only had to wait");
    }
    load().await.expect("there is room again");
}
