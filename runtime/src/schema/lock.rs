//! The schema lock: a file that lists what may be stored, held against the types while they are compiled.
//!
//! Always true here: a section whose fingerprint is that of the code's version costs nothing more; only released lines bind,
//! and what they bind is decided by [`rules`](super::rules). A file that can't be read line by line is an error that names
//! the line, whether or not anything has changed.

pub(crate) mod file;
pub(crate) mod test;

use super::Node;
use super::lines::{self, push_words, words};
use super::report::{Message, Report, Whose};
use super::rules::{self, Mode};
use super::text::{Text, after, after_line, line_len, number, part, same};
use crate::aggregate::{Aggregate, Lock};
use crate::event::{EventInfo, EventVersion};

/// What a lock begins with.
pub(crate) const HEAD: &str = "gesta schema lock, format ";
/// The newest format this build can read, and the one it writes.
pub(crate) const FORMAT: u32 = 1;
/// How drafts are written.
pub(crate) const WRITE: &str = "`GESTA_SCHEMA=write cargo test gesta_schema`";

/// What an aggregate declares.
#[derive(Clone, Copy)]
pub struct Declared {
    /// What the code calls it.
    title: &'static str,
    /// The name its streams are stored under.
    name: &'static str,
    /// The schema of its ids.
    id: Option<Node>,
    /// Its events.
    events: &'static [EventInfo],
    /// Those that become others.
    retired: &'static [EventInfo],
}

impl Declared {
    /// Of an aggregate that the code calls so.
    pub const fn of<A: Aggregate>(title: &'static str) -> Self {
        Declared { title, name: A::NAME, id: A::ID, events: A::EVENTS, retired: A::RETIRED }
    }
    /// The events that are written.
    pub(crate) const fn written(&self) -> &'static [EventInfo] {
        self.events
    }
    /// How many kinds of events.
    pub(crate) const fn len(&self) -> usize {
        self.events.len() + self.retired.len()
    }
    /// One of them.
    pub(crate) const fn get(&self, i: usize) -> EventInfo {
        if i < self.events.len() { self.events[i] } else { self.retired[i - self.events.len()] }
    }
    const fn find(&self, name: &[u8]) -> Option<EventInfo> {
        let mut i = 0;
        while i < self.len() {
            let event = self.get(i);
            if same(event.name.as_bytes(), name) {
                return Some(event);
            }
            i += 1;
        }
        None
    }
    /// Whether this version is as the section has it.
    const fn holds(&self, section: Section<'_>) -> bool {
        match self.find(section.name) {
            Some(event) => match version_of(&event, section.version) {
                Some(node) => lines::fingerprint(event.name, section.version, node) == section.fingerprint,
                None => false,
            },
            None => false,
        }
    }
    /// Whether all of it is known; where it is not, an error has been reported already.
    const fn is_sound(&self) -> bool {
        self.find(b"").is_none()
    }
    /// The id's kind, as the lock writes it.
    pub(crate) const fn id_kind(&self) -> Text<256> {
        let mut text = Text::new();
        match &self.id {
            Some(node) => match words(node) {
                Some(words) => push_words(&words, &mut text),
                None => {
                    text.push(lines::container(node));
                }
            },
            // A hand-written id, which may say what it likes.
            None => {
                text.push("own");
            }
        }
        text
    }
}

/// The schema of a version.
pub(crate) const fn version_of(event: &EventInfo, version: u32) -> Option<&'static Node> {
    let mut i = 0;
    while i < event.versions.len() {
        if event.versions[i].version == version {
            return Some(&event.versions[i].node);
        }
        i += 1;
    }
    None
}

/// One line of a lock.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    Blank,
    Comment,
    Aggregate {
        name: &'a [u8],
        id: &'a [u8],
    },
    Section(Section<'a>),
    /// A line of a section, without its marker.
    Line {
        draft: bool,
        line: &'a [u8],
    },
    /// What git writes where it could not merge.
    Marker,
    Unknown,
}

/// What opens a section.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    pub(crate) draft: bool,
    pub(crate) name: &'a [u8],
    pub(crate) version: u32,
    pub(crate) fingerprint: u64,
}

