//! What a stored type looks like, as a tree the compiler can walk.
//!
//! Always true here: a [`Node`] describes the *stored* form, so two types with the same node read each other's bytes, except
//! for the few values that a type refuses ([below](#what-the-lock-can-t-see));
//! everything is `const`, so a schema costs nothing while a program runs.
//!
//! # What can be stored
//!
//! | type | node | as JSON |
//! |---|---|---|
//! | `bool` | [`Bool`](Node::Bool) | `true` |
//! | `u8` to `u128`, `i8` to `i128`, `usize`, `isize` | [`Int`](Node::Int) | `5` |
//! | `f32`, `f64` | [`Float`](Node::Float); one that is not finite can't be written | `0.1` |
//! | `String`, `Box<str>` | [`Text`](Node::Text) | `"a"` |
//! | ids of text, `char`, `NonZero<u8>` and its siblings, `IpAddr`, `Ipv4Addr`, `Ipv6Addr`, `SocketAddrV4`, `Uuid`, [`Timestamp`](crate::Timestamp) | [`Named`](Node::Named) | see [`NAMED`] |
//! | `chrono`'s `DateTime<Utc>`, `NaiveDate`, `NaiveTime`, `NaiveDateTime` (feature `chrono`) | `Named` | text |
//! | `rust_decimal`'s `Decimal` (feature `rust_decimal`) | `Named` | text, so that no digit is lost |
//! | `Option<T>` | [`Optional`](Node::Optional) | `null`, or the value |
//! | `Vec`, `VecDeque`, `LinkedList`, `Box<[T]>` | [`List`](Node::List) | `[1,2]` |
//! | `BTreeSet`, `HashSet` | [`Set`](Node::Set) | `[1,2]` |
//! | `[T; 0]` to `[T; 32]` | [`Array`](Node::Array) | `[1,2]` |
//! | `BTreeMap`, `HashMap` | [`Map`](Node::Map) | `{"a":1}` |
//! | tuples of up to twelve | [`Tuple`](Node::Tuple) | `[1,"a"]` |
//! | `Duration`, `SystemTime` (not before 1970), `Range`, `RangeFrom`, `RangeTo` | [`Record`](Node::Record) | `{"secs":1,"nanos":0}` |
//! | `Result`, `Bound` | [`Enum`](Node::Enum) | `{"Ok":1}` |
//! | `Box`, `Cow` | as what is in it | |
//! | `#[value]` types, generic ones too | record, tuple, enum, or as what is in it | |
//!
//! # What can't
//!
//! What is written has to come back as it went, so the compiler refuses these, at the field:
//!
//! * `Option<Option<T>>`: JSON has one `null` for both.
//! * Maps by anything but text, integers, enums without fields, and newtypes around these: JSON's keys are text.
//! * Arrays of more than 32: serde reads none.
//! * Inside an enum with `#[serde(tag = "..")]` and without `content`: maps by integers, and 128-bit integers. serde keeps
//!   such a variant's fields in a buffer until it has seen the tag, and the buffer loses them.
//! * As the one unnamed content of a variant of such an enum: anything but a record; and a record with a field that is
//!   named like the tag.
//!
//! These have no schema, for the same reason: `SocketAddr` and `SocketAddrV6`, whose text lacks the flow information;
//! `chrono`'s `DateTime<FixedOffset>`, whose text lacks the seconds of an offset, so that it can come back as another point
//! in time; `RangeInclusive`, which comes back as if it had never been iterated; `Rc` and `Arc`, which come back as copies.
//!
//! A field with `#[serde(skip)]` or `#[serde(skip_serializing)]` is refused on everything but a
//! command: the state that is loaded would lack what the one that is kept has.
//!
//! While a program runs, an event or a command with a key is refused before it is stored
//! ([`Failure::Unwritable`](crate::Failure::Unwritable)) if it holds
//!
//! * a number that is not finite;
//! * more than 100 levels of lists and records in each other. Readers of JSON take 127 at most. What is folded from events,
//!   snapshots and columns of read models, may have 120;
//! * a text with U+0000, which Postgres holds in no text.
//!
//! # Features of other crates
//!
//! Cargo unites the features of a program's crates, so any dependency can change how a number is
//! written or read:
//! `arbitrary_precision` of `serde_json`, `serde-float` of `rust_decimal`. An app writes known values and reads them back when it
//! starts; a program that is built so does not start, and names the feature
//! ([`StartError::IncompatibleBuild`](crate::StartError::IncompatibleBuild)).
//!
//! # Foreign and recursive types
//!
//! `#[schema(opaque = "a tree of categories")]` on a field stands for the type's schema: for a foreign type with serde, for
//! one that is written by `#[serde(with = "..")]`, and for a type that holds itself, also through others or an alias, since its
//! schema would have no end. Where such a ring goes through several modules, no macro sees it, and the compiler reports "overflow
//! evaluating the requirement `..: Serialize`" at its fields: describe one of them. The text says how the value is stored. It is all
//! that is known of it, and another text means another form. So such an event is read back before it is stored, and what was
//! read back is applied and answered: an event that is not read back is refused, and what a form loses is lost at once, not
//! after the next restart. A state that its snapshot would change has no snapshot.
#![doc = ""]
#![doc = include_str!("rules.md")]

