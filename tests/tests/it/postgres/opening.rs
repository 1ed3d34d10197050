//! What keeps a database from being opened: named, with what to do, and with whether the same may succeed later.

use std::time::Duration;

use gesta::store::connect;
use gesta::store::postgres::{PostgresOptions, open};
use gesta::{App, StartError};
use sqlx::{AssertSqlSafe, Executor};
use xtask::postgres::Cluster;

use super::proxy::Proxy;
use super::server::{Database, connect as session};
use crate::app::commands::lending;
use crate::domain::*;

/// Why this can't be opened, and whether it may be later.
async fn refusal(url: &str) -> (String, bool) {
    let error = connect(url).await.err().unwrap_or_else(|| panic!("{url} opens"));
    let later = matches!(&error, StartError::Store(why) if why.is_retryable());
    (error.to_string(), later)
}

fn never(message: impl Into<String>) -> (String, bool) {
    (message.into(), false)
}
fn later(message: impl Into<String>) -> (String, bool) {
    (message.into(), true)
}

#[tokio::test]
async fn what_keeps_a_server_from_letting_us_in_is_named() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let mut admin = session(&cluster.url("postgres")).await;
    admin.execute("create role ann login password 'secret'").await.unwrap();
    admin.execute("create role one login connection limit 0").await.unwrap();
    let hba = cluster.data().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    std::fs::write(&hba, format!("host all ann 127.0.0.1/32 scram-sha-256\nhost all eve all reject\n{rules}")).unwrap();
    admin.execute("select pg_reload_conf()").await.unwrap();
    let (port, place) = (cluster.port(), format!("127.0.0.1:{}", cluster.port()));
    let url = |user: &str, database: &str| format!("postgres://{user}@127.0.0.1:{port}/{database}");
    let opening = "opening the database: ";

    // The rules are read by each new connection's process, which may start before the server has read them itself.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while connect(&url("ann:wrong", "postgres")).await.err().is_none_or(|why| !why.to_string().contains("password")) {
        assert!(std::time::Instant::now() < deadline, "the rules are not read");
        tokio::task::yield_now().await;
    }
    let login = |user: &str, why: &str| {
        never(format!(
            "{opening}`{user}` may not log in at {place}: check user and password of the URL, and `pg_hba.conf`: {why}"
        ))
    };
    assert_eq!(refusal(&url("ann:wrong", "postgres")).await, login("ann", "password authentication failed for user \"ann\""));
    assert_eq!(refusal(&url("bob", "postgres")).await, login("bob", "role \"bob\" does not exist"));
    let eve = "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"eve\", database \"postgres\", no encryption";
    assert_eq!(refusal(&url("eve", "postgres")).await, login("eve", eve));
    assert_eq!(
        refusal(&url("gesta", "bank")).await,
        never(format!(
            "{opening}there is no database `bank` at {place}: make it, such as by `createdb bank`, or name another one"
        ))
    );
    assert_eq!(
        refusal(&url("one", "postgres")).await,
        later(format!(
            "{opening}too many connections for role \"one\": raise `max_connections` of the server, or the `connection limit` of the role or of \
             the database, or lower `connections_max` of its clients"
        ))
    );
    assert_eq!(
        refusal(&format!("{}?sslmode=require", cluster.url("postgres"))).await,
        never(format!(
            "{opening}no encrypted connection to {place}: server does not support TLS: see `sslmode` and `sslrootcert`"
        ))
    );

    // Rights: nothing may be made there, or what is there may not be read.
    assert_eq!(
        refusal(&url("ann:secret", "postgres")).await,
        never(format!(
            "{opening}the tables can't be made in the schema `\"public\"`: permission denied for schema public; `grant create on schema \"public\" to \"ann\"` lets `\"ann\"` make them, and a schema \
             that is not there needs `grant create on database \"postgres\" to \"ann\"`"
        ))
    );
    let grant = "create database ann; grant create on database ann to ann";
    for sql in grant.split("; ") {
        admin.execute(sql).await.unwrap();
    }
    drop(connect(&url("ann:secret", "ann?schema=new")).await.expect("the grant that was named is enough to make a schema"));
    let mut inside = session(&cluster.url("postgres")).await;
    inside.execute("create schema ledger; grant create, usage on schema ledger to ann").await.unwrap();
    drop(connect(&url("ann:secret", "postgres?schema=ledger")).await.expect("and the other one, where there is one"));
    drop(connect(&cluster.url("postgres")).await.expect("who may do everything opens it"));
    assert_eq!(
        refusal(&url("ann:secret", "postgres")).await,
        never(format!("{opening}permission denied for table gesta_store: grant it to the user of the URL, or take another one"))
    );

    // A standby, without anything to follow.
    drop(admin);
    cluster.crash().unwrap();
    std::fs::write(cluster.data().join("standby.signal"), "").unwrap();
    cluster.resume().unwrap();
    assert_eq!(
        refusal(&cluster.url("postgres")).await,
        never(format!("{opening}the server is a standby, which only reads, and shows nobody's locks: connect to the primary"))
    );
    cluster.crash().unwrap();
    let (why, retryable) = refusal(&cluster.url("postgres")).await;
    assert!(why.starts_with(&format!("{opening}no server can be reached at {place}: ")), "{why}");
    assert!(why.ends_with(": is it running, and is the URL right?") && retryable, "{why}");
}

