//! A schema as lines, one for each field path, and the hash of these lines.
//!
//! Always true here: the lines say all that a [`Node`] does except its doc comments, and the hash of a schema is that of its
//! lines, in whatever order they stand. The compiler hashes without writing: it carries the state of the hash down the tree.
//!
//! | in a path | what |
//! |---|---|
//! | `amount.minor` | the field of a field |
//! | `note?` | may be nothing |
//! | `tags[]`, `tags[set]`, `rgb[3]` | each element of a list, of a set, of an array |
//! | `rates{key}`, `rates{}` | each key and each value of a map |
//! | `pair#0` | an element of a tuple |
//! | `channel\|Card` | what a variant holds |
//!
//! Records, lists, sets, arrays, maps and tuples are seen by what is in them. They have a line of their own where that says
//! nothing: a record or tuple of nothing, and a field that may be missing because it has a default.

#![allow(clippy::cast_possible_truncation, reason = "a hash keeps the last bits of a sum and of a product")]

use super::text::{Text, escape};
use super::{Field, Node, Tag};

/// The longest path, in bytes.
pub(crate) const PATH_BYTES_MAX: usize = 2 << 10;
/// The most that the lines of one version have, in bytes.
pub(crate) const LINES_BYTES_MAX: usize = 64 << 10;

/// The words of a kind: each as it is, or in quotes.
pub(crate) type Words = [(&'static str, bool); 7];

/// The words of what has a line of its own; `None` for what is seen by its elements.
pub(crate) const fn words(node: &Node) -> Option<Words> {
    const NONE: (&str, bool) = ("", false);
    let mut words = [NONE; 7];
    words[0].0 = match node {
        Node::Bool => "bool",
        Node::Int { signed: true, .. } => "i",
        Node::Int { signed: false, .. } => "u",
        Node::Float { .. } => "f",
        Node::Text => "text",
        Node::Named(name) => name,
        Node::Opaque(_) => "opaque ",
        Node::Enum { .. } => "enum",
        _ => return None,
    };
    match node {
        Node::Int { bits, .. } | Node::Float { bits } => words[1].0 = digits(*bits),
        Node::Opaque(description) => words[1] = (description, true),
        Node::Enum { tag: Tag::Internal(tag), .. } => {
            words[1].0 = " tag ";
            words[2] = (tag, true);
        }
        Node::Enum { tag: Tag::Adjacent { tag, content }, .. } => {
            words[1].0 = " tag ";
            words[2] = (tag, true);
            words[3].0 = " content ";
            words[4] = (content, true);
        }
        _ => {}
    }
    Some(words)
}

const fn digits(bits: u8) -> &'static str {
    match bits {
        8 => "8",
        16 => "16",
        32 => "32",
        64 => "64",
        128 => "128",
        _ => "?",
    }
}

/// How what is seen by its elements is called, where it needs a line.
pub(crate) const fn container(node: &Node) -> &'static str {
    match node {
        Node::List(_) => "list",
        Node::Set(_) => "set",
        Node::Array { .. } => "array",
        Node::Map { .. } => "map",
        Node::Tuple(_) => "tuple",
        Node::Record(_) => "record",
        _ => "",
    }
}

/// Whether it has no element that could be seen.
const fn is_bare(node: &Node) -> bool {
    match node {
        Node::Record(fields) => fields.is_empty(),
        Node::Tuple(items) => items.is_empty(),
        _ => false,
    }
}

/// Writes the lines of an event's version, each with `head` before it.
pub(crate) const fn write<const N: usize>(node: &Node, head: &str, out: &mut Text<N>) {
    let mut path = Text::<PATH_BYTES_MAX>::new();
    write_at(node, head, &mut path, None, out);
    assert!(
        !out.is_full() && !path.is_full(),
        "the schema of an event is too large for a lock: all of its lines together have 64 KiB, and a path 2 KiB"
    );
}