mod flaw;
#[cfg(any(feature = "chrono", feature = "rust_decimal"))]
mod foreign;
mod impls;
pub(crate) mod json;
pub(crate) mod json_schema;
mod lines;
pub(crate) mod lock;
mod named;
pub(crate) mod path;
mod report;
mod rules;
mod sample;
pub(crate) mod samples;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod well_known;

pub use json_schema::json_schema;
pub use lock::{assert_backward, assert_forward};
pub(crate) use named::TEXT_ID;
pub use named::{NAMED, Named};
pub use sample::{NoSample, samples};

/// The stored form of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Node {
    /// `true` or `false`.
    Bool,
    /// A whole number of `bits` bits.
    Int {
        /// Whether it can be negative.
        signed: bool,
        /// Its width in bits.
        bits: u8,
    },
    /// A floating point number; only finite ones are stored.
    Float {
        /// Its width in bits.
        bits: u8,
    },
    /// Text.
    Text,
    /// A value of one of gesta's own or well-known types that is stored as text or number: its name, such as `uuid`, one of
    /// [`NAMED`].
    Named(&'static str),
    /// A value or nothing.
    Optional(&'static Node),
    /// Any number of values, in order.
    List(&'static Node),
    /// Any number of values, each once, in no order.
    Set(&'static Node),
    /// A fixed number of values of one form.
    Array {
        /// How many.
        len: usize,
        /// Each of them.
        item: &'static Node,
    },
    /// Values by key.
    Map {
        /// The key, stored as text.
        key: &'static Node,
        /// The value.
        value: &'static Node,
    },
    /// A fixed number of values.
    Tuple(&'static [&'static Node]),
    /// Named fields.
    Record(&'static [Field]),
    /// One of several variants.
    Enum {
        /// Where the variant's name stands.
        tag: Tag,
        /// The variants.
        variants: &'static [Variant],
    },
    /// A foreign type, by the description its user gave.
    Opaque(&'static str),
}

/// Where the name of an enum's variant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `"Branch"`, or around the content: `{"Card": {..}}`.
    External,
    /// Among the content's fields: `{"type": "Card", ..}`.
    Internal(&'static str),
    /// Beside the content: `{"type": "Card", "data": {..}}`.
    Adjacent {
        /// The name's field.
        tag: &'static str,
        /// The content's field.
        content: &'static str,
    },
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name as stored.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Whether it may be missing when it is read: it has a default. An optional value may be missing anyway.
    pub default: bool,
    /// What it holds.
    pub node: &'static Node,
}

/// One variant of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name as stored.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What it holds; `None` for a plain name.
    pub node: Option<&'static Node>,
}

/// A type that may be part of a stored event, command or state.
///
/// `#[event]`, `#[command]`, `#[value]`, `#[id]` and `#[state]` implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so it can't be part of what is stored",
    label = "this type would be stored",
    note = "if `{Self}` is yours, put `#[value]` on it; if it is foreign and has serde, put `#[schema(opaque = \"how it is stored\")]` on the field"
)]
pub trait Schema {
    /// What is stored for a value of this type.
    const NODE: Node;
}

/// A 64-bit FNV-1a hash that can be fed piece by piece, in `const` too; the same on every machine and compiler.
///
/// Source: Fowler, Noll, Vo, <http://www.isthe.com/chongo/tech/comp/fnv/>.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }
    /// With these bytes added; where one piece ends matters.
    #[must_use]
    pub const fn bytes(self, bytes: &[u8]) -> Self {
        let (mut hash, mut i) = (self.0, 0);
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
            i += 1;
        }
        // No byte of UTF-8 text is 0xff: "ab" + "c" is not "a" + "bc".
        Fingerprint((hash ^ 0xff).wrapping_mul(0x100_0000_01b3))
    }
    /// With this number added.
    #[must_use]
    pub const fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }
    /// With this schema added; doc comments don't count.
    #[must_use]
    pub const fn node(self, node: &Node) -> Self {
        match node {
            Node::Bool => self.bytes(b"bool"),
            Node::Int { signed, bits } => self.bytes(if *signed { b"int" } else { b"uint" }).number(*bits as u64),
            Node::Float { bits } => self.bytes(b"float").number(*bits as u64),
            Node::Text => self.bytes(b"text"),
            Node::Named(name) => self.bytes(b"named").bytes(name.as_bytes()),
            Node::Optional(inner) => self.bytes(b"?").node(inner),
            Node::List(inner) => self.bytes(b"[]").node(inner),
            Node::Set(inner) => self.bytes(b"set").node(inner),
            Node::Array { len, item } => self.bytes(b"array").number(*len as u64).node(item),
            Node::Map { key, value } => self.bytes(b"map").node(key).node(value),
            Node::Tuple(items) => {
                let (mut hash, mut i) = (self.bytes(b"(").number(items.len() as u64), 0);
                while i < items.len() {
                    hash = hash.node(items[i]);
                    i += 1;
                }
                hash
            }
            Node::Record(fields) => {
                let (mut hash, mut i) = (self.bytes(b"{").number(fields.len() as u64), 0);
                while i < fields.len() {
                    hash = hash.bytes(fields[i].name.as_bytes()).number(fields[i].default as u64).node(fields[i].node);
                    i += 1;
                }
                hash
            }
            Node::Enum { tag, variants } => {
                let tagged = match tag {
                    Tag::External => self.bytes(b"|"),
                    Tag::Internal(tag) => self.bytes(b"|tag").bytes(tag.as_bytes()),
                    Tag::Adjacent { tag, content } => self.bytes(b"|beside").bytes(tag.as_bytes()).bytes(content.as_bytes()),
                };
                let (mut hash, mut i) = (tagged.number(variants.len() as u64), 0);
                while i < variants.len() {
                    hash = hash.bytes(variants[i].name.as_bytes());
                    if let Some(inner) = variants[i].node {
                        hash = hash.node(inner);
                    }
                    i += 1;
                }
                hash
            }
            Node::Opaque(description) => self.bytes(b"opaque").bytes(description.as_bytes()),
        }
    }
    /// The hash.
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

