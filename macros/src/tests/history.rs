//! The history of an event: what is made of its marks, and what is said of those that make none.

use expect_test::{Expect, expect};

use super::{expand, tokens};
use crate::diag::Errors;
use crate::model::history::{self, Event};

fn read(args: &str, item: &str) -> Event {
    let mut errors = Errors::default();
    let event = history::read(tokens(args), tokens(item), &mut errors);
    let errors = errors.into_vec();
    assert!(errors.is_empty(), "{errors:?}");
    event.expect("a struct is an event")
}

/// Each version: its fields with their types and attributes, and what is new in it.
fn versions(args: &str, item: &str, expected: &Expect) {
    let event = read(args, item);
    let mut lines = Vec::new();
    let all = event.past.iter().map(|past| (past.version, &past.stored)).chain([(event.version, &event.stored)]);
    for (version, stored) in all {
        let syn::Item::Struct(item) = &stored.item else { panic!("a struct") };
        let fields = item.fields.iter().map(|field| quote::quote!(#field).to_string().replace(' ', "")).collect::<Vec<_>>();
        lines.push(format!("{} {{ {} }}", stored.ident, fields.join(", ")));
        if version > event.first() {
            lines.push(format!("  {}", event.news(version).changes.join(", ")));
        }
    }
    expected.assert_eq(&lines.join("\n"));
}

/// The first line of each message.
fn says(args: &str, item: &str, expected: &Expect) {
    let errors = expand("event", args, item).1;
    let lines: Vec<_> = errors.iter().map(|error| error.to_string().lines().next().unwrap_or_default().to_owned()).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_field_was_what_its_marks_say() {
    versions(
        "version = 4",
        "#[removed(4, #[added(2, default = 0)] #[serde(rename = \"no\")] nr: u8)]
         pub struct E {
            #[renamed(3, from = \"sum\")] #[converted(2, from = a::B<u8>)] #[serde(rename = \"amt\", default)] pub(crate) amount: u32,
            #[added(4, default = x())] #[schema(opaque = \"x\")] x: X,
         }",
        &expect![[r#"
            EV1 { pub(crate)sum:a::B<u8> }
            EV2 { #[serde(default)]pub(crate)sum:u32, #[serde(rename="no")]pubnr:u8 }
              `no` was added, `sum` was converted from `a::B<u8>` to `u32`
            EV3 { #[serde(rename="amt",default)]pub(crate)amount:u32, #[serde(rename="no")]pubnr:u8 }
              `sum` was renamed to `amt`
            E { #[serde(rename="amt",default)]pub(crate)amount:u32, x:X }
              `no` was removed, `x` was added"#]],
    );
}

#[test]
fn the_order_in_which_marks_are_written_means_nothing() {
    let one = "#[removed(3, b: u8)] #[removed(2, a: u8)]
        struct E { #[renamed(3, from = \"c\")] #[renamed(2, from = \"b2\")] #[converted(2, from = u8)] d: u16, #[added(3, default = 0)] e: u8 }";
    let other = "#[removed(2, a: u8)] #[removed(3, b: u8)]
        struct E { #[converted(2, from = u8)] #[renamed(2, from = \"b2\")] #[renamed(3, from = \"c\")] d: u16, #[added(3, default = 0)] e: u8 }";
    let expected = expect![[r"
        EV1 { b2:u8, b:u8, a:u8 }
        EV2 { c:u16, b:u8 }
          `a` was removed, `b2` was renamed to `c`, `c` was converted from `u8` to `u16`
        E { d:u16, e:u8 }
          `b` was removed, `c` was renamed to `d`, `e` was added"]];
    versions("version = 3", one, &expected);
    let logic = |item| [2, 3].map(|version| read("version = 3", item).news(version).logic);
    assert_eq!(logic(one), logic(other));
}

#[test]
fn the_hash_of_a_step_changes_with_what_the_step_does() {
    let logic = |marks: &str| read("version = 2", &format!("struct E {{ {marks} a: u8 }}")).news(2).logic;
    let plain = logic("#[added(2, default = 1)]");
    assert_eq!(logic("/** Docs. */ #[added(2, default=1)]"), plain);
    for other in ["#[added(2, default = 2)]", "#[converted(2, from = u16)]", "#[renamed(2, from = \"b\")]"] {
        assert_ne!(logic(other), plain, "{other}");
    }
    assert_ne!(logic("#[converted(2, from = u16)]"), logic("#[converted(2, try_from = u16)]"));
    let removed = |field: &str| read("version = 2", &format!("#[removed(2, {field})] struct E;")).news(2).logic;
    assert_ne!(removed("a: u8"), removed("b: u8"));
    assert_eq!(removed("/** Docs. */ a: u8"), removed("a: u8"));
}

#[test]
fn before_a_conversion_no_attribute_but_the_name_is_left() {
    versions(
        "version = 2",
        "struct E { #[serde(rename = \"b\", default, with = \"m\")] #[schema(opaque = \"o\")] #[converted(2, from = u8)] a: A,
            #[renamed(2, from = \"old\")] #[serde(rename = \"x\")] #[serde(default)] #[other] r#type: u8 }",
        &expect![[r#"
            EV1 { #[serde(rename="b")]a:u8, #[serde(default)]old:u8 }
            E { #[serde(rename="b",default,with="m")]a:A, #[serde(rename="x")]#[serde(default)]#[other]r#type:u8 }
              `b` was converted from `u8` to `A`, `old` was renamed to `x`"#]],
    );
}

#[test]
fn the_versions_before_an_explicit_struct_are_its_own() {
    versions(
        "version = 4",
        "#[converted(2, try_from = old::E1, with = f)] struct E { #[converted(4, from = u8)] a: u16, #[added(3, default = 0)] b: u8 }",
        &expect![[r"
            EV2 { a:u8 }
            EV3 { a:u8, b:u8 }
              `b` was added
            E { a:u16, b:u8 }
              `a` was converted from `u8` to `u16`"]],
    );
}

#[test]
fn a_gap_is_said_once_and_only_where_nothing_else_is_wrong() {
    let gap = "struct E { #[added(2, default = 0)] a: u8, #[added(4, default = 0)] b: u8 }";
    says(
        "version = 6",
        gap,
        &expect![[r#"
            nothing says how version 2 of `E` becomes version 3: mark what changed with `#[added(3, default = ..)]`, `#[renamed(3, from = "..")]`, `#[converted(3, from = ..)]` or `#[removed(3, ..)]`
            nothing says how version 4 of `E` becomes version 5, and so on up to version 6: mark what changed with `#[added(5, default = ..)]`, `#[renamed(5, from = "..")]`, `#[converted(5, from = ..)]` or `#[removed(5, ..)]`"#]],
    );
    says(
        "version = 3",
        gap,
        &expect!["`E` is at version 3: write `#[event(version = 4)]`, or here the version in which this changed"],
    );
    // What can't be read may have been about any version, or is known to be about this one.
    says("version = 2", "struct E { #[added] a: u8 }", &expect!["in which version? write `#[added(2, default = ..)]`"]);
    says(
        "version = 2",
        "struct E { #[added(2)] a: u8 }",
        &expect!["what is it where it was not there yet? write `#[added(2, default = ..)]`"],
    );
}

#[test]
fn names_may_be_taken_again_when_they_are_free() {
    for item in [
        "#[removed(2, a: u8)] struct E { #[added(2, default = 0)] a: u16 }",
        "#[removed(2, b: u8)] struct E { #[renamed(2, from = \"a\")] b: u16 }",
        "struct E { #[renamed(2, from = \"b\")] a: u8, #[renamed(2, from = \"a\")] b: u8 }",
    ] {
        assert!(expand("event", "version = 2", item).1.is_empty(), "{item}");
    }
    says(
        "version = 2",
        "#[removed(2, #[serde(rename = \"b\")] a: u8)] struct E { b: u16 }",
        &expect![
            "version 1 of `E` would have two fields named `b`: say of one of them that it came later, was gone by then, or had another name"
        ],
    );
    // What is wrong today is no news of earlier versions.
    says(
        "version = 2",
        "struct E { #[serde(rename = \"b\")] a: u8, b: u16, #[added(2, default = 0)] c: u8 }",
        &expect!["stored as `b`, like another one here: give it a name of its own"],
    );
}

#[test]
fn an_old_name_may_be_a_keyword_by_now() {
    versions(
        "version = 3",
        "struct E { #[renamed(3, from = \"type\")] #[renamed(2, from = \"r#gen\")] kind: u8 }",
        &expect![[r"
            EV1 { r#gen:u8 }
            EV2 { r#type:u8 }
              `gen` was renamed to `type`
            E { kind:u8 }
              `type` was renamed to `kind`"]],
    );
}
