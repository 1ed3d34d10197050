//! F1, F2, F14: processes that outlive a server which lost its last events.
//!
//! A process loads accounts, keeps them in its cache, and meets a server that was restored from a physical backup, or
//! a standby that took over before it had received everything. Another process has gone on from there. Whatever the
//! first one does then, the raw events never take more from an account than is there: an oracle folds them by itself.
//!
//! `GESTA_HEAVY=1` runs 20 seeds of each form.

mod oracle;
mod run;
mod unguarded;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gesta::App;
use sqlx::{AssertSqlSafe, Executor as _};
use xtask::postgres::Cluster;

use self::run::{Form, Loss, Memory};
use super::proxy::Proxy;
use super::server::connect;
use crate::app::commands::lending;
use crate::domain::*;

/// Seeds of each form: in the normal tests, and in the heavy ones.
const SEEDS: (u64, u64) = (1, 20);

fn seeds() -> u64 {
    let seeds = if crate::faults::heavy() { SEEDS.1 } else { SEEDS.0 };
    println!("{seeds} seeds of each form; GESTA_HEAVY=1 runs {}", SEEDS.1);
    seeds
}

async fn all_forms(loss: Loss, memory: Memory) {
    for seed in 1..=seeds() {
        for (snapshots, models) in [(false, false), (true, false), (false, true), (true, true)] {
            let form = Form { loss, snapshots, models, memory, compares_events: true };
            let faults = run::run(seed, form).await;
            assert!(faults.is_empty(), "seed {seed}, {form:?}: {faults:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_decision_outlives_a_restore_without_the_tail() {
    all_forms(Loss::Restore, Memory::Kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_decision_outlives_a_promotion_without_the_tail() {
    all_forms(Loss::Promotion, Memory::Kept).await;
}

/// The store's memory of what it has seen is taken out, so the events that states name are all that is left.
#[tokio::test(flavor = "multi_thread")]
async fn expected_events_alone_keep_lost_states_from_deciding() {
    all_forms(Loss::Restore, Memory::Lost).await;
}

/// The control: with the memory and the expected events taken out, the oracle finds accounts below zero.
#[tokio::test(flavor = "multi_thread")]
async fn oracle_finds_ghost_decisions_without_the_guards() {
    let form = Form { loss: Loss::Restore, snapshots: false, models: false, memory: Memory::Lost, compares_events: false };
    for seed in 1..=10 {
        if !run::run(seed, form).await.is_empty() {
            return;
        }
    }
    panic!("ten runs without a guard, and no account was overdrawn");
}

/// A server that holds every event, and not the last rows of a read model: a standby that took over between the two
/// commits. The process remembers that it has stored the rows, and must not answer from the older ones.
#[tokio::test(flavor = "multi_thread")]
async fn read_waits_for_rows_that_another_server_lost() {
    let cluster = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    let proxy = Proxy::new(&cluster.url("postgres")).await;
    let app = lending(App::connect(&proxy.url(&cluster.url("postgres"))).await.unwrap());
    let app = app.projection::<Summary>().start().await.unwrap();
    let a = account("a");
    app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
    let kept = app.execute(&a, Deposit { amount: 1 }).await.unwrap();
    app.settle().await.unwrap();
    let done = app.execute(&a, Deposit { amount: 2 }).await.unwrap();
    app.settle().await.unwrap();

    proxy.turn_to("postgres://nobody@127.0.0.1:1/postgres");
    let again = Arc::clone(&cluster);
    let restart = move || {
        again.crash().unwrap();
        again.resume().unwrap();
    };
    tokio::task::spawn_blocking(restart).await.unwrap();
    let before = format!(
        "update gesta_models set position = {position}; update summary set balance = 1, version = 2",
        position = kept.position
    );
    connect(&cluster.url("postgres")).await.execute(AssertSqlSafe(before)).await.unwrap();
    proxy.turn_to(&cluster.url("postgres"));

    // Reads fail while nothing can be reached.
    let until = Instant::now() + Duration::from_mins(1);
    let row = loop {
        match app.read::<Summary>().after(&done).within(Duration::from_secs(20)).get(&a).await {
            Ok(row) => break row.expect("it is there"),
            Err(why) => assert!(Instant::now() < until, "{why}"),
        }
    };
    assert_eq!((row.balance, row.version), (3, 3));
    app.settle().await.unwrap();
    app.shutdown().await.unwrap();
}
