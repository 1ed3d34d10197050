//! Golden samples: what each locked version looks like when it is stored, and what it has become since, in a file beside the
//! lock.
//!
//! The file is text, one JSON object a line, with an empty line between events:
//!
//! ```text
//! {"event":"MoneyDeposited","version":1,"payload":{"amt":1},"next":{"amount":1,"channel":"Branch"}}
//! {"event":"MoneyDeposited","version":2,"payload":{"amount":1,"channel":"Branch"}}
//!
//! {"event":"MoneyMoved","version":1,"payload":{"amount":1},"becomes":[{"event":"MoneyTaken","version":1,"payload":{"amount":1}}]}
//! ```
//!
//! `next` is what the next version makes of the payload; `becomes` is what the newest version of a retired event is read as;
//! `note` says why somebody put a line there by hand. Lines may be added by hand, payload only: what is missing is filled in.
//!
//! Always true here: what is frozen is never written again. The payload is, once its version is released; `next` is, once the
//! next version is; `becomes` is, once all it names is. Of drafts, lines with a `note` stay as well. Nothing is written where
//! something is wrong.

mod compare;
mod line;
#[cfg(test)]
mod tests;
mod today;

use std::collections::BTreeSet;
use std::path::Path;

use line::{Became, Line};
use today::{Step, Today};

use super::json::Json;
use super::sample::made_up;
use crate::Aggregate;

/// What writes the file.
const WRITE: &str = "`GESTA_SCHEMA=write cargo test gesta_schema`";

/// A version of an event that the lock lists.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    /// The event's stored name.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: u32,
    /// Whether it was released before this run, so that what stands in the file about it is frozen.
    pub(crate) released: bool,
}

/// Holds the file against the code; where `write` is set, fills in what is missing first, and says what it has written.
///
/// # Errors
/// Everything that is wrong, with the line, what was expected, what was found, and what to do.
pub(crate) fn check<A: Aggregate>(path: &Path, write: bool, locked: &[Locked]) -> Result<Option<String>, String> {
    let file = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && write => Vec::new(),
        Err(error) => return Err(format!("{} can't be read: {error}; {WRITE} writes it", path.display())),
    };
    let found = line::parse(&text).map_err(|problems| said(&file, &problems))?;
    let code = Code::<A>::new(locked);
    let lines = if write { code.filled(&found) } else { found.clone() };
    let problems = code.problems(&lines);
    if !problems.is_empty() {
        return Err(said(&file, &problems));
    }
    let written = as_text(&lines);
    if !write || text.lines_are(&written) {
        return Ok(None);
    }
    replace(path, &written).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    let new = lines.iter().filter(|line| !found.contains(line)).count();
    Ok(Some(format!("{}: {new} of {} lines are new or filled in", path.display(), lines.len())))
}

/// A line for each sample, and an empty one between events: changes of neighbouring events merge.
fn as_text(lines: &[Line]) -> String {
    let events = lines.chunk_by(|a, b| a.event == b.event);
    let block = |lines: &[Line]| lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    events.map(block).collect::<Vec<_>>().join("\n")
}

/// Name, version and payload of each sample in a file.
///
/// # Errors
/// What is wrong with each line that is none.
pub(crate) fn payloads(text: &[u8]) -> Result<Vec<(String, u32, String)>, Vec<String>> {
    let lines = line::parse(text)?.into_iter();
    Ok(lines.map(|line| (line.event, line.version, line.payload.to_string())).collect())
}

/// Whether bytes hold the same lines as a text, however these end.
trait LinesAre {
    fn lines_are(&self, text: &str) -> bool;
}
impl LinesAre for [u8] {
    fn lines_are(&self, text: &str) -> bool {
        std::str::from_utf8(self).is_ok_and(|bytes| bytes.lines().eq(text.lines()))
    }
}

/// The whole file, or what was there before.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let done = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
    if done.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&draft);
    }
    done
}

fn said(file: &str, problems: &[String]) -> String {
    let problems: Vec<_> = problems.iter().map(|problem| format!("\n  - {}", problem.replace('\n', "\n    "))).collect();
    format!("{file} and the code do not agree:{}", problems.concat())
}

/// What the code says, and what the lock says of it.
struct Code<'a, A> {
    locked: &'a [Locked],
    today: Today<A>,
}

impl<'a, A: Aggregate> Code<'a, A> {
    fn new(locked: &'a [Locked]) -> Self {
        Code { locked, today: Today::default() }
    }

    fn released(&self, name: &str, version: u32) -> bool {
        self.locked.iter().any(|locked| locked.name == name && locked.version == version && locked.released)
    }

    /// The lines as they are to be written.
    fn filled(&self, found: &[Line]) -> Vec<Line> {
        let mut lines = Vec::new();
        // What no lock knows is gone, unless somebody has said why it is there.
        let known = |line: &Line| self.locked.iter().any(|locked| locked.name == line.event && locked.version == line.version);
        lines.extend(found.iter().filter(|line| !known(line) && line.note.is_some()).cloned());
        for locked in self.locked {
            let mut mine: Vec<_> = found.iter().filter(|line| line.is_of(&locked.name, locked.version)).cloned().collect();
            let made = self.made(locked);
            if !locked.released && made.is_ok() {
                mine.retain(|line| line.note.is_some());
            }
            let nothing = mine.is_empty();
            for payload in made.unwrap_or_default() {
                let known = mine.iter().any(|line| line.payload.same(&payload));
                if !known && (!locked.released || nothing || self.shows_more(locked, &payload, &mine)) {
                    mine.push(Line::new(&locked.name, locked.version, payload));
                }
            }
            for line in &mut mine {
                self.fill(line);
            }
            lines.append(&mut mine);
        }
        lines.sort_by(|a, b| (&a.event, a.version).cmp(&(&b.event, b.version)));
        lines
    }

