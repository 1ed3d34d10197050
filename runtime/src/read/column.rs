//! The columns a read model's row is kept in.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::index::{IndexForm, OrderedColumnType, json_to_index};
use crate::Timestamp;

/// One value as a store keeps it. Ordered as stores order it: nothing, then numbers, then text by its bytes.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number; `false` and `true` are 0 and 1, a time is its microseconds.
    Integer(i64),
    /// A finite floating point number.
    Real(f64),
    /// Text, or JSON of a nested value.
    Text(String),
}

impl Value {
    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Integer(_) | Value::Real(_) => 1,
            Value::Text(_) => 2,
        }
    }
}
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Value {}
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Value {
    // A column holds one kind of number, so integers and reals are never compared in earnest.
    #[allow(clippy::cast_precision_loss)]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
            // `+ 0.0` makes -0.0 the zero it is equal to.
            (Value::Real(a), Value::Real(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            (Value::Integer(a), Value::Real(b)) => (*a as f64).total_cmp(&(b + 0.0)),
            (Value::Real(a), Value::Integer(b)) => (a + 0.0).total_cmp(&(*b as f64)),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
impl Hash for Value {
    #[allow(clippy::cast_precision_loss)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Null => state.write_u8(0),
            Value::Integer(n) => (*n as f64).to_bits().hash(state),
            Value::Real(n) => (n + 0.0).to_bits().hash(state),
            Value::Text(text) => text.hash(state),
        }
    }
}
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("nothing"),
            Value::Integer(n) => n.fmt(f),
            Value::Real(n) => n.fmt(f),
            Value::Text(text) => write!(f, "`{text}`"),
        }
    }
}

/// A row as a store keeps it: a value for each column, in the model's order.
pub type Row = Vec<Value>;

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// [`Value::Integer`].
    Integer,
    /// [`Value::Real`].
    Real,
    /// [`Value::Text`].
    Text,
    /// [`Value::Text`] that holds JSON.
    Json,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// It names the row: `#[key]`.
    Key,
    /// Rows are found by it: `#[index]`.
    Indexed,
    /// It is just kept.
    Plain,
}

/// One column of a read model's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What kind of value it holds.
    pub kind: ColumnKind,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// What it is for.
    pub role: ColumnRole,
    /// The doc comment of its field.
    pub doc: &'static str,
}

impl Column {
    /// The column of a field of type `T`.
    pub const fn of<T: ColumnType>(name: &'static str, role: ColumnRole) -> Self {
        Column { name, kind: T::KIND, nullable: T::NULLABLE, role, doc: "" }
    }
}

/// A value that a column can't hold, or a column that does not hold what the row's type needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`: {why}")]
pub struct ColumnError {
    /// The column's name.
    pub column: &'static str,
    /// What is wrong.
    pub why: String,
}

/// A type that a column of a read model can hold.
///
/// | type | the column holds | order |
/// |---|---|---|
/// | integers up to 64 bits, `NonZero` of them, `bool` | a whole number; a `u64` up to `i64::MAX` | yes |
/// | `f32`, `f64` | a number; a zero has no sign | yes |
/// | `String`, `Box<str>`, `Arc<str>`, `char`, `Uuid` | text | yes, by bytes |
/// | [`Timestamp`] | its microseconds | yes |
/// | ids | the text, `Uuid` or number they are made of | yes |
/// | `u128`, `i128`, `NonZero` of them | text, `-170` | yes |
/// | `Decimal` (feature `rust_decimal`) | text, `12.50` | yes |
/// | `DateTime<Utc>`, `NaiveDateTime`, `NaiveDate`, `NaiveTime` (feature `chrono`) | text, as ISO 8601 has it | yes |
/// | `Duration`, `SystemTime` from 1970 on | text, its seconds: `1.500000000` | yes |
/// | `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddrV4` | text | yes |
/// | `#[value]` enums without fields | text, the variant's name | yes, by declaration |
/// | `#[value]` newtypes, `Box<T>` | what is in it | as what is in it |
/// | `Option<T>` | what is in it, or null | null before every value |
/// | other `#[value]` types, lists, sets, maps, arrays, tuples | JSON | no |
///
/// An index and the key hold the same, or the [`IndexForm`] of the type in a column beside it: then rows are found by what a
/// value is, not by how it is written, and in the type's own order.
///
/// A text holds no U+0000, and the texts that rows are found by, keys and `#[index]`, are short: together with the key of the
/// row at most 2,600 bytes. On every store alike, a row that breaks this parks its stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a column of a read model",
    label = "no column can hold this",
    note = "if `{Self}` is yours, put `#[value]` on it; if it is foreign and has serde, wrap it: `#[value] struct Wrapped(#[schema(opaque = \"how it is stored\")] {Self});`; those of `chrono` and `rust_decimal` need gesta's feature of that name"
)]
pub trait ColumnType: Sized {
    /// What kind of value it is kept as.
    const KIND: ColumnKind;
    /// Whether it may be nothing.
    const NULLABLE: bool = false;
    /// Why values of this type might not come back as they went, and what to write instead; `None` where they do.
    const FLAW: Option<&'static str> = None;
    /// How an index and the key hold a value.
    const INDEX: IndexForm = IndexForm::Column;
    /// As a store keeps it.
    ///
    /// # Errors
    /// Says why the column can't hold this value.
    fn to_value(&self) -> Result<Value, String>;
    /// From what a store keeps.
    ///
    /// # Errors
    /// Says why the value is none of this type.
    fn from_value(value: Value) -> Result<Self, String>;
    /// As an index and the key hold it: what [`to_value`](ColumnType::to_value) gives, unless the type has an
    /// [own form](IndexForm::Own) there. Equal values give the same.
    ///
    /// # Errors
    /// As [`to_value`](ColumnType::to_value).
    fn to_index(&self) -> Result<Value, String> {
        self.to_value()
    }
}

