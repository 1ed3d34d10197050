//! What is wrong, with the ways out that fit it.
//!
//! Always true here: a way out stands once, however many versions ask for it; and it names the version that it belongs in,
//! which comes after all that were released.

use super::rules::name_end;
use super::text::{Text, line_len, part, same};

/// The longest list of problems, in bytes.
pub(crate) const PROBLEMS_BYTES_MAX: usize = 6 << 10;
/// The longest list of ways out, in bytes.
const WAYS_BYTES_MAX: usize = 3 << 10;
/// The longest message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 14 << 10;
/// So many problems are enough to begin with: nobody mends more of them at once, and each takes the compiler its time.
const PROBLEMS_MAX: usize = 24;
/// So many fields of one version are taken for renamed ones.
const RENAMED_MAX: usize = 8;

/// A whole message.
pub(crate) type Message = Text<MESSAGE_BYTES_MAX>;

/// The version of an event.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) version: u32,
    /// The version in which a change can be said: the one after all that were released.
    pub(crate) next: u32,
}

/// What has become of a field.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    /// It is there no longer.
    Removed,
    /// It was not there before.
    Added,
    /// It was there under this name.
    Renamed(&'a [u8]),
    /// It holds something else.
    Retyped,
    /// It was filled from a default, which is gone.
    LostDefault,
    /// It may hold this variant, which is gone.
    LostVariant(&'a [u8]),
}

/// Problems, and what is to be done about them.
pub(crate) struct Report {
    problems: Text<PROBLEMS_BYTES_MAX>,
    count: usize,
    /// What concerns the aggregate, and events as a whole; a line each.
    ways: Text<WAYS_BYTES_MAX>,
    /// What concerns fields: an item each.
    fixes: Text<WAYS_BYTES_MAX>,
    /// Whether one of these says `converted`.
    converted: bool,
    event_gone: bool,
    version_gone: bool,
    /// Fields that seem to be others under new names, in the version that is looked at.
    renamed: [&'static str; RENAMED_MAX],
    renamed_count: usize,
}

impl Report {
    pub(crate) const fn new() -> Self {
        Report {
            problems: Text::new(),
            count: 0,
            ways: Text::new(),
            fixes: Text::new(),
            converted: false,
            event_gone: false,
            version_gone: false,
            renamed: [""; RENAMED_MAX],
            renamed_count: 0,
        }
    }
    /// Whether all is well.
    pub(crate) const fn is_empty(&self) -> bool {
        self.problems.len() == 0
    }
    /// The problems, a line each, each with a line break before it.
    pub(crate) const fn problems(&self) -> &str {
        self.problems.as_str()
    }
    /// A problem that is not one of a version's fields.
    pub(crate) const fn line(&mut self) -> &mut Text<PROBLEMS_BYTES_MAX> {
        self.count += 1;
        self.problems.item()
    }
    /// A problem of a version.
    pub(crate) const fn begin(&mut self, whose: Whose<'_>) -> &mut Text<PROBLEMS_BYTES_MAX> {
        self.line().push_bytes(whose.name).push(" v").push_number(whose.version as u64).push(": ")
    }
    /// Whether there are so many problems that others can wait for the next time; the list says so.
    pub(crate) const fn has_enough(&mut self) -> bool {
        if self.count >= PROBLEMS_MAX {
            self.problems.end_with_more();
        }
        self.count >= PROBLEMS_MAX
    }
    /// A way out.
    pub(crate) const fn way(&mut self) -> &mut Text<WAYS_BYTES_MAX> {
        self.ways.push("\n")
    }
    /// Another version is looked at.
    pub(crate) const fn next_version(&mut self) {
        self.renamed_count = 0;
    }

    /// A field of an event, or something within it, is not what it was.
    pub(crate) const fn changed(&mut self, whose: Whose<'_>, path: &[u8], change: Change<'_>) {
        if self.fixes.is_full() {
            return;
        }
        let (field, nested) = field_of(path);
        let change = if nested && !matches!(change, Change::LostVariant(_)) { Change::Retyped } else { change };
        if matches!(change, Change::Added) && self.is_renamed(field) {
            return;
        }
        let mut fix = Text::<1024>::new();
        if let Change::LostDefault = change {
            fix.push("give `").push_bytes(field).push("` of `").push_bytes(whose.name).push("` its default back");
        } else {
            fix.push("on `").push_bytes(whose.name).push("`: `#[event(version = ").push_number(whose.next as u64).push(")]`");
            push_mark(&mut fix, whose.next as u64, field, nested, change);
        }
        self.converted = self.converted || matches!(change, Change::Retyped | Change::LostVariant(_));
        if !has_line(self.fixes.get(), fix.get(), 4) {
            self.fixes.item().push_bytes(fix.get());
        }
    }

    /// A field holds what another held.
    pub(crate) const fn renamed(&mut self, whose: Whose<'_>, old: &[u8], new: &'static str) {
        self.changed(whose, new.as_bytes(), Change::Renamed(old));
        if self.renamed_count < RENAMED_MAX {
            self.renamed[self.renamed_count] = new;
            self.renamed_count += 1;
        }
    }
    const fn is_renamed(&self, field: &[u8]) -> bool {
        let mut i = 0;
        while i < self.renamed_count {
            if same(self.renamed[i].as_bytes(), field) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// An event is undeclared, and a new one, which has come to this version, looks like it.
    pub(crate) const fn event_renamed(&mut self, old: &[u8], new: &str, version: u32) {
        let mut way = Text::<1024>::new();
        way.push("if `").push(new).push("` is what `").push_bytes(old).push("` was, say `#[event(name = \"").push_bytes(old);
        way.push("\"");
        if version > 1 {
            way.push(", version = ").push_number(version as u64);
        }
        way.push(")]` on it");
        if !has_line(self.ways.get(), way.get(), 0) {
            self.way().push_bytes(way.get());
        }
    }
    /// An event is undeclared.
    pub(crate) const fn event_gone(&mut self) {
        self.event_gone = true;
    }
    /// A version is undeclared.
    pub(crate) const fn version_gone(&mut self) {
        self.version_gone = true;
    }

    /// Problems and ways out as one message; `None` where there are none.
    pub(crate) const fn finish(&mut self, head: &[&str]) -> Option<Message> {
        if self.is_empty() {
            return None;
        }
        let mut text = Message::new();
        text.push_all(head).push(":").push_bytes(self.problems.get());
        if self.event_gone {
            self.way().push("what was stored goes on being read: declare the event again, and apply it or let an `#[upcast]` function of the `#[aggregate]` block take it");
        }
        if self.version_gone {
            self.way().push("a version that was released is not taken back: declare it again");
        }
        text.push_bytes(self.ways.get());
        if self.fixes.len() > 0 {
            text.push("\nundo the change, or say what became of it:").push_bytes(self.fixes.get());
            if self.converted {
                text.push("\n`converted` names the old type: `from`, `try_from` where that may fail, `with` a function of yours");
            }
        }
        Some(text)
    }
}

/// The field of the event that a path begins with, and whether the path goes on into a type within it.
const fn field_of(path: &[u8]) -> (&[u8], bool) {
    let (field, rest) = path.split_at(name_end(path, 0));
    let mut i = 0;
    while i < rest.len() {
        if matches!(rest[i], b'.' | b'|') {
            return (field, true);
        }
        i += 1;
    }
    (field, false)
}

/// What is to be written in the version.
const fn push_mark(fix: &mut Text<1024>, next: u64, field: &[u8], nested: bool, change: Change<'_>) {
    match change {
        Change::Removed => {
            fix.push(" and `#[removed(").push_number(next).push(", ").push_bytes(field).push(": ..)]`");
        }
        Change::Added => {
            fix.push(", with `#[added(").push_number(next).push(", default = ..)]` on `").push_bytes(field);
            fix.push("`; or, without a new version, make it an `Option` or give it `#[serde(default)]`");
        }
        Change::Renamed(old) => {
            fix.push(", with `#[renamed(").push_number(next).push(", from = \"").push_bytes(old).push("\")]` on `");
            fix.push_bytes(field).push("`, if it holds what `").push_bytes(old).push("` held");
        }
        Change::LostVariant(name) => {
            push_mark(fix, next, field, true, Change::Retyped);
            fix.push("; or, if `").push_bytes(name).push("` only has another name now, `#[serde(rename = \"").push_bytes(name);
            fix.push("\")]` on the variant");
        }
        Change::Retyped | Change::LostDefault if nested => {
            fix.push(", with `#[converted(").push_number(next).push(", from = Old)]` on `").push_bytes(field);
            fix.push("`, where `Old` is its type as it was, kept under another name");
        }
        Change::Retyped | Change::LostDefault => {
            fix.push(", with `#[converted(").push_number(next).push(", from = ..)]` on `").push_bytes(field).push("`");
        }
    }
}

/// Whether one of the lines is this one, behind so many bytes.
const fn has_line(lines: &[u8], wanted: &[u8], indent: usize) -> bool {
    let mut at = 0;
    while at < lines.len() {
        let line = part(lines, at, at + line_len(lines.split_at(at).1));
        if line.len() == wanted.len() + indent && same(part(line, indent, line.len()), wanted) {
            return true;
        }
        at += line.len() + 1;
    }
    false
}
