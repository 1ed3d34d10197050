//! An `#[event]` with its earlier versions.
//!
//! Always true here: versions are found by walking back from the current one, so the order in which marks are written means
//! nothing; they are put in order here, once.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Generics, Item, ItemStruct, LitInt, Member, Meta, Token, Type, Visibility, parse_quote};

use super::stored::{self, Kind, Stored};
use super::tokens::TokenHash;
use crate::diag::Errors;
use crate::names::{old_version, plain};
use crate::parse::args::{self, value};
use crate::parse::history::{Change, Conversion, Mark, OfStruct, Unread, take_of_field, take_of_struct};

/// An event.
pub(crate) struct Event {
    /// The current version.
    pub(crate) stored: Stored,
    /// Its number.
    pub(crate) version: u32,
    /// Where the number stands, or the event's name where it doesn't.
    pub(crate) number: Span,
    /// Each field there is or was.
    pub(crate) lives: Vec<Life>,
    /// What stands above the struct: a version made of an explicit struct, the newest first; there is at most one in a sound
    /// event.
    pub(crate) converted: Vec<Mark>,
    /// What is told by marks that can't be read.
    pub(crate) unread: Unread,
    /// The versions whose structs are generated, from the oldest on.
    pub(crate) past: Vec<Past>,
    /// `#[serde(default)]` above the struct.
    pub(crate) whole_default: Option<Span>,
}

/// A field through the versions.
pub(crate) struct Life {
    /// As it is now, or was last; without marks.
    field: syn::Field,
    pub(crate) ident: Ident,
    /// The version in which it was no longer there, and where that stands.
    pub(crate) removed: Option<(u32, Span)>,
    /// What happened to it, the newest first.
    pub(crate) marks: Vec<Mark>,
}

/// An earlier version.
pub(crate) struct Past {
    pub(crate) version: u32,
    pub(crate) stored: Stored,
    /// How it becomes the next one: each field of that with its value.
    pub(crate) step: Vec<(Ident, Value)>,
}

/// The value of a field in the next version.
pub(crate) enum Value {
    /// That of the field of this name.
    Kept(Ident),
    /// Likewise, converted into this type.
    Converted(Ident, Box<(Conversion, Type)>),
    /// This one.
    Added(Expr),
}

/// A version that was made of an explicit struct.
pub(crate) struct Base<'a> {
    /// The version that was made.
    pub(crate) version: u32,
    pub(crate) conversion: &'a Conversion,
}

/// What is new in a version.
pub(crate) struct News {
    /// A sentence for each change.
    pub(crate) changes: Vec<String>,
    /// The hash of what the attributes say.
    pub(crate) logic: u64,
}

impl Past {
    /// Whether it may fail to become the next one.
    pub(crate) fn fails(&self) -> bool {
        self.step.iter().any(|(_, value)| matches!(value, Value::Converted(_, made) if made.0.fails))
    }
}

