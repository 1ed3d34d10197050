//! What stands in after an error, so that code which uses the item has no errors of its own.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Generics;

use crate::model::stored::{Kind, Stored};
use crate::parse::attrs::Derives;
use crate::paths::Root;

/// Every trait that a stored type would have.
pub(crate) fn stored(model: &Stored) -> TokenStream {
    let (root, ident) = (&model.root, &model.ident);
    let mut out =
        value(root, ident, &model.generics, &model.derives.missing(&["Clone", "Debug", "PartialEq", "Serialize", "Deserialize"]));
    let shared = Stub::new(root, ident, &model.generics);
    let never = quote!(#root::core::unreachable!());
    let (str, u8, u32) =
        (quote!(&'static #root::core::primitive::str), quote!(#root::core::primitive::u8), quote!(#root::core::primitive::u32));
    let result = quote!(#root::core::result::Result);
    let vec = quote!(#root::std::vec::Vec<#u8>);
    out.extend(match model.kind {
        Kind::Event => {
            let answer = answer(root, ident, &model.generics);
            let event = shared.implement(
                &quote!(#root::Event),
                &quote! {
                    const NAME: #str = "";
                    const VERSION: #u32 = 1;
                    const DOC: #str = "";
                    const VERSIONS: &'static [#root::EventVersion] = &[];
                    fn decode(_: #u32, _: &[#u8]) -> #result<Self, #root::DecodeError> { #never }
                    fn encode(&self, _: &mut #vec) -> #result<(), #root::EncodeError> { #never }
                },
            );
            quote!(#answer #event)
        }
        Kind::Command { .. } => shared.implement(
            &quote!(#root::CommandData),
            &quote! {
                const NAME: #str = "";
                const DOC: #str = "";
                const NODE: #root::Node = #root::Node::Record(&[]);
                const RETRY: #root::core::primitive::bool = false;
                fn encode(&self, _: &mut #vec) -> #result<(), #root::EncodeError> { #never }
                fn decode(_: &[#u8]) -> #result<Self, #root::DecodeError> { #never }
            },
        ),
        Kind::Value => column(root, ident, &model.generics),
        Kind::Past | Kind::State { .. } => TokenStream::new(),
    });
    out
}

/// What a value needs: the traits that are named, and a schema.
pub(crate) fn value(root: &Root, ident: &Ident, generics: &Generics, traits: &[&str]) -> TokenStream {
    let stub = Stub::new(root, ident, generics);
    let never = quote!(#root::core::unreachable!());
    let result = quote!(#root::core::result::Result);
    let mut out = stub.implement(&quote!(#root::Schema), &quote!(const NODE: #root::Node = #root::Node::Record(&[]);));
    for name in traits {
        out.extend(match *name {
            "Clone" => stub.implement(&quote!(#root::core::clone::Clone), &quote!(fn clone(&self) -> Self { #never })),
            "Debug" => stub.implement(
                &quote!(#root::core::fmt::Debug),
                &quote!(fn fmt(&self, _: &mut #root::core::fmt::Formatter<'_>) -> #root::core::fmt::Result { #never }),
            ),
            "PartialEq" => stub.implement(
                &quote!(#root::core::cmp::PartialEq),
                &quote!(fn eq(&self, _: &Self) -> #root::core::primitive::bool { #never }),
            ),
            "Serialize" => stub.implement(
                &quote!(#root::serde::Serialize),
                &quote!(fn serialize<__S: #root::serde::Serializer>(&self, _: __S) -> #result<__S::Ok, __S::Error> { #never }),
            ),
            _ => stub.deserialize(&quote! {
                fn deserialize<__D: #root::serde::Deserializer<'de>>(_: __D) -> #result<Self, __D::Error> { #never }
            }),
        });
    }
    out
}

/// A type that a handler may return.
pub(crate) fn answer(root: &Root, ident: &Ident, generics: &Generics) -> TokenStream {
    Stub::new(root, ident, generics).implement(&quote!(#root::Answer), &super::event::answer_items(root))
}

/// A type that a column may hold.
pub(crate) fn column(root: &Root, ident: &Ident, generics: &Generics) -> TokenStream {
    let string = quote!(#root::std::string::String);
    let stub = Stub::new(root, ident, generics);
    let column = stub.implement(
        &quote!(#root::ColumnType),
        &quote! {
            const KIND: #root::ColumnKind = #root::ColumnKind::Json;
            fn to_value(&self) -> #root::core::result::Result<#root::Value, #string> { #root::core::unreachable!() }
            fn from_value(_: #root::Value) -> #root::core::result::Result<Self, #string> { #root::core::unreachable!() }
        },
    );
    let ordered = stub.implement(&quote!(#root::OrderedColumnType), &TokenStream::new());
    quote!(#column #ordered)
}

/// What names an aggregate. Beside traits, what code calls to make one and to look at it.
pub(crate) fn id(root: &Root, ident: &Ident, generics: &Generics, derives: &Derives) -> TokenStream {
    let stub = Stub::new(root, ident, generics);
    let never = quote!(#root::core::unreachable!());
    let (str, result) = (quote!(#root::core::primitive::str), quote!(#root::core::result::Result));
    let mut out = stub.implement(
        &quote!(#root::AggregateId),
        &quote! {
            fn write(&self, _: &mut #root::std::string::String) { #never }
            fn parse(_: &#str) -> #result<Self, #root::InvalidId> { #never }
        },
    );
    out.extend(stub.implement(
        &quote!(#root::core::fmt::Display),
        &quote!(fn fmt(&self, _: &mut #root::core::fmt::Formatter<'_>) -> #root::core::fmt::Result { #never }),
    ));
    for name in derives.missing(&["Eq", "Hash"]) {
        out.extend(if name == "Eq" {
            stub.implement(&quote!(#root::core::cmp::Eq), &TokenStream::new())
        } else {
            stub.implement(
                &quote!(#root::core::hash::Hash),
                &quote!(fn hash<__H: #root::core::hash::Hasher>(&self, _: &mut __H) { #never }),
            )
        });
    }
    out
}

/// The head of the impls for a type that may, wrongly, be generic.
struct Stub<'a> {
    root: &'a Root,
    ident: &'a Ident,
    generics: &'a Generics,
}

impl<'a> Stub<'a> {
    fn new(root: &'a Root, ident: &'a Ident, generics: &'a Generics) -> Self {
        Stub { root, ident, generics }
    }

    fn implement(&self, of: &TokenStream, items: &TokenStream) -> TokenStream {
        let (ident, bound) = (self.ident, self.bound());
        let (impl_generics, types, where_clause) = self.generics.split_for_impl();
        let predicates = where_clause.map(|clause| &clause.predicates);
        quote! {
            #[automatically_derived]
            impl #impl_generics #of for #ident #types where #bound #predicates { #items }
        }
    }

    fn deserialize(&self, items: &TokenStream) -> TokenStream {
        let (root, ident, params) = (self.root, self.ident, &self.generics.params);
        let (_, types, where_clause) = self.generics.split_for_impl();
        let predicates = where_clause.map(|clause| &clause.predicates);
        quote! {
            #[automatically_derived]
            impl<'de, #params> #root::serde::Deserialize<'de> for #ident #types where #predicates { #items }
        }
    }

    /// What every event is, where the type's own parameters leave it open.
    fn bound(&self) -> Option<TokenStream> {
        let root = self.root;
        let open = !self.generics.params.is_empty();
        open.then(|| quote!(Self: #root::core::marker::Send + #root::core::marker::Sync + 'static,))
    }
}
