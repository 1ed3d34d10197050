//! JSON Schema, draft 2020-12, of a stored form.
//!
//! Always true here: the schema allows what this build writes; fields it does not know are allowed too, since a newer build
//! may add them; keys come in one order, so that two documents differ where their schemas do.

use super::json::Json;
use super::well_known::well_known;
use super::{Field, Node, Tag, Variant};

/// The dialect all documents are written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

type Keys = Vec<(String, Json)>;

/// The JSON Schema document of a stored form, draft 2020-12, as JSON over several lines.
///
/// `description` may be empty. What an [`Opaque`](Node::Opaque) type looks like is not known, so anything is allowed there.
///
/// # Examples
/// ```
/// use gesta::prelude::*;
/// use gesta::schema::{Schema, json_schema};
///
/// /// Money paid in at the counter.
/// #[event]
/// pub struct MoneyDeposited {
///     /// How much, in cents.
///     pub amount: u32,
///     pub note: Option<String>,
/// }
///
/// let document = json_schema("MoneyDeposited", "Money paid in at the counter.", &MoneyDeposited::NODE);
/// assert_eq!(
///     document,
///     r#"{
///   "$schema": "https://json-schema.org/draft/2020-12/schema",
///   "title": "MoneyDeposited",
///   "description": "Money paid in at the counter.",
///   "type": "object",
///   "properties": {
///     "amount": {
///       "description": "How much, in cents.",
///       "type": "integer",
///       "minimum": 0,
///       "maximum": 4294967295
///     },
///     "note": {
///       "type": [
///         "string",
///         "null"
///       ]
///     }
///   },
///   "required": [
///     "amount"
///   ]
/// }
/// "#
/// );
/// ```
pub fn json_schema(title: &str, description: &str, node: &Node) -> String {
    document(title, description, node, &[]).pretty() + "\n"
}

/// The document with further keys in front.
pub(crate) fn document(title: &str, description: &str, node: &Node, head: &[(&str, &str)]) -> Json {
    let mut keys = vec![("$schema".to_owned(), Json::from(DIALECT))];
    keys.extend(head.iter().map(|(name, text)| ((*name).to_owned(), Json::from(*text))));
    keys.push(("title".to_owned(), title.into()));
    keys.extend(described(description, schema(node)));
    Json::Record(keys)
}

/// The keys with a description in front, which stands before what they say themselves.
fn described(description: &str, mut keys: Keys) -> Keys {
    if description.is_empty() {
        return keys;
    }
    match keys.first_mut() {
        Some((name, Json::Text(own))) if name == "description" => *own = format!("{description}\n\n{own}"),
        _ => keys.insert(0, ("description".to_owned(), description.into())),
    }
    keys
}

