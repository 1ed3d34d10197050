//! Commands inside a transaction of the user's: stored with it, or not at all.

use std::time::{Duration, Instant};

use gesta::{App, Failure, StoreError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor, PgPool};

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;
use crate::stores::Folder;
use crate::told::Listening;

async fn pool(database: &Database) -> PgPool {
    PgPoolOptions::new().max_connections(4).connect(&database.url("")).await.unwrap()
}

/// The same behind a pooler, where the next transaction may get another session.
async fn pool_through(url: &str) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.extra_float_digits(None).statement_cache_capacity(0);
    PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
}

async fn balance(app: &App, id: &str) -> Option<i64> {
    app.load::<Account>(&account(id)).await.unwrap().into_state().map(|state| state.balance)
}

/// Accounts that are there, and a table beside gesta's.
async fn started(inline: bool) -> (Database, App, PgPool) {
    started_with("", inline).await
}

async fn started_with(options: &str, inline: bool) -> (Database, App, PgPool) {
    let database = Database::new().await;
    let builder = lending(App::connect(&database.url(options)).await.unwrap());
    let builder = if inline { builder.inline_projection::<Summary>() } else { builder.projection::<Summary>() };
    let app = builder.start().await.unwrap();
    let pool = pool(&database).await;
    pool.execute("create table receipts (amount int8 not null)").await.unwrap();
    for id in ["A", "B"] {
        app.execute(&account(id), Open { owner: "x".into() }).await.unwrap();
    }
    (database, app, pool)
}

async fn receipts(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from receipts").fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_executed_in_a_transaction_is_stored_with_it_or_not_at_all() {
    for (options, inline) in [("", false), ("", true), ("?appends=exclusive", false), ("?appends=exclusive", true)] {
        let (database, app, pool) = started_with(options, inline).await;
        let pooler = database.pooler();
        let through = pool_through(&pooler.url(database.name())).await;
        for (pool, commits) in [(&pool, true), (&pool, false), (&through, true), (&through, false)] {
            let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
            let before = balance(&app, "A").await.unwrap();
            let done = joint.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
            joint.execute(&account("A"), Deposit { amount: 2 }).await.unwrap();
            joint.execute(&account("B"), Deposit { amount: 1 }).idempotency_key("once").await.unwrap();
            let again = joint.execute(&account("B"), Deposit { amount: 1 }).idempotency_key("once").await.unwrap();
            // After a first commit it is a repeat from the beginning.
            assert!(again.repeated);
            // A refusal leaves the transaction whole.
            let refused = joint.execute(&account("A"), Withdraw { amount: 1_000 }).await;
            assert!(refused.is_err());
            // Without a name, which a session behind the pooler may have had from somebody else.
            joint.connection().await.unwrap().execute(sqlx::raw_sql("insert into receipts values (7)")).await.unwrap();
            let inside = joint.load::<Account>(&account("A")).await.unwrap().into_state().unwrap();
            assert_eq!(inside.balance, before + 7);
            assert_eq!(balance(&app, "A").await, Some(before), "nobody else sees it before the end");
            if commits {
                joint.commit().await.unwrap();
                let row = app.read::<Summary>().after(&done).get(&account("A")).await.unwrap();
                assert!(row.is_some());
            } else {
                drop(joint);
            }
            let expected = if commits { before + 7 } else { before };
            app.settle().await.unwrap();
            assert_eq!(balance(&app, "A").await, Some(expected));
            assert_eq!(app.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(expected));
            // What the cache holds is of before.
            app.execute(&account("A"), Withdraw { amount: expected }).await.unwrap();
        }
        assert_eq!(receipts(&pool).await, 2);
        assert_eq!(balance(&app, "B").await, Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_go_on_while_a_transaction_is_open_except_on_its_aggregates() {
    let (_database, app, pool) = started(false).await;
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    joint.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
    // More than there are lanes and connections for appends.
    let blocked: Vec<_> = (0..6)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.execute(&account("A"), Deposit { amount: 1 }).await })
        })
        .collect();
    let started = Instant::now();
    for _ in 0..20 {
        app.execute(&account("B"), Deposit { amount: 1 }).await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(blocked.iter().all(|task| !task.is_finished()), "what waits for the transaction is not done before it");
    joint.commit().await.unwrap();
    for task in blocked {
        task.await.unwrap().unwrap();
    }
    assert_eq!((balance(&app, "A").await, balance(&app, "B").await), (Some(11), Some(20)));
}

