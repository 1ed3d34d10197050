//! Reading a log of any length takes one statement, and no more memory than reading a short one.

use std::fs;
use std::ops::ControlFlow;
use std::process::Command;

use gesta::Position;
use gesta::store::{StoredEvent, connect};
use sqlx::Executor;

use super::proxy::Proxy;
use super::server::Database;

const EVENTS: usize = 2_000;
const EVENT_BYTES: usize = 100_000;
/// So much more memory a process may have taken at most, in KiB.
const GROWTH_MAX: usize = 40 << 10;

/// The most memory that this process has had at a time, in KiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the system knows");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it counts that");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

/// Reads the log that it is told; the parent is told how much, and by how much the memory grew.
#[tokio::test(flavor = "multi_thread")]
async fn as_a_child() {
    let Ok(url) = std::env::var("GESTA_TESTS_READ") else { return };
    let keeps = std::env::var_os("GESTA_TESTS_KEEPS").is_some();
    let store = connect(&url).await.expect("the parent has made it");
    let before = peak();
    let (mut events, mut bytes, mut kept) = (0, 0, Vec::new());
    let mut visit = |event: StoredEvent<'_>| {
        events += 1;
        bytes += event.payload.len();
        if keeps {
            kept.push(event.payload.to_vec());
        }
        ControlFlow::Continue(())
    };
    store.log.read_all(Position::ZERO, usize::MAX, &mut visit).await.expect("it can be read");
    println!("\nread {events} {bytes} {}", peak() - before);
}

/// What a child has read: events, bytes, and by how much its memory grew, in KiB.
async fn read(url: String, keeps: bool) -> [usize; 3] {
    let child = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(std::env::current_exe().expect("this test's own program"));
        command.args(["postgres::streamed::as_a_child", "--exact", "--nocapture", "--test-threads=1"]);
        command.env("GESTA_TESTS_READ", url);
        if keeps {
            command.env("GESTA_TESTS_KEEPS", "all");
        }
        command.output().expect("a child")
    });
    let output = child.await.expect("it has ended");
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("read "));
    let line = line.unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)));
    let numbers: Vec<_> = line.split(' ').map(|number| number.parse().expect("it is a number")).collect();
    numbers.try_into().expect("there are three")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_read_by_one_statement_without_the_memory_growing_with_it() {
    let database = Database::new().await;
    connect(&database.url("")).await.unwrap().log.close().await.unwrap();
    let insert = "insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
        select 'Account-a', n, 'Deposited', 1, gen_random_uuid(), n, convert_to(lpad('{}', $2), 'UTF8') from generate_series(1, $1) as n";
    let (events, event_bytes) = (i32::try_from(EVENTS).unwrap(), i32::try_from(EVENT_BYTES).unwrap());
    let insert = sqlx::query(insert).bind(events).bind(event_bytes);
    database.connect().await.execute(insert).await.unwrap();

    let proxy = Proxy::new(&database.url("")).await;
    let [events, bytes, growth] = read(proxy.url(&database.url("")), false).await;
    assert_eq!((events, bytes), (EVENTS, EVENTS * EVENT_BYTES));
    let mut asked = proxy.asked();
    asked.retain(|sql| sql.contains("payload") && sql.contains("gesta_events") && !sql.starts_with("prepare: "));
    assert!(matches!(&asked[..], [read] if read.starts_with("select position, stream")), "{asked:#?}");
    assert!(growth < GROWTH_MAX, "it grew by {growth} KiB");

    // Whoever keeps what is read is seen to do so.
    let [_, _, growth] = read(database.url(""), true).await;
    assert!(growth > EVENTS * EVENT_BYTES / 1024, "{growth} KiB: does this test see nothing?");
}
