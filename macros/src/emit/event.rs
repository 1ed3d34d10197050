//! `#[event]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::stored::stored;
use crate::model::stored::Stored;
use crate::paths::Root;

/// An event.
pub(crate) fn event(model: &Stored, sound: bool) -> TokenStream {
    let stored = stored(model, sound, &[]);
    if !sound {
        return stored;
    }
    let Stored { root, ident, name, doc, .. } = model;
    let answer = answer_items(root);
    let result = quote!(#root::core::result::Result);
    quote! {
        #stored
        #[automatically_derived]
        impl #root::Event for #ident {
            const NAME: &'static #root::core::primitive::str = #name;
            const VERSION: #root::core::primitive::u32 = 1;
            const DOC: &'static #root::core::primitive::str = #doc;
            const VERSIONS: &'static [#root::EventVersion] = {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                &[#root::EventVersion {
                    version: 1,
                    node: <#ident as #root::Schema>::NODE,
                    changes: &[],
                    logic: 0,
                    advance: #root::Probe::<#ident>::rewrite,
                }]
            };
            fn decode(
                __version: #root::core::primitive::u32,
                __payload: &[#root::core::primitive::u8],
            ) -> #result<Self, #root::DecodeError> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                match __version {
                    1 => #root::Probe::<Self>::decode(__payload),
                    _ => #root::unknown_version(#name, __version, 1),
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
    }
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
