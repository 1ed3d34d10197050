//! An `#[upcast]` function: what an event that is no longer applied has become.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, GenericParam, Meta, ReturnType, Safety, Signature, Type};

use super::handler::{Mismatch, Owner, Taken, is_self, last_segment, mismatch, taken_event};
use crate::diag::{Errors, expected};
use crate::parse::block::{Method, ungrouped};

/// What a retired event has become.
pub(crate) struct Upcast {
    pub(crate) method: Ident,
    /// The retired event.
    pub(crate) event: Type,
    /// The last part of its path.
    pub(crate) name: Ident,
    pub(crate) by_reference: bool,
    /// `None` is `()`.
    pub(crate) output: Option<Type>,
}

/// Takes `#[upcast]` off a method, and says whether it was there.
pub(crate) fn take_mark(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> bool {
    let mut found = false;
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("upcast")) {
        if found {
            errors.on(attr.path(), "`upcast` stands here twice: keep one");
        } else if !matches!(attr.meta, Meta::Path(_)) {
            errors.on(&attr.meta, "write `#[upcast]` and nothing else: the signature says which event becomes what");
        }
        found = true;
    }
    found
}

/// Takes `#[upcast]` off a method of a block that applies nothing.
pub(crate) fn refuse_mark(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("upcast")) {
        errors.on(
            attr.path(),
            "what a retired event has become is the same for all who read it: move this to the `#[aggregate]` block of its aggregate",
        );
    }
}

/// Reads an `#[upcast]` function; `itself` is the name of the block's type.
pub(crate) fn read(method: &Method, itself: &Ident, errors: &mut Errors) -> Option<Upcast> {
    match signature(&method.sig, itself) {
        Ok(upcast) => Some(upcast),
        Err(Mismatch(tokens, what)) => {
            errors.on(tokens, format!("{what}\n{}", shapes(&method.sig.ident, itself)));
            None
        }
    }
}

fn shapes(method: &Ident, itself: &Ident) -> String {
    expected(&[
        (format!("fn {method}(e: Retired) -> Event"), "it has become another event"),
        (format!("fn {method}(e: Retired) -> (One, Another)"), "several"),
        (format!("fn {method}(e: Retired) -> Vec<{itself}Event>"), "any number of them"),
        (format!("fn {method}(e: Retired)"), "nothing"),
    ])
}

fn signature(sig: &Signature, itself: &Ident) -> Result<Upcast, Mismatch> {
    let method = &sig.ident;
    if let Some(token) = &sig.asyncness {
        return mismatch(token, "what an event has become is never waited for: remove `async`");
    }
    if !matches!(sig.safety, Safety::Default) {
        return mismatch(&sig.safety, "what an event has become is never unsafe: remove `unsafe`");
    }
    if let Some(param) = sig.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_))) {
        return mismatch(param, "an upcast takes one event, so it can't be generic");
    }
    let mut inputs = sig.inputs.iter();
    let event = match inputs.next() {
        Some(FnArg::Receiver(receiver)) => {
            return mismatch(receiver, "what an event has become does not depend on the state: it is seen before it is applied");
        }
        Some(FnArg::Typed(event)) => event,
        None => return mismatch(method, format!("`{method}` takes no event")),
    };
    if let Some(more) = inputs.next() {
        return mismatch(more, format!("`{method}` takes more than one event"));
    }
    let (event, taken, name) = taken_event(event, Owner::Aggregate)?;
    let output = match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    if let Some(output) = output {
        if matches!(ungrouped(output), Type::ImplTrait(_)) {
            return mismatch(output, "an upcast names what it returns: no `impl Trait`");
        }
        if is_self(output, itself) {
            return mismatch(output, "an upcast returns events, not the state: a handler applies them, without `#[upcast]`");
        }
        if last_segment(output).is_some_and(|segment| segment.ident == "Result") {
            return mismatch(output, "what has happened can't be refused: an upcast never fails");
        }
    }
    Ok(Upcast { method: method.clone(), event, name, by_reference: taken == Taken::Reference, output: output.cloned() })
}
