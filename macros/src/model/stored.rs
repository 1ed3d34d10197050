//! A type that is stored: an event, a command, a value or a state.
//!
//! Always true here: the names in the model are the stored ones, after all of serde's renaming.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::{Attribute, Generics, Item, ItemStruct, LitInt, LitStr, Member, Type};

use crate::diag::Errors;
use crate::names::plain;
use crate::parse::args::{self, value};
use crate::parse::attrs::{Derives, cfg, docs, is_conditional, refuse_schema, take_opaque, take_second};
use crate::parse::history::is_mark;
use crate::parse::serde::{self, FieldDefault, Place, Rule, Serde};
use crate::paths::Root;

/// What a type is stored as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    /// An earlier version of an event.
    Past,
    Command {
        retry: bool,
    },
    Value,
    State {
        every: u64,
        logic_version: u64,
    },
}

/// A stored type.
pub(crate) struct Stored {
    pub(crate) kind: Kind,
    pub(crate) root: Root,
    /// The user's item, without what only this macro understands.
    pub(crate) item: Item,
    /// The same without `#[serde]`, which nothing understands where serde is not derived.
    pub(crate) bare: TokenStream,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) derives: Derives,
    pub(crate) doc: String,
    /// The name it is stored under.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Where the name of an enum's variant is stored.
    pub(crate) tag: Tag,
    /// Whether it is stored as its one field is.
    pub(crate) transparent: Option<Span>,
}

/// Where the name of an enum's variant is stored.
pub(crate) enum Tag {
    /// Around its content.
    External,
    /// Among the fields of its content.
    Internal(LitStr),
    /// Beside its content.
    Adjacent { tag: LitStr, content: LitStr },
}

/// What a type is made of.
pub(crate) enum Shape {
    /// `struct Closed;`
    Unit,
    /// `struct Paid { .. }` or `struct Cents(i64);`
    Struct(Fields),
    /// `enum Channel { .. }`
    Enum(Vec<Variant>),
    /// Which is refused.
    Union,
}

/// The fields of a struct or a variant.
pub(crate) struct Fields {
    pub(crate) named: bool,
    pub(crate) list: Vec<Field>,
}

/// One field.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// The name it is stored under.
    pub(crate) name: String,
    pub(crate) doc: String,
    /// A description of the stored form, where the type has no schema.
    pub(crate) opaque: Option<LitStr>,
    /// Whether functions of the user write or read it.
    pub(crate) with: bool,
    /// What stands in for it where it is missing.
    pub(crate) default: Option<FieldDefault>,
    /// Whether it is not stored.
    pub(crate) skipped: bool,
}

impl Fields {
    /// Those that are stored.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Field> {
        self.list.iter().filter(|field| !field.skipped)
    }
}

/// One variant.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// The name it is stored under.
    pub(crate) name: String,
    pub(crate) doc: String,
    /// `None` for a plain name.
    pub(crate) fields: Option<Fields>,
}

impl Stored {
    /// The inner field of `struct Cents(i64);`.
    pub(crate) fn newtype(&self) -> Option<&Field> {
        match &self.shape {
            Shape::Struct(Fields { named: false, list }) => match &list[..] {
                [inner] => Some(inner),
                _ => None,
            },
            _ => None,
        }
    }
    /// Whether it holds no data but which variant it is.
    pub(crate) fn is_fieldless(&self) -> bool {
        match &self.shape {
            Shape::Unit => true,
            Shape::Enum(variants) => variants.iter().all(|variant| variant.fields.is_none()),
            Shape::Struct(_) | Shape::Union => false,
        }
    }
    /// All fields there are.
    pub(crate) fn fields(&self) -> Box<dyn Iterator<Item = &Field> + '_> {
        match &self.shape {
            Shape::Struct(fields) => Box::new(fields.list.iter()),
            Shape::Enum(variants) => Box::new(variants.iter().filter_map(|v| v.fields.as_ref()).flat_map(|f| &f.list)),
            Shape::Unit | Shape::Union => Box::new(std::iter::empty()),
        }
    }
}

pub(super) const NAME: args::Known = ("name", "name = \"StoredName\"");

