//! A `#[command_handler]` block.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, FnArg, GenericParam, PatType, Receiver, ReceiverKind, ReturnType, Safety, Signature, Type};

use super::handler::{is_primitive, is_self, last_segment, meant, option_of};
use super::upcast;
use crate::diag::{Errors, expected};
use crate::parse::args;
use crate::parse::attrs::take_second;
use crate::parse::block::{Block, Method, ungrouped};
use crate::paths::Root;
use crate::source::has_earlier_block;

/// A block that decides on commands.
pub(crate) struct Commands {
    pub(crate) root: Root,
    pub(crate) block: Block,
    pub(crate) ident: Ident,
    /// What makes the aggregate generic, wrongly: `#[aggregate]` says so.
    pub(crate) generic: Option<TokenStream>,
    pub(crate) handlers: Vec<CommandHandler>,
    /// What could be made out of handlers with an error: their commands are there, whoever gives them.
    pub(crate) misread: Vec<CommandHandler>,
    /// Whether an earlier block is the aggregate's.
    pub(crate) is_second: bool,
}

/// What must be there for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    Nothing,
    State,
    Either,
}

/// A handler of one command.
pub(crate) struct CommandHandler {
    pub(crate) method: Ident,
    pub(crate) needs: Needs,
    pub(crate) command: Type,
    /// The last part of the command's path.
    pub(crate) name: Ident,
    pub(crate) by_reference: bool,
    /// Context and services, by type.
    pub(crate) parameters: Vec<Type>,
    /// `None` is `()`.
    pub(crate) output: Option<Type>,
    pub(crate) is_async: bool,
}

/// Reads a `#[command_handler]`.
pub(crate) fn read(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Commands> {
    let own = tokens.clone();
    let mut block = errors.take(syn::parse2::<Block>(item))?;
    take_second("command_handler", &mut block.attrs, errors);
    let root = args::read("command_handler", &[], tokens, errors, |_, _, _| Ok(()));
    let ident = block.last_name(errors)?;
    let is_second = errors.is_empty() && has_earlier_block("command_handler", &own, &ident, &block);
    if is_second {
        errors.on(&ident, format!("`{ident}` has a `#[command_handler]` block above: move these methods there"));
    }
    let (mut handlers, mut misread) = (Vec::new(), Vec::new());
    for method in &mut block.methods {
        upcast::refuse_mark(&mut method.attrs, errors);
        match handler(method, &ident, errors) {
            Some(handler) => handlers.push(handler),
            None => misread.extend(guess(&method.sig)),
        }
    }
    for handler in handlers.iter_mut().chain(&mut misread) {
        handler.command = block.concrete(&handler.command);
        handler.output = handler.output.as_ref().map(|output| block.concrete(output));
    }
    let generic = block.generic();
    Some(Commands { root, block, ident, generic, handlers, misread, is_second })
}

impl Commands {
    /// Where a `#[cfg]` stands in the block.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.block.methods.iter().flat_map(|method| &method.attrs).filter(|attr| attr.path().is_ident("cfg"))
    }
}

fn handler(method: &Method, itself: &Ident, errors: &mut Errors) -> Option<CommandHandler> {
    match signature(&method.sig, itself) {
        Ok(handler) => Some(handler),
        Err((tokens, what)) => {
            errors.on(tokens, format!("{what}\n{}", shapes(&method.sig.ident)));
            None
        }
    }
}

/// The handler that a signature with an error is most likely meant to be.
fn guess(sig: &Signature) -> Option<CommandHandler> {
    let (command, name) = meant(sig)?;
    Some(CommandHandler {
        method: sig.ident.clone(),
        needs: Needs::Either,
        command,
        name,
        by_reference: false,
        parameters: Vec::new(),
        output: output(sig).unwrap_or_default(),
        is_async: false,
    })
}

fn shapes(method: &Ident) -> String {
    let list = [
        (format!("fn {method}(cmd: Command) -> Result<Event, Error>"), "only where none exists"),
        (format!("fn {method}(&self, cmd: Command) -> Result<Event, Error>"), "only where one exists"),
        (format!("fn {method}(this: Option<&Self>, cmd: Command) -> Result<Event, Error>"), "either way"),
    ];
    format!("{}\nafter the command, by reference: the `&Context`, services; `async` where it waits", expected(&list))
}

