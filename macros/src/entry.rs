//! The harness around every macro: what was given is parsed, made a model, checked, emitted.
//!
//! Always true here: an expansion is tokens *and* errors. The user's item always comes out; after an error, stubs stand in
//! for what other code depends on, so that one mistake is one error.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Errors;
use crate::model::{aggregate, commands, history, id, projection, read_model, stored};
use crate::{check, emit};

/// What a macro answers: code, and what is wrong.
pub(crate) type Expansion = (TokenStream, Vec<syn::Error>);

/// The tokens for the compiler.
pub(crate) fn finish((tokens, errors): Expansion) -> proc_macro::TokenStream {
    join((tokens, errors)).into()
}

/// Code and errors as one.
pub(crate) fn join((tokens, errors): Expansion) -> TokenStream {
    let errors = errors.iter().map(syn::Error::to_compile_error);
    quote!(#tokens #(#errors)*)
}

/// Parses with `read`; without a model the item comes out as it was. The model is then emitted, or its stubs.
fn expand<M>(
    args: TokenStream,
    item: TokenStream,
    read: fn(TokenStream, TokenStream, &mut Errors) -> Option<M>,
    check: fn(&M, &mut Errors),
    emit: fn(&M, sound: bool) -> TokenStream,
) -> Expansion {
    let mut errors = Errors::default();
    let tokens = match read(args, item.clone(), &mut errors) {
        Some(model) => {
            check(&model, &mut errors);
            emit(&model, errors.is_empty())
        }
        None => item,
    };
    (tokens, errors.into_vec())
}

/// `#[event]`.
pub(crate) fn event(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, history::read, check::history::event, emit::event::event)
}
/// `#[command]`.
pub(crate) fn command(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, stored::command, check::stored::command, emit::command::command)
}
/// `#[value]`.
pub(crate) fn value(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, stored::value_type, check::stored::value, emit::value::value)
}
/// `#[state]`.
pub(crate) fn state(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, stored::state, check::stored::state, emit::state::state)
}
/// `#[id]`.
pub(crate) fn id(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, id::read, |_, _| (), emit::id::id)
}
/// `#[aggregate]`.
pub(crate) fn aggregate(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, aggregate::read, check::blocks::aggregate, emit::aggregate::aggregate)
}
/// `#[command_handler]`.
pub(crate) fn command_handler(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, commands::read, check::blocks::commands, emit::commands::commands)
}
/// `#[projection]`.
pub(crate) fn projection(args: TokenStream, item: TokenStream) -> Expansion {
    expand(args, item, projection::read, check::blocks::projection, emit::projection::projection)
}
/// `#[derive(ReadModel)]`: a derive adds to its item, so that is not repeated.
pub(crate) fn read_model(item: TokenStream) -> Expansion {
    let mut errors = Errors::default();
    let tokens = match read_model::read(item, &mut errors) {
        Some(model) => {
            check::read_model::read_model(&model, &mut errors);
            emit::read_model::read_model(&model, errors.is_empty())
        }
        None => TokenStream::new(),
    };
    (tokens, errors.into_vec())
}
