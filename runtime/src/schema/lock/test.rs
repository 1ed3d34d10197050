//! What the generated test does: holds the file against the code and against itself, writes it, and freezes it.
//!
//! Always true here: nothing is written before all of it has been checked, and a file is replaced as a whole; released lines
//! come out as they went in, or stronger.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::report::{Report, Whose};
use super::super::rules::{Mode, compare};
use super::super::samples::{self, Locked};
use super::file::{LockFile, Section, tree};
use super::{Declared, WRITE, hidden, problems, version_of};
use crate::aggregate::Aggregate;

/// What the generated test knows.
#[derive(Debug, Clone, Copy)]
pub struct LockTest {
    /// What the code calls the aggregate.
    pub title: &'static str,
    /// The file, as `schema = ".."` names it.
    pub file: &'static str,
    /// The package's folder.
    pub package: &'static str,
    /// The source file, as the compiler was given it.
    pub source: &'static str,
}

/// The body of the generated test.
///
/// # Panics
/// Where the lock is not what it should be: that is what a test is for.
pub fn lock_test<A: Aggregate>(test: LockTest) {
    let code = Declared::of::<A>(test.title);
    if let Err(why) = run(&code, test, samples::check::<A>) {
        panic!("{why}");
    }
}

/// What `GESTA_SCHEMA=release` writes for an aggregate that has no file yet.
///
/// # Errors
/// A sentence with what is wrong.
pub fn released_lock<A: Aggregate>() -> Result<String, String> {
    plan(&Declared::of::<A>(""), "", b"", true).map(|plan| plan.text)
}

/// What is asked of the test.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    Verify,
    Write,
    Release,
}

/// Holds the golden samples beside the lock against the code; see [`samples::check`].
type CheckSamples = fn(&Path, bool, &[Locked]) -> Result<Option<String>, String>;

fn run(code: &Declared, test: LockTest, check_samples: CheckSamples) -> Result<(), String> {
    let request = match std::env::var("GESTA_SCHEMA").unwrap_or_default().as_str() {
        "" => Request::Verify,
        "write" => Request::Write,
        "release" => Request::Release,
        other => return Err(format!("`GESTA_SCHEMA={other}`: it is `write`, `release`, or not set")),
    };
    let path = locate(test)?;
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && request != Request::Verify => Vec::new(),
        Err(error) => return Err(format!("{} can't be read: {error}; {WRITE} writes it", path.display())),
    };
    let before = text;
    let text = if request == Request::Verify {
        verify(code, test.file, &before)?;
        before.clone()
    } else {
        not_lost(code, test.file, &before, &samples_beside(&path))?;
        let plan = plan(code, test.file, &before, request == Request::Release)?;
        let mut said = format!("{}: ", path.display());
        if plan.text.as_bytes() == before {
            said.push_str("nothing to write");
        } else {
            replace(&path, &plan.text).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
            said.push_str(&plan.said);
        }
        if !plan.forward.is_empty() {
            let _ = write!(
                said,
                "\nthe previous release can't read all that this one writes:{}\nwhere both run for a while, the old one refuses what it can't read (`NewerBuildNeeded`) until it is replaced; a new event or variant may be deployed first in code that reads it and does not write it yet",
                plan.forward
            );
        }
        // Past the test harness, which keeps to itself what a test that passes prints.
        let _ = writeln!(std::io::stderr().lock(), "{said}");
        plan.text.into_bytes()
    };
    let samples = check_samples(&samples_beside(&path), request != Request::Verify, &locked(test.file, &before, &text)?)?;
    if let Some(said) = samples {
        let _ = writeln!(std::io::stderr().lock(), "{said}");
    }
    match std::env::var_os("GESTA_SCHEMA_BASE").filter(|base| !base.is_empty()) {
        None => Ok(()),
        Some(base) => match base_of(Path::new(&base), &path, test)? {
            Some(base) => against(test.file, &base, &text),
            None => Ok(()),
        },
    }
}

/// Samples are written with the lock: one of a version that the lock does not list means that a section was lost, and with it
/// that the version was released.
fn not_lost(code: &Declared, file: &str, lock: &[u8], samples: &Path) -> Result<(), String> {
    let lock = if lock.is_empty() { LockFile::default() } else { LockFile::parse(file, lock)? };
    let Ok(sampled) = std::fs::read(samples).map_err(drop).and_then(|text| samples::payloads(&text).map_err(drop)) else {
        // There are none, or they have an error of their own.
        return Ok(());
    };
    let declared = |name: &str, version| code.find(name.as_bytes()).is_some_and(|event| version_of(&event, version).is_some());
    let lost = sampled.iter().find(|(name, version, _)| declared(name, *version) && lock.section(name, *version).is_none());
    match lost {
        None => Ok(()),
        Some((name, version, _)) => Err(format!(
            "{file} does not list {name} v{version}, of which {} has a sample: was it lost? take both files from version control; if the \
             version is new, take its lines out of the samples",
            samples.file_name().unwrap_or_default().display()
        )),
    }
}

