//! JSON Schema documents, as a validator of somebody else reads them, and samples as they say.

use gesta::schema::{Field, Node, Tag, Variant, json_schema, samples};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::any::node;

/// The validator of a node's document, which is one by its own rules.
pub fn validator(node: &Node) -> Validator {
    let document: Value = serde_json::from_str(&json_schema("It", "What it is.", node)).unwrap();
    jsonschema::draft202012::meta::validate(&document).unwrap();
    jsonschema::draft202012::options().should_validate_formats(true).build(&document).unwrap()
}

/// Each value that is like this one but for one text, number or truth value, which is an object instead.
fn wrong(value: &Value) -> Vec<Value> {
    let wrong_object = || json!({ "wrong": [] });
    match value {
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![wrong_object()],
        Value::Array(items) => (0..items.len())
            .flat_map(|i| wrong(&items[i]).into_iter().map(move |item| (i, item)))
            .map(|(i, item)| {
                let mut items = items.clone();
                items[i] = item;
                Value::Array(items)
            })
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| wrong(value).into_iter().map(move |value| (name, value)))
            .map(|(name, value)| {
                let mut fields = fields.clone();
                fields.insert(name.clone(), value);
                Value::Object(fields)
            })
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_of_any_node_are_what_its_schema_says_and_others_are_not(node in node()) {
        let validator = validator(node);
        for sample in samples(node).unwrap() {
            let sample: Value = serde_json::from_str(&sample).unwrap();
            let errors: Vec<_> = validator.iter_errors(&sample).map(|e| e.to_string()).collect();
            prop_assert!(errors.is_empty(), "{sample}: {errors:?}");
            for wrong in wrong(&sample) {
                prop_assert!(!validator.is_valid(&wrong), "{wrong}");
            }
        }
    }
    #[test]
    fn samples_of_any_node_show_each_variant(node in node()) {
        let samples = samples(node).unwrap().join("\n");
        let mut names = Vec::new();
        variants(node, &mut names);
        for name in names {
            prop_assert!(samples.contains(&serde_json::to_string(name).unwrap()), "{name} is not in {samples}");
        }
    }
}

/// The names of all variants that a value may hold.
fn variants(node: &Node, names: &mut Vec<&'static str>) {
    match node {
        Node::Optional(inner) | Node::List(inner) | Node::Set(inner) => variants(inner, names),
        Node::Array { len: 1.., item } => variants(item, names),
        Node::Map { key, value } => {
            variants(key, names);
            variants(value, names);
        }
        Node::Tuple(items) => items.iter().for_each(|item| variants(item, names)),
        Node::Record(fields) => fields.iter().for_each(|field| variants(field.node, names)),
        Node::Enum { variants: all, .. } => {
            for variant in *all {
                names.push(variant.name);
                if let Some(content) = variant.node {
                    variants(content, names);
                }
            }
        }
        _ => {}
    }
}

const U8: Node = Node::Int { signed: false, bits: 8 };
const A: Node = Node::Enum { tag: Tag::External, variants: &[NAME] };
const NAME: Variant = Variant { name: "A", doc: "", node: None };
const NUMBER: Variant = Variant { name: "B", doc: "", node: Some(&Node::Int { signed: true, bits: 8 }) };
const FIELDS: Variant = Variant { name: "C", doc: "", node: Some(&Node::Record(&[NEEDED, OPTIONAL, DEFAULT])) };
const NEEDED: Field = Field { name: "needed", doc: "", default: false, node: &Node::Text };
const OPTIONAL: Field = Field { name: "optional", doc: "", default: false, node: &Node::Optional(&Node::Text) };
const DEFAULT: Field = Field { name: "default", doc: "", default: true, node: &Node::Bool };

