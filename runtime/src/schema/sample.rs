//! Samples of a stored form, made up from its schema.
//!
//! Always true here: the same schema gives the same samples, on every machine; between them they show each variant of each
//! enum, at any depth, with as few samples as that takes; plain numbers and texts differ within one sample, so that two fields
//! that change places are noticed.

use std::collections::HashMap;

use super::json::Json;
use super::named::TEXT_ID;
use super::path::Path;
use super::well_known::well_known;
use super::{Field, Node, Tag, Variant};

/// Why no sample of a stored form can be made up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no value of `{path}` can be made up: {why}")]
#[non_exhaustive]
pub struct NoSample {
    /// Where that stands, in the notation of schema locks: `lines[].took`.
    pub path: String,
    /// Why not.
    pub why: String,
}

/// Samples of a stored form, as JSON on one line each: a full one for each variant that an enum in it has, at any depth, and
/// one where every option is nothing and every list is empty.
///
/// # Errors
/// [`NoSample`] names a type that gesta does not know, such as one with `#[schema(opaque = "..")]`.
///
/// # Examples
/// ```
/// use gesta::prelude::*;
/// use gesta::schema::{Schema, samples};
///
/// #[value]
/// pub enum Channel {
///     Branch,
///     App { version: u32 },
/// }
/// #[event]
/// pub struct MoneyDeposited {
///     pub amount: i64,
///     pub channel: Channel,
///     pub note: Option<String>,
/// }
///
/// assert_eq!(
///     samples(&MoneyDeposited::NODE)?,
///     [
///         r#"{"amount":1,"channel":"Branch","note":null}"#,
///         r#"{"amount":1,"channel":"Branch","note":"note"}"#,
///         r#"{"amount":1,"channel":{"App":{"version":2}},"note":"note"}"#,
///     ]
/// );
/// # Ok::<(), gesta::schema::NoSample>(())
/// ```
pub fn samples(node: &Node) -> Result<Vec<String>, NoSample> {
    Ok(made_up(node)?.iter().map(Json::to_string).collect())
}

