//! What an app may do is taken from it while it runs: it says what is missing and what to do, and goes on once that is given back.

use std::time::{Duration, Instant};

use gesta::{App, ExecuteError};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use xtask::postgres::Cluster;

use super::crash::database;
use super::server::{Database, connect};
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// A deposit of one: the balance after it.
async fn deposit(app: &App) -> Result<i64, ExecuteError<AccountError>> {
    app.execute(&account("a"), Deposit { amount: 1 }).await?;
    Ok(app.load::<Account>(&account("a")).await.unwrap().into_state().expect("it is open").balance)
}

/// Ends all sessions but this one, as an operator does for a setting to be read.
async fn end_sessions(admin: &mut PgConnection) {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()";
    let ended: i64 = sqlx::query_scalar(sql).fetch_one(admin).await.unwrap();
    assert!(ended > 0, "nobody was there");
}

/// Comes back once the app has got another ear, and with it other connections.
async fn hears_again(admin: &mut PgConnection) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN %'";
    let deadline = Instant::now() + LONG;
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *admin).await.unwrap() == 0 {
        assert!(Instant::now() < deadline, "nobody listens");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_any_more_is_named_and_all_goes_on_once_it_writes() {
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let mut admin = database.connect().await;
        let app = App::connect(&database.url(&format!("?appends={appends}"))).await.unwrap();
        let app = lending(app).projection::<Summary>().start().await.unwrap();
        app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        assert_eq!(deposit(&app).await.unwrap(), 1);

        let read_only = format!("alter database {} set default_transaction_read_only = on", database.name());
        admin.execute(AssertSqlSafe(read_only)).await.unwrap();
        end_sessions(&mut admin).await;
        // Of one that was sent to a session that is gone, nobody knows whether it was stored.
        let first = deposit(&app).await.unwrap_err();
        assert!(first.is_retryable() != first.is_unknown_outcome(), "{first}");
        hears_again(&mut admin).await;
        for _ in 0..2 {
            let refused = deposit(&app).await.unwrap_err();
            assert!(refused.is_retryable() && !refused.is_unknown_outcome(), "{refused}");
            let told = refused.to_string();
            assert!(told.starts_with("appending: cannot execute "), "{told}");
            let cure = " in a read-only transaction: connect to the primary, or take `default_transaction_read_only` out of its settings";
            assert!(told.ends_with(cure), "{told}");
        }
        assert_eq!(app.load::<Account>(&account("a")).await.unwrap().version.get(), 2, "it can be read, and nothing was stored");

        let both = format!("alter database {} reset default_transaction_read_only", database.name());
        admin.execute(AssertSqlSafe(both)).await.unwrap();
        // The sessions that are there only read to their end.
        let deadline = Instant::now() + LONG;
        let balance = loop {
            match deposit(&app).await {
                Ok(balance) => break balance,
                Err(why) => {
                    assert!(why.is_retryable() || why.is_unknown_outcome(), "{why}");
                    assert!(Instant::now() < deadline, "it does not go on: {why}");
                    tokio::task::yield_now().await;
                }
            }
        };
        assert_eq!(balance, 2, "{appends}");
        tokio::time::timeout(LONG, app.settle()).await.expect("the read model goes on").unwrap();
        assert_eq!(app.read::<Summary>().get(&account("a")).await.unwrap().map(|row| row.balance), Some(2));
        app.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_named_and_the_same_command_succeeds_once_it_is_back() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    connect(&cluster.url("postgres")).await.execute("create role clerk login").await.unwrap();
    for appends in ["shared", "exclusive"] {
        let url = database(&cluster, appends).await;
        gesta::store::connect(&url).await.expect("who may do everything makes it").log.close().await.unwrap();
        let mut admin = connect(&url).await;
        let all = "grant select, insert, update, delete on all tables in schema public to clerk;
            grant usage, select on all sequences in schema public to clerk";
        sqlx::raw_sql(all).execute(&mut admin).await.unwrap();
        let url = format!("{}?appends={appends}", url.replacen("gesta@", "clerk@", 1));
        let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
        app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        assert_eq!(deposit(&app).await.unwrap(), 1);

        admin.execute("revoke insert on gesta_events from clerk").await.unwrap();
        for _ in 0..2 {
            let refused = deposit(&app).await.unwrap_err();
            assert!(!refused.is_retryable() && !refused.is_unknown_outcome(), "{refused}");
            let told =
                "appending: permission denied for table gesta_events: grant it to the user of the URL, or take another one";
            assert_eq!(refused.to_string(), told);
        }
        admin.execute("grant insert on gesta_events to clerk").await.unwrap();
        assert_eq!(deposit(&app).await.unwrap(), 2, "{appends}");
        app.shutdown().await.unwrap();
    }
}
