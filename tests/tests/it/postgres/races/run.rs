//! One race: processes that append, readers that follow, and what was wrong at its end.

use std::time::{Duration, Instant};

use gesta::Uuid;
use gesta::store::Store;
use sqlx::postgres::PgConnection;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::server::Database;
use super::hand::{append, insert, part, send, stream};
use super::oracle::{Fault, Wrong, of_reader, of_table, table};
use super::processes::{Plan, Process};
use super::readers::{End, Reader};
use super::said::Said;

const PROCESSES: usize = 4;
const LAST: usize = PROCESSES - 1;
/// How long an append is open that is never committed.
const IDLE: Duration = Duration::from_millis(200);
const WRITERS_PER_PROCESS: usize = 4;

/// A race that is to be run.
pub(super) struct Race<'a> {
    /// How gesta keeps its appends in order.
    pub(super) appends: &'a str,
    /// How many events are stored, about.
    pub(super) events: usize,
    pub(super) seed: u64,
    /// Most of what is written by hand is rolled back, some of it once it was prepared; and all the time somebody's append is open, in
    /// this database and in another one.
    pub(super) storm: bool,
    /// Statements that break what readers rely on, sent once every store is open.
    pub(super) sabotage: Option<&'a str>,
}

pub(super) struct Outcome {
    pub(super) stored: usize,
    pub(super) undone: usize,
    pub(super) took: Duration,
    /// What is wrong, of the table and of the readers that go through gesta.
    pub(super) faults: Vec<Fault>,
    /// What is wrong with what a reader saw that awaits nobody.
    pub(super) naive: Vec<Fault>,
}

impl Race<'_> {
    pub(super) async fn run(&self) -> Outcome {
        let database = Database::new().await;
        let url = database.url(&format!("?appends={}", self.appends));
        let pooler = database.pooler();
        let pooled = database.url_through(&pooler, &format!("?appends={}", self.appends));
        let (first, second) = (open(&url).await, open(&pooled).await);
        let start = |number| match number {
            // The last of them goes through the pooler, with all it does.
            LAST => self.start(number, &pooled, &pooler.url(database.name())),
            number => self.start(number, &url, &database.url("")),
        };
        let mut processes: Vec<_> = (0..PROCESSES).map(start).collect();
        for process in &mut processes {
            process.ready().await;
        }
        let mut connection = database.connect().await;
        if let Some(sabotage) = self.sabotage {
            send(&mut connection, sabotage).await;
        }
        let storm = if self.storm { Some(Storm::over(&database).await) } else { None };
        let (ends, end) = watch::channel(None);
        let readers = readers(&first, &second, &end);
        let naive = Reader::naive(database.connect().await, end);
        let began = Instant::now();
        processes.iter_mut().for_each(Process::begin);
        let mut said = Vec::new();
        for process in processes {
            said.extend(process.said().await);
        }
        if let Some(storm) = storm {
            storm.end().await;
        }
        said.push(last_event(&first).await);
        let table = table(&mut connection).await;
        ends.send_replace(table.last().map(|stored| stored.position));

        let mut faults = of_table(&table, &said);
        for reader in readers {
            let name = reader.name.clone();
            match reader.seen().await {
                Ok(seen) => faults.extend(of_reader(&name, &seen, &table)),
                Err(why) => faults.push((Wrong::Failed, why)),
            }
        }
        let seen = naive.seen().await.expect("the naive reader comes to the end");
        let naive = of_reader("the naive reader", &seen, &table);
        let took = began.elapsed();
        for store in [first, second] {
            store.log.close().await.expect("the store closes");
        }
        let undone = said.iter().filter(|said| matches!(said, Said::Undone { .. })).count();
        Outcome { stored: table.len(), undone, took, faults, naive }
    }

    fn start(&self, number: usize, store: &str, hand: &str) -> Process {
        // The one behind the pooler needs twice as long for each.
        let shares = if number == LAST { 1 } else { 2 };
        let events = (self.events * shares).div_ceil((2 * PROCESSES - 1) * WRITERS_PER_PROCESS);
        let seed = self.seed.wrapping_mul(PROCESSES as u64).wrapping_add(number as u64);
        Process::start(&Plan { store, hand, seed, number, events, writers: if self.storm { "storm" } else { "mixed" } })
    }
}

impl Outcome {
    pub(super) fn count(&self, wrong: Wrong) -> usize {
        self.faults.iter().filter(|(what, _)| *what == wrong).count()
    }

    pub(super) fn naive_lost(&self) -> usize {
        self.naive.iter().filter(|(what, _)| *what == Wrong::Lost).count()
    }

    pub(super) fn assert_faultless(&self, race: &str) {
        let first: Vec<_> = self.faults.iter().take(20).map(|(wrong, what)| format!("{wrong:?}: {what}")).collect();
        assert!(first.is_empty(), "{race}: {} faults, the first:\n{}", self.faults.len(), first.join("\n"));
    }
}

/// Somebody who has appended and does nothing: in another database, and in this one for a while, again and again.
struct Storm {
    other: (Database, PgConnection),
    here: JoinHandle<usize>,
    stop: watch::Sender<bool>,
}

impl Storm {
    async fn over(database: &Database) -> Self {
        let other = Database::new().await;
        open(&other.url("")).await.log.close().await.expect("the store closes");
        let mut open_there = other.connect().await;
        send(&mut open_there, "begin").await;
        insert(&mut open_there, "Race-open", 1, Uuid::from_u64_pair(0, 2)).await;
        let mut open_here = database.connect().await;
        let (stop, mut stopped) = watch::channel(false);
        let here = tokio::spawn(async move {
            let mut times = 0;
            while !*stopped.borrow() {
                send(&mut open_here, "begin").await;
                insert(&mut open_here, "Race-open", 1, Uuid::from_u64_pair(0, 3)).await;
                times += 1;
                let _ = tokio::time::timeout(IDLE, stopped.changed()).await;
                send(&mut open_here, "rollback").await;
            }
            times
        });
        Storm { other: (other, open_there), here, stop }
    }

    async fn end(self) {
        self.stop.send_replace(true);
        let times = self.here.await.expect("it is stopped, and ends");
        assert!(times > 1, "readers were held up {times} times");
        let (_other, mut connection) = self.other;
        send(&mut connection, "rollback").await;
    }
}

async fn open(url: &str) -> Store {
    gesta::store::connect(url).await.expect("the store opens")
}

/// Two stores, as two processes would have them, one of which goes through a pooler, with small pages and large ones.
fn readers(first: &Store, second: &Store, end: &End) -> Vec<Reader> {
    let reader = |name, store, page| Reader::start(name, store, page, end.clone());
    vec![
        reader("the first store", first, 1),
        reader("the first store", first, 7),
        reader("the first store", first, 1_000),
        reader("the store behind the pooler", second, 7),
        reader("the store behind the pooler", second, 1_000),
    ]
}

/// Appends the event that nothing comes after.
async fn last_event(store: &Store) -> Said {
    let (id, name) = (Uuid::from_u64_pair(0, 1), "Race-last");
    store.log.append(append(vec![part(&stream(name), 0, &[id])])).await.expect("nobody else appends to it");
    Said::Stored { id, stream: name.to_owned(), version: 1 }
}