/// What a line is; the first one of a file is judged by [`head`].
pub(crate) const fn entry(line: &[u8]) -> Entry<'_> {
    match line {
        [] => Entry::Blank,
        [b'#', ..] => Entry::Comment,
        // That it has a path and a kind is looked at where it is read: here it would cost each build.
        [b' ', b' ', line @ ..] => Entry::Line { draft: false, line },
        [b'+', b' ', line @ ..] => Entry::Line { draft: true, line },
        [b'e', b'v', b'e', b'n', b't', b' ', title @ ..] => section(title, false),
        [b'd', b'r', b'a', b'f', b't', b' ', title @ ..] => section(title, true),
        [b'<', b'<', b'<', b'<', b'<', b'<', b'<', ..]
        | [b'=', b'=', b'=', b'=', b'=', b'=', b'=', ..]
        | [b'>', b'>', b'>', b'>', b'>', b'>', b'>', ..]
        | [b'|', b'|', b'|', b'|', b'|', b'|', b'|', ..] => Entry::Marker,
        [b'a', b'g', b'g', b'r', b'e', b'g', b'a', b't', b'e', b' ', rest @ ..] => {
            // An aggregate's name may hold anything but `-`; an id's kind holds no comma.
            let mut comma = rest.len();
            while comma > 0 {
                comma -= 1;
                if let Some(id) = after(part(rest, comma, rest.len()), b", id ") {
                    return Entry::Aggregate { name: part(rest, 0, comma), id };
                }
            }
            Entry::Unknown
        }
        _ => Entry::Unknown,
    }
}

/// `MoneyDeposited v1 3f2a000000000000`, read from the end, since a name may hold spaces.
const fn section(title: &[u8], draft: bool) -> Entry<'_> {
    if title.len() < 20 {
        return Entry::Unknown;
    }
    let (title, hash) = title.split_at(title.len() - 16);
    let (mut fingerprint, mut i) = (0, 0);
    while i < 16 {
        let digit = match hash[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => return Entry::Unknown,
        };
        fingerprint = fingerprint << 4 | digit as u64;
        i += 1;
    }
    let [title @ .., b' '] = title else { return Entry::Unknown };
    let mut at = title.len();
    while at > 0 && title[at - 1] != b' ' {
        at -= 1;
    }
    let ([name @ .., b' '], [b'v', digits @ ..]) = title.split_at(at) else { return Entry::Unknown };
    match number(digits) {
        Some(version) if version > 0 && !name.is_empty() => Entry::Section(Section { draft, name, version, fingerprint }),
        _ => Entry::Unknown,
    }
}

/// The line that begins at a place, without its end, and the place of the next.
const fn line_at(text: &[u8], at: usize) -> (&[u8], usize) {
    let rest = text.split_at(at).1;
    let len = line_len(rest);
    let mut line = rest.split_at(len).0;
    if let [before @ .., b'\r'] = line {
        line = before;
    }
    // The last line may end with the file.
    let next = at + len + 1;
    (line, if next < text.len() { next } else { text.len() })
}

/// How many lines of a section begin at a place, and where they end. Nearly all of a file is such lines, and none of them is
/// looked at while the section's fingerprint is the code's.
const fn skipped(text: &[u8], from: usize) -> (u32, usize) {
    let (mut rest, mut lines) = (text.split_at(from).1, 0);
    while let [b' ' | b'+', b' ', more @ ..] = rest {
        rest = after_line(more);
        lines += 1;
    }
    (lines, text.len() - rest.len())
}

/// Where the lines of the section that begins at a place end. What stands between them ends nothing.
const fn section_end(text: &[u8], from: usize) -> usize {
    let (_, mut at) = skipped(text, from);
    while at < text.len() {
        let (line, next) = line_at(text, at);
        if !matches!(entry(line), Entry::Line { .. } | Entry::Blank | Entry::Comment) {
            return at;
        }
        at = next;
    }
    text.len()
}

/// `account.events, line 12: `
const fn place(file: &str, line: u32) -> Message {
    let mut text = Message::new();
    text.push(file).push(", line ").push_number(line as u64).push(": ");
    text
}

/// What is wrong with the first line.
const fn head(file: &str, text: &[u8]) -> Option<Message> {
    let (line, _) = line_at(text, 0);
    let mut problem = place(file, 1);
    if text.is_empty() {
        problem.push("the file is empty: ").push(WRITE).push(" writes it");
        return Some(problem);
    }
    if after(text, b"\xef\xbb\xbf").is_some() {
        problem.push("the file begins with a byte order mark: save it as UTF-8 without one");
        return Some(problem);
    }
    if let Entry::Marker = entry(line) {
        return Some(marker(problem));
    }
    let format = match after(line, HEAD.as_bytes()) {
        Some(digits) => number(digits),
        None => None,
    };
    match format {
        Some(FORMAT) => return None,
        Some(newer) if newer > FORMAT => {
            problem.push("format ").push_number(newer as u64).push(", and this gesta knows up to ");
            problem.push_number(FORMAT as u64).push(": use the gesta that wrote it, or a newer one");
        }
        _ => {
            problem.push("this is no schema lock, which begins with `").push(HEAD).push_number(FORMAT as u64);
            problem.push("`: name another file, or delete this one and let ").push(WRITE).push(" write it");
        }
    }
    Some(problem)
}