const NULL_TWICE: &str = "an `Option` of an `Option` can't be a column: a table has one null for both; write an enum with `#[value]` \
                          that names the cases";

fn unexpected<T>(expected: &str, value: &Value) -> Result<T, String> {
    Err(format!("expected {expected}, found {value}"))
}

macro_rules! integers {
    ($($t:ty),*) => { $(impl ColumnType for $t {
        const KIND: ColumnKind = ColumnKind::Integer;
        fn to_value(&self) -> Result<Value, String> {
            i64::try_from(*self).map(Value::Integer).map_err(|_| format!("{self} is above {}, the most a column of whole numbers can hold: make the field a `u128`", i64::MAX))
        }
        fn from_value(value: Value) -> Result<Self, String> {
            match value {
                Value::Integer(n) => n.try_into().map_err(|_| format!("{n} does not fit a {}", stringify!($t))),
                other => unexpected("a whole number", &other),
            }
        }
    })* };
}
integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl ColumnType for bool {
    const KIND: ColumnKind = ColumnKind::Integer;
    fn to_value(&self) -> Result<Value, String> {
        Ok(Value::Integer(i64::from(*self)))
    }
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Integer(n @ 0..=1) => Ok(n == 1),
            other => unexpected("0 or 1", &other),
        }
    }
}

macro_rules! floats {
    ($($t:ty),*) => { $(impl ColumnType for $t {
        const KIND: ColumnKind = ColumnKind::Real;
        fn to_value(&self) -> Result<Value, String> {
            // SQLite keeps no sign of zero, so no store does: the sum of -0.0 and 0.0 is 0.0.
            if self.is_finite() { Ok(Value::Real(f64::from(*self) + 0.0)) } else { Err(format!("{self} is not a finite number")) }
        }
        #[allow(clippy::cast_possible_truncation, reason = "what is read was written from this type")]
        fn from_value(value: Value) -> Result<Self, String> {
            match value {
                Value::Real(n) => Ok((n + 0.0) as $t),
                other => unexpected("a number", &other),
            }
        }
    })* };
}
floats!(f32, f64);

impl ColumnType for String {
    const KIND: ColumnKind = ColumnKind::Text;
    fn to_value(&self) -> Result<Value, String> {
        Ok(Value::Text(self.clone()))
    }
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Ok(text),
            other => unexpected("text", &other),
        }
    }
}

macro_rules! as_text {
    ($($t:ty),*) => { $(impl ColumnType for $t {
        const KIND: ColumnKind = ColumnKind::Text;
        fn to_value(&self) -> Result<Value, String> {
            Ok(Value::Text(self.to_string()))
        }
        fn from_value(value: Value) -> Result<Self, String> {
            let text = String::from_value(value)?;
            text.parse().map_err(|e| format!("`{text}`: {e}"))
        }
    })* };
}
as_text!(char, uuid::Uuid);

macro_rules! as_string {
    ($($t:ty),*) => { $(impl ColumnType for $t {
        const KIND: ColumnKind = ColumnKind::Text;
        fn to_value(&self) -> Result<Value, String> {
            Ok(Value::Text(self.as_ref().to_owned()))
        }
        fn from_value(value: Value) -> Result<Self, String> {
            String::from_value(value).map(Into::into)
        }
    })* };
}
as_string!(Box<str>, Arc<str>);

impl ColumnType for Timestamp {
    const KIND: ColumnKind = ColumnKind::Integer;
    fn to_value(&self) -> Result<Value, String> {
        Ok(Value::Integer(self.as_micros()))
    }
    fn from_value(value: Value) -> Result<Self, String> {
        i64::from_value(value).map(Timestamp::from_micros)
    }
}

impl<T: ColumnType> ColumnType for Option<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = true;
    const FLAW: Option<&'static str> = if T::NULLABLE { Some(NULL_TWICE) } else { T::FLAW };
    const INDEX: IndexForm = T::INDEX;
    fn to_value(&self) -> Result<Value, String> {
        self.as_ref().map_or(Ok(Value::Null), T::to_value)
    }
    fn to_index(&self) -> Result<Value, String> {
        self.as_ref().map_or(Ok(Value::Null), T::to_index)
    }
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A value kept as JSON.
///
/// # Errors
/// Says why it can't be written.
#[doc(hidden)]
pub fn to_json<T: Serialize + crate::Schema>(value: &T) -> Result<Value, String> {
    let mut json = Vec::new();
    crate::codec::encode_folded(value, &mut json).map_err(|e| e.to_string())?;
    String::from_utf8(json).map(Value::Text).map_err(|e| e.to_string())
}

