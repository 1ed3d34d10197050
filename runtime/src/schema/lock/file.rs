//! A lock as a program holds it: read, changed and written.
//!
//! Always true here: released lines are never changed; a draft line overrides the released one of its path, where `?` does
//! not count and a set is a list.

use std::fmt::{self, Write as _};

use super::super::lines::{self, line_hash, title_hash};
use super::super::rules::{self, Step, below, step};
use super::super::text::Text;
use super::super::{Field, Node, Tag, Variant};
use super::{Entry, FORMAT, HEAD, entry, unreadable};

/// A whole lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LockFile {
    /// The name the aggregate's streams are stored under.
    pub(crate) aggregate: String,
    /// The kind of its ids.
    pub(crate) id: String,
    /// One for each version of each event.
    pub(crate) sections: Vec<Section>,
    /// Comments above the aggregate's line, other than our own.
    comments: Vec<String>,
    /// Comments below the last section.
    end: Vec<String>,
    /// Whether lines end as on Windows.
    crlf: bool,
}

/// What is known of one version of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// The event's stored name.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: u32,
    /// Whether all of it may still change.
    pub(crate) draft: bool,
    /// What it is opened by.
    pub(crate) fingerprint: u64,
    /// Its lines, in the order of the fields.
    pub(crate) lines: Vec<Line>,
    /// Comments above it.
    comments: Vec<String>,
    /// The line of the file it is opened in, from 1 on; 0 if it comes from the code.
    pub(crate) at: usize,
}

/// A path with its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whether it may still change.
    pub(crate) draft: bool,
    /// Where it stands, such as `amount.minor`.
    pub(crate) path: String,
    /// What stands there, such as `i64` or `text default`.
    pub(crate) kind: String,
}

impl LockFile {
    /// Reads a lock; sections may stand in any order.
    ///
    /// # Errors
    /// A sentence with the file and the line.
    pub(crate) fn parse(file: &str, text: &[u8]) -> Result<LockFile, String> {
        if let Some(problem) = unreadable(file, text, false) {
            return Err(problem.as_str().to_owned());
        }
        let text = std::str::from_utf8(text).map_err(|error| format!("{file}: this is not UTF-8 text: {error}"))?;
        let mut lock = LockFile { crlf: text.contains("\r\n"), ..LockFile::default() };
        let mut comments = Vec::new();
        let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for (number, line) in text.lines().enumerate().skip(1) {
            match entry(line.as_bytes()) {
                Entry::Comment => comments.push(line.to_owned()),
                Entry::Aggregate { name, id } => {
                    (lock.aggregate, lock.id) = (utf8(name), utf8(id));
                    comments.retain(|comment| comment != &notice());
                    lock.comments = std::mem::take(&mut comments);
                }
                Entry::Section(section) => lock.sections.push(Section {
                    name: utf8(section.name),
                    version: section.version,
                    draft: section.draft,
                    fingerprint: section.fingerprint,
                    lines: Vec::new(),
                    comments: std::mem::take(&mut comments),
                    at: number + 1,
                }),
                Entry::Line { draft, line } => {
                    let rules::Line { path, kind } = rules::Line::of(line);
                    if path.is_empty() || kind.is_empty() {
                        let at = number + 1;
                        return Err(format!(
                            "{file}, line {at}: a field has a path and a kind, such as `amount i64`; take the file from version control"
                        ));
                    }
                    let section = lock.sections.last_mut().ok_or_else(|| format!("{file}: a field without a section"))?;
                    let draft = draft || section.draft;
                    section.lines.push(Line { draft, path: utf8(path), kind: utf8(kind) });
                }
                Entry::Blank | Entry::Marker | Entry::Unknown => {}
            }
        }
        lock.end = comments;
        Ok(lock)
    }

    /// One version of an event.
    pub(crate) fn section(&self, name: &str, version: u32) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name && section.version == version)
    }

    /// What may still change, each as `MoneyDeposited v2`.
    pub(crate) fn drafts(&self) -> Vec<String> {
        let drafts = self.sections.iter().filter(|section| section.draft || section.lines.iter().any(|line| line.draft));
        drafts.map(Section::title).collect()
    }
}

