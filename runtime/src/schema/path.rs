//! Where something stands in a stored form, in the notation of schema locks.

use std::fmt;

/// A path, as a chain of segments back to the root.
#[derive(Clone, Copy, Default)]
pub(crate) struct Path<'a> {
    before: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy, Default)]
enum Segment<'a> {
    #[default]
    Root,
    Field(&'a str),
    Variant(&'a str),
    Element(usize),
    Array(usize),
    /// What says all there is to say.
    Mark(&'static str),
}

impl<'a> Path<'a> {
    fn with(&'a self, segment: Segment<'a>) -> Path<'a> {
        Path { before: Some(self), segment }
    }
    /// A field of a record: `amount`.
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        self.with(Segment::Field(name))
    }
    /// What an option holds: `?`.
    pub(crate) fn optional(&'a self) -> Path<'a> {
        self.with(Segment::Mark("?"))
    }
    /// Each item of a list: `[]`.
    pub(crate) fn item(&'a self) -> Path<'a> {
        self.with(Segment::Mark("[]"))
    }
    /// Each item of a set: `[set]`.
    pub(crate) fn set(&'a self) -> Path<'a> {
        self.with(Segment::Mark("[set]"))
    }
    /// Each item of an array: `[3]`.
    pub(crate) fn array(&'a self, len: usize) -> Path<'a> {
        self.with(Segment::Array(len))
    }
    /// Each value of a map: `{}`.
    pub(crate) fn value(&'a self) -> Path<'a> {
        self.with(Segment::Mark("{}"))
    }
    /// Each key of a map: `{key}`.
    pub(crate) fn key(&'a self) -> Path<'a> {
        self.with(Segment::Mark("{key}"))
    }
    /// An element of a tuple: `#0`.
    pub(crate) fn element(&'a self, number: usize) -> Path<'a> {
        self.with(Segment::Element(number))
    }
    /// A variant of an enum: `|Card`.
    pub(crate) fn variant(&'a self, name: &'a str) -> Path<'a> {
        self.with(Segment::Variant(name))
    }
    /// The name of the field that is nearest.
    pub(crate) fn last_field(&self) -> Option<&'a str> {
        match self.segment {
            Segment::Field(name) => Some(name),
            _ => self.before?.last_field(),
        }
    }
}

/// A name, in quotes where it is not plain.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name(name) = self;
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            return f.write_str(name);
        }
        write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            before.fmt(f)?;
        }
        match self.segment {
            Segment::Root => Ok(()),
            Segment::Field(name) if self.before.is_none_or(|before| matches!(before.segment, Segment::Root)) => Name(name).fmt(f),
            Segment::Field(name) => write!(f, ".{}", Name(name)),
            Segment::Variant(name) => write!(f, "|{}", Name(name)),
            Segment::Element(number) => write!(f, "#{number}"),
            Segment::Array(len) => write!(f, "[{len}]"),
            Segment::Mark(mark) => f.write_str(mark),
        }
    }
}