impl Life {
    /// The first version that has the field.
    pub(crate) fn born(&self) -> u32 {
        let added = self.marks.iter().filter(|mark| matches!(mark.change, Change::Added(_)));
        added.map(|mark| mark.version).min().unwrap_or(1)
    }
    /// Whether a version has it.
    pub(crate) fn is_in(&self, version: u32) -> bool {
        self.born() <= version && self.removed.is_none_or(|(gone, _)| version < gone)
    }
    /// Its name in a version.
    pub(crate) fn name_in(&self, version: u32) -> &Ident {
        let renamed = self.later(version).filter_map(|mark| match &mark.change {
            Change::Renamed(from) => Some(from),
            _ => None,
        });
        renamed.last().unwrap_or(&self.ident)
    }
    /// Its type in a version.
    fn type_in(&self, version: u32) -> &Type {
        self.conversions_after(version).last().map_or(&self.field.ty, |conversion| &conversion.from)
    }
    fn conversions_after(&self, version: u32) -> impl Iterator<Item = &Conversion> {
        self.later(version).filter_map(|mark| match &mark.change {
            Change::Converted(conversion) => Some(&**conversion),
            _ => None,
        })
    }
    /// What happened after a version, the newest first.
    fn later(&self, version: u32) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(move |mark| mark.version > version)
    }
    /// The field as it stood in a version.
    fn in_version(&self, version: u32, event: &Ident) -> syn::Field {
        let renamed = self.later(version).any(|mark| matches!(mark.change, Change::Renamed(_)));
        let converted = self.conversions_after(version).next().is_some();
        let mut field = self.field.clone();
        field.attrs = field.attrs.iter().filter_map(|attr| surviving(attr, renamed, converted)).collect();
        field.ident = Some(self.name_in(version).clone());
        field.ty = of_itself(self.type_in(version), event);
        field
    }
    /// Its value in the version after this one.
    fn step_from(&self, version: u32, event: &Ident) -> Option<(Ident, Value)> {
        let next = version + 1;
        if !self.is_in(next) {
            return None;
        }
        let mark = |wanted: fn(&Change) -> bool| self.marks.iter().find(|mark| mark.version == next && wanted(&mark.change));
        let value = if let Some(Mark { change: Change::Added(default), .. }) = mark(|c| matches!(c, Change::Added(_))) {
            Value::Added(of_itself(&**default, event))
        } else if let Some(Mark { change: Change::Converted(made), .. }) = mark(|c| matches!(c, Change::Converted(_))) {
            let made = Conversion {
                from: of_itself(&made.from, event),
                with: made.with.as_ref().map(|with| of_itself(with, event)),
                fails: made.fails,
            };
            let into = of_itself(self.type_in(next), event);
            Value::Converted(self.name_in(version).clone(), Box::new((made, into)))
        } else {
            Value::Kept(self.name_in(version).clone())
        };
        Some((self.name_in(next).clone(), value))
    }
}

