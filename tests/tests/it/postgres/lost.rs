//! A server that comes back: with all that was seen of it the process goes on, and without the last of it nothing is built on what is
//! lost until the process was restarted.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gesta::store::{Store, StoredEvent};
use gesta::{App, BookmarkError, Position, Version};
use sqlx::{Connection as _, Executor as _};
use xtask::pooler::Pooler;
use xtask::postgres::Cluster;

use super::proxy::Proxy;
use super::server::connect;
use super::waiting::open_append;
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// Killed, and there again.
async fn restart(cluster: &Arc<Cluster>) {
    let cluster = Arc::clone(cluster);
    let again = move || {
        cluster.crash().unwrap();
        cluster.resume().unwrap();
    };
    tokio::task::spawn_blocking(again).await.unwrap();
}

/// How appends are kept in order.
const ORDERS: [&str; 2] = ["shared", "exclusive"];

async fn start(cluster: &Cluster, appends: &str) -> App {
    let app = lending(App::connect(&format!("{}?appends={appends}", cluster.url("postgres"))).await.unwrap());
    app.projection::<Summary>().inline_projection::<Amounts>().start().await.unwrap()
}

/// Opens as many connections as the app may, and leaves them idle.
async fn busy(app: &App, amount: i64) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let (app, id) = (app.clone(), account(&number.to_string()));
        tasks.spawn(async move {
            app.execute(&id, Welcome { gift: amount }).await.unwrap();
            app.history::<Account>(&id).unwrap().all().await.unwrap();
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_lost_nothing_is_not_noticed_and_one_that_did_is_answered_everywhere() {
    for appends in ORDERS {
        restarted_with_and_without_a_loss(appends).await;
    }
}

async fn restarted_with_and_without_a_loss(appends: &str) {
    let cluster = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    let app = start(&cluster, appends).await;
    busy(&app, 1).await;
    let a = account("0");
    restart(&cluster).await;
    // The connections of before are all dead, and not one of these fails by it.
    busy(&app, 2).await;
    app.settle().await.unwrap();
    assert_eq!(app.load::<Account>(&a).await.unwrap().version, Version::new(3));

    // The last events of two streams are lost, as by a fail-over to a standby that had not got them yet.
    let last = app.execute(&a, Deposit { amount: 3 }).await.unwrap().position;
    app.settle().await.unwrap();
    let mut admin = connect(&cluster.url("postgres")).await;
    let lose = format!(
        "delete from gesta_events where position > {last} - 2; select setval('gesta_positions', {last} - 2);
         update gesta_models set position = {last} - 2"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(lose)).execute(&mut admin).await.unwrap();
    drop(admin);
    restart(&cluster).await;
    let why = format!(
        "the store is damaged: the event at position {last} is gone, which this process has seen: the server was restored, or failed over, \
         without its last events; restart this process, so that nothing is built on what is lost"
    );
    let refused = app.execute(&a, Deposit { amount: 4 }).await.unwrap_err();
    assert!(!refused.is_retryable() && !refused.is_unknown_outcome(), "{refused}");
    assert_eq!(refused.to_string(), why);
    // Somebody else goes on, up to the position that was lost, which another event has now.
    let other = start(&cluster, appends).await;
    for _ in 0..3 {
        other.execute(&a, Deposit { amount: 5 }).await.unwrap();
    }
    assert_eq!(app.execute(&account("new"), Open { owner: "Eve".into() }).await.unwrap_err().to_string(), why);
    assert_eq!(app.execute(&a, Deposit { amount: 1 }).idempotency_key("k").await.unwrap_err().to_string(), why);
    assert_eq!(app.load::<Account>(&a).await.unwrap_err().to_string(), why);
    let history = app.history::<Account>(&a).unwrap().all().await.unwrap_err().to_string();
    assert_eq!(history, why);
    let stopped = app.read::<Summary>().all().await.unwrap_err().to_string();
    assert!(stopped.ends_with(&why), "{stopped}");
    let stopped = app.read::<Amounts>().all().await.unwrap_err().to_string();
    assert!(stopped.ends_with(&why), "{stopped}");
    let stopped = app.settle().await.unwrap_err().to_string();
    assert!(stopped.ends_with(&why), "{stopped}");
    let _ = app.shutdown().await;

    other.settle().await.unwrap();
    other.shutdown().await.unwrap();
    let app = start(&cluster, appends).await;
    let done = app.execute(&a, Deposit { amount: 6 }).await.unwrap();
    app.settle().await.unwrap();
    let row = app.read::<Summary>().get(&a).await.unwrap().expect("it is there");
    assert_eq!(row.version, done.version.get());
    app.shutdown().await.unwrap();
}

async fn positions(store: &Store, after: u64, max: usize) -> Vec<u64> {
    let mut positions = Vec::new();
    let mut visit = |event: StoredEvent<'_>| {
        positions.push(event.position.get());
        ControlFlow::Continue(())
    };
    store.log.read_all(Position::new(after), max, &mut visit).await.unwrap();
    positions
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_had_settled_says_nothing_of_the_next_one() {
    let cluster = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    let app = start(&cluster, "shared").await;
    app.execute(&account("a"), Welcome { gift: 1 }).await.unwrap();
    app.execute(&account("a"), Drip { times: 8 }).await.unwrap();
    app.shutdown().await.unwrap();
    let store = gesta::store::connect(&cluster.url("postgres")).await.unwrap();
    // It knows that all ten are settled, and has seen five.
    assert_eq!(positions(&store, 0, 5).await, [1, 2, 3, 4, 5]);
    let mut admin = connect(&cluster.url("postgres")).await;
    let lose = "delete from gesta_events where position > 6; select setval('gesta_positions', 6)";
    sqlx::raw_sql(lose).execute(&mut admin).await.unwrap();
    drop(admin);
    restart(&cluster).await;

    let mut admin = connect(&cluster.url("postgres")).await;
    sqlx::raw_sql("select setval('gesta_positions', 6)").execute(&mut admin).await.unwrap();
    open_append(&mut admin, "Account-open").await;
    let mut other = connect(&cluster.url("postgres")).await;
    open_append(&mut other, "Account-faster").await;
    sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    // 7 is open, and what had been settled before is another server's: that there is nothing can't be said, either.
    let mut visit = |event: StoredEvent<'_>| {
        assert_eq!(event.position.get(), 6, "7 was passed over");
        ControlFlow::Continue(())
    };
    let unknown = store.log.read_all(Position::new(5), 100, &mut visit).await.expect_err("it is not known");
    assert!(unknown.is_retryable(), "{unknown}");
    let told =
        "reading events: nothing is known yet of what this server holds, since somebody's transaction is open that has appended";
    assert!(unknown.to_string().starts_with(told), "{unknown}");
    sqlx::raw_sql("commit").execute(&mut admin).await.unwrap();
    assert_eq!(positions(&store, 5, 100).await, [6, 7, 8]);
    store.log.close().await.unwrap();
}

/// A process of the server that dies takes all others with it, and what was not yet on disk: but when the server was started, nobody can
/// tell it by.
///
/// Nothing is passed over afterwards by a store of this URL, whose readers wait for an open append when it happens, or for nobody.
async fn crash_inside(direct: &str, url: &str, waits: bool) {
    let app = lending(App::connect(url).await.unwrap()).start().await.unwrap();
    let store = app.store().clone();
    let first = app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap().position.get();
    let mut admin = connect(direct).await;
    let started = started_at(&mut admin).await;
    let mut tries = 0;
    let (mut open, given) = loop {
        assert_eq!(positions(&store, 0, usize::MAX).await, [first]);
        let mut gone = connect(direct).await;
        if waits {
            open_append(&mut gone, "Account-gone").await;
        }
        // Positions that nobody keeps. They are settled, unless somebody is open.
        admin.execute("begin; select nextval('gesta_positions') from generate_series(1, 600); rollback").await.unwrap();
        let (given, pid): (i64, i32) = sqlx::query_as("select pg_sequence_last_value('gesta_positions'), pg_backend_pid()")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert_eq!(positions(&store, 0, usize::MAX).await, [first]);
        let before = processes(&mut admin).await.unwrap();
        let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(killed.success());
        let mut back = again(direct, &before).await;
        assert_eq!(started_at(&mut back).await, started, "it was another start, which is not what this is about");
        let is: i64 = sqlx::query_scalar("select pg_sequence_last_value('gesta_positions')").fetch_one(&mut back).await.unwrap();
        if is < given {
            break (back, given.unsigned_abs());
        }
        // Somebody else's commit has taken them to the disk.
        (tries, admin) = (tries + 1, back);
        assert!(tries < 10, "positions are not given again, which is not what this is about");
    };
    open_append(&mut open, "Account-h").await;
    let mut other = connect(direct).await;
    open_append(&mut other, "Account-faster").await;
    let position = "select max(position) from gesta_events";
    let low: i64 = sqlx::query_scalar(position).fetch_one(&mut open).await.unwrap();
    let last: i64 = sqlx::query_scalar(position).fetch_one(&mut other).await.unwrap();
    let (low, last) = (low.unsigned_abs(), last.unsigned_abs());
    other.execute("commit").await.unwrap();
    assert!(low < last && last < given);
    assert!(positions(&store, first, usize::MAX).await.is_empty(), "what is behind an open append was given out");
    open.execute("commit").await.unwrap();
    assert_eq!(positions(&store, first, usize::MAX).await, [low, last]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_are_given_again_after_a_crash_inside_the_server_are_not_passed_over() {
    // Nothing gets to the disk by itself.
    let cluster = Cluster::start(&[("wal_writer_delay", "10s")]).expect("a server of one's own");
    crash_inside(&cluster.url("postgres"), &cluster.url("postgres"), false).await;
    connect(&cluster.url("postgres")).await.execute("create database waits").await.unwrap();
    crash_inside(&cluster.url("waits"), &cluster.url("waits"), true).await;
}

/// Who is behind a pooler does not see that a session was lost.
#[tokio::test(flavor = "multi_thread")]
async fn nor_are_they_behind_a_pooler() {
    let cluster = Cluster::start(&[("wal_writer_delay", "10s")]).expect("a server of one's own");
    let pooler = Pooler::before(&cluster.url("postgres")).expect("a pooler");
    let through = |database| format!("{}?pooler=transaction", pooler.url(database));
    crash_inside(&cluster.url("postgres"), &through("postgres"), false).await;
    connect(&cluster.url("postgres")).await.execute("create database waits").await.unwrap();
    crash_inside(&cluster.url("waits"), &through("waits"), true).await;
}

async fn started_at(connection: &mut sqlx::postgres::PgConnection) -> String {
    sqlx::query_scalar("select pg_postmaster_start_time()::text").fetch_one(connection).await.unwrap()
}

/// A connection to the server, once it has begun anew after what this tells of.
async fn again(url: &str, before: &str) -> sqlx::postgres::PgConnection {
    let until = Instant::now() + LONG;
    loop {
        if let Ok(mut connection) = sqlx::postgres::PgConnection::connect(url).await
            && processes(&mut connection).await.is_ok_and(|now| now != before)
        {
            return connection;
        }
        assert!(Instant::now() < until, "the server does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// When one of the server's own processes was started.
async fn processes(connection: &mut sqlx::postgres::PgConnection) -> Result<String, sqlx::Error> {
    let sql = "select backend_start::text from pg_stat_activity where backend_type = 'checkpointer'";
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// The primary is gone, and a standby is promoted that had not got its last events.
#[tokio::test(flavor = "multi_thread")]
async fn a_fail_over_that_lost_the_tail_is_noticed_and_one_that_lost_nothing_is_not() {
    for (loses, appends) in [(false, "shared"), (true, "shared"), (false, "exclusive"), (true, "exclusive")] {
        let primary = Cluster::start(&[]).expect("a server of one's own");
        let proxy = Proxy::new(&primary.url("postgres")).await;
        let url = format!("{}?appends={appends}", proxy.url(&primary.url("postgres")));
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
        let a = account("a");
        app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
        let standby = primary.standby().expect("a standby");
        let kept = app.execute(&a, Deposit { amount: 1 }).await.unwrap();
        app.settle().await.unwrap();
        let mut there = connect(&standby.url("postgres")).await;
        let has = async |connection: &mut sqlx::postgres::PgConnection, position: Position| {
            let sql = "select count(*) from gesta_events where position = $1";
            let found: i64 = sqlx::query_scalar(sql).bind(position.get().cast_signed()).fetch_one(connection).await.unwrap();
            found == 1
        };
        let until = Instant::now() + LONG;
        while !has(&mut there, kept.position).await {
            assert!(Instant::now() < until, "the standby gets nothing");
        }
        if loses {
            // Nothing more reaches it.
            there.execute("alter system set primary_conninfo = ''").await.unwrap();
            there.execute("select pg_reload_conf()").await.unwrap();
            let gone = "select count(*) from pg_stat_wal_receiver";
            while sqlx::query_scalar::<_, i64>(gone).fetch_one(&mut there).await.unwrap() > 0 {
                assert!(Instant::now() < until, "the standby still gets something");
            }
        }
        let last = app.execute(&a, Deposit { amount: 2 }).await.unwrap();
        app.settle().await.unwrap();
        while !loses && !has(&mut there, last.position).await {
            assert!(Instant::now() < until, "the standby gets nothing");
        }
        primary.crash().unwrap();
        standby.promote().unwrap();
        proxy.turn_to(&standby.url("postgres"));

        let went_on = app.execute(&a, Deposit { amount: 3 }).await;
        if loses {
            let why = went_on.expect_err("it is built on what is lost");
            assert!(!why.is_retryable() && !why.is_unknown_outcome(), "{why}");
            let told = format!("the event at position {} is gone, which this process has seen", last.position);
            assert!(why.to_string().contains(&told), "{why}");
            let _ = app.shutdown().await;
            let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
            assert_eq!(app.load::<Account>(&a).await.unwrap().into_state().unwrap().balance, 1);
            // Whoever remembers it outside is told so too, before and after another event has its position.
            let remembered = last.events[0].bookmark();
            let why = app.position_of(remembered).await.unwrap_err();
            assert!(matches!(why, BookmarkError::PositionUnknown { .. }), "{why}");
            while app.execute(&a, Deposit { amount: 7 }).await.unwrap().position < last.position {}
            let why = app.position_of(remembered).await.unwrap_err();
            assert!(matches!(why, BookmarkError::AnotherEvent { .. }), "{why}");
            assert_eq!(app.position_of(kept.events[0].bookmark()).await.unwrap(), kept.position);
            app.shutdown().await.unwrap();
        } else {
            assert_eq!(went_on.unwrap().version, Version::new(4));
            app.settle().await.unwrap();
            assert_eq!(app.read::<Summary>().get(&a).await.unwrap().unwrap().balance, 6);
            app.shutdown().await.unwrap();
        }
    }
}

/// On a standby nobody holds a lock who has appended on the primary.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_says_nothing_of_what_is_settled() {
    let primary = Cluster::start(&[]).expect("a server of one's own");
    let proxy = Proxy::new(&primary.url("postgres")).await;
    let url = format!("{}?application_name=app", proxy.url(&primary.url("postgres")));
    let app = lending(App::connect(&url).await.unwrap()).start().await.unwrap();
    let store = app.store().clone();
    let first = app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap().position.get();
    assert_eq!(positions(&store, 0, 10).await, [first]);
    let standby = primary.standby().expect("a standby");
    let mut here = connect(&primary.url("postgres")).await;
    open_append(&mut here, "Account-open").await;
    let mut other = connect(&primary.url("postgres")).await;
    open_append(&mut other, "Account-faster").await;
    other.execute("commit").await.unwrap();
    let mut there = connect(&standby.url("postgres")).await;
    let until = Instant::now() + LONG;
    while sqlx::query_scalar::<_, i64>("select count(*) from gesta_events").fetch_one(&mut there).await.unwrap() < 2 {
        assert!(Instant::now() < until, "the standby gets nothing");
    }
    // Of the app's connections none is left, and its next ones go there.
    proxy.turn_to(&standby.url("postgres"));
    other.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'app'").await.unwrap();
    let mut visit = |event: StoredEvent<'_>| panic!("{} is given out, and one before it is open", event.position);
    let why = loop {
        match store.log.read_all(Position::new(first), 10, &mut visit).await {
            Err(why) if why.to_string().contains("is a standby") => break why,
            other => assert!(Instant::now() < until, "it answers {other:?}"),
        }
    };
    assert!(why.is_retryable(), "{why}");
    assert_eq!(
        why.to_string(),
        "looking for open appends: the server is a standby, which only reads, and shows nobody's locks: connect to the primary"
    );
    let refused = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap_err();
    assert!(refused.is_retryable() && !refused.is_unknown_outcome(), "{refused}");
    here.execute("commit").await.unwrap();
    while sqlx::query_scalar::<_, i64>("select count(*) from gesta_events").fetch_one(&mut there).await.unwrap() < 3 {
        assert!(Instant::now() < until, "the standby gets nothing");
    }
    // Once it is the primary, it has all of them.
    primary.crash().unwrap();
    standby.promote().unwrap();
    let read = loop {
        let mut read = Vec::new();
        let mut visit = |event: StoredEvent<'_>| {
            read.push(event.position.get());
            ControlFlow::Continue(())
        };
        match store.log.read_all(Position::new(first), 10, &mut visit).await {
            Ok(()) => break read,
            Err(why) => assert!(why.is_retryable() && Instant::now() < until, "{why}"),
        }
    };
    assert_eq!(read, [first + 1, first + 2]);
    app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
    app.shutdown().await.unwrap();
}
