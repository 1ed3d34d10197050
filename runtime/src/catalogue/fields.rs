//! The fields of a stored form as rows of a table: path, type in plain words, doc comment.

use super::prose::code;
use crate::schema::path::Path;
use crate::schema::well_known::well_known;
use crate::schema::{Field, Node, Variant};

/// One row.
pub(super) struct FieldRow {
    /// Where it stands, in the notation of schema locks.
    pub(super) path: String,
    pub(super) words: String,
    pub(super) doc: &'static str,
}

/// The rows of all that is in a stored form, what is nested after what it is nested in.
pub(super) fn rows(node: &Node) -> Vec<FieldRow> {
    let mut rows = Vec::new();
    inside(node, &Path::default(), &mut rows);
    rows
}

fn inside(node: &Node, path: &Path<'_>, rows: &mut Vec<FieldRow>) {
    match node {
        Node::Optional(inner) => inside(inner, &path.optional(), rows),
        Node::List(item) => inside(item, &path.item(), rows),
        Node::Set(item) => inside(item, &path.set(), rows),
        Node::Array { len, item } => inside(item, &path.array(*len), rows),
        Node::Map { key, value } => {
            inside(key, &path.key(), rows);
            inside(value, &path.value(), rows);
        }
        Node::Tuple(items) => (0..).zip(*items).for_each(|(i, item)| inside(item, &path.element(i), rows)),
        Node::Record(fields) => fields.iter().for_each(|field| row(field, &path.field(field.name), rows)),
        Node::Enum { variants, .. } if !only_names(variants) => {
            for variant in *variants {
                let path = path.variant(variant.name);
                let words = variant.node.map_or_else(|| "just the name".to_owned(), words);
                rows.push(FieldRow { path: path.to_string(), words, doc: variant.doc });
                if let Some(content) = variant.node {
                    inside(content, &path, rows);
                }
            }
        }
        _ => {}
    }
}

fn row(field: &Field, path: &Path<'_>, rows: &mut Vec<FieldRow>) {
    let words = words(field.node);
    let words = if field.default { format!("{words}; has a default") } else { words };
    rows.push(FieldRow { path: path.to_string(), words, doc: field.doc });
    inside(field.node, path, rows);
}

/// Whether there is no more to say of the variants than their names.
fn only_names(variants: &[Variant]) -> bool {
    variants.iter().all(|variant| variant.node.is_none() && variant.doc.is_empty())
}

/// What a stored form is, in plain words.
pub(super) fn words(node: &Node) -> String {
    match node {
        Node::Bool => "true or false".to_owned(),
        Node::Int { signed, bits } => format!("whole number ({}{bits})", if *signed { 'i' } else { 'u' }),
        Node::Float { bits } => format!("number (f{bits})"),
        Node::Text => "text".to_owned(),
        Node::Named(name) => well_known(name).map_or_else(|| (*name).to_owned(), |known| known.words.to_owned()),
        Node::Optional(inner) => format!("{}, or nothing", words(inner)),
        Node::List(item) => format!("list, each item: {}", words(item)),
        Node::Set(item) => format!("set, each item: {}", words(item)),
        Node::Array { len, item } => format!("{len} items, each: {}", words(item)),
        Node::Map { key, value } => format!("map from {} to {}", words(key), words(value)),
        Node::Tuple(items) => {
            let items: Vec<_> = items.iter().map(|item| words(item)).collect();
            format!("tuple ({})", items.join("; "))
        }
        Node::Record(_) => "record".to_owned(),
        Node::Enum { variants, .. } if only_names(variants) => {
            let names: Vec<_> = variants.iter().map(|variant| code(variant.name)).collect();
            format!("one of {}", names.join(", "))
        }
        Node::Enum { .. } => "one of several".to_owned(),
        Node::Opaque(description) => (*description).to_owned(),
    }
}