    /// Whether a payload shows a variant, or a field that may be left out, that no line shows: one that came after the version
    /// was released.
    fn shows_more(&self, locked: &Locked, payload: &Json, lines: &[Line]) -> bool {
        let Some(node) = self.today.node(&locked.name, locked.version) else { return false };
        let mut shown = lines.iter().flat_map(|line| compare::shown(node, &line.payload)).collect::<BTreeSet<_>>();
        compare::shown(node, payload).into_iter().any(|one| shown.insert(one))
    }

    /// Samples of a version that today's code can read; or why there are none.
    fn made(&self, locked: &Locked) -> Result<Vec<Json>, String> {
        let node = self.today.node(&locked.name, locked.version).ok_or("the code does not declare it")?;
        let made = made_up(node).map_err(|why| why.to_string())?;
        let (mut fine, mut wrong) = (Vec::new(), None);
        for payload in made {
            match self.today.step(&locked.name, locked.version, &payload) {
                Ok(_) => fine.push(payload),
                Err(why) => wrong = wrong.or_else(|| Some(format!("{payload} was made up for it: {why}"))),
            }
        }
        match wrong {
            Some(why) if fine.is_empty() => Err(why),
            _ => Ok(fine),
        }
    }

    /// What the line says of the time after it, unless that is frozen.
    fn fill(&self, line: &mut Line) {
        let Ok(step) = self.today.step(&line.event, line.version, &line.payload) else { return };
        match step {
            Step::Next { version, node, payload } => {
                let frozen = line.next.is_some() && self.released(&line.event, version);
                let same = line.next.as_ref().is_some_and(|next| compare::is_same(node, next, &payload));
                if !frozen && !same {
                    line.next = Some(payload);
                }
                line.becomes = None;
            }
            Step::Becomes(events) => {
                let frozen = |became: &[Became]| became.iter().all(|one| self.released(&one.event, one.version));
                if !line.becomes.as_deref().is_some_and(frozen) {
                    line.becomes = Some(events);
                }
                line.next = None;
            }
            Step::Newest { .. } => {
                // The next version was a draft, and is gone.
                line.next = None;
            }
        }
    }

    /// All that is wrong.
    fn problems(&self, lines: &[Line]) -> Vec<String> {
        let mut problems = Vec::new();
        for locked in self.locked {
            if !lines.iter().any(|line| line.is_of(&locked.name, locked.version)) {
                problems.push(self.missing(locked));
            }
        }
        for line in lines {
            let wrong = self.wrong(line);
            problems.extend(wrong.into_iter().map(|why| format!("{}: {why}", line.title())));
        }
        problems
    }

    fn missing(&self, locked: &Locked) -> String {
        let Locked { name, version, .. } = locked;
        let line = Line::new(name, *version, Json::record([("..", Json::Null)])).to_string().replace("{\"..\":null}", "{ .. }");
        match self.made(locked) {
            Ok(_) => format!("{name} v{version} has no sample: {WRITE} writes one"),
            Err(why) => {
                format!("{name} v{version} has no sample, and none could be made: {why}\nadd one that a store may hold: {line}")
            }
        }
    }

    /// What is wrong with one line.
    fn wrong(&self, line: &Line) -> Vec<String> {
        let Some(node) = self.today.node(&line.event, line.version) else {
            return vec![format!("the code declares no such version: take the line out, or let {WRITE} do so")];
        };
        let strangers = compare::strangers(node, &line.payload);
        if !strangers.is_empty() {
            let why = "the type has no such field, so it is not read: correct the line";
            return strangers.iter().map(|path| format!("`{path}`: {why}")).collect();
        }
        let step = match self.today.step(&line.event, line.version, &line.payload) {
            Ok(step) => step,
            Err(why) => {
                return vec![format!(
                    "{why}\nif a store may hold such an event, mend the code: an app that meets one can't read it; only if none can, correct the line"
                )];
            }
        };
        let differences = match step {
            Step::Newest { payload } => match (&line.next, &line.becomes) {
                (None, None) => compare::comes_back(node, &line.payload, &payload),
                _ => return vec!["this is the newest version, so nothing follows: take out `next` and `becomes`".to_owned()],
            },
            Step::Next { version, node, payload } => match &line.next {
                None => return vec![format!("what version {version} makes of it is missing: {WRITE} writes it")],
                Some(next) => compare::holds(node, next, &payload),
            },
            Step::Becomes(events) => match &line.becomes {
                None => return vec![format!("what it becomes is missing: {WRITE} writes it")],
                Some(becomes) => match self.today.became(becomes, &events) {
                    Ok(differences) => differences,
                    Err(why) => return vec![why],
                },
            },
        };
        if differences.is_empty() {
            return self.today.decode(&line.event, line.version, &line.payload).err().into_iter().collect();
        }
        let way = if line.next.is_some() || line.becomes.is_some() {
            "what is stored means something else than it did: undo that, or declare a new version for it"
        } else {
            "what is read does not come back as it went: correct the line, or the type"
        };
        vec![format!("{}\n{way}", differences.join("\n"))]
    }
}