/// The versions that the lock lists now, and whether they were released before.
fn locked(file: &str, before: &[u8], now: &[u8]) -> Result<Vec<Locked>, String> {
    let before = if before.is_empty() { LockFile::default() } else { LockFile::parse(file, before)? };
    let released = |section: &Section| before.section(&section.name, section.version).is_some_and(|old| !old.draft);
    let sections = LockFile::parse(file, now)?.sections.into_iter();
    Ok(sections.map(|section| Locked { released: released(&section), version: section.version, name: section.name }).collect())
}

/// The file beside the source: the compiler names sources as seen from where it was started, a test runs in its package.
fn locate(test: LockTest) -> Result<PathBuf, String> {
    let mut folders = Path::new(test.package).ancestors();
    let source = folders.find_map(|folder| Some(folder.join(test.source)).filter(|path| path.is_file()));
    let source = source.ok_or_else(|| {
        format!("the source `{}` is not in {} or above it: run this test where it was compiled", test.source, test.package)
    })?;
    Ok(source.with_file_name(test.file))
}

/// The file of golden samples beside a lock: `account.samples` beside `account.events`. What comes behind another dot tells
/// locks apart, and so it does their samples.
fn samples_beside(lock: &Path) -> PathBuf {
    if lock.extension().is_some_and(|extension| extension == "events") {
        return lock.with_extension("samples");
    }
    let mut name = lock.file_name().unwrap_or_default().to_os_string();
    name.push(".samples");
    lock.with_file_name(name)
}

/// The whole file, or what was there before.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let draft = path.with_file_name(name);
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let done = written.and_then(|()| std::fs::rename(&draft, path));
    if done.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&draft);
    }
    done
}

/// What the code says, as sections in the file's order.
fn declared(code: &Declared) -> Vec<Section> {
    let events = (0..code.len()).map(|i| code.get(i));
    let versions = events.flat_map(|event| event.versions.iter().map(move |version| (event, version)));
    let mut sections: Vec<_> = versions.map(|(event, version)| Section::of(event.name, version.version, &version.node)).collect();
    sections.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
    sections
}

/// The file as it is to be written, and what is to be said of it.
struct Plan {
    text: String,
    said: String,
    forward: String,
}

fn plan(code: &Declared, file: &str, text: &[u8], release: bool) -> Result<Plan, String> {
    let mut lock = if text.is_empty() { LockFile::default() } else { LockFile::parse(file, text)? };
    if !text.is_empty()
        && let Some(problem) = problems(code, file, text, false).or_else(|| hidden(code, file, text))
    {
        return Err(problem.as_str().to_owned());
    }
    let forward = forward(code, &lock);
    code.name.clone_into(&mut lock.aggregate);
    code.id_kind().as_str().clone_into(&mut lock.id);
    let before = std::mem::take(&mut lock.sections);
    let section = |code: Section| {
        let old = before.iter().find(|old| old.name == code.name && old.version == code.version);
        let new = old.map_or_else(|| code.clone(), |old| old.updated(&code));
        // Nobody releases a version without those before it: this one was lost, such as in a merge.
        let lost = new.draft && before.iter().any(|old| !old.draft && old.name == code.name && old.version > code.version);
        if release || lost { new.freeze() } else { new }
    };
    lock.sections = declared(code).into_iter().map(section).collect();
    let changed = lock.sections.iter().filter(|new| {
        let old = before.iter().find(|old| old.name == new.name && old.version == new.version);
        old.is_none_or(|old| old.lines != new.lines || old.draft != new.draft)
    });
    let changed: Vec<_> = changed.map(Section::title).collect();
    let gone = before.iter().filter(|old| lock.section(&old.name, old.version).is_none()).map(Section::title);
    let gone: Vec<_> = gone.collect();
    let mut said = Vec::new();
    if !changed.is_empty() {
        said.push(format!("{} {}", if release { "released" } else { "drafted" }, changed.join(", ")));
    }
    if !gone.is_empty() {
        said.push(format!("took out the drafts {}", gone.join(", ")));
    }
    let said = if said.is_empty() { "written anew".to_owned() } else { said.join("; ") };
    Ok(Plan { text: lock.to_string(), said, forward })
}

/// What today's code writes and the code of the last release can't read.
fn forward(code: &Declared, lock: &LockFile) -> String {
    let mut report = Report::new();
    if lock.sections.iter().all(|section| section.draft) {
        return String::new();
    }
    for event in code.written() {
        let Some(node) = version_of(event, event.version) else { continue };
        let released = lock.section(event.name, event.version).filter(|section| !section.draft);
        let Some(released) = released else {
            let problem = report.line().push("event `").push(event.name).push("` v").push_number(event.version.into());
            problem.push(" is new");
            continue;
        };
        let whose = Whose { name: event.name.as_bytes(), version: event.version, next: event.version + 1 };
        let today = Section::of(event.name, event.version, node).text(|_| true);
        compare(&mut report, Mode::Forward, whose, today.as_bytes(), tree(released.released()));
    }
    report.problems().to_owned()
}

