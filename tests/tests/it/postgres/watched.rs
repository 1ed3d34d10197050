//! An operator changes what readers rely on while apps run: readers stop and say why, and skip nothing once it is mended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gesta::store::{Store, StoredEvent};
use gesta::{App, ExecuteError, Failure, Position, Subscription};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::task::JoinSet;

use super::server::Database;
use super::waiting::open_append;
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_mins(1);
const NO_LOCK: &str = "create or replace function gesta_hold() returns trigger language plpgsql as 'begin return null; end'";

async fn send(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap_or_else(|why| panic!("{sql}: {why}"));
}

/// The failure of a command that was not rejected.
fn failure<T, E: std::fmt::Debug>(result: Result<T, ExecuteError<E>>) -> Failure {
    match result {
        Err(ExecuteError::Failed(why)) => why,
        Err(why) => panic!("{why:?}"),
        Ok(_) => panic!("it was stored"),
    }
}

async fn stored(admin: &mut PgConnection) -> BTreeSet<u64> {
    let positions: Vec<i64> = sqlx::query_scalar("select position from gesta_events").fetch_all(admin).await.unwrap();
    positions.into_iter().map(i64::unsigned_abs).collect()
}

/// The statement that a message names.
fn cure(told: &str) -> String {
    let rest = told.rsplit_once("is not safe to read from: ").map_or(told, |(_, rest)| rest);
    let run = rest.split_once(": `").and_then(|(_, run)| run.rsplit_once('`')).map(|(run, _)| run);
    run.unwrap_or_else(|| panic!("nothing to run: {told}")).to_owned()
}

/// Follows until an error comes, and answers it.
async fn until_stopped(events: &mut Subscription, seen: &mut BTreeSet<u64>) -> String {
    let stopped = async {
        loop {
            match events.next().await.expect("the app is not shut down") {
                Ok(event) => assert!(seen.insert(event.position.get()), "{} came twice", event.position),
                Err(why) => {
                    assert!(why.is_retryable(), "{why}");
                    break why.to_string();
                }
            }
        }
    };
    tokio::time::timeout(LONG, stopped).await.expect("readers stop")
}

