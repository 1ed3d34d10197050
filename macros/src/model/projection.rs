//! A `#[projection]` block.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::parse::ParseStream;
use syn::{Type, parse_quote};

use super::handler::{self, EventHandler, Owner, Taken};
use super::tokens::TokenHash;
use crate::diag::Errors;
use crate::parse::args::{self, value, values};
use crate::parse::attrs::take_second;
use crate::parse::block::Block;
use crate::paths::Root;
use crate::source::has_earlier_projection;

/// A block that folds the events of one aggregate into rows.
pub(crate) struct Projection {
    pub(crate) root: Root,
    pub(crate) block: Block,
    /// The aggregate; `None` is an error already.
    pub(crate) of: Option<Type>,
    /// After an error: the aggregates of further macros on the block.
    pub(crate) others: Vec<Type>,
    pub(crate) ignored: Vec<Type>,
    pub(crate) handlers: Vec<EventHandler>,
    /// The hash of the handlers' code.
    pub(crate) tokens: u64,
    /// Whether an earlier block has its place.
    pub(crate) is_second: bool,
}

/// Reads a `#[projection]`.
pub(crate) fn read(tokens: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Projection> {
    let own = tokens.clone();
    let mut block = errors.take(syn::parse2::<Block>(item))?;
    let others = take_second("projection", &mut block.attrs, errors);
    let others = others.iter().filter_map(|attr| attr.parse_args_with(aggregate_first).ok()).collect();
    let (mut of, mut ignored, before) = (None, Vec::new(), errors.len());
    let known = [("of", "of = YourAggregate"), ("ignore", "ignore(SomeEvent)")];
    let root = args::read("projection", &known, tokens, errors, |key, input, _| {
        if key == "of" {
            of = Some(value(input)?);
        } else {
            ignored = values(input)?;
        }
        Ok(())
    });
    if of.is_none() && errors.len() == before {
        errors.at(Span::call_site(), "whose events? write `#[projection(of = YourAggregate)]`");
    }
    let ident = block.plain_name("a read model can't be generic: each has a table of its own", errors)?;
    let is_second = errors.is_empty() && has_earlier_projection(&own, &ident, &block);
    if is_second {
        let and_this = of.as_ref().map_or_else(String::new, |of: &Type| format!(", {}", of.to_token_stream()));
        errors.on(
            &ident,
            format!(
                "`{ident}` has a `#[projection]` block above: list the aggregates of all its blocks, \
                 `#[read_model(of(..{and_this}))]`; two blocks of one aggregate are one"
            ),
        );
    }
    let mut hash = TokenHash::new();
    let mut handlers = Vec::new();
    for method in &mut block.methods {
        hash.add(method.to_token_stream());
        let Some(handler) = handler::read(method, &ident, Owner::ReadModel, errors) else { continue };
        if let (Taken::Recorded, Some(of), false) = (handler.taken, &of, root.is_missing) {
            let happens = happens(&root, &handler.event, of);
            method.sig.generics.make_where_clause().predicates.push(parse_quote!(#happens));
        }
        handlers.push(handler);
    }
    Some(Projection { root, block, of, others, ignored, handlers, tokens: hash.finish(), is_second })
}

/// `of = Order, ignore(Opened)`
fn aggregate_first(input: ParseStream<'_>) -> syn::Result<Type> {
    input.parse::<Ident>()?;
    let aggregate = value(input)?;
    input.parse::<TokenStream>()?;
    Ok(aggregate)
}

/// The clause that says whose event it is: in its scope `aggregate_id` gives that aggregate's id, also of an event that several
/// aggregates have. The compiler prefers such a clause to all impls only if its lifetime is used.
pub(crate) fn happens(root: &Root, event: &Type, of: &Type) -> TokenStream {
    quote!(for<'__any> #event: #root::HappensTo<'__any, #of>)
}
