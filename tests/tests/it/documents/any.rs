//! Any stored form at all, as random trees.

use gesta::schema::{Field, Node, Tag, Variant};
use proptest::prelude::*;

/// Everything of a schema lives as long as the program.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
fn leak_all<T>(values: Vec<T>) -> &'static [T] {
    Vec::leak(values)
}

/// A stored form with a value, nested a few times.
pub fn node() -> impl Strategy<Value = &'static Node> {
    leaf().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            inner.clone().prop_filter_map("JSON has one null", |inner| match inner {
                Node::Optional(_) => None,
                inner => Some(Node::Optional(inner)),
            }),
            inner.clone().prop_map(Node::List),
            inner.clone().prop_map(Node::Set),
            (0..4_usize, inner.clone()).prop_map(|(len, item)| Node::Array { len, item }),
            (key(), inner.clone()).prop_map(|(key, value)| Node::Map { key, value }),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| Node::Tuple(leak_all(items))),
            fields(inner.clone()).prop_map(Node::Record),
            (tag(), variants(inner)).prop_map(|(tag, variants)| Node::Enum { tag, variants: tagged(tag, variants) }),
        ]
        .prop_map(leak)
    })
}

fn leaf() -> impl Strategy<Value = &'static Node> {
    let bits = prop::sample::select(vec![8, 16, 32, 64, 128]);
    prop_oneof![
        Just(Node::Bool),
        (any::<bool>(), bits).prop_map(|(signed, bits)| Node::Int { signed, bits }),
        prop::sample::select(vec![32, 64]).prop_map(|bits| Node::Float { bits }),
        Just(Node::Text),
        prop::sample::select(vec!["uuid", "timestamp", "char"]).prop_map(Node::Named),
    ]
    .prop_map(leak)
}

fn key() -> impl Strategy<Value = &'static Node> {
    let names = prop::sample::subsequence(vec!["A", "B b", "ä"], 1..=3);
    let plain = |names: Vec<&'static str>| names.into_iter().map(|name| Variant { name, doc: "", node: None }).collect();
    prop_oneof![
        Just(Node::Text),
        any::<bool>().prop_map(|signed| Node::Int { signed, bits: 32 }),
        Just(Node::Named("uuid")),
        names.prop_map(move |names| Node::Enum { tag: Tag::External, variants: leak_all(plain(names)) }),
    ]
    .prop_map(leak)
}

fn doc() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "What it is.", "Two \"lines\"\nof | prose."])
}

fn fields(inner: impl Strategy<Value = &'static Node>) -> impl Strategy<Value = &'static [Field]> {
    let name = prop::sample::select(vec!["amount", "$ref", "a \"b\"", "größe", ""]);
    let field = (name, doc(), any::<bool>(), inner);
    prop::collection::vec(field, 0..4).prop_map(|fields| {
        let name = |(i, name): (usize, &str)| &**leak(format!("{name}{i}"));
        let each = fields.into_iter().enumerate();
        leak_all(each.map(|(i, (stem, doc, default, node))| Field { name: name((i, stem)), doc, default, node }).collect())
    })
}

fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![Just(Tag::External), Just(Tag::Internal("type")), Just(Tag::Adjacent { tag: "type", content: "data" }),]
}

fn variants(inner: impl Strategy<Value = &'static Node>) -> impl Strategy<Value = Vec<Variant>> {
    let name = prop::sample::select(vec!["Branch", "an app", "Über"]);
    prop::collection::vec((name, doc(), prop::option::of(inner)), 1..5).prop_map(|variants| {
        let each = variants.into_iter().enumerate();
        each.map(|(i, (name, doc, node))| Variant { name: leak(format!("{name}{i}")), doc, node }).collect()
    })
}

/// What a variant with the tag among its fields holds has fields.
fn tagged(tag: Tag, variants: Vec<Variant>) -> &'static [Variant] {
    let fits = |variant: Variant| match (tag, variant.node) {
        (Tag::Internal(_), Some(content)) if !matches!(content, Node::Record(_)) => {
            let field = Field { name: "content", doc: "", default: false, node: content };
            Variant { node: Some(leak(Node::Record(leak_all(vec![field])))), ..variant }
        }
        _ => variant,
    };
    leak_all(variants.into_iter().map(fits).collect())
}
