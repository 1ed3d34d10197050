//! What is wrong, collected, and the words for it.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// What is wrong with an item: all of it comes out together.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// At a place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.0.push(syn::Error::new(span, message));
    }
    /// Under these tokens.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }
    /// From a parser.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.0.push(error);
    }
    /// Takes what may have gone wrong.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }
    /// How much.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether all is well.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// For the compiler.
    pub(crate) fn into_vec(self) -> Vec<syn::Error> {
        self.0
    }
}

/// `a`, `b` and `c`.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A signature with what it means, of each that was expected.
pub(crate) fn expected(signatures: &[(String, &str)]) -> String {
    let width = signatures.iter().map(|(signature, _)| signature.len()).max().unwrap_or(0);
    let lines = signatures.iter().map(|(signature, meaning)| format!("\n  {signature:width$}    {meaning}"));
    format!("expected one of{}", lines.collect::<String>())
}
