//! The form in which an index and the key hold a value, and its order.
//!
//! Always true here: two values that are equal have the same form, and where a type is an [`OrderedColumnType`], the forms
//! sort as its values do. The column itself keeps what is read back, to the last digit.

use serde::Serialize;

use super::column::{Column, ColumnError, ColumnKind, ColumnRole, ColumnType, Row, Value, to_json};
use crate::Schema;
use crate::schema::json::Json;
use crate::schema::{Field, Node, Tag, Variant};

/// How an index and the key hold the values of a [`ColumnType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexForm {
    /// As the column holds them, see [`ColumnType::to_value`].
    Column,
    /// In a column of its own beside it, see [`ColumnType::to_index`]; its name starts with `gesta_order_`.
    Own {
        /// What that column holds.
        kind: ColumnKind,
        /// Another number where the form is another one: rows are then rebuilt.
        version: u64,
    },
    /// Not at all, and why.
    Refused(&'static str),
}

impl IndexForm {
    /// That of the types which are kept as JSON of this schema: equal values may be written in several ways.
    pub const fn of_json(node: &Node) -> Self {
        match spellings(node) {
            Spellings::One => IndexForm::Column,
            Spellings::Several => IndexForm::Own { kind: ColumnKind::Json, version: 1 },
            Spellings::Unknown => IndexForm::Refused(OPAQUE),
        }
    }
}

const OPAQUE: &str = "rows can't be found by this type: a part of it is `opaque`, and two equal ones may be written in two ways; \
                      put `#[key]` or `#[index]` on a column without that part";
const NULL_KEY: &str = "the key can't be null, since it names a row: write the type without `Option`; if a row belongs to none, \
                        make the key an enum with `#[value]` that names the cases";

/// A column type whose rows have an order that every store keeps: the type's own.
///
/// Numbers, `bool`, text, ids, `Uuid`, times, durations, addresses and decimals are ordered; so are enums without fields, by
/// their declaration, and newtypes, `Option` and `Box` of all these. An `Ord` that is written by hand does not count: a newtype
/// has the order of what is in it, and an enum that of its declaration. Where its variants have numbers, as in
/// `enum Level { High = 2, Low = 1 }`, it has the order of these, as a derived `Ord` has.
///
/// For a [`ColumnType`] of your own: implement it if the values in the index sort as the type's own do.
#[diagnostic::on_unimplemented(
    message = "the rows of a `{Self}` column have no order",
    label = "`is` finds rows by it; there is no range",
    note = "a range needs a number, text, an id, a time, a decimal, an enum without fields, or a newtype of one of these: put `#[index]` on a column of such a type"
)]
pub trait OrderedColumnType: ColumnType {}

/// In how many ways one value is written.
#[derive(Clone, Copy)]
enum Spellings {
    One,
    /// A map or a set in any order, a decimal with any number of zeros, a zero with a sign.
    Several,
    /// Unknown.
    Unknown,
}

impl Spellings {
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Spellings::Unknown, _) | (_, Spellings::Unknown) => Spellings::Unknown,
            (Spellings::Several, _) | (_, Spellings::Several) => Spellings::Several,
            (Spellings::One, Spellings::One) => Spellings::One,
        }
    }
}

const fn spellings(node: &Node) -> Spellings {
    match node {
        Node::Bool | Node::Int { .. } | Node::Text => Spellings::One,
        Node::Named(name) => {
            if crate::__private::same(name, DECIMAL) {
                Spellings::Several
            } else {
                Spellings::One
            }
        }
        Node::Float { .. } => Spellings::Several,
        Node::Opaque(_) => Spellings::Unknown,
        Node::Optional(inner) | Node::List(inner) | Node::Array { item: inner, .. } => spellings(inner),
        Node::Set(inner) => Spellings::Several.and(spellings(inner)),
        Node::Map { key, value } => Spellings::Several.and(spellings(key)).and(spellings(value)),
        Node::Tuple(items) => {
            let (mut all, mut i) = (Spellings::One, 0);
            while i < items.len() {
                all = all.and(spellings(items[i]));
                i += 1;
            }
            all
        }
        Node::Record(fields) => {
            let (mut all, mut i) = (Spellings::One, 0);
            while i < fields.len() {
                all = all.and(spellings(fields[i].node));
                i += 1;
            }
            all
        }
        Node::Enum { variants, .. } => {
            let (mut all, mut i) = (Spellings::One, 0);
            while i < variants.len() {
                if let Some(inner) = variants[i].node {
                    all = all.and(spellings(inner));
                }
                i += 1;
            }
            all
        }
    }
}

