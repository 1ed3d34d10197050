//! What attributes tell of an event's earlier versions: `added`, `renamed` and `converted` on a field, `removed` and
//! `converted` above the struct.
//!
//! Always true here: a mark that can't be read is one error, which shows how it is written.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprPath, LitInt, LitStr, Token, Type};

use crate::diag::Errors;

/// The attributes that say what changed, and how each is written.
const FORMS: [(&str, &str); 4] = [
    ("added", "#[added(2, default = ..)]"),
    ("renamed", "#[renamed(2, from = \"old_name\")]"),
    ("converted", "#[converted(2, from = OldType)]"),
    ("removed", "#[removed(2, old_field: OldType)]"),
];

/// What happened to a field, or to the whole event, in one version.
pub(crate) struct Mark {
    /// The version that it made.
    pub(crate) version: u32,
    /// Where that stands.
    pub(crate) number: Span,
    /// The attribute, whose change changes what the step does.
    pub(crate) tokens: TokenStream,
    pub(crate) change: Change,
}

/// What happened.
pub(crate) enum Change {
    /// The field came, and has this value where it was not there.
    Added(Box<Expr>),
    /// The field had this name before.
    Renamed(Ident),
    /// The field, or the whole event, had another type before.
    Converted(Box<Conversion>),
}

/// How something of an old type becomes something of the next one.
#[derive(Clone)]
pub(crate) struct Conversion {
    /// The old type.
    pub(crate) from: Type,
    /// The function that does it; `None` is `From` or `TryFrom`.
    pub(crate) with: Option<ExprPath>,
    /// Whether it may fail.
    pub(crate) fails: bool,
}

/// A field that is gone.
pub(crate) struct Removed {
    /// The version in which it was no longer there.
    pub(crate) version: u32,
    /// Where that stands.
    pub(crate) number: Span,
    pub(crate) field: syn::Field,
    pub(crate) marks: Vec<Mark>,
}

/// What stands above the struct.
#[derive(Default)]
pub(crate) struct OfStruct {
    pub(crate) removed: Vec<Removed>,
    pub(crate) converted: Vec<Mark>,
}

/// Versions of which something is told that can't be read, by an error that has been said.
#[derive(Default)]
pub(crate) struct Unread {
    /// Where the number could be read.
    pub(crate) versions: Vec<u32>,
    /// Whether a number could not.
    pub(crate) unknown: bool,
}

impl Change {
    /// The attribute it is written as.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Change::Added(_) => "added",
            Change::Renamed(_) => "renamed",
            Change::Converted(_) => "converted",
        }
    }
}

/// Whether an attribute is one of the four.
pub(crate) fn is_mark(attr: &Attribute) -> bool {
    FORMS.iter().any(|(name, _)| attr.path().is_ident(name))
}

/// Takes the marks off a field.
pub(crate) fn take_of_field(attrs: &mut Vec<Attribute>, unread: &mut Unread, errors: &mut Errors) -> Vec<Mark> {
    let mut marks = Vec::new();
    for attr in attrs.extract_if(.., |attr| is_mark(attr)) {
        if attr.path().is_ident("removed") {
            unread.unknown = true;
            errors.on(
                attr.path(),
                "a field that was removed is no longer here: take it out, and write `#[removed(2, field: Type)]` above the struct",
            );
            continue;
        }
        let tokens = attr.meta.to_token_stream();
        marks.extend(read(&attr, unread, errors, |version, number, input| {
            let change = change(&attr, input)?;
            Ok(Mark { version, number, tokens, change })
        }));
    }
    marks
}

/// Takes the marks off a struct.
pub(crate) fn take_of_struct(attrs: &mut Vec<Attribute>, unread: &mut Unread, errors: &mut Errors) -> OfStruct {
    let mut found = OfStruct::default();
    for attr in attrs.extract_if(.., |attr| is_mark(attr)) {
        if attr.path().is_ident("removed") {
            let read = read(&attr, unread, errors, |version, number, input| {
                let field = removed_field(&attr, input)?;
                Ok(Removed { version, number, field, marks: Vec::new() })
            });
            if let Some(mut removed) = read {
                removed.marks = take_of_field(&mut removed.field.attrs, unread, errors);
                found.removed.push(removed);
            }
        } else if attr.path().is_ident("converted") {
            let tokens = attr.meta.to_token_stream();
            found.converted.extend(read(&attr, unread, errors, |version, number, input| {
                Ok(Mark { version, number, tokens, change: change(&attr, input)? })
            }));
        } else {
            unread.unknown = true;
            let why = if attr.path().is_ident("added") {
                "this belongs on the field that was added"
            } else {
                "this belongs on a field; a struct that is renamed keeps its stored name by `#[event(name = \"OldName\")]`"
            };
            errors.on(attr.path(), why);
        }
    }
    found
}

