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
    for (options, names) in [("", ["a", "b", "c"]), ("?appends=exclusive", ["d", "e", "f"])] {
        let store = gesta::store::connect(&database.url(options)).await.unwrap();
        let app = lending(App::connect(&database.url(options)).await.unwrap()).start().await.unwrap();
        for name in names {
            app.execute(&account(name), Open { owner: name.into() }).await.unwrap();
            // A read that finds somebody in its way answers what was settled before.
            assert_eq!(streams(&store).await.last().map(String::as_str), Some(&*format!("Account-{name}")));
        }
    }
    admin.execute("rollback").await.unwrap();
}

/// Two sessions of which at any time one has appended and is open: who waits for nobody to be there waits for ever.
#[tokio::test(flavor = "multi_thread")]
async fn writers_without_a_gap_keep_no_reader_from_going_on_and_readers_keep_no_writer_waiting() {
    let database = Database::new().await;
    let store = gesta::store::connect(&database.url("")).await.unwrap();
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    let mut sessions = [database.connect().await, database.connect().await];
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    open_append(&mut sessions[0], "Account-h0").await;
    let writers = tokio::spawn(async move {
        let mut number = 0;
        while !*stopped.borrow_and_update() {
            number += 1;
            open_append(&mut sessions[number % 2], &format!("Account-h{number}")).await;
            sessions[(number + 1) % 2].execute("commit").await.unwrap();
        }
        sessions[number % 2].execute("commit").await.unwrap();
        number
    });
    let (mut last, mut seen, began) = (Position::ZERO, 0, Instant::now());
    let mut longest = Duration::ZERO;
    while seen < 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "it has seen {seen} events");
        let appending = Instant::now();
        app.execute(&account(&format!("a{seen}")), Open { owner: "Ann".into() }).await.unwrap();
        longest = longest.max(appending.elapsed());
        store.log.wait_beyond(last).await.unwrap();
        let mut page = Vec::new();
        let mut visit = |event: gesta::store::StoredEvent<'_>| {
            page.push(event.position);
            ControlFlow::Continue(())
        };
        store.log.read_all(last, 100, &mut visit).await.unwrap();
        (last, seen) = (page.last().copied().unwrap_or(last), seen + page.len());
    }
    stop.send_replace(true);
    let written = writers.await.unwrap();
    assert!(written > 20, "{written}: there was no crowd");
    assert!(longest < Duration::from_secs(2), "an append took {longest:?}");
}

/// How long it takes until who waits in another process is told of an append: the median.
async fn told_after(store: &Store, app: &App) -> Duration {
    let mut waited = Vec::new();
    for _ in 0..15 {
        let last = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap().position;
        store.log.wait_beyond(Position::new(last.get() - 1)).await.unwrap();
        let waiting = {
            let log = store.log.clone();
            tokio::spawn(async move {
                log.wait_beyond(last).await.unwrap();
                Instant::now()
            })
        };
        let began = Instant::now();
        app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
        waited.push(waiting.await.unwrap().duration_since(began));
    }
    waited.sort();
    waited[7]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_in_another_process_is_told_before_it_would_look_again() {
    let database = Database::new().await;
    let pooler = database.pooler();
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    for (url, median_max) in [(database.url(""), 200), (database.url_through(&pooler, ""), 400)] {
        let store = gesta::store::connect(&url).await.unwrap();
        let median = told_after(&store, &app).await;
        assert!(median < Duration::from_millis(median_max), "{median:?}");
    }
}

/// Who hears of appends for the store of this name.
async fn ears(admin: &mut PgConnection, name: &str) -> Vec<i32> {
    let sql = "select pid from pg_stat_activity where application_name = $1 and query like 'LISTEN %'";
    sqlx::query_scalar(sql).bind(name).fetch_all(admin).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_its_ear_gets_another_and_is_told_as_before() {
    let database = Database::new().await;
    let mut admin = database.connect().await;
    let app = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
    let name = format!("{}_waits", database.name());
    let store = gesta::store::connect(&database.url(&format!("?application_name={name}"))).await.unwrap();
    let mut lost = Vec::new();
    for _ in 0..3 {
        let deadline = Instant::now() + Duration::from_secs(20);
        let ear = loop {
            match ears(&mut admin, &name).await[..] {
                [ear] if !lost.contains(&ear) => break ear,
                _ => assert!(Instant::now() < deadline, "nobody listens"),
            }
        };
        let median = told_after(&store, &app).await;
        assert!(median < Duration::from_millis(200), "{median:?}");
        let ended: bool = sqlx::query_scalar("select pg_terminate_backend($1)").bind(ear).fetch_one(&mut admin).await.unwrap();
        assert!(ended, "it was there");
        lost.push(ear);
        // Meanwhile it looks by itself.
        let median = told_after(&store, &app).await;
        assert!(median < Duration::from_millis(200), "{median:?}");
    }
    store.log.close().await.unwrap();
}