const fn no_aggregate(mut problem: Message) -> Message {
    problem.push("the line with the aggregate is missing, such as `aggregate Account, id text`: ");
    problem.push("take the file from version control, or delete it and let ").push(WRITE).push(" write it");
    problem
}

const fn marker(mut problem: Message) -> Message {
    problem.push("a merge is unfinished: keep the lines of both sides, or of one where both added the same version, without the markers, and run ").push(WRITE);
    problem
}

/// What one look at a lock finds.
#[allow(clippy::large_enum_variant, reason = "there is no heap in `const`")]
enum Look {
    /// It can't be read, and why.
    Unreadable(Message),
    /// It says what the code says, as far as it binds.
    Matches,
    /// It has to be compared line by line.
    Differs,
}

/// What the lines are, whatever the code is; `None` where each can be read.
///
/// `strict`: sections stand in order and without gaps, as they are written.
pub(crate) const fn unreadable(file: &str, text: &[u8], strict: bool) -> Option<Message> {
    match look(file, text, strict, None) {
        Look::Unreadable(problem) => Some(readable(file, text, problem)),
        Look::Matches | Look::Differs => None,
    }
}

/// A message that repeats what is no text would be none.
const fn readable(file: &str, text: &[u8], problem: Message) -> Message {
    match (core::str::from_utf8(problem.get()), no_text(file, text)) {
        (Err(_), Some(why)) => why,
        _ => problem,
    }
}

/// Where a file is no text.
const fn no_text(file: &str, text: &[u8]) -> Option<Message> {
    let Err(error) = core::str::from_utf8(text) else { return None };
    let (mut line, mut i) = (1, 0);
    while i < error.valid_up_to() {
        if text[i] == b'\n' {
            line += 1;
        }
        i += 1;
    }
    let mut problem = place(file, line);
    problem.push("this is no UTF-8 text: save it as such, or take the file from version control");
    Some(problem)
}

/// Goes over all lines once.
const fn look(file: &str, text: &[u8], strict: bool, code: Option<&Declared>) -> Look {
    if let Some(problem) = head(file, text) {
        return Look::Unreadable(problem);
    }
    let (_, mut at) = line_at(text, 0);
    let (mut number, mut aggregates, mut matches) = (1, 0, true);
    let mut before: Option<Section<'_>> = None;
    while at < text.len() {
        if before.is_some() {
            let (lines, end) = skipped(text, at);
            (number, at) = (number + lines, end);
            if at >= text.len() {
                break;
            }
        }
        let (line, next) = line_at(text, at);
        number += 1;
        at = next;
        match entry(line) {
            Entry::Blank | Entry::Comment => {}
            Entry::Line { .. } if before.is_some() => {}
            Entry::Aggregate { name, id } if aggregates == 0 && before.is_none() => {
                aggregates += 1;
                if let Some(code) = code {
                    matches = same(name, code.name.as_bytes()) && same(id, code.id_kind().get());
                }
            }
            Entry::Section(section) if aggregates == 1 => {
                if let Some(problem) = misplaced(file, text, number, before, section, strict) {
                    return Look::Unreadable(problem);
                }
                if matches && let Some(code) = code {
                    matches = section.draft || code.holds(section);
                }
                before = Some(section);
            }
            Entry::Section(_) if aggregates == 0 => return Look::Unreadable(no_aggregate(place(file, number))),
            Entry::Marker => return Look::Unreadable(marker(place(file, number))),
            _ => {
                let mut problem = place(file, number);
                if line.len() < 80 && core::str::from_utf8(line).is_ok() {
                    problem.push("`").push_bytes(line).push("` can't stand here");
                } else {
                    problem.push("this can't stand here");
                }
                problem.push(": take it out, or take the file from version control");
                return Look::Unreadable(problem);
            }
        }
    }
    if aggregates == 0 {
        return Look::Unreadable(no_aggregate(place(file, 2)));
    }
    if matches { Look::Matches } else { Look::Differs }
}

