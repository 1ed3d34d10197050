//! A database that was restored from a dump is a store like the one it was made of.

use std::process::Command;

use gesta::App;
use gesta::store::StoredEvent;
use sqlx::{AssertSqlSafe, Executor};
use xtask::postgres::Cluster;

use super::server::connect;
use crate::app::commands::lending;
use crate::domain::*;
use crate::stores::Folder;

fn run(program: &str, arguments: &[&str]) {
    let beside = xtask::postgres::programs().map(|programs| programs.join(program)).filter(|path| path.is_file());
    let path = beside.unwrap_or_else(|| program.into());
    let output = Command::new(path).args(arguments).output().unwrap_or_else(|why| panic!("{program}: {why}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn log(url: &str) -> Vec<String> {
    let store = gesta::store::connect(url).await.expect("it opens");
    let mut events = Vec::new();
    let mut visit = |event: StoredEvent<'_>| {
        events.push(format!("{event:?}"));
        std::ops::ControlFlow::Continue(())
    };
    store.log.read_all(gesta::Position::ZERO, usize::MAX, &mut visit).await.unwrap();
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_restored_has_every_event_and_goes_on_after_the_last() {
    for options in ["?schema=my%20ledger", "?schema=my%20ledger&appends=exclusive"] {
        dumped_and_restored(options).await;
    }
}

async fn dumped_and_restored(options: &str) {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let start = async |database: &str| {
        let app = lending(App::connect(&format!("{}{options}", cluster.url(database))).await.unwrap());
        app.projection::<Summary>().inline_projection::<Amounts>().start().await.unwrap()
    };
    let app = start("postgres").await;
    let mut last = gesta::Position::ZERO;
    for number in 0..50 {
        let id = account(&format!("{}", number % 5));
        last = app.execute(&id, Welcome { gift: number }).idempotency_key(number.to_string()).await.unwrap().position;
    }
    app.settle().await.unwrap();
    let file = Folder::new();
    let (dump, from) = (file.file("dump").display().to_string(), cluster.url("postgres"));
    run("pg_dump", &["--format=custom", "--file", &dump, &from]);
    // What is appended after the dump is not in it.
    app.execute(&account("0"), Deposit { amount: 1 }).await.unwrap();
    app.shutdown().await.unwrap();
    let mut before = log(&format!("{from}{options}")).await;
    before.pop();

    let mut admin = connect(&from).await;
    admin.execute(AssertSqlSafe("create database restored".to_owned())).await.unwrap();
    run("pg_restore", &["--exit-on-error", "--dbname", &cluster.url("restored"), &dump]);
    assert_eq!(log(&format!("{}{options}", cluster.url("restored"))).await, before);
    let app = start("restored").await;
    let repeated = app.execute(&account("4"), Welcome { gift: 49 }).idempotency_key("49").await.unwrap();
    assert_eq!((repeated.repeated, repeated.position), (true, last));
    let appended = app.execute(&account("0"), Deposit { amount: 7 }).await.unwrap();
    assert!(appended.position > last);
    app.settle().await.unwrap();
    let row = app.read::<Summary>().get(&account("0")).await.unwrap().expect("it is there");
    assert_eq!(row.version, appended.version.get());
    app.shutdown().await.unwrap();
}
