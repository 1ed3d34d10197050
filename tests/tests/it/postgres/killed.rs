//! A process that is killed in the middle of its load, on a server that lives on: what was acknowledged is there once and in
//! order, what nobody sent is not, each unit is there whole or not at all, and each read model equals a replay.
//!
//! The load and the oracle are those of [`crate::faults`]. What differs is that a dead process leaves something behind: sessions
//! that may still carry out what it has asked for, and leases that have to run out. So the next process sometimes begins at once,
//! and is asked for the same once more; and nothing is judged before those sessions are gone.

use std::time::{Duration, Instant};

use super::server::Database;
use crate::faults::dice::Dice;
use crate::faults::reopen::{ask_again, reopen};
use crate::faults::run::{Load, Moment};
use crate::faults::{Known, heavy, seed};

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_mins(1);
/// How long it takes a process to come up, about.
const START: Duration = Duration::from_millis(300);

/// How often it is killed before the store is looked at, at least.
fn rounds() -> usize {
    if heavy() { 40 } else { 3 }
}

/// The most lines the load says before it is killed.
fn lines_max() -> usize {
    if heavy() { 5_000 } else { 1_500 }
}

/// Comes back once nobody is connected any more: what the dead have asked for is carried out, or never will be.
async fn until_alone(database: &Database) {
    let (mut admin, until) = (database.connect().await, Instant::now() + LONG);
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut admin).await.unwrap() > 0 {
        assert!(Instant::now() < until, "the sessions of the dead are still there");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn run(url: &str, number: usize, moment: Moment, known: &mut Known, dice: &mut Dice) -> usize {
    let said = Load { url: url.to_owned(), seed: dice.next(), number, shim: None, breaks: None }.run(moment);
    known.hear(&said)
}

fn known_of(options: &str) -> Known {
    let mut known = Known::default();
    known.told.beside = options.contains("appends=shared");
    known
}

async fn outlives_kills(test: &str, options: &str) {
    let mut dice = seed(test);
    let database = Database::new().await;
    let url = database.url(options);
    let mut known = known_of(options);
    let (mut kills, mut acknowledged, mut resent, mut in_vain) = (0, 0, 0, 0);
    for round in 1..=rounds() {
        // Now and then it is killed again before anybody has looked.
        for _ in 0..=usize::from(dice.percent(25)) {
            kills += 1;
            let moment = match round {
                // Perhaps while the tables are made.
                1 => Moment::within(START, &mut dice),
                // Once, at least, in the middle of many commands.
                2 => Moment::after_lines(lines_max() / 2 + dice.below(lines_max() / 2)),
                _ => Moment::any(&mut dice, lines_max()),
            };
            acknowledged += run(&url, kills, moment, &mut known, &mut dice);
        }
        let place = format!("{test}, kill {kills}");
        if dice.percent(50) {
            let found = ask_again(&url, &mut known.told, &mut dice).await.unwrap_or_else(|why| panic!("{place}: {why}"));
            (resent, in_vain) = (resent + found.resent, in_vain + found.resent_in_vain);
        }
        until_alone(&database).await;
        let found = known.check(&url, &mut dice, &place).await;
        (resent, in_vain) = (resent + found.resent, in_vain + found.resent_in_vain);
    }
    println!("{test}: {kills} kills in {} rounds, {acknowledged} commands acknowledged", rounds());
    println!("{test}: {resent} commands with a key had got no answer, {in_vain} of them had been carried out");
    assert!(acknowledged > lines_max() / 8, "it was no load, so this test shows nothing: {acknowledged} commands");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_kill_of_the_process_where_appends_run_beside_each_other() {
    outlives_kills("shared", "?appends=shared&lease_s=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_kill_of_the_process_where_appends_run_one_after_the_other() {
    outlives_kills("exclusive", "?appends=exclusive&lease_s=1").await;
}

/// The lock is taken alone there for those that carry an inline model, and beside others for those that only hold events.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_kill_of_the_process_where_inline_models_come_along() {
    outlives_kills("inline", "?lease_s=1").await;
}

/// All of this can fail: what is done behind everybody's back comes to light.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_doubled_or_counted_twice_is_found_out() {
    const TWICE: &str = "insert into gesta_events select (jsonb_populate_record(e, jsonb_build_object('version', version + 1,
            'position', nextval('gesta_positions'), 'event_id', gen_random_uuid()))).*
        from gesta_events e order by position desc limit 1";
    const LOST: &str = "delete from gesta_events where stream = (select stream from gesta_events order by position limit 1)";
    for (number, (what, sql)) in [
        ("a stream is lost", LOST),
        ("an event is there twice", TWICE),
        ("events are counted twice", "update gesta_models set position = 0 where table_name = 'flows'"),
        ("events are not counted", "delete from flows"),
        ("rows are not what they were", "update balances set amount = amount + 1"),
    ]
    .into_iter()
    .enumerate()
    {
        let options = ["?appends=shared&lease_s=1", "?appends=exclusive&lease_s=1"][number % 2];
        let database = Database::new().await;
        let (url, mut known, mut dice) = (database.url(options), known_of(options), seed(what));
        run(&url, 1, Moment::never(5), &mut known, &mut dice);
        until_alone(&database).await;
        let mut admin = database.connect().await;
        let changed = sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
        assert!(changed.rows_affected() > 0, "{what}");
        let found = reopen(&url, &mut known.told, &[], &mut dice).await;
        let found_out = found.map_or(true, |found| !found.faults.is_empty() || !found.lost_tail.is_empty());
        assert!(found_out, "{what}, and nobody noticed");
    }
}
