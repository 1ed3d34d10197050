//! `#[serde(..)]` on what is stored: what the schema can say, and nothing else.
//!
//! Always true here: what passes is read back as it was written; what does not is refused with the reason and what to
//! write instead, so that serde's own derive has nothing left to refuse.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, Path, Token, parenthesized};

use crate::diag::Errors;

/// What was said, on a type, a variant or a field.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Rule>,
    pub(crate) rename_all_fields: Option<Rule>,
    /// Functions of the user write or read it, so its type does not say what is stored.
    pub(crate) with: Option<Span>,
    pub(crate) default: Option<FieldDefault>,
    /// It is not written.
    skip: Option<Span>,
    skip_serializing: Option<Span>,
    skip_serializing_if: Option<LitStr>,
    pub(crate) tag: Option<LitStr>,
    pub(crate) content: Option<LitStr>,
    pub(crate) transparent: Option<Span>,
}

/// What stands in for a field that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldDefault {
    /// That of its type.
    OfType,
    /// What a function says, or the default of the whole it belongs to.
    Path,
}

/// What an attribute stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Struct,
    /// `struct Cents(i64);`
    TupleStruct,
    Enum,
    Variant,
    Field,
    /// Of a tuple.
    UnnamedField,
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
    pub(crate) fn of(attrs: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut serde = Serde::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            let read = attr.parse_nested_meta(|meta| serde.read(&meta, place, errors));
            errors.take(read);
        }
        serde
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>, place: Place, errors: &mut Errors) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if let Some(why) = refused(&key, meta.input.peek(syn::token::Paren)).or_else(|| misplaced(&key, place)) {
            errors.on(&meta.path, why);
            return skip_value(meta);
        }
        match &*key {
            "rename" => self.rename = stored_name(&meta.value()?.parse()?, errors),
            "rename_all" => self.rename_all = rule(meta, errors)?,
            "rename_all_fields" => self.rename_all_fields = rule(meta, errors)?,
            "default" => {
                self.default = Some(if meta.input.peek(Token![=]) { FieldDefault::Path } else { FieldDefault::OfType });
                skip_value(meta)?;
            }
            "skip" => self.skip = Some(meta.path.span()),
            "skip_serializing" => self.skip_serializing = Some(meta.path.span()),
            "skip_serializing_if" => self.skip_serializing_if = Some(meta.value()?.parse()?),
            "tag" | "content" => {
                let text: LitStr = meta.value()?.parse()?;
                if stored_name(&text, errors).is_some() {
                    *(if key == "tag" { &mut self.tag } else { &mut self.content }) = Some(text);
                }
            }
            "transparent" => self.transparent = Some(meta.path.span()),
            _ => {
                self.with = Some(meta.path.span());
                skip_value(meta)?;
            }
        }
        Ok(())
    }

    /// Refuses a field that is not stored, in what is.
    pub(crate) fn refuse_skip(&mut self, errors: &mut Errors) {
        for (key, span) in [("skip", self.skip), ("skip_serializing", self.skip_serializing.take())] {
            // Both of them are one mistake.
            if let Some(span) = span.filter(|_| key == "skip" || self.skip.is_none()) {
                errors.at(span, format!("`#[serde({key})]` can't be used on what is stored: {LOST}"));
                self.skip = Some(span);
            }
        }
    }

    /// What stands in for a field that is missing, and whether it is not stored at all; `whole` is what its type says for
    /// all fields.
    pub(crate) fn missing(&mut self, whole: Option<FieldDefault>, errors: &mut Errors) -> (Option<FieldDefault>, bool) {
        let default = self.default.or(whole.map(|_| FieldDefault::Path));
        if let Some(span) = self.skip_serializing {
            if default.is_none() && self.skip.is_none() {
                errors.at(
                    span,
                    "what is left out when it is written is missing when it is read: add `default`, or write `skip` instead",
                );
            }
            self.skip = Some(span);
        }
        if let (Some(condition), None) = (&self.skip_serializing_if, self.skip)
            && let Some(path) = errors.take(condition.parse::<Path>())
            && let Some(why) = self.not_read_back(&path, whole)
        {
            errors.on(condition, why);
        }
        (default.or(self.skip.map(|_| FieldDefault::OfType)), self.skip.is_some())
    }

    /// Why what `skip_serializing_if` leaves out is not what is read where it is missing.
    fn not_read_back(&self, condition: &Path, whole: Option<FieldDefault>) -> Option<&'static str> {
        let segments: Vec<_> = condition.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let [.., of, function] = &segments[..] else { return Some(UNKNOWN_CONDITION) };
        match (&**of, &**function) {
            ("Option", "is_none") => match (self.default, whole, self.with) {
                (Some(FieldDefault::OfType), ..) | (None, None, None) => None,
                (Some(FieldDefault::Path), ..) => Some(
                    "a `None` that is left out would be read as what `default = \"..\"` says: write `default` alone, or leave `skip_serializing_if` out",
                ),
                (None, ..) => Some("a `None` that is left out would not be read as `None`: add `default` to this field"),
            },
            (of, "is_empty") if EMPTY.contains(&of) => (self.default != Some(FieldDefault::OfType))
                .then_some("what is empty and left out has to be read as empty: add `default` to this field, without a path"),
            _ => Some(UNKNOWN_CONDITION),
        }
    }
}

