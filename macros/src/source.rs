//! The source file of a block: whether an earlier block has taken its place.
//!
//! A macro sees its own block only, and of two the compiler says much that is not about them. So the file is read once more, as
//! the compiler reads it. Always true here: in doubt there is no earlier block. A block under a `#[cfg]`, one that another macro
//! wrote and one in another file are left to the compiler.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Item, ItemImpl};

use crate::model::tokens::TokenHash;
use crate::names::plain;
use crate::parse::block::Block;

/// The blocks of one type with one macro, in the order of a module, each by its hash.
type Blocks = Vec<u64>;

/// Returns true if an earlier block in the same module has this macro for the same type.
pub(crate) fn has_earlier_block(attribute: &str, args: &TokenStream, ident: &Ident, block: &Block) -> bool {
    let Some(text) = text_around(ident) else { return false };
    may_have_two(&text, attribute, &plain(ident)) && is_later(&text, attribute, ident, hash_of(args, &block.items()))
}

/// Returns true if a read model in the same file has a `#[projection]` block before this one, and does not list several.
pub(crate) fn has_earlier_projection(args: &TokenStream, ident: &Ident, block: &Block) -> bool {
    let Some(text) = text_around(ident) else { return false };
    may_have_two(&text, "projection", &plain(ident))
        && syn::parse_file(&text).is_ok_and(|file| lists_none(&file.items, &plain(ident)))
        && is_later(&text, "projection", ident, hash_of(args, &block.items()))
}

pub(crate) fn text_around(ident: &Ident) -> Option<String> {
    // Outside of a compiler, as in tests of the macros, there are no files.
    let file = proc_macro::is_available().then(|| ident.span().unwrap().local_file())??;
    std::fs::read_to_string(file).ok()
}

/// Says no for most files, which are not parsed then.
fn may_have_two(text: &str, attribute: &str, name: &str) -> bool {
    let blocks = text.split(attribute).skip(1).filter(|after| {
        let of = after.split_once("impl").map(|(_, of)| of.trim_start().trim_start_matches("r#"));
        of.is_some_and(|of| {
            of.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    });
    blocks.count() > 1
}

fn is_later(text: &str, attribute: &str, ident: &Ident, own: u64) -> bool {
    let Ok(file) = syn::parse_file(text) else { return false };
    let mut modules = Vec::new();
    collect(&file.items, attribute, &plain(ident), &mut modules);
    let mut of_this = modules.iter().filter(|module| module.contains(&own));
    // Two modules with this very block can't be told apart.
    let (Some(module), None) = (of_this.next(), of_this.next()) else { return false };
    module.first() != Some(&own)
}

/// The blocks of each module, the innermost first.
fn collect(items: &[Item], attribute: &str, name: &str, modules: &mut Vec<Blocks>) {
    let mut hashes = Vec::new();
    for item in items {
        match item {
            Item::Mod(module) if !has_cfg(&module.attrs) => {
                collect(module.content.as_ref().map_or(&[][..], |(_, items)| items), attribute, name, modules);
            }
            Item::Impl(block) if !has_cfg(&block.attrs) && is_of(block, name) => {
                let Some(attr) = block.attrs.iter().find(|attr| is(attr, attribute)) else { continue };
                let args = attr.meta.require_list().map_or_else(|_| TokenStream::new(), |list| list.tokens.clone());
                hashes.push(hash_of(&args, &block.items.iter().map(ToTokens::to_token_stream).collect()));
            }
            _ => {}
        }
    }
    modules.push(hashes);
}

/// Whether the one struct of this name derives `ReadModel` and lists no sources.
fn lists_none(items: &[Item], name: &str) -> bool {
    let mut found = Vec::new();
    structs(items, name, &mut found);
    let [attrs] = &found[..] else { return false };
    !has_cfg(attrs) && !attrs.iter().any(|attr| is(attr, "read_model") && speaks_of_sources(attr))
}

fn speaks_of_sources(attr: &Attribute) -> bool {
    attr.meta.require_list().is_ok_and(|list| list.tokens.clone().into_iter().any(|token| token.to_string() == "of"))
}

fn structs<'a>(items: &'a [Item], name: &str, found: &mut Vec<&'a [Attribute]>) {
    for item in items {
        match item {
            Item::Mod(module) => structs(module.content.as_ref().map_or(&[][..], |(_, items)| items), name, found),
            Item::Struct(item) if plain(&item.ident) == name => found.push(&item.attrs),
            _ => {}
        }
    }
}

fn is_of(block: &ItemImpl, name: &str) -> bool {
    let syn::Type::Path(path) = &*block.self_ty else { return false };
    block.trait_.is_none() && path.path.get_ident().is_some_and(|ident| plain(ident) == name)
}

pub(crate) fn is(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == name)
}

pub(crate) fn has_cfg(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| is(attr, "cfg") || is(attr, "cfg_attr"))
}

fn hash_of(args: &TokenStream, items: &TokenStream) -> u64 {
    let mut hash = TokenHash::new();
    hash.add(quote!(#args { #items }));
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_block_of_a_module_is_found() {
        let second = "fn b(&self, c: B) {}";
        let of = |text: &str, items: &str| {
            is_later(
                text,
                "command_handler",
                &syn::parse_str("A").unwrap(),
                hash_of(&TokenStream::new(), &items.parse().unwrap()),
            )
        };
        let block = |items: &str| format!("#[command_handler] impl A {{ {items} }}\n");
        let (first, later) = (block("fn a(c: A) {}"), block("fn b( & self,c: B ) { }"));
        assert!(of(&format!("{first}{later}"), second));
        assert!(!of(&format!("{later}{first}"), second));
        assert!(may_have_two(&format!("{first}{later}"), "command_handler", "A"));
        assert!(!may_have_two(&format!("{first}{}", later.replace("impl A", "impl Ab")), "command_handler", "A"));
        for elsewhere in [
            format!("mod m {{ {first} }} {later}"),
            format!("mod m {{ {first} {later} }} mod n {{ {first} {later} }}"),
            format!("#[cfg(unix)] {first} {later}"),
            format!("{} {later}", first.replace("impl A", "impl B")),
            format!("{} {later}", first.replace("command_handler", "aggregate")),
            first.clone(),
            "not rust".to_owned(),
        ] {
            assert!(!of(&elsewhere, second), "{elsewhere}");
        }
    }

    #[test]
    fn read_model_that_lists_its_sources_is_seen() {
        let of = |text: &str| lists_none(&syn::parse_file(text).unwrap().items, "Row");
        assert!(of("#[derive(ReadModel)] struct Row {}"));
        assert!(of("mod m { #[derive(ReadModel)] #[read_model(table = \"of\")] struct Row {} }"));
        assert!(!of("#[read_model(table = \"rows\", of(A, B))] struct Row {}"));
        assert!(!of("struct Row {} mod m { struct Row {} }"));
        assert!(!of("struct Other {}"));
    }
}
