//! Rules of stored types.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::diag::Errors;
use crate::model::stored::{Fields, Shape, Stored};
use crate::names::plain;

/// The rules of `#[event]`.
pub(crate) fn event(model: &Stored, errors: &mut Errors) {
    let one = "an event is a struct with named fields";
    match &model.shape {
        Shape::Enum(_) => errors.on(
            &model.ident,
            format!("{one}: make each variant a struct with `#[event]`; `#[aggregate]` makes the enum of them"),
        ),
        Shape::Union => errors.on(&model.ident, format!("{one}, not a union")),
        Shape::Unit | Shape::Struct(_) => {}
    }
    named_fields(model, "event", errors);
    common(model, errors);
}

/// The rules of `#[command]`.
pub(crate) fn command(model: &Stored, errors: &mut Errors) {
    let one = "a command is a struct with named fields";
    match &model.shape {
        Shape::Enum(_) => errors.on(
            &model.ident,
            format!("{one}: make each variant a struct with `#[command]`; `#[command_handler]` makes the enum of them"),
        ),
        Shape::Union => errors.on(&model.ident, format!("{one}, not a union")),
        Shape::Unit | Shape::Struct(_) => {}
    }
    named_fields(model, "command", errors);
    common(model, errors);
}

/// The rules of `#[value]`.
pub(crate) fn value(model: &Stored, errors: &mut Errors) {
    struct_or_enum(model, "value", errors);
    common(model, errors);
}

/// The rules of `#[state]`.
pub(crate) fn state(model: &Stored, errors: &mut Errors) {
    struct_or_enum(model, "state", errors);
    common(model, errors);
}

/// `#[event] struct Paid(i64);`
fn named_fields(model: &Stored, kind: &str, errors: &mut Errors) {
    if let Shape::Struct(Fields { named: false, .. }) = &model.shape {
        let name = &model.ident;
        errors.on(
            name,
            format!(
                "name the fields of the {kind}, as in `struct {name} {{ amount: i64 }}`: what is stored outlives their order"
            ),
        );
    }
}

/// `#[value] union Bits { .. }`, `#[value] enum Never {}`
fn struct_or_enum(model: &Stored, kind: &str, errors: &mut Errors) {
    match &model.shape {
        Shape::Union => errors.on(&model.ident, format!("a {kind} is a struct or an enum, not a union")),
        Shape::Enum(variants) if variants.is_empty() => {
            errors.on(&model.ident, format!("an enum without variants has no values, so it can't be a {kind}"));
        }
        _ => {}
    }
}

fn common(model: &Stored, errors: &mut Errors) {
    not_generic(model, errors);
    not_recursive(model, errors);
    distinct_names(model, errors);
}

/// `#[event] struct Paid<T> { amount: T }`
fn not_generic(model: &Stored, errors: &mut Errors) {
    if !model.generics.params.is_empty() {
        errors.on(&model.generics.params, "what is stored can't be generic: one name stands for one stored form");
    }
}

/// `#[value] enum Tree { Leaf, Node(Vec<Tree>) }`
fn not_recursive(model: &Stored, errors: &mut Errors) {
    let name = plain(&model.ident);
    for field in model.fields().filter(|field| field.opaque.is_none()) {
        if mentions(field.ty.to_token_stream(), &name) {
            errors.on(
                &field.ty,
                format!(
                    "`{name}` holds itself, so its schema has no end: describe the stored form of this field, \
                     `#[schema(opaque = \"a tree of ..\")]`"
                ),
            );
        }
    }
}

/// Whether a type speaks of this one: by its bare name, not as the end of a path, which may be another type.
fn mentions(ty: TokenStream, name: &str) -> bool {
    let mut in_path = false;
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            let found = !in_path && (ident == "Self" || plain(&ident) == name);
            in_path = false;
            found
        }
        TokenTree::Punct(punct) => {
            in_path = punct.as_char() == ':';
            false
        }
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(_) => false,
    })
}

/// `struct Paid { a: i64, #[serde(rename = "a")] b: i64 }`
fn distinct_names(model: &Stored, errors: &mut Errors) {
    match &model.shape {
        Shape::Struct(fields) => distinct_fields(fields, errors),
        Shape::Enum(variants) => {
            distinct(variants.iter().map(|variant| (&*variant.name, variant.ident.to_token_stream())), errors);
            for fields in variants.iter().filter_map(|variant| variant.fields.as_ref()) {
                distinct_fields(fields, errors);
            }
        }
        Shape::Unit | Shape::Union => {}
    }
}

fn distinct_fields(fields: &Fields, errors: &mut Errors) {
    distinct(fields.list.iter().map(|field| (&*field.name, field.member.to_token_stream())), errors);
}

fn distinct<'a>(names: impl Iterator<Item = (&'a str, TokenStream)>, errors: &mut Errors) {
    let mut seen = Vec::new();
    for (name, tokens) in names {
        if seen.contains(&name) {
            errors.on(tokens, format!("stored as `{name}`, like another one here: give it a name of its own"));
        }
        seen.push(name);
    }
}
