//! The program of the race tests: some writers that append beside each other, and beside those of other processes.
//!
//! It takes the URL of the store, that of the database for statements written by hand, a seed, its own number, how many events each
//! writer appends, and what the writers are. It says what was acknowledged and what was not stored, see [`mod@said`].

#[path = "../../faults/dice.rs"]
#[allow(dead_code, reason = "the fault tests throw it in more ways")]
mod dice;
mod hand;
mod said;

use std::io::Write as _;
use std::time::{Duration, Instant};

use gesta::store::{AppendError, NewKey, Store, StreamAppend};
use gesta::{StreamName, Uuid};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use self::dice::Dice;
use self::hand::{append, part, send, stream};
use self::said::Said;

const WRITERS: usize = 4;
/// As many writers a process where they are hot.
const HOT_WRITERS: usize = 16;
/// Streams on which the writers of all processes meet.
const SHARED: usize = 30;
/// As many where they do nothing else.
const HOT: usize = 100;
/// Of a hundred transactions, so many are rolled back, and as many appends are bound to be refused.
const ROLLBACKS: usize = 10;
/// As many are rolled back in a storm, where as many of all are prepared before they end.
const STORM: (usize, usize) = (90, 20);
/// As many appends have a part that only holds a key: each waits for everybody else, and they for it.
const KEYS_ALONE: usize = 2;
/// The longest pauses, in microseconds: with an open transaction, and between two appends of gesta's.
const PAUSE: (usize, usize) = (10_000, 5_000);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store_url, hand_url, seed, process, events, writers] = &arguments[..] else {
        panic!("write: races-writer STORE_URL HAND_URL SEED PROCESS EVENTS mixed|storm|hot");
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let (process, events, mut dice) = (number(process), number(events), Dice::new(seed.parse().expect("a number")));
    let (by_store, by_hand) = match &**writers {
        "mixed" | "storm" => (WRITERS / 2, WRITERS / 2),
        "hot" => (HOT_WRITERS, 0),
        other => panic!("`{other}`: writers are mixed, storm or hot"),
    };
    let (mut ready, hot, storm) = (Vec::new(), writers == "hot", writers == "storm");
    if by_store > 0 {
        let store = gesta::store::connect(store_url).await.expect("the store opens");
        for number in 0..by_store {
            ready.push(Writer::new(Tool::Store(store.clone()), &format!("Race-s{process}w{number}"), events, storm, &mut dice));
        }
    }
    for number in 0..by_hand {
        let options: PgConnectOptions = hand_url.parse().expect("it is the URL of a server");
        // A pooler refuses that setting.
        let connection = options.extra_float_digits(None).connect().await.expect("the database is there");
        ready.push(Writer::new(Tool::Hand(connection), &format!("Race-h{process}w{number}"), events, storm, &mut dice));
    }
    say(&Said::Ready);
    let go = std::io::stdin().read_line(&mut String::new()).expect("somebody says when to begin");
    if go == 0 {
        // Whoever started this is gone.
        return;
    }
    let tasks: Vec<_> = ready.into_iter().map(|writer| tokio::spawn(writer.write(hot))).collect();
    let mut longest = Duration::ZERO;
    for task in tasks {
        longest = longest.max(task.await.expect("a writer comes to its end"));
    }
    say(&Said::Pause { longest });
}

fn say(said: &Said) {
    // Whoever listened may be gone, and then nobody wants to know.
    let _ = writeln!(std::io::stdout(), "{said}");
}

/// What a writer appends by.
enum Tool {
    Store(Store),
    Hand(PgConnection),
}

struct Writer {
    tool: Tool,
    dice: Dice,
    own: StreamName,
    /// The version of its own stream.
    version: u64,
    /// What it takes for the versions of the streams that it shares with others.
    shared: Vec<(StreamName, u64)>,
    /// The one of them that somebody else was faster at: it is tried again, now that its version is known.
    again: Option<usize>,
    /// How many events are still to be stored.
    left: usize,
    /// Of what it writes by hand, most is rolled back.
    storm: bool,
    acknowledged: Instant,
    longest: Duration,
}