impl Node {
    /// Returns true if a value may hold something that the schema does not describe. It may lose
    /// something when it is stored, or nest without end.
    pub const fn may_hold_opaque(&self) -> bool {
        self.depth() == usize::MAX
    }

    /// In how many lists and records a value may stand at most; `usize::MAX` if the schema does not
    /// say.
    pub(crate) const fn depth(&self) -> usize {
        match self {
            Node::Opaque(_) => usize::MAX,
            Node::Bool | Node::Int { .. } | Node::Float { .. } | Node::Text | Node::Named(_) => 0,
            Node::Optional(inner) => inner.depth(),
            Node::List(inner) | Node::Set(inner) | Node::Array { item: inner, .. } => inner.depth().saturating_add(1),
            Node::Map { key, value } => deeper(key.depth(), value.depth()).saturating_add(1),
            Node::Tuple(items) => {
                let (mut depth, mut i) = (0, 0);
                while i < items.len() {
                    depth = deeper(depth, items[i].depth());
                    i += 1;
                }
                depth.saturating_add(1)
            }
            Node::Record(fields) => {
                let (mut depth, mut i) = (0, 0);
                while i < fields.len() {
                    depth = deeper(depth, fields[i].node.depth());
                    i += 1;
                }
                depth.saturating_add(1)
            }
            Node::Enum { variants, .. } => {
                let (mut depth, mut i) = (0, 0);
                while i < variants.len() {
                    if let Some(inner) = variants[i].node {
                        depth = deeper(depth, inner.depth());
                    }
                    i += 1;
                }
                depth.saturating_add(1)
            }
        }
    }

    /// The hash of this schema.
    pub const fn fingerprint(&self) -> u64 {
        Fingerprint::new().node(self).finish()
    }

    /// Whether a value may hold a floating point number, and so one that JSON can't.
    pub const fn may_hold_float(&self) -> bool {
        match self {
            Node::Float { .. } | Node::Opaque(_) => true,
            Node::Bool | Node::Int { .. } | Node::Text | Node::Named(_) => false,
            Node::Optional(inner) | Node::List(inner) | Node::Set(inner) | Node::Array { item: inner, .. } => {
                inner.may_hold_float()
            }
            Node::Map { key, value } => key.may_hold_float() || value.may_hold_float(),
            Node::Tuple(items) => {
                let mut i = 0;
                while i < items.len() {
                    if items[i].may_hold_float() {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            Node::Record(fields) => {
                let mut i = 0;
                while i < fields.len() {
                    if fields[i].node.may_hold_float() {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            Node::Enum { variants, .. } => {
                let mut i = 0;
                while i < variants.len() {
                    if let Some(inner) = variants[i].node
                        && inner.may_hold_float()
                    {
                        return true;
                    }
                    i += 1;
                }
                false
            }
        }
    }
}

const fn deeper(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