impl Event {
    /// The newest version that was made of an explicit struct.
    pub(crate) fn base(&self) -> Option<Base<'_>> {
        self.converted.first().and_then(|mark| match &mark.change {
            Change::Converted(conversion) => Some(Base { version: mark.version, conversion }),
            _ => None,
        })
    }
    /// The oldest version that is made of fields.
    pub(crate) fn first(&self) -> u32 {
        self.base().map_or(1, |base| base.version)
    }
    /// The struct of a version.
    pub(crate) fn struct_of(&self, version: u32) -> Ident {
        if version == self.version { self.stored.ident.clone() } else { old_version(&self.stored.ident, version) }
    }
    /// Every mark there is.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.lives.iter().flat_map(|life| &life.marks).chain(&self.converted)
    }

    /// Each version of which something is told, from the oldest that is made of fields on; whether all of it can be read or not.
    pub(crate) fn told(&self) -> Vec<u32> {
        let removed = self.lives.iter().filter_map(|life| life.removed.map(|(version, _)| version));
        let mut told: Vec<u32> = self.marks().map(|mark| mark.version).chain(removed).collect();
        told.extend(&self.unread.versions);
        told.push(self.first());
        told.sort_unstable();
        told.dedup();
        told
    }

    /// The name a field is stored under in a version.
    pub(crate) fn stored_as(&self, life: &Life, version: u32) -> String {
        let name = life.name_in(version);
        let past = self.past.iter().find(|past| past.version == version).map(|past| &past.stored);
        let fields = if version == self.version { Some(&self.stored) } else { past };
        let field =
            fields.and_then(|stored| stored.fields().find(|field| matches!(&field.member, Member::Named(n) if n == name)));
        field.map_or_else(|| plain(name), |field| field.name.clone())
    }
    /// What is new in a version.
    pub(crate) fn news(&self, version: u32) -> News {
        // In the order of their names: that of the fields means nothing.
        let mut told: Vec<(String, String, TokenStream)> = Vec::new();
        for life in &self.lives {
            let (now, before) = (self.stored_as(life, version), self.stored_as(life, version - 1));
            for mark in life.marks.iter().filter(|mark| mark.version == version) {
                let what = match &mark.change {
                    Change::Added(_) => format!("`{now}` was added"),
                    Change::Renamed(_) => format!("`{before}` was renamed to `{now}`"),
                    Change::Converted(made) => {
                        format!("`{now}` was converted from `{}` to `{}`", text(&made.from), text(life.type_in(version)))
                    }
                };
                told.push((now.clone(), what, mark.tokens.clone()));
            }
            if life.removed.is_some_and(|(gone, _)| gone == version) {
                let (name, ty) = (&life.ident, &life.field.ty);
                told.push((now.clone(), format!("`{before}` was removed"), quote!(removed #name: #ty)));
            }
        }
        for mark in self.converted.iter().filter(|mark| mark.version == version) {
            if let Change::Converted(made) = &mark.change {
                told.push((
                    String::new(),
                    format!("the whole event was converted from `{}`", text(&made.from)),
                    mark.tokens.clone(),
                ));
            }
        }
        told.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let mut hash = TokenHash::new();
        for (name, _, tokens) in &told {
            hash.add(quote!(#name #tokens));
        }
        News { changes: told.into_iter().map(|(_, what, _)| what).collect(), logic: hash.finish() }
    }
}

/// Reads an `#[event]`.
pub(crate) fn read(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Event> {
    let (mut name, mut said) = (None, None);
    let known = [stored::NAME, ("version", "version = 2")];
    let root = args::read("event", &known, tokens, errors, |key, input, errors| {
        if key == "name" {
            name = stored::stored_name(input, errors)?;
        } else {
            said = version(&value(input)?, errors);
        }
        Ok(())
    });
    let mut item = errors.take(syn::parse2::<Item>(item))?;
    let mut unread = Unread::default();
    let (mut lives, mut above, mut whole_default) = (Vec::new(), OfStruct::default(), None);
    if let Item::Struct(item) = &mut item {
        above = take_of_struct(&mut item.attrs, &mut unread, errors);
        whole_default = item.attrs.iter().find_map(default_of);
        // What can't be an event has no history, whatever it says.
        unread.unknown |= matches!(item.fields, syn::Fields::Unnamed(_));
        for field in &mut item.fields {
            let marks = take_of_field(&mut field.attrs, &mut unread, errors);
            lives.extend(field.ident.clone().map(|ident| life(field.clone(), ident, None, marks)));
        }
    }
    unread.unknown |= !matches!(item, Item::Struct(_));
    let as_it_is = item.clone();
    let stored = stored::read(Kind::Event, "event", root, name, item.into_token_stream(), errors)?;
    for removed in above.removed {
        let (ident, mut field) = (removed.field.ident.clone()?, removed.field);
        if let (Visibility::Inherited, Item::Struct(item)) = (&field.vis, &as_it_is) {
            field.vis = item.vis.clone();
        }
        lives.push(life(field, ident, Some((removed.version, removed.number)), removed.marks));
    }
    above.converted.sort_by_key(|mark| std::cmp::Reverse(mark.version));
    let (version, number) = said.unwrap_or((1, stored.ident.span()));
    let mut event = Event { stored, version, number, lives, converted: above.converted, unread, past: Vec::new(), whole_default };
    if let Item::Struct(item) = &as_it_is {
        removed_fields(&event, item, errors);
        event.past = past(&event, item);
    }
    Some(event)
}

fn version(literal: &LitInt, errors: &mut Errors) -> Option<(u32, Span)> {
    match literal.base10_parse::<u32>() {
        Ok(0) => errors.on(literal, "versions are counted from 1: write `version = 1`, or leave it out"),
        Ok(version) => return Some((version, literal.span())),
        Err(error) => errors.add(error),
    }
    None
}

fn life(field: syn::Field, ident: Ident, removed: Option<(u32, Span)>, mut marks: Vec<Mark>) -> Life {
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.version));
    Life { field, ident, removed, marks }
}

/// What is wrong with the attributes of fields that are gone, each once; in the versions that had them it is not said again.
fn removed_fields(event: &Event, item: &ItemStruct, errors: &mut Errors) {
    for life in event.lives.iter().filter(|life| life.removed.is_some()) {
        let alone = with_fields(item, &item.ident, &[], vec![life.field.clone()]);
        stored::read(Kind::Past, "event", event.stored.root.clone(), None, alone.into_token_stream(), errors);
    }
}

/// The versions whose structs are generated. Where a long gap has been left, which is an error, only the last ones.
fn past(event: &Event, item: &ItemStruct) -> Vec<Past> {
    const STUBS_MAX: usize = 20;
    let versions = (event.first()..event.version).rev().take(event.marks().count() + event.lives.len() + STUBS_MAX);
    let mut past: Vec<_> = versions.map(|version| earlier(event, item, version)).collect();
    past.reverse();
    past.into_iter().flatten().collect()
}

fn earlier(event: &Event, item: &ItemStruct, version: u32) -> Option<Past> {
    let Event { stored, .. } = event;
    let itself = &stored.ident;
    let doc = format!("Version {version} of [`{}`].", plain(itself));
    let mut attrs: Vec<Attribute> = vec![
        parse_quote!(#[doc = #doc]),
        // What was named as it was can't be named better, and old types are kept for this alone.
        parse_quote!(#[allow(
            private_interfaces,
            unreachable_pub,
            missing_docs,
            non_camel_case_types,
            non_snake_case,
            dead_code,
            clippy::struct_excessive_bools,
            clippy::struct_field_names,
            clippy::module_name_repetitions
        )]),
    ];
    attrs.extend(item.attrs.iter().filter(|attr| attr.path().is_ident("serde")).cloned());
    let there = event.lives.iter().filter(|life| life.is_in(version));
    let mut fields: Vec<syn::Field> = Vec::new();
    for field in there.map(|life| life.in_version(version, itself)) {
        // Two of one name have been reported.
        if !fields.iter().any(|other| other.ident == field.ident) {
            fields.push(field);
        }
    }
    let item = with_fields(item, &old_version(itself, version), &attrs, fields);
    // What is wrong with an attribute has been said of the field as it is.
    let errors = &mut Errors::default();
    let stored = stored::read(Kind::Past, "event", stored.root.clone(), None, item.into_token_stream(), errors)?;
    let step = event.lives.iter().filter_map(|life| life.step_from(version, itself)).collect();
    Some(Past { version, stored, step })
}

fn with_fields(like: &ItemStruct, ident: &Ident, attrs: &[Attribute], fields: Vec<syn::Field>) -> ItemStruct {
    let vis = &like.vis;
    let mut item: ItemStruct = parse_quote!(#(#attrs)* #vis struct #ident {});
    item.generics = Generics::default();
    if let syn::Fields::Named(named) = &mut item.fields {
        named.named = fields.into_iter().collect();
    }
    item
}

/// What of an attribute a field had before it was renamed or converted.
fn surviving(attr: &Attribute, renamed: bool, converted: bool) -> Option<Attribute> {
    if attr.path().is_ident("schema") {
        return (!converted).then(|| attr.clone());
    }
    if !attr.path().is_ident("serde") {
        // What another derive makes of a field is no business of earlier versions.
        return attr.path().is_ident("doc").then(|| attr.clone());
    }
    let Ok(keys) = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { return Some(attr.clone()) };
    let keeps = |key: &Meta| if key.path().is_ident("rename") { !renamed } else { !converted };
    let kept: Vec<_> = keys.into_iter().filter(keeps).collect();
    (!kept.is_empty()).then(|| parse_quote!(#[serde(#(#kept),*)]))
}

/// Where `#[serde(default)]` stands.
fn default_of(attr: &Attribute) -> Option<Span> {
    let keys = attr.path().is_ident("serde").then(|| attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated));
    keys?.ok()?.into_iter().find(|key| key.path().is_ident("default")).map(|key| key.span())
}

/// What the user wrote on the struct, standing elsewhere: `Self` is the event.
fn of_itself<T: ToTokens + syn::parse::Parse + Clone>(written: &T, event: &Ident) -> T {
    let tokens = written.to_token_stream();
    if !speaks_of_itself(tokens.clone()) {
        return written.clone();
    }
    syn::parse2(itself_named(tokens, event)).unwrap_or_else(|_| written.clone())
}

fn speaks_of_itself(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => speaks_of_itself(group.stream()),
        _ => false,
    })
}

fn itself_named(tokens: TokenStream, event: &Ident) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => {
            let mut named = event.clone();
            named.set_span(ident.span());
            TokenTree::Ident(named)
        }
        TokenTree::Group(group) => {
            let mut named = proc_macro2::Group::new(group.delimiter(), itself_named(group.stream(), event));
            named.set_span(group.span());
            TokenTree::Group(named)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}

/// A type as one writes it.
fn text(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in [(" :: ", "::"), (":: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ","), ("& ", "&"), (" ;", ";")] {
        text = text.replace(spaced, tight);
    }
    text
}
