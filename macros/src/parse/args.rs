//! The arguments of an attribute: `key`, `key = value` and `key(values)`, in any order, each once.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{LitInt, LitStr, Path, Token, parenthesized};

use crate::diag::{Errors, list};
use crate::paths::Root;

/// An argument that a macro takes, and how it is written.
pub(crate) type Known = (&'static str, &'static str);

/// Reads the arguments of a macro; `take` is called for each known one and reads what follows its key. `crate = path`
/// belongs to every macro.
pub(crate) fn read(
    attribute: &str,
    known: &[Known],
    tokens: TokenStream,
    errors: &mut Errors,
    mut take: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> Root {
    let mut krate: Option<Path> = None;
    let mut seen: Vec<String> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            let text = key.to_string();
            let form = known.iter().chain([&("crate", "crate = ::path")]).find(|(name, _)| *name == text).map(|(_, form)| *form);
            match form {
                None => {
                    errors.at(key.span(), unknown(attribute, &key, known));
                    skip(input);
                }
                Some(_) if seen.contains(&text) => {
                    errors.at(key.span(), format!("`{text}` stands here twice: keep one"));
                    skip(input);
                }
                Some(form) if !follows(form, &text, input) => {
                    errors.at(key.span(), format!("write `{form}`"));
                    skip(input);
                }
                Some(_) if text == "crate" => krate = Some(value_with(input, Path::parse_mod_style)?),
                Some(_) => take(&key, input, errors)?,
            }
            seen.push(text);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.add(error);
    }
    Root::new(krate.as_ref(), attribute, errors)
}

/// Whether what comes next is what stands after the key in its form.
fn follows(form: &str, key: &str, input: ParseStream<'_>) -> bool {
    match form.strip_prefix(key).map(str::trim_start).and_then(|rest| rest.chars().next()) {
        Some('=') => {
            let value = form.split_once("= ").map_or("", |(_, value)| value);
            // What else a value may be its own parser says.
            let fits = if value.starts_with('"') {
                input.peek2(LitStr)
            } else {
                !value.starts_with(|c: char| c.is_ascii_digit()) || input.peek2(LitInt)
            };
            input.peek(Token![=]) && fits
        }
        Some('(') => input.peek(syn::token::Paren),
        _ => input.is_empty() || input.peek(Token![,]),
    }
}

fn unknown(attribute: &str, key: &Ident, known: &[Known]) -> String {
    let forms: Vec<_> = known.iter().map(|(_, form)| *form).chain(["crate = ::path"]).collect();
    format!("`{attribute}` has no argument `{key}`: it takes {}", list(&forms))
}

/// Up to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

/// What stands after `=`.
pub(crate) fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    value_with(input, T::parse)
}
fn value_with<T>(input: ParseStream<'_>, read: fn(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.call(read)
}
/// What stands between parentheses.
pub(crate) fn values<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}
