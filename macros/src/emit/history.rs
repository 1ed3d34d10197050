//! The earlier versions of an event: their structs, and the step from each to the next.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Token, Type};

use super::aggregate::lacks;
use super::event::number;
use super::stored::stored;
use crate::model::history::{Event, Past, Value};
use crate::names::{local, plain};
use crate::parse::history::Conversion;
use crate::paths::{Root, at};

/// Everything that is there beside the event itself.
pub(super) fn past(model: &Event, sound: bool) -> TokenStream {
    if !model.stored.generics.params.is_empty() {
        return TokenStream::new();
    }
    if !sound {
        return stubs(model);
    }
    let past = model.past.iter().map(|past| {
        let (stored, step, upgrade) = (stored(&past.stored, true, &[]), step(model, past, true), upgrade(model, past));
        quote!(#stored #step #upgrade)
    });
    let base = base(model);
    quote!(#(#past)* #base)
}

/// After an error: the versions behind which something is told. One of which nothing is told may be a struct of the user's own.
fn stubs(model: &Event) -> TokenStream {
    let told = model.told();
    let is_there = |version: u32| version == model.version || model.unread.unknown || told.contains(&version.saturating_add(1));
    let there = model.past.iter().filter(|past| is_there(past.version));
    let stubs = there.map(|past| {
        let stored = stored(&past.stored, false, &[]);
        let step = is_there(past.version + 1).then(|| step(model, past, false));
        quote!(#stored #step)
    });
    stubs.collect()
}

/// How a version becomes the next one, as anybody may ask for it.
fn step(model: &Event, past: &Past, sound: bool) -> TokenStream {
    let root = &model.stored.root;
    let (old, new, given) = (&past.stored.ident, model.struct_of(past.version + 1), local("old"));
    let made = if sound {
        let fields = past.step.iter().map(|(field, value)| {
            let value = match value {
                Value::Kept(name) => quote!(#given.#name),
                Value::Added(default) => default.to_token_stream(),
                Value::Converted(name, made) => converted(model, past, field, name, made),
            };
            quote!(#field: #value)
        });
        quote!(Self { #(#fields),* })
    } else {
        quote!(#root::core::unreachable!())
    };
    if !past.fails() {
        return quote! {
            #[automatically_derived]
            impl #root::core::convert::From<#old> for #new {
                fn from(#given: #old) -> Self {
                    #made
                }
            }
        };
    }
    let result = quote!(#root::core::result::Result);
    quote! {
        #[automatically_derived]
        impl #root::core::convert::TryFrom<#old> for #new {
            type Error = #root::UpcastError;
            fn try_from(#given: #old) -> #result<Self, #root::UpcastError> {
                #result::Ok(#made)
            }
        }
    }
}

/// A value of another type: what is wrong with it stands at the function, or at the old type.
fn converted(model: &Event, past: &Past, field: &Ident, old: &Ident, made: &(Conversion, Type)) -> TokenStream {
    let (made, ty) = made;
    let made_of = conversion(&model.stored.root, made, Some(old), &quote!(#ty));
    if !made.fails {
        return made_of;
    }
    let (root, name, field, version) = (&model.stored.root, &model.stored.name, plain(field), number(past.version));
    quote!(#root::step(#name, #version, #field, #made_of)?)
}

/// `with(old)`, `<New as From<Old>>::from(old)` or `<New as TryFrom<Old>>::try_from(old)`; of a field of the old struct, or
/// of all of it.
fn conversion(root: &Root, made: &Conversion, field: Option<&Ident>, new: &TokenStream) -> TokenStream {
    let span = made.with.as_ref().map_or_else(|| made.from.span(), Spanned::span);
    let given = located(&local("old"), span);
    let field = field.map(|name| {
        let (dot, name) = (Token![.](span), located(name, span));
        quote!(#dot #name)
    });
    let old = quote!(#given #field);
    if let Some(with) = &made.with {
        return quote_spanned!(span=> #with(#old));
    }
    let (from, root, new) = (&made.from, root.at(span), at(span, new.clone()));
    if made.fails {
        quote_spanned!(span=> <#new as #root::core::convert::TryFrom<#from>>::try_from(#old))
    } else {
        quote_spanned!(span=> <#new as #root::core::convert::From<#from>>::from(#old))
    }
}

/// A name at another place, where it means what it did.
fn located(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().located_at(span));
    name
}

/// How a version becomes the next one and the current one, as the runtime asks for it.
fn upgrade(model: &Event, past: &Past) -> TokenStream {
    let root = &model.stored.root;
    let (old, next, today) = (&past.stored.ident, model.struct_of(past.version + 1), &model.stored.ident);
    let (result, convert) = (quote!(#root::core::result::Result), quote!(#root::core::convert));
    let made = if past.fails() {
        quote!(#result::map_err(<#next as #convert::TryFrom<#old>>::try_from(self), #root::step_failed))
    } else {
        quote!(#result::Ok(<#next as #convert::From<#old>>::from(self)))
    };
    let made_today = if past.version + 1 == model.version {
        quote!(<Self as #root::Past>::next(self))
    } else {
        quote!(#result::and_then(<Self as #root::Past>::next(self), <#next as #root::Past>::today))
    };
    quote! {
        #[automatically_derived]
        impl #root::Past for #old {
            type Next = #next;
            type Today = #today;
            fn next(self) -> #result<#next, #root::DecodeError> {
                #made
            }
            fn today(self) -> #result<#today, #root::DecodeError> {
                #made_today
            }
        }
    }
}

/// How an explicit struct becomes the version after it, and that it is the right one.
fn base(model: &Event) -> TokenStream {
    let Some(base) = model.base() else { return TokenStream::new() };
    let (root, name, today) = (&model.stored.root, &model.stored.name, &model.stored.ident);
    let (old, made, given, version) =
        (&base.conversion.from, model.struct_of(base.version), local("old"), number(base.version - 1));
    let value = conversion(root, base.conversion, None, &quote!(#made));
    let result = quote!(#root::core::result::Result);
    let value =
        if base.conversion.fails { quote!(#root::whole_step(#name, #version, #value)) } else { quote!(#result::Ok(#value)) };
    let (here, event, lacks) = (root.at(old.span()), plain(today), lacks(root));
    let shown = old.to_token_stream().to_string().replace(' ', "");
    let is_event = is_event(root, old);
    let check = quote_spanned! {old.span()=>
        #here::is_version_before(#event, #name, #version, #shown, #here::Probe::<#old>::EVENT)
    };
    quote! {
        #[automatically_derived]
        impl #root::MadeFrom<#old> for #today {
            type Made = #made;
            fn made(#given: #old) -> #result<#made, #root::DecodeError> {
                #value
            }
        }
        #is_event
        const _: () = { #lacks #check };
    }
}

/// That a type is an event: said of it once, while all else asks nothing of it.
pub(super) fn is_event(root: &Root, ty: &Type) -> TokenStream {
    let here = root.at(ty.span());
    let name = quote_spanned!(ty.span()=> <#ty as #here::Event>::NAME);
    quote!(const _: &#root::core::primitive::str = #name;)
}

/// What is known of each version.
pub(super) fn versions(model: &Event) -> TokenStream {
    let (root, today) = (&model.stored.root, &model.stored.ident);
    let lacks = lacks(root);
    let of = |version: u32, ident: &Ident, advance: TokenStream| {
        let news = (version > 1).then(|| model.news(version));
        let changes = news.as_ref().map(|news| &news.changes[..]).unwrap_or_default();
        let (version, logic) = (number(version), Literal::u64_unsuffixed(news.as_ref().map_or(0, |news| news.logic)));
        quote! {
            #root::EventVersion {
                version: #version,
                node: <#ident as #root::Schema>::NODE,
                changes: &[#(#changes),*],
                logic: #logic,
                advance: #advance,
            }
        }
    };
    let past = model.past.iter().map(|past| {
        let ident = &past.stored.ident;
        of(past.version, ident, quote!(#root::Probe::<#ident>::advance))
    });
    let mut all: Vec<_> = past.collect();
    all.push(of(model.version, today, quote!(#root::Probe::<#today>::rewrite)));
    let Some(base) = model.base() else {
        return quote!({ #lacks &[#(#all),*] });
    };
    let (old, made, version, count) =
        (&base.conversion.from, model.struct_of(base.version), number(base.version - 1), Literal::usize_unsuffixed(all.len()));
    let result = quote!(#root::core::result::Result);
    quote! {
        {
            #lacks
            const __BELOW: &[#root::EventVersion] = { #lacks #root::Probe::<#old>::EVENT.versions };
            const __ALL: &[#root::EventVersion] = &{
                #lacks
                #root::versions::<#count, { __BELOW.len() + #count }>(
                    __BELOW,
                    |__payload| {
                        #lacks
                        let __old = #root::Probe::<#old>::decode_event(#version, __payload);
                        let __made = #result::and_then(__old, <#today as #root::MadeFrom<#old>>::made);
                        #result::and_then(__made, |__made| #root::Probe::<#made>::written(&__made))
                    },
                    [#(#all),*],
                )
            };
            __ALL
        }
    }
}

/// The arms that read the versions before the current one.
pub(super) fn arms(model: &Event) -> TokenStream {
    let root = &model.stored.root;
    let result = quote!(#root::core::result::Result);
    let past = model.past.iter().map(|past| {
        let (version, ident) = (number(past.version), &past.stored.ident);
        quote!(#version => #result::and_then(#root::Probe::<#ident>::decode(__payload), <#ident as #root::Past>::today),)
    });
    let base = model.base().map(|base| {
        let (old, made, below) = (&base.conversion.from, model.struct_of(base.version), number(base.version - 1));
        let made_it = quote! {
            #result::and_then(
                #root::Probe::<#old>::decode_event(__version, __payload),
                <Self as #root::MadeFrom<#old>>::made,
            )
        };
        let today = if base.version == model.version {
            made_it
        } else {
            quote!(#result::and_then(#made_it, <#made as #root::Past>::today))
        };
        let versions = if base.version == 2 { quote!(1) } else { quote!(1..=#below) };
        quote!(#versions => #today,)
    });
    quote!(#(#past)* #base)
}
