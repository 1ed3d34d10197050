//! Two processes on a hundred hot streams: whoever loses a race goes on at once.

use std::time::Duration;

use sqlx::postgres::PgConnection;

use super::super::server::Database;
use super::oracle::{of_table, table};
use super::processes::{Plan, Process};
use super::said::Said;
use super::{asked, seed};

/// How many events each of the 16 writers of a process stores, in every test run and where races are what is asked for.
const EVENTS: (usize, usize) = (100, 2_000);
/// Where races are what is asked for, nobody waits as long. Two appends that wait for each other in a circle are parted by the server
/// only after that.
const PAUSE_MAX: Duration = Duration::from_secs(1);

async fn nobody_pauses(appends: &str) {
    let (database, seed) = (Database::new().await, seed("hot streams"));
    let url = database.url(&format!("?appends={appends}"));
    let events = if asked().is_some() { EVENTS.1 } else { EVENTS.0 };
    let start = |number: usize| {
        let seed = seed.wrapping_add(number as u64);
        Process::start(&Plan { store: &url, hand: &url, seed, number, events, writers: "hot" })
    };
    let mut processes = [start(0), start(1)];
    for process in &mut processes {
        process.ready().await;
    }
    processes.iter_mut().for_each(Process::begin);
    let mut said = Vec::new();
    for process in processes {
        said.extend(process.said().await);
    }
    let mut admin = database.connect().await;
    let table = table(&mut admin).await;
    let pauses = said.iter().filter_map(|said| match said {
        Said::Pause { longest } => Some(*longest),
        _ => None,
    });
    let longest = pauses.max().expect("each process tells it");
    let undone = said.iter().filter(|said| matches!(said, Said::Undone { .. })).count();
    println!(
        "hot streams, {appends}: {} events, {undone} in appends that lost a race, the longest pause {longest:?}",
        table.len()
    );
    assert_eq!(of_table(&table, &said), []);
    assert!(undone > 0, "nobody was ever in anybody's way");
    assert_eq!(deadlocks(&mut admin).await, 0, "appends have waited for each other in a circle");
    // Beside all other tests a process may have to wait for its turn for as long.
    if asked().is_some() {
        assert!(longest < PAUSE_MAX, "a writer waited {longest:?} for an acknowledgement");
    }
}

/// How often the server has parted sessions that waited for each other.
async fn deadlocks(admin: &mut PgConnection) -> i64 {
    // A session tells when it ends, if not before.
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut *admin).await.expect("it can be asked") > 0 {}
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    sqlx::query_scalar(deadlocks).fetch_one(admin).await.expect("it can be asked")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_hot_streams_show_no_second_long_pause() {
    nobody_pauses("shared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_hot_streams_show_no_second_long_pause_one_after_the_other() {
    nobody_pauses("exclusive").await;
}
