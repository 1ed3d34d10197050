//! Settings of the server, of a database, of a role and of a URL: which of them the store overrides, warns of, or refuses.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gesta::read::{Column, ColumnKind, ColumnRole};
use gesta::store::{ModelSpec, StoredEvent, connect};
use gesta::{App, Position, Version};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPoolOptions};
use xtask::postgres::Cluster;

use super::server::{self, Database};
use crate::app::commands::lending;
use crate::domain::*;
use crate::told::Listening;

async fn send(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
}

/// The accounts that were made.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// How commits wait, of whatever appends by this URL, also in a transaction of the user's.
async fn commits(database: &Database, url: &str, joined: &str) -> Vec<String> {
    let app = lending(App::connect(url).await.unwrap()).projection::<Summary>().start().await.unwrap();
    let mut admin = database.connect().await;
    // One by one, since the app is at work.
    for sql in [
        "create table if not exists told (how text)",
        "create or replace function tell() returns trigger language plpgsql as $$ begin
            insert into told values (current_setting('synchronous_commit')); return null; end $$",
        "create or replace trigger tell after insert on gesta_events for each statement execute function tell()",
        "create or replace trigger tell after insert on summary for each statement execute function tell()",
        "delete from told",
    ] {
        send(&mut admin, sql).await;
    }
    let id = account(&NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    app.execute(&id, Deposit { amount: 1 }).idempotency_key("k").await.unwrap();
    app.execute(&id, Audit).idempotency_key("audit").await.unwrap();
    app.settle().await.unwrap();
    let pool = PgPoolOptions::new().connect(joined).await.unwrap();
    let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
    joint.execute(&id, Deposit { amount: 1 }).await.unwrap();
    joint.commit().await.unwrap();
    app.shutdown().await.unwrap();
    sqlx::query_scalar("select distinct how from told order by 1").fetch_all(&mut admin).await.unwrap()
}

/// F13: an append was acknowledged before the disk had it, if the database or the role said so.
#[tokio::test(flavor = "multi_thread")]
async fn commits_wait_for_the_disk_unless_the_url_says_otherwise() {
    let database = Database::new().await;
    let name = database.name();
    let mut admin = database.connect().await;
    for (set, expected) in [
        (format!("alter database {name} set synchronous_commit = off"), "on"),
        (format!("alter role gesta in database {name} set synchronous_commit = local"), "on"),
        (format!("alter role gesta in database {name} set synchronous_commit = remote_apply"), "remote_apply"),
    ] {
        send(&mut admin, &set).await;
        // Its sessions were begun after that.
        let pooler = database.pooler();
        for appends in ["shared", "exclusive"] {
            let options = format!("?appends={appends}");
            for url in [database.url(&options), database.url_through(&pooler, &options)] {
                assert_eq!(commits(&database, &url, &database.url("")).await, [expected], "{set}: {url}");
            }
        }
    }
    for option in ["?options=-c%20synchronous_commit%3Doff", "?options[synchronous_commit]=off"] {
        let url = database.url(option);
        assert_eq!(commits(&database, &url, &url).await, ["off"], "{option}");
    }
}

/// F13: 10,017 were acknowledged, and 10,008 were there.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_appends_outlive_a_crash_if_the_database_commits_lazily() {
    let cluster = Cluster::start(&[("wal_writer_delay", "10s")]).expect("a server of one's own");
    let url = cluster.url("postgres");
    send(&mut server::connect(&url).await, "alter database postgres set synchronous_commit = off").await;
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    let mut last = Version::ZERO;
    for _ in 0..50 {
        last = app.execute(&id, Deposit { amount: 1 }).await.unwrap().version;
    }
    cluster.crash().unwrap();
    cluster.resume().unwrap();
    let store = connect(&url).await.unwrap();
    let mut stored = Version::ZERO;
    let mut visit = |event: StoredEvent<'_>| {
        stored = event.version;
        ControlFlow::Continue(())
    };
    store.log.read_all(Position::ZERO, usize::MAX, &mut visit).await.unwrap();
    assert_eq!(stored, last);
    let _ = app.shutdown().await;
}

/// F13: the server itself can lose what it has acknowledged.
#[tokio::test]
async fn server_that_can_lose_commits_is_warned_of_at_the_start() {
    let cluster = Cluster::start(&[("fsync", "off"), ("full_page_writes", "off")]).expect("a server of one's own");
    let told = Listening::begin();
    connect(&cluster.url("postgres")).await.unwrap().log.close().await.unwrap();
    let lines = told.lines();
    for setting in ["`fsync = off`: if its machine crashes, appends", "`full_page_writes = off`: if its machine crashes, a page"]
    {
        let warned = lines.iter().filter(|line| line.starts_with("WARN") && line.contains(setting)).count();
        assert_eq!(warned, 1, "{setting}: {lines:#?}");
    }
    drop(told);
    let database = Database::new().await;
    let told = Listening::begin();
    connect(&database.url("")).await.unwrap().log.close().await.unwrap();
    let lines = told.lines();
    assert!(!lines.iter().any(|line| line.contains("= off`")), "{lines:#?}");
}

