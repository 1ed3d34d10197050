//! Rules of stored types.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::GenericParam;

use crate::diag::{Errors, list};
use crate::model::stored::{Fields, Kind, Shape, Stored, Tag};
use crate::names::plain;
use crate::rings;

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
    not_transparent(model, "event", errors);
    not_generic(model, errors);
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
    not_transparent(model, "command", errors);
    not_generic(model, errors);
    common(model, errors);
}

/// The rules of `#[value]`.
pub(crate) fn value(model: &Stored, errors: &mut Errors) {
    struct_or_enum(model, "value", errors);
    generic_over_types(model, errors);
    common(model, errors);
}

/// The rules of `#[state]`.
pub(crate) fn state(model: &Stored, errors: &mut Errors) {
    struct_or_enum(model, "state", errors);
    not_generic(model, errors);
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
    unit_as_a_record(model, errors);
    not_recursive(model, errors);
    one_field_if_transparent(model, errors);
    distinct_names(model, errors);
    tagged(model, errors);
}

/// `#[event] #[derive(Serialize)] struct Closed;`
fn unit_as_a_record(model: &Stored, errors: &mut Errors) {
    let derived = ["Serialize", "Deserialize"].into_iter().find(|name| model.derives.has(name));
    if let (Shape::Unit, Some(name)) = (&model.shape, derived) {
        errors.on(
            &model.ident,
            format!(
                "serde writes a type without fields as `null`, and no field could be added to that: leave `{name}` out of \
                 `#[derive(..)]`, gesta writes it as an empty record"
            ),
        );
    }
}

/// `#[event] struct Paid<T> { amount: T }`
fn not_generic(model: &Stored, errors: &mut Errors) {
    if !model.generics.params.is_empty() {
        errors.on(&model.generics.params, "what is stored can't be generic: one name stands for one stored form");
    }
}

/// `#[value] struct Line<'a, const N: usize> { text: &'a str, cells: [u8; N] }`
fn generic_over_types(model: &Stored, errors: &mut Errors) {
    for param in &model.generics.params {
        match param {
            GenericParam::Type(_) => {}
            GenericParam::Lifetime(param) => errors.on(
                param,
                "a value that is read has to own what is in it, so it can't have a lifetime: use `String`, `Vec` or `Box`",
            ),
            GenericParam::Const(param) => errors.on(
                param,
                "a value can be generic over types, not over numbers, since serde reads arrays of some lengths only: write the length, or use a `Vec`",
            ),
        }
    }
}

/// `#[event] #[serde(transparent)] struct Paid { amount: i64 }`
fn not_transparent(model: &Stored, kind: &str, errors: &mut Errors) {
    if let Some(span) = model.transparent {
        errors
            .at(span, format!("the {kind} is stored with the names of its fields, so that others can be added: leave this out"));
    }
}

/// `#[value] #[serde(transparent)] struct Price { minor: i64, currency: String }`
fn one_field_if_transparent(model: &Stored, errors: &mut Errors) {
    let (Some(span), Shape::Struct(fields)) = (model.transparent, &model.shape) else { return };
    let stored: Vec<_> = fields.stored().collect();
    if !matches!(&stored[..], [field] if field.default.is_none()) {
        errors.at(
            span,
            "only a struct with one field, that has no default, can be stored as that field: leave this out, or remove the others",
        );
    }
}

/// `#[value] #[serde(tag = "type")] enum Payment { Card { r#type: String }, Cash(i64, Currency) }`
fn tagged(model: &Stored, errors: &mut Errors) {
    let Shape::Enum(variants) = &model.shape else { return };
    match &model.tag {
        Tag::External => {}
        Tag::Adjacent { tag, content } => {
            if tag.value() == content.value() {
                errors.on(content, format!("the tag is stored under `{}` too: give the content another name", tag.value()));
            }
        }
        Tag::Internal(tag) => {
            let tag = tag.value();
            for (variant, fields) in variants.iter().filter_map(|variant| Some((variant, variant.fields.as_ref()?))) {
                if !fields.named && fields.list.len() != 1 {
                    errors.on(
                        &variant.ident,
                        format!(
                            "the tag `{tag}` is stored among the fields, and these have no names: name them, as in \
                             `{} {{ amount: i64 }}`, or add `content = \"..\"` to the tag",
                            variant.ident
                        ),
                    );
                }
                if fields.named
                    && let Some(field) = fields.stored().find(|field| field.name == tag)
                {
                    errors.on(
                        &field.member,
                        format!("the tag of `{}` is stored under `{tag}` too: give one of them another name", model.ident),
                    );
                }
            }
        }
    }
}

/// `#[value] enum Tree { Leaf, Node(Vec<Tree>) }`
fn not_recursive(model: &Stored, errors: &mut Errors) {
    let name = plain(&model.ident);
    for field in model.fields().filter(|field| field.opaque.is_none() && !field.skipped) {
        if mentions(field.ty.to_token_stream(), &name) {
            errors.on(
                &field.ty,
                format!(
                    "`{name}` holds itself, so its schema has no end: describe the stored form of this field, \
                     `#[schema(opaque = \"a tree of ..\")]`"
                ),
            );
        } else if model.kind == Kind::Value
            && let Some(ring) = rings::through(&model.ident, &field.ty)
        {
            let ring = list(&ring.iter().map(String::as_str).collect::<Vec<_>>());
            errors.on(
                &field.ty,
                format!(
                    "`{name}` holds itself through {ring}, so its schema has no end: describe the stored form of this field, \
                     `#[schema(opaque = \"a list of ..\")]`, or of another one in that ring"
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
    distinct(fields.stored().map(|field| (&*field.name, field.member.to_token_stream())), errors);
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
