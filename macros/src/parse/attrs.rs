//! Attributes that stand on the user's items: docs, derives, `#[schema]`, `#[cfg]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue, Path, Token};

use crate::diag::Errors;

/// The doc comment, its lines trimmed.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(MetaNameValue { path, value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), .. })
            if path.is_ident("doc") =>
        {
            Some(text.value().lines().map(str::trim).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The derives that stand below, by their last name.
#[derive(Default)]
pub(crate) struct Derives(Vec<String>);

impl Derives {
    /// Of an item.
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
        let paths = derives.filter_map(|attr| attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
        Derives(paths.flatten().filter_map(|path| path.segments.last().map(|s| s.ident.to_string())).collect())
    }
    /// Whether this one is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|derive| derive == name)
    }
    /// Those of `names` that are not among them.
    pub(crate) fn missing<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().filter(|name| !self.has(name)).copied().collect()
    }
}

/// Where a `#[cfg]` stands, or a `#[cfg_attr]` with what says how it is stored.
pub(crate) fn cfg(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident("cfg") || is_conditional(attr))
}

/// `#[cfg_attr(feature = "short", serde(rename = "a"))]`, which serde's derive would see, and the schema not.
pub(crate) fn is_conditional(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr") && speaks_of_storing(attr.meta.to_token_stream())
}

fn speaks_of_storing(tokens: TokenStream) -> bool {
    const WORDS: [&str; 7] = ["serde", "schema", "cfg", "added", "renamed", "converted", "removed"];
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => WORDS.contains(&&*ident.to_string()),
        TokenTree::Group(group) => speaks_of_storing(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Takes `#[schema(opaque = "..")]` off a field.
pub(crate) fn take_opaque(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<LitStr> {
    let mut opaque = None;
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("schema")) {
        let found = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("opaque") {
                return Err(meta.error("`schema` takes `opaque = \"what is stored\"` and nothing else"));
            }
            let text: LitStr = meta.value()?.parse()?;
            if text.value().trim().is_empty() {
                return Err(syn::Error::new(text.span(), "describe the stored form; another text means another form"));
            }
            opaque = Some(text);
            Ok(())
        });
        errors.take(found);
    }
    opaque
}
