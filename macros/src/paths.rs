//! How generated code finds the runtime, and where in the user's code it stands.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

use crate::diag::Errors;
use crate::manifest;

/// The runtime's private module: `::gesta::__private`, or that of `crate = path`.
#[derive(Clone)]
pub(crate) struct Root {
    tokens: TokenStream,
    /// Whether no crate is called so here, which has been reported: code that names it would be many errors more.
    pub(crate) is_missing: bool,
}

impl Root {
    /// Of the crate at this path.
    pub(crate) fn new(krate: Option<&Path>, attribute: &str, errors: &mut Errors) -> Self {
        let missing = if krate.is_none() { manifest::missing() } else { None };
        if let Some(manifest::Missing { renamed }) = &missing {
            errors.at(Span::call_site(), missing_message(attribute, renamed.as_deref()));
        }
        let tokens = krate.map_or_else(|| quote!(::gesta::__private), |path| quote!(#path::__private));
        Root { tokens, is_missing: missing.is_some() }
    }
    /// The same, standing at a place of the user's code.
    pub(crate) fn at(&self, span: Span) -> Self {
        Root { tokens: at(span, self.tokens.clone()), ..*self }
    }
    /// As text, for attributes that take a path that way.
    pub(crate) fn text(&self) -> String {
        self.tokens.to_string().replace(' ', "")
    }
}

fn missing_message(attribute: &str, renamed: Option<&str>) -> String {
    // A derive takes the path by its helper attribute.
    let (taken, example) = (attribute, renamed.unwrap_or("facade::gesta"));
    let write = format!("`#[{taken}(crate = ::{example})]`");
    match renamed {
        Some(renamed) => format!("the crate `gesta` is called `{renamed}` in this package's `Cargo.toml`: write {write}"),
        None => format!(
            "this package does not depend on `gesta`: add it to `Cargo.toml`; or, if another crate re-exports it, say where, \
             {write}"
        ),
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

/// All tokens at one place. The compiler joins the spans of an expression's first and last token, so one token that stands
/// elsewhere makes it underline the whole attribute; and it prints equal errors at one place once.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    tokens.into_iter().map(|token| token_at(span, token)).collect()
}

fn token_at(span: Span, mut token: TokenTree) -> TokenTree {
    match &token {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), at(span, group.stream()));
            moved.set_span(span);
            return TokenTree::Group(moved);
        }
        // What `$crate` means is part of its span.
        TokenTree::Ident(ident) if ident == "$crate" => return token,
        _ => {}
    }
    token.set_span(span);
    token
}
