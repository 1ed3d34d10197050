//! Forms whose values would not come back as they went.
//!
//! Always true here: each rule is one that serde or JSON breaks, shown by a test of [`impls`](super::impls); a form without
//! a flaw is written and read back.

use super::{Field, Named, Node, Tag};
use crate::__private::same;

const OPTION_TWICE: &str = "an `Option` of an `Option` can't be stored: JSON has one `null` for both; write an enum with `#[value]` that names the cases";
const LONG_ARRAY: &str = "an array of more than 32 can't be stored: serde reads none of that length; write a `Vec`";
const KEY: &str = "the keys of a map that is stored are text: a `String`, a `Uuid`, an id, an integer, an enum without fields, \
                   or a newtype of one of these; with others write a list of pairs, `Vec<(K, V)>`";
const KEY_IN_TAGGED: &str = "a map by integers can't be read back inside an enum with `#[serde(tag = \"..\")]`: give the enum \
                             a `content = \"..\"` too, or the map a key of text";
const WIDE_IN_TAGGED: &str = "a 128-bit integer can't be read back inside an enum with `#[serde(tag = \"..\")]`: give the enum \
                              a `content = \"..\"` too";
const CONTENT_OF_TAGGED: &str = "what is stored with `#[serde(tag = \"..\")]` has named fields, and the tag among them: name this \
                                 field, or give the enum a `content = \"..\"` too";
const TAG_TWICE: &str = "it has a field that is stored under the name of the `#[serde(tag = \"..\")]`: give the tag another \
                         name, or the enum a `content = \"..\"` too";

impl Node {
    /// Why a value of this form might not come back as it went, and what to write instead; `None` where it does.
    pub const fn flaw(&self) -> Option<&'static str> {
        flaw(self, false)
    }

    /// The same for what stands inside an enum with `#[serde(tag = "..")]`.
    pub(crate) const fn flaw_in_tagged(&self) -> Option<&'static str> {
        flaw(self, true)
    }

    /// The same for the unnamed content of a variant of an enum with this tag.
    pub(crate) const fn flaw_as_tagged(&self, tag: &str) -> Option<&'static str> {
        let Node::Record(fields) = self else { return Some(CONTENT_OF_TAGGED) };
        let mut i = 0;
        while i < fields.len() {
            if same(fields[i].name, tag) {
                return Some(TAG_TWICE);
            }
            i += 1;
        }
        fields_flaw(fields, true)
    }
}

const fn flaw(node: &Node, tagged: bool) -> Option<&'static str> {
    match node {
        Node::Int { bits: 128, .. } if tagged => Some(WIDE_IN_TAGGED),
        Node::Named(name) if tagged && matches!(Named::of(name), Some(Named { bits: Some(128), .. })) => Some(WIDE_IN_TAGGED),
        Node::Bool | Node::Int { .. } | Node::Float { .. } | Node::Text | Node::Named(_) | Node::Opaque(_) => None,
        Node::Optional(Node::Optional(_)) => Some(OPTION_TWICE),
        Node::Array { len, .. } if *len > 32 => Some(LONG_ARRAY),
        Node::Optional(item) | Node::List(item) | Node::Set(item) | Node::Array { item, .. } => flaw(item, tagged),
        Node::Map { key, value } => match key_flaw(key, tagged) {
            None => flaw(value, tagged),
            found => found,
        },
        Node::Tuple(items) => {
            let mut i = 0;
            while i < items.len() {
                if let Some(why) = flaw(items[i], tagged) {
                    return Some(why);
                }
                i += 1;
            }
            None
        }
        Node::Record(fields) => fields_flaw(fields, tagged),
        Node::Enum { tag, variants } => {
            let mut i = 0;
            while i < variants.len() {
                let found = match (variants[i].node, tag) {
                    (None, _) => None,
                    (Some(content), Tag::Internal(tag)) => content.flaw_as_tagged(tag),
                    (Some(content), _) => flaw(content, tagged),
                };
                if found.is_some() {
                    return found;
                }
                i += 1;
            }
            None
        }
    }
}

const fn fields_flaw(fields: &[Field], tagged: bool) -> Option<&'static str> {
    let mut i = 0;
    while i < fields.len() {
        if let Some(why) = flaw(fields[i].node, tagged) {
            return Some(why);
        }
        i += 1;
    }
    None
}

const fn key_flaw(key: &Node, tagged: bool) -> Option<&'static str> {
    let number = match key {
        Node::Text => false,
        Node::Int { .. } => true,
        Node::Named(name) => match Named::of(name) {
            Some(named) => named.bits.is_some(),
            None => return Some(KEY),
        },
        Node::Enum { tag: Tag::External, variants } => {
            let mut i = 0;
            while i < variants.len() {
                if variants[i].node.is_some() {
                    return Some(KEY);
                }
                i += 1;
            }
            false
        }
        _ => return Some(KEY),
    };
    if number && tagged { Some(KEY_IN_TAGGED) } else { None }
}
