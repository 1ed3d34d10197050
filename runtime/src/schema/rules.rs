//! Which change of a schema leaves what is stored readable: the one place that decides it.
//!
//! Always true here: what is stored comes as lines, what reads it as a [`Node`]. *Backward*, the lines are what was released and
//! the node is today's; *forward*, the lines are today's and the node is the previous build's. The two differ in one thing:
//! a field that the reader does not know is lost backward, and left alone forward.

mod seen;
mod stored;
#[cfg(test)]
mod tests;

use super::lines::{
    OFFSET as HASH, PATH_BYTES_MAX, add, container, content_hash, feed, feed_name, feed_number, is_kind, line_hash, push_words,
    sum, words,
};
use super::named::TEXT_ID;
use super::report::{Change, PROBLEMS_BYTES_MAX, Report, Whose};
use super::text::{Text, after, after_line, is_plain, is_plain_byte, number, part, same};
use super::{Field, Node, Variant};
use seen::Seen;
use stored::{Hashes, is_within, stored_line};
pub(crate) use stored::{Line, Step, below, name_end, step};

/// Which of the two questions is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Can today's build read what is stored?
    Backward,
    /// Can the previous build read what today's writes?
    Forward,
}

/// Holds the lines of a version against what reads them; lines of drafts, marked with `+`, say nothing of what is stored.
pub(crate) const fn compare(report: &mut Report, mode: Mode, whose: Whose<'_>, lines: &[u8], node: &Node) {
    compare_all(report, mode, whose, lines, node, true);
}

/// The same. Fields of which the reader has just the lines are passed over or not: what is said does not depend on it, only
/// how long it takes.
const fn compare_all(report: &mut Report, mode: Mode, whose: Whose<'_>, lines: &[u8], node: &Node, pass_over: bool) {
    report.next_version();
    let walk = Walk { mode, whose, lines };
    let (mut seen, mut at, mut reported): (Seen, usize, &[u8]) = (Seen::new(), 0, b"");
    while at < lines.len() {
        let (end, unchanged) = walk.field(at, node);
        if pass_over && let Some(hash) = unchanged {
            seen.insert(whole(hash));
            // As its lines would leave it.
            (at, reported) = (end, b"");
        }
        while at < end {
            let (line, next) = stored_line(lines, at);
            at = next;
            if let Some(line) = line {
                if reported.is_empty() || !is_within(line.path, reported) {
                    reported = walk.read(report, &mut seen, &line, node);
                }
                if !reported.is_empty() {
                    seen.add(&line);
                }
            }
        }
    }
    walk.missing(report, &seen, node, HASH, &Path { up: None, last: Piece::Sign("") });
}

/// What stands for a field of which the reader has just the lines that are stored: most fields of most versions, of which
/// nothing more needs to be looked at.
const fn whole(hash: u64) -> u64 {
    feed(hash, b"=")
}

/// Whether a number of the first kind always fits the second.
const fn fits(stored: &[u8], signed: bool, bits: u8) -> bool {
    let (Some(width), from_signed) = (
        match stored {
            [b'i' | b'u', digits @ ..] => number(digits),
            _ => None,
        },
        !stored.is_empty() && stored[0] == b'i',
    ) else {
        return false;
    };
    match (from_signed, signed) {
        (true, false) => false,
        (false, true) => width < bits as u32,
        _ => width <= bits as u32,
    }
}

/// Whether a written name is this one.
const fn is_name(written: &[u8], name: &str) -> bool {
    // Most often the answer.
    if written.len() == name.len() && !written.is_empty() && written[written.len() - 1] != name.as_bytes()[name.len() - 1] {
        return false;
    }
    if let [b'"', ..] = written {
        // As it is written nowhere.
        if is_plain(name.as_bytes()) {
            return false;
        }
        let mut text = Text::<{ PATH_BYTES_MAX }>::new();
        text.push_quoted(name);
        return same(text.get(), written);
    }
    same(written, name.as_bytes())
}

const fn find_field(fields: &'static [Field], name: &[u8]) -> Option<Field> {
    let mut i = 0;
    while i < fields.len() {
        if is_name(name, fields[i].name) {
            return Some(fields[i]);
        }
        i += 1;
    }
    None
}

