//! `cargo run --release --bin traffic_fines -- import FILE --store sqlite:fines.db --json out.json`

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gesta::App;
use gesta_examples::traffic_fines::FineId;
use gesta_examples::traffic_fines::report::{Rejected, Report};
use gesta_examples::traffic_fines::run::{self, Part, RunError, Watcher};

const USAGE: &str = "\
usage: traffic_fines import FILE  --store URL [--json FILE] [--list-rejected] [--part N/OF]
       traffic_fines report       --store URL [--json FILE]
       traffic_fines history CASE --store URL

import   reads the log (CSV, compressed by gzip or not), runs a command for each row, and shows what it comes to;
         it can be interrupted and repeated, and doubles nothing; --list-rejected names each row that was rejected,
         and --part 1/2 takes one half of the fines, so that two processes can import at once
report   shows the same from the read models of an existing file, which is opened for reading only
history  shows what happened to one fine, with its state after each event

URL is sqlite:fines.db, postgres://user:password@host/database or, for import, memory:";

enum Ask {
    Import { file: PathBuf, list: bool, part: Option<Part> },
    Report,
    History(FineId),
}

struct Request {
    ask: Ask,
    store: String,
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let request = match parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&request).await {
        // Whoever reads has seen enough, as `head` has.
        Err(RunError::File(why)) if why.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Request, String> {
    let (mut words, mut store, mut json, mut list, mut part) = (Vec::new(), None, None, false, None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--store" => store = Some(value()?),
            "--json" => json = Some(PathBuf::from(value()?)),
            "--list-rejected" => list = true,
            "--part" => part = Some(part_of(&value()?)?),
            other if other.starts_with("--") => return Err(format!("there is no option {other}")),
            _ => words.push(arg),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ask = match words[..] {
        ["import", file] => Ask::Import { file: file.into(), list, part },
        ["report"] if !list && part.is_none() => Ask::Report,
        ["history", case] if !list && part.is_none() && json.is_none() => {
            Ask::History(FineId::new(case).map_err(|why| why.to_string())?)
        }
        _ => return Err("say what to do: import, report or history".to_owned()),
    };
    Ok(Request { ask, store: store.ok_or("say which store: --store sqlite:fines.db")?, json })
}

fn part_of(text: &str) -> Result<Part, String> {
    let part = text.split_once('/').and_then(|(number, of)| Some(Part { number: number.parse().ok()?, of: of.parse().ok()? }));
    part.filter(|part| (1..=part.of).contains(&part.number))
        .ok_or(format!("--part {text}: write `1/2` for the first of two parts"))
}

async fn run(request: &Request) -> Result<(), RunError> {
    let mut out = io::stdout().lock();
    match &request.ask {
        Ask::Import { file, list, part } => {
            let app = run::open(App::connect(&request.store).await?).await?;
            let mut shown = Shown::new(*list);
            let report = match part {
                // What it all comes to is known once the other parts are there too.
                Some(part) => run::import_part(&app, file, *part, &mut shown).await.map(Report::of_part),
                None => run::import(&app, file, &mut shown).await,
            };
            shown.end();
            let report = report?;
            if part.is_none() {
                run::table(&report, &mut out)?;
            }
            summary(&report, &mut out)?;
            write_json(&report, request.json.as_deref())?;
            app.shutdown().await.map_err(gesta::Failure::from)?;
        }
        Ask::Report => {
            let app = run::open(App::connect(&read_only(&request.store)).await?).await?;
            let report = run::report(&app).await?;
            run::table(&report, &mut out)?;
            write_json(&report, request.json.as_deref())?;
        }
        Ask::History(case) => {
            let app = run::open(App::connect(&read_only(&request.store)).await?).await?;
            run::history(&app, case, &mut out).await?;
        }
    }
    Ok(())
}

/// The same file, for reading only.
fn read_only(store: &str) -> String {
    let separator = if store.contains('?') { '&' } else { '?' };
    if store.starts_with("sqlite:") { format!("{store}{separator}mode=ro") } else { store.to_owned() }
}

fn summary(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(import) = &report.import else { return Ok(()) };
    let rate = import.events_per_second;
    writeln!(out, "\n{} rows: {} accepted, {} rejected; {rate} events a second", import.rows, import.accepted, import.rejected)?;
    for (reason, count) in &import.rejected_by_reason {
        writeln!(out, "  {count:>6} {reason}")?;
    }
    Ok(())
}

fn write_json(report: &Report, file: Option<&Path>) -> Result<(), RunError> {
    let Some(file) = file else { return Ok(()) };
    let mut json = serde_json::to_vec_pretty(report).map_err(io::Error::from)?;
    json.push(b'\n');
    std::fs::write(file, json).map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", file.display())))?;
    Ok(())
}

/// Shows how far an import is: a bar on a terminal, a line now and then elsewhere.
struct Shown {
    terminal: bool,
    list: bool,
    rows: u64,
    started: Instant,
    last: Instant,
    /// So many rows that can't be read were named.
    unreadable: u32,
}

/// Rows of the log this program was written for: the bar is full then, and stays so for a longer log.
const ROWS: u64 = 561_470;
/// The rows that can't be read and are named without being asked for.
const UNREADABLE_NAMED_MAX: u32 = 20;

impl Shown {
    fn new(list: bool) -> Self {
        let now = Instant::now();
        Shown { terminal: io::stderr().is_terminal(), list, rows: 0, started: now, last: now, unreadable: 0 }
    }

    fn show(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.terminal {
            let filled = usize::try_from(self.rows.min(ROWS) * 30 / ROWS).unwrap_or(30);
            eprint!("\r[{:<30}] {:>9} rows, {seconds:.1} s ", "#".repeat(filled), self.rows);
        } else {
            eprintln!("{} rows, {seconds:.1} s", self.rows);
        }
        self.last = Instant::now();
    }

    fn end(&mut self) {
        self.show();
        if self.terminal {
            eprintln!();
        }
    }
}

impl Watcher for Shown {
    fn progress(&mut self, rows: u64) {
        self.rows = rows;
        let pause = if self.terminal { Duration::from_millis(100) } else { Duration::from_secs(2) };
        if rows.is_multiple_of(256) && self.last.elapsed() >= pause {
            self.show();
        }
    }

    fn rejected(&mut self, rejected: &Rejected) {
        let unreadable = rejected.reason == "unreadable";
        self.unreadable += u32::from(unreadable);
        if self.list || (unreadable && self.unreadable <= UNREADABLE_NAMED_MAX) {
            let Rejected { line, fine, why, .. } = rejected;
            let fine = fine.as_ref().map(|fine| format!(" fine {fine}:")).unwrap_or_default();
            let clear = if self.terminal { "\r\x1b[K" } else { "" };
            eprintln!("{clear}line {line}:{fine} {why}");
        }
    }
}