impl Writer {
    fn new(tool: Tool, own: &str, events: usize, storm: bool, dice: &mut Dice) -> Self {
        let dice = Dice::new(dice.next());
        let (own, longest) = (stream(own), Duration::ZERO);
        Writer {
            tool,
            dice,
            own,
            version: 0,
            shared: Vec::new(),
            again: None,
            left: events,
            storm,
            acknowledged: Instant::now(),
            longest,
        }
    }

    /// Answers the longest time between two acknowledgements.
    async fn write(mut self, hot: bool) -> Duration {
        let shared = if hot { HOT } else { SHARED };
        self.shared = (0..shared).map(|number| (stream(&format!("Race-shared{number}")), 0)).collect();
        self.acknowledged = Instant::now();
        while self.left > 0 {
            match &self.tool {
                Tool::Hand(_) => self.by_hand().await,
                Tool::Store(_) if hot => self.hot().await,
                Tool::Store(_) => self.by_store().await,
            }
        }
        self.longest
    }

    fn ids(&mut self, count: usize) -> Vec<Uuid> {
        (0..count).map(|_| Uuid::from_u64_pair(self.dice.next(), self.dice.next())).collect()
    }

    async fn pause(&mut self, micros_max: usize) {
        tokio::time::sleep(Duration::from_micros(self.dice.below(micros_max) as u64)).await;
    }

    /// Two events in a transaction that is open for a while; sometimes it is rolled back, or a part of it is before its end.
    async fn by_hand(&mut self) {
        let rollbacks = if self.storm { STORM.0 } else { ROLLBACKS };
        let (ids, rolled_back, copied) = (self.ids(2), self.dice.percent(rollbacks), self.dice.percent(ROLLBACKS));
        let prepared = self.storm && self.dice.percent(STORM.1);
        let part_undone = if self.dice.percent(ROLLBACKS) { self.ids(1) } else { Vec::new() };
        let pause = Duration::from_micros(self.dice.below(PAUSE.0) as u64);
        let Tool::Hand(connection) = &mut self.tool else { return };
        send(connection, "begin").await;
        for id in &part_undone {
            // The lock goes with the part, and is taken again by what follows.
            send(connection, "savepoint part").await;
            hand::insert(connection, self.own.as_str(), self.version + 1, *id).await;
            send(connection, "rollback to savepoint part").await;
        }
        hand::insert(connection, self.own.as_str(), self.version + 1, ids[0]).await;
        tokio::time::sleep(pause).await;
        if copied {
            hand::copy(connection, self.own.as_str(), self.version + 2, ids[1]).await;
        } else {
            hand::insert(connection, self.own.as_str(), self.version + 2, ids[1]).await;
        }
        let end = if rolled_back { "rollback" } else { "commit" };
        if prepared {
            // It goes on without its session, perhaps to be ended in another one.
            send(connection, format!("prepare transaction '{}'", ids[0])).await;
            send(connection, format!("{end} prepared '{}'", ids[0])).await;
        } else {
            send(connection, end).await;
        }
        undone(&part_undone);
        if rolled_back {
            undone(&ids);
        } else {
            let own = self.own.clone();
            self.version = self.stored(&own, self.version, &ids);
        }
    }