type Mismatch = (TokenStream, String);

fn mismatch<T>(tokens: impl ToTokens, what: impl Into<String>) -> Result<T, Mismatch> {
    Err((tokens.to_token_stream(), what.into()))
}

fn signature(sig: &Signature, itself: &Ident) -> Result<CommandHandler, Mismatch> {
    let method = &sig.ident;
    if !matches!(sig.safety, Safety::Default) {
        return mismatch(&sig.safety, "deciding on a command is never unsafe: remove `unsafe`");
    }
    if let Some(param) = sig.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_))) {
        return mismatch(param, "a handler handles one command, so it can't be generic");
    }
    let mut inputs = sig.inputs.iter().peekable();
    let needs = match inputs.peek() {
        Some(FnArg::Receiver(receiver)) => {
            inputs.next();
            check_receiver(receiver)?;
            Needs::State
        }
        Some(FnArg::Typed(first)) if option_of(&first.ty).is_some() => {
            inputs.next();
            check_either(first, itself)?;
            Needs::Either
        }
        _ => Needs::Nothing,
    };
    let Some(FnArg::Typed(command)) = inputs.next() else {
        return mismatch(method, format!("`{method}` takes no command"));
    };
    let (ty, by_reference) = match ungrouped(&command.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return mismatch(&command.ty, "a command does not change: take it by value or as `&Command`");
        }
        Type::Reference(reference) => (ungrouped(&reference.elem), true),
        other => (other, false),
    };
    let Some(segment) = last_segment(ty) else {
        return mismatch(&command.ty, "a command is named by a plain path, such as `OpenAccount`");
    };
    if is_primitive(&segment.ident) {
        return mismatch(ty, format!("`{}` is not a command: a command is a struct of yours with `#[command]`", segment.ident));
    }
    Ok(CommandHandler {
        method: method.clone(),
        needs,
        command: ty.clone(),
        name: segment.ident.clone(),
        by_reference,
        parameters: inputs.map(parameter).collect::<Result<_, _>>()?,
        output: output(sig)?,
        is_async: sig.asyncness.is_some(),
    })
}

fn check_receiver(receiver: &Receiver) -> Result<(), Mismatch> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Ok(()),
        ReceiverKind::Reference(_, _, Some(_)) => {
            mismatch(receiver, "deciding on a command changes nothing, the events it returns do: take `&self`")
        }
        _ => mismatch(receiver, "deciding on a command consumes nothing, the events it returns end it: take `&self`"),
    }
}

/// `this: Option<&Self>`.
fn check_either(first: &PatType, itself: &Ident) -> Result<(), Mismatch> {
    match option_of(&first.ty).map(ungrouped) {
        Some(Type::Reference(reference)) if reference.mutability.is_none() && is_self(&reference.elem, itself) => Ok(()),
        _ => mismatch(&first.ty, "a handler that takes either comes with `Option<&Self>`"),
    }
}

fn parameter(input: &FnArg) -> Result<Type, Mismatch> {
    if let FnArg::Typed(PatType { ty, .. }) = input
        && let Type::Reference(reference) = ungrouped(ty)
        && reference.mutability.is_none()
    {
        return Ok(ungrouped(&reference.elem).clone());
    }
    mismatch(input, "after the command, the context and services come by reference, as `&Type` or `&dyn Trait`")
}

fn output(sig: &Signature) -> Result<Option<Type>, Mismatch> {
    match &sig.output {
        ReturnType::Default => Ok(None),
        ReturnType::Type(_, ty) if contains_impl(ty) => {
            mismatch(ty, "the events and the error must have names here: `impl Trait` has none")
        }
        ReturnType::Type(_, ty) => Ok(Some((**ty).clone())),
    }
}

/// `impl Trait`, wherever it stands.
fn contains_impl(ty: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "impl",
            proc_macro2::TokenTree::Group(group) => any(group.stream()),
            _ => false,
        })
    }
    any(ty.to_token_stream())
}
