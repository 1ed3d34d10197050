//! What is stored, as the lines of a lock tell it: a path and a kind each, and the path step by step.

#![allow(clippy::cast_possible_truncation, reason = "a hash keeps the last bits of a product")]

use crate::schema::lines::{OFFSET, PRIME, join};
use crate::schema::text::{after, is_plain_byte, line_len, number, part, same, until};

/// One line of what is stored.
pub(crate) struct Line<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) kind: &'a [u8],
}

impl<'a> Line<'a> {
    /// Without its marker.
    pub(crate) const fn of(line: &'a [u8]) -> Self {
        let (mut rest, mut quoted) = (line, false);
        loop {
            rest = match rest {
                [] => return Line { path: line, kind: b"" },
                [b' ', kind @ ..] if !quoted => {
                    return Line { path: line.split_at(line.len() - rest.len()).0, kind };
                }
                [b'\\', _, more @ ..] if quoted => more,
                [b'"', more @ ..] => {
                    quoted = !quoted;
                    more
                }
                [_, more @ ..] => more,
            };
        }
    }
}

/// A line by hashes alone. It is read byte by byte with nothing but patterns: in `const`, to cut a piece out takes longer than
/// to go through it, and nearly all lines are those of the code.
pub(super) struct Hashes<'a> {
    /// Of the first name in the path.
    pub(super) name: u64,
    /// As [`line_hash`](crate::schema::lines::line_hash) makes it.
    pub(super) line: u64,
    /// What stands behind the line.
    pub(super) after: &'a [u8],
}

impl<'a> Hashes<'a> {
    /// Of the line that stands first, without its marker.
    pub(super) const fn of(text: &'a [u8]) -> Self {
        let (mut rest, mut path, mut name, mut quoted) = (text, OFFSET, 0, false);
        while let [byte, more @ ..] = rest {
            match *byte {
                b'\n' => break,
                b'"' => quoted = !quoted,
                // It hides what follows.
                b'\\' if quoted => {
                    path = ((path ^ b'\\' as u64) as u128 * PRIME) as u64;
                    rest = more;
                }
                b'.' | b'?' | b'[' | b'{' | b'#' | b'|' if !quoted && name == 0 => name = path,
                b' ' if !quoted => break,
                _ => {}
            }
            if let [byte, more @ ..] = rest {
                path = ((path ^ *byte as u64) as u128 * PRIME) as u64;
                rest = more;
            }
        }
        if name == 0 {
            name = path;
        }
        if let [b' ', more @ ..] = rest {
            rest = more;
        }
        let mut kind = OFFSET;
        while let [byte, more @ ..] = rest {
            match *byte {
                b'\n' => break,
                b'\r' if matches!(more, [] | [b'\n', ..]) => {}
                byte => kind = ((kind ^ byte as u64) as u128 * PRIME) as u64,
            }
            rest = more;
        }
        if let [b'\n', more @ ..] = rest {
            rest = more;
        }
        Hashes { name, line: join(path, kind), after: rest }
    }
}

/// The line that begins at a place, where it is a released one, and the place of the next.
pub(super) const fn stored_line(lines: &[u8], at: usize) -> (Option<Line<'_>>, usize) {
    let rest = lines.split_at(at).1;
    let len = line_len(rest);
    let mut line = rest.split_at(len).0;
    if let [before @ .., b'\r'] = line {
        line = before;
    }
    (
        match after(line, b"  ") {
            Some(line) => Some(Line::of(line)),
            None => None,
        },
        at + len + 1,
    )
}

