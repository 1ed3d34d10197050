//! Where two stored values differ, as their schema sees it: fields and sets have no order.

use super::super::json::Json;
use super::super::path::Path;
use super::super::{Field, Node, Tag, Variant};

/// What may be there although it was not expected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    /// Any field.
    Any,
    /// Fields that may be missing when they are read.
    New,
    /// Nothing.
    None,
}

/// Where `found` does not hold what was expected; it may hold further fields.
pub(super) fn holds(node: &Node, expected: &Json, found: &Json) -> Vec<String> {
    differences(node, expected, found, Extra::Any)
}

/// Where `found` is not what went; it may hold further fields, where these have defaults.
pub(super) fn comes_back(node: &Node, went: &Json, found: &Json) -> Vec<String> {
    differences(node, went, found, Extra::New)
}

/// Whether both say the same.
pub(super) fn is_same(node: &Node, a: &Json, b: &Json) -> bool {
    differences(node, a, b, Extra::None).is_empty()
}

fn differences(node: &Node, expected: &Json, found: &Json, extra: Extra) -> Vec<String> {
    let mut compare = Compare { extra, found: Vec::new() };
    compare.value(node, expected, found, "");
    compare.found
}

/// Fields that no type knows, by their path.
pub(super) fn strangers(node: &Node, value: &Json) -> Vec<String> {
    let mut strangers = Vec::new();
    unknown(node, value, "", &mut strangers);
    strangers
}

/// The variants that a value shows, and what may be left out and is there, each with where it stands in the type.
pub(super) fn shown(node: &Node, value: &Json) -> Vec<String> {
    let mut shown = Vec::new();
    show(node, value, &Path::default(), &mut shown);
    shown
}

fn show(node: &Node, value: &Json, path: &Path<'_>, shown: &mut Vec<String>) {
    match (node, value) {
        (Node::Optional(_), Json::Null) => {}
        (Node::Optional(inner), value) => {
            let path = path.optional();
            shown.push(path.to_string());
            show(inner, value, &path, shown);
        }
        (Node::List(item) | Node::Set(item) | Node::Array { item, .. }, Json::List(items)) => {
            for value in items {
                show(item, value, &path.item(), shown);
            }
        }
        (Node::Tuple(nodes), Json::List(items)) => {
            for (i, (node, value)) in nodes.iter().zip(items).enumerate() {
                show(node, value, &path.element(i), shown);
            }
        }
        (Node::Map { key, value }, Json::Record(entries)) => {
            for (name, found) in entries {
                show(key, &name.as_str().into(), &path.key(), shown);
                show(value, found, &path.value(), shown);
            }
        }
        (Node::Record(fields), Json::Record(_)) => {
            for field in *fields {
                if let Some(value) = value.get(field.name) {
                    let path = path.field(field.name);
                    if field.default {
                        shown.push(path.to_string());
                    }
                    show(field.node, value, &path, shown);
                }
            }
        }
        (Node::Enum { tag, variants }, value) => {
            if let Some((variant, content)) = variant(*tag, variants, value) {
                let path = path.variant(variant.name);
                shown.push(path.to_string());
                if let (Some(node), Some(content)) = (variant.node, content) {
                    show(node, content, &path, shown);
                }
            }
        }
        _ => {}
    }
}

struct Compare {
    extra: Extra,
    found: Vec<String>,
}

fn below(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// What serde leaves out where a field is skipped while it holds nothing.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Text(text) => text.is_empty(),
        Json::List(items) => items.is_empty(),
        Json::Record(fields) => fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

fn may_be_missing(field: &Field) -> bool {
    field.default || matches!(field.node, Node::Optional(_))
}

/// A variant with its content, as the tag places them.
fn variant<'j>(tag: Tag, variants: &'static [Variant], value: &'j Json) -> Option<(&'static Variant, Option<&'j Json>)> {
    let of = |name: &str| variants.iter().find(|variant| variant.name == name);
    match (tag, value) {
        (Tag::External, Json::Text(name)) => Some((of(name)?, None)),
        (Tag::External, Json::Record(fields)) => match &fields[..] {
            [(name, content)] => Some((of(name)?, Some(content))),
            _ => None,
        },
        (Tag::Internal(tag), value) => Some((of(value.get(tag)?.as_text()?)?, Some(value))),
        (Tag::Adjacent { tag, content }, value) => Some((of(value.get(tag)?.as_text()?)?, value.get(content))),
        _ => None,
    }
}

impl Compare {
    fn differ(&mut self, path: &str, expected: Option<&Json>, found: Option<&Json>) {
        let shown = |value: Option<&Json>| value.map_or_else(|| "nothing".to_owned(), Json::to_string);
        let place = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
        self.found.push(format!("{place}expected {}, found {}", shown(expected), shown(found)));
    }

