//! `#[upcast]`: the arms that read a retired event as what it has become.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, parse_quote};

use super::aggregate::lacks;
use super::history::is_event;
use crate::model::aggregate::Aggregate;
use crate::model::upcast::Upcast;
use crate::names::event_enum;

/// The retired events, and the hash of what makes others of them.
pub(super) fn retired(model: &Aggregate) -> (TokenStream, TokenStream) {
    if model.upcasts.is_empty() {
        return (quote!(&[]), quote!(0));
    }
    let (root, of, tokens, lacks) = (&model.root, &model.block.ty, model.upcast_tokens, lacks(&model.root));
    let events = model.upcasts.iter().map(|upcast| &upcast.event);
    (
        quote!({ #lacks &[#(#root::Probe::<#events>::EVENT),*] }),
        quote!(#root::upcasts_fingerprint(#tokens, <#of as #root::Aggregate>::RETIRED)),
    )
}

/// That each retired event is one; of those that are applied their impls say so.
pub(super) fn check(model: &Aggregate) -> TokenStream {
    model.upcasts.iter().map(|upcast| is_event(&model.root, &upcast.event)).collect()
}

/// In `decode`: each retired event.
pub(super) fn arms(model: &Aggregate) -> TokenStream {
    model.upcasts.iter().map(|upcast| arm(model, upcast)).collect()
}

fn arm(model: &Aggregate, upcast: &Upcast) -> TokenStream {
    let (root, of, events) = (&model.root, &model.block.ty, event_enum(&model.ident));
    let Upcast { method, event, by_reference, output, .. } = upcast;
    let argument = if *by_reference { quote!(&__event) } else { quote!(__event) };
    // What is wrong with the returned type stands there, once.
    let place = output.as_ref().map_or(method.span(), Spanned::span);
    let output: Type = output.clone().unwrap_or_else(|| parse_quote!(()));
    let here = root.at(place);
    let push = quote_spanned!(place=> <#output as #here::IntoEvents<#of>>::push_to);
    quote! {
        if __name == #root::Probe::<#event>::EVENT.name {
            return #root::core::result::Result::map(
                #root::Probe::<#event>::decode_event(__version, __payload),
                |__event| {
                    let mut __became = #root::std::vec::Vec::<#events>::new();
                    #[allow(clippy::unit_arg)]
                    #push(<#of>::#method(#argument), &mut __became);
                    #root::Decoded::Became(__became)
                },
            );
        }
    }
}

/// In `effect_of`: what a retired event has become may be handled.
pub(super) fn effects(model: &Aggregate) -> TokenStream {
    let root = &model.root;
    let events = model.upcasts.iter().map(|upcast| &upcast.event);
    let option = quote!(#root::core::option::Option);
    quote! {
        #(
            if __event == #root::Probe::<#events>::EVENT.name {
                return #option::Some(true);
            }
        )*
    }
}
