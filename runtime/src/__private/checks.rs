//! What is asserted while the user's crate compiles, and the hashes that are made there.

use super::same;
use crate::event::EventInfo;
use crate::read::Column;
use crate::schema::Fingerprint;

/// A text that is put together in `const`; what does not fit is cut off.
pub(super) struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    pub(super) const fn new() -> Self {
        Text { bytes: [0; 512], len: 0 }
    }
    const fn push(&mut self, text: &str) {
        let (text, mut i) = (text.as_bytes(), 0);
        while i < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }
    pub(super) const fn push_all(&mut self, parts: &[&str]) {
        let mut i = 0;
        while i < parts.len() {
            self.push(parts[i]);
            i += 1;
        }
    }
    pub(super) const fn push_number(&mut self, number: u32) {
        if number > 9 {
            self.push_number(number / 10);
        }
        let digits = "0123456789".split_at((number % 10) as usize).1;
        self.push(digits.split_at(1).0);
    }
    pub(super) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "two of these are stored under one name",
        }
    }
}

/// Fails to compile where two things of one kind are stored under one name. Each is its type's name and its stored one.
#[track_caller]
pub const fn distinct_names(owner: &str, kind: &str, attribute: &str, names: &[(&str, &str)]) {
    let mut i = 0;
    while i < names.len() {
        let mut j = 0;
        while j < i {
            if same(names[i].1, names[j].1) && !same(names[i].1, "") {
                let mut text = Text::new();
                text.push_all(&[
                    "`",
                    owner,
                    "` has two ",
                    kind,
                    " named `",
                    names[i].1,
                    "`: `",
                    names[j].0,
                    "` and `",
                    names[i].0,
                    "`; give one of them another name: `#[",
                    attribute,
                    "(name = \"..\")]`",
                ]);
                panic!("{}", text.as_str());
            }
            j += 1;
        }
        i += 1;
    }
}

const fn events(mut hash: Fingerprint, events: &[EventInfo]) -> Fingerprint {
    let mut i = 0;
    while i < events.len() {
        hash = hash.bytes(events[i].name.as_bytes());
        let (versions, mut v) = (events[i].versions, 0);
        while v < versions.len() {
            hash = hash.number(versions[v].version as u64).number(versions[v].logic).node(&versions[v].node);
            v += 1;
        }
        i += 1;
    }
    hash
}

/// The hash of a block of handlers: the aggregate's name, its tokens, the stored forms of the events it handles, and what
/// retired events become.
pub const fn block_fingerprint(aggregate: &str, tokens: u64, handled: &[EventInfo], upcasts: u64) -> u64 {
    events(Fingerprint::new().bytes(aggregate.as_bytes()).number(tokens), handled).number(upcasts).finish()
}

/// The hash of what retired events become: the functions' tokens, and the stored forms of the events.
pub const fn upcasts_fingerprint(tokens: u64, retired: &[EventInfo]) -> u64 {
    events(Fingerprint::new().number(tokens), retired).finish()
}

/// The hash of a read model: its columns with the schemas of their types, and its blocks.
pub const fn model_fingerprint(columns: &[Column], schemas: &[u64], blocks: &[u64]) -> u64 {
    let (mut hash, mut i) = (Fingerprint::new(), 0);
    while i < columns.len() {
        let Column { name, kind, nullable, role } = columns[i];
        hash = hash.bytes(name.as_bytes()).bytes(&[kind as u8, nullable as u8, role as u8]);
        i += 1;
    }
    let mut i = 0;
    while i < schemas.len() {
        hash = hash.number(schemas[i]);
        i += 1;
    }
    let mut i = 0;
    while i < blocks.len() {
        hash = hash.number(blocks[i]);
        i += 1;
    }
    hash.finish()
}
