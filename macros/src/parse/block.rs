//! Impl blocks of which only the signatures are parsed: half-typed bodies keep their completion.

use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, GenericParam, Generics, ImplItem, PathArguments, Signature, Token, Type, Visibility, braced};

use crate::diag::Errors;

/// A method, its body unread.
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    body: TokenTree,
}

/// An `impl Type { .. }` block.
pub(crate) struct Block {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) ty: Type,
    pub(crate) methods: Vec<Method>,
    /// What is no method.
    pub(crate) others: Vec<ImplItem>,
}

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        if !input.peek(Token![impl]) {
            return Err(input.error("this attribute belongs on a block: `impl YourType { .. }`"));
        }
        input.parse::<Token![impl]>()?;
        let mut generics: Generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
        let ty = input.parse()?;
        if input.peek(Token![for]) {
            return Err(input.error("this attribute belongs on a block without a trait: `impl YourType { .. }`"));
        }
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        attrs.extend(content.call(Attribute::parse_inner)?);
        let mut block = Block { attrs, generics, ty, methods: Vec::new(), others: Vec::new() };
        while !content.is_empty() {
            if is_method(&content)? {
                block.methods.push(content.parse()?);
            } else {
                block.others.push(content.parse()?);
            }
        }
        Ok(block)
    }
}

fn is_method(input: ParseStream<'_>) -> syn::Result<bool> {
    let ahead = input.fork();
    ahead.call(Attribute::parse_outer)?;
    ahead.parse::<Visibility>()?;
    Ok(ahead.fork().parse::<Signature>().is_ok() || ahead.peek(Token![fn]) || ahead.peek(Token![async]))
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Method { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()?, body: input.parse()? })
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Method { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

impl ToTokens for Block {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Block { attrs, generics, ty, methods, others } = self;
        let where_clause = &generics.where_clause;
        // What a handler takes and returns is its meaning, whether its body makes use of it or not.
        tokens.extend(quote! {
            #[allow(
                clippy::unused_self,
                clippy::unused_async,
                clippy::unnecessary_wraps,
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref
            )]
        });
        tokens.extend(quote!(#(#attrs)* impl #generics #ty #where_clause { #(#others)* #(#methods)* }));
    }
}

impl Block {
    /// The type's own name, where it has a plain one.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match ungrouped(&self.ty) {
            Type::Path(path) if path.qself.is_none() => path.path.segments.last().map(|segment| &segment.ident),
            _ => None,
        }
    }

    /// Whether the block is of the kind that macros can read: of a plain type, without generics, methods only. Answers the
    /// type's name.
    pub(crate) fn plain_name(&self, generic: &str, errors: &mut Errors) -> Option<Ident> {
        let name = self.last_name(errors)?;
        if let Some(tokens) = self.generic() {
            errors.on(tokens, generic);
            return None;
        }
        Some(name)
    }

    /// As [`plain_name`](Block::plain_name), of a type that may, wrongly, be generic.
    pub(crate) fn last_name(&self, errors: &mut Errors) -> Option<Ident> {
        for other in &self.others {
            errors.on(first_token(other), "every item in this block is a handler: move this to an ordinary `impl` block");
        }
        let Some(name) = self.name() else {
            errors.on(&self.ty, "expected a plain type, such as `Account`");
            return None;
        };
        Some(name.clone())
    }

    /// What stands in the block.
    pub(crate) fn items(&self) -> TokenStream {
        let Block { methods, others, .. } = self;
        quote!(#(#others)* #(#methods)*)
    }

    /// The generics, where there are any: those of the block, else those of its type.
    pub(crate) fn generic(&self) -> Option<TokenStream> {
        let arguments = match ungrouped(&self.ty) {
            Type::Path(path) => path.path.segments.last().map(|segment| &segment.arguments),
            _ => None,
        };
        if !self.generics.params.is_empty() {
            return Some(self.generics.params.to_token_stream());
        }
        arguments.filter(|arguments| !matches!(arguments, PathArguments::None)).map(ToTokens::to_token_stream)
    }

    /// After an error: a type of the block with something in place of each of the block's parameters. Most bounds hold for a
    /// number.
    pub(crate) fn concrete(&self, ty: &Type) -> Type {
        if self.generics.params.is_empty() {
            return ty.clone();
        }
        syn::parse2(self.replaced(ty.to_token_stream())).unwrap_or_else(|_| ty.clone())
    }

    fn replaced(&self, tokens: TokenStream) -> TokenStream {
        let mut tick = false;
        let replace = |token| {
            let after_tick = std::mem::replace(&mut tick, matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\''));
            match token {
                TokenTree::Group(group) => {
                    TokenTree::from(Group::new(group.delimiter(), self.replaced(group.stream()))).into_token_stream()
                }
                TokenTree::Ident(ident) => {
                    let is_param = self.generics.params.iter().find(|param| match param {
                        GenericParam::Lifetime(param) => after_tick && param.lifetime.ident == ident,
                        GenericParam::Type(param) => !after_tick && param.ident == ident,
                        GenericParam::Const(param) => !after_tick && param.ident == ident,
                    });
                    match is_param {
                        Some(GenericParam::Lifetime(_)) => Ident::new("static", ident.span()).into_token_stream(),
                        Some(GenericParam::Type(_)) => Ident::new("u64", ident.span()).into_token_stream(),
                        Some(GenericParam::Const(_)) => Literal::usize_unsuffixed(0).into_token_stream(),
                        None => ident.into_token_stream(),
                    }
                }
                other => other.into_token_stream(),
            }
        };
        tokens.into_iter().map(replace).collect()
    }

    /// After an error: the parameters of impls for the block's type, and what they must be.
    pub(crate) fn head(&self) -> (TokenStream, TokenStream) {
        let (params, ty) = (&self.generics.params, &self.ty);
        if params.is_empty() {
            return (TokenStream::new(), TokenStream::new());
        }
        let params = params.iter();
        let predicates = self.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let root = quote!(::core::marker);
        (quote!(#(#params,)*), quote!(#(#predicates,)* #ty: #root::Send + #root::Sync + 'static,))
    }
}

fn first_token(tokens: &impl ToTokens) -> Option<TokenTree> {
    let mut tokens = tokens.to_token_stream().into_iter().peekable();
    // Attributes and docs are not what is wrong.
    while matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#') {
        tokens.nth(1);
    }
    tokens.next()
}

/// The type without the invisible delimiters that `macro_rules!` puts around it, and without parentheses.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}