#[tokio::test]
async fn a_url_that_can_not_be_right_is_refused_before_anybody_is_asked() {
    for (url, why) in [
        (
            "postgres://h:port/d",
            "`postgres://***`: invalid port number: see how `postgres://user:password@host:5432/database` is made",
        ),
        (
            "postgres://h/d?sslmode=maybe",
            "`postgres://h/d?sslmode=maybe`: unknown value \"maybe\" for `ssl_mode`: see how `postgres://user:password@host:5432/database` is made",
        ),
        (
            "postgres://h/d?schema=a%22b",
            "`postgres://h/d?schema=a%22b`: \"a\\\"b\" can't be the name of a schema: use letters, digits and `_`, at most 63 of them",
        ),
    ] {
        assert_eq!(refusal(url).await, never(why));
    }
    let (why, _) = refusal("postgres://nobody.invalid/d").await;
    assert!(why.starts_with("opening the database: no server can be reached at nobody.invalid:5432: "), "{why}");
    let connect = "postgres://ann:secret@h/d".parse().unwrap();
    let options = PostgresOptions::new(connect).schema("x".repeat(64));
    assert!(!format!("{options:?}").contains("secret"), "{options:?}");
    let why = open(&options).await.err().expect("the name would be cut off").to_string();
    assert!(why.ends_with("can't be the name of a schema: use letters, digits and `_`, at most 63 of them"), "{why}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_without_end() {
    let database = Database::new().await;
    let proxy = Proxy::new(&database.url("")).await;
    proxy.fall_silent();
    let url = proxy.url(&database.url("?connection_wait_max_s=1"));
    let (why, retryable) = refusal(&url).await;
    assert!(why.ends_with("did not answer in time: is it a Postgres, and is it well?") && retryable, "{why}");
}

#[tokio::test]
async fn a_database_that_only_reads_or_is_newer_is_left_alone() {
    let database = Database::new().await;
    drop(connect(&database.url("")).await.unwrap());
    let mut admin = database.connect().await;
    admin.execute("update gesta_store set format = 99").await.unwrap();
    assert_eq!(
        refusal(&database.url("")).await,
        never(
            "`the schema `public` of the database` has format 99, this build knows formats up to 1: use a newer build; it was not touched"
        )
    );
    admin.execute("update gesta_store set format = 1").await.unwrap();
    let name = database.name();
    admin.execute(AssertSqlSafe(format!("alter database {name} set default_transaction_read_only = on"))).await.unwrap();
    let (why, retryable) = refusal(&database.url("")).await;
    let told = "opening the database: transactions only read here, and a store is for writing: take `default_transaction_read_only` out \
                of the settings, such as by `";
    let run = why.strip_prefix(told).and_then(|rest| rest.strip_suffix('`')).unwrap_or_else(|| panic!("{why}"));
    assert!(!retryable);
    // What it says helps.
    let mut admin = session(&database.url("?options=-c%20default_transaction_read_only=off")).await;
    admin.execute(AssertSqlSafe(run.to_owned())).await.unwrap();
    drop(connect(&database.url("")).await.expect("it opens again"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_number_may_open_a_new_database_at_once() {
    for round in 0..4 {
        let database = Database::new().await;
        let pooler = database.pooler();
        let url = if round % 2 == 0 { database.url("") } else { database.url_through(&pooler, "") };
        let mut starting = tokio::task::JoinSet::new();
        for number in 0..8 {
            let url = format!("{url}{}connections_max=6", if url.contains('?') { '&' } else { '?' });
            starting.spawn(async move {
                let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
                app.execute(&account(&number.to_string()), Open { owner: "Ann".into() }).await.unwrap();
                app
            });
        }
        let apps = starting.join_all().await;
        apps[0].settle().await.unwrap();
        assert_eq!(apps[0].read::<Summary>().all().await.unwrap().len(), 8);
        let stores: i64 =
            sqlx::query_scalar("select count(*) from gesta_store").fetch_one(&mut database.connect().await).await.unwrap();
        assert_eq!(stores, 1);
        for app in apps {
            app.shutdown().await.unwrap();
        }
    }
}

#[test]
fn an_app_can_be_dropped_wherever_one_is() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for ends_first in [true, false] {
        let used = runtime();
        let (database, app) = used.block_on(async {
            let database = Database::new().await;
            let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..32 {
                let app = app.clone();
                tasks.spawn(async move {
                    app.execute(&account(&number.to_string()), Open { owner: "Ann".into() }).await.map(drop).unwrap();
                });
            }
            tasks.join_all().await;
            (database, app)
        });
        if ends_first {
            drop(used);
            drop(app);
        } else {
            drop(app);
            drop(used);
        }
        drop(database);
    }
}

#[tokio::test]
async fn an_operator_finds_the_events_as_json() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann \u{1f4b0}".into() }).await.unwrap();
    app.execute(&account("a"), Deposit { amount: 5 }).await.unwrap();
    let sql = "select stream, version, name, coalesce(payload ->> 'owner', payload ->> 'amount'), recorded_at = occurred_at,
        recorded_at between now() - interval '1 minute' and now() + interval '1 minute', correlation_id = event_id
        from gesta_log order by position";
    let found: Vec<(String, i64, String, String, bool, bool, bool)> =
        sqlx::query_as(sql).fetch_all(&mut database.connect().await).await.unwrap();
    let row =
        |version, name: &str, said: &str| ("Account-a".to_owned(), version, name.to_owned(), said.to_owned(), true, true, true);
    assert_eq!(found, [row(1, "Opened", "Ann \u{1f4b0}"), row(2, "Deposited", "5")]);
    app.shutdown().await.unwrap();
}
