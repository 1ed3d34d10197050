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

use run::{Form, Loss, Memory};

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
