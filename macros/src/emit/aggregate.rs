//! `#[aggregate]`: the enum of its events, and how they are applied, written, read and handed on to read models.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Member, Type, parse_quote};

use super::derives::{Field, Target, Variant};
use super::head::Head;
use super::upcast;
use crate::model::aggregate::Aggregate;
use crate::model::handler::{Effect, EventHandler, Taken};
use crate::names::{event_enum, local, plain};
use crate::paths::Root;

/// An aggregate.
pub(crate) fn aggregate(model: &Aggregate, sound: bool) -> TokenStream {
    let block = &model.block;
    if model.root.is_missing || model.is_second {
        return quote!(#block);
    }
    let parts = Parts::of(model);
    let events = parts.event_enum();
    let rest = if sound {
        let (aggregate, feeds, check, lock) = (parts.aggregate(), parts.feeds(), parts.check(), super::lock::items(model));
        quote!(#aggregate #feeds #check #lock)
    } else {
        parts.stubs()
    };
    quote!(#block #events #rest)
}

/// What the emitted pieces share.
struct Parts<'a> {
    model: &'a Aggregate,
    root: &'a Root,
    /// The aggregate's type.
    of: &'a Type,
    /// After an error: the parameters of the impls, and what they must be.
    params: TokenStream,
    predicates: TokenStream,
    events: Ident,
    /// One of each type; a second one has been reported.
    handlers: Vec<&'a EventHandler>,
    variants: Vec<Ident>,
    types: Vec<&'a Type>,
}

impl<'a> Parts<'a> {
    fn of(model: &'a Aggregate) -> Self {
        let mut handlers: Vec<&EventHandler> = Vec::new();
        let (mut variants, mut types) = (Vec::new(), Vec::new());
        for handler in &model.handlers {
            if add_variant(&mut variants, &mut types, &handler.name, &handler.event) {
                handlers.push(handler);
            }
        }
        for (event, name) in &model.misread {
            if !variants.contains(name) {
                variants.push(name.clone());
                types.push(event);
            }
        }
        let (params, predicates) = model.block.head();
        let events = event_enum(&model.ident);
        Parts { model, root: &model.root, of: &model.block.ty, params, predicates, events, variants, types, handlers }
    }

    /// The enum with what makes it the aggregate's.
    fn event_enum(&self) -> TokenStream {
        let Parts { model, root, of, params, predicates, events, variants, types, .. } = self;
        let (params, head) = (quote!(<#params>), quote!(where #predicates));
        let (params, head) = if predicates.is_empty() { (None, None) } else { (Some(params), Some(head)) };
        let doc = format!("Everything that can happen to [`{}`].", model.ident);
        let docs = variants.iter().map(|variant| format!("`{variant}` has happened."));
        let member: Member = parse_quote!(0);
        let fields = |ty: &'a Type| vec![Field { member: member.clone(), ty, probed: true }];
        let variant = |(ident, ty): (_, &&'a Type)| Variant { ident: Some(ident), named: false, fields: fields(ty) };
        let generics = syn::Generics::default();
        let on = Head { ident: events, generics: &generics };
        let target = Target { root, head: on, variants: variants.iter().zip(types).map(variant).collect() };
        let traits = target.implement(&["Clone", "Debug", "PartialEq"]);
        let answer = super::event::answer_items(root);
        let vec = quote!(#root::std::vec::Vec<#events>);
        quote! {
            #[doc = #doc]
            #[allow(
                private_interfaces,
                unreachable_pub,
                non_camel_case_types,
                clippy::large_enum_variant,
                clippy::module_name_repetitions
            )]
            pub enum #events { #(#[doc = #docs] #variants(#types),)* }
            #traits
            #(
                #[automatically_derived]
                impl #root::core::convert::From<#types> for #events {
                    fn from(__event: #types) -> Self {
                        #events::#variants(__event)
                    }
                }
                #[automatically_derived]
                impl #params #root::EventOf<#of> for #types #head {
                    fn wrap(self) -> #events {
                        #events::#variants(self)
                    }
                    fn unwrap(__event: #events) -> #root::core::result::Result<Self, #events> {
                        #[allow(unreachable_patterns)]
                        match __event {
                            #events::#variants(__event) => #root::core::result::Result::Ok(__event),
                            __other => #root::core::result::Result::Err(__other),
                        }
                    }
                }
                #[automatically_derived]
                impl #params #root::IntoEvents<#of> for #types #head {
                    fn push_to(self, __events: &mut #vec) {
                        __events.push(#events::#variants(self));
                    }
                }
            )*
            #[automatically_derived]
            impl #root::Answer for #events { #answer }
            #[automatically_derived]
            impl #params #root::HappensTo<'_, #of> for #events #head {}
            #[automatically_derived]
            impl #params #root::IntoEvents<#of> for #events #head {
                fn push_to(self, __events: &mut #vec) {
                    __events.push(self);
                }
            }
        }
    }

    fn aggregate(&self) -> TokenStream {
        let Parts { model, root, of, events, variants, types, .. } = self;
        let (name, doc, tokens) = (&model.name, &model.doc, model.tokens);
        let id_type = model.id.as_ref();
        let id = quote_spanned!(id_type.span()=> type Id = #id_type;);
        let lock = super::lock::value(model);
        let arms = self.handlers.iter().map(|handler| self.arm(handler));
        let (str, u8, u32) =
            (quote!(#root::core::primitive::str), quote!(#root::core::primitive::u8), quote!(#root::core::primitive::u32));
        let result = quote!(#root::core::result::Result);
        let (lacks, upcast_arms) = (lacks(root), upcast::arms(model));
        let (retired, upcasts) = upcast::retired(model);
        // The block's own doc comment; without one that of the type, where a macro has seen it.
        let doc = if doc.is_empty() { quote!({ #lacks #root::Probe::<#of>::STATE_DOC }) } else { quote!(#doc) };
        quote! {
            #[automatically_derived]
            impl #root::Aggregate for #of {
                #id
                type Event = #events;
                const NAME: &'static #str = #name;
                const DOC: &'static #str = #doc;
                const ID: #root::core::option::Option<#root::Node> = { #lacks #root::Probe::<#id_type>::NODE };
                const EVENTS: &'static [#root::EventInfo] = { #lacks &[#(#root::Probe::<#types>::EVENT),*] };
                const RETIRED: &'static [#root::EventInfo] = #retired;
                const LOCK: #root::core::option::Option<#root::Lock> = #lock;
                const FINGERPRINT: #root::core::primitive::u64 = #root::block_fingerprint(
                    #name,
                    #tokens,
                    <#of as #root::Aggregate>::EVENTS,
                    <#of as #root::Aggregate>::UPCASTS,
                );
                const UPCASTS: #root::core::primitive::u64 = #upcasts;
                const SNAPSHOTS: #root::core::option::Option<#root::Snapshots<Self>> =
                    { #lacks #root::Probe::<#of>::SNAPSHOTS };
                fn apply(
                    __stage: #root::Stage<Self>,
                    __event: #events,
                ) -> #result<#root::Stage<Self>, #root::Misplaced> {
                    #lacks
                    match __event { #(#arms)* }
                }
                fn decode(
                    __name: &#str,
                    __version: #u32,
                    __payload: &[#u8],
                ) -> #result<#root::Decoded<#events>, #root::DecodeError> {
                    #lacks
                    #(
                        if __name == #root::Probe::<#types>::EVENT.name {
                            return #result::map(
                                #root::Probe::<#types>::decode_event(__version, __payload),
                                |__event| #root::Decoded::One(#events::#variants(__event)),
                            );
                        }
                    )*
                    #upcast_arms
                    #root::unknown_event(#name, __name)
                }
                fn info(__event: &#events) -> #root::EventInfo {
                    #lacks
                    match __event { #(#events::#variants(_) => #root::Probe::<#types>::EVENT,)* }
                }
                fn encode(
                    __event: &#events,
                    __payload: &mut #root::std::vec::Vec<#u8>,
                ) -> #result<(), #root::EncodeError> {
                    #lacks
                    match __event {
                        #(#events::#variants(__event) => #root::Probe::<#types>::encode_event(__event, __payload),)*
                    }
                }
            }
        }
    }

    /// What one event makes of the stage.
    fn arm(&self, handler: &EventHandler) -> TokenStream {
        let Parts { root, of, events, .. } = self;
        let EventHandler { method, name, event: ty, .. } = handler;
        let (state, event) = (local("state"), local("event"));
        let argument = if handler.taken == Taken::Value { quote!(#event) } else { quote!(&#event) };
        let ok = quote!(#root::core::result::Result::Ok);
        let creates = handler.effect == Effect::Creates;
        let fits = match handler.effect {
            Effect::Creates => quote! {
                #root::Stage::Absent => #ok(#root::Stage::Alive(<#of>::#method(#argument))),
            },
            Effect::Ends => quote! {
                #root::Stage::Alive(#state) => {
                    <#of>::#method(#state, #argument);
                    #ok(#root::Stage::Ended)
                }
            },
            Effect::Changes | Effect::Any => quote! {
                #root::Stage::Alive(mut #state) => {
                    <#of>::#method(&mut #state, #argument);
                    #ok(#root::Stage::Alive(#state))
                }
            },
        };
        quote! {
            #events::#name(#event) => match __stage {
                #fits
                __stage => #root::core::result::Result::Err(
                    #root::misplaced(&__stage, #root::Probe::<#ty>::EVENT.name, #creates),
                ),
            },
        }
    }

    /// That a read model says something about each event.
    fn feeds(&self) -> TokenStream {
        let Parts { model, root, of, events, variants, types, .. } = self;
        let (lacks, upcasts) = (lacks(root), upcast::effects(model));
        let option = quote!(#root::core::option::Option);
        quote! {
            #[automatically_derived]
            impl<__M: #root::ReadModel> #root::Feeds<__M> for #of where #(__M: #root::On<#of, #types>,)* {
                fn effect_of(__event: &#root::core::primitive::str) -> #option<#root::core::primitive::bool> {
                    #lacks
                    #(
                        if __event == #root::Probe::<#types>::EVENT.name {
                            return #option::Some(#root::handles(<__M as #root::On<#of, #types>>::EFFECT));
                        }
                    )*
                    #upcasts
                    #option::None
                }
                fn fold(
                    __event: #root::Recorded<#events>,
                ) -> #root::core::result::Result<#root::std::boxed::Box<dyn #root::Fold<__M>>, #root::FoldError> {
                    #lacks
                    let (__event, __record) = #root::Recorded::split(__event);
                    match __event {
                        #(#events::#variants(__event) =>
                            #root::Probe::<#types>::pending::<#of, __M>(#root::Recorded::map(__record, |()| __event)),)*
                    }
                }
            }
        }
    }

    /// That each event is one, and stored under a name of its own.
    fn check(&self) -> TokenStream {
        let Parts { model, root, .. } = self;
        let are_events = upcast::check(model);
        let retired = model.upcasts.iter().map(|upcast| (&upcast.name, &upcast.event));
        let (names, types): (Vec<_>, Vec<_>) = self.variants.iter().zip(self.types.iter().copied()).chain(retired).unzip();
        if types.len() < 2 {
            return are_events;
        }
        let owner = model.ident.to_string();
        let names = names.into_iter().map(ToString::to_string);
        let (lacks, root) = (lacks(root), root.at(model.ident.span()));
        let check = quote_spanned! {model.ident.span()=>
            #root::distinct_names(#owner, "events", "event", &[#((#names, #root::Probe::<#types>::EVENT.name)),*])
        };
        quote!(#are_events const _: () = { #lacks #check };)
    }

    /// After an error: what events, commands and read models ask of an aggregate.
    fn stubs(&self) -> TokenStream {
        let Parts { model, root, of, params, predicates, events, .. } = self;
        let reported = model.block.generic().map(|_| {
            quote! {
                #[automatically_derived]
                impl<#params> #root::Reported for #of where #predicates {}
            }
        });
        // Called as ids are, where there is a type of that name; a glob of the module comes before what stands around it.
        let usual = format_ident!("{}Id", plain(&model.ident));
        let meant: Type = parse_quote!(#usual);
        let given = model.id.as_ref().or(model.guessed_id.as_ref());
        let scope = given.is_none().then(|| {
            quote! {
                mod __usual { pub(super) type #usual = #root::core::primitive::u64; }
                #[allow(unused_imports)]
                use __usual::*;
            }
        });
        let outside = given.is_none().then(|| {
            quote!(
                #[allow(unused_imports)]
                use self::*;
            )
        });
        let id = given.unwrap_or(&meant);
        let (str, u8, u32) =
            (quote!(#root::core::primitive::str), quote!(#root::core::primitive::u8), quote!(#root::core::primitive::u32));
        let (result, never) = (quote!(#root::core::result::Result), quote!(#root::core::unreachable!()));
        quote! {
            #reported
            const _: () = {
                #scope
                {
                    #outside
                    #[automatically_derived]
                    impl<#params> #root::Aggregate for #of where #predicates {
                        type Id = #id;
                        type Event = #events;
                        const NAME: &'static #str = "";
                        const DOC: &'static #str = "";
                        const ID: #root::core::option::Option<#root::Node> = #root::core::option::Option::None;
                        const EVENTS: &'static [#root::EventInfo] = &[];
                        const RETIRED: &'static [#root::EventInfo] = &[];
                        const LOCK: #root::core::option::Option<#root::Lock> = #root::core::option::Option::None;
                        const FINGERPRINT: #root::core::primitive::u64 = 0;
                        const UPCASTS: #root::core::primitive::u64 = 0;
                        const SNAPSHOTS: #root::core::option::Option<#root::Snapshots<Self>> = #root::core::option::Option::None;
                        fn apply(_: #root::Stage<Self>, _: #events) -> #result<#root::Stage<Self>, #root::Misplaced> { #never }
                        fn decode(_: &#str, _: #u32, _: &[#u8]) -> #result<#root::Decoded<#events>, #root::DecodeError> { #never }
                        fn info(_: &#events) -> #root::EventInfo { #never }
                        fn encode(_: &#events, _: &mut #root::std::vec::Vec<#u8>) -> #result<(), #root::EncodeError> { #never }
                    }
                }
            };
            #[automatically_derived]
            impl<#params __M: #root::ReadModel> #root::Feeds<__M> for #of where #predicates {
                fn effect_of(_: &#str) -> #root::core::option::Option<#root::core::primitive::bool> { #never }
                fn fold(_: #root::Recorded<#events>) -> #result<#root::std::boxed::Box<dyn #root::Fold<__M>>, #root::FoldError> { #never }
            }
        }
    }
}

/// Adds the variant of a type, unless it has one. After an error two types may want one name: the second gets another, so that
/// handlers which return it have no error of their own.
pub(super) fn add_variant<'a>(variants: &mut Vec<Ident>, types: &mut Vec<&'a Type>, name: &Ident, ty: &'a Type) -> bool {
    let text = |ty: &Type| quote!(#ty).to_string();
    if types.iter().any(|earlier| text(earlier) == text(ty)) {
        return false;
    }
    let taken = variants.contains(name);
    variants.push(if taken { format_ident!("{}{}", plain(name), variants.len()) } else { name.clone() });
    types.push(ty);
    true
}

/// Makes the other half of `Probe` known.
pub(super) fn lacks(root: &Root) -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use #root::Lacks as _;
    }
}