fn keys<const N: usize>(keys: [(&str, Json); N]) -> Keys {
    keys.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The keys of a node's schema.
fn schema(node: &Node) -> Keys {
    let of = |node: &Node| Json::Record(schema(node));
    match node {
        Node::Bool => keys([("type", "boolean".into())]),
        Node::Int { signed, bits } => {
            let [least, most] = range(*signed, *bits).map(Json::Number);
            keys([("type", "integer".into()), ("minimum", least), ("maximum", most)])
        }
        Node::Float { .. } => keys([("type", "number".into())]),
        Node::Text => keys([("type", "string".into())]),
        Node::Named(name) => match well_known(name) {
            Some(known) => known.schema.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            None => keys([("description", (*name).into())]),
        },
        Node::Optional(inner) => optional(schema(inner)),
        Node::List(item) => keys([("type", "array".into()), ("items", of(item))]),
        Node::Set(item) => keys([("type", "array".into()), ("items", of(item)), ("uniqueItems", true.into())]),
        Node::Array { len, item } => {
            keys([("type", "array".into()), ("items", of(item)), ("minItems", (*len).into()), ("maxItems", (*len).into())])
        }
        Node::Map { key, value } => {
            let mut map = keys([("type", "object".into())]);
            if let Some(names) = key_schema(key) {
                map.push(("propertyNames".to_owned(), Json::Record(names)));
            }
            map.push(("additionalProperties".to_owned(), of(value)));
            map
        }
        // A list of no schemas is not allowed.
        Node::Tuple([]) => keys([("type", "array".into()), ("maxItems", 0_usize.into())]),
        Node::Tuple(items) => keys([
            ("type", "array".into()),
            ("prefixItems", Json::List(items.iter().map(|item| of(item)).collect())),
            ("items", false.into()),
            ("minItems", items.len().into()),
        ]),
        Node::Record(fields) => record(None, fields),
        Node::Enum { variants: [], .. } => keys([("not", Json::Record(Vec::new()))]),
        Node::Enum { tag: Tag::External, variants } if only_names(variants) => {
            keys([("type", "string".into()), ("enum", Json::texts(variants.iter().map(|variant| variant.name)))])
        }
        Node::Enum { tag, variants } => {
            let one = |variant: &Variant| Json::Record(described(variant.doc, variant_schema(*tag, variant)));
            keys([("oneOf", Json::List(variants.iter().map(one).collect()))])
        }
        Node::Opaque(description) => keys([("description", (*description).into())]),
    }
}

/// Whether there is no more to say of the variants than their names.
fn only_names(variants: &[Variant]) -> bool {
    variants.iter().all(|variant| variant.node.is_none() && variant.doc.is_empty())
}

/// The least and the greatest number of so many bits.
pub(crate) fn range(signed: bool, bits: u8) -> [String; 2] {
    let bits = u32::from(bits.clamp(1, 128));
    if signed {
        let most = i128::MAX >> (128 - bits);
        [(-most - 1).to_string(), most.to_string()]
    } else {
        ["0".to_owned(), (u128::MAX >> (128 - bits)).to_string()]
    }
}

/// The schema of `null` or of what these keys allow.
fn optional(mut inner: Keys) -> Keys {
    // These say something of every kind of value; all others only of their own.
    let of_any = |name: &str| matches!(name, "enum" | "const" | "oneOf" | "anyOf" | "not");
    if inner.iter().all(|(name, _)| !of_any(name))
        && let Some((_, kind)) = inner.iter_mut().find(|(name, _)| name == "type")
        && let Some(one) = kind.as_text()
    {
        *kind = Json::texts([one, "null"]);
        return inner;
    }
    // Anything goes, and so does `null`.
    if inner.iter().all(|(name, _)| name == "description") {
        return inner;
    }
    keys([("anyOf", Json::List(vec![Json::Record(inner), Json::record([("type", "null".into())])]))])
}

/// What the keys of a map look like as text, where there is more to say than that they are text.
fn key_schema(key: &Node) -> Option<Keys> {
    let pattern = |pattern: &str| Some(keys([("pattern", pattern.into())]));
    match key {
        Node::Int { signed: true, .. } => pattern("^(0|-?[1-9][0-9]*)$"),
        Node::Int { signed: false, .. } => pattern("^(0|[1-9][0-9]*)$"),
        Node::Bool => Some(keys([("enum", Json::texts(["true", "false"]))])),
        Node::Enum { variants, .. } => Some(keys([("enum", Json::texts(variants.iter().map(|variant| variant.name)))])),
        Node::Named(name) => {
            let known = well_known(name)?;
            if known.is_number {
                return pattern("^(0|-?[1-9][0-9]*)$");
            }
            let says_more = |(key, _): &(&str, Json)| !matches!(*key, "type" | "description");
            let schema: Keys = known.schema.into_iter().filter(says_more).map(|(key, value)| (key.to_owned(), value)).collect();
            (!schema.is_empty()).then_some(schema)
        }
        _ => None,
    }
}

/// A record, of a variant's name in the field `tag` and of its own fields.
fn record(tag: Option<(&str, &str)>, fields: &[Field]) -> Keys {
    let mut record = keys([("type", "object".into())]);
    let name = tag.map(|(field, name)| (field.to_owned(), constant(name)));
    let own = fields.iter().map(|field| (field.name.to_owned(), Json::Record(described(field.doc, schema(field.node)))));
    let properties: Keys = name.into_iter().chain(own).collect();
    if properties.is_empty() {
        return record;
    }
    let needed = fields.iter().filter(|field| !field.default && !matches!(field.node, Node::Optional(_)));
    let required: Vec<&str> = tag.map(|(field, _)| field).into_iter().chain(needed.map(|field| field.name)).collect();
    record.push(("properties".to_owned(), Json::Record(properties)));
    if !required.is_empty() {
        record.push(("required".to_owned(), Json::texts(required)));
    }
    record
}

fn constant(name: &str) -> Json {
    Json::record([("const", name.into())])
}

fn variant_schema(tag: Tag, variant: &Variant) -> Keys {
    match (tag, variant.node) {
        (Tag::External, None) => keys([("const", variant.name.into())]),
        (Tag::External, Some(content)) => keys([
            ("type", "object".into()),
            ("properties", Json::record([(variant.name, Json::Record(schema(content)))])),
            ("required", Json::texts([variant.name])),
            ("additionalProperties", false.into()),
        ]),
        (Tag::Internal(tag) | Tag::Adjacent { tag, .. }, None) => record(Some((tag, variant.name)), &[]),
        (Tag::Internal(tag), Some(Node::Record(fields))) => record(Some((tag, variant.name)), fields),
        (Tag::Internal(tag), Some(content)) => {
            let mut both = record(Some((tag, variant.name)), &[]);
            both.push(("allOf".to_owned(), Json::List(vec![Json::Record(schema(content))])));
            both
        }
        (Tag::Adjacent { tag, content }, Some(node)) => {
            let field = Field { name: content, doc: "", default: false, node };
            let mut both = record(Some((tag, variant.name)), &[field]);
            // An optional content is written too, as `null`.
            if let Some((_, required)) = both.iter_mut().find(|(name, _)| name == "required") {
                *required = Json::texts([tag, content]);
            }
            both
        }
    }
}