/// What is wrong about the place of a section.
const fn misplaced(
    file: &str,
    text: &[u8],
    line: u32,
    before: Option<Section<'_>>,
    section: Section<'_>,
    strict: bool,
) -> Option<Message> {
    let (mut in_order, mut gap) = (true, section.version > 1);
    if let Some(before) = before {
        let order = order(before.name, section.name);
        in_order = order < 0 || (order == 0 && before.version < section.version);
        gap = section.version > 1 && !(order == 0 && before.version + 1 == section.version);
    }
    if in_order && !gap {
        return None;
    }
    if !in_order && let Some(first) = stands_before(text, line, section) {
        let mut problem = Message::new();
        problem.push(file).push(", lines ").push_number(first as u64).push(" and ").push_number(line as u64).push(": ");
        push_title(&mut problem, section.name, section.version).push(" stands twice: a merge of two branches that both ");
        if section.draft {
            problem.push("added it; keep the file of one of them, declare what the other one changed as version ");
            problem.push_number(section.version as u64 + 1).push(" in the code, and let ").push(WRITE).push(" write it");
        } else {
            problem
                .push("changed it; keep one of the two heads and the lines of both, and let ")
                .push(WRITE)
                .push(" do the rest");
        }
        return Some(problem);
    }
    if !strict {
        return None;
    }
    let mut problem = place(file, line);
    if !in_order && let Some(before) = before {
        push_title(&mut problem, section.name, section.version).push(" belongs before ");
        push_title(&mut problem, before.name, before.version).push(": sections are sorted by name and version; ");
        problem.push(WRITE).push(" sorts them");
    } else {
        push_title(&mut problem, section.name, section.version).push(" stands here without ");
        push_title(&mut problem, section.name, section.version - 1)
            .push(", which may be stored too: take it from version control, or run ");
        problem.push(WRITE);
    }
    Some(problem)
}

const fn push_title<'a, const N: usize>(text: &'a mut Text<N>, name: &[u8], version: u32) -> &'a mut Text<N> {
    text.push("`").push_bytes(name).push("` v").push_number(version as u64)
}

/// Less than, equal to or greater than 0, byte by byte.
const fn order(a: &[u8], b: &[u8]) -> i32 {
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return a[i] as i32 - b[i] as i32;
        }
        i += 1;
    }
    if a.len() == b.len() {
        0
    } else if a.len() < b.len() {
        -1
    } else {
        1
    }
}

/// The line before this one in which the same section stands.
const fn stands_before(text: &[u8], line: u32, section: Section<'_>) -> Option<u32> {
    let (mut at, mut number) = (0, 1);
    while number < line && at < text.len() {
        let (line, next) = line_at(text, at);
        if let Entry::Section(other) = entry(line)
            && other.version == section.version
            && same(other.name, section.name)
        {
            return Some(number);
        }
        at = next;
        number += 1;
    }
    None
}

/// Holds a lock against the code; `None` where all that may be stored can be read.
pub const fn check(code: &Declared, lock: &Option<Lock>) -> Option<Message> {
    match lock {
        Some(Lock { file, text }) => problems(code, file, text, true),
        None => None,
    }
}

/// The same for a text, whose sections may stand in any order where it is about to be written anew.
pub(crate) const fn problems(code: &Declared, file: &str, text: &[u8], strict: bool) -> Option<Message> {
    if !code.is_sound() {
        return None;
    }
    match look(file, text, strict, Some(code)) {
        Look::Unreadable(problem) => return Some(readable(file, text, problem)),
        Look::Matches => return None,
        Look::Differs => {}
    }
    if let Some(problem) = no_text(file, text) {
        return Some(problem);
    }
    let mut report = Report::new();
    if others(code, &mut report, text) {
        sections(code, &mut report, text, false);
    }
    finish(code, file, &mut report)
}

const fn finish(code: &Declared, file: &str, report: &mut Report) -> Option<Message> {
    report.finish(&["`", code.title, "` can no longer read what ", file, " says is stored"])
}

/// The same for each line that was released, of sections too that are opened by the fingerprint of the code: it is that of
/// the drafts, and a merge may have put drafts over what they were not made for.
pub(crate) const fn hidden(code: &Declared, file: &str, text: &[u8]) -> Option<Message> {
    if !code.is_sound() {
        return None;
    }
    let mut report = Report::new();
    sections(code, &mut report, text, true);
    finish(code, file, &mut report)
}