/// Reads a `#[command]`.
pub(crate) fn command(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Stored> {
    let (mut name, mut retry) = (None, false);
    let root = args::read("command", &[NAME, ("retry", "retry")], tokens, errors, |key, input, errors| {
        if key == "name" {
            name = stored_name(input, errors)?;
        } else {
            retry = true;
        }
        Ok(())
    });
    read(Kind::Command { retry }, "command", root, name, item, errors)
}

/// Reads a `#[value]`.
pub(crate) fn value_type(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Stored> {
    let root = args::read("value", &[], tokens, errors, |_, _, _| Ok(()));
    read(Kind::Value, "value", root, None, item, errors)
}

/// Reads a `#[state]`.
pub(crate) fn state(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Stored> {
    let (mut every, mut logic_version, before) = (None, 0, errors.len());
    let known = [("snapshot_every", "snapshot_every = 100"), ("logic_version", "logic_version = 1")];
    let root = args::read("state", &known, tokens, errors, |key, input, errors| {
        let literal: LitInt = value(input)?;
        let Some(number) = errors.take(literal.base10_parse::<u64>()) else { return Ok(()) };
        if key == "logic_version" {
            logic_version = number;
        } else if number == 0 {
            errors.on(literal, "a snapshot is taken after this many events: write 1 or more, such as `snapshot_every = 100`");
        } else {
            every = Some(number);
        }
        Ok(())
    });
    if every.is_none() && errors.len() == before {
        errors.at(Span::call_site(), "after how many events is a snapshot taken? write `#[state(snapshot_every = 100)]`");
    }
    read(Kind::State { every: every.unwrap_or(1), logic_version }, "state", root, None, item, errors)
}

/// The name after `name =`.
pub(super) fn stored_name(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<String>> {
    Ok(serde::stored_name(&value(input)?, errors))
}

/// Reads an item that is stored.
pub(super) fn read(
    kind: Kind,
    attribute: &str,
    root: Root,
    name: Option<String>,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<Stored> {
    let mut item = errors.take(syn::parse2::<Item>(item))?;
    refuse_history(kind, &mut item, errors);
    let (attrs, ident, generics) = match &mut item {
        Item::Struct(item) => (&mut item.attrs, item.ident.clone(), item.generics.clone()),
        Item::Enum(item) => (&mut item.attrs, item.ident.clone(), item.generics.clone()),
        Item::Union(item) => (&mut item.attrs, item.ident.clone(), item.generics.clone()),
        _ => {
            let on = if matches!(kind, Kind::Event | Kind::Command { .. }) { "a struct" } else { "a struct or an enum" };
            errors.at(Span::call_site(), format!("`#[{attribute}]` belongs on {on}"));
            return None;
        }
    };
    if kind != Kind::Past {
        take_second(attribute, attrs, errors);
        refuse_schema(attrs, errors);
    }
    let (doc, derives) = (docs(attrs), Derives::of(attrs));
    let container = match &item {
        Item::Struct(ItemStruct { fields: syn::Fields::Unit, attrs, .. }) => {
            if let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("serde")) {
                errors.on(attr, "there is nothing here that serde could name: remove this");
            }
            Serde::default()
        }
        Item::Struct(ItemStruct { fields: syn::Fields::Named(_), attrs, .. }) => Serde::of(attrs, Place::Struct, errors),
        Item::Struct(ItemStruct { attrs, .. }) => Serde::of(attrs, Place::TupleStruct, errors),
        Item::Enum(item) => Serde::of(&item.attrs, Place::Enum, errors),
        _ => Serde::default(),
    };
    let shape = match &mut item {
        Item::Struct(item) if matches!(item.fields, syn::Fields::Unit) => Shape::Unit,
        Item::Struct(item) => Shape::Struct(fields(kind, &mut item.fields, container.rename_all, container.default, errors)),
        Item::Enum(item) => Shape::Enum(item.variants.iter_mut().map(|v| variant(kind, v, &container, errors)).collect()),
        _ => Shape::Union,
    };
    let tag = match (container.tag, container.content) {
        (None, None) => Tag::External,
        (Some(tag), None) => Tag::Internal(tag),
        (Some(tag), Some(content)) => Tag::Adjacent { tag, content },
        (None, Some(content)) => {
            errors.on(content, "`content` stands beside a tag: add `tag = \"type\"`");
            Tag::External
        }
    };
    let transparent = container.transparent;
    let name = name.unwrap_or_else(|| plain(&ident));
    let mut bare = item.clone();
    strip_serde(&mut bare);
    Some(Stored {
        kind,
        root,
        item,
        bare: bare.into_token_stream(),
        ident,
        generics,
        derives,
        doc,
        name,
        shape,
        tag,
        transparent,
    })
}

fn variant(kind: Kind, variant: &mut syn::Variant, container: &Serde, errors: &mut Errors) -> Variant {
    if let Some(cfg) = cfg(&variant.attrs) {
        errors.on(cfg, "what is stored can't depend on a `#[cfg]`: another build could not read it");
    }
    refuse_schema(&mut variant.attrs, errors);
    let serde = Serde::of(&variant.attrs, Place::Variant, errors);
    let plain = plain(&variant.ident);
    let name = serde.rename.unwrap_or_else(|| container.rename_all.map_or(plain.clone(), |rule| rule.variant(&plain)));
    let rule = serde.rename_all.or(container.rename_all_fields);
    let has_fields = !matches!(variant.fields, syn::Fields::Unit);
    let fields = has_fields.then(|| fields(kind, &mut variant.fields, rule, None, errors));
    Variant { ident: variant.ident.clone(), name, doc: docs(&variant.attrs), fields }
}

fn fields(
    kind: Kind,
    fields: &mut syn::Fields,
    rule: Option<Rule>,
    default: Option<FieldDefault>,
    errors: &mut Errors,
) -> Fields {
    let named = matches!(fields, syn::Fields::Named(_));
    let members: Vec<_> = fields.members().collect();
    let one = |(field, member)| one_field(kind, field, member, rule, default, errors);
    let list = fields.iter_mut().zip(members).map(one).collect();
    Fields { named, list }
}

fn one_field(
    kind: Kind,
    field: &mut syn::Field,
    member: Member,
    rule: Option<Rule>,
    whole: Option<FieldDefault>,
    errors: &mut Errors,
) -> Field {
    if let Some(cfg) = cfg(&field.attrs) {
        errors.on(cfg, "what is stored can't depend on a `#[cfg]`: another build could not read it");
    }
    let opaque = take_opaque(&mut field.attrs, errors);
    let place = if matches!(member, Member::Named(_)) { Place::Field } else { Place::UnnamedField };
    let mut serde = Serde::of(&field.attrs, place, errors);
    // A command is decided on when it is given, and not kept.
    if !matches!(kind, Kind::Command { .. }) {
        serde.refuse_skip(errors);
    }
    let (default, skipped) = serde.missing(whole, errors);
    if let (Some(span), None) = (serde.with, &opaque) {
        errors
            .at(span, "the type no longer says what is stored: describe it beside this, `#[schema(opaque = \"RFC 3339 text\")]`");
    }
    let plain = match &member {
        Member::Named(ident) => plain(ident),
        Member::Unnamed(index) => index.index.to_string(),
    };
    let name = serde.rename.unwrap_or_else(|| rule.map_or(plain.clone(), |rule| rule.field(&plain)));
    let (doc, with) = (docs(&field.attrs), serde.with.is_some());
    Field { member, ty: field.ty.clone(), name, doc, opaque, with, default, skipped }
}

/// Takes the marks of history off what has none. Those of an event have been read; what is left of them stands on an item
/// that can't be an event.
fn refuse_history(kind: Kind, item: &mut Item, errors: &mut Errors) {
    let why = match kind {
        Kind::Event | Kind::Past => None,
        Kind::Command { .. } => {
            Some("only events have versions: a command is decided on when it is given, and not kept, so remove this")
        }
        Kind::Value => Some(
            "only events have versions: keep the old type under another name, and say `#[converted(2, from = OldType)]` on the fields of the events that hold it",
        ),
        Kind::State { .. } => Some(
            "only events have versions: remove this; after a change no snapshot of before is found, and the state is made of its events again",
        ),
    };
    every_attrs(item, &mut |attrs| {
        for attr in attrs.extract_if(.., |attr| is_mark(attr)) {
            if let Some(why) = why {
                errors.on(attr.path(), why);
            }
        }
    });
}

fn strip_serde(item: &mut Item) {
    every_attrs(item, &mut |attrs| attrs.retain(|attr| !attr.path().is_ident("serde") && !is_conditional(attr)));
}

/// The attributes of the item, of its variants and fields.
fn every_attrs(item: &mut Item, each: &mut dyn FnMut(&mut Vec<Attribute>)) {
    match item {
        Item::Struct(item) => {
            each(&mut item.attrs);
            item.fields.iter_mut().for_each(|field| each(&mut field.attrs));
        }
        Item::Enum(item) => {
            each(&mut item.attrs);
            for variant in &mut item.variants {
                each(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| each(&mut field.attrs));
            }
        }
        Item::Union(item) => {
            each(&mut item.attrs);
            item.fields.named.iter_mut().for_each(|field| each(&mut field.attrs));
        }
        _ => {}
    }
}