    /// To its own stream, to one that others append to as well, or to both; sometimes only if the other one stands where it did.
    async fn by_store(&mut self) {
        let count = 1 + self.dice.below(3);
        let of_own = self.ids(count);
        // Without an event, the part holds a key, and its append needs the lock alone.
        let holds_an_event = !self.dice.percent(KEYS_ALONE);
        let of_shared = self.ids(usize::from(holds_an_event));
        let place = self.again.take().unwrap_or_else(|| self.dice.below(self.shared.len()));
        let (name, version) = self.shared[place].clone();
        let bound_to_fail = self.dice.percent(ROLLBACKS);
        let expected = if bound_to_fail { self.version + 1 } else { self.version };
        let own = (self.own.clone(), expected, of_own);
        let shared = (name.clone(), version, of_shared);
        let parts = match self.dice.below(3) {
            0 => vec![own],
            1 if !bound_to_fail && !shared.2.is_empty() => vec![shared],
            _ => vec![shared, own],
        };
        match self.append(&parts).await {
            Ok(()) => {
                assert!(!bound_to_fail, "an append was stored that expected a version that is not there");
                for (stream, version, ids) in &parts {
                    let version = self.stored(stream, *version, ids);
                    if *stream == self.own { self.version = version } else { self.shared[place].1 = version }
                }
            }
            Err((conflict, actual)) => {
                undone(parts.iter().flat_map(|(_, _, ids)| ids));
                if conflict == name {
                    self.shared[place].1 = actual;
                    self.again = Some(place);
                } else {
                    assert_eq!(actual, self.version, "a version of {conflict} is told that nobody has stored");
                }
            }
        }
        self.pause(PAUSE.1).await;
    }

    /// To one or two of the streams that everybody appends to, again until nobody was faster.
    async fn hot(&mut self) {
        let (first, second) = (self.dice.below(HOT), self.dice.below(HOT));
        let places = if first != second && self.dice.percent(30) { vec![first, second] } else { vec![first] };
        loop {
            let mut parts = Vec::new();
            for place in &places {
                let ids = self.ids(1);
                let (name, version) = self.shared[*place].clone();
                parts.push((name, version, ids));
            }
            match self.append(&parts).await {
                Ok(()) => {
                    for ((stream, version, ids), place) in parts.iter().zip(&places) {
                        self.shared[*place].1 = self.stored(stream, *version, ids);
                    }
                    return;
                }
                Err((conflict, actual)) => {
                    undone(parts.iter().flat_map(|(_, _, ids)| ids));
                    let known = self.shared.iter_mut().find(|(name, _)| *name == conflict);
                    known.expect("it conflicts on one of its streams").1 = actual;
                }
            }
        }
    }

    /// Answers which stream had another version, where one had.
    async fn append(&self, parts: &[(StreamName, u64, Vec<Uuid>)]) -> Result<(), (StreamName, u64)> {
        let Tool::Store(store) = &self.tool else { return Ok(()) };
        let last = parts.last().and_then(|(_, _, ids)| ids.last()).expect("an append ends with an event");
        let parts = parts.iter().map(|(stream, expected, ids)| {
            // Some come with a key, and those without an event have to.
            let key = ids.is_empty() || last.as_u128().is_multiple_of(10);
            let key = key.then(|| NewKey { key: last.to_string().into(), command_hash: 1, hash_version: 2 });
            StreamAppend { key, ..part(stream, *expected, ids) }
        });
        let parts = parts.collect();
        match store.log.append(append(parts)).await {
            Ok(_) => Ok(()),
            Err(AppendError::Conflict { stream, actual }) => Err((stream, actual.get())),
            Err(other) => panic!("an append failed: {other}"),
        }
    }

    /// These events were acknowledged; answers the version of their stream.
    fn stored(&mut self, stream: &StreamName, before: u64, ids: &[Uuid]) -> u64 {
        self.longest = self.longest.max(self.acknowledged.elapsed());
        self.acknowledged = Instant::now();
        self.left = self.left.saturating_sub(ids.len());
        let mut version = before;
        for id in ids {
            version += 1;
            say(&Said::Stored { id: *id, stream: stream.as_str().to_owned(), version });
        }
        version
    }
}

/// These events were not stored.
fn undone<'a>(ids: impl IntoIterator<Item = &'a Uuid>) {
    for id in ids {
        say(&Said::Undone { id: *id });
    }
}
