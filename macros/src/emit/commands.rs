//! `#[command_handler]`: the enum of the commands, and the way of each to its handler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Member, Type, parse_quote};

use super::aggregate::{add_variant, lacks};
use super::derives::{Field, Target, Variant};
use super::head::Head;
use crate::model::commands::{CommandHandler, Commands, Needs};
use crate::model::handler::last_segment;
use crate::names::{command_enum, local};
use crate::parse::block::ungrouped;
use crate::paths::Root;

/// A block of command handlers.
pub(crate) fn commands(model: &Commands, sound: bool) -> TokenStream {
    let block = &model.block;
    if model.root.is_missing {
        return quote!(#block);
    }
    let parts = Parts::of(model);
    let sound = sound && model.generic.is_none();
    let handlers = parts.handlers.iter().map(|handler| if sound { parts.handler(handler) } else { parts.stub(handler) });
    if model.is_second {
        return quote!(#block #(#handlers)*);
    }
    let (commands, dispatch) = (parts.command_enum(), parts.dispatch(sound));
    let check = if let Some(generic) = &model.generic { Some(parts.reported(generic)) } else { sound.then(|| parts.check()) };
    quote!(#block #(#handlers)* #commands #dispatch #check)
}

struct Parts<'a> {
    root: &'a Root,
    model: &'a Commands,
    /// The aggregate's type.
    of: &'a Type,
    /// After an error: the parameters of the impls, and what they must be.
    params: TokenStream,
    predicates: TokenStream,
    commands: Ident,
    /// One of each type; a second one, and one that was misread, has been reported.
    handlers: Vec<&'a CommandHandler>,
    variants: Vec<Ident>,
    types: Vec<&'a Type>,
}

impl<'a> Parts<'a> {
    fn of(model: &'a Commands) -> Self {
        let mut handlers: Vec<&CommandHandler> = Vec::new();
        let (mut variants, mut types) = (Vec::new(), Vec::new());
        for handler in model.handlers.iter().chain(&model.misread) {
            if add_variant(&mut variants, &mut types, &handler.name, &handler.command) {
                handlers.push(handler);
            }
        }
        let (params, predicates) = model.block.head();
        Parts {
            root: &model.root,
            model,
            of: &model.block.ty,
            params,
            predicates,
            commands: command_enum(&model.ident),
            variants,
            types,
            handlers,
        }
    }

    /// `Command` and `Handle` for one command.
    fn handler(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { command, parameters, .. } = handler;
        let (output, place, bound) = (output(handler), place(handler), self.bound(handler));
        // The compiler prints equal errors at one place once: all that speaks of the returned type stands there.
        let here = root.at(place);
        let error = quote_spanned!(place=> <#output as #here::Answer>::Error);
        let result = quote!(#here::core::result::Result);
        let events = quote_spanned!(place=> #here::std::vec::Vec<<#of as #here::Aggregate>::Event>);
        let answer = quote_spanned! {place=>
            #[allow(clippy::type_complexity, clippy::let_unit_value)]
            fn __answer(__given: #output) -> #result<#events, #here::Refusal<#error>> {
                let __given = #result::map_err(<#output as #here::Answer>::split(__given), #here::Refusal::Rejected)?;
                let mut __events = #here::std::vec::Vec::new();
                <<#output as #here::Answer>::Events as #here::IntoEvents<#of>>::push_to(__given, &mut __events);
                #result::Ok(__events)
            }
        };
        let (signature, body) = (self.signature(handler), self.body(handler));
        let here = root.at(command.span());
        let command_impl = quote_spanned! {command.span()=>
            #[automatically_derived]
            impl #here::Command for #command #bound {
                type Aggregate = #of;
                const INFO: #root::CommandInfo = {
                    #[allow(unused_imports)]
                    use #root::Lacks as _;
                    #root::command_info(#root::Probe::<#command>::COMMAND, &[#(#root::Need::of::<#parameters>()),*])
                };
            }
        };
        quote! {
            #command_impl
            #[automatically_derived]
            impl #root::Handle<#command> for #of #bound {
                type Error = #error;
                #[allow(clippy::manual_async_fn, clippy::unused_async)]
                #signature {
                    // Not in the future: what is wrong there is reported once more for `Send`.
                    #answer
                    #body
                }
            }
        }
    }

    /// Where the compiler has to find out whether the returned type is one of events, the impls hold only if it is; asked
    /// for with a lifetime that nothing uses, that is no error here. The one error is that of `__answer`.
    fn bound(&self, handler: &CommandHandler) -> Option<TokenStream> {
        let (root, output, place) = (self.root.at(place(handler)), output(handler), place(handler));
        (!is_answer(handler)).then(|| quote_spanned!(place=> where for<'__any> #output: #root::Answer,))
    }

    /// The head of `Handle::handle`. Its future stands at the method's name: one that is not `Send` is said there.
    fn signature(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { method, command, .. } = handler;
        let (span, root_here) = (method.span(), root.at(method.span()));
        let (stage, given, env) = (local("stage"), local("command"), local("env"));
        let future = quote_spanned! {span=>
            impl #root_here::core::future::Future<
                Output = #root_here::core::result::Result<
                    #root_here::std::vec::Vec<<#of as #root_here::Aggregate>::Event>,
                    #root_here::Refusal<<#of as #root_here::Handle<#command>>::Error>,
                >,
            > + #root_here::core::marker::Send + '__a
        };
        quote! {
            fn handle<'__a>(#stage: &'__a #root::Stage<Self>, #given: #command, #env: &'__a #root::Env) -> #future
        }
    }

    /// The future that decides.
    fn body(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { method, command, parameters, .. } = handler;
        let (at_stage, given, surroundings) = (local("stage"), local("command"), local("env"));
        let state = local("state");
        let error = quote!(<#of as #root::Handle<#command>>::Error);
        let (open, this) = match handler.needs {
            Needs::Nothing => (quote!(#root::absent::<#of, #error>(#at_stage)?;), None),
            Needs::State => (quote!(let #state = #root::alive::<#of, #error>(#at_stage)?;), Some(quote!(#state,))),
            Needs::Either => (quote!(let #state = #root::not_ended::<#of, #error>(#at_stage)?;), Some(quote!(#state,))),
        };
        let given = if handler.by_reference { quote!(&#given) } else { quote!(#given) };
        let parameters = parameters.iter().map(|ty| {
            let root = root.at(ty.span());
            quote_spanned!(ty.span()=> #root::Env::parameter::<#ty>(#surroundings))
        });
        let span = method.span();
        let call = quote!(<#of>::#method(#this #given #(, #parameters)*));
        let call = if handler.is_async { quote_spanned!(span=> #call.await) } else { call };
        quote_spanned! {span=>
            async move {
                let _ = #surroundings;
                #open
                __answer(#call)
            }
        }
    }

    /// After an error: the handler is there, and does nothing.
    fn stub(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, params, predicates, model, .. } = self;
        let (command, output, bound) = (&handler.command, output(handler), self.bound(handler));
        let bound = bound.unwrap_or_else(|| quote!(where));
        let one = model.block.concrete(of);
        let result = quote!(#root::core::result::Result);
        quote! {
            #[automatically_derived]
            impl #root::Command for #command #bound {
                type Aggregate = #one;
                const INFO: #root::CommandInfo = #root::CommandInfo::of::<#command>(&[]);
            }
            #[automatically_derived]
            impl<#params> #root::Handle<#command> for #of #bound #predicates {
                type Error = <#output as #root::Answer>::Error;
                async fn handle<'__a>(
                    _: &'__a #root::Stage<Self>,
                    _: #command,
                    _: &'__a #root::Env,
                ) -> #result<#root::std::vec::Vec<<#of as #root::Aggregate>::Event>, #root::Refusal<Self::Error>> {
                    #root::core::unreachable!()
                }
            }
        }
    }

    /// The enum of all commands.
    fn command_enum(&self) -> TokenStream {
        let Parts { root, model, of, params, predicates, commands, variants, types, .. } = self;
        let doc = format!("Everything that can be asked of [`{}`].", model.ident);
        let docs = variants.iter().map(|variant| format!("`{variant}` is asked."));
        let member: Member = parse_quote!(0);
        let fields = |ty: &'a Type| vec![Field { member: member.clone(), ty, probed: true }];
        let variant = |(ident, ty): (_, &&'a Type)| Variant { ident: Some(ident), named: false, fields: fields(ty) };
        let generics = syn::Generics::default();
        let on = Head { ident: commands, generics: &generics };
        let target = Target { root, head: on, variants: variants.iter().zip(types).map(variant).collect() };
        let traits = target.implement(&["Clone", "Debug", "PartialEq"]);
        let (option, result) = (quote!(#root::core::option::Option), quote!(#root::core::result::Result));
        let (str, u8) = (quote!(#root::core::primitive::str), quote!(#root::core::primitive::u8));
        let lacks = lacks(root);
        // Where every handler has been refused.
        let none = variants.is_empty().then(|| quote!(_ => #root::core::unreachable!(),));
        quote! {
            #[doc = #doc]
            #[allow(
                private_interfaces,
                unreachable_pub,
                dead_code,
                non_camel_case_types,
                clippy::large_enum_variant,
                clippy::module_name_repetitions
            )]
            pub enum #commands { #(#[doc = #docs] #variants(#types),)* }
            #traits
            #(
                #[automatically_derived]
                impl #root::core::convert::From<#types> for #commands {
                    fn from(__command: #types) -> Self {
                        #commands::#variants(__command)
                    }
                }
            )*
            #[automatically_derived]
            impl #root::AnyCommand for #commands {
                fn info(&self) -> #root::CommandInfo {
                    #lacks
                    match self { #(#commands::#variants(_) => #root::Probe::<#types>::HANDLED,)* #none }
                }
                fn encode(&self, __payload: &mut #root::std::vec::Vec<#u8>) -> #result<(), #root::EncodeError> {
                    #lacks
                    match self { #(#commands::#variants(__command) => #root::Probe::<#types>::encode_command(__command, __payload),)* #none }
                }
                fn as_any(&self) -> &(dyn #root::core::any::Any + #root::core::marker::Send + #root::core::marker::Sync) {
                    match self { #(#commands::#variants(__command) => __command,)* #none }
                }
                fn decode(__name: &#str, __payload: &[#u8]) -> #option<#result<Self, #root::DecodeError>> {
                    #lacks
                    #(
                        if __name == #root::Probe::<#types>::COMMAND.name {
                            return #option::Some(#result::map(#root::Probe::<#types>::decode_command(__payload), Self::#variants));
                        }
                    )*
                    #option::None
                }
            }
            #[automatically_derived]
            impl<#params> #root::Commands for #of where #predicates {
                type Command = #commands;
                const COMMANDS: &'static [#root::CommandInfo] = { #lacks &[#(#root::Probe::<#types>::HANDLED),*] };
            }
        }
    }

    /// The way of any command to its handler.
    fn dispatch(&self, sound: bool) -> TokenStream {
        let Parts { root, of, params, predicates, commands, variants, types, .. } = self;
        let outputs: Vec<_> = self.handlers.iter().map(|handler| output(handler)).collect();
        // With a lifetime that nothing uses, as in `bound`.
        let bounds = self.handlers.iter().map(|handler| {
            let (output, place) = (output(handler), place(handler));
            let root = root.at(place);
            quote_spanned!(place=> for<'__any> #output: #root::Raise<__E>)
        });
        let result = quote!(#root::core::result::Result);
        let body = if sound {
            quote! {
                match __command {
                    #(#commands::#variants(__command) => {
                        #result::map_err(
                            <#of as #root::Handle<#types>>::handle(__stage, __command, __env).await,
                            |__refusal| #root::Refusal::map(__refusal, <#outputs as #root::Raise<__E>>::raise),
                        )
                    })*
                }
            }
        } else {
            quote!(#root::core::unreachable!())
        };
        quote! {
            #[automatically_derived]
            impl<#params __E> #root::Dispatch<__E> for #of
            where
                #predicates
                __E: #root::core::marker::Send + 'static,
                #(#bounds,)*
            {
                #[allow(clippy::manual_async_fn, unused_variables)]
                fn dispatch<'__a>(
                    __stage: &'__a #root::Stage<Self>,
                    __command: #commands,
                    __env: &'__a #root::Env,
                ) -> impl #root::core::future::Future<
                    Output = #result<#root::std::vec::Vec<<Self as #root::Aggregate>::Event>, #root::Refusal<__E>>,
                > + #root::core::marker::Send + '__a {
                    async move { #body }
                }
            }
        }
    }

    /// That a generic aggregate has been reported, once for all of its blocks.
    fn reported(&self, generic: &TokenStream) -> TokenStream {
        let (Parts { root, of, model, .. }, span) = (self, generic.span());
        let (one, root) = (model.block.concrete(of), root.at(span));
        let check = quote_spanned!(span=> #root::is_reported::<#one>);
        quote!(const _: fn() = #check;)
    }

    /// That each command has a name of its own.
    fn check(&self) -> TokenStream {
        let Parts { model, root, types, variants, .. } = self;
        if types.len() < 2 {
            return TokenStream::new();
        }
        let owner = model.ident.to_string();
        let names = variants.iter().map(ToString::to_string);
        let (lacks, root) = (lacks(root), root.at(model.ident.span()));
        let check = quote_spanned! {model.ident.span()=>
            #root::distinct_names(#owner, "commands", "command", &[#((#names, #root::Probe::<#types>::COMMAND.name)),*])
        };
        quote!(const _: () = { #lacks #check };)
    }
}

/// What the handler returns.
fn output(handler: &CommandHandler) -> Type {
    handler.output.clone().unwrap_or_else(|| parse_quote!(()))
}

/// Where what it returns stands.
fn place(handler: &CommandHandler) -> Span {
    handler.output.as_ref().map_or(handler.method.span(), Spanned::span)
}

/// Whether the returned type is seen to be made of events or of a `Result`; what a single name stands for is not seen here.
fn is_answer(handler: &CommandHandler) -> bool {
    let Some(output) = &handler.output else { return true };
    let known = |name: &Ident| ["Result", "Option", "Vec"].iter().any(|known| name == known);
    !matches!(ungrouped(output), Type::Path(_)) || last_segment(output).is_some_and(|segment| known(&segment.ident))
}