/// Follows until it has seen as many events; errors of before are passed over.
async fn until_seen(events: &mut Subscription, seen: &mut BTreeSet<u64>, count: usize) {
    let all = async {
        while seen.len() < count {
            match events.next().await.expect("the app is not shut down") {
                Ok(event) => assert!(seen.insert(event.position.get()), "{} came twice", event.position),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    let there = tokio::time::timeout(LONG, all).await;
    assert!(there.is_ok(), "{} of {count} were seen", seen.len());
}

/// Several processes append while a setting is changed, and readers follow in another.
async fn changed_while_apps_run(harm: &str, told: &str, through_pooler: bool) {
    let database = Database::new().await;
    let pooler = database.pooler();
    let url = if through_pooler { database.url_through(&pooler, "") } else { database.url("") };
    let mut apps = Vec::new();
    for _ in 0..2 {
        apps.push(lending(App::connect(&url).await.unwrap()).start().await.unwrap());
    }
    let reader = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
    let (mut events, mut seen) = (reader.subscribe(Position::ZERO), BTreeSet::new());
    for (number, app) in apps.iter().enumerate() {
        app.execute(&account(&format!("first{number}")), Welcome { gift: 1 }).await.unwrap();
    }
    until_seen(&mut events, &mut seen, 4).await;
    let mut admin = database.connect().await;
    send(&mut admin, harm).await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let app = apps[task % 2].clone();
        tasks.spawn(async move {
            for number in 0..15 {
                app.execute(&account(&format!("{task}-{number}")), Welcome { gift: 1 }).await.unwrap();
            }
        });
    }
    let why = until_stopped(&mut events, &mut seen).await;
    assert!(why.starts_with("the schema `public` is not safe to read from: ") && why.contains(told), "{why}");
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let read = tokio::time::timeout(LONG, async {
        loop {
            if let Err(why) = reader.read::<Summary>().all().await {
                break why.to_string();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let read = read.await.expect("the read model says so");
    assert!(read.contains(told), "{read}");
    send(&mut admin, &cure(&why)).await;
    apps[0].execute(&account("last"), Welcome { gift: 1 }).await.unwrap();
    let there = stored(&mut admin).await;
    assert_eq!(there.len(), 4 + 8 * 15 * 2 + 2, "what was acknowledged is there");
    until_seen(&mut events, &mut seen, there.len()).await;
    assert_eq!(seen, there, "`{harm}`");
    let settled = async {
        while reader.settle().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, settled).await.expect("the read model goes on");
    let rows: i64 = sqlx::query_scalar("select count(*) from summary").fetch_one(&mut admin).await.unwrap();
    assert_eq!(rows, 2 + 8 * 15 + 1, "`{harm}`");
    for app in apps.into_iter().chain([reader]) {
        app.shutdown().await.unwrap();
    }
}

/// F23: `seqc` skipped 363 of 602 events, without a word.
#[tokio::test(flavor = "multi_thread")]
async fn readers_stop_and_skip_nothing_while_a_sequence_caches() {
    changed_while_apps_run("alter sequence gesta_positions cache 20", "gives positions out of order", false).await;
    changed_while_apps_run("alter sequence gesta_positions cache 20", "gives positions out of order", true).await;
}

/// F23: what lets an append be passed over that is still open.
#[tokio::test(flavor = "multi_thread")]
async fn readers_stop_and_skip_nothing_without_the_lock_of_appends() {
    for (harm, told) in [
        ("alter table gesta_events disable trigger gesta_hold", "is not enabled always"),
        ("drop trigger gesta_hold on gesta_events", "the trigger `gesta_hold` on `gesta_events` is gone"),
        (NO_LOCK, "does not take the lock that readers look for"),
        (
            "create or replace function gesta_census(out settled bigint, out last bigint, out id uuid, out holders text[],
             out server bigint, out alive uuid) language plpgsql as $$ begin
                select pg_sequence_last_value('gesta_positions') into settled;
                select position, event_id into last, id from gesta_events where position <= settled order by position desc limit 1;
                server := (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint;
             end $$",
            "the function `gesta_census` is not the one of this schema",
        ),
        // It holds the words of the right one.
        (
            "do $$ declare body text; begin
                select prosrc into body from pg_proc where proname = 'gesta_hold';
                execute format('create or replace function gesta_hold() returns trigger language plpgsql as %L',
                    replace(replace(body, 'begin', 'begin if false then'), 'return', 'end if; return'));
             end $$",
            "does not take the lock that readers look for",
        ),
    ] {
        changed_while_apps_run(harm, told, false).await;
    }
}

/// F23: what gives positions to events otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn readers_stop_and_skip_nothing_while_positions_come_from_elsewhere() {
    for (harm, told) in [
        ("alter table gesta_events alter position drop default", "positions do not come from `gesta_positions`"),
        (
            "create sequence other; alter table gesta_events alter position set default nextval('other')",
            "positions do not come from `gesta_positions`",
        ),
        ("alter sequence gesta_positions increment 3", "gives positions out of order"),
        ("alter sequence gesta_positions cycle", "gives positions out of order"),
        ("alter table gesta_alive set logged", "`gesta_alive` is not the table that a crash of the server empties"),
    ] {
        changed_while_apps_run(harm, told, false).await;
    }
}

async fn positions(store: &Store, after: u64) -> Result<Vec<u64>, String> {
    let mut positions = Vec::new();
    let mut visit = |event: StoredEvent<'_>| {
        positions.push(event.position.get());
        std::ops::ControlFlow::Continue(())
    };
    store.log.read_all(Position::new(after), usize::MAX, &mut visit).await.map_err(|why| why.to_string())?;
    Ok(positions)
}

/// F23: the function is replaced and put back by statements that wait for nobody, so the append that used it is still open.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_without_the_lock_is_awaited_after_the_lock_is_back() {
    for restarted in [false, true] {
        let database = Database::new().await;
        let mut admin = database.connect().await;
        let mut store = gesta::store::connect(&database.url("")).await.unwrap();
        let right: String =
            sqlx::query_scalar("select pg_get_functiondef('gesta_hold'::regproc)").fetch_one(&mut admin).await.unwrap();
        let mut open = database.connect().await;
        send(&mut admin, NO_LOCK).await;
        open_append(&mut open, "Account-open").await;
        send(&mut admin, &right).await;
        open_append(&mut admin, "Account-faster").await;
        admin.execute("commit").await.unwrap();
        if restarted {
            store.log.close().await.unwrap();
            store = gesta::store::connect(&database.url("")).await.unwrap();
        }
        let mut reading = {
            let store = store.clone();
            tokio::spawn(async move { positions(&store, 0).await })
        };
        // Nothing is passed over: the reader has nothing yet, or says so.
        let early = tokio::time::timeout(Duration::from_millis(1500), &mut reading).await;
        assert!(early.is_err(), "2 was read, though 1 is open: {early:?}");
        open.execute("commit").await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), [1, 2]);
        store.log.close().await.unwrap();
    }
}

/// F23: between two looks everything is changed, used and changed back.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_taken_back_between_two_looks_loses_nothing() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let store = gesta::store::connect(&database.url("")).await.unwrap();
    let mut hands = [database.connect().await, database.connect().await];
    for number in 0..3 {
        let after = positions(&store, 0).await.unwrap().last().copied().unwrap_or_default();
        send(&mut admin, "alter sequence gesta_positions cache 20").await;
        open_append(&mut hands[0], &format!("Account-a{number}")).await;
        open_append(&mut hands[1], &format!("Account-b{number}")).await;
        hands[1].execute("commit").await.unwrap();
        hands[0].execute("commit").await.unwrap();
        // The second reserve of this session stands below what the other one has stored.
        let refused = positions(&store, after).await;
        assert!(refused.is_err() || refused.as_deref() == Ok(&[]), "{refused:?}");
        open_append(&mut hands[0], &format!("Account-c{number}")).await;
        hands[0].execute("commit").await.unwrap();
        send(&mut admin, "alter sequence gesta_positions cache 1").await;
        open_append(&mut hands[0], &format!("Account-d{number}")).await;
        hands[0].execute("commit").await.unwrap();
        assert_eq!(positions(&store, after).await.unwrap().len(), 4);
    }
    store.log.close().await.unwrap();
}

