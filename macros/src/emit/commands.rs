//! `#[command_handler]`: the enum of the commands, and the way of each to its handler.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Member, Type, parse_quote};

use super::aggregate::lacks;
use super::derives::{Field, Target, Variant};
use crate::model::commands::{CommandHandler, Commands, Needs};
use crate::names::{command_enum, local};
use crate::paths::{Root, at};

/// A block of command handlers.
pub(crate) fn commands(model: &Commands, sound: bool) -> TokenStream {
    let block = &model.block;
    let parts = Parts::of(model);
    let handlers = parts.handlers.iter().map(|handler| if sound { parts.handler(handler) } else { parts.stub(handler) });
    let (commands, dispatch) = (parts.command_enum(), parts.dispatch(sound));
    let check = sound.then(|| parts.check());
    quote!(#block #(#handlers)* #commands #dispatch #check)
}

struct Parts<'a> {
    root: &'a Root,
    model: &'a Commands,
    /// The aggregate's type.
    of: &'a Type,
    commands: Ident,
    /// One of each name; a second one has been reported.
    handlers: Vec<&'a CommandHandler>,
    variants: Vec<&'a Ident>,
    types: Vec<&'a Type>,
}

impl<'a> Parts<'a> {
    fn of(model: &'a Commands) -> Self {
        let mut handlers: Vec<&CommandHandler> = Vec::new();
        for handler in &model.handlers {
            if !handlers.iter().any(|earlier| earlier.name == handler.name) {
                handlers.push(handler);
            }
        }
        Parts {
            root: &model.root,
            model,
            of: &model.block.ty,
            commands: command_enum(&model.ident),
            variants: handlers.iter().map(|handler| &handler.name).collect(),
            types: handlers.iter().map(|handler| &handler.command).collect(),
            handlers,
        }
    }