    fn value(&mut self, node: &Node, expected: &Json, found: &Json, path: &str) {
        match (node, expected, found) {
            (Node::Optional(inner), _, _) if *expected != Json::Null && *found != Json::Null => {
                self.value(inner, expected, found, path);
            }
            (Node::Set(item), Json::List(a), Json::List(b)) => {
                if !self.same_set(item, a, b) {
                    self.differ(path, Some(expected), Some(found));
                }
            }
            (Node::List(item) | Node::Array { item, .. }, Json::List(a), Json::List(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    self.value(item, a, b, &format!("{path}[{i}]"));
                }
            }
            (Node::Tuple(items), Json::List(a), Json::List(b)) if a.len() == b.len() && a.len() == items.len() => {
                for (i, (item, (a, b))) in items.iter().zip(a.iter().zip(b)).enumerate() {
                    self.value(item, a, b, &format!("{path}[{i}]"));
                }
            }
            (Node::Map { value, .. }, Json::Record(_), Json::Record(_)) => self.map(value, expected, found, path),
            (Node::Record(fields), Json::Record(_), Json::Record(_)) => self.record(fields, &[], expected, found, path),
            (Node::Enum { tag, variants }, _, _) => self.variant(*tag, variants, expected, found, path),
            _ if expected.same(found) => {}
            _ => self.differ(path, Some(expected), Some(found)),
        }
    }

    fn same_set(&self, item: &Node, a: &[Json], b: &[Json]) -> bool {
        let mut rest: Vec<&Json> = b.iter().collect();
        let all = a.iter().all(|one| {
            let place = rest.iter().position(|other| differences(item, one, other, self.extra).is_empty());
            place.map(|at| rest.swap_remove(at)).is_some()
        });
        all && rest.is_empty()
    }

    fn map(&mut self, value: &Node, expected: &Json, found: &Json, path: &str) {
        let (Json::Record(a), Json::Record(b)) = (expected, found) else { return };
        for (key, one) in a {
            let path = format!("{path}{{{key}}}");
            match found.get(key) {
                Some(other) => self.value(value, one, other, &path),
                None => self.differ(&path, Some(one), None),
            }
        }
        for (key, other) in b.iter().filter(|(key, _)| expected.get(key).is_none()) {
            self.differ(&format!("{path}{{{key}}}"), None, Some(other));
        }
    }

    /// Fields, but for those that have been looked at.
    fn record(&mut self, fields: &[Field], done: &[&str], expected: &Json, found: &Json, path: &str) {
        let (Json::Record(a), Json::Record(b)) = (expected, found) else { return };
        let known = |name: &str| fields.iter().find(|field| field.name == name);
        for (name, one) in a.iter().filter(|(name, _)| !done.contains(&name.as_str())) {
            let path = below(path, name);
            match (known(name), found.get(name)) {
                (Some(field), Some(other)) => self.value(field.node, one, other, &path),
                (None, Some(other)) if one.same(other) => {}
                (Some(field), None) if may_be_missing(field) && is_nothing(one) => {}
                (_, other) => self.differ(&path, Some(one), other),
            }
        }
        for (name, other) in b.iter().filter(|(name, _)| expected.get(name).is_none()) {
            let fine = match self.extra {
                Extra::Any => true,
                Extra::New => known(name).is_some_and(may_be_missing),
                Extra::None => false,
            };
            if !fine {
                self.differ(&below(path, name), None, Some(other));
            }
        }
    }

    fn variant(&mut self, tag: Tag, variants: &'static [Variant], expected: &Json, found: &Json, path: &str) {
        let both = (variant(tag, variants, expected), variant(tag, variants, found));
        match both {
            (Some((a, one)), Some((b, other))) if a.name == b.name => match (a.node, one, other) {
                (Some(Node::Record(fields)), Some(one), Some(other)) => {
                    let done: &[&str] = if let Tag::Internal(tag) = &tag { &[*tag] } else { &[] };
                    self.record(fields, done, one, other, path);
                }
                (Some(content), Some(one), Some(other)) => self.value(content, one, other, path),
                _ => {}
            },
            _ if expected.same(found) => {}
            _ => self.differ(path, Some(expected), Some(found)),
        }
    }
}

fn unknown(node: &Node, value: &Json, path: &str, strangers: &mut Vec<String>) {
    match (node, value) {
        (Node::Optional(inner), value) => unknown(inner, value, path, strangers),
        (Node::List(item) | Node::Set(item) | Node::Array { item, .. }, Json::List(items)) => {
            for (i, value) in items.iter().enumerate() {
                unknown(item, value, &format!("{path}[{i}]"), strangers);
            }
        }
        (Node::Tuple(nodes), Json::List(items)) => {
            for (i, (node, value)) in nodes.iter().zip(items).enumerate() {
                unknown(node, value, &format!("{path}[{i}]"), strangers);
            }
        }
        (Node::Map { value: node, .. }, Json::Record(entries)) => {
            for (key, value) in entries {
                unknown(node, value, &format!("{path}{{{key}}}"), strangers);
            }
        }
        (Node::Record(fields), Json::Record(_)) => unknown_fields(fields, &[], value, path, strangers),
        (Node::Enum { tag, variants }, value) => {
            if let Some((variant, Some(content))) = variant(*tag, variants, value) {
                let tag: &[&str] = if let Tag::Internal(tag) = tag { &[*tag] } else { &[] };
                match variant.node {
                    Some(Node::Record(fields)) => unknown_fields(fields, tag, content, path, strangers),
                    Some(node) => unknown(node, content, path, strangers),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

fn unknown_fields(fields: &[Field], done: &[&str], value: &Json, path: &str, strangers: &mut Vec<String>) {
    let Json::Record(found) = value else { return };
    for (name, value) in found.iter().filter(|(name, _)| !done.contains(&name.as_str())) {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => unknown(field.node, value, &below(path, name), strangers),
            None => strangers.push(below(path, name)),
        }
    }
}