/// F23: a sequence that is set back gives positions that were rolled back, which readers have passed.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_appended_below_what_readers_have_passed() {
    for (appends, back) in [
        ("shared", "select setval('gesta_positions', 2)"),
        ("exclusive", "select setval('gesta_positions', 2)"),
        ("shared", "alter sequence gesta_positions restart 3"),
        ("shared", "select setval('gesta_positions', 3, false)"),
    ] {
        let database = Database::new().await;
        let url = database.url(&format!("?appends={appends}"));
        let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
        let mut admin = database.connect().await;
        // Positions 3 to 12 are rolled back.
        send(&mut admin, "begin; select nextval('gesta_positions') from generate_series(1, 10); rollback").await;
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
        let (mut events, mut seen) = (app.subscribe(Position::ZERO), BTreeSet::new());
        until_seen(&mut events, &mut seen, 3).await;
        assert_eq!(seen, BTreeSet::from([1, 2, 13]));

        send(&mut admin, back).await;
        for command in 0..3 {
            let refused: Failure = match command {
                0 => failure(app.execute(&id, Deposit { amount: 1 }).await),
                1 => failure(app.execute(&id, Deposit { amount: 1 }).idempotency_key("k").await),
                _ => failure(app.execute(&id, Drip { times: 2 }).await),
            };
            let told = refused.to_string();
            assert!(refused.is_retryable() && !refused.is_unknown_outcome(), "{told}");
            assert!(told.contains("the last event stands at 13, and `gesta_positions` at "), "{appends}, {command}: {told}");
        }
        let why = until_stopped(&mut events, &mut seen).await;
        assert!(why.contains("the last event stands at 13, and `gesta_positions` at "), "{why}");
        send(&mut admin, &cure(&why)).await;
        assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap().position, Position::new(14));
        until_seen(&mut events, &mut seen, 4).await;
        assert_eq!(seen, stored(&mut admin).await, "{back}");
        app.shutdown().await.unwrap();
    }
}