/// The samples as trees.
pub(crate) fn made_up(node: &Node) -> Result<Vec<Json>, NoSample> {
    let full = needed(node, &Path::default())?;
    let mut samples: Vec<Json> = Vec::with_capacity(full + 1);
    for number in std::iter::once(None).chain((0..full).map(Some)) {
        let sample = Maker::default().value(node, number, &Path::default())?;
        if !samples.contains(&sample) {
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn none<T>(path: &Path<'_>, why: impl Into<String>) -> Result<T, NoSample> {
    Err(NoSample { path: path.to_string(), why: why.into() })
}

/// How many samples show each variant of each enum.
fn needed(node: &Node, path: &Path<'_>) -> Result<usize, NoSample> {
    Ok(match node {
        Node::Bool | Node::Int { .. } | Node::Float { .. } | Node::Text => 1,
        Node::Named(name) if well_known(name).is_some() => 1,
        Node::Named(name) => return none(path, format!("`{name}` is not known")),
        Node::Opaque(description) => return none(path, format!("it is foreign ({description})")),
        Node::Optional(inner) => needed(inner, &path.optional())?,
        // All of them stand in one list.
        Node::List(item) => needed(item, &path.item()).map(|_| 1)?,
        Node::Set(item) => needed(item, &path.set()).map(|_| 1)?,
        Node::Array { len, item } => needed(item, &path.array(*len))?.div_ceil((*len).max(1)),
        Node::Map { key, value } => needed(value, &path.value())?.div_ceil(keys(key, path)?),
        Node::Tuple(items) => {
            let mut each = (0..).zip(*items).map(|(i, item)| needed(item, &path.element(i)));
            each.try_fold(1, |most, one| one.map(|one| most.max(one)))?
        }
        Node::Record(fields) => of_fields(fields, path)?,
        Node::Enum { variants: [], .. } => return none(path, "it is an enum without variants"),
        Node::Enum { variants, .. } => variants.iter().try_fold(0, |sum, variant| of_variant(variant, path).map(|n| sum + n))?,
    })
}

fn of_fields(fields: &[Field], path: &Path<'_>) -> Result<usize, NoSample> {
    let mut each = fields.iter().map(|field| needed(field.node, &path.field(field.name)));
    each.try_fold(1, |most, one| one.map(|one| most.max(one)))
}

fn of_variant(variant: &Variant, path: &Path<'_>) -> Result<usize, NoSample> {
    variant.node.map_or(Ok(1), |content| needed(content, &path.variant(variant.name)))
}

/// How many different keys a map may have here.
fn keys(key: &Node, path: &Path<'_>) -> Result<usize, NoSample> {
    Ok(match key {
        Node::Text | Node::Named(TEXT_ID) | Node::Int { .. } => 100,
        Node::Named(name) if well_known(name).is_some() => 1,
        Node::Bool => 2,
        Node::Enum { variants: variants @ [_, ..], .. } => variants.len(),
        _ => return none(&path.key(), "it can't be the key of a map"),
    })
}

/// Makes one sample.
#[derive(Default)]
struct Maker {
    /// How many numbers it holds so far.
    numbers: u32,
    /// How often a text was used.
    texts: HashMap<String, u32>,
}

impl Maker {
    /// Numbers count up within a sample, and fit into a byte.
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        (self.numbers - 1) % 100 + 1
    }

    /// Texts are called as their field is.
    fn text(&mut self, path: &Path<'_>) -> String {
        let plain = |name: &&str| !name.is_empty() && name.len() < 64 && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let name = path.last_field().filter(plain).unwrap_or("text");
        let times = self.texts.entry(name.to_owned()).or_default();
        *times += 1;
        if *times == 1 { name.to_owned() } else { format!("{name} {times}") }
    }

    /// The full sample of this number, or without one the least.
    fn value(&mut self, node: &Node, number: Option<usize>, path: &Path<'_>) -> Result<Json, NoSample> {
        let least = number.is_none();
        Ok(match node {
            Node::Bool => Json::Bool(self.number() % 2 == 1),
            Node::Int { .. } => self.number().into(),
            Node::Float { .. } => Json::Number(format!("{}.5", self.number())),
            Node::Text | Node::Named(TEXT_ID) => Json::Text(self.text(path)),
            Node::Named(name) => match well_known(name) {
                Some(known) => known.sample,
                None => return none(path, format!("`{name}` is not known")),
            },
            Node::Opaque(description) => return none(path, format!("it is foreign ({description})")),
            Node::Optional(_) if least => Json::Null,
            Node::Optional(inner) => self.value(inner, number, &path.optional())?,
            Node::List(_) | Node::Set(_) if least => Json::List(Vec::new()),
            Node::List(item) => self.each(item, &path.item())?,
            Node::Set(item) => self.each(item, &path.set())?,
            Node::Array { len, item } => {
                let path = path.array(*len);
                let count = needed(item, &path)?;
                let each = (0..*len).map(|i| self.value(item, number.map(|number| (number * len + i) % count), &path));
                Json::List(each.collect::<Result<_, _>>()?)
            }
            Node::Map { key, value } => self.map(key, value, number, path)?,
            Node::Tuple(items) => {
                let each = (0..).zip(*items).map(|(i, item)| self.part(item, number, &path.element(i)));
                Json::List(each.collect::<Result<_, _>>()?)
            }
            Node::Record(fields) => Json::Record(self.fields(fields, number, path)?),
            Node::Enum { tag, variants } => self.variant(*tag, variants, number, path)?,
        })
    }

    /// A list of all samples.
    fn each(&mut self, item: &Node, path: &Path<'_>) -> Result<Json, NoSample> {
        let each = (0..needed(item, path)?).map(|number| self.value(item, Some(number), path));
        Ok(Json::List(each.collect::<Result<_, _>>()?))
    }

    fn map(&mut self, key: &Node, value: &Node, number: Option<usize>, path: &Path<'_>) -> Result<Json, NoSample> {
        let Some(number) = number else { return Ok(Json::Record(Vec::new())) };
        let (keys, values) = (keys(key, path)?, needed(value, &path.value())?);
        // Each key that is a variant is shown, too.
        let variants = if matches!(key, Node::Enum { .. }) { keys } else { 1 };
        let entries = values.max(variants).min(keys);
        let entry = |entry: usize| {
            let value = self.value(value, Some((number * entries + entry) % values), &path.value())?;
            Ok((key_text(key, entry, path)?, value))
        };
        Ok(Json::Record((0..entries).map(entry).collect::<Result<_, _>>()?))
    }

    fn fields(&mut self, fields: &[Field], number: Option<usize>, path: &Path<'_>) -> Result<Vec<(String, Json)>, NoSample> {
        let each =
            fields.iter().map(|field| Ok((field.name.to_owned(), self.part(field.node, number, &path.field(field.name))?)));
        each.collect()
    }

    /// One of several values that are shown side by side: where it has fewer samples than others, they come round again.
    fn part(&mut self, node: &Node, number: Option<usize>, path: &Path<'_>) -> Result<Json, NoSample> {
        let of = needed(node, path)?;
        self.value(node, number.map(|number| number % of), path)
    }

    fn variant(&mut self, tag: Tag, variants: &[Variant], number: Option<usize>, path: &Path<'_>) -> Result<Json, NoSample> {
        let mut rest = number;
        for variant in variants {
            let count = of_variant(variant, path)?;
            match rest {
                Some(number) if number >= count => rest = Some(number - count),
                _ => return self.tagged(tag, variant, rest, path),
            }
        }
        none(path, "it has no such variant")
    }

    fn tagged(&mut self, tag: Tag, variant: &Variant, number: Option<usize>, path: &Path<'_>) -> Result<Json, NoSample> {
        let content = match variant.node {
            Some(content) => Some(self.value(content, number, &path.variant(variant.name))?),
            None => None,
        };
        let name = |tag: &str| (tag.to_owned(), Json::from(variant.name));
        Ok(match (tag, content) {
            (Tag::External, None) => variant.name.into(),
            (Tag::External, Some(content)) => Json::record([(variant.name, content)]),
            (Tag::Internal(tag), Some(Json::Record(fields))) => Json::record([name(tag)].into_iter().chain(fields)),
            (Tag::Internal(_), Some(_)) => return none(path, format!("`{}` holds no fields", variant.name)),
            (Tag::Adjacent { tag, content: field }, Some(content)) => Json::record([name(tag), (field.to_owned(), content)]),
            (Tag::Internal(tag) | Tag::Adjacent { tag, .. }, None) => Json::record([name(tag)]),
        })
    }
}

/// The key of this number.
fn key_text(key: &Node, number: usize, path: &Path<'_>) -> Result<String, NoSample> {
    Ok(match key {
        Node::Text | Node::Named(TEXT_ID) if number == 0 => "key".to_owned(),
        Node::Text | Node::Named(TEXT_ID) => format!("key {}", number + 1),
        Node::Int { .. } => (number + 1).to_string(),
        Node::Bool => (number == 0).to_string(),
        Node::Enum { variants, .. } if number < variants.len() => variants[number].name.to_owned(),
        Node::Named(name) => match well_known(name).map(|known| known.sample) {
            Some(Json::Text(text) | Json::Number(text)) => text,
            _ => return none(&path.key(), "it can't be the key of a map"),
        },
        _ => return none(&path.key(), "it can't be the key of a map"),
    })
}