/// The comment below the head.
fn notice() -> String {
    "# `GESTA_SCHEMA=write cargo test gesta_schema` writes drafts, `GESTA_SCHEMA=release cargo test gesta_schema` freezes them."
        .to_owned()
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.crlf { "\r\n" } else { "\n" };
        write!(f, "{HEAD}{FORMAT}{end}{}{end}", notice())?;
        for comment in &self.comments {
            write!(f, "{comment}{end}")?;
        }
        write!(f, "aggregate {}, id {}{end}", self.aggregate, self.id)?;
        for section in &self.sections {
            write!(f, "{end}")?;
            for comment in &section.comments {
                write!(f, "{comment}{end}")?;
            }
            let word = if section.draft { "draft" } else { "event" };
            write!(f, "{word} {} {:016x}{end}", section.title(), section.fingerprint)?;
            for line in &section.lines {
                let marker = if line.draft && !section.draft { "+" } else { " " };
                write!(f, "{marker} {line}{end}")?;
            }
        }
        for (i, comment) in self.end.iter().enumerate() {
            write!(f, "{}{comment}{end}", if i == 0 { end } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.kind)
    }
}

impl Line {
    /// The path without what does not tell paths apart.
    fn key(&self) -> String {
        let (mut key, mut at) = (String::new(), 0);
        loop {
            let (step, next) = step(self.path.as_bytes(), at);
            match step {
                Step::End => return key,
                Step::Optional => {}
                Step::List | Step::Set => key.push_str("[]"),
                _ => key.push_str(self.path.get(at..next).unwrap_or_default()),
            }
            at = next;
        }
    }

    /// Whether both are one line, draft or not.
    fn says_the_same(&self, other: &Line) -> bool {
        self.path == other.path && self.kind == other.kind
    }

    /// Whether it says no more than the lines of what is in it do: that a record holds something, and that a field may be
    /// missing which is optional by now.
    fn is_implied(&self, others: &[&Line]) -> bool {
        let default = self.kind.ends_with(" default");
        let container = ["record", "tuple", "list", "set", "array", "map"].contains(&self.kind.trim_end_matches(" default"));
        let path = self.path.as_bytes();
        container
            && others.iter().any(|line| match below(line.path.as_bytes(), path) {
                Some([]) | None => false,
                Some(rest) if default => {
                    // `address.street` is `address?.street` by now.
                    let inside = line.path.len() - rest.len();
                    b".[{#".contains(&rest[0]) && line.path.as_bytes()[..inside].ends_with(b"?") && !path.ends_with(b"?")
                }
                Some([first, ..]) => b".[{#|".contains(first),
            })
    }
}

impl Section {
    /// Of the code.
    pub(crate) fn of(name: &str, version: u32, node: &Node) -> Section {
        let mut text = Text::<{ lines::LINES_BYTES_MAX }>::new();
        lines::write(node, "", &mut text);
        let lines = text.as_str().lines().map(|line| {
            let rules::Line { path, kind } = rules::Line::of(line.as_bytes());
            let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Line { draft: true, path: utf8(path), kind: utf8(kind) }
        });
        Section {
            name: name.to_owned(),
            version,
            draft: true,
            fingerprint: lines::fingerprint(name, version, node),
            lines: lines.collect(),
            comments: Vec::new(),
            at: 0,
        }
    }

    /// `MoneyDeposited v1`.
    pub(crate) fn title(&self) -> String {
        format!("{} v{}", self.name, self.version)
    }

    /// What holds today: drafts override what was released.
    pub(crate) fn current(&self) -> Vec<&Line> {
        let drafted: Vec<_> = self.lines.iter().filter(|line| line.draft).map(Line::key).collect();
        let holds = |line: &&Line| line.draft || !drafted.contains(&line.key());
        let held: Vec<_> = self.lines.iter().filter(holds).collect();
        held.iter().copied().filter(|line| !line.is_implied(&held)).collect()
    }