/// `default`: whether the field this is may be missing; `None` at the root, whose own form goes without saying.
const fn write_at<const N: usize>(
    node: &Node,
    head: &str,
    path: &mut Text<PATH_BYTES_MAX>,
    default: Option<bool>,
    out: &mut Text<N>,
) {
    let len = path.len();
    let missing = matches!(default, Some(true));
    if let Some(words) = words(node) {
        line(head, path, &words, missing, out);
    } else if default.is_some() && (missing || is_bare(node)) && !matches!(node, Node::Optional(_)) {
        line(head, path, &[(container(node), false)], missing, out);
    }
    match node {
        // An optional value may be missing anyway.
        Node::Optional(inner) => write_at(inner, head, path.push("?"), Some(false), out),
        Node::List(item) => write_at(item, head, path.push("[]"), Some(false), out),
        Node::Set(item) => write_at(item, head, path.push("[set]"), Some(false), out),
        Node::Array { len, item } => {
            write_at(item, head, path.push("[").push_number(*len as u64).push("]"), Some(false), out);
        }
        Node::Map { key, value } => {
            write_at(key, head, path.push("{key}"), Some(false), out);
            path.cut(len);
            write_at(value, head, path.push("{}"), Some(false), out);
        }
        Node::Tuple(items) => {
            let mut i = 0;
            while i < items.len() {
                write_at(items[i], head, path.push("#").push_number(i as u64), Some(false), out);
                path.cut(len);
                i += 1;
            }
        }
        Node::Record(fields) => {
            let mut i = 0;
            while i < fields.len() {
                let Field { name, default, node, .. } = fields[i];
                if len > 0 {
                    path.push(".");
                }
                write_at(node, head, path.push_name(name), Some(default), out);
                path.cut(len);
                i += 1;
            }
        }
        Node::Enum { variants, .. } => {
            let mut i = 0;
            while i < variants.len() {
                path.push("|").push_name(variants[i].name);
                match variants[i].node {
                    Some(inner) => write_at(inner, head, path, Some(false), out),
                    None => line(head, path, &[("unit", false)], false, out),
                }
                path.cut(len);
                i += 1;
            }
        }
        _ => {}
    }
    path.cut(len);
}

const fn line<const N: usize>(head: &str, path: &Text<PATH_BYTES_MAX>, words: &[(&str, bool)], default: bool, out: &mut Text<N>) {
    out.push(head).push_bytes(path.get()).push(" ");
    push_words(words, out);
    out.push(if default { " default\n" } else { "\n" });
}

/// Adds the words of a kind.
pub(crate) const fn push_words<const N: usize>(words: &[(&str, bool)], out: &mut Text<N>) {
    let mut i = 0;
    while i < words.len() {
        let (word, quoted) = words[i];
        if quoted {
            out.push_quoted(word);
        } else {
            out.push(word);
        }
        i += 1;
    }
}

/// The hash of a version under this name: what its section is opened by.
pub(crate) const fn fingerprint(name: &str, version: u32, node: &Node) -> u64 {
    add(title_hash(name.as_bytes(), version), sum(node, OFFSET, None))
}

/// What the hash of a section begins with, so that one without lines has one too.
pub(crate) const fn title_hash(name: &[u8], version: u32) -> u64 {
    join(feed(OFFSET, name), version as u64)
}

/// The hash of one line, from `path` to kind.
pub(crate) const fn line_hash(path: &[u8], kind: &[u8]) -> u64 {
    join(feed(OFFSET, path), feed(OFFSET, kind))
}

/// The hash of what stands in a field, whatever the field is called.
pub(crate) const fn content_hash(node: &Node, default: bool) -> u64 {
    sum(node, OFFSET, Some(default))
}

pub(crate) const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// One more piece, by FNV-1a. With 128 bits nothing overflows: in `const`, a call to `wrapping_mul` takes as long as the
/// rest of the loop.
pub(crate) const fn feed(mut hash: u64, mut bytes: &[u8]) -> u64 {
    while let [a, b, c, d, rest @ ..] = bytes {
        hash = ((hash ^ *a as u64) as u128 * PRIME) as u64;
        hash = ((hash ^ *b as u64) as u128 * PRIME) as u64;
        hash = ((hash ^ *c as u64) as u128 * PRIME) as u64;
        hash = ((hash ^ *d as u64) as u128 * PRIME) as u64;
        bytes = rest;
    }
    while let [a, rest @ ..] = bytes {
        hash = ((hash ^ *a as u64) as u128 * PRIME) as u64;
        bytes = rest;
    }
    hash
}

pub(crate) const PRIME: u128 = 0x100_0000_01b3;

