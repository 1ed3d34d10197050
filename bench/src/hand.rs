//! The same by hand, on the same driver with the same settings, written as well as we can: the limits to measure against.

use std::collections::HashMap;
use std::path::Path;

use gesta::Uuid;
use rusqlite::{Connection, params};

use crate::domain::{Deposited, deposited};

const TABLES: &str = "CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL, \
    type TEXT NOT NULL, event_id BLOB NOT NULL, recorded_at INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (stream, version)) STRICT";
const HEAD: &str = "SELECT version FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
const INSERT: &str = "INSERT INTO events (stream, version, type, event_id, recorded_at, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// A file with one table of events.
pub struct Hand {
    connection: Connection,
    /// The state cache: balance and version.
    accounts: HashMap<String, (i64, i64)>,
}

impl Hand {
    pub fn open(file: &Path, synchronous: &str) -> Self {
        let connection = Connection::open(file).expect("a new file");
        let settings = format!("PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA cache_size=-65536; {TABLES}");
        connection.execute_batch(&settings).expect("plain settings");
        Hand { connection, accounts: HashMap::new() }
    }

    /// One command: state from the cache, decide, check the head, append, commit.
    pub fn deposit(&mut self, account: &str, transaction: Uuid, reference: String, cents: i64) {
        let (balance, version) = self.accounts.get(account).copied().unwrap_or_default();
        assert!(cents > 0);
        let event = deposited(transaction, reference, cents);
        let payload = serde_json::to_vec(&event).expect("plain fields");
        let run = |sql: &str| self.connection.prepare_cached(sql).and_then(|mut sql| sql.execute([])).expect("a transaction");
        run("BEGIN IMMEDIATE");
        let head: i64 = {
            let mut head = self.connection.prepare_cached(HEAD).expect("plain SQL");
            head.query_row([account], |row| row.get(0)).unwrap_or(0)
        };
        assert_eq!(head, version);
        let id = Uuid::now_v7();
        let row = params![account, version + 1, "Deposited", id.as_bytes(), event.at_us, payload];
        self.connection.prepare_cached(INSERT).and_then(|mut sql| sql.execute(row)).expect("a row");
        run("COMMIT");
        self.accounts.insert(account.to_owned(), (balance + cents, version + 1));
    }
}

/// Reads every event of a store file in order and decodes it by name: the sum of all deposits.
pub fn replay(file: &Path) -> (u64, i64) {
    let connection = Connection::open(file).expect("the file is there");
    connection.execute_batch("PRAGMA cache_size=-65536").expect("a plain setting");
    let sql = "SELECT e.position, e.stream, t.name, e.payload FROM gesta_events e JOIN gesta_event_types t ON t.id = e.type ORDER BY e.position";
    let mut statement = connection.prepare(sql).expect("plain SQL");
    let mut rows = statement.query([]).expect("plain SQL");
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next().expect("a row") {
        count += 1;
        let name = row.get_ref(2).and_then(|name| Ok(name.as_str()?)).expect("text");
        if name == "Deposited" {
            let payload = row.get_ref(3).and_then(|payload| Ok(payload.as_blob()?)).expect("bytes");
            let event: Deposited = serde_json::from_slice(payload).expect("an event");
            sum += event.cents;
        }
    }
    (count, sum)
}
