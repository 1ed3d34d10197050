//! What is wrong, with the ways out that fit it.

use super::rules::name_end;
use super::text::{Text, same};

/// The longest list of problems, in bytes.
pub(crate) const PROBLEMS_BYTES_MAX: usize = 6 << 10;
/// The longest list of ways out, in bytes.
const WAYS_BYTES_MAX: usize = 3 << 10;
/// The longest message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 12 << 10;

/// A whole message.
pub(crate) type Message = Text<MESSAGE_BYTES_MAX>;

/// The version of an event.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) version: u32,
    /// The newest version of it in the code.
    pub(crate) newest: u32,
}

/// Problems, and what is to be done about them.
pub(crate) struct Report {
    problems: Text<PROBLEMS_BYTES_MAX>,
    ways: Text<WAYS_BYTES_MAX>,
    /// Events whose next version is to be declared.
    declare: Events,
    /// Events whose next version is declared, and does not say all.
    complete: Events,
    /// Fields of events that hold a type that changed.
    nested: Text<512>,
    nested_count: u32,
    /// Where the last one stands in that.
    nested_last: usize,
    nested_next: u32,
    variant_gone: bool,
    event_gone: bool,
    version_gone: bool,
    /// Whether the version that is looked at stands among those events.
    marked: bool,
}

/// Events, with the number of the version that solves it.
struct Events {
    names: Text<1024>,
    count: u32,
    next: u32,
    /// Whether the number is the same for all.
    alike: bool,
}

/// So many of a kind are named in a sentence.
const NAMED_MAX: u32 = 4;

impl Events {
    const fn new() -> Self {
        Events { names: Text::new(), count: 0, next: 0, alike: true }
    }
    const fn add(&mut self, whose: Whose<'_>) {
        let next = whose.version + 1;
        if self.count > 0 {
            self.alike = self.alike && self.next == next;
        }
        push_in_list(&mut self.names, self.count);
        if self.count < NAMED_MAX {
            self.names.push("`").push_bytes(whose.name).push("` v").push_number(next as u64);
        }
        self.next = next;
        self.count += 1;
    }
}

/// What stands before one more of a list.
const fn push_in_list<const N: usize>(list: &mut Text<N>, count: u32) {
    match count {
        0 => {}
        NAMED_MAX => {
            list.push(" and others");
        }
        count if count < NAMED_MAX => {
            list.push(", ");
        }
        _ => {}
    }
}