fn verify(code: &Declared, file: &str, text: &[u8]) -> Result<(), String> {
    if let Some(problem) = problems(code, file, text, true) {
        return Err(problem.as_str().to_owned());
    }
    let lock = LockFile::parse(file, text)?;
    let mut wrong = String::new();
    for section in &lock.sections {
        let lines = section.lines_fingerprint();
        if lines != section.fingerprint {
            let _ = write!(
                wrong,
                "\n  - line {}: {} is opened by {:016x}, its lines are {lines:016x}",
                section.at,
                section.title(),
                section.fingerprint
            );
        }
    }
    if !wrong.is_empty() {
        return Err(format!(
            "{file} was changed by hand:{wrong}\nlook whether the lines are right, such as after a merge; {WRITE} then writes what opens them"
        ));
    }
    if let Some(problem) = hidden(code, file, text) {
        return Err(problem.as_str().to_owned());
    }
    let behind = behind(code, &lock);
    if behind.is_empty() {
        return Ok(());
    }
    Err(format!("{file} is behind the code:{behind}\n{WRITE} writes it; then look at the difference, and commit it"))
}

/// In what the lock is not what would be written.
fn behind(code: &Declared, lock: &LockFile) -> String {
    let (mut missing, sections) = (String::new(), declared(code));
    let (id, mut add) = (code.id_kind(), |what: &dyn std::fmt::Display| {
        // Writing to a string can't fail.
        let _ = write!(missing, "\n  - {what}");
    });
    if lock.aggregate != code.name || lock.id != id.as_str() {
        add(&format_args!("`aggregate {}, id {}` is now `aggregate {}, id {}`", lock.aggregate, lock.id, code.name, id.as_str()));
    }
    for new in &sections {
        let Some(old) = lock.section(&new.name, new.version) else {
            add(&format_args!("{} is not in it", new.title()));
            continue;
        };
        if old.fingerprint == new.fingerprint {
            continue;
        }
        let (held, title) = (old.current(), new.title());
        let has = |lines: &[&super::file::Line], line: &super::file::Line| {
            lines.iter().any(|other| other.path == line.path && other.kind == line.kind)
        };
        for line in new.lines.iter().filter(|line| !has(&held, line)) {
            add(&format_args!("{title}: `{line}` is not in it"));
        }
        let new: Vec<_> = new.lines.iter().collect();
        for line in held.into_iter().filter(|line| !has(&new, line)) {
            add(&format_args!("{title}: `{line}` is no longer so"));
        }
    }
    for old in &lock.sections {
        if !sections.iter().any(|new| new.name == old.name && new.version == old.version) {
            add(&format_args!("the draft {} is in no code", old.title()));
        }
    }
    missing
}

/// An older copy that a lock is to be held against.
struct Base {
    name: String,
    text: Vec<u8>,
    /// It lay where this lock lies, so it is this lock's, whatever either of them says.
    in_place: bool,
}

/// The older copy that this lock is to be held against; `None` where there was none.
fn base_of(base: &Path, lock: &Path, test: LockTest) -> Result<Option<Base>, String> {
    // As seen from where cargo was started: the package, or a folder above it.
    let mut folders = Path::new(test.package).ancestors();
    let found = folders.find_map(|folder| Some(folder.join(base)).filter(|path| path.exists()));
    let found = found.ok_or_else(|| format!("`GESTA_SCHEMA_BASE={}`: there is no such file or folder", base.display()))?;
    let (file, in_place) = if found.is_dir() {
        let name = lock.file_name().unwrap_or_default();
        // Laid out as the repository or the package is, or flat.
        let within = Path::new(test.package).ancestors().filter_map(|folder| lock.strip_prefix(folder).ok());
        let (flat, mut places) = (found.join(name), within.map(|path| found.join(path)));
        match places.find(|path| path.is_file()) {
            Some(file) => (file, true),
            None if flat.is_file() => (flat, false),
            None => return Ok(None),
        }
    } else {
        (found, false)
    };
    let text = std::fs::read(&file).map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    Ok(Some(Base { name: file.display().to_string(), text, in_place }))
}

