//! A method that handles one event, by its signature.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, FnArg, GenericArgument, GenericParam, Meta, Pat, PatType, PathArguments, PathSegment};
use syn::{Receiver, ReceiverKind, ReturnType, Safety, Signature, Type, parse_quote};

use super::upcast;
use crate::diag::{Errors, expected};
use crate::parse::block::{Method, ungrouped};

/// What a handler does to a state or a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    Creates,
    Changes,
    Ends,
    Any,
}

/// How a handler takes its event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    Value,
    Reference,
    /// `&Recorded<E>`.
    Recorded,
}

/// A handler of one event.
pub(crate) struct EventHandler {
    pub(crate) method: Ident,
    pub(crate) effect: Effect,
    pub(crate) event: Type,
    /// The last part of the event's path.
    pub(crate) name: Ident,
    pub(crate) taken: Taken,
    /// The parameter's name, where it has one: `_` has none.
    pub(crate) param: Option<Ident>,
    /// `#[key = ..]`.
    pub(crate) key: Option<Expr>,
    pub(crate) cfgs: Vec<Attribute>,
}

/// Who the events are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Aggregate,
    ReadModel,
}

/// Why a signature is none of the expected ones: where, and what is wrong.
pub(super) struct Mismatch(pub(super) TokenStream, pub(super) String);

/// An error about one part of a signature.
pub(super) fn mismatch<T>(tokens: impl ToTokens, what: impl Into<String>) -> Result<T, Mismatch> {
    Err(Mismatch(tokens.to_token_stream(), what.into()))
}

/// Reads a handler; `itself` is the name of the block's type.
pub(crate) fn read(method: &mut Method, itself: &Ident, owner: Owner, errors: &mut Errors) -> Option<EventHandler> {
    if owner == Owner::ReadModel {
        upcast::refuse_mark(&mut method.attrs, errors);
    }
    let (key, before) = (take_key(&mut method.attrs, owner, errors), errors.len());
    let cfgs = method.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
    match signature(&method.sig, itself, owner) {
        Ok(handler) if errors.len() == before => {
            if let (Some(key), Some(param)) = (&key, &handler.param)
                && names(key.to_token_stream(), param)
            {
                used(&mut method.sig);
            }
            Some(EventHandler { key, cfgs, ..handler })
        }
        Ok(_) => None,
        Err(Mismatch(tokens, what)) => {
            errors.on(tokens, format!("{what}\n{}", shapes(&method.sig.ident, owner)));
            None
        }
    }
}

/// The signatures a handler may have.
fn shapes(method: &Ident, owner: Owner) -> String {
    let (event, itself) = match owner {
        Owner::Aggregate => ("Event", "it"),
        Owner::ReadModel => ("&Event", "the row"),
    };
    let (brings, changes, ends) = (format!("brings {itself} into being"), format!("changes {itself}"), format!("ends {itself}"));
    let mut list = vec![
        (format!("fn {method}(e: {event}) -> Self"), &*brings),
        (format!("fn {method}(&mut self, e: {event})"), &*changes),
        (format!("fn {method}(self, e: {event})"), &*ends),
    ];
    if owner == Owner::ReadModel {
        list.push((format!("fn {method}(row: Option<Self>, e: {event}) -> Option<Self>"), "any of these"));
    }
    expected(&list)
}

fn signature(sig: &Signature, itself: &Ident, owner: Owner) -> Result<EventHandler, Mismatch> {
    let method = &sig.ident;
    if let Some(token) = &sig.asyncness {
        return mismatch(token, "what an event does never waits: remove `async`");
    }
    if !matches!(sig.safety, Safety::Default) {
        return mismatch(&sig.safety, "what an event does is never unsafe: remove `unsafe`");
    }
    if let Some(param) = sig.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_))) {
        return mismatch(param, "a handler handles one event, so it can't be generic");
    }
    let mut inputs = sig.inputs.iter().peekable();
    let effect = effect(sig, &mut inputs, itself)?;
    if effect == Effect::Any && owner == Owner::Aggregate {
        return mismatch(method, "whether it is there is known to an aggregate: an event either creates, changes or ends it");
    }
    let Some(FnArg::Typed(event)) = inputs.next() else {
        return mismatch(method, format!("`{method}` takes no event"));
    };
    if let Some(more) = inputs.next() {
        return mismatch(more, format!("`{method}` takes more than one event"));
    }
    let (ty, taken, name) = taken_event(event, owner)?;
    Ok(EventHandler {
        method: method.clone(),
        effect,
        name,
        taken,
        param: param_name(event),
        key: None,
        cfgs: Vec::new(),
        event: ty,
    })
}

fn effect<'a>(
    sig: &'a Signature,
    inputs: &mut std::iter::Peekable<impl Iterator<Item = &'a FnArg>>,
    itself: &Ident,
) -> Result<Effect, Mismatch> {
    let method = &sig.ident;
    let effect = match inputs.peek() {
        Some(FnArg::Receiver(receiver)) => {
            inputs.next();
            receiver_effect(receiver)?
        }
        Some(FnArg::Typed(first)) if is_option_of_self(&first.ty, itself) => {
            inputs.next();
            Effect::Any
        }
        _ => Effect::Creates,
    };
    let output = match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty).filter(|ty| !matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())),
    };
    match (effect, output) {
        (Effect::Creates, Some(ty)) if is_self(ty, itself) => Ok(effect),
        (Effect::Any, Some(ty)) if is_option_of_self(ty, itself) => Ok(effect),
        (Effect::Changes | Effect::Ends, None) => Ok(effect),
        (Effect::Creates, None) => mismatch(method, format!("`{method}` takes no `self` and returns no `Self`")),
        (Effect::Any, None) => {
            mismatch(method, format!("`{method}` takes the row, and does not return it: add `-> Option<Self>`"))
        }
        (_, Some(ty)) => mismatch(ty, "an event has happened: its handler can't answer, refuse or fail"),
    }
}