/// F13: settings that a database or a role can have, each of which changes how statements are read, planned or answered.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_database_change_nothing_that_is_stored() {
    let all = [
        "bytea_output = 'escape'",
        "client_encoding = 'LATIN1'",
        "client_min_messages = 'debug5'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'sql_standard'",
        "timezone = 'Asia/Kathmandu'",
        "default_transaction_deferrable = on",
        "default_transaction_isolation = 'serializable'",
        "enable_indexscan = off",
        "enable_bitmapscan = off",
        "enable_indexonlyscan = off",
        "enable_nestloop = off",
        "enable_sort = off",
        "enable_material = off",
        "exit_on_error = on",
        "extra_float_digits = -15",
        "force_parallel_mode = on",
        "idle_in_transaction_session_timeout = '100ms'",
        "lock_timeout = '1ms'",
        "plan_cache_mode = 'force_generic_plan'",
        "quote_all_identifiers = on",
        "row_security = off",
        "search_path = 'pg_temp, nowhere, public, pg_catalog'",
        "session_replication_role = 'replica'",
        "standard_conforming_strings = off",
        "synchronous_commit = off",
        "transform_null_equals = on",
        "work_mem = '64kB'",
        "array_nulls = off",
    ];
    let database = Database::new().await;
    let pooler = database.pooler();
    let mut admin = database.connect().await;
    for setting in all {
        send(&mut admin, &format!("alter database {} set {setting}", database.name())).await;
    }
    for (number, options) in ["&appends=shared", "&appends=exclusive"].into_iter().enumerate() {
        let options = |schema| format!("?schema=s{number}{schema}{options}");
        for url in [database.url(&options("%5C%27")), database.url_through(&pooler, &options("p"))] {
            let builder = lending(App::connect(&url).await.unwrap_or_else(|why| panic!("{url}: {why}")));
            let app = builder.projection::<Summary>().inline_projection::<Amounts>().start().await.unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            for task in 0..4 {
                let app = app.clone();
                tasks.spawn(async move {
                    let id = account(&format!("{number}-{task}\\'"));
                    app.execute(&id, Welcome { gift: 1 }).idempotency_key("w").await.unwrap();
                    for _ in 0..3 {
                        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
                        app.execute(&id, Drip { times: 2 }).await.unwrap();
                    }
                    app.execute(&id, Welcome { gift: 1 }).idempotency_key("w").await.map(|done| assert!(done.repeated)).unwrap();
                });
            }
            while let Some(done) = tasks.join_next().await {
                done.unwrap_or_else(|why| panic!("{url}: {why}"));
            }
            app.settle().await.unwrap();
            let rows = app.read::<Summary>().all().await.unwrap();
            assert!(rows.len() >= 4 && rows.iter().all(|row| row.balance == 10), "{url}: {rows:?}");
            app.shutdown().await.unwrap();
        }
    }
}

/// R15: texts outside of the encoding were refused or parked later, one by one.
#[tokio::test]
async fn database_of_another_encoding_is_refused_at_the_start() {
    for (encoding, why) in [
        ("LATIN1", "which can't hold every text"),
        ("EUC_JP", "which can't hold every text"),
        ("SQL_ASCII", "which checks no text, so that other clients could store some that can't be read"),
    ] {
        let database = Database::new().await;
        let mut admin = database.connect().await;
        let name = format!("{}_{}", database.name(), encoding.to_lowercase());
        send(&mut admin, &format!("create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0"))
            .await;
        let url = |name: &str| database.url("").replace(&format!("/{}", database.name()), &format!("/{name}"));
        let refused = connect(&url(&name)).await.err().expect("it can't hold every text").to_string();
        let told = format!("opening the database: the database `{name}` has the encoding {encoding}, {why}: make one by `");
        let cure = refused.strip_prefix(&told).and_then(|rest| rest.strip_suffix("`, and move to it what is stored"));
        send(&mut admin, cure.unwrap_or_else(|| panic!("{refused}"))).await;
        connect(&url(&format!("{name}_utf8"))).await.expect("it is the right one").log.close().await.unwrap();
        for name in [format!("{name}_utf8"), name] {
            send(&mut admin, &format!("drop database {name} with (force)")).await;
        }
    }
}

