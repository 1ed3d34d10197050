//! A server that is killed in the middle of its work: what was acknowledged is there, what was refused is not, and the app goes on by
//! itself once the server is back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gesta::{App, Builder};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor};
use xtask::pooler::Pooler;
use xtask::postgres::Cluster;

use super::server::connect;
use crate::app::commands::lending;
use crate::domain::*;

const CLIENTS: u64 = 12;

/// What one client knows of its account.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    acknowledged: i64,
    unknown: i64,
}

/// Deposits one each time until it is told to stop. Half of the clients use keys, and repeat what they don't know the outcome of.
async fn client(app: App, number: u64, acknowledged: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Known {
    let id = account(&number.to_string());
    let (mut known, mut command) = (Known::default(), 0);
    while !stop.load(Ordering::SeqCst) {
        command += 1;
        loop {
            let deposit = app.execute(&id, Deposit { amount: 1 });
            let answer = match number % 2 {
                0 => deposit.idempotency_key(command.to_string()).await,
                _ => deposit.await,
            };
            match answer {
                Ok(_) => {
                    known.acknowledged += 1;
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    break;
                }
                Err(why) if why.is_unknown_outcome() && number % 2 == 1 => {
                    known.unknown += 1;
                    break;
                }
                Err(why) => {
                    assert!(why.is_retryable() || why.is_unknown_outcome(), "client {number}, command {command}: {why}");
                    tokio::task::yield_now().await;
                }
            }
        }
    }
    known
}

/// Comes back once so many more commands were acknowledged.
async fn goes_on(acknowledged: &AtomicU64, more: u64) {
    let (goal, deadline) = (acknowledged.load(Ordering::SeqCst) + more, Instant::now() + Duration::from_mins(1));
    while acknowledged.load(Ordering::SeqCst) < goal {
        assert!(Instant::now() < deadline, "the app does not go on by itself");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub async fn database(cluster: &Cluster, name: &str) -> String {
    let mut admin = connect(&cluster.url("postgres")).await;
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    cluster.url(name)
}

/// `crash` is what ends in the middle and is there again once it comes back.
pub async fn survives(url: &str, models: fn(Builder) -> Builder, crash: impl Fn() + Clone + Send + 'static) {
    let app = models(lending(App::connect(url).await.unwrap())).start().await.unwrap();
    for number in 0..CLIENTS {
        app.execute(&account(&number.to_string()), Open { owner: number.to_string() }).await.unwrap();
    }
    let (acknowledged, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(app.clone(), number, acknowledged.clone(), stop.clone()))).collect();
    for _ in 0..2 {
        goes_on(&acknowledged, 200).await;
        tokio::task::spawn_blocking(crash.clone()).await.unwrap();
    }
    goes_on(&acknowledged, 200).await;
    stop.store(true, Ordering::SeqCst);
    let mut all = HashMap::new();
    for (number, client) in clients.into_iter().enumerate() {
        all.insert(number.to_string(), client.await.expect("no client fails"));
    }

    app.settle().await.expect("the read models go on");
    let rows = app.read::<Summary>().all().await.unwrap();
    let mut deposits = 0;
    for (number, known) in &all {
        let id = account(number);
        let history = app.history::<Account>(&id).unwrap().all().await.unwrap();
        assert!(history.iter().map(|event| event.version.get()).eq(1..=history.len() as u64), "{number}");
        let stored = i64::try_from(history.len()).unwrap() - 1;
        let possible = known.acknowledged..=known.acknowledged + known.unknown;
        assert!(possible.contains(&stored), "account {number}: {stored} are stored, {known:?} {url}");
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, stored);
        let row = rows.iter().find(|row| row.account == id).expect("a row for each account");
        assert_eq!((row.balance, row.version), (stored, history.len() as u64));
        deposits += stored;
    }
    let amounts = app.read::<Amounts>().get(&1).await.unwrap().expect("a row for what all have deposited");
    assert_eq!(i64::from(amounts.times), deposits);
    app.shutdown().await.unwrap();
}

pub fn both_async(app: Builder) -> Builder {
    app.projection::<Summary>().projection::<Amounts>()
}
fn one_inline(app: Builder) -> Builder {
    app.projection::<Summary>().inline_projection::<Amounts>()
}

/// Each time the same: with appends beside each other, one after the other, and with an inline model.
async fn survives_everywhere(crash: impl Fn(&Cluster) + Copy + Send + 'static) {
    let cluster = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    for (name, options, models) in [
        ("beside", "?appends=shared", both_async as fn(Builder) -> Builder),
        ("alone", "?appends=exclusive", both_async),
        ("inline", "", one_inline),
    ] {
        let crash = {
            let cluster = Arc::clone(&cluster);
            move || crash(&cluster)
        };
        survives(&format!("{}{options}", database(&cluster, name).await), models, crash).await;
    }
}

/// Those that work for it go on for a moment, and may commit and answer what they have begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_gets_no_moment_to_end_its_sessions_loses_nothing() {
    survives_everywhere(|cluster| cluster.kill().unwrap()).await;
}

/// The server ends all sessions then, and begins anew by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_one_of_whose_sessions_is_killed_loses_nothing() {
    survives_everywhere(kill_one_session).await;
}

/// Kills one that is in the middle of something, if there is one, and waits until the server is back.
fn kill_one_session(cluster: &Cluster) {
    const SESSION: &str =
        "select pid::text from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
        order by state <> 'idle' desc, random() limit 1";
    let url = cluster.url("postgres");
    let restarts = || cluster.log().matches("all server processes terminated; reinitializing").count();
    let (before, until) = (restarts(), Instant::now() + Duration::from_mins(1));
    // It may have ended by itself meanwhile.
    while cluster.kill_one(&ask(&url, SESSION).expect("the server is there")).is_err() {
        assert!(Instant::now() < until, "no session can be killed");
    }
    while restarts() == before || ask(&url, "select ''").is_err() {
        assert!(Instant::now() < until, "the server does not begin anew: {}", cluster.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// From outside of a runtime.
fn ask(url: &str, sql: &'static str) -> Result<String, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(url).await?).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_under_load_loses_nothing_and_the_app_goes_on() {
    let cluster = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    let crash = {
        let cluster = Arc::clone(&cluster);
        move || {
            cluster.crash().unwrap();
            cluster.resume().unwrap();
        }
    };
    survives(&database(&cluster, "beside").await, both_async, crash.clone()).await;
    survives(&format!("{}?appends=exclusive", database(&cluster, "alone").await), both_async, crash.clone()).await;
    survives(&database(&cluster, "inline").await, one_inline, crash.clone()).await;

    let pooler = Pooler::before(&cluster.url("postgres")).expect("a pooler");
    let [kept, lost] = ["kept", "lost"].map(|name| (name, format!("{}?pooler=transaction", pooler.url(name))));
    database(&cluster, kept.0).await;
    survives(&kept.1, one_inline, crash).await;
    database(&cluster, lost.0).await;
    let pooler = Arc::new(Mutex::new(pooler));
    survives(&lost.1, both_async, move || pooler.lock().unwrap().crash().unwrap()).await;
}
