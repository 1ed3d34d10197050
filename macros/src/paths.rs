//! How generated code finds the runtime, and where in the user's code it stands.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Path;

/// The runtime's private module: `::gesta::__private`, or that of `crate = path`.
#[derive(Clone)]
pub(crate) struct Root(TokenStream);

impl Root {
    /// Of the crate at this path.
    pub(crate) fn new(krate: Option<&Path>) -> Self {
        Root(krate.map_or_else(|| quote!(::gesta::__private), |path| quote!(#path::__private)))
    }
    /// The same, standing at a place of the user's code.
    pub(crate) fn at(&self, span: Span) -> Self {
        Root(at(span, self.0.clone()))
    }
    /// As text, for attributes that take a path that way.
    pub(crate) fn text(&self) -> String {
        self.0.to_string().replace(' ', "")
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
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
