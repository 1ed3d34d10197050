//! `#[projection]`: what each event does to a row; that each is there is for the aggregate's `Feeds` to say.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ExprReference, Token, Type};

use crate::model::handler::{Effect, EventHandler, Taken};
use crate::model::projection::{Projection, happens};
use crate::names::local;

use super::aggregate::lacks;

/// A block of a read model.
pub(crate) fn projection(model: &Projection, sound: bool) -> TokenStream {
    let block = &model.block;
    let Some(of) = model.of.as_ref().filter(|_| !model.root.is_missing && !model.is_second) else { return quote!(#block) };
    let handlers = model.handlers.iter().map(|handler| handled(model, of, handler));
    let ignored = model.ignored.iter().map(|event| ignored(model, of, event));
    // After an error, the block has its place, and nothing is asked of it: that something is missing is no news.
    if !sound {
        let places = std::iter::once(of).chain(&model.others).map(|of| stub(model, of));
        return quote!(#block #(#places)*);
    }
    let place = place(model, of);
    quote!(#block #(#handlers)* #(#ignored)* #place)
}

/// A handler.
fn handled(model: &Projection, of: &Type, handler: &EventHandler) -> TokenStream {
    let (root, row) = (&model.root, &model.block.ty);
    let EventHandler { event, cfgs, .. } = handler;
    let effect = match handler.effect {
        Effect::Creates => quote!(Creates),
        Effect::Changes => quote!(Changes),
        Effect::Ends => quote!(Ends),
        Effect::Any => quote!(Any),
    };
    let (key, body, is_event) = (row_key(model, of, handler), on(model, handler), is_event(model, of, event));
    let happens = (handler.taken == Taken::Recorded).then(|| {
        let happens = happens(root, event, of);
        quote!(where #happens)
    });
    quote! {
        #(#cfgs)*
        #is_event
        #(#cfgs)*
        #[automatically_derived]
        impl #root::On<#of, #event> for #row #happens {
            const EFFECT: #root::Effect = #root::Effect::#effect;
            #key
            fn on(
                __row: &mut #root::core::option::Option<Self>,
                __event: &#root::Recorded<#event>,
            ) -> #root::core::result::Result<(), #root::RowError> {
                #body
            }
        }
    }
}

/// The row an event belongs to: what `#[key = ..]` says, else that of the stream's id.
fn row_key(model: &Projection, of: &Type, handler: &EventHandler) -> TokenStream {
    let (root, row, event) = (&model.root, &model.block.ty, &handler.event);
    let recorded = local("event");
    let body = if let Some(key) = &handler.key {
        let seen = match handler.taken {
            Taken::Recorded => quote!(#recorded),
            Taken::Value | Taken::Reference => quote!(&#recorded.event),
        };
        let root = root.at(key.span());
        let named = handler.param.as_ref().map(|param| quote!(#[allow(unused_variables)] let #param = #seen;));
        // By reference, so that a field can be named as it is.
        let and_token = Token![&](key.span());
        let seen_key = ExprReference { attrs: Vec::new(), and_token, mutability: None, expr: Box::new(key.clone()) };
        let key = quote_spanned!(key.span()=> #root::ToKey::<<#row as #root::ReadModel>::Key>::to_key(#seen_key));
        quote! {
            #named
            #root::core::result::Result::Ok(#key)
        }
    } else {
        let root = root.at(of.span());
        quote_spanned!(of.span()=> #root::stream_key::<#of, <#row as #root::ReadModel>::Key>(#recorded))
    };
    quote! {
        fn row_key(
            #recorded: &#root::Recorded<#event>,
        ) -> #root::core::result::Result<<Self as #root::ReadModel>::Key, #root::std::string::String> {
            #body
        }
    }
}

/// What the event does to the row.
fn on(model: &Projection, handler: &EventHandler) -> TokenStream {
    let (root, row) = (&model.root, &model.block.ty);
    let EventHandler { method, event, .. } = handler;
    let argument = match handler.taken {
        Taken::Recorded => quote!(__event),
        Taken::Reference => quote!(&__event.event),
        Taken::Value => {
            let lacks = lacks(root);
            quote!({ #lacks #root::Probe::<#event>::clone(&__event.event) })
        }
    };
    let lacks = lacks(root);
    let some = quote!(#root::core::option::Option::Some);
    let ok = quote!(#root::core::result::Result::Ok(()));
    let name = quote!(#root::Probe::<#event>::EVENT.name);
    match handler.effect {
        Effect::Creates => quote! {
            #lacks
            #root::no_row(__row, #name)?;
            *__row = #some(<#row>::#method(#argument));
            #ok
        },
        Effect::Changes => quote! {
            #lacks
            <#row>::#method(#root::row(__row, #name)?, #argument);
            #ok
        },
        Effect::Ends => quote! {
            #lacks
            <#row>::#method(#root::take_row(__row, #name)?, #argument);
            #ok
        },
        Effect::Any => quote! {
            *__row = <#row>::#method(#root::core::option::Option::take(__row), #argument);
            #ok
        },
    }
}

fn ignored(model: &Projection, of: &Type, event: &Type) -> TokenStream {
    let (root, row) = (&model.root, &model.block.ty);
    let is_event = is_event(model, of, event);
    quote! {
        #is_event
        #[automatically_derived]
        impl #root::On<#of, #event> for #row {
            const EFFECT: #root::Effect = #root::Effect::Ignores;
            fn row_key(
                _: &#root::Recorded<#event>,
            ) -> #root::core::result::Result<<Self as #root::ReadModel>::Key, #root::std::string::String> {
                #root::ignored()
            }
            fn on(
                _: &mut #root::core::option::Option<Self>,
                _: &#root::Recorded<#event>,
            ) -> #root::core::result::Result<(), #root::RowError> {
                #root::core::result::Result::Ok(())
            }
        }
    }
}

/// That the event is one of the aggregate's.
fn is_event(model: &Projection, of: &Type, event: &Type) -> TokenStream {
    let root = model.root.at(event.span());
    let check = quote_spanned!(event.span()=> #root::is_event_of::<#event, #of>);
    quote!(const _: fn() = #check;)
}

/// After an error: the block is there.
fn stub(model: &Projection, of: &Type) -> TokenStream {
    let (root, row) = (&model.root, &model.block.ty);
    quote! {
        #[automatically_derived]
        impl #root::ProjectionBlock<<#row as #root::PlaceOf<#of>>::Place> for #row {
            const FINGERPRINT: #root::core::primitive::u64 = 0;
            fn source(_: &mut #root::SourceSink<Self>) {
                #root::core::unreachable!()
            }
        }
    }
}

/// The block's place among the model's blocks.
fn place(model: &Projection, of: &Type) -> TokenStream {
    let (root, row, tokens) = (&model.root, &model.block.ty, model.tokens);
    let handled = model.handlers.iter().map(|handler| {
        let (event, cfgs) = (&handler.event, &handler.cfgs);
        quote!(#(#cfgs)* #root::Probe::<#event>::EVENT)
    });
    let lacks = lacks(root);
    let here = root.at(of.span());
    let place = quote_spanned!(of.span()=> <#row as #here::PlaceOf<#of>>::Place);
    // A handler that is compiled under some `#[cfg]` only counts too: a row that it shares would not be one stream's.
    let by_stream = model.handlers.iter().all(|handler| handler.key.is_none());
    let source = quote_spanned!(of.span()=> #here::SourceSink::<Self>::source::<#of>(__sink, #by_stream));
    let (name, upcasts) = (quote!(<#of as #root::Aggregate>::NAME), quote!(<#of as #root::Aggregate>::UPCASTS));
    // Two blocks for one place are an error of this impl, at the aggregate's name.
    quote_spanned! {of.span()=>
        #[automatically_derived]
        impl #here::ProjectionBlock<#place> for #row {
            const FINGERPRINT: #root::core::primitive::u64 =
                { #lacks #root::block_fingerprint(#name, #tokens, &[#(#handled),*], #upcasts) };
            fn source(__sink: &mut #root::SourceSink<Self>) {
                #source;
            }
        }
    }
}
