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

use super::text::{Text, escape, is_plain_byte};
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

const fn line<const N: usize>(
    head: &str,
    path: &Text<PATH_BYTES_MAX>,
    words: &[(&str, bool)],
    default: bool,
    out: &mut Text<N>,
) {
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
    title_hash(name.as_bytes(), version).wrapping_add(sum(node, OFFSET, None))
}

/// What the hash of a section begins with, so that one without lines has one too.
pub(crate) const fn title_hash(name: &[u8], version: u32) -> u64 {
    mix(feed(feed(feed(OFFSET, name), b" v"), &version.to_le_bytes()))
}

/// The hash of one line, from `path` to kind.
pub(crate) const fn line_hash(path: &[u8], kind: &[u8]) -> u64 {
    mix(feed(feed(feed(OFFSET, path), b" "), kind))
}

/// The hash of what stands in a field, whatever the field is called.
pub(crate) const fn content_hash(node: &Node, default: bool) -> u64 {
    sum(node, OFFSET, Some(default))
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// One more piece, by FNV-1a.
const fn feed(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    hash
}

/// Hashes that are added up must not keep the likeness of their lines. Source: the finalizer of SplitMix64, by Steele, Lea
/// and Flood, <https://doi.org/10.1145/2714064.2660195>.
const fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

const fn feed_name(hash: u64, name: &str) -> u64 {
    let (bytes, mut state, mut i) = (name.as_bytes(), hash, 0);
    while i < bytes.len() {
        if !is_plain_byte(bytes[i]) {
            return feed_quoted(hash, name);
        }
        state = (state ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    if bytes.is_empty() { feed_quoted(hash, name) } else { state }
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

const fn feed_number(mut hash: u64, number: u64) -> u64 {
    if number > 9 {
        hash = feed_number(hash, number / 10);
    }
    feed(hash, &[b'0' + (number % 10) as u8])
}

const fn sum_line(path: u64, words: &[(&str, bool)], default: bool) -> u64 {
    let (mut hash, mut i) = (feed(path, b" "), 0);
    while i < words.len() && !(words[i].0.is_empty() && !words[i].1) {
        let (word, quoted) = words[i];
        hash = if quoted { feed_quoted(hash, word) } else { feed(hash, word.as_bytes()) };
        i += 1;
    }
    mix(if default { feed(hash, b" default") } else { hash })
}

/// The hashes of the lines, added up. `path` is the hash of the path so far.
const fn sum(node: &Node, path: u64, default: Option<bool>) -> u64 {
    let missing = matches!(default, Some(true));
    let own = if let Some(words) = words(node) {
        sum_line(path, &words, missing)
    } else if default.is_some() && (missing || is_bare(node)) && !matches!(node, Node::Optional(_)) {
        sum_line(path, &[(container(node), false)], missing)
    } else {
        0
    };
    let no = Some(false);
    let inner = match node {
        Node::Optional(inner) => sum(inner, feed(path, b"?"), no),
        Node::List(item) => sum(item, feed(path, b"[]"), no),
        Node::Set(item) => sum(item, feed(path, b"[set]"), no),
        Node::Array { len, item } => sum(item, feed(feed_number(feed(path, b"["), *len as u64), b"]"), no),
        Node::Map { key, value } => sum(key, feed(path, b"{key}"), no).wrapping_add(sum(value, feed(path, b"{}"), no)),
        Node::Tuple(items) => {
            let (mut all, mut i) = (0u64, 0);
            while i < items.len() {
                all = all.wrapping_add(sum(items[i], feed_number(feed(path, b"#"), i as u64), no));
                i += 1;
            }
            all
        }
        Node::Record(fields) => {
            let dotted = if path == OFFSET { path } else { feed(path, b".") };
            let (mut all, mut i) = (0u64, 0);
            while i < fields.len() {
                let Field { name, default, node, .. } = fields[i];
                all = all.wrapping_add(sum(node, feed_name(dotted, name), Some(default)));
                i += 1;
            }
            all
        }
        Node::Enum { variants, .. } => {
            let (barred, mut all, mut i) = (feed(path, b"|"), 0u64, 0);
            while i < variants.len() {
                let named = feed_name(barred, variants[i].name);
                all = all.wrapping_add(match variants[i].node {
                    Some(inner) => sum(inner, named, no),
                    None => sum_line(named, &[("unit", false)], false),
                });
                i += 1;
            }
            all
        }
        _ => 0,
    };
    own.wrapping_add(inner)
}

/// Whether a written kind is this one.
pub(crate) const fn is_kind(written: &[u8], words: &Words) -> bool {
    line_hash(b"", written) == sum_line(OFFSET, words, false)
}
