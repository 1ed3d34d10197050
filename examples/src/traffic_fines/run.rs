//! What the program does: import a log, report what it came to, tell the history of one fine.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use gesta::{Aggregate, App, Builder, Envelope, Failure, Limits, LoadError, ReadError, Stage, StartError};

use super::import::{Entry, Log, Row};
use super::report::{Import, Rejected, Report};
use super::{Fine, FineBalance, FineError, FineId, YearTotals};

/// What can keep the program from doing what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// A file can't be read or written.
    File(io::Error),
    /// The store can't be opened.
    Start(StartError),
    /// A command can't be carried out, for a reason that is not the domain's.
    Command(Failure),
    /// A read model can't be read.
    Read(ReadError),
    /// A fine can't be loaded.
    Load(LoadError),
    /// The two read models come to different totals.
    Disagree,
}

/// The fines on a store.
///
/// # Errors
/// Where the store can't be opened, or the app not started.
pub async fn open(store: Builder) -> Result<App, StartError> {
    // The log goes by date, so every fine comes up again and again: all of them are kept in memory between their rows.
    let mut limits = Limits::default();
    (limits.cache_entries, limits.cache_bytes) = (200_000, 160 << 20);
    // Rows of many fines share a commit.
    limits.commands_in_flight = 2_048;
    store.aggregate::<Fine>().projection::<FineBalance>().projection::<YearTotals>().limits(limits).start().await
}

/// Whoever watches an import.
pub trait Watcher {
    /// So many rows were dealt with.
    fn progress(&mut self, rows: u64);
    /// A row was rejected.
    fn rejected(&mut self, rejected: &Rejected);
}

/// Imports a log; rows that an earlier import of it has dealt with are found by their keys, and not doubled.
///
/// # Errors
/// [`RunError`]; what was imported until then is stored, and the import can be repeated.
pub async fn import(app: &App, log: &Path, watcher: &mut impl Watcher) -> Result<Report, RunError> {
    let import = import_part(app, log, Part::WHOLE, watcher).await?;
    let report = report(app).await?;
    Ok(Report { import: Some(import), ..report })
}

/// A share of a log: some of its fines, with all of their rows, so that several processes can import it side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which one, from 1 on.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { number: 1, of: 1 };

    fn has(self, fine: &FineId) -> bool {
        let sum = fine.as_str().bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        sum % self.of == self.number - 1
    }
}

/// Imports a part of a log, and comes back once the read models hold it.
///
/// # Errors
/// [`RunError`], as of [`import`].
pub async fn import_part(app: &App, log: &Path, part: Part, watcher: &mut impl Watcher) -> Result<Import, RunError> {
    let started = Instant::now();
    let mut import = Import::default();
    let mut rows = Rows { part, log: Log::open(log)?, unreadable: Vec::new(), broken: None, at: HashMap::new(), count: 0 };
    // What is asked of the iterator is done while the commands run, so both sides see it.
    let shared = std::sync::Mutex::new(&mut rows);
    let lock = || shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let envelopes = std::iter::from_fn(|| lock().next_entry());
    let mut answers = app.execute_many::<Fine, FineError>(envelopes.map(envelope));
    while let Some((number, answer)) = answers.next().await {
        let (line, fine) = lock().at(number);
        match answer {
            Ok(_) => import.accept(),
            Err(error) => reject(&mut import, &Rejected::refused(line, fine, error)?, watcher),
        }
        for unreadable in std::mem::take(&mut lock().unreadable) {
            reject(&mut import, &unreadable, watcher);
        }
        watcher.progress(import.rows);
    }
    drop(answers);
    for unreadable in std::mem::take(&mut rows.unreadable) {
        reject(&mut import, &unreadable, watcher);
    }
    if let Some(broken) = rows.broken {
        return Err(broken.into());
    }
    app.settle().await?;
    #[allow(clippy::cast_precision_loss, reason = "nobody imports 2^52 rows")]
    let accepted = import.accepted as f64;
    import.events_per_second = (accepted / started.elapsed().as_secs_f64()).round();
    Ok(import)
}

fn envelope(entry: Entry) -> Envelope<Fine> {
    // The key's scope is the fine, so its number within the case is enough.
    Envelope::new(entry.fine, entry.command).idempotency_key(entry.ordinal.to_string()).occurred_at(entry.on)
}

fn reject(import: &mut Import, rejected: &Rejected, watcher: &mut impl Watcher) {
    import.reject(rejected);
    watcher.rejected(rejected);
}