/// Who holds readers up is told, so that it is not looked for long.
// On one thread, so that all that is told is heard.
#[tokio::test]
async fn a_transaction_that_is_open_for_long_and_has_appended_is_named() {
    let told = Listening::begin();
    let (_database, app, pool) = started(false).await;
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    joint.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
    let pid: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *joint.connection().await.unwrap()).await.unwrap();
    let last = app.execute(&account("B"), Deposit { amount: 1 }).await.unwrap();
    let late = app.read::<Summary>().after(&last).within(Duration::from_secs(3)).get(&account("B")).await;
    assert!(matches!(late, Err(gesta::ReadError::Late { .. })), "{late:?}");
    let lines = told.lines();
    let named = |line: &String| {
        line.starts_with("WARN message=a transaction that has appended is still open")
            && line.contains(&format!("holders=\"pid {pid}\""))
    };
    assert!(lines.iter().any(named), "{lines:#?}");
    joint.commit().await.unwrap();
    app.settle().await.unwrap();
}

/// Postgres undoes one that has failed, and answers a commit as if nothing were wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_commit_of_a_transaction_that_has_failed_is_no_success() {
    let (_database, app, pool) = started(false).await;
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    joint.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
    let failed = joint.connection().await.unwrap().execute("select 1 / 0").await;
    assert!(failed.is_err());
    let why = joint.commit().await.expect_err("nothing of it is stored");
    assert!(!why.is_unknown_outcome(), "{why:?}");
    let told = "committing: the transaction has failed before, and nothing of it is stored: see the first error";
    assert_eq!(why.to_string(), told);
    assert_eq!(balance(&app, "A").await, Some(0));

    // The driver undoes one that has failed where a part of it is begun: then there is none any more, and what follows would be
    // stored by itself.
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    joint.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
    {
        let mut connection = joint.connection().await.unwrap();
        assert!(connection.execute("select 1 / 0").await.is_err());
        assert!(connection.begin().await.is_err());
    }
    let why = joint.execute(&account("B"), Deposit { amount: 7 }).await.expect_err("there is no transaction").to_string();
    assert_eq!(why, told.replace("committing", "appending"));
    let why = joint.commit().await.expect_err("nothing of it is stored");
    assert_eq!(why.to_string(), told);
    assert_eq!((balance(&app, "A").await, balance(&app, "B").await), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conflict_with_others_is_decided_again_in_the_transaction() {
    let (_database, app, pool) = started(false).await;
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    assert_eq!(joint.load::<Account>(&account("A")).await.unwrap().version.get(), 1);
    app.execute(&account("A"), Deposit { amount: 3 }).await.unwrap();
    let done = joint.execute(&account("A"), Withdraw { amount: 3 }).await.unwrap();
    assert_eq!(done.version.get(), 3);
    joint.commit().await.unwrap();
    assert_eq!(balance(&app, "A").await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_that_can_not_be_joined_is_refused_with_the_reason() {
    let (database, app, pool) = started(false).await;
    let strict = pool.begin_with("begin isolation level repeatable read").await.unwrap();
    let why = app.join(strict).await.expect_err("it would look at old versions").to_string();
    assert_eq!(
        why,
        "joining a transaction: the transaction is `repeatable read`, in which a version that was looked at may be an old one: begin it as \
         `read committed`"
    );
    let other = Database::new().await;
    for has_a_store in [false, true] {
        if has_a_store {
            drop(gesta::store::connect(&other.url("")).await.unwrap());
        }
        let elsewhere = self::pool(&other).await.begin().await.unwrap();
        let why = app.join(elsewhere).await.expect_err("it is elsewhere").to_string();
        assert_eq!(why, "joining a transaction: the transaction is one of another database: begin it where the store is");
    }
    let folder = Folder::new();
    let sqlite = App::connect(&folder.url("x.db")).await.unwrap().start().await.unwrap();
    let failure = sqlite.join(pool.begin().await.unwrap()).await.expect_err("a file is no database server");
    assert!(matches!(failure, Failure::Store(StoreError::Unsupported(_))), "{failure}");
    drop(database);
}

/// Whoever wants the lock alone while another transaction has appended waits for it, and lets everybody else go on meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_that_waits_for_the_lock_alone_keeps_nobody_else_waiting() {
    let (_database, app, pool) = started(false).await;
    let first = app.join(pool.begin().await.unwrap()).await.unwrap();
    first.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
    let second = app.join(pool.begin().await.unwrap()).await.unwrap();
    let waiting = tokio::spawn(async move {
        let looked = second.execute(&account("B"), Audit).idempotency_key("looked").await;
        (looked.map(|done| done.version), second.commit().await)
    });
    let mut longest = Duration::ZERO;
    for number in 0..40 {
        let began = Instant::now();
        app.execute(&account(&format!("other{number}")), Open { owner: "x".into() }).await.unwrap();
        longest = longest.max(began.elapsed());
    }
    assert!(longest < Duration::from_secs(3), "{longest:?}");
    assert!(!waiting.is_finished(), "it can't have the lock");
    first.commit().await.unwrap();
    let (looked, committed) = waiting.await.unwrap();
    committed.unwrap();
    assert_eq!(looked.unwrap().get(), 1);
}
