//! The write-ahead log stays short, also while reads overlap.

use std::future::Future;
use std::io::Read as _;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use gesta::store::sqlite::Synchronous;

use super::*;
use crate::faults::heavy;
use crate::told::{Listening, by_the_writer_of};

/// The log is begun again from this length on, in bytes.
const LOG_BYTES: u64 = 16 << 20;

fn open_quick(path: &Path) -> Store {
    sqlite::open(&SqliteOptions::new(path).synchronous(Synchronous::Normal)).expect("a store")
}

fn append_of(stream: &str, expected: u64, bytes: usize) -> Append {
    let mut append = append(stream, expected, 1);
    append.streams[0].events[0].payload = vec![b'x'; bytes];
    append
}

fn log_bytes(path: &Path) -> u64 {
    let log = format!("{}-wal", path.display());
    std::fs::metadata(log).map_or(0, |log| log.len())
}

/// The answer of a future that never waits: reads of a file are done when they are first polled.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a read of a file waited"),
    }
}

/// Readers of which the oldest ends only once all others have begun after it, so that there is
/// always an older read.
struct Relay {
    readers: u64,
    begun: Mutex<u64>,
    another: Condvar,
    over: AtomicBool,
    reads: AtomicU64,
}

impl Relay {
    fn new(readers: u64) -> Self {
        Relay { readers, begun: Mutex::new(0), another: Condvar::new(), over: AtomicBool::new(false), reads: AtomicU64::new(0) }
    }

    fn run(&self, store: &Store) {
        while !self.over.load(Ordering::SeqCst) {
            let mut visit = |_: StoredEvent<'_>| {
                self.stay();
                ControlFlow::Break(())
            };
            now(store.log.read_all(Position::ZERO, 1, &mut visit)).expect("a read");
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn stay(&self) {
        let mut begun = self.begun.lock().expect("no panic");
        *begun += 1;
        let own = *begun;
        self.another.notify_all();
        let alone = |begun: &mut u64| *begun < own + self.readers - 1 && !self.over.load(Ordering::SeqCst);
        drop(self.another.wait_while(begun, alone).expect("no panic"));
    }

    fn end(&self) {
        let _begun = self.begun.lock().expect("no panic");
        self.over.store(true, Ordering::SeqCst);
        self.another.notify_all();
    }
}

/// F21: `SQLite` by itself would begin its log again only in a moment without an older read, and
/// there is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_stays_short_while_eight_reads_overlap() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open_quick(&path);
    store.log.append(append("Account-0", 0, 1)).await.expect("an append");
    let relay = Relay::new(8);
    let mut longest = 0;
    let written = std::thread::scope(|scope| {
        for _ in 0..relay.readers {
            scope.spawn(|| relay.run(&store));
        }
        let runtime = tokio::runtime::Handle::current();
        let written = tokio::task::block_in_place(|| {
            runtime.block_on(async {
                for version in 0..1_024 {
                    store.log.append(append_of("Account-1", version, 64 << 10)).await?;
                    longest = longest.max(log_bytes(&path));
                }
                Ok::<_, AppendError>(())
            })
        });
        relay.end();
        written
    });
    written.expect("appends");
    let reads = relay.reads.load(Ordering::SeqCst);
    println!("{reads} reads beside 64 MiB of events, and a log of {} KiB at most", longest >> 10);
    assert!(reads > 8, "the readers took turns");
    assert!(longest < LOG_BYTES * 3 / 2, "the log had {longest} bytes");
    store.log.close().await.expect("closing");
}

/// F21: the log waits for reads, never a read for the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_within_a_read_ends_while_the_log_is_long() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open_quick(&path);
    store.log.append(append("Account-0", 0, 1)).await.expect("an append");
    let runtime = tokio::runtime::Handle::current();
    let mut within = 0;
    tokio::task::block_in_place(|| {
        let mut outer = |_: StoredEvent<'_>| {
            // Each of them is finished while this read is open, also once the log would be begun
            // again.
            for version in 0..40 {
                let appended = runtime.block_on(store.log.append(append_of("Account-1", version, 1 << 20)));
                appended.expect("an append within a read");
                let mut inner = |_: StoredEvent<'_>| {
                    within += 1;
                    ControlFlow::Continue(())
                };
                now(store.log.read_all(Position::new(version + 1), 10, &mut inner)).expect("a read within a read");
            }
            ControlFlow::Break(())
        };
        now(store.log.read_all(Position::ZERO, 1, &mut outer)).expect("a read");
    });
    assert_eq!(within, 40);
    assert!(log_bytes(&path) > 2 * LOG_BYTES, "the outer read did not hold the log up");
    store.log.close().await.expect("closing");
}

/// What a child does: it reads, and keeps its transaction open.
#[test]
fn as_foreign_reader() {
    let Ok(path) = std::env::var("GESTA_TESTS_CHILD") else { return };
    let reader = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    reader.execute_batch("BEGIN; SELECT count(*) FROM gesta_events").expect("a read");
    println!("reads");
    // Until the parent closes it.
    let _ = std::io::stdin().read(&mut [0]);
}