/// The rows of a log: those that can be read go on, the others are put aside.
struct Rows {
    part: Part,
    log: Log,
    unreadable: Vec<Rejected>,
    broken: Option<io::Error>,
    /// The line and the fine of each entry that is not answered yet, by its number.
    at: HashMap<usize, (u64, FineId)>,
    /// How many entries there were.
    count: usize,
}

impl Rows {
    fn next_entry(&mut self) -> Option<Entry> {
        loop {
            match self.log.next()? {
                Ok(Row::Entry(entry)) if !self.part.has(&entry.fine) => {}
                Ok(Row::Entry(entry)) => {
                    self.at.insert(self.count, (entry.line, entry.fine.clone()));
                    self.count += 1;
                    return Some(entry);
                }
                // Nobody knows whose it is: the first part counts it.
                Ok(Row::Unreadable(_)) if self.part.number > 1 => {}
                Ok(Row::Unreadable(row)) => self.unreadable.push(Rejected::unreadable(&row)),
                Err(broken) => {
                    self.broken = Some(broken);
                    return None;
                }
            }
        }
    }
    fn at(&mut self, number: usize) -> (u64, FineId) {
        self.at.remove(&number).expect("each entry is answered once")
    }
}

/// What the read models hold.
///
/// # Errors
/// [`RunError`], also where the two models disagree.
pub async fn report(app: &App) -> Result<Report, RunError> {
    loop {
        // After an import that was killed they may be behind, each by another event, until the next import.
        let head = app.store().log.head().await.map_err(Failure::from)?;
        app.read::<FineBalance>().after(head).limit(1).all().await?;
        app.read::<YearTotals>().after(head).limit(1).all().await?;
        let report = Report::read(app).await?;
        if report.agrees() {
            return Ok(report);
        }
        // While another process imports, one of the two was read a moment later.
        if app.store().log.head().await.map_err(Failure::from)? == head {
            return Err(RunError::Disagree);
        }
    }
}

/// The events of a fine, with the state after each.
///
/// # Errors
/// [`RunError`] where there is no such fine, or the output can't be written.
pub async fn history(app: &App, fine: &FineId, out: &mut impl Write) -> Result<(), RunError> {
    let mut events = app.history::<Fine>(fine)?;
    let mut stage = Stage::Absent;
    while let Some(event) = events.next().await {
        let event = event?;
        let (year, month, day) = event.metadata.occurred_at.date();
        writeln!(out, "{:>3}  {year}-{month:02}-{day:02}  {:?}", event.version, event.event)?;
        stage = Fine::apply(stage, event.event).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        if let Stage::Alive(fine) = &stage {
            writeln!(out, "                 {fine}")?;
        }
    }
    if matches!(stage, Stage::Absent) {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no fine `{fine}` in this store")).into());
    }
    Ok(())
}

/// The table of a report, a line a year.
///
/// # Errors
/// Where the output can't be written.
pub fn table(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let euros = |cents: i64| super::Cents(cents).to_string();
    writeln!(out, "{:>6} {:>8} {:>14} {:>14} {:>14} {:>14}", "year", "issued", "fined", "penalties", "expenses", "paid")?;
    for (year, row) in &report.by_year {
        let [fined, penalties, expenses, paid] =
            [row.fined_cents, row.penalties_cents, row.expenses_cents, row.paid_cents].map(euros);
        writeln!(out, "{year:>6} {:>8} {fined:>14} {penalties:>14} {expenses:>14} {paid:>14}", row.issued)?;
    }
    let [fined, penalties, expenses, paid] =
        [report.fined_cents, report.penalties_cents, report.expenses_cents, report.paid_cents].map(euros);
    writeln!(out, "{:>6} {:>8} {fined:>14} {penalties:>14} {expenses:>14} {paid:>14}", "all", report.fines)?;
    let Report { settled, in_collection, .. } = report;
    writeln!(out, "\n{settled} settled, {in_collection} in collection, {} still open", euros(report.open_balance_cents))
}

macro_rules! from {
    ($($source:ty => $variant:ident),*) => { $(impl From<$source> for RunError {
        fn from(error: $source) -> Self {
            RunError::$variant(error)
        }
    })* };
}
from!(io::Error => File, StartError => Start, Failure => Command, ReadError => Read, LoadError => Load);

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::File(e) => e.fmt(f),
            RunError::Start(e) => e.fmt(f),
            RunError::Command(e) => e.fmt(f),
            RunError::Read(e) => e.fmt(f),
            RunError::Load(e) => e.fmt(f),
            RunError::Disagree => f.write_str("the fines and the years come to different totals: please report this"),
        }
    }
}

impl std::error::Error for RunError {}
