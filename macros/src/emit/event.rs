//! `#[event]`.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::history;
use super::stored::stored;
use crate::model::history::Event;
use crate::model::stored::Stored;
use crate::paths::Root;

/// An event.
pub(crate) fn event(model: &Event, sound: bool) -> TokenStream {
    if model.stored.root.is_missing {
        return stored(&model.stored, false, &[]);
    }
    let (stored, past) = (stored(&model.stored, sound, &[]), history::past(model, sound));
    if !sound {
        return quote!(#stored #past);
    }
    let Stored { root, ident, name, doc, .. } = &model.stored;
    let (answer, version, versions, arms) =
        (answer_items(root), number(model.version), history::versions(model), history::arms(model));
    let result = quote!(#root::core::result::Result);
    quote! {
        #stored
        #[automatically_derived]
        impl #root::Event for #ident {
            const NAME: &'static #root::core::primitive::str = #name;
            const VERSION: #root::core::primitive::u32 = #version;
            const DOC: &'static #root::core::primitive::str = #doc;
            const VERSIONS: &'static [#root::EventVersion] = #versions;
            fn decode(
                __version: #root::core::primitive::u32,
                __payload: &[#root::core::primitive::u8],
            ) -> #result<Self, #root::DecodeError> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                match __version {
                    #version => #root::Probe::<Self>::decode(__payload),
                    #arms
                    _ => #root::unknown_version(#name, __version, #version),
                }
            }
            fn encode(
                &self,
                __payload: &mut #root::std::vec::Vec<#root::core::primitive::u8>,
            ) -> #result<(), #root::EncodeError> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::Probe::<Self>::encode(self, __payload)
            }
        }
        #[automatically_derived]
        impl #root::Answer for #ident { #answer }
        #past
    }
}

/// A version as people write it.
pub(super) fn number(version: u32) -> Literal {
    Literal::u32_unsuffixed(version)
}

/// What a handler that returns just this says: events, and no refusal.
pub(crate) fn answer_items(root: &Root) -> TokenStream {
    quote! {
        type Events = Self;
        type Error = #root::core::convert::Infallible;
        type Kind = #root::NeverRefuses;
        fn split(self) -> #root::core::result::Result<Self, #root::core::convert::Infallible> {
            #root::core::result::Result::Ok(self)
        }
    }
}