fn receiver_effect(receiver: &Receiver) -> Result<Effect, Mismatch> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(_)) => Ok(Effect::Changes),
        ReceiverKind::Value => Ok(Effect::Ends),
        ReceiverKind::Reference(_, _, None) => mismatch(
            receiver,
            "`&self` can't be changed by an event: a method that is no handler belongs in an ordinary `impl` block",
        ),
        _ => mismatch(receiver, "write `&mut self` or `self`"),
    }
}

/// The event of a parameter, how it is taken, and the last part of its path.
pub(super) fn taken_event(param: &PatType, owner: Owner) -> Result<(Type, Taken, Ident), Mismatch> {
    let (ty, taken) = event_type(param, owner)?;
    let Some(segment) = last_segment(&ty) else {
        return mismatch(&param.ty, "an event is named by a plain path, such as `AccountOpened`");
    };
    if is_primitive(&segment.ident) {
        return mismatch(&ty, format!("`{}` is not an event: an event is a struct of yours with `#[event]`", segment.ident));
    }
    let name = segment.ident.clone();
    Ok((ty, taken, name))
}

fn event_type(param: &PatType, owner: Owner) -> Result<(Type, Taken), Mismatch> {
    let (ty, reference) = match ungrouped(&param.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return mismatch(&param.ty, "an event that happened does not change: take it by value or as `&Event`");
        }
        Type::Reference(reference) => (ungrouped(&reference.elem), true),
        other => (other, false),
    };
    let Some(inner) = recorded(ty) else {
        return Ok((ty.clone(), if reference { Taken::Reference } else { Taken::Value }));
    };
    match (owner, reference) {
        (Owner::Aggregate, _) => {
            mismatch(&param.ty, "an aggregate applies the event alone: what is recorded beside it is for read models")
        }
        (Owner::ReadModel, false) => mismatch(&param.ty, "a recorded event is taken by reference: `&Recorded<Event>`"),
        (Owner::ReadModel, true) => Ok((ungrouped(inner).clone(), Taken::Recorded)),
    }
}

/// `E` of `Recorded<E>`.
fn recorded(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Recorded")?;
    only_argument(segment)
}

fn only_argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// The type that a signature with an error is most likely about, with its name: the first that can be an event or a command.
pub(crate) fn meant(sig: &Signature) -> Option<(Type, Ident)> {
    if sig.generics.type_params().next().is_some() {
        return None;
    }
    sig.inputs.iter().find_map(|input| {
        let FnArg::Typed(param) = input else { return None };
        let ty = match ungrouped(&param.ty) {
            Type::Reference(reference) => ungrouped(&reference.elem),
            other => other,
        };
        let ty = recorded(ty).map_or(ty, ungrouped);
        let segment = last_segment(ty).filter(|segment| segment.arguments.is_none() && segment.ident != "Self")?;
        (!is_primitive(&segment.ident)).then(|| (ty.clone(), segment.ident.clone()))
    })
}

/// Returns true for a type of the language. Every other name can be an event's or a command's: many scripts have no upper case.
pub(crate) fn is_primitive(name: &Ident) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
        "f64",
    ];
    PRIMITIVES.iter().any(|primitive| name == primitive)
}

/// The last part of a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ungrouped(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// `Self`, or the type's own name.
pub(crate) fn is_self(ty: &Type, itself: &Ident) -> bool {
    last_segment(ty).is_some_and(|s| matches!(s.arguments, PathArguments::None) && (s.ident == "Self" || s.ident == *itself))
}

fn is_option_of_self(ty: &Type, itself: &Ident) -> bool {
    option_of(ty).is_some_and(|inner| is_self(inner, itself))
}

/// `T` of `Option<T>`.
pub(crate) fn option_of(ty: &Type) -> Option<&Type> {
    last_segment(ty).filter(|segment| segment.ident == "Option").and_then(only_argument)
}

fn param_name(param: &PatType) -> Option<Ident> {
    match &*param.pat {
        Pat::Ident(pat) if pat.subpat.is_none() => Some(pat.ident.clone()),
        _ => None,
    }
}

/// The event is used by the key, whether the body looks at it or not.
fn used(sig: &mut Signature) {
    if let Some(FnArg::Typed(event)) = sig.inputs.last_mut() {
        event.attrs.push(parse_quote!(#[allow(unused_variables)]));
    }
}

/// Whether a name stands somewhere in there.
fn names(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => names(group.stream(), name),
        _ => false,
    })
}

/// Takes `#[key = ..]` off a handler.
fn take_key(attrs: &mut Vec<Attribute>, owner: Owner, errors: &mut Errors) -> Option<Expr> {
    let mut key = None;
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("key")) {
        match &attr.meta {
            Meta::NameValue(_) if owner == Owner::Aggregate => {
                errors.on(attr.path(), "only the handlers of a read model have a key: an aggregate is found by its id");
            }
            Meta::NameValue(_) if key.is_some() => errors.on(attr.path(), "`key` stands here twice: keep one"),
            Meta::NameValue(meta) => key = Some(meta.value.clone()),
            _ => errors.on(&attr.meta, "which row does the event belong to? write `#[key = e.field]`"),
        }
    }
    key
}