    /// What may be stored.
    pub(crate) fn released(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.draft)
    }

    /// The fingerprint that its lines have.
    pub(crate) fn lines_fingerprint(&self) -> u64 {
        let hashes = self.current().into_iter().map(|line| line_hash(line.path.as_bytes(), line.kind.as_bytes()));
        hashes.fold(title_hash(self.name.as_bytes(), self.version), u64::wrapping_add)
    }

    /// The same with the code's lines as drafts where they differ from what was released.
    pub(crate) fn updated(&self, code: &Section) -> Section {
        if self.draft {
            return Section { comments: self.comments.clone(), at: self.at, ..code.clone() };
        }
        let mut released: Vec<Option<&Line>> = self.released().map(Some).collect();
        let mut lines: Vec<Line> = Vec::new();
        for line in &code.lines {
            let key = line.key();
            let at = released.iter().position(|slot| slot.is_some_and(|other| other.says_the_same(line)));
            let at = at.or_else(|| released.iter().position(|slot| slot.is_some_and(|other| other.key() == key)));
            let same = at.and_then(|at| released[at].take());
            lines.extend(same.cloned());
            if same.is_none_or(|same| !same.says_the_same(line)) {
                lines.push(Line { draft: true, ..line.clone() });
            }
        }
        // What has no line in the code any more stands before what is in it. A second line of a path, as a merge may leave
        // one, adds nothing where it is the same, or where the first is the code's, which reads it.
        for line in released.into_iter().flatten() {
            let adds_nothing = |other: &Line| {
                let is_the_codes = || other.key() == line.key() && code.lines.iter().any(|now| now.says_the_same(other));
                !other.draft && (other.says_the_same(line) || is_the_codes())
            };
            if lines.iter().any(adds_nothing) {
                continue;
            }
            let inside = |other: &Line| below(other.path.as_bytes(), line.path.as_bytes()).is_some();
            let at = lines.iter().position(inside).unwrap_or(lines.len());
            lines.insert(at, line.clone());
        }
        Section { lines, fingerprint: code.fingerprint, comments: self.comments.clone(), at: self.at, ..self.clone() }
    }

    /// Frozen: drafts are what was released.
    pub(crate) fn freeze(&self) -> Section {
        let lines = self.current().into_iter().map(|line| Line { draft: false, ..line.clone() }).collect();
        Section { draft: false, lines, ..self.clone() }
    }

    /// Its lines as a file has them, of those that are taken.
    pub(crate) fn text(&self, take: impl Fn(&Line) -> bool) -> String {
        self.lines.iter().filter(|line| take(line)).fold(String::new(), |mut text, line| {
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {line}");
            text
        })
    }
}

/// The tree that lines describe, kept for as long as the program runs: for reports and tests.
pub(crate) fn tree<'a>(lines: impl IntoIterator<Item = &'a Line>) -> &'static Node {
    let mut root = Tree::default();
    for line in lines {
        let (path, mut tree, mut at) = (line.path.as_bytes(), &mut root, 0);
        loop {
            let (step, next) = step(path, at);
            let Some(name) = Branch::of(step) else { break };
            let i = tree.branches.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
                tree.branches.push((name, Tree::default()));
                tree.branches.len() - 1
            });
            tree = &mut tree.branches[i].1;
            at = next;
        }
        tree.kind = Some(line.kind.clone());
    }
    // An event without fields is a record too.
    if root.branches.is_empty() { &Node::Record(&[]) } else { leak(root.node()) }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[derive(Default)]
struct Tree {
    kind: Option<String>,
    branches: Vec<(Branch, Tree)>,
}

#[derive(PartialEq, Eq)]
enum Branch {
    Optional,
    List,
    Set,
    Array(u32),
    Key,
    Value,
    Element(u32),
    Field(String),
    Variant(String),
}

impl Branch {
    fn of(step: Step<'_>) -> Option<Branch> {
        Some(match step {
            Step::End | Step::Unknown => return None,
            Step::Optional => Branch::Optional,
            Step::List => Branch::List,
            Step::Set => Branch::Set,
            Step::Array(len) => Branch::Array(len),
            Step::Key => Branch::Key,
            Step::Value => Branch::Value,
            Step::Element(i) => Branch::Element(i),
            Step::Field(name) => Branch::Field(unquoted(&String::from_utf8_lossy(name))),
            Step::Variant(name) => Branch::Variant(unquoted(&String::from_utf8_lossy(name))),
        })
    }
}

