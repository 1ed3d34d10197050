//! Several processes with the same read models: one feeds each of them, all read it, and another takes over where that one is gone.

use std::time::Duration;

use gesta::store::postgres::{self, PostgresOptions};
use gesta::{App, Builder};

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// An app as in a process of its own.
async fn process(database: &Database) -> App {
    let options = PostgresOptions::parse(&database.url("")).unwrap().lease(Duration::from_millis(900));
    let builder: Builder = App::on(postgres::open(&options).await.unwrap());
    lending(builder).projection::<Summary>().projection::<Amounts>().start().await.unwrap()
}

async fn deposit(app: &App, amount: i64) {
    let done = app.execute(&account("A"), Deposit { amount }).await.unwrap();
    let row = app.read::<Summary>().after(&done).get(&account("A")).await.unwrap();
    assert!(row.is_some_and(|row| row.version >= done.version.get()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_process_reads_what_each_has_written_whoever_feeds_the_models() {
    let database = Database::new().await;
    let first = process(&database).await;
    first.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
    let (second, third) = (process(&database).await, process(&database).await);
    for app in [&second, &first, &third, &second] {
        deposit(app, 5).await;
    }
    for app in [&first, &second, &third] {
        app.settle().await.unwrap();
        assert_eq!(app.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(20));
        let amounts = app.read::<Amounts>().all().await.unwrap();
        assert_eq!(amounts.iter().map(|row| (row.amount, row.times)).collect::<Vec<_>>(), [(5, 4)]);
    }
    // In order: the next one has them at once.
    first.shutdown().await.unwrap();
    deposit(&second, 1).await;
    deposit(&third, 1).await;
    second.shutdown().await.unwrap();
    deposit(&third, 1).await;
    assert_eq!(third.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(23));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_dead_process_has_fed_is_taken_over() {
    let database = Database::new().await;
    let url = database.url("");
    // A runtime of its own, which ends as a process does that is killed: without a word to anybody.
    let (opened, wait) = std::sync::mpsc::channel();
    let (die, died) = tokio::sync::oneshot::channel::<()>();
    let dying = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let options = PostgresOptions::parse(&url).unwrap().lease(Duration::from_millis(900));
            let app = lending(App::on(postgres::open(&options).await.unwrap())).projection::<Summary>().projection::<Amounts>();
            let app = app.start().await.unwrap();
            app.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
            deposit(&app, 5).await;
            opened.send(()).unwrap();
            let _ = died.await;
            std::mem::forget(app);
        });
        runtime.shutdown_background();
    });
    wait.recv().unwrap();
    let next = process(&database).await;
    deposit(&next, 5).await;
    die.send(()).unwrap();
    dying.join().unwrap();
    deposit(&next, 5).await;
    next.settle().await.unwrap();
    assert_eq!(next.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(15));
    assert_eq!(next.read::<Amounts>().all().await.unwrap()[0].times, 3);
}