/// A value that was kept as JSON.
///
/// # Errors
/// Says why it can't be read.
#[doc(hidden)]
pub fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    let text = String::from_value(value)?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

macro_rules! as_json {
    ($([$($g:tt)*] $t:ty;)*) => { $(impl<$($g)*> ColumnType for $t where $t: Serialize + DeserializeOwned + crate::Schema {
        const KIND: ColumnKind = ColumnKind::Json;
        const FLAW: Option<&'static str> = <$t as crate::Schema>::NODE.flaw();
        const INDEX: IndexForm = IndexForm::of_json(&<$t as crate::Schema>::NODE);
        fn to_index(&self) -> Result<Value, String> {
            json_to_index(self)
        }
        fn to_value(&self) -> Result<Value, String> {
            to_json(self)
        }
        fn from_value(value: Value) -> Result<Self, String> {
            from_json(value)
        }
    })* };
}
as_json! {
    [T] Vec<T>;
    [T] Box<[T]>;
    [T] std::collections::VecDeque<T>;
    [T] std::collections::LinkedList<T>;
    [T] std::ops::Range<T>;
    [T] std::ops::RangeFrom<T>;
    [T] std::ops::RangeTo<T>;
    [T] std::ops::Bound<T>;
    [T, E] Result<T, E>;
    [T] std::collections::BTreeSet<T>;
    [T, S] std::collections::HashSet<T, S>;
    [K, V] std::collections::BTreeMap<K, V>;
    [K, V, S] std::collections::HashMap<K, V, S>;
    [A] (A,);
    [A, B] (A, B);
    [A, B, C] (A, B, C);
    [A, B, C, D] (A, B, C, D);
    [A, B, C, D, E] (A, B, C, D, E);
    [A, B, C, D, E, F] (A, B, C, D, E, F);
    [A, B, C, D, E, F, G] (A, B, C, D, E, F, G);
    [A, B, C, D, E, F, G, H] (A, B, C, D, E, F, G, H);
    [A, B, C, D, E, F, G, H, I] (A, B, C, D, E, F, G, H, I);
    [A, B, C, D, E, F, G, H, I, J] (A, B, C, D, E, F, G, H, I, J);
    [A, B, C, D, E, F, G, H, I, J, K] (A, B, C, D, E, F, G, H, I, J, K);
    [A, B, C, D, E, F, G, H, I, J, K, L] (A, B, C, D, E, F, G, H, I, J, K, L);
}

/// A column of the read model `M` by which its rows can be found, holding a `T`: a constant on the model, one for each
/// `#[index]` and for the `#[key]`.
pub struct IndexedColumn<M, T> {
    index: usize,
    types: PhantomData<fn(M) -> T>,
}

impl<M, T> Clone for IndexedColumn<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M, T> Copy for IndexedColumn<M, T> {}
impl<M, T> fmt::Debug for IndexedColumn<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexedColumn({})", self.index)
    }
}

/// Which rows of `M` are wanted: those whose value of one indexed column lies in a range. They come in that column's order.
pub struct Filter<M> {
    pub(crate) column: usize,
    pub(crate) from: Option<Result<Value, String>>,
    pub(crate) to: Option<Result<Value, String>>,
    model: PhantomData<fn(M)>,
}

impl<M, T> IndexedColumn<M, T> {
    /// The column at this place of [`ReadModel::COLUMNS`](crate::ReadModel::COLUMNS); made by `#[derive(ReadModel)]`.
    #[doc(hidden)]
    pub const fn new(index: usize) -> Self {
        IndexedColumn { index, types: PhantomData }
    }
}

impl<M, T: ColumnType> IndexedColumn<M, T> {
    fn range(self, from: Option<&T>, to: Option<&T>) -> Filter<M> {
        Filter { column: self.index, from: from.map(T::to_index), to: to.map(T::to_index), model: PhantomData }
    }
    /// Rows where it is this, compared as it is stored: two that are stored alike are the same, whatever a `PartialEq` written by
    /// hand says.
    pub fn is(self, value: &T) -> Filter<M> {
        self.range(Some(value), Some(value))
    }
    /// Rows where it is this or more.
    pub fn at_least(self, value: &T) -> Filter<M>
    where
        T: OrderedColumnType,
    {
        self.range(Some(value), None)
    }
    /// Rows where it is this or less; rows where it is nothing are left out.
    pub fn at_most(self, value: &T) -> Filter<M>
    where
        T: OrderedColumnType,
    {
        self.range(None, Some(value))
    }
    /// Rows where it is `from`, `to` or between them.
    pub fn between(self, from: &T, to: &T) -> Filter<M>
    where
        T: OrderedColumnType,
    {
        self.range(Some(from), Some(to))
    }
    /// All rows, in this column's order.
    pub fn order(self) -> Filter<M>
    where
        T: OrderedColumnType,
    {
        self.range(None, None)
    }
}
