//! What the load says: a line before it sends a command, a line once it was answered. Lines are whole or not there, and
//! what was said stays said when the load is killed.

use std::fmt;
use std::str::FromStr;

use gesta::Failure;

use super::work::{Undone, Work};

/// A line of the load's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The app runs.
    Started,
    /// This will be sent now.
    Sends { op: i64, key: Option<String>, work: Work },
    /// The answer will not be waited for any longer.
    Drops { op: i64 },
    /// It will be sent once more, with the same key.
    Repeats { op: i64 },
    /// It was carried out.
    Did { op: i64, outcome: Outcome },
    /// It was refused, so nothing was stored.
    Refused { op: i64, why: String },
    /// The store failed; nothing was stored, or that is unknown.
    Broke { op: i64, unknown: bool, why: String },
    /// It went wrong in a way that has no place here.
    Failed { op: i64, why: String },
    /// The app shuts down now.
    Closes,
    /// It has shut down.
    Closed,
}

/// What the app answered to a command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub position: u64,
    pub repeated: bool,
    /// The version afterwards of each stream; of a unit that was repeated nothing is said.
    pub versions: Vec<(String, u64)>,
}

impl Line {
    /// What an answer is told as.
    pub fn answer(op: i64, answer: &Result<Outcome, Undone>) -> Self {
        match answer {
            Ok(outcome) => Line::Did { op, outcome: outcome.clone() },
            Err(Undone::Refused { why, .. }) => Line::Refused { op, why: why.clone() },
            Err(Undone::Failed(why @ (Failure::Store(_) | Failure::UnknownOutcome(_)))) => {
                Line::Broke { op, unknown: why.is_unknown_outcome(), why: why.to_string() }
            }
            Err(Undone::Failed(why)) => Line::Failed { op, why: why.to_string() },
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Started => f.write_str("started"),
            Line::Sends { op, key, work } => write!(f, "sends {op} {} {work}", key.as_deref().unwrap_or("-")),
            Line::Drops { op } => write!(f, "drops {op}"),
            Line::Repeats { op } => write!(f, "repeats {op}"),
            Line::Did { op, outcome: Outcome { position, repeated, versions } } => {
                write!(f, "did {op} {position} {repeated}")?;
                versions.iter().try_for_each(|(stream, version)| write!(f, " {stream} {version}"))
            }
            Line::Refused { op, why } => write!(f, "refused {op} {why}"),
            Line::Broke { op, unknown, why } => write!(f, "broke {op} {unknown} {}", why.replace('\n', " ")),
            Line::Failed { op, why } => write!(f, "failed {op} {}", why.replace('\n', " ")),
            Line::Closes => f.write_str("closes"),
            Line::Closed => f.write_str("closed"),
        }
    }
}

impl FromStr for Line {
    type Err = ();
    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split(' ');
        let what = words.next().ok_or(())?;
        let mut op = || words.next().and_then(|op| op.parse().ok()).ok_or(());
        Ok(match what {
            "started" => Line::Started,
            "closes" => Line::Closes,
            "closed" => Line::Closed,
            "drops" => Line::Drops { op: op()? },
            "repeats" => Line::Repeats { op: op()? },
            "refused" => Line::Refused { op: op()?, why: rest(words) },
            "failed" => Line::Failed { op: op()?, why: rest(words) },
            "broke" => {
                let op = op()?;
                let unknown = words.next().and_then(|word| word.parse().ok()).ok_or(())?;
                Line::Broke { op, unknown, why: rest(words) }
            }
            "sends" => {
                let op = op()?;
                let key = words.next().filter(|key| *key != "-").map(str::to_owned);
                Line::Sends { op, key, work: rest(words).parse()? }
            }
            "did" => {
                let op = op()?;
                let position = words.next().and_then(|word| word.parse().ok()).ok_or(())?;
                let repeated = words.next().and_then(|word| word.parse().ok()).ok_or(())?;
                let mut versions = Vec::new();
                while let Some(stream) = words.next() {
                    let version = words.next().and_then(|word| word.parse().ok()).ok_or(())?;
                    versions.push((stream.to_owned(), version));
                }
                Line::Did { op, outcome: Outcome { position, repeated, versions } }
            }
            _ => return Err(()),
        })
    }
}

fn rest<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
