//! An `#[id]`: a newtype around text, a UUID or a number.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens as _;
use syn::{Generics, Item, ItemEnum, ItemStruct, ItemUnion, Type, Visibility};

use crate::diag::Errors;
use crate::parse::args;
use crate::parse::attrs::{Derives, take_second};
use crate::parse::block::ungrouped;
use crate::paths::Root;

/// What an id is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inner {
    Text,
    Uuid,
    Integer,
}

/// An id.
pub(crate) struct Id {
    pub(crate) root: Root,
    pub(crate) item: TokenStream,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) derives: Derives,
    /// The inner type with its kind, unless the struct is none of these.
    pub(crate) inner: Option<(Type, Inner)>,
}

const EXAMPLE: &str = "an id is a newtype around a `String`, a `Uuid`, `u32`, `u64`, `i32` or `i64`: `struct AccountId(String);`";

/// Reads an `#[id]`.
pub(crate) fn read(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Id> {
    let root = args::read("id", &[], tokens, errors, |_, _, _| Ok(()));
    let mut item = errors.take(syn::parse2::<Item>(item))?;
    let (ident, generics, derives, inner) = match &mut item {
        Item::Struct(item) => {
            let inner = inner(item, errors);
            take_second("id", &mut item.attrs, errors);
            (item.ident.clone(), item.generics.clone(), Derives::of(&item.attrs), inner)
        }
        Item::Enum(ItemEnum { ident, generics, attrs, .. }) | Item::Union(ItemUnion { ident, generics, attrs, .. }) => {
            errors.on(&*ident, EXAMPLE);
            (ident.clone(), generics.clone(), Derives::of(attrs), None)
        }
        _ => {
            errors.at(Span::call_site(), EXAMPLE);
            return None;
        }
    };
    Some(Id { root, item: item.into_token_stream(), ident, generics, derives, inner })
}

fn inner(item: &ItemStruct, errors: &mut Errors) -> Option<(Type, Inner)> {
    if !item.generics.params.is_empty() {
        errors.on(&item.generics.params, "an id can't be generic: it is text in the name of a stream");
        return None;
    }
    let mut fields = item.fields.iter();
    let (syn::Fields::Unnamed(_), Some(field), None) = (&item.fields, fields.next(), fields.next()) else {
        errors.on(&item.ident, EXAMPLE);
        return None;
    };
    if !matches!(field.vis, Visibility::Inherited) {
        errors.on(
            &field.vis,
            "the field of an id is private, so that no id can hold what is not the name of a stream: remove this, `new` makes one",
        );
    }
    let kind = match ungrouped(&field.ty) {
        Type::Path(path) => match path.path.segments.last().map(|segment| segment.ident.to_string()).as_deref() {
            Some("String") => Some(Inner::Text),
            Some("Uuid") => Some(Inner::Uuid),
            Some("u32" | "u64" | "i32" | "i64") => Some(Inner::Integer),
            _ => None,
        },
        _ => None,
    };
    if kind.is_none() {
        errors.on(&field.ty, format!("an id can't be made of this: {EXAMPLE}"));
    }
    kind.map(|kind| (field.ty.clone(), kind))
}
