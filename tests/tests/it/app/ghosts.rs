//! F14, R24: snapshots of events that are not in their stream, as a partial restore leaves them.

use gesta::{App, Version};
use sqlx::Executor as _;

use super::commands::lending;
use crate::domain::*;
use crate::postgres::server::Database;
use crate::stores::Folder;
use crate::told::Listening;

/// The last events of the only stream are removed, or another event has the version of the snapshot.
#[derive(Clone, Copy)]
enum Damage {
    TailRemoved,
    TailReplaced,
}

const REMOVE: &str = "delete from gesta_events where version > 7";
/// The event of the snapshot gets another id.
const REPLACE: [&str; 2] = [
    "update gesta_events set event_id = randomblob(16) where version = 10",
    "update gesta_events set event_id = gen_random_uuid() where version = 10",
];

/// An account with ten deposits of one each, and a snapshot of the last.
async fn fill(url: &str) {
    let app = lending(App::connect(url).await.unwrap()).start().await.unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    for _ in 0..10 {
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
    }
    app.shutdown().await.unwrap();
}

/// The aggregate goes on from the events that are there, with one warning that names stream and version.
async fn goes_on(url: &str, damage: Damage) {
    let (version, balance) = match damage {
        Damage::TailRemoved => (7, 6),
        Damage::TailReplaced => (11, 10),
    };
    let id = account("a");
    let app = lending(App::connect(url).await.unwrap()).start().await.unwrap();
    let log = Listening::begin();
    let loaded = app.load::<Account>(&id).await.unwrap();
    assert_eq!((loaded.version, loaded.state().unwrap().balance), (Version::new(version), balance));
    let lines = log.lines();
    let warning = "a snapshot holds events that its stream does not have: it is dropped";
    assert_eq!(lines.iter().filter(|line| line.contains(warning) && line.contains("Account-a")).count(), 1, "{lines:?}");
    let rejected = app.execute(&id, Withdraw { amount: 11 }).await.unwrap_err();
    assert_eq!(rejected.to_string(), format!("Insufficient {{ balance: {balance} }}"));
    let done = app.execute(&id, Withdraw { amount: 2 }).await.unwrap();
    assert_eq!(done.version, Version::new(version + 1));
    // The next snapshot takes the place of the one that was dropped.
    for _ in 0..12 {
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
    }
    app.shutdown().await.unwrap();
    let app = lending(App::connect(url).await.unwrap()).start().await.unwrap();
    log.lines();
    let loaded = app.load::<Account>(&id).await.unwrap();
    assert_eq!((loaded.version, loaded.state().unwrap().balance), (Version::new(version + 13), balance + 10));
    assert!(!log.lines().iter().any(|line| line.contains(warning)), "the snapshot is a new one");
    assert_eq!(app.load_at::<Account>(&id, Version::new(9)).await.unwrap().version, Version::new(9));
    app.shutdown().await.unwrap();
}

#[tokio::test]
async fn sqlite_snapshot_ahead_of_its_stream_is_dropped() {
    for damage in [Damage::TailRemoved, Damage::TailReplaced] {
        let folder = Folder::new();
        let url = folder.url("bank.db");
        fill(&url).await;
        let by_hand = rusqlite::Connection::open(folder.file("bank.db")).unwrap();
        let sql = if matches!(damage, Damage::TailRemoved) { REMOVE } else { REPLACE[0] };
        by_hand.execute(sql, []).unwrap();
        drop(by_hand);
        goes_on(&url, damage).await;
    }
}

#[tokio::test]
async fn postgres_snapshot_ahead_of_its_stream_is_dropped() {
    for damage in [Damage::TailRemoved, Damage::TailReplaced] {
        for options in ["", "?appends=exclusive"] {
            let database = Database::new().await;
            let url = database.url(options);
            fill(&url).await;
            let sql = if matches!(damage, Damage::TailRemoved) { REMOVE } else { REPLACE[1] };
            database.connect().await.execute(sql).await.unwrap();
            goes_on(&url, damage).await;
        }
    }
}

/// The tables of an earlier build get the columns that they lack; a snapshot without an event is not loaded.
#[tokio::test]
async fn postgres_tables_of_an_earlier_build_are_completed() {
    let database = Database::new().await;
    let url = database.url("");
    fill(&url).await;
    let mut by_hand = database.connect().await;
    let earlier = "alter table gesta_keys drop column hash_version;
        alter table gesta_snapshots drop column position, drop column event_id";
    by_hand.execute(earlier).await.unwrap();
    // Another session reads the table meanwhile, as `pg_dump` does: nothing waits for long behind the change.
    let mut dump = database.connect().await;
    dump.execute("begin; lock table gesta_snapshots in access share mode").await.unwrap();
    let opening = tokio::spawn({
        let url = url.clone();
        async move { App::connect(&url).await.map(drop) }
    });
    let changes = "select count(*) from pg_locks where relation = 'gesta_snapshots'::regclass and not granted";
    while sqlx::query_scalar::<_, i64>(changes).fetch_one(&mut by_hand).await.unwrap() == 0 {}
    dump.execute("rollback").await.unwrap();
    opening.await.unwrap().unwrap();
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    let id = account("a");
    let done = app.execute(&id, Deposit { amount: 1 }).idempotency_key("k").await.unwrap();
    assert_eq!(done.version, Version::new(12));
    let named = "select count(*) from gesta_snapshots where event_id is not null and position is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(named).fetch_one(&mut by_hand).await.unwrap(), 1, "a new snapshot is stored");
    app.shutdown().await.unwrap();

    // A user who may not change the tables is told the statement.
    by_hand.execute("alter table gesta_keys drop column hash_version").await.unwrap();
    let role = format!("{}_reader", database.name());
    let grants = format!(
        "create role {role} login; grant usage on schema public to {role}; grant select on all tables in schema public to {role};
         grant usage on all sequences in schema public to {role}; grant insert on gesta_alive to {role}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(grants)).execute(&mut by_hand).await.unwrap();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, at) = rest.split_once('@').unwrap();
    let why = App::connect(&format!("{scheme}://{role}@{at}")).await.map(drop).unwrap_err().to_string();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop owned by {role}; drop role {role}"))).execute(&mut by_hand).await.unwrap();
    let statement = "alter table \"public\".gesta_keys add column hash_version smallint not null default 1";
    assert!(why.contains("must be owner of table gesta_keys") && why.contains(statement), "{why}");
}