    /// `Command` and `Handle` for one command.
    fn handler(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { method, command, parameters, .. } = handler;
        let unit: Type = parse_quote!(());
        let output = handler.output.as_ref().unwrap_or(&unit);
        let place = handler.output.as_ref().map_or(method.span(), syn::spanned::Spanned::span);
        // The compiler prints equal errors at one place once: all that speaks of the returned type stands there.
        let error = at(place, quote!(<#output as #root::Answer>::Error));
        let answer = at(
            place,
            quote! {
                fn __answer(
                    __given: #output,
                ) -> #root::core::result::Result<#root::std::vec::Vec<<#of as #root::Aggregate>::Event>, #root::Refusal<<#of as #root::Handle<#command>>::Error>> {
                    let __given = #root::core::result::Result::map_err(<#output as #root::Answer>::split(__given), #root::Refusal::Rejected)?;
                    let mut __events = #root::std::vec::Vec::new();
                    <<#output as #root::Answer>::Events as #root::IntoEvents<#of>>::push_to(__given, &mut __events);
                    #root::core::result::Result::Ok(__events)
                }
            },
        );
        let signature = self.signature(handler);
        let body = self.body(handler);
        let command_root = root.at(command.span());
        let command_impl = quote_spanned! {command.span()=>
            #[automatically_derived]
            impl #command_root::Command for #command {
                type Aggregate = #of;
                const INFO: #command_root::CommandInfo = #command_root::CommandInfo::of::<#command>(&[#(#command_root::Need::of::<#parameters>()),*]);
            }
        };
        quote! {
            #command_impl
            #[automatically_derived]
            impl #root::Handle<#command> for #of {
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

    /// The head of `Handle::handle`. Its return type stands at the method's name: a future that is not `Send` is said there.
    fn signature(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { method, command, .. } = handler;
        let future = at(
            method.span(),
            quote! {
                impl #root::core::future::Future<
                    Output = #root::core::result::Result<
                        #root::std::vec::Vec<<#of as #root::Aggregate>::Event>,
                        #root::Refusal<<#of as #root::Handle<#command>>::Error>,
                    >,
                > + #root::core::marker::Send + '__a
            },
        );
        let (stage, command_name, env) = (local("stage"), local("command"), local("env"));
        quote! {
            fn handle<'__a>(#stage: &'__a #root::Stage<Self>, #command_name: #command, #env: &'__a #root::Env) -> #future
        }
    }

    /// The future that decides.
    fn body(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let CommandHandler { method, command, parameters, .. } = handler;
        let (stage, given, env, state) = (local("stage"), local("command"), local("env"), local("state"));
        let error = quote!(<#of as #root::Handle<#command>>::Error);
        let (open, this) = match handler.needs {
            Needs::Nothing => (quote!(#root::absent::<#of, #error>(#stage)?;), TokenStream::new()),
            Needs::State => (quote!(let #state = #root::alive::<#of, #error>(#stage)?;), quote!(#state,)),
            Needs::Either => (quote!(let #state = #root::not_ended::<#of, #error>(#stage)?;), quote!(#state,)),
        };
        let given = if handler.by_reference { quote!(&#given) } else { quote!(#given) };
        let parameters = parameters.iter().map(|ty| {
            let env = Ident::new("__env", env.span());
            quote_spanned!(ty.span()=> #root::Env::parameter::<#ty>(#env))
        });
        let root = root.at(method.span());
        let call = quote!(<#of>::#method(#this #given #(, #parameters)*));
        let call = if handler.is_async { quote_spanned!(method.span()=> #call.await) } else { call };
        quote_spanned! {method.span()=>
            async move {
                let _ = #env;
                #open
                let __given = #call;
                #root::core::convert::identity(__answer)(__given)
            }
        }
    }

    /// After an error: the handler is there, and does nothing.
    fn stub(&self, handler: &CommandHandler) -> TokenStream {
        let Parts { root, of, .. } = self;
        let command = &handler.command;
        let unit: Type = parse_quote!(());
        let output = handler.output.as_ref().unwrap_or(&unit);
        quote! {
            #[automatically_derived]
            impl #root::Command for #command {
                type Aggregate = #of;
                const INFO: #root::CommandInfo = #root::CommandInfo::of::<#command>(&[]);
            }
            #[automatically_derived]
            impl #root::Handle<#command> for #of {
                type Error = <#output as #root::Answer>::Error;
                async fn handle<'__a>(
                    _: &'__a #root::Stage<Self>,
                    _: #command,
                    _: &'__a #root::Env,
                ) -> #root::core::result::Result<
                    #root::std::vec::Vec<<#of as #root::Aggregate>::Event>,
                    #root::Refusal<<#of as #root::Handle<#command>>::Error>,
                > {
                    #root::core::unreachable!()
                }
            }
        }
    }

    /// The enum of all commands.
    fn command_enum(&self) -> TokenStream {
        let Parts { root, model, of, commands, variants, types, .. } = self;
        let doc = format!("Everything that can be asked of [`{}`].", model.ident);
        let docs = variants.iter().map(|variant| format!("`{variant}` is asked."));
        let member: Member = parse_quote!(0);
        let fields = |ty: &'a Type| vec![Field { member: member.clone(), ty, probed: true }];
        let variant = |(ident, ty): (&&'a Ident, &&'a Type)| Variant { ident: Some(*ident), named: false, fields: fields(ty) };
        let target = Target { root, ident: commands, variants: variants.iter().zip(types).map(variant).collect() };
        let traits = target.implement(&["Clone", "Debug", "PartialEq"]);
        let (option, result) = (quote!(#root::core::option::Option), quote!(#root::core::result::Result));
        let (str, u8) = (quote!(#root::core::primitive::str), quote!(#root::core::primitive::u8));
        let lacks = lacks(root);
        quote! {
            #[doc = #doc]
            #[allow(private_interfaces, unreachable_pub, dead_code, clippy::large_enum_variant, clippy::module_name_repetitions)]
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
                    match self { #(#commands::#variants(_) => <#types as #root::Command>::INFO,)* }
                }
                fn encode(&self, __payload: &mut #root::std::vec::Vec<#u8>) -> #result<(), #root::EncodeError> {
                    #lacks
                    match self { #(#commands::#variants(__command) => #root::Probe::<#types>::encode_command(__command, __payload),)* }
                }
                fn as_any(&self) -> &(dyn #root::core::any::Any + #root::core::marker::Send + #root::core::marker::Sync) {
                    match self { #(#commands::#variants(__command) => __command,)* }
                }
                fn decode(__name: &#str, __payload: &[#u8]) -> #option<#result<Self, #root::DecodeError>> {
                    #lacks
                    #(
                        if __name == #root::Probe::<#types>::COMMAND {
                            return #option::Some(#result::map(#root::Probe::<#types>::decode_command(__payload), Self::#variants));
                        }
                    )*
                    #option::None
                }
            }
            #[automatically_derived]
            impl #root::Commands for #of {
                type Command = #commands;
                const COMMANDS: &'static [#root::CommandInfo] = &[#(<#types as #root::Command>::INFO),*];
            }
        }
    }

    /// The way of any command to its handler.
    fn dispatch(&self, sound: bool) -> TokenStream {
        let Parts { root, of, commands, variants, types, .. } = self;
        let unit: Type = parse_quote!(());
        let kinds = self.handlers.iter().map(|handler| {
            let place = handler.output.as_ref().map_or(handler.method.span(), syn::spanned::Spanned::span);
            let output = handler.output.as_ref().unwrap_or(&unit);
            let command = &handler.command;
            at(
                place,
                quote! {
                    <#of as #root::Handle<#command>>::Error: #root::Raise<<#output as #root::Answer>::Kind, __E>
                },
            )
        });
        let bounds: Vec<_> = kinds.collect();
        let kinds = self.handlers.iter().map(|handler| {
            let output = handler.output.as_ref().unwrap_or(&unit);
            quote!(<#output as #root::Answer>::Kind)
        });
        let result = quote!(#root::core::result::Result);
        let body = if sound {
            quote! {
                match __command {
                    #(#commands::#variants(__command) => {
                        #result::map_err(
                            <#of as #root::Handle<#types>>::handle(__stage, __command, __env).await,
                            |__refusal| #root::Refusal::map(__refusal, <_ as #root::Raise<#kinds, __E>>::raise),
                        )
                    })*
                }
            }
        } else {
            quote!(#root::core::unreachable!())
        };
        quote! {
            #[automatically_derived]
            impl<__E> #root::Dispatch<__E> for #of
            where
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

    /// That each command has a name of its own.
    fn check(&self) -> TokenStream {
        let Parts { model, root, types, variants, .. } = self;
        if types.len() < 2 {
            return TokenStream::new();
        }
        let owner = model.ident.to_string();
        let names = variants.iter().map(ToString::to_string);
        let check = at(
            model.ident.span(),
            quote! {
                #root::distinct_names(#owner, "commands", "command", &[#((#names, #root::Probe::<#types>::COMMAND)),*])
            },
        );
        let lacks = lacks(root);
        quote!(const _: () = { #lacks #check };)
    }
}
