//! A line that is cut after an append was carried out and before the answer is back: the append is repeated, never the handler, and
//! finds its own events.

use std::time::{Duration, Instant};

use gesta::prelude::*;
use gesta::{App, Builder, ExecuteError, Limits, Version};

use super::proxy::{LOOK, Proxy, Which};
use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// What makes an append lasting, in either order of appends.
const STORES: Which = |sql| sql == "commit" || (sql.contains("insert into") && sql.starts_with("with "));

async fn opened(proxy: &Proxy, database: &Database, options: &str) -> App {
    let app = lending(App::connect(&proxy.url(&database.url(options))).await.unwrap()).start().await.unwrap();
    for name in ["a", "b"] {
        app.execute(&account(name), Open { owner: name.into() }).await.unwrap();
        app.execute(&account(name), Deposit { amount: 100 }).await.unwrap();
    }
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_answer_was_lost_is_carried_out_once_and_answers_as_if_nothing_had_happened() {
    for options in ["?schema=shared", "?schema=alone&appends=exclusive"] {
        let database = Database::new().await;
        let proxy = Proxy::new(&database.url("")).await;
        let app = opened(&proxy, &database, options).await;
        let (a, b) = (account("a"), account("b"));
        let mut cuts = 0;
        let mut cut = || {
            proxy.cut(1, STORES);
            cuts += 1;
            cuts
        };

        let expected = cut();
        let done = app.execute(&a, Deposit { amount: 1 }).await.unwrap();
        assert_eq!((done.version, done.events.len(), done.repeated, proxy.cuts()), (Version::new(3), 1, false, expected));
        let expected = cut();
        let done = app.execute(&a, Deposit { amount: 1 }).idempotency_key("once").await.unwrap();
        assert_eq!((done.version, done.events.len(), done.repeated, proxy.cuts()), (Version::new(4), 1, false, expected));
        let again = app.execute(&a, Deposit { amount: 1 }).idempotency_key("once").await.unwrap();
        assert_eq!((again.version, again.position, again.repeated), (done.version, done.position, true));
        let expected = cut();
        let done = app.execute(&a, Drip { times: 3 }).await.unwrap();
        assert_eq!((done.version, done.events.len(), proxy.cuts()), (Version::new(7), 3, expected));
        // Without an event to know it by, its key answers for it.
        let expected = cut();
        let done = app.execute(&a, Audit).idempotency_key("looked").await.unwrap();
        assert_eq!((done.version, done.events.len(), proxy.cuts()), (Version::new(7), 0, expected));
        let expected = cut();
        let unit = app.unit(async |unit: gesta::Unit| {
            let _ = unit.execute(&a, Withdraw { amount: 5 }).await;
            let _ = unit.execute(&b, Deposit { amount: 5 }).await;
            Ok::<_, std::convert::Infallible>(())
        });
        let done = unit.await.unwrap();
        assert_eq!((done.versions.len(), proxy.cuts()), (2, expected));

        for (id, version, balance) in [(&a, 8, 100), (&b, 3, 105)] {
            let loaded = app.load::<Account>(id).await.unwrap();
            assert_eq!((loaded.version.get(), loaded.into_state().unwrap().balance), (version, balance), "{options}");
        }
        app.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_any_more_is_waited_for_only_so_long() {
    for more in ["", "&appends=exclusive"] {
        let database = Database::new().await;
        let proxy = Proxy::new(&database.url("")).await;
        let options = format!("?answer_wait_max_s=1&connections_max=6{more}");
        let url = proxy.url(&database.url(&options));
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
        let a = account("a");
        app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
        app.settle().await.unwrap();
        for amount in 1..=3 {
            proxy.mute();
            let began = Instant::now();
            // It was done, which only the next connection tells.
            let done = app.execute(&a, Deposit { amount }).await.unwrap();
            assert_eq!((done.events.len(), done.repeated), (1, false));
            proxy.mute();
            let loaded = app.load::<Account>(&account("b")).await;
            let row = app.read::<Summary>().after(&done).within(LONG).get(&a).await.unwrap().unwrap();
            assert_eq!(row.balance, (1..=amount).sum::<i64>());
            assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
            if let Err(why) = loaded {
                let told = ": the connection was lost: no answer came in 1s: see whether the server is running";
                assert!(why.to_string().ends_with(told), "{why}");
            }
        }
        let other = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
        let done = other.execute(&a, Deposit { amount: 10 }).await.unwrap();
        assert_eq!(app.read::<Summary>().after(&done).within(LONG).get(&a).await.unwrap().unwrap().balance, 16);
        assert_eq!(done.version, Version::new(5), "nothing was stored twice");
        app.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_stays_unknown_is_reported_and_its_key_resolves_it() {
    for options in ["?appends=shared", "?appends=exclusive"] {
        stays_unknown(options).await;
    }
}

async fn stays_unknown(options: &str) {
    let database = Database::new().await;
    let proxy = Proxy::new(&database.url("")).await;
    let app = opened(&proxy, &database, options).await;
    let a = account("a");
    proxy.cut(u32::MAX, STORES);
    let unknown = app.execute(&a, Deposit { amount: 1 }).idempotency_key("once").await.unwrap_err();
    assert!(unknown.is_unknown_outcome() && !unknown.is_retryable(), "{unknown}");
    let told = unknown.to_string();
    assert!(
        told.starts_with("it is unknown whether the command was carried out: appending: the connection was lost: "),
        "{told}"
    );
    assert!(told.ends_with(": see whether the server is running"), "{told}");
    proxy.cut(0, STORES);
    let done = app.execute(&a, Deposit { amount: 1 }).idempotency_key("once").await.unwrap();
    assert_eq!((done.version, done.repeated), (Version::new(3), true));

    // A read that is cut has changed nothing, and says that it may be asked again.
    let cold = cold(App::connect(&proxy.url(&database.url(options))).await.unwrap()).aggregate::<Account>();
    let cold =
        cold.shared_service::<dyn Lender>(std::sync::Arc::new(crate::app::commands::Bank::default())).start().await.unwrap();
    proxy.cut(1, |sql| sql.starts_with("select position, stream") && sql.contains("where stream = $1"));
    let lost = cold.execute(&a, Deposit { amount: 1 }).await.unwrap_err();
    assert!(lost.is_retryable() && !lost.is_unknown_outcome(), "{lost}");
    assert!(matches!(&lost, ExecuteError::Failed(_)));
    assert!(lost.to_string().starts_with("reading events: the connection was lost: "), "{lost}");
    assert_eq!(cold.execute(&a, Deposit { amount: 1 }).await.unwrap().version, Version::new(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_whose_commit_was_not_answered_goes_on_from_where_it_is() {
    let database = Database::new().await;
    let proxy = Proxy::new(&database.url("")).await;
    let app = lending(App::connect(&proxy.url(&database.url(""))).await.unwrap()).projection::<Summary>().start().await.unwrap();
    let a = account("a");
    app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
    app.settle().await.unwrap();
    for (round, cuts) in [(1, 1), (2, 2), (3, 3)] {
        proxy.cut(1, |sql| sql == "commit");
        app.execute(&a, Deposit { amount: 1 }).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), app.settle()).await.expect("it goes on by itself").unwrap();
        assert_eq!((app.read::<Summary>().get(&a).await.unwrap().map(|row| row.balance), proxy.cuts()), (Some(round), cuts));
    }
    app.shutdown().await.unwrap();
}

#[event]
pub struct Begun;
#[event]
pub struct Counted;
#[command]
pub struct Begin;
#[command]
pub struct Count;
/// Without snapshots.
pub struct Counter {
    pub count: u64,
}
#[aggregate(id = u64)]
impl Counter {
    fn begun(_: Begun) -> Self {
        Counter { count: 0 }
    }
    fn counted(&mut self, _: &Counted) {
        self.count += 1;
    }
}
#[command_handler]
impl Counter {
    fn begin(_: Begin) -> Begun {
        Begun
    }
    fn count(&self, _: Count) -> Counted {
        Counted
    }
}

fn cold(builder: Builder) -> Builder {
    builder.limits(Limits { cache_entries: 0, ..Limits::default() })
}

/// The round trips that commands cost, once every statement is prepared on every connection.
async fn round_trips(proxy: &Proxy, app: &App, id: u64) -> Vec<Vec<String>> {
    let mut rounds = Vec::new();
    for _ in 0..100 {
        app.execute(&id, Count).await.unwrap();
        let asked = proxy.asked();
        if asked.iter().any(|sql| sql.starts_with("prepare: ") || sql.starts_with("set ") || sql == LOOK) {
            rounds.clear();
            continue;
        }
        rounds.push(asked);
        if rounds.len() == 20 {
            return rounds;
        }
    }
    panic!("statements are prepared, or connections looked at, over and over: {rounds:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_costs_one_round_trip_with_its_state_in_the_cache_and_two_without() {
    let database = Database::new().await;
    let proxy = Proxy::new(&database.url("")).await;
    let url = proxy.url(&database.url("?connections_max=6"));
    let app = App::connect(&url).await.unwrap().aggregate::<Counter>().start().await.unwrap();
    app.execute(&1, Begin).await.unwrap();
    for asked in round_trips(&proxy, &app, 1).await {
        assert!(matches!(&asked[..], [append] if append.contains("insert into")), "{asked:#?}");
    }
    app.shutdown().await.unwrap();
    let app = cold(App::connect(&url).await.unwrap()).aggregate::<Counter>().start().await.unwrap();
    for asked in round_trips(&proxy, &app, 1).await {
        let two =
            matches!(&asked[..], [load, append] if load.starts_with("select position, stream") && append.contains("insert into"));
        assert!(two, "{asked:#?}");
    }
    app.shutdown().await.unwrap();
}
