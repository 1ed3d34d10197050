//! The write-ahead log: kept short, also while reads overlap.
//!
//! SQLite begins its log again from the start once a checkpoint has copied all of it into the file
//! and no reader uses it any more. The checkpoints that SQLite runs by itself wait for no reader.
//! While reads overlap, each of them meets a reader of an older state, so the log would grow
//! without end.
//!
//! `RESTART` waits. Example, with a log of 4,100 frames: readers A and B began at frames 3,900 and
//! 4,100. The writer's thread stands still, so a reader C that comes now begins at 4,100 as well.
//! When A ends, all 4,100 frames are copied. From then on readers begin in the file alone. When B
//! and C end, the next transaction writes frame 1. So the writer waits for reads that began before,
//! for about a second at most, and no reader waits for anything: a callback that reads within a
//! read goes on.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::errors::SqlResult;
use super::file::StoreFile;
use super::identity::Watched;
use super::locks;
use super::readers::Readers;
use crate::error::StoreError;

/// The log is begun again when it is longer than this, in bytes: 4,000 pages or so. As much of the
/// file stays reserved.
pub(super) const LOG_BYTES: u64 = 16 << 20;
/// From this length on a log that can't be begun again is reported, in bytes; then whenever it has
/// doubled.
const REPORTED_BYTES: u64 = 64 << 20;
/// A checkpoint is given up after as many tries without progress: a read takes long.
const TRIES_IN_VAIN: u32 = 3;
/// The longest that a checkpoint may take while reads end one after the other.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a checkpoint that was given up, the next one comes after this: a long read costs the
/// writer a tenth of its time.
const PAUSE: Duration = Duration::from_secs(3);
/// How often the files are looked at that no acknowledged event is in.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Called by SQLite while a reader holds a checkpoint up; answers whether to go on waiting: for 100
/// ms.
pub(super) fn wait(tries: i32) -> bool {
    std::thread::sleep(Duration::from_millis(1));
    tries < 100
}

pub(super) struct Log {
    file: Watched,
    /// The files that keep other processes in order.
    guards: Vec<Watched>,
    looked_at: Instant,
    /// The log's length after the last commit.
    bytes: u64,
    blocked: Option<Blocked>,
}

/// A checkpoint was held up.
struct Blocked {
    since: Instant,
    again_at: Instant,
    reported_above: u64,
    /// How many frames of the log were in the file then.
    copied: Option<i64>,
}

impl Log {
    /// The log of a file that a connection writes to and has read.
    pub(super) fn of(file: &StoreFile) -> Result<Self, StoreError> {
        let gone = |ending| StoreError::FileReplaced { file: file.beside(ending).display().to_string() };
        let watch = |ending| Watched::new(file.beside(ending)).map_err(|_| gone(ending));
        let guards = vec![watch("-shm")?, watch(".lock")?];
        Ok(Log { file: watch("-wal")?, guards, looked_at: Instant::now(), bytes: 0, blocked: None })
    }

    /// Whether the files are those that were opened: what was just committed is in them.
    pub(super) fn check(&mut self, file: &StoreFile) -> Result<(), StoreError> {
        file.check()?;
        if let Some(bytes) = file.or_stop(self.file.length())? {
            self.bytes = bytes;
        }
        if self.looked_at.elapsed() >= LOOK_EVERY {
            self.looked_at = Instant::now();
            self.guards.iter().try_for_each(|guard| file.or_stop(guard.length()).map(drop))?;
        }
        Ok(())
    }

    /// Whether it is to be begun again.
    pub(super) fn is_due(&self) -> bool {
        self.bytes > LOG_BYTES && self.blocked.as_ref().is_none_or(|blocked| Instant::now() >= blocked.again_at)
    }

    /// Copies the log into the file, so that the next transaction begins it again.
    pub(super) fn begin_again(&mut self, connection: &Connection, file: &StoreFile, readers: &Readers) {
        match self.checkpoint(connection, readers) {
            Ok(Tried { done: true, .. }) => {
                // The file keeps its length until the next transaction.
                self.bytes = 0;
                if let Some(blocked) = self.blocked.take().filter(|blocked| blocked.reported_above > REPORTED_BYTES) {
                    let seconds = blocked.since.elapsed().as_secs();
                    tracing::info!(file = file.shown, seconds, "the write-ahead log could be shortened again");
                }
            }
            Ok(Tried { copied, .. }) => {
                self.pause().copied = Some(copied);
                self.report(file, readers);
            }
            Err(why) => {
                tracing::warn!(file = file.shown, %why, log_bytes = self.bytes, "the write-ahead log could not be shortened");
                self.pause();
            }
        }
    }

    /// Tries as long as reads end one after the other. A read that takes long, here or in another
    /// process, is left alone.
    fn checkpoint(&self, connection: &Connection, readers: &Readers) -> SqlResult<Tried> {
        let began = Instant::now();
        let (mut copied, mut in_vain) = (self.blocked.as_ref().and_then(|blocked| blocked.copied), 0);
        loop {
            let begun = Instant::now();
            let tried = checkpoint(connection)?;
            in_vain = if copied == Some(tried.copied) { in_vain + 1 } else { 0 };
            copied = Some(tried.copied);
            let is_slow = |age: Duration| (begun.elapsed()..PATIENCE).contains(&age);
            let hopeless = in_vain >= TRIES_IN_VAIN && !readers.oldest().is_some_and(is_slow);
            if tried.done || hopeless || began.elapsed() >= PATIENCE {
                return Ok(tried);
            }
        }
    }

    fn pause(&mut self) -> &mut Blocked {
        let now = Instant::now();
        let first = || Blocked { since: now, again_at: now, reported_above: REPORTED_BYTES, copied: None };
        let blocked = self.blocked.get_or_insert_with(first);
        blocked.again_at = now + PAUSE;
        blocked
    }

    /// A read that began long ago needs the log. If the log has become long, that is reported with
    /// what is known.
    fn report(&mut self, file: &StoreFile, readers: &Readers) {
        let log_bytes = self.bytes;
        let Some(blocked) = self.blocked.as_mut().filter(|blocked| log_bytes >= blocked.reported_above) else { return };
        blocked.reported_above = log_bytes * 2;
        let seconds = blocked.since.elapsed().as_secs();
        let mut reading =
            self.guards.first().and_then(Watched::id).map_or_else(Vec::new, |shm| locks::holders(shm, locks::READERS, false));
        if let Some(age) = readers.oldest().filter(|age| age.as_secs() >= seconds) {
            reading.push(format!("this app, for {} s", age.as_secs()));
        }
        let reading = if reading.is_empty() { "another program".to_owned() } else { reading.join(", ") };
        tracing::warn!(
            file = file.shown,
            log_bytes,
            seconds,
            reading,
            "the write-ahead log grows: a read that began before can't be passed; end that read"
        );
    }
}

/// How a try to begin the log again ended.
struct Tried {
    /// All of the log is in the file, and no reader uses it any more.
    done: bool,
    /// How many frames are in the file.
    copied: i64,
}

fn checkpoint(connection: &Connection) -> SqlResult<Tried> {
    connection.busy_handler(Some(wait))?;
    let read = |row: &rusqlite::Row<'_>| Ok(Tried { done: row.get::<_, i64>(0)? == 0, copied: row.get(2)? });
    let tried = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], read);
    StoreFile::wait_for_locks(connection)?;
    tried
}
