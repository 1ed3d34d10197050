//! Races: writers in several processes, and readers that must see everything once and in order.
//!
//! The writers (`writer.rs`) are a program of its own, started several times: some append by gesta, some by statements written by
//! hand, in transactions that stay open for a while; some are rolled back. One of the processes goes through a pooler that gives each
//! transaction another session. Readers follow here, page by page. At the end an oracle
//! (`oracle.rs`) holds the table against what was acknowledged, and each reader against the table.
//!
//! That this finds what it looks for is shown each time: a reader that awaits nobody runs beside the others and must lose
//! something. With each thing switched off that readers rely on, they must stop, say so, and have lost nothing.
//!
//! `cargo xtask races` runs many long races. Chance is seeded, and the seed is printed:
//! `GESTA_SEED=..` repeats the choices of the writers, but not those of the scheduler.

mod contract;
mod hand;
mod hot;
mod oracle;
mod prepared;
mod processes;
mod readers;
mod run;
mod said;
mod units;

use std::time::{SystemTime, UNIX_EPOCH};

use gesta::StartError;

use self::hand::send;
use self::oracle::Wrong;
use self::run::Race;
use super::server::Database;

/// How many events a race stores: few in every test run, many where races are what is asked for.
const EVENTS: (usize, usize) = (3_000, 80_000);
/// As many where appends run one after the other, and wait for transactions written by hand.
const EVENTS_ALONE: (usize, usize) = (1_200, 12_000);
/// As many where most of it is rolled back.
const EVENTS_STORM: (usize, usize) = (600, 6_000);
/// What readers rely on, switched off.
const NO_TRIGGER: &str = "drop trigger gesta_hold on gesta_events";
const NO_AWAITING: &str =
    "create or replace function gesta_census(out settled bigint, out last bigint, out id uuid, out holders text[],
    out server bigint, out alive uuid) language plpgsql as $$ begin
        select pg_sequence_last_value('gesta_positions') into settled;
        select position, event_id into last, id from gesta_events where position <= settled order by position desc limit 1;
        server := (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint;
    end $$";
const CACHE: &str = "alter sequence gesta_positions cache 20";

/// How many long races are asked for, if any.
fn asked() -> Option<usize> {
    std::env::var("GESTA_RACES").ok().map(|races| races.parse().expect("`GESTA_RACES` is a number"))
}

fn seed(test: &str) -> u64 {
    let given = std::env::var("GESTA_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos().into());
    let seed = given.unwrap_or_else(now);
    println!("{test}: GESTA_SEED={seed}");
    seed
}

async fn nothing_is_wrong(appends: &str, storm: bool, (races, events): (usize, usize)) {
    let seed = seed("races");
    for number in 1..=races {
        let race = Race { appends, events, seed: seed + number as u64, storm, sabotage: None };
        let outcome = race.run().await;
        println!(
            "race {number}: {} events, {} rolled back or refused, {:.1} s; the naive reader lost {}",
            outcome.stored,
            outcome.undone,
            outcome.took.as_secs_f64(),
            outcome.naive_lost()
        );
        outcome.assert_faultless(&format!("race {number}"));
        assert!(outcome.stored >= events, "race {number}: {} of {events} events were stored", outcome.stored);
        assert!(outcome.undone * 10 >= outcome.stored, "race {number}: {} were rolled back or refused", outcome.undone);
        // Else it was no race, and its success means nothing.
        assert!(outcome.naive_lost() > 0, "race {number}: even a reader that awaits nobody has lost nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_reordered_while_processes_race() {
    let races = asked().map_or((1, EVENTS.0), |races| (races, EVENTS.1));
    nothing_is_wrong("shared", false, races).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_reordered_where_appends_run_one_after_the_other() {
    let events = if asked().is_some() { EVENTS_ALONE.1 } else { EVENTS_ALONE.0 };
    nothing_is_wrong("exclusive", false, (1, events)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_reordered_while_most_is_rolled_back_and_somebody_is_always_open() {
    let events = if asked().is_some() { EVENTS_STORM.1 } else { EVENTS_STORM.0 };
    for appends in ["shared", "exclusive"] {
        nothing_is_wrong(appends, true, (1, events)).await;
    }
}

/// In a race in which something is switched off, all of gesta's readers stop and say so.
async fn all_stop_with(what: &str, sabotage: &str, told: &str) {
    let race = Race { appends: "shared", events: EVENTS.0, seed: seed(what), storm: false, sabotage: Some(sabotage) };
    let outcome = race.run().await;
    let stopped = outcome.faults.iter().filter(|(wrong, why)| *wrong == Wrong::Failed && why.contains(told)).count();
    assert_eq!((stopped, outcome.count(Wrong::Lost)), (5, 0), "{what}: {:?}", outcome.faults);
    // Else nothing could be lost.
    assert!(outcome.naive_lost() > 0, "{what}: even a reader that awaits nobody has lost nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_trigger_readers_stop_and_lose_nothing() {
    all_stop_with("no trigger", NO_TRIGGER, "the trigger `gesta_hold` on `gesta_events` is gone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn if_holders_are_not_awaited_readers_stop_and_lose_nothing() {
    all_stop_with("nobody is awaited", NO_AWAITING, "the function `gesta_census` is not the one of this schema").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_sequence_that_caches_readers_stop_and_lose_nothing() {
    all_stop_with("a sequence that caches", CACHE, "`gesta_positions` gives positions out of order").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_lose_events_is_refused_at_the_start_by_name() {
    for (sabotage, told) in [(NO_TRIGGER, "`gesta_hold`"), (CACHE, "`alter sequence \"public\".gesta_positions cache 1")] {
        let database = Database::new().await;
        let url = database.url("");
        gesta::store::connect(&url).await.expect("the store opens").log.close().await.expect("it closes");
        send(&mut database.connect().await, sabotage).await;
        let refused: Result<_, StartError> = gesta::store::connect(&url).await;
        let why = refused.err().expect("it is not safe to read from").to_string();
        assert!(why.contains(told), "after `{sabotage}`: {why}");
    }
}
