//! What is said, in a few words each; the whole of it is looked at by the tests of the diagnostics.

use expect_test::{Expect, expect};

use super::expand;

/// The first line of each message.
fn check(attribute: &str, args: &str, item: &str, expected: &Expect) {
    let errors = expand(attribute, args, item).1;
    let lines: Vec<_> = errors.iter().map(|error| error.to_string().lines().next().unwrap_or_default().to_owned()).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn names_that_are_stored_are_checked() {
    check(
        "event",
        "name = \" \"",
        "struct Paid {}",
        &expect!["a stored name holds at least one letter, and no control characters"],
    );
    check(
        "aggregate",
        "id = u64, name = \"a-b\"",
        "impl A { fn f(e: E) -> Self {} }",
        &expect!["the name of an aggregate holds at least one letter, and no `-`, which parts it from the id: `Account-ACC-1`"],
    );
    check(
        "aggregate",
        "id = u64, schema = \"locks/\"",
        "impl A { fn f(e: E) -> Self {} }",
        &expect!["the schema lock is a file beside this one: write `schema = \"account.events\"`"],
    );
    check(
        "value",
        "",
        "struct V { a: u8, #[serde(rename = \"a\")] b: u8 }",
        &expect!["stored as `a`, like another one here: give it a name of its own"],
    );
    check(
        "value",
        "",
        "#[serde(rename_all = \"lowercase\")] enum V { Ab, AB }",
        &expect!["stored as `ab`, like another one here: give it a name of its own"],
    );
    check(
        "ReadModel",
        "",
        "#[read_model(table = \"1st\")] struct Row { #[key] id: u64 }",
        &expect!["the name of a table holds `a` to `z`, digits and `_`, and does not start with a digit"],
    );
}

#[test]
fn what_is_stored_is_what_the_schema_says() {
    let condition = expect!["what is stored can't depend on a `#[cfg]`: another build could not read it"];
    check("event", "", "struct Paid { #[cfg_attr(all(), serde(rename = \"b\"))] a: i64 }", &condition);
    check("value", "", "enum Channel { #[cfg_attr(all(), cfg_attr(all(), serde(rename = \"b\")))] Branch }", &condition);
    check("event", "", "struct Paid { #[cfg_attr(all(), doc = \"It was paid.\")] a: i64 }", &expect![[""]]);
    check(
        "event",
        "",
        "#[derive(Clone, Serialize)] struct Closed;",
        &expect![
            "serde writes a type without fields as `null`, and no field could be added to that: leave `Serialize` out of `#[derive(..)]`, gesta writes it as an empty record"
        ],
    );
}

#[test]
fn a_row_has_one_key() {
    check("ReadModel", "", "struct Row { id: u64 }", &expect!["which field names a row? put `#[key]` on it"]);
    check("ReadModel", "", "struct Row { #[key] #[key] id: u64 }", &expect!["`key` stands here twice: keep one"]);
    check(
        "ReadModel",
        "",
        "struct Row { #[key] id: u64, #[key] year: u64, #[key] month: u64 }",
        &expect![[r"
        `id` is the key already: a row has one; where both together name it, make one `#[value]` of them
        `id` is the key already: a row has one; where both together name it, make one `#[value]` of them"]],
    );
}

/// How many errors a key gives at a place, the keys that fit there, and those that don't.
type Place<'a> = (&'a dyn Fn(&str) -> usize, &'a [&'a str], &'a [&'a str]);