/// Reads the version, and what comes after it.
fn read<T>(
    attr: &Attribute,
    unread: &mut Unread,
    errors: &mut Errors,
    rest: impl FnOnce(u32, Span, ParseStream<'_>) -> syn::Result<T>,
) -> Option<T> {
    let mut known = None;
    let parser = |input: ParseStream<'_>| {
        if !input.peek(LitInt) {
            return Err(wrong(attr, "in which version?"));
        }
        let number: LitInt = input.parse()?;
        let version = number.base10_parse()?;
        known = Some(version);
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(wrong(attr, "a comma is missing behind the version:"));
        }
        input.parse::<Option<Token![,]>>()?;
        let found = rest(version, number.span(), input)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            let more: TokenStream = input.parse()?;
            return Err(syn::Error::new_spanned(more, format!("that is too much: write {}", form(attr))));
        }
        Ok(found)
    };
    let list = attr.meta.require_list().map_err(|_| wrong(attr, "in which version?"));
    match list.and_then(|_| attr.parse_args_with(parser)) {
        Ok(found) => Some(found),
        Err(error) => {
            errors.add(error);
            unread.versions.extend(known);
            unread.unknown |= known.is_none();
            None
        }
    }
}

fn form(attr: &Attribute) -> String {
    let form = FORMS.iter().find(|(name, _)| attr.path().is_ident(name)).map_or("", |(_, form)| form);
    let more = if attr.path().is_ident("converted") {
        "; `try_from` in place of `from` where it can fail, and `with = function` behind it where there is no `From`"
    } else {
        ""
    };
    format!("`{form}`{more}")
}

fn wrong(attr: &Attribute, what: &str) -> syn::Error {
    syn::Error::new_spanned(&attr.meta, format!("{what} write {}", form(attr)))
}

fn change(attr: &Attribute, input: ParseStream<'_>) -> syn::Result<Change> {
    if attr.path().is_ident("added") {
        if input.is_empty() {
            return Err(wrong(attr, "what is it where it was not there yet?"));
        }
        key(attr, input, &["default"])?;
        return Ok(Change::Added(input.parse()?));
    }
    if attr.path().is_ident("renamed") {
        if input.is_empty() {
            return Err(wrong(attr, "what was it called before?"));
        }
        key(attr, input, &["from"])?;
        return old_name(attr, input).map(Change::Renamed);
    }
    if input.is_empty() {
        return Err(wrong(attr, "of what type was it before?"));
    }
    let fails = key(attr, input, &["from", "try_from"])? == "try_from";
    let from = input.parse()?;
    let mut with = None;
    if input.peek(Token![,]) && !input.peek2(syn::parse::End) {
        input.parse::<Token![,]>()?;
        key(attr, input, &["with"])?;
        with = Some(function(input)?);
    }
    Ok(Change::Converted(Box::new(Conversion { from, with, fails })))
}

/// One of these keys, and the `=` behind it.
fn key(attr: &Attribute, input: ParseStream<'_>, keys: &[&str]) -> syn::Result<String> {
    let found = input.fork().parse::<Ident>().ok().map(|ident| ident.to_string());
    match found {
        Some(found) if keys.contains(&&*found) && input.peek2(Token![=]) => {
            input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            Ok(found)
        }
        _ => {
            let rest: TokenStream = input.parse()?;
            let name = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            Err(syn::Error::new_spanned(rest, format!("`{name}` does not take this: write {}", form(attr))))
        }
    }
}

fn old_name(attr: &Attribute, input: ParseStream<'_>) -> syn::Result<Ident> {
    if !input.peek(LitStr) {
        let rest: TokenStream = input.parse()?;
        return Err(syn::Error::new_spanned(rest, format!("the old name is a text: write {}", form(attr))));
    }
    let text: LitStr = input.parse()?;
    let name = text.parse_with(|input: ParseStream<'_>| {
        let raw = input.fork().parse::<Ident>();
        if raw.is_ok() { input.parse() } else { input.call(<Ident as syn::ext::IdentExt>::parse_any).map(|name| raw_name(&name)) }
    });
    name.map_err(|_| syn::Error::new(text.span(), "the old name of a field, as it stood in the struct: `amount`"))
}

/// A name that is a keyword by now.
fn raw_name(name: &Ident) -> Ident {
    Ident::new_raw(&name.to_string(), name.span())
}

fn function(input: ParseStream<'_>) -> syn::Result<ExprPath> {
    let given: Expr = input.parse()?;
    match given {
        Expr::Path(path) => Ok(path),
        other => Err(syn::Error::new(other.span(), "`with` names a function: write one, and its path here: `with = in_cents`")),
    }
}

fn removed_field(attr: &Attribute, input: ParseStream<'_>) -> syn::Result<syn::Field> {
    if input.is_empty() {
        return Err(wrong(attr, "which field?"));
    }
    let ahead = input.fork();
    let named = ahead.call(Attribute::parse_outer).is_ok()
        && ahead.parse::<syn::Visibility>().is_ok()
        && ahead.parse::<Ident>().is_ok()
        && ahead.peek(Token![:]);
    if !named {
        let rest: TokenStream = input.parse()?;
        return Err(syn::Error::new_spanned(rest, format!("the field that was removed, with its type: write {}", form(attr))));
    }
    syn::Field::parse_named(input)
}