#[test]
fn what_is_not_of_the_form_is_refused() {
    let int = |signed, bits| Node::Int { signed, bits };
    let an_enum = |tag, variants| Node::Enum { tag, variants };
    let beside = Tag::Adjacent { tag: "type", content: "data" };
    for (node, fine, wrong) in [
        (Node::Bool, json!([true]), json!([0, "true", null])),
        (int(false, 8), json!([0, 255]), json!([-1, 256, 1.5, "1"])),
        (int(true, 8), json!([-128, 127]), json!([-129, 128])),
        (int(true, 64), json!([i64::MIN, i64::MAX]), json!([1e20])),
        (int(false, 64), json!([0, u64::MAX]), json!([-1, 1e20])),
        (int(true, 128), json!([-1e30, 1e30]), json!([1e40])),
        (Node::Float { bits: 64 }, json!([1, 1.5]), json!(["1"])),
        (Node::Text, json!(["", "a"]), json!([1])),
        (Node::Named("uuid"), json!(["018f3c5e-7c1a-7000-8000-000000000001"]), json!(["1", 1])),
        (Node::Named("timestamp"), json!([-1, 1]), json!(["2026-01-01T00:00:00Z"])),
        (Node::Named("char"), json!(["ä"]), json!(["", "ab"])),
        (Node::Named("nonzero_u8"), json!([1, 255]), json!([0, 256])),
        (Node::Named("nonzero_i8"), json!([-128, 127]), json!([0, 128])),
        (Node::Named("decimal"), json!(["1", "-1.50"]), json!(["", ".", "1,5", 1.5])),
        (Node::Named("date"), json!(["2026-02-28"]), json!(["2026-02-30"])),
        (Node::Optional(&Node::Text), json!(["a", null]), json!([1])),
        (Node::Optional(&Node::Named("nonzero_i8")), json!([1, null]), json!([0])),
        (Node::Optional(&Node::Opaque("a tree")), json!([null, 1, {}]), json!([])),
        (Node::List(&Node::Text), json!([[], ["a", "a"]]), json!([[1], "a"])),
        (Node::Set(&Node::Text), json!([[], ["a"]]), json!([["a", "a"]])),
        (Node::Array { len: 2, item: &Node::Text }, json!([["a", "b"]]), json!([["a"], ["a", "b", "c"]])),
        (Node::Tuple(&[&Node::Text, &Node::Bool]), json!([["a", true]]), json!([["a"], ["a", true, 1], [true, "a"]])),
        (Node::Tuple(&[]), json!([[]]), json!([[1], {}])),
        (Node::Map { key: &Node::Text, value: &Node::Bool }, json!([{}, {"any": true}]), json!([{"a": 1}, []])),
        (Node::Map { key: &U8, value: &Node::Bool }, json!([{"10": true}]), json!([{"a": true}, {"-1": true}])),
        (Node::Map { key: &A, value: &Node::Bool }, json!([{"A": true}]), json!([{"B": true}])),
        (Node::Record(&[]), json!([{}, {"later": 1}]), json!([[], null])),
        (
            Node::Record(&[NEEDED, OPTIONAL, DEFAULT]),
            json!([{"needed": "a"}, {"needed": "a", "optional": null, "default": true, "later": 1}]),
            json!([{}, {"needed": null}, {"needed": "a", "default": null}]),
        ),
        (an_enum(Tag::External, &[NAME]), json!(["A"]), json!(["B", {"A": null}])),
        (
            an_enum(Tag::External, &[NAME, NUMBER, FIELDS]),
            json!(["A", {"B": 1}, {"C": {"needed": "a"}}]),
            json!(["B", {"B": 1, "C": {"needed": "a"}}, {"C": {}}, {}]),
        ),
        (
            an_enum(Tag::Internal("type"), &[NAME, FIELDS]),
            json!([{"type": "A"}, {"type": "C", "needed": "a", "later": 1}]),
            json!(["A", {"type": "C"}, {"needed": "a"}, {"type": "D"}]),
        ),
        (
            an_enum(beside, &[NAME, NUMBER, FIELDS]),
            json!([{"type": "A"}, {"type": "B", "data": 1}, {"type": "C", "data": {"needed": "a"}}]),
            json!([{"type": "B"}, {"type": "B", "data": "1"}, {"data": 1}]),
        ),
        (an_enum(Tag::External, &[]), json!([]), json!(["A", null, {}])),
    ] {
        let validator = validator(&node);
        for value in fine.as_array().unwrap() {
            assert!(validator.is_valid(value), "{value} is a {node:?}");
        }
        for value in wrong.as_array().unwrap() {
            assert!(!validator.is_valid(value), "{value} is no {node:?}");
        }
    }
}

#[test]
fn what_gesta_does_not_know_has_no_samples_and_says_where_it_stands() {
    const TOOK: Field = Field { name: "took it", doc: "", default: false, node: &Node::Opaque("seconds") };
    const LINES: Field = Field { name: "lines", node: &Node::List(&Node::Record(&[TOOK])), ..NEEDED };
    const STRANGE: Variant = Variant { name: "B", doc: "", node: Some(&Node::Optional(&Node::Named("moon phase"))) };
    const EITHER: Node = Node::Enum { tag: Tag::External, variants: &[NAME, STRANGE] };
    let no = |node: Node| samples(&node).unwrap_err().to_string();
    assert_eq!(no(Node::Record(&[NEEDED, LINES])), "no value of `lines[].\"took it\"` can be made up: it is foreign (seconds)");
    assert_eq!(no(Node::Tuple(&[&U8, &EITHER])), "no value of `#1|B?` can be made up: `moon phase` is not known");
    let key = Node::Map { key: &Node::Optional(&Node::Text), value: &Node::Bool };
    assert_eq!(no(key), "no value of `{key}` can be made up: it can't be the key of a map");
}

/// The files of the bank as they are committed: each golden sample, and what it has become, by the document of its version.
#[test]
fn the_banks_samples_are_as_its_documents_say() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let read = |file: &str| std::fs::read_to_string(examples.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"));
    let check = |event: &Value, version: u64, payload: &Value| {
        let event = event.as_str().unwrap();
        let document = serde_json::from_str(&read(&format!("catalogue/bank/schemas/Account.{event}.v{version}.json"))).unwrap();
        jsonschema::draft202012::meta::validate(&document).unwrap();
        let found = jsonschema::draft202012::options().build(&document).unwrap().validate(payload).map_err(|why| why.to_string());
        assert_eq!(found, Ok(()), "{event} v{version} {payload}");
    };
    let mut checked = 0;
    for line in read("src/bank/account.samples").lines().filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_str(line).unwrap();
        let version = line["version"].as_u64().unwrap();
        check(&line["event"], version, &line["payload"]);
        if let Some(next) = line.get("next") {
            check(&line["event"], version + 1, next);
        }
        for today in line.get("becomes").and_then(Value::as_array).into_iter().flatten() {
            check(&today["event"], today["version"].as_u64().unwrap(), &today["payload"]);
        }
        checked += 1;
    }
    assert!(checked >= 20, "{checked} samples");
}