/// Holds the aggregate's own line against the code. Answers whether its sections are worth looking at.
const fn others(code: &Declared, report: &mut Report, text: &[u8]) -> bool {
    let (mut at, mut released, mut known, mut any) = (0, false, false, false);
    let (mut name, mut id): (&[u8], &[u8]) = (b"", b"");
    while at < text.len() {
        let (line, next) = line_at(text, at);
        match entry(line) {
            Entry::Aggregate { name: stored, id: kind } => {
                (name, id) = (stored, kind);
                if same(name, code.name.as_bytes()) && same(id, code.id_kind().get()) {
                    return true;
                }
            }
            Entry::Section(section) => {
                any = true;
                released = released || !section.draft;
                known = known || code.find(section.name).is_some();
            }
            _ => {}
        }
        at = next;
    }
    let foreign = any && !known && !same(name, code.name.as_bytes());
    if !foreign && !released {
        return true;
    }
    if !same(name, code.name.as_bytes()) {
        report
            .line()
            .push("its streams are stored under `")
            .push_bytes(name)
            .push("`, its name is now `")
            .push(code.name)
            .push("`");
        let way = report.way();
        if foreign {
            way.push("give `").push(code.title).push("` a file of its own, or, where it is the same aggregate, ");
        }
        way.push("say `name = \"").push_bytes(name).push("\"` in `#[aggregate(..)]`");
    }
    if !foreign && !same(id, code.id_kind().get()) {
        let kind = code.id_kind();
        report.line().push("the ids in the names of its streams were ").push_bytes(id).push(", are now ").push_bytes(kind.get());
        report.way().push("take the old type for the ids, or make an aggregate of its own for the new one");
    }
    !foreign
}

/// Holds each released section that differs from the code against it; or all of them.
const fn sections(code: &Declared, report: &mut Report, text: &[u8], all: bool) {
    let mut at = 0;
    while at < text.len() {
        let (line, next) = line_at(text, at);
        (_, at) = skipped(text, next);
        let Entry::Section(Section { draft: false, name, version, fingerprint }) = entry(line) else { continue };
        if !all && code.holds(Section { draft: false, name, version, fingerprint }) {
            continue;
        }
        let Some(event) = code.find(name) else {
            undeclared(code, report, text, name, version, fingerprint);
            continue;
        };
        if report.has_enough() {
            return;
        }
        if let Some(node) = version_of(&event, version) {
            let whose = Whose { name, version, next: last_released(text, next, name, version) + 1 };
            rules::compare(report, Mode::Backward, whose, part(text, next, section_end(text, next)), node);
        } else {
            let problem = push_title(report.line().push("event "), name, version);
            problem.push(" is stored, but the newest version that is declared is ").push_number(event.version as u64);
            report.version_gone();
        }
    }
}

/// An event that is stored and that no code reads.
const fn undeclared(code: &Declared, report: &mut Report, text: &[u8], name: &[u8], version: u32, fingerprint: u64) {
    push_title(report.line().push("event "), name, version).push(" is stored but no longer declared");
    let mut i = 0;
    while i < code.len() {
        let event = code.get(i);
        if let Some(node) = version_of(&event, version)
            && let Ok(stored) = core::str::from_utf8(name)
            && lines::fingerprint(stored, version, node) == fingerprint
            && !has_section(text, event.name.as_bytes())
        {
            report.event_renamed(name, event.name, event.version);
            return;
        }
        i += 1;
    }
    report.event_gone();
}

/// The newest version of an event that was released; this one was, and the sections of later ones follow on it.
const fn last_released(text: &[u8], section_lines: usize, name: &[u8], version: u32) -> u32 {
    let (mut at, mut last) = (section_lines, version);
    loop {
        let (_, end) = skipped(text, at);
        if end >= text.len() {
            return last;
        }
        let (line, next) = line_at(text, end);
        if let Entry::Section(section) = entry(line) {
            if !same(section.name, name) {
                return last;
            }
            if !section.draft && section.version > last {
                last = section.version;
            }
        }
        at = next;
    }
}

const fn has_section(text: &[u8], name: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        let (line, next) = line_at(text, at);
        if let Entry::Section(section) = entry(line)
            && same(section.name, name)
        {
            return true;
        }
        at = next;
    }
    false
}

