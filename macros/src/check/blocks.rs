//! Rules of blocks: a rule looks at more than one method, what one method says wrongly is said when it is read.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Expr, Type};

use crate::diag::Errors;
use crate::model::aggregate::Aggregate;
use crate::model::commands::{CommandHandler, Commands};
use crate::model::handler::{EventHandler, last_segment};
use crate::model::projection::Projection;
use crate::names::{command_enum, event_enum, plain};
use crate::parse::block::ungrouped;

/// The rules of `#[aggregate]`.
pub(crate) fn aggregate(model: &Aggregate, errors: &mut Errors) {
    no_cfg(
        model.cfgs(),
        "an event that is stored must be read by every build: what applies it can't depend on a `#[cfg]`",
        errors,
    );
    one_handler_each(&model.handlers, "applied", errors);
    one_variant_each(&model.handlers, &event_enum(&model.ident), "event", errors);
    applied_or_upcast(model, errors);
    if model.block.methods.len() == model.upcasts.len() && model.block.others.is_empty() {
        errors.on(
            &model.ident,
            format!(
                "nothing ever happens to `{0}`: write a method for each of its events, such as `fn opened(e: Opened) -> Self`",
                model.ident
            ),
        );
    }
}

/// The rules of `#[command_handler]`.
pub(crate) fn commands(model: &Commands, errors: &mut Errors) {
    no_cfg(model.cfgs(), "the list of commands can't depend on a `#[cfg]`: let the handler refuse the command instead", errors);
    for (i, handler) in model.handlers.iter().enumerate() {
        if let Some(first) = model.handlers[..i].iter().find(|earlier| same(&earlier.command, &handler.command)) {
            let (name, first) = (&handler.name, &first.method);
            errors.on(&handler.command, format!("`{name}` is already handled by `{first}`: keep one of the two"));
        }
    }
    one_variant_each(&model.handlers, &command_enum(&model.ident), "command", errors);
    if model.block.methods.is_empty() && model.block.others.is_empty() {
        errors.on(
            &model.ident,
            "a block without handlers: write a method for each command, such as `fn open(cmd: Open) -> Opened`",
        );
    }
}

/// The rules of `#[projection]`.
pub(crate) fn projection(model: &Projection, errors: &mut Errors) {
    one_handler_each(&model.handlers, "handled", errors);
    for (i, ignored) in model.ignored.iter().enumerate() {
        let Some(name) = last_segment(ignored).map(|segment| &segment.ident) else {
            errors.on(ignored, "an event is named by a plain path, such as `AccountOpened`");
            continue;
        };
        if let Some(handler) = model.handlers.iter().find(|handler| same(&handler.event, ignored)) {
            errors
                .on(ignored, format!("`{name}` is handled by `{}`: take it off this list, or remove the method", handler.method));
        }
        if model.ignored[..i].iter().any(|other| same(other, ignored)) {
            errors.on(ignored, format!("`{name}` stands here twice: keep one"));
        }
    }
    for handler in model.handlers.iter().filter(|handler| handler.param.is_none()) {
        // A key that is the same for every event asks for no name: `0`, `TOTAL`, `Scope::All`.
        if let Some(key) = handler.key.as_ref().filter(|key| takes_a_field(key)) {
            errors.on(key, "the key is taken from the event, which has no name here: write the method with `e: &Event`");
        }
    }
}

/// `e.owner`, `e.owner.len()`, `(e.owner)`, `entry(e)`, `&e.owner`, `format!("{}", e.owner)`: whether a plain name in lower case is
/// used that is no function, path or macro.
fn takes_a_field(key: &Expr) -> bool {
    fn any(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        let (mut member, mut colon) = (false, false);
        while let Some(token) = tokens.next() {
            let used = match &token {
                TokenTree::Ident(ident) if !member => {
                    let name = ident.to_string();
                    let called = match tokens.peek() {
                        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
                        Some(TokenTree::Punct(next)) => matches!(next.as_char(), ':' | '!'),
                        _ => false,
                    };
                    !called && name.starts_with(char::is_lowercase) && syn::parse_str::<Ident>(&name).is_ok()
                }
                TokenTree::Group(group) => any(group.stream()),
                _ => false,
            };
            if used {
                return true;
            }
            let punct = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
            member = punct == '.' || punct == ':' && colon;
            colon = punct == ':';
        }
        false
    }
    any(key.to_token_stream())
}

/// `#[cfg(feature = "loans")] fn lent(&mut self, e: Lent) {}`
fn no_cfg<'a>(cfgs: impl Iterator<Item = &'a Attribute>, why: &str, errors: &mut Errors) {
    for cfg in cfgs {
        errors.on(cfg, why);
    }
}