const fn find_variant(variants: &'static [Variant], name: &[u8]) -> Option<Variant> {
    let mut i = 0;
    while i < variants.len() {
        if is_name(name, variants[i].name) {
            return Some(variants[i]);
        }
        i += 1;
    }
    None
}

/// What reads a line, as far as its path was followed.
#[derive(Clone, Copy)]
struct Reader {
    /// `None` for a variant without content.
    node: Option<Node>,
    /// Whether it may be missing.
    default: bool,
}

/// The comparison of one version.
#[derive(Clone, Copy)]
struct Walk<'a> {
    mode: Mode,
    whose: Whose<'a>,
    lines: &'a [u8],
}

impl<'a> Walk<'a> {
    /// Where the lines end that begin here and are of one field of the event; and the hash of its path, where the reader has
    /// just these.
    const fn field(self, from: usize, root: &Node) -> (usize, Option<u64>) {
        let (mut rest, mut held, mut name) = (self.lines.split_at(from).1, 0, 0);
        loop {
            if let [b' ', b' ', line @ ..] = rest {
                let hashes = Hashes::of(line);
                if name == 0 {
                    name = hashes.name;
                } else if hashes.name != name {
                    break;
                }
                held = add(held, hashes.line);
                rest = hashes.after;
            } else if rest.is_empty() {
                break;
            } else {
                rest = after_line(rest);
            }
        }
        let end = self.lines.len() - rest.len();
        if let Node::Record(fields) = root {
            let mut i = 0;
            while i < fields.len() {
                if feed_name(HASH, fields[i].name) == name {
                    let same = sum(fields[i].node, name, Some(fields[i].default)) == held;
                    return (end, if same { Some(name) } else { None });
                }
                i += 1;
            }
        }
        (end, None)
    }

    /// Follows one line down the reader's tree. Answers the part of the path under which nothing else is to be reported.
    const fn read(self, report: &mut Report, seen: &mut Seen, line: &Line<'a>, root: &Node) -> &'a [u8] {
        let path = line.path;
        let (mut reader, mut at, mut hash) = (Reader { node: Some(*root), default: false }, 0, HASH);
        loop {
            let (step, next) = step(path, at);
            // What was always there may be optional today.
            if let Some(Node::Optional(inner)) = reader.node
                && !matches!(step, Step::Optional)
            {
                reader = Reader { node: Some(*inner), default: true };
            }
            let text = part(path, at, if next < path.len() { next } else { path.len() });
            reader = match (step, reader.node) {
                (Step::End, _) => {
                    seen.end(hash, line.kind);
                    return self.end(report, path, line.kind, reader);
                }
                (Step::Field(name), Some(Node::Record(fields))) => {
                    let Some(field) = find_field(fields, name) else {
                        let with_it = part(path, 0, at + text.len());
                        self.gone(report, at == 0, with_it, root);
                        return with_it;
                    };
                    Reader { node: Some(*field.node), default: field.default }
                }
                (Step::Optional, Some(Node::Optional(inner))) => Reader { node: Some(*inner), default: true },
                (Step::Optional, _) => {
                    self.required(report, part(path, 0, at));
                    return part(path, 0, at + text.len());
                }
                (Step::List, Some(Node::List(item))) | (Step::Set, Some(Node::Set(item) | Node::List(item))) => Reader::of(item),
                (Step::Array(len), Some(Node::Array { len: now, item })) if len as usize == now => Reader::of(item),
                (Step::Key, Some(Node::Map { key, .. })) => Reader::of(key),
                (Step::Value, Some(Node::Map { value, .. })) => Reader::of(value),
                (Step::Element(i), Some(Node::Tuple(items))) if (i as usize) < items.len() => Reader::of(items[i as usize]),
                (Step::Element(_), Some(Node::Tuple(items))) => {
                    self.shorter(report, part(path, 0, at), items.len());
                    return part(path, 0, at);
                }
                (Step::Variant(name), Some(Node::Enum { variants, .. })) => match find_variant(variants, name) {
                    Some(Variant { node: Some(node), .. }) => Reader::of(node),
                    Some(_) => Reader { node: None, default: false },
                    None => {
                        let with_it = part(path, 0, at + text.len());
                        self.variant_gone(report, part(path, 0, at), with_it, name);
                        return with_it;
                    }
                },
                (Step::Unknown, node) => {
                    self.retyped(report, path, step, line.kind, node);
                    return path;
                }
                (step, node) => {
                    self.retyped(report, part(path, 0, at), step, line.kind, node);
                    // The root is never reported whole.
                    return part(path, 0, if at == 0 { text.len() } else { at });
                }
            };
            hash = seen.step(hash, step, text);
            at = next;
        }
    }

    /// The path has been followed; is the kind read?
    const fn end(self, report: &mut Report, path: &'a [u8], kind: &'a [u8], mut reader: Reader) -> &'a [u8] {
        if let Some(Node::Optional(inner)) = reader.node {
            reader = Reader { node: Some(*inner), default: true };
        }
        let (kind, missing) = match kind {
            [kind @ .., b' ', b'd', b'e', b'f', b'a', b'u', b'l', b't'] => (kind, true),
            kind => (kind, false),
        };
        let fine = match &reader.node {
            None => same(kind, b"unit"),
            Some(Node::Int { signed, bits }) => fits(kind, *signed, *bits),
            // Every id of text is a text.
            Some(Node::Text) => same(kind, b"text") || same(kind, TEXT_ID.as_bytes()),
            Some(node) => match words(node) {
                Some(words) => is_kind(kind, &words),
                None => same(kind, container(node).as_bytes()) || (matches!(node, Node::List(_)) && same(kind, b"set")),
            },
        };
        if !fine {
            self.retyped(report, path, Step::End, kind, reader.node);
            return path;
        }
        if missing && !reader.default {
            let problem = self.problem(report, path, Change::LostDefault);
            match self.mode {
                Mode::Backward => problem.push(" may be missing in what is stored, and has lost its default"),
                Mode::Forward => problem.push(" may be left out now, and the previous build has no default for it"),
            };
        }
        b""
    }