/// One step of a path.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    End,
    Optional,
    List,
    Set,
    Array(u32),
    Key,
    Value,
    Element(u32),
    /// A name as it is written, in quotes or not.
    Field(&'a [u8]),
    Variant(&'a [u8]),
    /// No step at all: the line was made by hand.
    Unknown,
}

/// The step that begins at a place, and the place of the next.
pub(crate) const fn step(path: &[u8], at: usize) -> (Step<'_>, usize) {
    if at >= path.len() {
        return (Step::End, at);
    }
    match path[at] {
        b'?' => (Step::Optional, at + 1),
        b'[' => {
            let end = until(path, at, b']');
            if end == path.len() {
                return (Step::Unknown, end);
            }
            let inside = part(path, at + 1, end);
            let step = if inside.is_empty() {
                Step::List
            } else if same(inside, b"set") {
                Step::Set
            } else if let Some(len) = number(inside) {
                Step::Array(len)
            } else {
                Step::Unknown
            };
            (step, end + 1)
        }
        b'{' => {
            let end = until(path, at, b'}');
            if end == path.len() {
                return (Step::Unknown, end);
            }
            let step = match part(path, at + 1, end) {
                b"" => Step::Value,
                b"key" => Step::Key,
                _ => Step::Unknown,
            };
            (step, end + 1)
        }
        b'#' => {
            let end = name_end(path, at + 1);
            match number(part(path, at + 1, end)) {
                Some(number) => (Step::Element(number), end),
                None => (Step::Unknown, end),
            }
        }
        b'|' => {
            let end = name_end(path, at + 1);
            (Step::Variant(part(path, at + 1, end)), end)
        }
        b'.' if at > 0 => {
            let end = name_end(path, at + 1);
            (Step::Field(part(path, at + 1, end)), end)
        }
        _ if at == 0 => {
            let end = name_end(path, at);
            if end == 0 { (Step::Unknown, path.len()) } else { (Step::Field(part(path, at, end)), end) }
        }
        _ => (Step::Unknown, path.len()),
    }
}

/// Where a name ends, in quotes or not.
pub(crate) const fn name_end(path: &[u8], at: usize) -> usize {
    let mut end = if at < path.len() { at } else { path.len() };
    if at < path.len() && path[at] == b'"' {
        end += 1;
        while end < path.len() && path[end] != b'"' {
            end += if path[end] == b'\\' { 2 } else { 1 };
        }
        return if end < path.len() { end + 1 } else { path.len() };
    }
    // As in `is_plain_byte`: a call for each byte would double the time of a comparison.
    let mut rest = path.split_at(end).1;
    while let [b'a'..=b'z' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'-', more @ ..] = rest {
        rest = more;
    }
    path.len() - rest.len()
}

/// What follows in a stored path on one of ours; `?` does not count, and a set is a list.
pub(crate) const fn below<'a>(stored: &'a [u8], path: &[u8]) -> Option<&'a [u8]> {
    let (mut i, mut j, mut quoted) = (0, 0, false);
    loop {
        if !quoted {
            while i < stored.len() && stored[i] == b'?' {
                i += 1;
            }
            while j < path.len() && path[j] == b'?' {
                j += 1;
            }
        }
        if j >= path.len() {
            return Some(part(stored, i, stored.len()));
        }
        if i >= stored.len() {
            return None;
        }
        if !quoted && stored[i] == b'[' && path[j] == b'[' {
            let (skip, skip_mine) = (list_len(stored, i), list_len(path, j));
            if skip > 0 && skip_mine > 0 {
                i += skip;
                j += skip_mine;
                continue;
            }
        }
        if stored[i] != path[j] {
            return None;
        }
        match stored[i] {
            b'\\' if quoted && i + 1 < stored.len() && j + 1 < path.len() => {
                i += 1;
                j += 1;
                if stored[i] != path[j] {
                    return None;
                }
            }
            b'"' => quoted = !quoted,
            _ => {}
        }
        i += 1;
        j += 1;
    }
}

/// How long `[]` or `[set]` is, where it stands here.
const fn list_len(path: &[u8], at: usize) -> usize {
    let rest = part(path, at, path.len());
    if after(rest, b"[]").is_some() {
        2
    } else if after(rest, b"[set]").is_some() {
        5
    } else {
        0
    }
}

/// Whether a path is this one, or goes on from it.
pub(super) const fn is_within(path: &[u8], part: &[u8]) -> bool {
    match after(path, part) {
        // `amount` is not within `a`.
        Some(rest) => rest.is_empty() || !is_plain_byte(rest[0]),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::lines::{feed, line_hash};

    #[test]
    fn a_line_read_by_hashes_is_the_line_read_by_its_parts() {
        for line in [
            "amount i64",
            "amount? i64",
            "amount.minor i64 default",
            "tags[set] text",
            "pair#0 u16",
            "rates{key} enum",
            "channel|Card.number text",
            "\"a \\\"b\\\\.c\".\"d e\" opaque \"one of \\\"these\\\"\"",
            "\"a.b\"?|\"c d\" enum tag \"type\" content \"data\"",
        ] {
            for end in ["", "\n", "\r\n", "\n  next i64\n"] {
                let text = format!("{line}{end}");
                let hashes = Hashes::of(text.as_bytes());
                let Line { path, kind } = Line::of(line.as_bytes());
                assert_eq!(hashes.line, line_hash(path, kind), "{text:?}");
                assert_eq!(hashes.name, feed(OFFSET, part(path, 0, name_end(path, 0))), "{text:?}");
                assert_eq!(hashes.after, end.trim_start_matches(['\r', '\n']).as_bytes(), "{text:?}");
            }
        }
    }
}