/// `fn paid(&mut self, e: Paid) {} #[upcast] fn was(e: Paid) -> Lent {}`, `#[upcast] fn a(e: Old) {} #[upcast] fn b(e: Old) {}`
fn applied_or_upcast(model: &Aggregate, errors: &mut Errors) {
    for (i, upcast) in model.upcasts.iter().enumerate() {
        let (event, name) = (text(&upcast.event), &upcast.name);
        if let Some(handler) = model.handlers.iter().find(|handler| text(&handler.event) == event) {
            let why = format!(
                "`{name}` is applied by `{}`: an event that has become another one is no longer applied, so keep one of the two",
                handler.method
            );
            errors.on(&upcast.event, why);
        } else if let Some(first) = model.upcasts[..i].iter().find(|earlier| text(&earlier.event) == event) {
            errors.on(&upcast.event, format!("`{name}` is already upcast by `{}`: keep one of the two", first.method));
        }
    }
}

/// `fn paid(&mut self, e: Paid) {} fn also(&mut self, e: Paid) {}`
fn one_handler_each(handlers: &[EventHandler], done: &str, errors: &mut Errors) {
    for (i, handler) in handlers.iter().enumerate() {
        if let Some(first) = handlers[..i]
            .iter()
            .find(|earlier| same(&earlier.event, &handler.event) && earlier.cfgs.is_empty() && handler.cfgs.is_empty())
        {
            let (name, first) = (&handler.name, &first.method);
            errors.on(&handler.event, format!("`{name}` is already {done} by `{first}`: keep one of the two"));
        }
    }
}

/// `fn a(_: a::Created) -> Self {} fn b(&mut self, _: b::Created) {}`
fn one_variant_each(handlers: &[impl Handler], variants: &Ident, kind: &str, errors: &mut Errors) {
    for (i, handler) in handlers.iter().enumerate() {
        let (method, ty, name) = handler.handled();
        let earlier = handlers[..i].iter().map(Handler::handled);
        let Some((first_method, first, _)) = earlier.into_iter().find(|(_, first, other)| *other == name && !same(first, ty))
        else {
            continue;
        };
        // The longer path shows where to import from.
        let (alias, of, at) = match (alias(ty), alias(first)) {
            (Some(alias), _) => (alias, ty, method),
            (None, Some(alias)) => (alias, first, first_method),
            (None, None) => (format!("Other{name}"), ty, method),
        };
        let (here, there, of) = (text(ty), text(first), text(of));
        let stored = match kind {
            "event" => format!(
                "if both are stored as `{name}`, also write `#[event(name = \"{alias}\")]` on the struct of which nothing is stored yet"
            ),
            _ => format!("if both are named `{name}` outside, also write `#[{kind}(name = \"{alias}\")]` on one of the structs"),
        };
        errors.on(
            ty,
            format!(
                "`{here}` and `{there}`, which `{first_method}` takes, would both be the variant `{name}` of `{variants}`\n\
                 if they are two {kind}s, write `use {of} as {alias};` and take `{alias}` in `{at}`; {stored}\n\
                 if they are one {kind}, keep one of the two methods"
            ),
        );
    }
}

/// `loan_events::Created` is imported as `LoanEventsCreated`.
fn alias(ty: &Type) -> Option<String> {
    let Type::Path(path) = ungrouped(ty) else { return None };
    let mut segments = path.path.segments.iter().rev().map(|segment| plain(&segment.ident));
    let (name, module) = (segments.next()?, segments.next()?);
    if ["crate", "self", "super"].contains(&&*module) {
        return None;
    }
    let words = module.split('_').map(|word| {
        let mut chars = word.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
    });
    Some(words.collect::<String>() + &name)
}

/// Returns true for one path: the last part alone may name types of two modules.
fn same(a: &Type, b: &Type) -> bool {
    text(a) == text(b)
}

fn text(ty: &Type) -> String {
    ungrouped(ty).to_token_stream().to_string().replace(' ', "")
}

/// A method that takes something which the block makes a variant of.
trait Handler {
    /// The method, the type that it takes, and the name of the variant.
    fn handled(&self) -> (&Ident, &Type, &Ident);
}

impl Handler for EventHandler {
    fn handled(&self) -> (&Ident, &Type, &Ident) {
        (&self.method, &self.event, &self.name)
    }
}

impl Handler for CommandHandler {
    fn handled(&self) -> (&Ident, &Type, &Ident) {
        (&self.method, &self.command, &self.name)
    }
}