    /// What the reader asks for and no line gives it. `hash` is that of the path, as [`Seen`] makes it.
    const fn missing(self, report: &mut Report, seen: &Seen, node: &Node, hash: u64, path: &Path<'_>) {
        match node {
            Node::Optional(inner) => self.missing(report, seen, inner, hash, path),
            Node::List(item) | Node::Set(item) => {
                self.missing_in(report, seen, item, hash, path, Piece::Sign("[]"));
            }
            Node::Array { len, item } => {
                self.missing_in(report, seen, item, hash, path, Piece::Len(*len));
            }
            Node::Map { key, value } => {
                self.missing_in(report, seen, key, hash, path, Piece::Sign("{key}"));
                self.missing_in(report, seen, value, hash, path, Piece::Sign("{}"));
            }
            Node::Tuple(items) if seen.has(feed(hash, b"#")) => {
                let mut i = 0;
                while i < items.len() {
                    let last = Piece::Element(i);
                    if !self.missing_in(report, seen, items[i], hash, path, last) {
                        let problem = self.problem_at(report, &Path { up: Some(path), last }, Change::Retyped);
                        match self.mode {
                            Mode::Backward => problem.push(" is new: a tuple keeps its length"),
                            Mode::Forward => problem.push(" is no longer written: a tuple keeps its length"),
                        };
                    }
                    i += 1;
                }
            }
            Node::Record(fields) if path.up.is_none() || seen.has(feed(hash, b".")) => {
                let mut i = 0;
                while i < fields.len() {
                    let Field { name, default, node, .. } = fields[i];
                    let last = if path.up.is_none() { Piece::First(name) } else { Piece::Field(name) };
                    if !self.missing_in(report, seen, node, hash, path, last) && !default && !matches!(node, Node::Optional(_)) {
                        let problem = self.problem_at(report, &Path { up: Some(path), last }, Change::Added);
                        match self.mode {
                            Mode::Backward => problem.push(" is new and has no default"),
                            Mode::Forward => problem.push(" is no longer written, and the previous build has no default for it"),
                        };
                    }
                    i += 1;
                }
            }
            Node::Enum { variants, .. } => {
                let mut i = 0;
                while i < variants.len() {
                    if let Some(inner) = variants[i].node {
                        self.missing_in(report, seen, inner, hash, path, Piece::Variant(variants[i].name));
                    }
                    i += 1;
                }
            }
            _ => {}
        }
    }

