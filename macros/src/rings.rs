//! Types that hold themselves through others: a macro sees one of them, so the others are looked up in the source file.
//!
//! Always true here: in doubt there is no ring, and the compiler reports "overflow evaluating the requirement". A type under a
//! `#[cfg]`, one in another module and a name that the module declares twice are left to the compiler.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Fields, Item, Type};

use crate::names::plain;
use crate::source::{has_cfg, is, text_around};

/// A type of a module, with the names that its fields speak of.
struct Declared {
    /// Where it stands among the values; `None` for an alias.
    order: Option<usize>,
    holds: Vec<String>,
}

type Module = HashMap<String, Declared>;

/// Returns the names through which a field of this type leads back to the value `ident`, if no value in that ring stands before
/// it: so a ring is reported once.
pub(crate) fn through(ident: &Ident, field: &Type) -> Option<Vec<String>> {
    let (name, starts) = (plain(ident), names(field.to_token_stream()));
    let text = text_around(ident)?;
    may_lead_back(&text, &name, &starts).then(|| through_in(&text, &name, &starts))?
}

fn through_in(text: &str, name: &str, starts: &[String]) -> Option<Vec<String>> {
    let module = module_of(&syn::parse_file(text).ok()?.items, name)?;
    let first = module.get(name)?.order?;
    starts.iter().find_map(|start| path(&module, first, start, name, &mut HashSet::new()))
}

/// The way from one type to another one, the first in the list last.
fn path(module: &Module, first: usize, from: &str, to: &str, seen: &mut HashSet<String>) -> Option<Vec<String>> {
    let declared = module.get(from).filter(|declared| declared.order.is_none_or(|order| order > first))?;
    if !seen.insert(from.to_owned()) {
        return None;
    }
    if declared.holds.iter().any(|name| name == to) {
        return Some(vec![from.to_owned()]);
    }
    let mut rest = declared.holds.iter().find_map(|next| path(module, first, next, to, seen))?;
    rest.insert(0, from.to_owned());
    Some(rest)
}

/// The one module that declares a value of this name.
fn module_of(items: &[Item], name: &str) -> Option<Module> {
    let mut found = Vec::new();
    collect(items, name, &mut found);
    (found.len() == 1).then(|| found.pop())?
}

fn collect(items: &[Item], name: &str, found: &mut Vec<Module>) {
    let (mut module, mut twice) = (Module::new(), HashSet::new());
    for (i, item) in items.iter().enumerate() {
        let (attrs, ident, declared) = match item {
            Item::Mod(module) => {
                collect(module.content.as_ref().map_or(&[][..], |(_, items)| items), name, found);
                continue;
            }
            Item::Struct(item) => (&item.attrs, &item.ident, Declared { order: Some(i), holds: held(&item.fields) }),
            Item::Enum(item) => {
                let holds = item.variants.iter().flat_map(|variant| held(&variant.fields)).collect();
                (&item.attrs, &item.ident, Declared { order: Some(i), holds })
            }
            Item::Type(item) => (&item.attrs, &item.ident, Declared { order: None, holds: names(item.ty.to_token_stream()) }),
            _ => continue,
        };
        let is_value = declared.order.is_none() || attrs.iter().any(|attr| is(attr, "value"));
        if has_cfg(attrs) || !is_value || module.insert(plain(ident), declared).is_some() {
            twice.insert(plain(ident));
        }
    }
    module.retain(|name, _| !twice.contains(name));
    if module.contains_key(name) {
        found.push(module);
    }
}

fn held(fields: &Fields) -> Vec<String> {
    let fields = fields.iter().filter(|field| !has_cfg(&field.attrs) && !field.attrs.iter().any(is_described));
    fields.flat_map(|field| names(field.ty.to_token_stream())).collect()
}

/// A field that has no schema of its type, or is not stored.
fn is_described(attr: &Attribute) -> bool {
    let skips = |tokens: TokenStream| tokens.into_iter().any(|token| token.to_string() == "skip");
    is(attr, "schema") || is(attr, "serde") && attr.meta.require_list().is_ok_and(|list| skips(list.tokens.clone()))
}