/// F21: nothing can begin the log again before that read, so it is reported, and the log is short
/// again afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_held_by_another_process_is_reported_with_it() {
    let _listening = Listening::begin();
    let directory = directory();
    let path = directory.path().canonicalize().expect("the folder is there").join("bank.db");
    let store = open_quick(&path);
    store.log.append(append("Account-0", 0, 1)).await.expect("an append");
    let (mut child, mut lines) = child_of("sqlite::log::as_foreign_reader", &path, None);
    assert!(lines.any(|line| line.ends_with("reads")), "the child did not read");

    let (mut version, began) = (0, Instant::now());
    let mut write = async || {
        store.log.append(append_of("Account-1", version, 1 << 20)).await.expect("an append");
        version += 1;
        assert!(began.elapsed() < Duration::from_mins(1), "no end after {version} MiB");
    };
    let reported = loop {
        write().await;
        if let Some(line) = by_the_writer_of(&path).into_iter().find(|line| line.contains("log grows")) {
            break line;
        }
    };
    println!("{reported}");
    assert!(reported.starts_with("WARN") && log_bytes(&path) > 64 << 20, "{reported}");
    #[cfg(target_os = "linux")]
    assert!(reported.contains(&format!("process {} (", child.id())), "{reported}");
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    while log_bytes(&path) > LOG_BYTES + (2 << 20) {
        write().await;
    }
    store.log.close().await.expect("closing");
}

mod model {
    use gesta::prelude::*;

    #[event]
    pub struct Opened {}
    #[event]
    pub struct Paid {
        pub text: String,
    }
    pub struct Payer {
        paid: u64,
    }
    #[aggregate(id = u64)]
    impl Payer {
        fn opened(_: Opened) -> Self {
            Payer { paid: 0 }
        }
        fn paid(&mut self, _: Paid) {
            self.paid += 1;
        }
    }
    #[command]
    pub struct Open {}
    #[command]
    pub struct Pay {
        pub text: String,
    }
    #[command_handler]
    impl Payer {
        fn open(_: Open) -> Opened {
            Opened {}
        }
        fn pay(&self, cmd: Pay) -> Paid {
            Paid { text: cmd.text }
        }
    }
    #[derive(ReadModel)]
    #[read_model(table = "payers")]
    pub struct Payers {
        #[key]
        id: u64,
        times: u64,
    }
    #[projection(of = Payer)]
    impl Payers {
        fn opened(e: &Recorded<Opened>) -> Self {
            Payers { id: e.aggregate_id(), times: 0 }
        }
        fn paid(&mut self, _: &Paid) {
            self.times += 1;
        }
    }
}

/// F21: the same with an app, as its users see it: 4 tasks that command, 8 that read all events
/// again and again, 30 s long.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_stays_short_while_subscribers_read_for_long() {
    if !heavy() {
        return;
    }
    let (quiet, alone) = read_and_write(0, 10).await;
    let (busy, beside) = read_and_write(8, 30).await;
    println!("{quiet:.0} commands/s alone, {busy:.0} beside 8 readers; the log had {} and {} KiB", alone >> 10, beside >> 10);
    assert!(alone < 2 * LOG_BYTES && beside < 2 * LOG_BYTES, "the log had {alone} and {beside} bytes");
}

/// Commands a second, and the longest log.
#[allow(clippy::cast_precision_loss, reason = "no test runs that long")]
async fn read_and_write(readers: usize, seconds: u64) -> (f64, u64) {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let builder = gesta::App::connect(&format!("sqlite:{}?synchronous=normal", path.display())).await.expect("a store");
    let app = builder.aggregate::<model::Payer>().projection::<model::Payers>().start().await.expect("an app");
    for id in 0..64 {
        app.execute(&id, model::Open {}).await.expect("a command");
    }
    let (over, done, latencies) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(vec![])));
    let mut tasks = Vec::new();
    for _ in 0..readers {
        let (app, over, latencies) = (app.clone(), Arc::clone(&over), Arc::clone(&latencies));
        tasks.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let (mut events, mut read) = (app.subscribe(Position::ZERO), 0);
                let mut began = Instant::now();
                while let Some(event) = events.next_stored().await {
                    event.expect("an event");
                    read += 1;
                    if read % 1_000 == 0 {
                        latencies.lock().expect("no panic").push(began.elapsed());
                        began = Instant::now();
                    }
                    if read > 5_000 || over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                tokio::task::yield_now().await;
            }
        }));
    }
    for first in 0..4 {
        let (app, over, done) = (app.clone(), Arc::clone(&over), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            let mut id = first;
            while !over.load(Ordering::Relaxed) {
                app.execute(&(id % 64), model::Pay { text: "x".repeat(500) }).await.expect("a command");
                id += 4;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let (began, mut longest) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        longest = longest.max(log_bytes(&path));
    }
    over.store(true, Ordering::Relaxed);
    let rate = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    for task in tasks {
        task.await.expect("no panic");
    }
    let mut latencies = std::mem::take(&mut *latencies.lock().expect("no panic"));
    latencies.sort();
    if let Some(worst) = latencies.last() {
        let at = |share: usize| latencies[(latencies.len() - 1) * share / 100];
        println!("pages of 1,000 events: half within {:?}, 99 % within {:?}, all within {worst:?}", at(50), at(99));
    }
    app.shutdown().await.expect("shutting down");
    (rate, longest)
}