/// Whether a reader reads all that a writer writes, or has written.
const fn between(mode: Mode, writer: &Declared, reader: &Declared) -> Option<Message> {
    let mut report = Report::new();
    if !same(writer.name.as_bytes(), reader.name.as_bytes()) {
        let problem = report.line().push("its streams are stored under `").push(writer.name).push("` and looked for under `");
        problem.push(reader.name).push("`");
    }
    let (written, read) = (writer.id_kind(), reader.id_kind());
    if !same(written.get(), read.get()) {
        let problem = report.line().push("the ids in the names of its streams are ").push_bytes(written.get());
        problem.push(" there, and ").push_bytes(read.get()).push(" here");
    }
    // What is written today is the newest version of what is applied; what has been written may be any.
    let all = matches!(mode, Mode::Backward);
    let (count, mut i) = (if all { writer.len() } else { writer.events.len() }, 0);
    while i < count {
        let (event, mut v) = (writer.get(i), 0);
        while v < event.versions.len() {
            let version = &event.versions[v];
            if all || version.version == event.version {
                version_between(&mut report, mode, &event, version, reader);
            }
            v += 1;
        }
        i += 1;
    }
    match mode {
        Mode::Backward => report.finish(&["`", reader.name, "` can't read all that was written before"]),
        Mode::Forward => {
            if !report.is_empty() {
                report.way().push("deploy the code that reads it first, and let it write in the release after");
            }
            report.finish(&["the previous build of `", reader.name, "` can't read all that this one writes"])
        }
    }
}

const fn version_between(report: &mut Report, mode: Mode, event: &EventInfo, version: &EventVersion, reader: &Declared) {
    let (name, number) = (event.name.as_bytes(), version.version);
    let Some(known) = reader.find(name) else {
        push_title(report.line().push("event "), name, number).push(match mode {
            Mode::Backward => " is no longer declared",
            Mode::Forward => " is new",
        });
        if let Mode::Backward = mode {
            report.event_gone();
        }
        return;
    };
    let Some(node) = version_of(&known, number) else {
        push_title(report.line().push("event "), name, number).push(match mode {
            Mode::Backward => " is no longer declared",
            Mode::Forward => " is new",
        });
        if let Mode::Backward = mode {
            report.version_gone();
        }
        return;
    };
    if lines::fingerprint(event.name, number, &version.node) == lines::fingerprint(event.name, number, node) {
        return;
    }
    let mut text = Text::<{ lines::LINES_BYTES_MAX }>::new();
    lines::write(&version.node, "  ", &mut text);
    rules::compare(report, mode, Whose { name, version: number, next: event.version + 1 }, text.get(), node);
}

/// Fails to compile where `After` can't read all that `Before` has written: what the lock proves of a file, proven of two
/// aggregates, such as that of the last release and today's.
///
/// ```compile_fail
/// # mod before {
/// #     use gesta::prelude::*;
/// #     #[event] pub struct Opened { pub owner: String }
/// #     pub struct Account;
/// #     #[aggregate(id = u64)] impl Account { fn opened(_: Opened) -> Self { Account } }
/// # }
/// # mod after {
/// #     use gesta::prelude::*;
/// #     #[event] pub struct Opened { pub owner: u64 }
/// #     pub struct Account;
/// #     #[aggregate(id = u64)] impl Account { fn opened(_: Opened) -> Self { Account } }
/// # }
/// // `owner` was text, is now u64
/// const _: () = gesta::schema::assert_backward::<before::Account, after::Account>();
/// ```
///
/// # Panics
/// Where it can't, with all that is wrong: in `const`, an error of the compiler.
#[track_caller]
pub const fn assert_backward<Before: Aggregate, After: Aggregate>() {
    let problem = between(Mode::Backward, &Declared::of::<Before>(""), &Declared::of::<After>(""));
    if let Some(message) = problem {
        fail(&message);
    }
}

/// Fails to compile where `Before`, the previous build, can't read all that `After` writes: then both must not run at once,
/// and the code that reads is deployed before the code that writes.
///
/// # Panics
/// Where it can't, with all that is wrong: in `const`, an error of the compiler.
#[track_caller]
pub const fn assert_forward<Before: Aggregate, After: Aggregate>() {
    let problem = between(Mode::Forward, &Declared::of::<After>(""), &Declared::of::<Before>(""));
    if let Some(message) = problem {
        fail(&message);
    }
}

/// Fails to compile with this message, at the place that calls it.
#[track_caller]
pub const fn fail(message: &Message) -> ! {
    panic!("{}", message.as_str())
}
