//! `#[command]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::stored::stored;
use crate::model::stored::{Kind, Stored};

/// A command.
pub(crate) fn command(model: &Stored, sound: bool) -> TokenStream {
    let stored = stored(model, sound, &[]);
    if !sound {
        return stored;
    }
    let Stored { root, ident, name, doc, .. } = model;
    let retry = matches!(model.kind, Kind::Command { retry: true });
    quote! {
        #stored
        #[automatically_derived]
        impl #root::CommandData for #ident {
            const NAME: &'static #root::core::primitive::str = #name;
            const DOC: &'static #root::core::primitive::str = #doc;
            const NODE: #root::Node = <#ident as #root::Schema>::NODE;
            const RETRY: #root::core::primitive::bool = #retry;
            fn encode(
                &self,
                __payload: &mut #root::std::vec::Vec<#root::core::primitive::u8>,
            ) -> #root::core::result::Result<(), #root::EncodeError> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::Probe::<Self>::encode(self, __payload)
            }
            fn decode(__payload: &[#root::core::primitive::u8]) -> #root::core::result::Result<Self, #root::DecodeError> {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::Probe::<Self>::decode(__payload)
            }
        }
    }
}