/// Holds a lock against an older copy: each line that was released must still be there, or a stronger one.
fn against(file: &str, Base { name: base_name, text: base, in_place }: &Base, text: &[u8]) -> Result<(), String> {
    let (base, lock) = (LockFile::parse(base_name, base)?, LockFile::parse(file, text)?);
    let released = base.sections.iter().filter(|section| !section.draft);
    let known = base.sections.iter().any(|old| lock.sections.iter().any(|new| new.name == old.name));
    if base.aggregate != lock.aggregate && !known && !in_place {
        // The older copy is that of another aggregate, named for all locks of a build, or of the same file name.
        return Ok(());
    }
    let mut report = Report::new();
    if (&base.aggregate, &base.id) != (&lock.aggregate, &lock.id) && base.sections.iter().any(|section| !section.draft) {
        let problem = report.line().push("`aggregate ").push(&base.aggregate).push(", id ").push(&base.id);
        problem.push("` is now `aggregate ").push(&lock.aggregate).push(", id ").push(&lock.id).push("`");
    }
    for old in released {
        let newest = lock.sections.iter().filter(|new| new.name == old.name).map(|new| new.version).max();
        match lock.section(&old.name, old.version) {
            None => {
                report.line().push(&old.title()).push(" was released, and is gone");
            }
            Some(new) if new.draft => {
                report.line().push(&old.title()).push(" was released, and is a draft now");
            }
            Some(new) => {
                let newest = newest.unwrap_or(old.version);
                let whose = Whose { name: old.name.as_bytes(), version: old.version, next: newest + 1 };
                let lines = old.text(|line| !line.draft);
                compare(&mut report, Mode::Backward, whose, lines.as_bytes(), tree(new.released()));
            }
        }
    }
    if report.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{file} takes back what {base_name} has released:{}\ntake the released lines from that file again, and run {WRITE}",
        report.problems()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventInfo, EventVersion};
    use crate::schema::{Field, Node, Tag, Variant};

    const I32: Node = Node::Int { signed: true, bits: 32 };
    const I64: Node = Node::Int { signed: true, bits: 64 };

    const fn field(name: &'static str, node: &'static Node) -> Field {
        Field { name, doc: "", default: false, node }
    }
    const fn version(version: u32, node: Node) -> EventVersion {
        EventVersion { version, node, changes: &[], logic: 0, advance: |bytes| Ok(bytes.to_vec()) }
    }
    fn record(fields: &[Field]) -> Node {
        Node::Record(fields.to_vec().leak())
    }
    fn event(name: &'static str, nodes: &[Node]) -> EventInfo {
        let versions: Vec<_> = (1..).zip(nodes).map(|(number, node)| version(number, *node)).collect();
        let version = u32::try_from(nodes.len()).unwrap();
        EventInfo { name, version, doc: "", versions: versions.leak(), may_hold_opaque: false }
    }
    fn declared(events: &[EventInfo]) -> Declared {
        let events = events.to_vec().leak();
        Declared { title: "Account", name: "Account", id: Some(Node::Text), events, retired: &[] }
    }
    fn written(code: &Declared, text: &str) -> String {
        plan(code, "account.events", text.as_bytes(), false).map(|plan| plan.text).unwrap()
    }
    fn released(code: &Declared, text: &str) -> String {
        plan(code, "account.events", text.as_bytes(), true).map(|plan| plan.text).unwrap()
    }
    fn verified(code: &Declared, text: &str) -> Result<(), String> {
        verify(code, "account.events", text.as_bytes())
    }

    const PAID: Node = Node::Record(&[field("amount", &I32), field("note", &Node::Optional(&Node::Text))]);
    const PAID_WIDER: Node = Node::Record(&[
        field("amount", &I64),
        field("note", &Node::Optional(&Node::Text)),
        Field { default: true, ..field("tags", &Node::List(&Node::Text)) },
    ]);

    #[test]
    fn a_first_lock_is_drafted_then_released() {
        let code = declared(&[event("Paid", &[PAID]), event("Closed", &[Node::Record(&[])])]);
        let draft = written(&code, "");
        let expected = "\
gesta schema lock, format 1
# `GESTA_SCHEMA=write cargo test gesta_schema` writes drafts, `GESTA_SCHEMA=release cargo test gesta_schema` freezes them.
aggregate Account, id text

draft Closed v1 c5f8949e75a84f6c

draft Paid v1 7718b5dd3a903321
  amount i32
  note? text
";
        assert_eq!(draft, expected);
        verified(&code, &draft).unwrap();
        assert_eq!(written(&code, &draft), draft);
        let released = released(&code, &draft);
        assert_eq!(released, draft.replace("draft ", "event "));
        verified(&code, &released).unwrap();
        // Nothing is weakened by writing again.
        assert_eq!(written(&code, &released), released);
    }

    #[test]
    fn a_released_line_stays_and_its_draft_stands_beside_it_until_it_is_released() {
        let first = released(&declared(&[event("Paid", &[PAID])]), "");
        let code = declared(&[event("Paid", &[PAID_WIDER])]);
        assert_eq!(
            verified(&code, &first).unwrap_err(),
            "account.events is behind the code:\n  - Paid v1: `amount i64` is not in it\n  - Paid v1: `tags list default` is not in it\n  - Paid v1: `tags[] text` is not in it\n  - Paid v1: `amount i32` is no longer so\n`GESTA_SCHEMA=write cargo test gesta_schema` writes it; then look at the difference, and commit it"
        );
        let draft = written(&code, &first);
        assert!(draft.contains("\n  amount i32\n+ amount i64\n  note? text\n+ tags list default\n+ tags[] text\n"), "{draft}");
        verified(&code, &draft).unwrap();
        let second = released(&code, &draft);
        assert!(second.contains("\n  amount i64\n  note? text\n  tags list default\n  tags[] text\n"), "{second}");
        verified(&code, &second).unwrap();
        // The code may go back as long as it is a draft, and no longer.
        let before = declared(&[event("Paid", &[PAID])]);
        assert_eq!(written(&before, &draft), first);
        let problem = plan(&before, "account.events", second.as_bytes(), false).err().unwrap();
        assert!(problem.contains("Paid v1: `amount` was i64, is now i32"), "{problem}");
        assert!(problem.contains("Paid v1: `tags` is stored, but no longer declared"), "{problem}");
    }

    #[test]
    fn what_is_said_of_a_record_of_nothing_is_implied_once_it_holds_something() {
        const EMPTY: Node = Node::Record(&[]);
        const DEFAULT: Node = Node::Record(&[Field { default: true, ..field("extra", &FULL) }]);
        const OPTIONAL: Node = Node::Record(&[field("extra", &Node::Optional(&FULL))]);
        const FULL: Node = Node::Record(&[field("x", &Node::Optional(&I32))]);
        let first = released(&declared(&[event("Paid", &[record(&[field("extra", &EMPTY)])])]), "");
        let code = declared(&[event("Paid", &[record(&[field("extra", &FULL)])])]);
        let draft = written(&code, &first);
        assert!(draft.contains("\n  extra record\n+ extra.x? i32\n"), "{draft}");
        verified(&code, &draft).unwrap();
        let second = released(&code, &draft);
        assert!(second.contains("\n  extra.x? i32\n"), "{second}");

        // And what may be missing by default, once it is optional.
        let first = released(&declared(&[event("Paid", &[DEFAULT])]), "");
        assert!(first.contains("\n  extra record default\n  extra.x? i32\n"), "{first}");
        let code = declared(&[event("Paid", &[OPTIONAL])]);
        let draft = written(&code, &first);
        verified(&code, &draft).unwrap();
        verified(&code, &released(&code, &draft)).unwrap();
    }

    #[test]
    fn a_file_that_was_changed_by_hand_is_found() {
        let code = declared(&[event("Paid", &[PAID])]);
        let text = released(&code, "");
        let forged = text.replace("amount i32", "amount i16");
        let problem = verified(&code, &forged).unwrap_err();
        assert!(problem.starts_with("account.events was changed by hand:\n  - line 5: Paid v1 is opened by "), "{problem}");
        assert!(verified(&code, &text.replace("  amount i32", "  amount")).unwrap_err().contains("line 6"));
        // Line ends of Windows mean nothing, and stay.
        let windows = text.replace('\n', "\r\n");
        verified(&code, &windows).unwrap();
        assert_eq!(written(&code, &windows), windows);
    }

    #[test]
    fn comments_stay_where_they_are() {
        let code = declared(&[event("Paid", &[PAID])]);
        let text = released(&code, "").replace("event Paid", "# Since 2019.\nevent Paid") + "\n# The end.\n";
        assert_eq!(written(&code, &text), text);
    }

    #[test]
    fn what_can_t_be_read_is_named_with_its_line() {
        let code = declared(&[event("Paid", &[PAID, PAID])]);
        let text = released(&code, "");
        let head = "gesta schema lock, format 1\naggregate Account, id text\n";
        let hash = "0123456789abcdef";
        for (text, expected) in [
            (String::new(), "account.events, line 1: the file is empty: "),
            (
                "hello".to_owned(),
                "account.events, line 1: this is no schema lock, which begins with `gesta schema lock, format 1`",
            ),
            (text.replace("format 1", "format 2"), "account.events, line 1: format 2, and this gesta knows up to 1: "),
            (format!("\u{feff}{text}"), "account.events, line 1: the file begins with a byte order mark"),
            (text.replace("aggregate", "agregate"), "account.events, line 3: `agregate Account, id text` can't stand here: "),
            ("gesta schema lock, format 1\n".to_owned(), "account.events, line 2: the line with the aggregate is missing"),
            (text.replace("  note", "<<<<<<< HEAD\n  note"), "account.events, line 7: a merge is unfinished: "),
            (format!("{head}\nevent B v1 {hash}\nevent A v1 {hash}\n"), "account.events, line 5: `A` v1 belongs before `B` v1: "),
            (format!("{head}\nevent A v2 {hash}\n"), "account.events, line 4: `A` v2 stands here without `A` v1"),
            (
                format!("{head}\nevent A v1 {hash}\ndraft A v2 {hash}\n  x i8\ndraft A v2 {hash}\n"),
                "account.events, lines 5 and 7: `A` v2 stands twice: a merge of two branches that both added it; keep the file of one of them, declare what the other one changed as version 3 in the code, and let `GESTA_SCHEMA=write cargo test gesta_schema` write it",
            ),
        ] {
            let problem = verified(&code, &text).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn sections_in_any_order_are_sorted_by_writing() {
        let code = declared(&[event("A", &[PAID, PAID]), event("B", &[PAID])]);
        let text = released(&code, "");
        let mut parts: Vec<_> = text.split("\n\n").collect();
        parts[1..].reverse();
        let shuffled = parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n") + "\n";
        assert!(verified(&code, &shuffled).is_err());
        assert_eq!(written(&code, &shuffled), text);
    }

    #[test]
    fn ways_out_fit_what_happened() {
        let lock = |nodes: &[Node]| released(&declared(&[event("Paid", nodes)]), "");
        let problem = |code: &Declared, text: &str| verified(code, text).unwrap_err();
        let paid = lock(&[PAID]);
        let renamed = record(&[field("sum", &I32), field("note", &Node::Optional(&Node::Text))]);
        let text = problem(&declared(&[event("Paid", &[renamed])]), &paid);
        assert_eq!(
            text,
            "`Account` can no longer read what account.events says is stored:\n  - Paid v1: `amount` is stored, but no longer declared\n  - Paid v1: `sum` is new and has no default\nundo the change, or say what became of it:\n  - on `Paid`: `#[event(version = 2)]`, with `#[renamed(2, from = \"amount\")]` on `sum`, if it holds what `amount` held"
        );
        let text = problem(&declared(&[event("Settled", &[PAID])]), &paid);
        assert!(text.contains("event `Paid` v1 is stored but no longer declared\nif `Settled` is what `Paid` was, say `#[event(name = \"Paid\")]` on it"), "{text}");
        let text = problem(&declared(&[event("Closed", &[Node::Record(&[])])]), &paid);
        assert!(text.contains("let an `#[upcast]` function"), "{text}");
        let text = problem(&Declared { name: "Konto", ..declared(&[event("Paid", &[PAID])]) }, &paid);
        assert!(text.contains("say `name = \"Account\"` in `#[aggregate(..)]`"), "{text}");
        let text = problem(&Declared { name: "Konto", ..declared(&[event("Lent", &[PAID])]) }, &paid);
        assert!(text.contains("a file of its own"), "{text}");
        let text = problem(&Declared { id: Some(I64), ..declared(&[event("Paid", &[PAID])]) }, &paid);
        assert!(text.contains("the ids in the names of its streams were text, are now i64"), "{text}");
        let text = problem(&declared(&[event("Paid", &[PAID_WIDER])]), &lock(&[PAID, PAID]));
        assert!(text.contains("event `Paid` v2 is stored, but the newest version that is declared is 1"), "{text}");
        // The old version follows from the marks of the new one.
        let text = problem(&declared(&[event("Paid", &[renamed, renamed])]), &paid);
        assert!(text.contains("`#[event(version = 2)]`, with `#[renamed(2, from = \"amount\")]` on `sum`"), "{text}");
        let money = |node| {
            let money: &'static Node = Box::leak(Box::new(record(&[field("minor", node)])));
            record(&[field("amount", money)])
        };
        let text = problem(&declared(&[event("Paid", &[money(&Node::Text)])]), &lock(&[money(&I64)]));
        assert!(text.contains("`amount.minor` was i64, is now text"), "{text}");
        let converted = "`#[converted(2, from = Old)]` on `amount`, where `Old` is its type as it was, kept under another name";
        assert!(text.contains(converted), "{text}");
        // Once for all versions that hold it, in the version after the last one that was released.
        let text =
            problem(&declared(&[event("Paid", &[money(&Node::Text), money(&Node::Text)])]), &lock(&[money(&I64), money(&I64)]));
        assert_eq!(text.matches("`#[converted(3, from = Old)]` on `amount`").count(), 1, "{text}");
    }

    #[test]
    fn what_the_previous_release_can_t_read_is_reported() {
        const ONE: Node = Node::Enum { tag: Tag::External, variants: &[Variant { name: "Branch", doc: "", node: None }] };
        const TWO: Node = Node::Enum {
            tag: Tag::External,
            variants: &[Variant { name: "Branch", doc: "", node: None }, Variant { name: "App", doc: "", node: None }],
        };
        let paid = |channel| record(&[field("channel", channel)]);
        let first = released(&declared(&[event("Paid", &[paid(&ONE)])]), "");
        let code = declared(&[event("Paid", &[paid(&TWO)]), event("Closed", &[Node::Record(&[])])]);
        let plan = plan(&code, "account.events", first.as_bytes(), false).ok().unwrap();
        assert_eq!(plan.forward, "\n  - Paid v1: `channel` has the new variant `App`\n  - event `Closed` v1 is new");
        assert_eq!(plan.said, "drafted Closed v1, Paid v1");
    }

    #[test]
    fn where_nearly_everything_has_changed_the_first_problems_are_told() {
        let names: Vec<&'static str> = (10..50).map(|n| &*format!("Event{n}").leak()).collect();
        let all = |node: Node| declared(&names.iter().map(|name| event(name, &[node])).collect::<Vec<_>>());
        let lock = released(&all(record(&[field("a", &I64), field("b", &I64)])), "");
        let changed = all(record(&[field("a", &Node::Text), field("b", &I64)]));
        let said = super::super::problems(&changed, "account.events", lock.as_bytes(), true).unwrap();
        let said = said.as_str();
        assert_eq!(said.matches("`a` was i64, is now text").count(), 24, "{said}");
        assert!(said.contains("  - Event33 v1: `a` was i64, is now text\n  - and more\n"), "{said}");
    }

    #[test]
    fn a_lock_is_held_against_an_older_copy() {
        let base = released(&declared(&[event("Paid", &[PAID]), event("Lent", &[PAID])]), "");
        let mut base = Base { name: "old/account.events".to_owned(), text: base.into_bytes(), in_place: false };
        let stronger = released(&declared(&[event("Paid", &[PAID_WIDER]), event("Lent", &[PAID])]), "");
        against("account.events", &base, stronger.as_bytes()).unwrap();
        let other = Declared { name: "Customer", ..declared(&[event("Met", &[PAID])]) };
        against("customer.events", &base, released(&other, "").as_bytes()).unwrap();
        // Where it lay in the place of this lock, all of it was taken back.
        base.in_place = true;
        let taken_back = against("customer.events", &base, released(&other, "").as_bytes()).unwrap_err();
        assert!(taken_back.contains("`aggregate Account, id text` is now `aggregate Customer, id text`"), "{taken_back}");
        assert!(taken_back.contains("Lent v1 was released, and is gone"), "{taken_back}");
        let weaker = record(&[field("amount", &Node::Text)]);
        let weaker = written(&declared(&[event("Lent", &[PAID])]), "")
            + released(&declared(&[event("Paid", &[weaker])]), "").split_once("\n\n").unwrap().1;
        assert_eq!(
            against("account.events", &base, weaker.as_bytes()).unwrap_err(),
            "account.events takes back what old/account.events has released:\n  - Lent v1 was released, and is a draft now\n  - Paid v1: `amount` was i32, is now text\n  - Paid v1: `note` is stored, but no longer declared\ntake the released lines from that file again, and run `GESTA_SCHEMA=write cargo test gesta_schema`"
        );
    }

    #[test]
    fn lines_below_a_comment_bind_as_those_above_it_do() {
        let code = declared(&[event("Paid", &[PAID])]);
        let optional = record(&[field("amount", &I32), field("note", &Node::Optional(&I64))]);
        for between in ["# Since 2019.\n", "\n", "\r\n"] {
            let text = released(&code, "").replace("  note", &format!("{between}  note"));
            verified(&code, &text).unwrap();
            let changed = declared(&[event("Paid", &[optional])]);
            let problem = verified(&changed, &text).unwrap_err();
            assert!(problem.contains("Paid v1: `note?` was text, is now i64"), "{problem}");
            assert!(plan(&changed, "account.events", text.as_bytes(), false).is_err());
        }
    }

    #[test]
    fn a_draft_line_hides_no_released_one_that_is_no_longer_read() {
        let unsigned = record(&[field("amount", &Node::Int { signed: false, bits: 64 })]);
        let signed = declared(&[event("Paid", &[record(&[field("amount", &I64)])])]);
        let theirs = released(&declared(&[event("Paid", &[unsigned])]), "");
        // What is left of a merge of a release and of a draft, under the fingerprint of the draft.
        let drafted = written(&signed, "").lines().find(|line| line.starts_with("draft")).unwrap().replace("draft", "event");
        let text = theirs.replace(theirs.lines().find(|line| line.starts_with("event")).unwrap(), &drafted);
        let merged = text.replace("  amount u64\n", "  amount u64\n+ amount i64\n");
        let problem = verified(&signed, &merged).unwrap_err();
        assert!(problem.contains("Paid v1: `amount` was u64, is now i64"), "{problem}");
        for release in [false, true] {
            let problem = plan(&signed, "account.events", merged.as_bytes(), release).err().unwrap();
            assert!(problem.contains("Paid v1: `amount` was u64, is now i64"), "{problem}");
        }
    }

    #[test]
    fn a_field_whose_name_begins_like_a_new_one_is_looked_at() {
        let first = released(&declared(&[event("Paid", &[record(&[field("amount", &I32)])])]), "");
        let code = record(&[Field { default: true, ..field("a", &Node::Text) }, field("amount", &I64)]);
        let plan = plan(&declared(&[event("Paid", &[code])]), "account.events", first.as_bytes(), false).ok().unwrap();
        assert_eq!(plan.forward, "\n  - Paid v1: `amount` is i64 now, and the previous build reads i32");
        // Backward, each of several problems is named.
        let first = released(&declared(&[event("Paid", &[record(&[field("a", &Node::Text), field("amount", &I64)])])]), "");
        let problem = verified(&declared(&[event("Paid", &[record(&[field("amount", &I32)])])]), &first).unwrap_err();
        assert!(problem.contains("`a` is stored, but no longer declared"), "{problem}");
        assert!(problem.contains("`amount` was i64, is now i32"), "{problem}");
    }

    #[test]
    fn a_version_below_a_released_one_is_released() {
        let code = declared(&[event("Paid", &[PAID, PAID_WIDER])]);
        let text = released(&code, "");
        let (start, end) = (text.find("event Paid v1").unwrap(), text.find("event Paid v2").unwrap());
        let lost = format!("{}{}", &text[..start], &text[end..]);
        assert_eq!(written(&code, &lost), text);
    }

    #[test]
    fn what_is_no_text_is_named_with_its_line() {
        let code = declared(&[event("Paid", &[PAID])]);
        let text = released(&code, "");
        for (from, to, line) in
            [("Account,", "Acc\u{fe}ount,", 3), ("event Paid", "event Pa\u{fe}id", 5), ("  note?", "  n\u{fe}te?", 7)]
        {
            // One byte that stands for no character.
            let wrong: Vec<u8> = text.replace(from, to).chars().map(|c| c as u8).collect();
            let problem = verify(&declared(&[event("Paid", &[record(&[])])]), "account.events", &wrong).unwrap_err();
            assert!(problem.starts_with(&format!("account.events, line {line}: this is no UTF-8 text")), "{problem}");
        }
        // A name that was written without its quotes.
        let unquoted = text.replace("  note? text", "  \u{df}? text");
        let problem = verified(&declared(&[event("Paid", &[record(&[])])]), &unquoted).unwrap_err();
        assert!(problem.contains("something this gesta does not know"), "{problem}");
    }

    #[test]
    fn a_set_that_may_be_missing_may_become_a_list() {
        const SET: Node = Node::Set(&Node::Text);
        const LIST: Node = Node::List(&Node::Text);
        let of = |tags| declared(&[event("Paid", &[record(&[Field { default: true, ..field("tags", tags) }])])]);
        let first = released(&of(&SET), "");
        let second = released(&of(&LIST), &first);
        verified(&of(&LIST), &second).unwrap();
        let problem = verified(&of(&SET), &second).unwrap_err();
        assert!(problem.contains("`tags` was a list, is now a set"), "{problem}");
    }

    #[test]
    fn locks_that_lie_side_by_side_have_samples_of_their_own() {
        for (lock, samples) in [
            ("src/account.events", "src/account.samples"),
            ("src/bank.account", "src/bank.account.samples"),
            ("src/bank.card", "src/bank.card.samples"),
            ("bank.card.events", "bank.card.samples"),
            ("account.samples", "account.samples.samples"),
        ] {
            assert_eq!(samples_beside(Path::new(lock)), Path::new(samples));
        }
    }

    #[test]
    fn a_lock_that_was_cut_off_or_mangled_is_a_problem_and_never_a_panic() {
        let map = Node::Map { key: &Node::Text, value: &I32 };
        let fields: &'static [Node] = vec![map, Node::Array { len: 12, item: &I32 }].leak();
        let code = declared(&[event("Paid", &[record(&[field("by", &fields[0]), field("rgb", &fields[1])])])]);
        let text = released(&code, "");
        let other = declared(&[event("Paid", &[record(&[])])]);
        for end in 1..text.len() {
            for code in [&code, &other] {
                let _ = verified(code, &text[..end]);
                let _ = plan(code, "account.events", &text.as_bytes()[..end], false);
            }
        }
        for (from, to) in [
            ("by{key}", "by{key"),
            ("by{key}", "by{kea}"),
            ("rgb[12]", "rgb[12"),
            ("by{}", ".by{}"),
            ("by{}", "\"by\"{}"),
            ("by{}", "!"),
        ] {
            let problem = verified(&other, &text.replace(from, to)).unwrap_err();
            assert!(problem.contains("Paid v1: `"), "{problem}");
            let mangled = verified(&code, &text.replace(from, to)).unwrap_err();
            assert!(mangled.contains("was changed by hand"), "{mangled}");
            assert!(plan(&code, "account.events", text.replace(from, to).as_bytes(), false).is_err());
        }
        // An event without fields may be the last, and its line too.
        let closed = declared(&[event("Closed", &[record(&[])])]);
        verified(&closed, released(&closed, "").trim_end()).unwrap();
    }

    #[test]
    fn a_line_that_stands_twice_is_written_once() {
        let code = declared(&[event("Paid", &[PAID_WIDER])]);
        let text = released(&code, "");
        for twice in ["  amount i64\n  amount i64\n", "  amount i32\n  amount i64\n"] {
            let merged = text.replace("  amount i64\n", twice);
            assert!(verified(&code, &merged).unwrap_err().contains("was changed by hand"), "{merged}");
            assert_eq!(written(&code, &merged), text);
        }
    }
}
