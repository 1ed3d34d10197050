//! Attributes that stand on the user's items: docs, derives, `#[schema]`, `#[cfg]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, MetaNameValue, Path, Token};

use crate::diag::{Errors, list};

/// The doc comment, its lines trimmed.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(MetaNameValue { path, value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), .. })
            if path.is_ident("doc") =>
        {
            Some(text.value().lines().map(str::trim).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The derives that stand below, by their last name.
#[derive(Default)]
pub(crate) struct Derives(Vec<String>);

impl Derives {
    /// Of an item.
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let derives = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
        let paths = derives.filter_map(|attr| attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
        Derives(paths.flatten().filter_map(|path| path.segments.last().map(|s| s.ident.to_string())).collect())
    }
    /// Whether this one is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|derive| derive == name)
    }
    /// Whether one is neither of std nor of serde.
    fn are_foreign(&self) -> bool {
        const KNOWN: [&str; 11] =
            ["Clone", "Copy", "Debug", "Default", "Deserialize", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Serialize"];
        self.0.iter().any(|derive| !KNOWN.contains(&&**derive))
    }
    /// Those of `names` that are not among them.
    pub(crate) fn missing<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().filter(|name| !self.has(name)).copied().collect()
    }
}

/// Where a `#[cfg]` stands, or a `#[cfg_attr]` with what says how it is stored.
pub(crate) fn cfg(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| attr.path().is_ident("cfg") || is_conditional(attr))
}

/// `#[cfg_attr(feature = "short", serde(rename = "a"))]`, which serde's derive would see, and the schema not.
pub(crate) fn is_conditional(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr") && speaks_of_storing(attr.meta.to_token_stream())
}

fn speaks_of_storing(tokens: TokenStream) -> bool {
    const WORDS: [&str; 7] = ["serde", "schema", "cfg", "added", "renamed", "converted", "removed"];
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => WORDS.contains(&&*ident.to_string()),
        TokenTree::Group(group) => speaks_of_storing(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The macros that say what an item is: an item has one of them.
const OF_ITEMS: [&str; 5] = ["event", "command", "value", "state", "id"];
const OF_BLOCKS: [&str; 3] = ["aggregate", "command_handler", "projection"];

/// Takes a second macro of ours off an item, and says so: both would generate the same impls.
pub(crate) fn take_second(this: &str, attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Vec<Attribute> {
    let on_block = OF_BLOCKS.contains(&this);
    // Derives of other crates have helper attributes of these names, for example `#[command]` and `#[value]` of clap.
    if !on_block && Derives::of(attrs).are_foreign() {
        return Vec::new();
    }
    let (what, names) = if on_block { ("block", &OF_BLOCKS[..]) } else { ("type", &OF_ITEMS[..]) };
    let is_ours = |attr: &mut Attribute| {
        let path: Vec<_> = attr.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
        let last = path.last().filter(|_| path.len() == 1 || path.len() == 2 && path[0] == "gesta");
        last.is_some_and(|last| names.contains(&&**last))
    };
    let taken: Vec<_> = attrs.extract_if(.., is_ours).collect();
    for attr in &taken {
        let name = attr.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let why = if name != this {
            let all: Vec<_> = names.iter().map(|name| format!("#[{name}]")).collect();
            let all = list(&all.iter().map(String::as_str).collect::<Vec<_>>());
            format!("a {what} has one of {all}, and this one has `#[{this}]` above: remove one of the two")
        } else if name == "projection" {
            "`#[projection]` stands here twice: write a block for each aggregate, and list them, `#[read_model(of(One, Another))]`".to_owned()
        } else {
            format!("`#[{name}]` stands here twice: keep one")
        };
        errors.on(attr.path(), why);
    }
    taken
}

const OPAQUE: &str = "`schema` describes how a field is stored: write `#[schema(opaque = \"RFC 3339 text\")]` on the field";

/// Takes `#[schema(..)]` off what is not a field.
pub(crate) fn refuse_schema(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("schema")) {
        errors.on(attr.path(), OPAQUE);
    }
}

/// Takes `#[schema(opaque = "..")]` off a field.
pub(crate) fn take_opaque(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<LitStr> {
    let mut opaque = None;
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("schema")) {
        let is_empty = attr.meta.require_list().map_or(true, |list| list.tokens.is_empty());
        if is_empty {
            errors.on(attr.path(), OPAQUE);
            continue;
        }
        let found = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("opaque") {
                return Err(meta.error("`schema` takes `opaque = \"what is stored\"` and nothing else"));
            }
            let text: LitStr = meta.value()?.parse()?;
            if text.value().trim().is_empty() {
                return Err(syn::Error::new(text.span(), "describe the stored form; another text means another form"));
            }
            if opaque.is_some() {
                return Err(meta.error("`opaque` stands here twice: keep one"));
            }
            opaque = Some(text);
            Ok(())
        });
        errors.take(found);
    }
    opaque
}