    /// Goes on with an element of which a line says something; answers whether one does.
    const fn missing_in(self, report: &mut Report, seen: &Seen, node: &Node, hash: u64, path: &Path<'_>, last: Piece) -> bool {
        let hash = last.hash(hash);
        if matches!(last, Piece::First(_)) && seen.has(whole(hash)) {
            return true;
        }
        let known = seen.has(hash);
        if known && !matches!(node, Node::Text | Node::Bool | Node::Int { .. } | Node::Named(_)) {
            self.missing(report, seen, node, hash, &Path { up: Some(path), last });
        }
        known
    }

    /// Begins a problem with what no line speaks of.
    const fn problem_at<'r>(
        self,
        report: &'r mut Report,
        path: &Path<'_>,
        change: Change<'_>,
    ) -> &'r mut Text<PROBLEMS_BYTES_MAX> {
        let mut text = Text::<PATH_BYTES_MAX>::new();
        path.push(&mut text);
        self.problem(report, text.get(), change)
    }

    /// Whether a line says something of this field of the event.
    const fn has(self, name: &str) -> bool {
        let mut field = Text::<PATH_BYTES_MAX>::new();
        field.push_name(name);
        let mut at = 0;
        while at < self.lines.len() {
            let (line, next) = stored_line(self.lines, at);
            if let Some(line) = line
                && let Some(rest) = below(line.path, field.get())
                && (rest.is_empty() || !is_plain_byte(rest[0]))
            {
                return true;
            }
            at = next;
        }
        false
    }

    /// Begins a problem with a field.
    const fn problem<'r>(self, report: &'r mut Report, path: &[u8], change: Change<'_>) -> &'r mut Text<PROBLEMS_BYTES_MAX> {
        if let Mode::Backward = self.mode {
            report.changed(self.whose, path, change);
        }
        report.begin(self.whose).push("`").push_bytes(path).push("`")
    }

    const fn required(self, report: &mut Report, path: &[u8]) {
        let problem = self.problem(report, path, Change::Retyped);
        match self.mode {
            Mode::Backward => problem.push(" was optional, is now required"),
            Mode::Forward => problem.push(" is optional now, and the previous build requires it"),
        };
    }

    const fn shorter(self, report: &mut Report, path: &[u8], len: usize) {
        let problem = self.problem(report, path, Change::Retyped);
        match self.mode {
            Mode::Backward => problem.push(" was a longer tuple, now has ").push_number(len as u64),
            Mode::Forward => problem.push(" is a longer tuple now; the previous build reads one of ").push_number(len as u64),
        };
    }

    const fn gone(self, report: &mut Report, own: bool, path: &[u8], root: &Node) {
        if let Mode::Forward = self.mode {
            return;
        }
        if own
            && let Node::Record(fields) = root
            && let Some(name) = self.renamed(path, fields)
        {
            report.renamed(self.whose, path, name);
            report.begin(self.whose).push("`").push_bytes(path).push("` is stored, but no longer declared");
            return;
        }
        self.problem(report, path, Change::Removed).push(" is stored, but no longer declared");
    }

    /// The new field of an event that holds what this one held.
    const fn renamed(self, path: &[u8], fields: &'static [Field]) -> Option<&'static str> {
        let (mut held, mut at) = (0u64, 0);
        while at < self.lines.len() {
            let (line, next) = stored_line(self.lines, at);
            if let Some(Line { path: stored, kind }) = line
                && let Some(mut rest) = after(stored, path)
                && (rest.is_empty() || !is_plain_byte(rest[0]))
            {
                if let [b'.', field @ ..] = rest {
                    rest = field;
                }
                held = held.wrapping_add(line_hash(rest, kind));
            }
            at = next;
        }
        let mut i = 0;
        while i < fields.len() {
            let Field { name, default, node, .. } = fields[i];
            let now_optional = match node {
                Node::Optional(inner) => content_hash(inner, false) == held,
                _ => false,
            };
            let same = content_hash(node, default) == held || content_hash(node, false) == held || now_optional;
            if same && !self.has(name) {
                return Some(name);
            }
            i += 1;
        }
        None
    }

    const fn variant_gone(self, report: &mut Report, path: &[u8], variant: &[u8], name: &[u8]) {
        if let Mode::Backward = self.mode {
            report.changed(self.whose, variant, Change::LostVariant(name));
        }
        let problem = report.begin(self.whose).push("`").push_bytes(path).push("`");
        match self.mode {
            Mode::Backward => problem.push(" no longer has the variant `"),
            Mode::Forward => problem.push(" has the new variant `"),
        };
        problem.push_bytes(name).push("`");
    }

    const fn retyped(self, report: &mut Report, path: &[u8], step: Step<'_>, kind: &[u8], node: Option<Node>) {
        let problem = self.problem(report, path, Change::Retyped);
        match self.mode {
            Mode::Backward => {
                push_stored(problem.push(" was "), step, kind);
                push_node(problem.push(", is now "), node);
            }
            Mode::Forward => {
                push_stored(problem.push(" is "), step, kind);
                push_node(problem.push(" now, and the previous build reads "), node);
            }
        }
    }
}