impl Tree {
    fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }
    fn may_be_missing(&self) -> bool {
        self.kind().ends_with(" default")
    }
    fn branch(&self, branch: &Branch) -> &'static Node {
        let found = self.branches.iter().find(|(other, _)| other == branch);
        found.map_or(&Node::Record(&[]), |(_, tree)| leak(tree.node()))
    }
    fn node(&self) -> Node {
        let kind = self.kind().trim_end_matches(" default");
        match self.branches.first().map(|(branch, _)| branch) {
            None => leaf(kind),
            Some(Branch::Optional) => Node::Optional(self.branch(&Branch::Optional)),
            Some(Branch::List) => Node::List(self.branch(&Branch::List)),
            Some(Branch::Set) => Node::Set(self.branch(&Branch::Set)),
            Some(Branch::Array(len)) => Node::Array { len: *len as usize, item: self.branch(&Branch::Array(*len)) },
            Some(Branch::Key | Branch::Value) => Node::Map { key: self.branch(&Branch::Key), value: self.branch(&Branch::Value) },
            Some(Branch::Element(_)) => {
                let items: Vec<_> = (0..).zip(&self.branches).map(|(i, _)| self.branch(&Branch::Element(i))).collect();
                Node::Tuple(items.leak())
            }
            Some(Branch::Field(_) | Branch::Variant(_)) if kind.starts_with("enum") => {
                Node::Enum { tag: tag(kind), variants: self.variants() }
            }
            Some(Branch::Variant(_)) => Node::Enum { tag: Tag::External, variants: self.variants() },
            Some(Branch::Field(_)) => Node::Record(self.fields()),
        }
    }
    fn fields(&self) -> &'static [Field] {
        let fields = self.branches.iter().filter_map(|(branch, tree)| match branch {
            Branch::Field(name) => {
                let name = String::leak(name.clone());
                Some(Field { name, doc: "", default: tree.may_be_missing(), node: leak(tree.node()) })
            }
            _ => None,
        });
        Vec::leak(fields.collect())
    }
    fn variants(&self) -> &'static [Variant] {
        let variants = self.branches.iter().filter_map(|(branch, tree)| match branch {
            Branch::Variant(name) => {
                let name = String::leak(name.clone());
                let unit = tree.branches.is_empty() && tree.kind() == "unit";
                Some(Variant { name, doc: "", node: (!unit).then(|| leak(tree.node())) })
            }
            _ => None,
        });
        Vec::leak(variants.collect())
    }
}

/// The node of a kind that has no elements.
fn leaf(kind: &str) -> Node {
    let bits = |text: &str| text.parse::<u8>().ok().filter(|bits| [8, 16, 32, 64, 128].contains(bits));
    match kind {
        "bool" => return Node::Bool,
        "text" => return Node::Text,
        "record" => return Node::Record(&[]),
        "tuple" => return Node::Tuple(&[]),
        _ => {}
    }
    if kind == "enum" || kind.starts_with("enum ") {
        return Node::Enum { tag: tag(kind), variants: &[] };
    }
    if let Some(description) = kind.strip_prefix("opaque ") {
        return Node::Opaque(String::leak(unquoted(description)));
    }
    let number = kind.split_at_checked(1).and_then(|(letter, digits)| Some((letter, bits(digits)?)));
    match number {
        Some(("i", bits)) => Node::Int { signed: true, bits },
        Some(("u", bits)) => Node::Int { signed: false, bits },
        Some(("f", bits)) => Node::Float { bits },
        _ => Node::Named(String::leak(kind.to_owned())),
    }
}

/// `enum tag "type" content "data"`
fn tag(kind: &str) -> Tag {
    let leaked = |quoted: &str| -> &'static str { String::leak(unquoted(quoted)) };
    match kind.strip_prefix("enum tag ") {
        None => Tag::External,
        Some(rest) => match quoted_end(rest).and_then(|end| rest.split_at_checked(end)) {
            Some((tag, content)) => match content.strip_prefix(" content ") {
                Some(content) => Tag::Adjacent { tag: leaked(tag), content: leaked(content) },
                None => Tag::Internal(leaked(tag)),
            },
            None => Tag::Internal(leaked(rest)),
        },
    }
}

/// Where the text in quotes that stands first ends.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// A name as it is, of one as it is written.
fn unquoted(written: &str) -> String {
    let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return written.to_owned() };
    let (mut name, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).collect();
                    name.extend(u8::from_str_radix(&digits, 16).map(char::from));
                }
                other => name.extend(other),
            },
            c => name.push(c),
        }
    }
    name
}
