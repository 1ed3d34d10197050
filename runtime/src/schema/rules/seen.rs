//! What the lines of a version speak of.

use super::stored::{Line, Step, step};
use crate::schema::lines::{OFFSET, feed};
use crate::schema::text::part;

/// All that the lines say something of, by the hashes of its paths; `?` does not count there, and a set is a list.
pub(super) struct Seen {
    /// By their last bits, or next to that; 0 is none.
    hashes: [u64; Seen::SLOTS],
    left: usize,
}

impl Seen {
    const SLOTS: usize = 16 << 10;

    #[allow(clippy::large_stack_arrays, reason = "there is no heap in `const`, and at run time only tests come here")]
    pub(super) const fn new() -> Self {
        Seen { hashes: [0; Self::SLOTS], left: Self::SLOTS / 4 * 3 }
    }

    /// Where a hash stands, or where it would.
    #[allow(clippy::cast_possible_truncation, reason = "the last bits say where to look first")]
    const fn slot(&self, hash: u64) -> usize {
        let mut i = hash as usize % Self::SLOTS;
        while self.hashes[i] != hash && self.hashes[i] != 0 {
            i = (i + 1) % Self::SLOTS;
        }
        i
    }

    pub(super) const fn has(&self, hash: u64) -> bool {
        self.hashes[self.slot(hash)] == hash
    }

    pub(super) const fn insert(&mut self, hash: u64) {
        let slot = self.slot(hash);
        if self.hashes[slot] != hash {
            assert!(self.left > 0, "a section of a schema lock is too large: it says something of at most 12,288 fields");
            self.left -= 1;
            self.hashes[slot] = hash;
        }
    }

    /// Each step of a line's path.
    pub(super) const fn add(&mut self, line: &Line<'_>) {
        let (mut hash, mut at) = (OFFSET, 0);
        loop {
            let (step, next) = step(line.path, at);
            if let Step::End = step {
                return self.end(hash, line.kind);
            }
            hash = self.step(hash, step, part(line.path, at, if next < line.path.len() { next } else { line.path.len() }));
            at = next;
        }
    }

    /// One step more; and, of a record or tuple, that it is one.
    pub(super) const fn step(&mut self, hash: u64, step: Step<'_>, text: &[u8]) -> u64 {
        let hash = match step {
            Step::End | Step::Optional => return hash,
            Step::List | Step::Set => feed(hash, b"[]"),
            Step::Field(name) if name.len() < text.len() => {
                let dotted = feed(hash, b".");
                self.insert(dotted);
                feed(dotted, name)
            }
            Step::Element(_) => {
                self.insert(feed(hash, b"#"));
                feed(hash, text)
            }
            _ => feed(hash, text),
        };
        self.insert(hash);
        hash
    }

    /// The path ends with this kind.
    pub(super) const fn end(&mut self, hash: u64, kind: &[u8]) {
        match kind {
            [b'r', b'e', b'c', b'o', b'r', b'd', ..] => self.insert(feed(hash, b".")),
            [b't', b'u', b'p', b'l', b'e', ..] => self.insert(feed(hash, b"#")),
            _ => {}
        }
    }
}