/// A path on the way down a tree, which becomes text only where there is something to say of it.
struct Path<'a> {
    up: Option<&'a Path<'a>>,
    last: Piece,
}

#[derive(Clone, Copy)]
enum Piece {
    Sign(&'static str),
    Len(usize),
    Element(usize),
    /// A field of the event itself.
    First(&'static str),
    Field(&'static str),
    Variant(&'static str),
}

impl Piece {
    const fn hash(self, hash: u64) -> u64 {
        match self {
            Piece::Sign(sign) => feed(hash, sign.as_bytes()),
            Piece::First(name) => feed_name(hash, name),
            Piece::Field(name) => feed_name(feed(hash, b"."), name),
            Piece::Variant(name) => feed_name(feed(hash, b"|"), name),
            Piece::Element(i) => feed_number(feed(hash, b"#"), i as u64),
            Piece::Len(len) => feed(feed_number(feed(hash, b"["), len as u64), b"]"),
        }
    }
}

impl Path<'_> {
    const fn push<const N: usize>(&self, out: &mut Text<N>) {
        if let Some(up) = self.up {
            up.push(out);
        }
        match self.last {
            Piece::Sign(sign) => out.push(sign),
            Piece::First(name) => out.push_name(name),
            Piece::Field(name) => out.push(".").push_name(name),
            Piece::Variant(name) => out.push("|").push_name(name),
            Piece::Element(i) => out.push("#").push_number(i as u64),
            Piece::Len(len) => out.push("[").push_number(len as u64).push("]"),
        };
    }
}

impl Reader {
    const fn of(node: &'static Node) -> Self {
        Reader { node: Some(*node), default: false }
    }
}

/// What was stored, in words: the step says it where there is one.
const fn push_stored<const N: usize>(out: &mut Text<N>, step: Step<'_>, kind: &[u8]) {
    match step {
        Step::Optional => out.push("optional"),
        Step::List => out.push("a list"),
        Step::Set => out.push("a set"),
        Step::Array(len) => out.push("an array of ").push_number(len as u64),
        Step::Key | Step::Value => out.push("a map"),
        Step::Element(_) => out.push("a tuple"),
        Step::Field(_) => out.push("a record"),
        Step::Variant(_) => out.push("an enum"),
        Step::Unknown => out.push("something this gesta does not know"),
        Step::End => match kind {
            b"unit" => out.push("a plain name"),
            b"list" | b"set" | b"map" | b"tuple" | b"record" => out.push("a ").push_bytes(kind),
            b"array" => out.push("an array"),
            kind => out.push_bytes(kind),
        },
    };
}

/// What reads it, in words.
const fn push_node<const N: usize>(out: &mut Text<N>, node: Option<Node>) {
    let Some(node) = node else {
        out.push("a plain name");
        return;
    };
    match &node {
        Node::Optional(inner) => {
            out.push("optional ");
            push_node(out, Some(**inner));
        }
        Node::Array { len, .. } => {
            out.push("an array of ").push_number(*len as u64);
        }
        node => match words(node) {
            Some(words) => push_words(&words, out),
            None => {
                out.push("a ").push(container(node));
            }
        },
    }
}