/// R16: the advice was to raise `connections_max`, which made it worse.
#[tokio::test(flavor = "multi_thread")]
async fn server_that_lets_nobody_in_is_asked_why() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let mut admin = server::connect(&cluster.url("postgres")).await;
    let roles = "create role clerk login connection limit 3; grant create on schema public to clerk";
    send(&mut admin, roles).await;
    let url = format!("{}?connection_wait_max_s=1", cluster.url("postgres").replacen("gesta@", "clerk@", 1));
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    let open = async |name: &str| {
        let opened = app.execute(&account(name), Open { owner: "Ann".into() }).await;
        opened.map(drop).map_err(|why| (why.to_string(), why.is_retryable(), why.is_unknown_outcome()))
    };
    let advice = "raise `max_connections` of the server, or the `connection limit` of the role or of the database, or lower \
                  `connections_max` of its clients";
    // Two of the four connections are there: this one, and the one that reads.
    let (why, retryable, unknown) = open("a").await.unwrap_err();
    assert!(why.ends_with(&format!("too many connections for role \"clerk\": {advice}")), "{why}");
    assert!(retryable && !unknown, "{why}");
    send(&mut admin, "alter role clerk connection limit -1").await;
    open("a").await.unwrap();

    // What stands between now and the next connection.
    send(&mut admin, "alter database postgres connection limit 0").await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'clerk'";
    send(&mut admin, end).await;
    let told = async |what: &str, expected: &str| {
        for _ in 0..50 {
            let (why, retryable, unknown) = open(what).await.unwrap_err();
            // What was on its way when the session ended may be stored.
            if !unknown && why.contains(expected) {
                return (why, retryable);
            }
        }
        panic!("{what}: nothing was told of `{expected}`");
    };
    let (why, retryable) = told("b", "too many connections for database \"postgres\"").await;
    assert!(why.ends_with(advice) && retryable, "{why}");
    send(&mut admin, "alter database postgres connection limit -1; alter role clerk nologin").await;
    send(&mut admin, end).await;
    let (why, _) = told("c", "role \"clerk\" is not permitted to log in").await;
    assert!(!why.contains("connections_max"), "{why}");
    send(&mut admin, "alter role clerk login").await;
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while let Err((why, ..)) = open("d").await {
        assert!(std::time::Instant::now() < deadline, "{why}");
        tokio::task::yield_now().await;
    }
    let _ = app.shutdown().await;
}

/// R20: the driver warned 365 times of an app that only had much to do.
#[tokio::test]
async fn app_that_waits_for_a_connection_causes_no_warning_of_the_driver() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("?connections_max=6")).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    let mut admin = database.connect().await;
    send(&mut admin, "begin; lock table gesta_events in access exclusive mode").await;
    let told = Listening::begin();
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let app = app.clone();
        loads.spawn(async move { app.load::<Account>(&account("a")).await.map(drop) });
    }
    // The driver calls a statement slow after one second, and a wait for a connection after two.
    send(&mut admin, "select pg_sleep(2.5); commit").await;
    for load in loads.join_all().await {
        load.unwrap();
    }
    let mut lines = told.lines();
    // The one of this test.
    lines.retain(|line| line.starts_with("WARN") && !line.contains("pg_sleep"));
    assert!(lines.is_empty(), "{lines:#?}");
    app.shutdown().await.unwrap();
}

const fn column(name: &'static str, role: ColumnRole) -> Column {
    Column { name, kind: ColumnKind::Text, nullable: false, role, doc: "" }
}

macro_rules! model {
    ($($name:expr),*) => {
        const { &[column("id", ColumnRole::Key), $(column($name, ColumnRole::Plain)),*] }
    };
}

/// R19: the server's error named neither the model nor what to do.
#[tokio::test]
async fn model_with_columns_that_postgres_can_not_have_is_named() {
    const LONG: &str = "a_name_that_is_longer_than_sixty_three_bytes_and_begins_like_ano1";
    let database = Database::new().await;
    let store = connect(&database.url("")).await.unwrap();
    let models = store.read_models.as_ref().unwrap();
    let prepare = async |columns: &'static [Column]| {
        let spec = ModelSpec { table: "summary", columns, fingerprint: 1, inline: false };
        models.prepare(vec![spec]).await.map(drop).map_err(|why| (why.to_string(), why.is_retryable()))
    };
    for columns in [model!("xmin"), model!("CTID"), model!("tableoid"), model!("cmax"), model!(LONG)] {
        let told = format!(
            "preparing read models: `summary` can't have a column `{}`: Postgres has a column of this name in each table, or cuts it \
             off after 63 bytes; give it another name",
            columns[1].name
        );
        assert_eq!(prepare(columns).await, Err((told, false)));
    }
    let mut admin = database.connect().await;
    let ddl =
        "create function refuse() returns event_trigger language plpgsql as 'begin raise exception ''no tables today''; end';
        create event trigger refuse on ddl_command_start when tag in ('CREATE TABLE') execute function refuse()";
    send(&mut admin, ddl).await;
    let (why, _) = prepare(model!("name")).await.unwrap_err();
    assert!(
        why.starts_with("preparing a read model: the table of the read model `summary` can't be made: no tables today"),
        "{why}"
    );
    send(&mut admin, "drop event trigger refuse").await;
    prepare(model!("name")).await.unwrap();
    store.log.close().await.unwrap();
}