/// F23: no catalogue shows that the last event was removed and the sequence set back; the append that follows does.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_below_a_safe_position_stops_the_process() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    let mut admin = database.connect().await;
    open_append(&mut admin, "Account-hand").await;
    admin.execute("commit").await.unwrap();
    let (mut events, mut seen) = (app.subscribe(Position::ZERO), BTreeSet::new());
    until_seen(&mut events, &mut seen, 2).await;
    send(&mut admin, "delete from gesta_events where position = 2; select setval('gesta_positions', 1)").await;
    assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap().position, Position::new(2));
    let told = "an event was stored at position 2, though readers have passed 2: positions were given twice or out of order; restart this \
                process, rebuild its read models, and let each subscriber begin again before 2";
    let stopped = app.execute(&id, Deposit { amount: 1 }).await.unwrap_err();
    assert!(!stopped.is_retryable() && stopped.to_string().ends_with(told), "{stopped}");
    let stopped = events.next().await.expect("the app is not shut down").unwrap_err().to_string();
    assert!(stopped.ends_with(told), "{stopped}");
    let _ = app.shutdown().await;
}

/// F23: where an append could be lost, or contradict another one, nothing is appended.
#[tokio::test(flavor = "multi_thread")]
async fn appends_stop_while_the_table_would_not_keep_them() {
    for (harm, told) in [
        ("alter table gesta_events drop constraint gesta_events_stream_version_key", "two events could have one version"),
        ("alter table gesta_events drop constraint gesta_events_pkey", "two events could have one position"),
        ("alter table gesta_events set unlogged", "`gesta_events` is empty after a crash"),
        ("alter sequence gesta_positions set unlogged", "`gesta_positions` begins again after a crash"),
    ] {
        let database = Database::new().await;
        // It has no reader.
        let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let mut admin = database.connect().await;
        send(&mut admin, harm).await;
        let until = Instant::now() + LONG;
        let refused = loop {
            match app.execute(&id, Deposit { amount: 1 }).await {
                Ok(_) => assert!(Instant::now() < until, "`{harm}` is not noticed"),
                Err(refused) => break refused,
            }
        };
        let why = refused.to_string();
        assert!(refused.is_retryable() && !refused.is_unknown_outcome() && why.contains(told), "{why}");
        assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap_err().to_string(), why);
        send(&mut admin, &cure(&why)).await;
        app.execute(&id, Deposit { amount: 1 }).await.expect("it goes on at once");
        app.shutdown().await.unwrap();
    }
}

/// F23: an inline read model takes what it is folded from for all that there is.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_model_passes_over_no_append_without_the_lock() {
    let database = Database::new().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).inline_projection::<Summary>().start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    let mut admin = database.connect().await;
    let right: String =
        sqlx::query_scalar("select pg_get_functiondef('gesta_hold'::regproc)").fetch_one(&mut admin).await.unwrap();
    let mut open = database.connect().await;
    send(&mut admin, NO_LOCK).await;
    open_append(&mut open, "Account-open").await;
    let refused = app.execute(&account("b"), Open { owner: "Bob".into() }).await.unwrap_err();
    assert!(refused.to_string().contains("does not take the lock that readers look for"), "{refused}");
    open.execute("commit").await.unwrap();
    send(&mut admin, &right).await;
    app.execute(&account("b"), Open { owner: "Bob".into() }).await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar("select account from summary order by 1").fetch_all(&mut admin).await.unwrap();
    assert_eq!(rows, ["a", "b", "open"]);
    app.shutdown().await.unwrap();
}
