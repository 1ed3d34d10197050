//! `impl<T: Bound> Trait for Type<T> where ..`: the head of an impl for a type that may be generic.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{GenericParam, Generics};

/// A type that something is implemented for.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
}

impl Head<'_> {
    /// An impl in which each type parameter is `bound`, where one is given, and `clauses` hold.
    pub(super) fn implement(
        self,
        of: &TokenStream,
        bound: Option<&TokenStream>,
        clauses: Option<&TokenStream>,
        items: &TokenStream,
    ) -> TokenStream {
        let ident = self.ident;
        let (impl_generics, types, own) = self.generics.split_for_impl();
        let params = bound.into_iter().flat_map(|bound| self.params().map(move |param| quote!(#param: #bound,)));
        let own = own.map(|own| own.predicates.iter());
        let mut all: TokenStream = params.collect();
        all.extend(own.into_iter().flatten().map(|clause| quote!(#clause,)));
        all.extend(clauses.cloned());
        let clauses = (!all.is_empty()).then(|| quote!(where #all));
        quote! {
            #[automatically_derived]
            impl #impl_generics #of for #ident #types #clauses { #items }
        }
    }

    fn params(&self) -> impl Iterator<Item = &Ident> {
        self.generics.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Lifetime(_) | GenericParam::Const(_) => None,
        })
    }

    /// Whether a type speaks of one of the parameters.
    pub(super) fn mentions_param(&self, ty: &TokenStream) -> bool {
        let params: Vec<_> = self.params().collect();
        mentions(ty.clone(), &params)
    }
}

fn mentions(tokens: TokenStream, params: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => params.contains(&&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), params),
        _ => false,
    })
}
