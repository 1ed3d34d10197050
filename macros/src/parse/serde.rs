//! `#[serde(..)]` on what is stored: what the schema can say, and nothing else.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, Token, parenthesized};

use crate::diag::Errors;

/// What was said, on a type, a variant or a field.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Rule>,
    pub(crate) rename_all_fields: Option<Rule>,
    /// Functions of the user write or read it, so its type does not say what is stored.
    pub(crate) with: Option<Span>,
}

/// How names become stored names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const RULES: [(&str, Rule); 8] = [
    ("lowercase", Rule::Lower),
    ("UPPERCASE", Rule::Upper),
    ("PascalCase", Rule::Pascal),
    ("camelCase", Rule::Camel),
    ("snake_case", Rule::Snake),
    ("SCREAMING_SNAKE_CASE", Rule::ScreamingSnake),
    ("kebab-case", Rule::Kebab),
    ("SCREAMING-KEBAB-CASE", Rule::ScreamingKebab),
];

impl Serde {
    /// Of one type, variant or field.
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut serde = Serde::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            let read = attr.parse_nested_meta(|meta| serde.read(&meta, errors));
            errors.take(read);
        }
        serde
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>, errors: &mut Errors) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match &*key {
            "rename" if meta.input.peek(Token![=]) => self.rename = Some(meta.value()?.parse::<LitStr>()?.value()),
            "rename_all" if meta.input.peek(Token![=]) => self.rename_all = rule(meta, errors)?,
            "rename_all_fields" if meta.input.peek(Token![=]) => self.rename_all_fields = rule(meta, errors)?,
            // These say what else may be read, and change nothing about what is written.
            "alias" | "default" | "deny_unknown_fields" => skip_value(meta)?,
            "with" | "serialize_with" | "deserialize_with" => {
                self.with = Some(meta.path.span());
                skip_value(meta)?;
            }
            _ => {
                errors.on(&meta.path, refused(&key));
                skip_value(meta)?;
            }
        }
        Ok(())
    }
}

fn refused(key: &str) -> String {
    let why = match key {
        "rename" | "rename_all" | "rename_all_fields" => {
            return format!("write one name for reading and writing: `#[serde({key} = \"..\")]`");
        }
        "flatten" => "the fields of another type can hide one of these",
        "tag" | "content" | "untagged" | "other" => "a variant is stored under its own name, so that it reads back as itself",
        "bound" | "crate" | "borrow" => "gesta writes this itself",
        _ if key.starts_with("skip") => "what is left out when written is missing when read",
        _ => "the schema can't say what it does",
    };
    format!("`#[serde({key})]` can't be used on what is stored: {why}")
}

fn rule(meta: &ParseNestedMeta<'_>, errors: &mut Errors) -> syn::Result<Option<Rule>> {
    let text: LitStr = meta.value()?.parse()?;
    let found = RULES.iter().find(|(name, _)| *name == text.value()).map(|(_, rule)| *rule);
    if found.is_none() {
        let known: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
        errors.on(&text, format!("no such rule: use one of {}", crate::diag::list(&known)));
    }
    Ok(found)
}

fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}

impl Rule {
    /// A field's name, which is written in `snake_case`.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            Rule::Lower | Rule::Snake => name.to_owned(),
            Rule::Upper | Rule::ScreamingSnake => name.to_ascii_uppercase(),
            Rule::Pascal => name.split('_').map(|word| first(word, char::to_ascii_uppercase)).collect(),
            Rule::Camel => first(&Rule::Pascal.field(name), char::to_ascii_lowercase),
            Rule::Kebab => name.replace('_', "-"),
            Rule::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// A variant's name, which is written in `PascalCase`.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            Rule::Pascal => name.to_owned(),
            Rule::Lower => name.to_ascii_lowercase(),
            Rule::Upper => name.to_ascii_uppercase(),
            Rule::Camel => first(name, char::to_ascii_lowercase),
            Rule::Snake => {
                let mut out = String::new();
                for (i, c) in name.char_indices() {
                    if i > 0 && c.is_uppercase() {
                        out.push('_');
                    }
                    out.push(c.to_ascii_lowercase());
                }
                out
            }
            Rule::ScreamingSnake => Rule::Snake.variant(name).to_ascii_uppercase(),
            Rule::Kebab => Rule::Snake.variant(name).replace('_', "-"),
            Rule::ScreamingKebab => Rule::ScreamingSnake.variant(name).replace('_', "-"),
        }
    }
}

fn first(word: &str, change: fn(&char) -> char) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| change(&c)).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_serde_makes_of_them() {
        let fields = ["paid_at", "PAID_AT", "PaidAt", "paidAt", "paid_at", "PAID_AT", "paid-at", "PAID-AT"];
        let variants = ["paidout", "PAIDOUT", "PaidOut", "paidOut", "paid_out", "PAID_OUT", "paid-out", "PAID-OUT"];
        for ((_, rule), (field, variant)) in RULES.iter().zip(fields.iter().zip(variants)) {
            assert_eq!((&*rule.field("paid_at"), &*rule.variant("PaidOut")), (*field, variant), "{rule:?}");
        }
    }
}