/// The bare names in a type: what ends a path may be another type.
fn names(ty: TokenStream) -> Vec<String> {
    let (mut found, mut in_path) = (Vec::new(), false);
    for token in ty {
        let was_in_path = std::mem::replace(&mut in_path, matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':'));
        match token {
            TokenTree::Ident(ident) if !was_in_path => found.push(plain(&ident)),
            TokenTree::Group(group) => found.extend(names(group.stream())),
            _ => {}
        }
    }
    found
}

/// Says no for most types, for which the file is not parsed then.
fn may_lead_back(text: &str, name: &str, starts: &[String]) -> bool {
    const TYPES_MAX: usize = 100;
    let (mut open, mut seen): (Vec<String>, HashSet<String>) = (starts.to_vec(), HashSet::new());
    while let Some(next) = open.pop() {
        if seen.len() > TYPES_MAX || !seen.insert(next.clone()) {
            continue;
        }
        let Some(body) = body_of(text, &next) else { continue };
        for word in body.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if word == name {
                return true;
            }
            if !word.is_empty() && !seen.contains(word) {
                open.push(word.to_owned());
            }
        }
    }
    false
}

/// What stands behind `struct Name`, `enum Name` or `type Name`.
fn body_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let after = ["struct", "enum", "type"].iter().find_map(|keyword| {
        let head = format!("{keyword} {name}");
        let mut places = text.match_indices(&head).map(|(at, _)| &text[at + head.len()..]);
        places.find(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })?;
    let mut depth = 0_usize;
    let end = after.char_indices().find(|(_, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(c, '}' | ';')
    });
    Some(&after[..end.map_or(after.len(), |(at, _)| at)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str, name: &str, field: &str) -> Option<Vec<String>> {
        let starts = names(field.parse().unwrap());
        may_lead_back(text, name, &starts).then(|| through_in(text, name, &starts))?
    }

    /// R22: a ring is found from its first value, through values and aliases.
    #[test]
    fn ring_is_found_from_its_first_value_only() {
        let text = "#[value] pub struct A { b: Vec<B> } #[value] enum B { X, Y(Option<Box<C>>) } #[value] struct C { a: Kids }
                    type Kids = Vec<A>; #[value] struct D { c: Vec<C> }";
        assert_eq!(ring(text, "A", "Vec<B>"), Some(["B", "C", "Kids"].map(str::to_owned).to_vec()));
        assert_eq!(ring(text, "B", "Option<Box<C>>"), None);
        assert_eq!(ring(text, "C", "Kids"), None);
        assert_eq!(ring(text, "D", "Vec<C>"), None);
        let alias = "type Kids = Vec<Tree>; #[value] struct Tree { kids: Kids }";
        assert_eq!(ring(alias, "Tree", "Kids"), Some(vec!["Kids".to_owned()]));
        // Two rings through one value: each is reported by its first.
        let two = "#[value] struct A { b: Vec<B> } #[value] struct B { a: Vec<A>, c: Vec<C> } #[value] struct C { b: Vec<B> }";
        assert_eq!((ring(two, "A", "Vec<B>").is_some(), ring(two, "B", "Vec<C>").is_some()), (true, true));
    }

    #[test]
    fn what_may_be_no_ring_is_left_to_the_compiler() {
        for text in [
            "#[value] struct A { b: Vec<B> } #[value] struct B { #[schema(opaque = \"an a\")] a: Box<A> }",
            "#[value] struct A { b: Vec<B> } #[value] struct B { #[serde(skip)] a: Vec<A> }",
            "#[value] struct A { b: Vec<B> } #[value] struct B { a: other::A }",
            "#[value] struct A { b: Vec<B> } mod m { #[value] struct B { a: Vec<A> } }",
            "#[value] struct A { b: Vec<B> } #[cfg(unix)] #[value] struct B { a: Vec<A> }",
            "#[value] struct A { b: Vec<B> } #[cfg(unix)] type B = Vec<A>; #[cfg(windows)] type B = u8;",
            "#[value] struct A { b: Vec<B> } struct B { a: Vec<A> }",
            "#[value] struct A { b: Vec<B> } #[value] struct B { n: u8 /* of A */ }",
            "#[value] struct A { b: Vec<B> } #[value] struct B;",
        ] {
            assert_eq!(ring(text, "A", "Vec<B>"), None, "{text}");
        }
    }
}
