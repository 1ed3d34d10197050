//! What Postgres does that the store has to mind, each by itself.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gesta::App;
use gesta::store::{Store, connect};
use sqlx::{AssertSqlSafe, Executor as _};
use xtask::postgres::Cluster;

use super::server::{self, Database};
use super::waiting::open_append;
use crate::app::commands::lending;
use crate::domain::*;

async fn streams(store: &Store) -> Vec<String> {
    let mut streams = Vec::new();
    let mut visit = |event: gesta::store::StoredEvent<'_>| {
        streams.push(event.stream.to_owned());
        ControlFlow::Continue(())
    };
    store.log.read_all(gesta::Position::ZERO, usize::MAX, &mut visit).await.unwrap();
    streams
}

/// A session goes from one append to the next without a gap that anybody could see: the second is another holder.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_waited_for_is_a_transaction_and_not_its_session() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    let store = app.store().clone();
    assert_eq!(streams(&store).await, Vec::<String>::new());
    let mut session = database.connect().await;
    open_append(&mut session, "Account-h0").await;
    app.execute(&account("b"), Open { owner: "Ann".into() }).await.unwrap();
    assert_eq!(streams(&store).await, Vec::<String>::new());
    let next = "commit; begin; insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
        values ('Account-h1', 1, 'Opened', 1, gen_random_uuid(), 0, '{\"owner\":\"hand\"}')";
    sqlx::raw_sql(next).execute(&mut session).await.unwrap();
    assert_eq!(streams(&store).await, ["Account-h0", "Account-b"]);
    session.execute("commit").await.unwrap();
    assert_eq!(streams(&store).await, ["Account-h0", "Account-b", "Account-h1"]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_in_two_schemas_do_not_wait_for_each_other() {
    let database = Database::new().await;
    let start = async |options: &str| lending(App::connect(&database.url(options)).await.unwrap()).start().await.unwrap();
    let (one, other) = (start("?schema=one").await, start("?schema=other&appends=exclusive").await);
    let mut session = database.connect().await;
    session.execute("set search_path to one").await.unwrap();
    open_append(&mut session, "Account-h").await;
    let began = Instant::now();
    other.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    assert_eq!(streams(other.store()).await, ["Account-a"]);
    // Not even for as long as a look waits.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    one.execute(&account("b"), Open { owner: "Ann".into() }).await.unwrap();
    assert_eq!(streams(one.store()).await, Vec::<String>::new());
    session.execute("rollback").await.unwrap();
    assert_eq!(streams(one.store()).await, ["Account-b"]);
    one.shutdown().await.unwrap();
    other.shutdown().await.unwrap();
}

/// Where the database says that transactions are to be serializable, a census would look at one moment all the time, and an append
/// that has waited would look at an old version.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_makes_of_transactions_is_not_what_the_store_takes() {
    for isolation in ["repeatable read", "serializable"] {
        let database = Database::new().await;
        let pooler = database.pooler();
        let mut admin = database.connect().await;
        let set = format!("alter database {} set default_transaction_isolation = '{isolation}'", database.name());
        admin.execute(AssertSqlSafe(set)).await.unwrap();
        for (number, url) in [
            database.url("?schema=s0"),
            database.url("?schema=s1&appends=exclusive"),
            database.url_through(&pooler, "?schema=s2"),
            database.url_through(&pooler, "?schema=s3&appends=exclusive"),
        ]
        .into_iter()
        .enumerate()
        {
            let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
            // Whatever appends, stores rows or looks for open appends says what it is.
            let tell = format!(
                "create table told_{number} (what text, isolation text);
                 create function s{number}.tell() returns trigger language plpgsql as $$ begin
                    insert into public.told_{number} values (tg_table_name, current_setting('transaction_isolation')); return null; end $$;
                 create trigger tell after insert on s{number}.gesta_events for each statement execute function s{number}.tell();
                 create trigger tell after insert on s{number}.summary for each statement execute function s{number}.tell();
                 create trigger tell after insert on s{number}.gesta_alive for each statement execute function s{number}.tell();
                 delete from s{number}.gesta_alive"
            );
            sqlx::raw_sql(AssertSqlSafe(tell)).execute(&mut admin).await.unwrap();
            // A census that finds an open append notes that the server is alive.
            let mut open = database.connect().await;
            open.execute(AssertSqlSafe(format!("set search_path to s{number}"))).await.unwrap();
            open_append(&mut open, "Account-open").await;
            let until = Instant::now() + Duration::from_secs(20);
            let alive = format!("select count(*) from told_{number} where what = 'gesta_alive'");
            while sqlx::query_scalar::<_, i64>(AssertSqlSafe(&*alive)).fetch_one(&mut admin).await.unwrap() == 0 {
                assert!(Instant::now() < until, "no census finds the open append");
                let waiting = app.store().log.wait_beyond(gesta::Position::new(1_000_000));
                let _ = tokio::time::timeout(Duration::from_millis(100), waiting).await;
            }
            open.execute("rollback").await.unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            for task in 0..8 {
                let app = app.clone();
                tasks.spawn(async move {
                    for _ in 0..5 {
                        // Two on each, so that some lose a race.
                        app.execute(&account(&format!("{}", task / 2)), Welcome { gift: 1 }).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
            app.settle().await.unwrap();
            let told = format!("select distinct what || ' ' || isolation from told_{number} order by 1");
            let told: Vec<String> = sqlx::query_scalar(AssertSqlSafe(told)).fetch_all(&mut admin).await.unwrap();
            assert_eq!(told, ["gesta_alive read committed", "gesta_events read committed", "summary read committed"], "{url}");
            app.shutdown().await.unwrap();
        }
    }
}

/// It fires no trigger for what it is fed, and its sequence stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_fed_by_logical_replication_is_no_store() {
    let cluster = Cluster::start(&[("wal_level", "logical")]).expect("a server of one's own");
    let from = cluster.url("postgres");
    let app = lending(App::connect(&from).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    app.execute(&account("a"), Drip { times: 4 }).await.unwrap();
    app.shutdown().await.unwrap();
    let mut there = server::connect(&from).await;
    there.execute("create database fed").await.unwrap();
    connect(&cluster.url("fed")).await.unwrap().log.close().await.unwrap();
    there.execute("create publication events for table gesta_events").await.unwrap();
    // On one server the two would wait for each other, if the slot was not there before.
    there.execute("select pg_create_logical_replication_slot('events', 'pgoutput')").await.unwrap();
    let mut fed = server::connect(&cluster.url("fed")).await;
    let subscribe = format!("create subscription events connection '{from}' publication events with (create_slot = false)");
    fed.execute(AssertSqlSafe(subscribe)).await.unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while sqlx::query_scalar::<_, i64>("select count(*) from gesta_events").fetch_one(&mut fed).await.unwrap() < 5 {
        assert!(Instant::now() < until, "it is fed nothing");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = connect(&cluster.url("fed")).await.err().expect("its readers would skip events").to_string();
    assert!(
        refused.contains("the last event stands at 5, and `gesta_positions` at 0, so positions would be given twice"),
        "{refused}"
    );
    // So that the server can end.
    fed.execute("drop subscription events").await.unwrap();
}