const DECIMAL: &str = "decimal";

/// The form in which an index holds a value that is kept as JSON.
///
/// # Errors
/// Says why it can't be written.
#[doc(hidden)]
pub fn json_to_index<T: Serialize + Schema>(value: &T) -> Result<Value, String> {
    let written = to_json(value)?;
    match (const { IndexForm::of_json(&T::NODE) }, written) {
        (IndexForm::Own { .. }, Value::Text(text)) => {
            let mut json = Json::parse(text.as_bytes())?;
            settle_spelling(&mut json, &T::NODE);
            Ok(Value::Text(json.to_string()))
        }
        (_, written) => Ok(written),
    }
}

/// Writes a value in the one way in which an index holds it.
fn settle_spelling(json: &mut Json, node: &Node) {
    match (json, node) {
        (Json::Null, Node::Optional(_)) => {}
        (json, Node::Optional(inner)) => settle_spelling(json, inner),
        (Json::Number(digits), Node::Float { .. }) if digits.parse() == Ok(0.0) => "0.0".clone_into(digits),
        (Json::Text(text), Node::Named(DECIMAL)) => *text = plain_decimal(text),
        (Json::List(items), Node::List(inner) | Node::Array { item: inner, .. }) => {
            for item in items {
                settle_spelling(item, inner);
            }
        }
        (Json::List(items), Node::Set(inner)) => {
            for item in items.iter_mut() {
                settle_spelling(item, inner);
            }
            items.sort_by_cached_key(Json::to_string);
        }
        (Json::List(items), Node::Tuple(nodes)) => {
            for (item, node) in items.iter_mut().zip(*nodes) {
                settle_spelling(item, node);
            }
        }
        (Json::Record(entries), Node::Map { key, value }) => {
            for (name, entry) in entries.iter_mut() {
                if let Node::Named(DECIMAL) = key {
                    *name = plain_decimal(name);
                }
                settle_spelling(entry, value);
            }
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        (Json::Record(entries), Node::Record(fields)) => {
            for (name, entry) in entries {
                if let Some(Field { node, .. }) = fields.iter().find(|field| field.name == name) {
                    settle_spelling(entry, node);
                }
            }
        }
        (json, Node::Enum { tag, variants }) => settle_variant(json, *tag, variants),
        _ => {}
    }
}

fn settle_variant(json: &mut Json, tag: Tag, variants: &[Variant]) {
    let node_of = |name: &str| variants.iter().find(|variant| variant.name == name).and_then(|variant| variant.node);
    let named = |json: &Json, tag: &str| json.get(tag).and_then(Json::as_text).and_then(node_of);
    match tag {
        Tag::External => {
            let Json::Record(entries) = json else { return };
            for (name, content) in entries {
                if let Some(node) = node_of(name) {
                    settle_spelling(content, node);
                }
            }
        }
        Tag::Internal(tag) => {
            if let Some(node) = named(json, tag) {
                settle_spelling(json, node);
            }
        }
        Tag::Adjacent { tag, content } => {
            let Some(node) = named(json, tag) else { return };
            let Json::Record(entries) = json else { return };
            for (_, entry) in entries.iter_mut().filter(|(name, _)| name == content) {
                settle_spelling(entry, node);
            }
        }
    }
}

/// The digits of a decimal without zeros at the end, and a zero without a sign.
pub(super) fn plain_decimal(text: &str) -> String {
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// A column by which rows are found: the place of its field, the name of the column beside it, if it needs one, and the form.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct IndexColumn {
    pub field: usize,
    pub name: &'static str,
    pub form: IndexForm,
}

/// How many columns a table has beside those of its fields.
#[doc(hidden)]
pub const fn own_columns(indexes: &[IndexColumn]) -> usize {
    let (mut own, mut i) = (0, 0);
    while i < indexes.len() {
        if let IndexForm::Own { .. } = indexes[i].form {
            own += 1;
        }
        i += 1;
    }
    own
}

/// The columns of a table: those of its fields, then those that hold the own form of an index or of the key.
#[doc(hidden)]
pub const fn all_columns<const N: usize>(fields: &[Column], indexes: &[IndexColumn]) -> [Column; N] {
    let (mut all, mut i) = ([fields[0]; N], 0);
    while i < fields.len() {
        all[i] = fields[i];
        i += 1;
    }
    let (mut next, mut i) = (fields.len(), 0);
    while i < indexes.len() {
        let IndexColumn { field, name, form } = indexes[i];
        if let IndexForm::Own { kind, .. } = form {
            let Column { nullable, role, .. } = fields[field];
            all[field].role = ColumnRole::Plain;
            all[next] = Column { name, kind, nullable, role, doc: "" };
            next += 1;
        }
        i += 1;
    }
    all
}

/// The place of the column by which rows are found, that of its field unless there is one beside it.
#[doc(hidden)]
pub const fn place_of(columns: &[Column], name: &str, field: usize) -> usize {
    let mut i = 0;
    while i < columns.len() {
        if crate::__private::same(columns[i].name, name) {
            return i;
        }
        i += 1;
    }
    field
}

/// The name of the field whose values a column holds.
pub(crate) fn field_name(columns: &'static [Column], place: usize) -> &'static str {
    let name = columns.get(place).map_or("", |column| column.name);
    let Some(of) = name.strip_prefix(OWN_PREFIX) else { return name };
    let same = |column: &&Column| column.name == of;
    let by_place = || of.parse().ok().and_then(|place: usize| columns.get(place));
    columns.iter().find(same).or_else(by_place).map_or(name, |column| column.name)
}

/// What the name of a column beside that of a field begins with; then the name of the field's, or its place if that is long.
pub(crate) const OWN_PREFIX: &str = "gesta_order_";

/// Adds the own form of an index to a row, where it has one.
#[doc(hidden)]
pub fn put_index(
    row: &mut Row,
    column: &'static str,
    form: IndexForm,
    value: impl FnOnce() -> Result<Value, String>,
) -> Result<(), ColumnError> {
    if let IndexForm::Own { .. } = form {
        row.push(value().map_err(|why| ColumnError { column, why })?);
    }
    Ok(())
}

/// The hash of a column's type by which rows are found: with its own form, so that rows are rebuilt where that is another one.
#[doc(hidden)]
pub const fn index_schema(schema: u64, form: IndexForm) -> u64 {
    match form {
        IndexForm::Own { version, .. } => crate::schema::Fingerprint::new().number(schema).number(version).finish(),
        IndexForm::Column | IndexForm::Refused(_) => schema,
    }
}

/// Fails to compile where a type's values would not come back from a column, or can't be what rows are found by.
#[doc(hidden)]
#[track_caller]
pub const fn check_column(role: ColumnRole, nullable: bool, flaw: Option<&'static str>, form: IndexForm) {
    if let Some(why) = flaw {
        panic!("{}", why);
    }
    assert!(!(matches!(role, ColumnRole::Key) && nullable), "{}", NULL_KEY);
    if let (ColumnRole::Key | ColumnRole::Indexed, IndexForm::Refused(why)) = (role, form) {
        panic!("{}", why);
    }
}

/// The place of a variant among all, by the numbers that they have.
#[doc(hidden)]
pub const fn rank(numbers: &[i128], own: i128) -> i64 {
    let (mut rank, mut i) = (0, 0);
    while i < numbers.len() {
        if numbers[i] < own {
            rank += 1;
        }
        i += 1;
    }
    rank
}

/// The version of the order of an enum whose variants have numbers.
#[doc(hidden)]
pub const fn ranks(numbers: &[i128]) -> u64 {
    let (mut hash, mut i) = (crate::schema::Fingerprint::new(), 0);
    while i < numbers.len() {
        hash = hash.number(rank(numbers, numbers[i]).cast_unsigned());
        i += 1;
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Node = Node::Named(DECIMAL);
    const FLOAT: Node = Node::Float { bits: 64 };
    const FIELDS: &[Field] = &[
        Field { name: "amount", doc: "", default: false, node: &NUMBER },
        Field { name: "rate", doc: "", default: false, node: &Node::Optional(&FLOAT) },
    ];
    const VARIANTS: &[Variant] =
        &[Variant { name: "Cash", doc: "", node: None }, Variant { name: "Card", doc: "", node: Some(&Node::Record(FIELDS)) }];
    const fn tagged(tag: Tag) -> Node {
        Node::Enum { tag, variants: VARIANTS }
    }

    #[track_caller]
    fn same(node: Node, a: &str, b: &str) {
        let settled = |text: &str| {
            let mut json = Json::parse(text.as_bytes()).unwrap();
            settle_spelling(&mut json, &node);
            json.to_string()
        };
        assert!(matches!(IndexForm::of_json(&node), IndexForm::Own { .. }), "{node:?}");
        assert_ne!(a, b);
        assert_eq!(settled(a), settled(b));
    }

    /// R7: whatever way equal values are written in, the index holds one.
    #[test]
    fn equal_values_have_one_spelling_wherever_they_stand() {
        same(NUMBER, r#""-0.00""#, r#""0""#);
        same(FLOAT, "-0.0", "0.0");
        same(Node::List(&NUMBER), r#"["10.10","10"]"#, r#"["10.1","10.00"]"#);
        same(Node::Array { len: 1, item: &FLOAT }, "[-0.0]", "[0.0]");
        same(Node::Tuple(&[&Node::Text, &NUMBER]), r#"["1.0","1.0"]"#, r#"["1.0","1"]"#);
        same(Node::Set(&NUMBER), r#"["1.0","2"]"#, r#"["2.0","1"]"#);
        same(Node::Optional(&Node::Set(&Node::Set(&Node::Text))), r#"[["b","a"],[]]"#, r#"[[],["a","b"]]"#);
        same(Node::Map { key: &NUMBER, value: &NUMBER }, r#"{"1.0":"1.0","2":"2"}"#, r#"{"2.0":"2.0","1":"1"}"#);
        same(Node::Record(FIELDS), r#"{"amount":"1.0","rate":-0.0}"#, r#"{"amount":"1","rate":0.0}"#);
        same(tagged(Tag::External), r#"{"Card":{"amount":"1.0","rate":null}}"#, r#"{"Card":{"amount":"1","rate":null}}"#);
        let internal = tagged(Tag::Internal("type"));
        same(internal, r#"{"type":"Card","amount":"1.0","rate":0.0}"#, r#"{"type":"Card","amount":"1","rate":-0.0}"#);
        let beside = tagged(Tag::Adjacent { tag: "type", content: "data" });
        same(beside, r#"{"type":"Card","data":{"amount":"1.0"}}"#, r#"{"type":"Card","data":{"amount":"1"}}"#);
    }

    #[test]
    fn json_of_one_spelling_is_indexed_as_it_is() {
        for node in [Node::Text, Node::Bool, Node::List(&Node::Text), Node::Tuple(&[&Node::Text, &Node::Bool])] {
            assert_eq!(IndexForm::of_json(&node), IndexForm::Column, "{node:?}");
        }
        let opaque = Node::Set(&Node::Optional(&Node::Opaque("a path")));
        assert!(matches!(IndexForm::of_json(&opaque), IndexForm::Refused(_)));
    }

    #[test]
    fn field_of_a_column_is_found_by_its_name_or_its_place() {
        const COLUMN: Column = Column { name: "id", kind: ColumnKind::Text, nullable: false, role: ColumnRole::Plain, doc: "" };
        const COLUMNS: &[Column] = &[
            COLUMN,
            Column { name: "long", ..COLUMN },
            Column { name: "gesta_order_id", ..COLUMN },
            Column { name: "gesta_order_1", ..COLUMN },
        ];
        let names = [0, 1, 2, 3, 4].map(|place| field_name(COLUMNS, place));
        assert_eq!(names, ["id", "long", "id", "long", ""]);
    }
}