#[test]
fn what_does_not_read_back_is_refused() {
    let on_field = |key: &str| expand("value", "", &format!("struct V {{ #[serde({key})] a: Option<u8> }}")).1.len();
    let on_unnamed = |key: &str| expand("value", "", &format!("struct V(#[serde({key})] u8, u8);")).1.len();
    let on_struct = |key: &str| expand("value", "", &format!("#[serde({key})] struct V {{ a: Option<u8> }}")).1.len();
    let on_enum = |key: &str| expand("value", "", &format!("#[serde({key})] enum V {{ A {{ a: u8 }}, B(u8), C }}")).1.len();
    let on_variant = |key: &str| expand("value", "", &format!("enum V {{ #[serde({key})] A {{ a: u8 }} }}")).1.len();
    let places: [Place<'_>; 5] = [
        (
            &on_field,
            &[
                "rename = \"b\"",
                "default",
                "default = \"f\"",
                "skip_serializing_if = \"Option::is_none\"",
                "skip_serializing_if = \"::std::option::Option::is_none\", default",
                "skip_serializing_if = \"Vec::is_empty\", default",
                "skip_serializing_if = \"Vec::<u8>::is_empty\", default",
            ],
            &[
                "flatten",
                "borrow",
                "bound = \"\"",
                "getter = \"f\"",
                "alias = \"b\"",
                "skip",
                "skip, default = \"f\"",
                "skip, skip_serializing",
                "skip_serializing, default",
                "skip_deserializing",
                "skip_serializing",
                "skip_serializing_if = \"f\"",
                "skip_serializing_if = \"Vec::is_empty\"",
                "skip_serializing_if = \"Vec::is_empty\", default = \"f\"",
                "skip_serializing_if = \"Mine::is_empty\", default",
                "skip_serializing_if = \"Option::is_none\", default = \"f\"",
                "tag = \"b\"",
                "rename_all = \"lowercase\"",
                "rename = \"\"",
                "rename = \"a\\nb\"",
                "surprise",
            ],
        ),
        (&on_unnamed, &[], &["default", "skip", "rename = \"b\"", "skip_serializing_if = \"Option::is_none\""]),
        (
            &on_struct,
            &["default", "default = \"f\"", "transparent", "rename_all = \"camelCase\""],
            &[
                "rename = \"b\"",
                "deny_unknown_fields",
                "tag = \"b\"",
                "from = \"u8\"",
                "into = \"u8\"",
                "try_from = \"u8\"",
                "remote = \"V\"",
                "transparent, default",
                "crate = \"serde\"",
            ],
        ),
        (
            &on_enum,
            &["tag = \"b\"", "tag = \"b\", content = \"c\"", "rename_all_fields = \"camelCase\""],
            &[
                "untagged",
                "content = \"c\"",
                "tag = \"b\", content = \"b\"",
                "tag = \"a\"",
                "tag = \"\\t\"",
                "default",
                "transparent",
            ],
        ),
        (
            &on_variant,
            &["rename = \"b\"", "rename_all = \"camelCase\""],
            &["skip", "other", "alias = \"b\"", "untagged", "with = \"m\"", "default"],
        ),
    ];
    for (i, (errors, fine, wrong)) in places.iter().enumerate() {
        for key in *fine {
            assert_eq!(errors(key), 0, "place {i}: {key}");
        }
        for key in *wrong {
            assert_eq!(errors(key), 1, "place {i}: {key}");
        }
    }
    assert_eq!(
        expand("value", "", "#[serde(default)] struct V { #[serde(skip_serializing_if = \"Option::is_none\")] a: A }").1.len(),
        1
    );
    assert_eq!(expand("value", "", "#[serde(tag = \"a\")] enum V { A(u8, u8) }").1.len(), 1);
    assert_eq!(expand("value", "", "#[serde(transparent)] struct V { a: u8, b: u8 }").1.len(), 1);
    check(
        "value",
        "",
        "struct V { #[serde(with = \"m\")] a: u8 }",
        &expect![[r#"the type no longer says what is stored: describe it beside this, `#[schema(opaque = "RFC 3339 text")]`"#]],
    );
    assert!(expand("value", "", "struct V { #[serde(with = \"m\")] #[schema(opaque = \"x\")] a: u8 }").1.is_empty());
}

/// `F15`
#[test]
fn a_skipped_field_is_refused_on_everything_but_a_command() {
    for kind in ["event", "value", "state"] {
        let arguments = if kind == "state" { "snapshot_every = 1" } else { "" };
        assert_eq!(expand(kind, arguments, "struct V { #[serde(skip)] a: u8 }").1.len(), 1, "{kind}");
    }
    assert_eq!(expand("event", "version = 2", "#[removed(2, #[serde(skip)] b: u8)] struct V { a: u8 }").1.len(), 1);
    assert_eq!(expand("command", "", "struct V { #[serde(skip)] a: u8, #[serde(skip_serializing, default)] b: u8 }").1.len(), 0);
    assert_eq!(expand("command", "", "struct V { #[serde(skip_serializing)] b: u8 }").1.len(), 1);
}

#[test]
fn a_type_that_holds_itself_is_told_from_one_of_that_name_elsewhere() {
    check(
        "value",
        "",
        "struct V { a: Option<Box<V>> }",
        &expect![[
            r#"`V` holds itself, so its schema has no end: describe the stored form of this field, `#[schema(opaque = "a tree of ..")]`"#
        ]],
    );
    check(
        "value",
        "",
        "struct V { a: Option<Box<Self>> }",
        &expect![[
            r#"`V` holds itself, so its schema has no end: describe the stored form of this field, `#[schema(opaque = "a tree of ..")]`"#
        ]],
    );
    assert!(expand("value", "", "struct V { a: other::V }").1.is_empty());
}

#[test]
fn signatures_of_handlers_are_understood() {
    let events = [
        ("fn f(e: E) -> Self {}", true),
        ("fn f(e: &E) -> A {}", true),
        ("fn f(&mut self, E { a, .. }: a::b::E) {}", true),
        ("fn f(mut self, e: &E) {}", true),
        ("fn f<'a>(&mut self, e: &'a E) -> () {}", true),
        ("fn f(self: &mut Self, e: E) {}", false),
        ("fn f(e: E) -> Option<Self> {}", false),
        ("fn f(e: <T as X>::E) -> Self {}", false),
        ("unsafe fn f(e: E) -> Self {}", false),
        ("const X: u8 = 1;", false),
    ];
    for (method, taken) in events {
        let errors = expand("aggregate", "id = u64", &format!("impl A {{ {method} }}")).1;
        assert_eq!(errors.len(), usize::from(!taken), "{method}: {errors:?}");
    }
    let commands = [
        ("fn f(c: C) {}", true),
        ("fn f(&self, c: &C) -> Result<E, X> {}", true),
        ("async fn f(this: Option<&A>, c: C, x: &dyn Bank, y: &(dyn Bank + Send)) -> Alias<E> {}", true),
        ("fn f(this: Option<&mut Self>, c: C) {}", false),
        ("fn f(&self, c: &mut C) {}", false),
        ("fn f(&self, c: C) -> Vec<impl Into<E>> {}", false),
        ("fn f(&self, c: C, n: usize) {}", false),
    ];
    for (method, taken) in commands {
        let errors = expand("command_handler", "", &format!("impl A {{ {method} }}")).1;
        assert_eq!(errors.len(), usize::from(!taken), "{method}: {errors:?}");
    }
}
