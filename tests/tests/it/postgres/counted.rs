//! What is shared is counted on the wire: statements by commands that come together, censuses by those who follow, notifications by
//! appends.

use std::collections::HashSet;

use gesta::{App, Position};
use sqlx::Connection as _;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::proxy::Proxy;
use super::server::{Database, connect};
use crate::app::commands::lending;
use crate::domain::*;

const CLIENTS: usize = 32;

/// An app behind a proxy, with an account for each client.
async fn started(database: &Database, options: &str) -> (Proxy, App) {
    let proxy = Proxy::new(&database.url("")).await;
    let app = lending(App::connect(&proxy.url(&database.url(options))).await.unwrap()).start().await.unwrap();
    for client in 0..CLIENTS {
        app.execute(&account(&client.to_string()), Open { owner: "Ann".into() }).await.unwrap();
    }
    proxy.sent();
    (proxy, app)
}

/// So many deposits by each client, all at once.
async fn deposits(app: &App, each: usize) {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let app = app.clone();
        clients.spawn(async move {
            for _ in 0..each {
                app.execute(&account(&client.to_string()), Deposit { amount: 1 }).await.unwrap();
            }
        });
    }
    clients.join_all().await;
}

/// How many of these were run, and not only prepared, that hold all of this.
fn count(sent: &[(u32, String)], parts: &[&str]) -> usize {
    let holds = |sql: &String| !sql.starts_with("prepare: ") && parts.iter().all(|part| sql.contains(part));
    sent.iter().filter(|(_, sql)| holds(sql)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_come_together_share_their_statements() {
    for options in ["?appends=shared", "?appends=exclusive"] {
        let database = Database::new().await;
        let (proxy, app) = started(&database, options).await;
        let inserts = || count(&proxy.sent(), &["insert into ", "gesta_events ("]);
        deposits(&app, 50).await;
        let (shared, commands) = (inserts(), CLIENTS * 50);
        assert!(shared * 2 <= commands, "{options}: {shared} statements for {commands} commands");
        for client in 0..CLIENTS {
            let loaded = app.load::<Account>(&account(&client.to_string())).await.unwrap();
            assert_eq!(loaded.into_state().unwrap().balance, 50);
        }
        // One that comes alone has one of its own.
        for _ in 0..20 {
            app.execute(&account("0"), Deposit { amount: 1 }).await.unwrap();
        }
        assert_eq!(inserts(), 20, "{options}");
        app.shutdown().await.unwrap();
    }
}

/// How many censuses a process asks for in which so many follow 100 appends of another one.
async fn censuses(followers: usize) -> usize {
    let database = Database::new().await;
    let (proxy, app) = started(&database, "").await;
    let other = lending(App::connect(&database.url("")).await.unwrap()).start().await.unwrap();
    let start = other.execute(&account("0"), Deposit { amount: 1 }).await.unwrap().position;
    let mut seen = Vec::new();
    for _ in 0..followers {
        let mut events = app.subscribe(start);
        let (tell, told) = watch::channel(Position::ZERO);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                tell.send_replace(event.unwrap().position);
            }
        });
        seen.push(told);
    }
    proxy.sent();
    for _ in 0..100 {
        let last = other.execute(&account("0"), Deposit { amount: 1 }).await.unwrap().position;
        for told in &mut seen {
            told.wait_for(|seen| *seen >= last).await.unwrap();
        }
    }
    let censuses = count(&proxy.sent(), &["gesta_census()"]);
    app.shutdown().await.unwrap();
    censuses
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_follow_in_one_process_share_their_censuses() {
    let (one, many) = (censuses(1).await, censuses(20).await);
    assert!(one >= 100, "{one}: does this test see nothing?");
    // Each by itself would make it 20 times as many. Who comes while one is under way needs the next one, so it is not the same.
    assert!(many < one * 5, "{one} for one follower, {many} for 20");
}

/// What was told of inside of a transaction, where it locks the whole server at the commit.
fn told_inside(sent: &[(u32, String)]) -> Vec<&str> {
    let (mut open, mut inside) = (HashSet::new(), Vec::new());
    for (line, sql) in sent {
        let small = sql.to_ascii_lowercase();
        if small.starts_with("begin") {
            open.insert(line);
        }
        if small.contains("notify") && (open.contains(line) || small.contains("insert into")) {
            inside.push(sql.as_str());
        }
        if small == "commit" || small == "rollback" {
            open.remove(line);
        }
    }
    inside
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_told_of_many_appends_at_once_and_never_inside_of_a_transaction() {
    for options in ["?appends=shared", "?appends=exclusive"] {
        let database = Database::new().await;
        let (proxy, app) = started(&database, options).await;
        deposits(&app, 1_000 / CLIENTS + 1).await;
        let mut sent = proxy.sent();
        let told = count(&sent, &["pg_notify"]);
        assert!((1..=500).contains(&told), "{options}: others were told {told} times of 1,000 appends");

        // So it is with transactions of the user's.
        let pool = PgPoolOptions::new().connect(&proxy.url(&database.url(""))).await.unwrap();
        for number in 0..20 {
            let joint = app.join(pool.begin().await.unwrap()).await.unwrap();
            joint.execute(&account("0"), Deposit { amount: 1 }).await.unwrap();
            joint.execute(&account("1"), Drip { times: 3 }).idempotency_key(number.to_string()).await.unwrap();
            joint.commit().await.unwrap();
        }
        app.shutdown().await.unwrap();
        sent.extend(proxy.sent());
        assert!(count(&sent, &["pg_notify"]) > told, "{options}: others are told of those too");
        assert_eq!(told_inside(&sent), [""; 0], "{options}");

        // One that does so is found.
        let mut hand = connect(&proxy.url(&database.url(""))).await;
        let mut transaction = hand.begin().await.unwrap();
        sqlx::query("select pg_notify('x', '')").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(!told_inside(&proxy.sent()).is_empty(), "does this test see nothing?");
    }
}