const LOST: &str = "the field is lost when the value is read back, so the state that is loaded would differ from the one that was kept: \
                    store the field, or remove it and compute it where it is needed";

/// Types whose `Default` is what their `is_empty` says.
const EMPTY: [&str; 9] = ["String", "str", "Vec", "VecDeque", "LinkedList", "BTreeMap", "HashMap", "BTreeSet", "HashSet"];

const UNKNOWN_CONDITION: &str = "what this leaves out may be read as something else: it is known of `Option::is_none`, and, with \
                                 `default`, of `is_empty` of std's types, such as `Vec::is_empty`";

/// A name under which something is stored.
pub(crate) fn stored_name(text: &LitStr, errors: &mut Errors) -> Option<String> {
    let name = text.value();
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        errors.on(text, "a stored name holds at least one letter, and no control characters");
        return None;
    }
    Some(name)
}

/// Why a key can't be used, and what to write instead.
fn refused(key: &str, with_parts: bool) -> Option<String> {
    let why = match key {
        "rename" | "rename_all" | "rename_all_fields" if with_parts => {
            return Some(format!("write one name for reading and writing: `#[serde({key} = \"..\")]`"));
        }
        "rename"
        | "rename_all"
        | "rename_all_fields"
        | "default"
        | "skip"
        | "skip_serializing"
        | "skip_serializing_if"
        | "tag"
        | "content"
        | "transparent"
        | "with"
        | "serialize_with"
        | "deserialize_with" => return None,
        "alias" => {
            "which of the names stands in a store can't be known: leave it out, and rename a field of an event by a new version of it"
        }
        "deny_unknown_fields" => "this build could not read what a newer one writes, with one more field: leave it out",
        "untagged" => {
            "a variant is stored with its name, so that it reads back as itself: leave it out, or write `tag = \"type\"`"
        }
        "other" => "a variant that is read as another one is written as that one: leave it out, an unknown variant is an error",
        "flatten" => "the fields of another type can hide one of these: write its fields here, or leave it out",
        "skip_deserializing" => "what is written and never read does not come back: leave it out, or remove the field",
        "from" | "into" | "try_from" => {
            "another type is stored in its place: make that one the `#[value]`, and convert it where you use it"
        }
        "remote" | "getter" => {
            "it stands for a type of another crate: use that type in a field, with `#[schema(opaque = \"how it is stored\")]`"
        }
        "borrow" => "what is read has to own what is in it: leave it out, and use `String` or `Vec`",
        "bound" | "crate" => "gesta writes this itself: leave it out",
        _ => "the schema can't say what it does: leave it out",
    };
    Some(format!("`#[serde({key})]` can't be used on what is stored: {why}"))
}

/// Where a key belongs, if not here.
fn misplaced(key: &str, place: Place) -> Option<String> {
    use Place::{Enum, Field, Struct, TupleStruct, UnnamedField, Variant};
    let (places, on): (&[Place], _) = match key {
        "rename" if matches!(place, Struct | TupleStruct | Enum) => {
            return Some(
                "a type's name is no part of its stored form: leave this out; an event's own name is `#[event(name = \"..\")]`"
                    .to_owned(),
            );
        }
        "rename" => (&[Variant, Field], "a variant, or on a field with a name"),
        "rename_all" => (&[Struct, Enum, Variant], "a struct with named fields, an enum or a variant"),
        "default" => (&[Struct, Field], "a struct with named fields, or on a field with a name"),
        "skip" | "skip_serializing" | "skip_serializing_if" => (&[Field], "a field with a name"),
        "rename_all_fields" | "tag" | "content" => (&[Enum], "an enum"),
        "transparent" => (&[Struct, TupleStruct], "a struct with one field"),
        _ => (&[Field, UnnamedField], "a field"),
    };
    (!places.contains(&place)).then(|| format!("`#[serde({key})]` belongs on {on}"))
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
