//! An `#[aggregate]` block.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, LitStr, ReceiverKind, Signature, Type};

use super::handler::{self, EventHandler, Owner, last_segment};
use super::tokens::TokenHash;
use super::upcast::{self, Upcast};
use crate::diag::Errors;
use crate::names::plain;
use crate::parse::args::{self, value};
use crate::parse::attrs::{docs, take_second};
use crate::parse::block::Block;
use crate::paths::Root;
use crate::source::has_earlier_block;

/// A block that applies events.
pub(crate) struct Aggregate {
    pub(crate) root: Root,
    pub(crate) block: Block,
    pub(crate) ident: Ident,
    /// The type of its ids; `None` is an error already.
    pub(crate) id: Option<Type>,
    /// After an error: what is most likely meant to be that type.
    pub(crate) guessed_id: Option<Type>,
    /// The name its streams are stored under.
    pub(crate) name: String,
    /// The file of its schema lock.
    pub(crate) schema: Option<LitStr>,
    pub(crate) doc: String,
    pub(crate) handlers: Vec<EventHandler>,
    /// The events of handlers with an error: they are the aggregate's, whatever happens to them.
    pub(crate) misread: Vec<(Type, Ident)>,
    /// What events that are no longer applied have become.
    pub(crate) upcasts: Vec<Upcast>,
    /// The hash of the code that says so.
    pub(crate) upcast_tokens: u64,
    /// The hash of the handlers' code.
    pub(crate) tokens: u64,
    /// Whether an earlier block is the aggregate's.
    pub(crate) is_second: bool,
}

/// Reads an `#[aggregate]`.
pub(crate) fn read(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Aggregate> {
    let own = tokens.clone();
    let mut block = errors.take(syn::parse2::<Block>(item))?;
    take_second("aggregate", &mut block.attrs, errors);
    let (mut id, mut name, mut schema, before) = (None, None, None, errors.len());
    let known = [("id", "id = YourId"), ("name", "name = \"StoredName\""), ("schema", "schema = \"account.events\"")];
    let root = args::read("aggregate", &known, tokens, errors, |key, input, errors| {
        if key == "id" {
            id = Some(value(input)?);
        } else if key == "schema" {
            schema = lock_file(value(input)?, errors);
        } else {
            name = stored_name(&value(input)?, errors);
        }
        Ok(())
    });
    if id.is_none() && errors.len() == before {
        errors.at(Span::call_site(), "which type names one of them? write `#[aggregate(id = YourId)]`");
    }
    let ident = block.last_name(errors)?;
    let is_second = errors.is_empty() && has_earlier_block("aggregate", &own, &ident, &block);
    if is_second {
        errors.on(&ident, format!("`{ident}` has an `#[aggregate]` block above: move these methods there"));
    }
    if let Some(generic) = block.generic() {
        errors.on(
            generic,
            "an aggregate can't be generic, since its events are stored under one name: write a plain type, with an enum or a \
             `Box<dyn Trait>` in place of the parameter",
        );
    }
    let (mut hash, mut upcast_hash) = (TokenHash::new(), TokenHash::new());
    let (mut handlers, mut misread, mut upcasts) = (Vec::new(), Vec::new(), Vec::new());
    for method in &mut block.methods {
        hash.add(method.to_token_stream());
        if upcast::take_mark(&mut method.attrs, errors) {
            upcast_hash.add(method.to_token_stream());
            upcasts.extend(upcast::read(method, &ident, errors));
            continue;
        }
        match handler::read(method, &ident, Owner::Aggregate, errors) {
            Some(handler) => handlers.push(handler),
            None if is_helper(&method.sig) => {}
            None => misread.extend(handler::meant(&method.sig)),
        }
    }
    for event in handlers.iter_mut().map(|handler| &mut handler.event).chain(misread.iter_mut().map(|(event, _)| event)) {
        *event = block.concrete(event);
    }
    let name = name.unwrap_or_else(|| plain(&ident));
    let doc = docs(&block.attrs);
    let guessed_id = if id.is_none() { guessed(own) } else { None };
    let (tokens, upcast_tokens) = (hash.finish(), upcast_hash.finish());
    Some(Aggregate {
        root,
        block,
        ident,
        id,
        guessed_id,
        name,
        schema,
        doc,
        handlers,
        misread,
        upcasts,
        upcast_tokens,
        tokens,
        is_second,
    })
}

/// `idd = AccountId`, `id: AccountId`, `id(AccountId)`, `id = "AccountId"`, `AccountId`: the type in the first argument that is
/// not one of the others, where it is called as types are.
fn guessed(tokens: TokenStream) -> Option<Type> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let arguments = tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','));
    arguments.filter_map(guessed_in).find(|ty| {
        let name = last_segment(ty).map(|segment| segment.ident.to_string());
        name.is_some_and(|name| !name.starts_with(char::is_lowercase) || ["u32", "u64", "i32", "i64"].contains(&&*name))
    })
}

fn guessed_in(argument: &[TokenTree]) -> Option<Type> {
    let value = match argument {
        [TokenTree::Ident(key), ..] if key == "name" || key == "schema" || key == "crate" => return None,
        [TokenTree::Ident(key), TokenTree::Punct(_), TokenTree::Literal(text)] if key == "id" => {
            return syn::parse2::<LitStr>(TokenTree::from(text.clone()).into()).ok()?.parse().ok();
        }
        [TokenTree::Ident(_), TokenTree::Punct(punct), value @ ..] if matches!(punct.as_char(), '=' | ':') => {
            value.iter().cloned().collect()
        }
        [TokenTree::Ident(key), TokenTree::Group(value)] if key == "id" => value.stream(),
        value => value.iter().cloned().collect(),
    };
    syn::parse2(value).ok()
}

/// `fn owes(&self, to: Person) -> bool`: more likely a method that went astray than a handler.
fn is_helper(sig: &Signature) -> bool {
    sig.receiver().is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)))
}

fn stored_name(text: &LitStr, errors: &mut Errors) -> Option<String> {
    let name = text.value();
    let wrong = name.trim().is_empty() || name.contains('-') || name.chars().any(char::is_control);
    if wrong {
        errors.on(
            text,
            "the name of an aggregate holds at least one letter, and no `-`, which parts it from the id: `Account-ACC-1`",
        );
    }
    (!wrong).then_some(name)
}

fn lock_file(text: LitStr, errors: &mut Errors) -> Option<LitStr> {
    let name = text.value();
    let is_elsewhere =
        name.starts_with('/') || name.contains(['\\', ':']) || [".", ".."].contains(&name.rsplit('/').next().unwrap_or_default());
    let wrong =
        name.trim() != name || name.is_empty() || name.ends_with('/') || is_elsewhere || name.chars().any(char::is_control);
    if wrong {
        errors.on(&text, "the schema lock is a file beside this one: write `schema = \"account.events\"`");
    }
    (!wrong).then_some(text)
}

impl Aggregate {
    /// Where a `#[cfg]` stands in the block.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.block.methods.iter().flat_map(|method| &method.attrs).filter(|attr| attr.path().is_ident("cfg"))
    }
}
