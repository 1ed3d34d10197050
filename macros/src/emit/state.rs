//! `#[state]`.

use proc_macro2::TokenStream;
use quote::quote;

use super::stored::stored;
use crate::model::stored::{Kind, Stored};

/// A state with snapshots.
pub(crate) fn state(model: &Stored, sound: bool) -> TokenStream {
    let stored = stored(model, sound, &[]);
    let Kind::State { every, logic_version } = model.kind else { return stored };
    if !sound {
        return stored;
    }
    let (root, ident, doc) = (&model.root, &model.ident, &model.doc);
    quote! {
        #stored
        #[automatically_derived]
        impl #root::State for #ident {
            const DOC: &'static #root::core::primitive::str = #doc;
            const SNAPSHOTS: #root::Snapshots<Self> = {
                #[allow(unused_imports)]
                use #root::Lacks as _;
                #root::snapshots(
                    #every,
                    #logic_version,
                    &<#ident as #root::Schema>::NODE,
                    #root::Probe::<#ident>::to_snapshot,
                    #root::Probe::<#ident>::decode,
                )
            };
        }
    }
}
