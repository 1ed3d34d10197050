//! Starting the load and killing it, with power that can be cut or without.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::dice::Dice;
use super::line::Line;

/// How long the load may say nothing before it counts as stuck.
const SILENCE_MAX: Duration = Duration::from_mins(2);

/// When the load is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// How many commands each client sends, at most.
    commands: usize,
    /// After how many lines it is killed, if it comes so far; else when it says that it closes.
    lines: usize,
    /// A while later than that, so that it is not always busy speaking. Without it the load may come to its own end.
    later: Option<Duration>,
}

impl Moment {
    /// While it starts, while it shuts down, or in between.
    pub(crate) fn any(dice: &mut Dice, lines_max: usize) -> Self {
        let micros = |max: usize, dice: &mut Dice| Some(Duration::from_micros(dice.below(max) as u64));
        match dice.below(10) {
            0 => Moment { commands: usize::MAX, lines: 0, later: micros(30_000, dice) },
            1 => Moment { commands: 1 + dice.below(20), lines: usize::MAX, later: micros(5_000, dice) },
            _ => Moment { commands: usize::MAX, lines: 1 + dice.below(lines_max), later: micros(1_000, dice) },
        }
    }

    /// While it starts, or soon after.
    pub(crate) fn within(first: Duration, dice: &mut Dice) -> Self {
        let micros = usize::try_from(first.as_micros()).expect("it is soon");
        Moment { commands: usize::MAX, lines: 0, later: Some(Duration::from_micros(dice.below(micros) as u64)) }
    }

    /// After so many lines.
    pub(crate) fn after_lines(lines: usize) -> Self {
        Moment { commands: usize::MAX, lines, later: Some(Duration::ZERO) }
    }

    /// Never: each client sends so many commands, and the app shuts down in order.
    pub(crate) fn never(commands: usize) -> Self {
        Moment { commands, lines: usize::MAX, later: None }
    }
}

/// The URL of a store's file.
pub(crate) fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// A load that is about to be run.
pub(crate) struct Load<'a> {
    pub(crate) url: String,
    pub(crate) seed: u64,
    /// Makes the numbers of its commands its own.
    pub(crate) number: usize,
    pub(crate) shim: Option<Shim<'a>>,
    /// How the disk fails meanwhile.
    pub(crate) breaks: Option<Breaks>,
}

/// A disk that fails: from this of its calls on, so many of them, since it is broken or since it is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breaks {
    pub(crate) from: usize,
    pub(crate) calls: usize,
    pub(crate) full: bool,
}

/// The library that writes down what the disk is told.
#[derive(Clone, Copy)]
pub(crate) struct Shim<'a> {
    pub(crate) library: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) journal: &'a Path,
}

impl Load<'_> {
    /// Runs it, kills it, and answers all it has said.
    pub(crate) fn run(&self, moment: Moment) -> Vec<Line> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faults-load"));
        let commands = moment.commands.min(1_000_000);
        command.args([&self.url, &self.seed.to_string(), &self.number.to_string(), &commands.to_string()]);
        if let Some(shim) = self.shim {
            command.env("LD_PRELOAD", shim.library);
            command.env("GESTA_CUT_FOLDER", shim.folder).env("GESTA_CUT_JOURNAL", shim.journal);
        }
        if let Some(Breaks { from, calls, full }) = self.breaks {
            command.env("GESTA_CUT_FAILS", format!("{from} {calls} {}", u8::from(full)));
            // It may then give up in its own way.
            command.stderr(Stdio::null());
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the load starts");
        let output = child.stdout.take().expect("it is piped");
        let (sender, receiver) = channel();
        // What was written to the pipe outlives the load, so all of it is read to its end.
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let line = line.expect("the load speaks UTF-8");
                let parsed = line.parse().unwrap_or_else(|()| panic!("the load said `{line}`"));
                let _ = sender.send(parsed);
            }
        });
        let mut said = Vec::new();
        let mut stuck = false;
        while said.len() < moment.lines {
            match receiver.recv_timeout(SILENCE_MAX) {
                Ok(line) => {
                    let closes = line == Line::Closes;
                    said.push(line);
                    if closes && moment.later.is_some() {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    stuck = true;
                    break;
                }
            }
        }
        if let Some(later) = moment.later {
            std::thread::sleep(later);
        }
        if moment.later.is_some() || stuck {
            // It may have ended by itself.
            let _ = child.kill();
        }
        let status = child.wait().expect("it was started here");
        reader.join().expect("the lines could be read");
        said.extend(receiver.try_iter());
        assert!(!stuck, "the load said nothing for {SILENCE_MAX:?}; its last line: {:?}", said.last());
        assert!(
            self.breaks.is_some() || ended_well(status),
            "the load failed by itself: {status}, its last line: {:?}",
            said.last()
        );
        said
    }
}

/// At its end, or killed by us.
fn ended_well(status: ExitStatus) -> bool {
    const SIGKILL: i32 = 9;
    status.success() || status.signal() == Some(SIGKILL)
}

/// Compiles the library; where there is no C compiler, it says what to do.
pub(crate) fn compile_shim(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/power_cut.c");
    let library = folder.join("power_cut.so");
    let flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-pthread", "-o"];
    let compiled = Command::new("cc").args(flags).arg(&library).arg(&source).output();
    let compiled = compiled.expect("`cc` runs: install a C compiler, which SQLite needs too");
    let message = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "`{}` does not compile: {message}", source.display());
    library
}