impl Report {
    pub(crate) const fn new() -> Self {
        Report {
            problems: Text::new(),
            ways: Text::new(),
            declare: Events::new(),
            complete: Events::new(),
            nested: Text::new(),
            nested_count: 0,
            nested_last: 0,
            marked: false,
            nested_next: 0,
            variant_gone: false,
            event_gone: false,
            version_gone: false,
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
        self.problems.item()
    }
    /// A problem of a version.
    pub(crate) const fn begin(&mut self, whose: Whose<'_>) -> &mut Text<PROBLEMS_BYTES_MAX> {
        self.problems.item().push_bytes(whose.name).push(" v").push_number(whose.version as u64).push(": ")
    }
    /// A way out.
    pub(crate) const fn way(&mut self) -> &mut Text<WAYS_BYTES_MAX> {
        self.ways.push("\n")
    }

    /// Another version is looked at.
    pub(crate) const fn next_version(&mut self) {
        self.marked = false;
        self.nested_last = self.nested.len();
    }

    /// The version that is looked at is no longer what it was.
    pub(crate) const fn changed(&mut self, whose: Whose<'_>, path: &[u8]) {
        if !self.marked {
            self.marked = true;
            if whose.newest > whose.version {
                self.complete.add(whose);
            } else {
                self.declare.add(whose);
            }
        }
        let mut end = name_end(path, 0);
        let field = path.split_at(end).0;
        while end < path.len() && !matches!(path[end], b'.' | b'|') {
            end += 1;
        }
        if end == path.len() {
            return;
        }
        let (nested, before) = (&mut self.nested, self.nested_last);
        let mut named = Text::<512>::new();
        named.push("`").push_bytes(field).push("` of `").push_bytes(whose.name).push("`");
        if same(nested.get().split_at(before).1, named.get()) {
            return;
        }
        push_in_list(nested, self.nested_count);
        self.nested_last = nested.len();
        if self.nested_count < NAMED_MAX {
            nested.push_bytes(named.get());
        }
        self.nested_count += 1;
        self.nested_next = whose.version + 1;
    }

    /// A field holds what another held.
    pub(crate) const fn renamed(&mut self, whose: Whose<'_>, old: &[u8], new: &str) {
        self.way().push("`").push(new).push("` of `").push_bytes(whose.name).push("` holds what `").push_bytes(old);
        self.ways.push("` held: if it is the same, say `#[renamed(").push_number(whose.version as u64 + 1);
        self.ways.push(", from = \"").push_bytes(old).push("\")]` on it");
    }

    /// An event is undeclared, and a new one looks like it.
    pub(crate) const fn event_renamed(&mut self, old: &[u8], new: &str) {
        let way = self.ways.push("\nif `").push(new).push("` is what `").push_bytes(old).push("` was, say `#[event(name = \"");
        way.push_bytes(old).push("\")]` on it");
    }
    /// An event is undeclared.
    pub(crate) const fn event_gone(&mut self) {
        self.event_gone = true;
    }
    /// A version is undeclared.
    pub(crate) const fn version_gone(&mut self) {
        self.version_gone = true;
    }
    /// A variant that may be stored is gone.
    pub(crate) const fn variant_gone(&mut self, whose: Whose<'_>, path: &[u8]) {
        self.changed(whose, path);
        self.variant_gone = true;
    }

    /// Problems and ways out as one message; `None` where there are none.
    pub(crate) const fn finish(&mut self, head: &[&str]) -> Option<Message> {
        if self.is_empty() {
            return None;
        }
        let mut text = Message::new();
        let mut i = 0;
        while i < head.len() {
            text.push(head[i]);
            i += 1;
        }
        text.push(":").push_bytes(self.problems.get());
        self.next_versions();
        self.gone();
        text.push_bytes(self.ways.get());
        Some(text)
    }

    const fn gone(&mut self) {
        if self.event_gone {
            self.ways.push("\nwhat was stored goes on being read: declare the event again, and apply it or let an `#[upcast]` function of the `#[aggregate]` block take it");
        }
        if self.version_gone {
            self.ways.push("\na version that was released is not taken back: declare it again");
        }
    }

    const fn next_versions(&mut self) {
        let Report { ways, declare, complete, nested, nested_next, variant_gone, .. } = self;
        if declare.count > 0 {
            ways.push("\ndeclare ");
            declare.push(ways);
            let next = if declare.alike { Some(declare.next) } else { None };
            ways.push(" and say how ").push(if next.is_some() { "version " } else { "the one before" });
            if let Some(next) = next {
                ways.push_number(next as u64 - 1);
            }
            ways.push(" becomes it (`#[event(version = ");
            push_next(ways, next);
            ways.push(")]` with ");
            push_marks(ways, next);
            ways.push("), or undo the change");
        }
        if complete.count > 0 {
            ways.push("\n");
            complete.push(ways);
            ways.push(": what was released before it is changed by its marks only; say what differs with ");
            push_marks(ways, if complete.alike { Some(complete.next) } else { None });
            ways.push(", or undo the change");
        }
        if nested.len() > 0 {
            ways.push("\na type in ")
                .push_bytes(nested.get())
                .push(" changed: keep the old one under another name, such as `Old`, and say `#[converted(");
            ways.push_number(*nested_next as u64).push(", from = Old)]` on the field");
            if *variant_gone {
                ways.push("; or keep the variant");
            }
        }
    }
}

impl Events {
    /// `version 2 of `A``, `version 2 of `A`, `B``, or each with its number.
    const fn push<const N: usize>(&self, ways: &mut Text<N>) {
        if self.count > 1 {
            ways.push(self.names.as_str());
            return;
        }
        // Without the number, which stands before it.
        let (name, mut end) = (self.names.get(), self.names.len());
        while end > 0 && name[end - 1] != b' ' {
            end -= 1;
        }
        ways.push("version ").push_number(self.next as u64).push(" of ").push_bytes(name.split_at(end.saturating_sub(1)).0);
    }
}

const fn push_next<const N: usize>(out: &mut Text<N>, next: Option<u32>) {
    match next {
        Some(next) => out.push_number(next as u64),
        None => out.push(".."),
    };
}

const fn push_marks<const N: usize>(out: &mut Text<N>, next: Option<u32>) {
    const MARKS: [&str; 4] = ["renamed", "converted", "added", "removed"];
    let mut i = 0;
    while i < MARKS.len() {
        out.push(if i == 0 { "" } else { ", " }).push("`#[").push(MARKS[i]).push("(");
        push_next(out, next);
        out.push(", ..)]`");
        i += 1;
    }
}