/// The hash of a line, of those of its path and its kind. Hashes that are added up must not keep the likeness of their lines.
/// Source: the folded multiplication of wyhash, by Wang Yi, <https://github.com/wangyi-fudan/wyhash>.
pub(crate) const fn join(path: u64, kind: u64) -> u64 {
    let product = (path ^ 0xa076_1d64_78bd_642f) as u128 * (kind ^ 0xe703_7ed1_a0b4_28db) as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Added up, as they come.
pub(crate) const fn add(a: u64, b: u64) -> u64 {
    (a as u128 + b as u128) as u64
}

pub(crate) const fn feed_name(hash: u64, name: &str) -> u64 {
    let (mut rest, mut state) = (name.as_bytes(), hash);
    if rest.is_empty() {
        return feed_quoted(hash, name);
    }
    while let [a, more @ ..] = rest {
        if !matches!(*a, b'a'..=b'z' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'-') {
            return feed_quoted(hash, name);
        }
        state = ((state ^ *a as u64) as u128 * PRIME) as u64;
        rest = more;
    }
    state
}

const fn feed_quoted(mut hash: u64, text: &str) -> u64 {
    hash = feed(hash, b"\"");
    let (bytes, mut i) = (text.as_bytes(), 0);
    while i < bytes.len() {
        let (escaped, len) = escape(bytes[i]);
        hash = if len == 0 { feed(hash, &[bytes[i]]) } else { feed(hash, escaped.split_at(len).0) };
        i += 1;
    }
    feed(hash, b"\"")
}

pub(crate) const fn feed_number(mut hash: u64, number: u64) -> u64 {
    if number > 9 {
        hash = feed_number(hash, number / 10);
    }
    feed(hash, &[b'0' + (number % 10) as u8])
}

/// The hash of a kind's words.
const fn kind_hash(words: &[(&str, bool)], default: bool) -> u64 {
    let (mut hash, mut i) = (OFFSET, 0);
    while i < words.len() && (words[i].1 || !words[i].0.is_empty()) {
        let (word, quoted) = words[i];
        hash = if quoted { feed_quoted(hash, word) } else { feed(hash, word.as_bytes()) };
        i += 1;
    }
    if default { feed(hash, b" default") } else { hash }
}

/// The hash of a kind that many fields have; known before anybody asks.
const fn usual(node: &Node) -> Option<u64> {
    const BOOL: u64 = feed(OFFSET, b"bool");
    const TEXT: u64 = feed(OFFSET, b"text");
    const I32: u64 = feed(OFFSET, b"i32");
    const I64: u64 = feed(OFFSET, b"i64");
    const U32: u64 = feed(OFFSET, b"u32");
    const U64: u64 = feed(OFFSET, b"u64");
    const ENUM: u64 = feed(OFFSET, b"enum");
    Some(match node {
        Node::Bool => BOOL,
        Node::Text => TEXT,
        Node::Int { signed: true, bits: 32 } => I32,
        Node::Int { signed: true, bits: 64 } => I64,
        Node::Int { signed: false, bits: 32 } => U32,
        Node::Int { signed: false, bits: 64 } => U64,
        Node::Enum { tag: Tag::External, .. } => ENUM,
        _ => return None,
    })
}

/// The hashes of the lines, added up. `path` is the hash of the path so far.
pub(crate) const fn sum(node: &Node, path: u64, default: Option<bool>) -> u64 {
    const UNIT: u64 = feed(OFFSET, b"unit");
    let missing = matches!(default, Some(true));
    let own = if !missing && let Some(kind) = usual(node) {
        join(path, kind)
    } else if let Some(words) = words(node) {
        join(path, kind_hash(&words, missing))
    } else if default.is_some() && (missing || is_bare(node)) && !matches!(node, Node::Optional(_)) {
        join(path, kind_hash(&[(container(node), false)], missing))
    } else {
        0
    };
    let no = Some(false);
    let inner = match node {
        Node::Optional(inner) => sum(inner, feed(path, b"?"), no),
        Node::List(item) => sum(item, feed(path, b"[]"), no),
        Node::Set(item) => sum(item, feed(path, b"[set]"), no),
        Node::Array { len, item } => sum(item, feed(feed_number(feed(path, b"["), *len as u64), b"]"), no),
        Node::Map { key, value } => add(sum(key, feed(path, b"{key}"), no), sum(value, feed(path, b"{}"), no)),
        Node::Tuple(items) => {
            let (mut all, mut i) = (0u64, 0);
            while i < items.len() {
                all = add(all, sum(items[i], feed_number(feed(path, b"#"), i as u64), no));
                i += 1;
            }
            all
        }
        Node::Record(fields) => {
            let dotted = if path == OFFSET { path } else { feed(path, b".") };
            let (mut all, mut i) = (0u64, 0);
            while i < fields.len() {
                let Field { name, default, node, .. } = fields[i];
                all = add(all, sum(node, feed_name(dotted, name), Some(default)));
                i += 1;
            }
            all
        }
        Node::Enum { variants, .. } => {
            let (barred, mut all, mut i) = (feed(path, b"|"), 0u64, 0);
            while i < variants.len() {
                let named = feed_name(barred, variants[i].name);
                let line = match variants[i].node {
                    Some(inner) => sum(inner, named, no),
                    None => join(named, UNIT),
                };
                all = add(all, line);
                i += 1;
            }
            all
        }
        _ => 0,
    };
    add(own, inner)
}

/// Whether a written kind is this one.
pub(crate) const fn is_kind(written: &[u8], words: &Words) -> bool {
    feed(OFFSET, written) == kind_hash(words, false)
}

#[cfg(test)]
mod tests {
    use super::super::lock::file::{Section, tree};
    use super::super::{Schema, Variant};
    use super::*;

    const UNIT: Variant = Variant { name: "Plain", doc: "", node: None };
    const CARD: Variant = Variant { name: "Card", doc: "", node: Some(&Node::Record(&[])) };
    const NEW: Variant = Variant { name: "a new\none", doc: "", node: Some(&Node::Optional(&Node::Text)) };

    const fn field(name: &'static str, default: bool, node: &'static Node) -> Field {
        Field { name, doc: "", default, node }
    }

    /// All that a schema can hold.
    const ALL: Node = Node::Record(&[
        field("amount", false, &Node::Int { signed: false, bits: 128 }),
        field("straße", true, &Node::Record(&[field("nr.", false, &Node::Float { bits: 32 })])),
        field("list", true, &<Vec<Option<bool>> as Schema>::NODE),
        field("map", false, &<std::collections::BTreeMap<uuid::Uuid, (i8, String)> as Schema>::NODE),
        field("set", false, &<std::collections::BTreeSet<i64> as Schema>::NODE),
        field("rgb", false, &Node::Array { len: 12, item: &Node::Opaque("one \"channel\"") }),
        field("plain", true, &Node::Enum { tag: Tag::External, variants: &[UNIT, CARD, NEW] }),
        field("inner", false, &Node::Enum { tag: Tag::Internal("type"), variants: &[CARD] }),
        field("beside", false, &Node::Enum { tag: Tag::Adjacent { tag: "t y", content: "c" }, variants: &[] }),
    ]);

    #[test]
    fn lines_say_all_that_a_schema_says() {
        let section = Section::of("Paid", 1, &ALL);
        let expected = r#"  amount u128
  "straße" record default
  "straße"."nr." f32
  list list default
  list[]? bool
  map{key} uuid
  map{}#0 i8
  map{}#1 text
  set[set] i64
  rgb[12] opaque "one \"channel\""
  plain enum default
  plain|Plain unit
  plain|Card record
  plain|"a new\x0aone"? text
  inner enum tag "type"
  inner|Card record
  beside enum tag "t y" content "c"
"#;
        assert_eq!(section.text(|_| true), expected);
        assert_eq!(*tree(&section.lines), ALL);
    }

    #[test]
    fn the_hash_of_a_schema_is_that_of_its_lines() {
        let section = Section::of("Paid", 1, &ALL);
        assert_eq!(section.lines_fingerprint(), section.fingerprint);
        let mut reordered = section.clone();
        reordered.lines.reverse();
        assert_eq!(reordered.lines_fingerprint(), section.fingerprint);
        for i in 0..section.lines.len() {
            let mut changed = section.clone();
            changed.lines[i].kind.push('x');
            assert_ne!(changed.lines_fingerprint(), section.fingerprint, "{}", section.lines[i].path);
        }
        assert_ne!(fingerprint("Paid", 2, &ALL), section.fingerprint);
        assert_ne!(fingerprint("Pai", 1, &ALL), section.fingerprint);
    }
}
