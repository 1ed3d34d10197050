//! Which of serde's own errors ended a read: an enum's variant that is not known, a field that is missing, or anything else.
//!
//! An error of `serde_json` is a text, and a text that somebody wrote may begin as serde's own do. So the read goes through
//! here once more, where each of serde's questions and answers is handed on, and an error keeps which one it was made as.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

/// As what an error was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// An enum has no variant of this name.
    UnknownVariant,
    /// A field is not there.
    MissingField,
    #[default]
    Other,
}

/// An error with what it was made as.
#[derive(Debug)]
pub(super) struct Told<E> {
    pub(super) kind: Kind,
    pub(super) error: E,
}

impl<E> From<E> for Told<E> {
    fn from(error: E) -> Self {
        Told { kind: Kind::Other, error }
    }
}
impl<E: fmt::Display> fmt::Display for Told<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
impl<E: std::error::Error> std::error::Error for Told<E> {}

impl<E: Error> Error for Told<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        E::custom(message).into()
    }
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        E::invalid_type(unexpected, expected).into()
    }
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        E::invalid_value(unexpected, expected).into()
    }
    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        E::invalid_length(len, expected).into()
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Told { kind: Kind::UnknownVariant, error: E::unknown_variant(variant, expected) }
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        E::unknown_field(field, expected).into()
    }
    fn missing_field(field: &'static str) -> Self {
        Told { kind: Kind::MissingField, error: E::missing_field(field) }
    }
    fn duplicate_field(field: &'static str) -> Self {
        E::duplicate_field(field).into()
    }
}

/// Something of serde's, watched.
pub(super) struct Watched<'k, T> {
    inner: T,
    /// What the error was made as that is on its way through `inner`, which knows texts only.
    kind: &'k Cell<Kind>,
}

impl<'k, T> Watched<'k, T> {
    pub(super) fn new(inner: T, kind: &'k Cell<Kind>) -> Self {
        Watched { inner, kind }
    }
}

/// An error on its way out of `inner`, where it has been made, or has passed through.
fn out<T, E>(kind: &Cell<Kind>, result: Result<T, E>) -> Result<T, Told<E>> {
    result.map_err(|error| Told { kind: kind.take(), error })
}
/// An error on its way through `inner`.
fn through<T, E>(kind: &Cell<Kind>, result: Result<T, Told<E>>) -> Result<T, E> {
    result.map_err(|told| {
        kind.set(told.kind);
        told.error
    })
}

macro_rules! deserialize {
    ($($method:ident($($arg:ident: $ty:ty),*))*) => { $(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Self::Error> {
            let Watched { inner, kind } = self;
            out(kind, inner.$method($($arg,)* Watched::new(visitor, kind)))
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = Told<D::Error>;
    deserialize! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes()
        deserialize_byte_buf() deserialize_option() deserialize_unit() deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str) deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($ty:ty))*) => { $(
        fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            through(self.kind, self.inner.$method(value))
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }
    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8) visit_u16(u16)
        visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64) visit_char(char) visit_str(&str)
        visit_borrowed_str(&'de str) visit_string(String) visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        through(self.kind, self.inner.visit_none())
    }
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        through(self.kind, self.inner.visit_unit())
    }
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        through(self.kind, self.inner.visit_some(Watched::new(inner, self.kind)))
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        through(self.kind, self.inner.visit_newtype_struct(Watched::new(inner, self.kind)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        through(self.kind, self.inner.visit_seq(Watched::new(inner, self.kind)))
    }
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        through(self.kind, self.inner.visit_map(Watched::new(inner, self.kind)))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        through(self.kind, self.inner.visit_enum(Watched::new(inner, self.kind)))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watched<'_, S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        through(self.kind, self.inner.deserialize(Watched::new(inner, self.kind)))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watched<'_, A> {
    type Error = Told<A::Error>;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Self::Error> {
        out(self.kind, self.inner.next_element_seed(Watched::new(seed, self.kind)))
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Watched<'_, A> {
    type Error = Told<A::Error>;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        out(self.kind, self.inner.next_key_seed(Watched::new(seed, self.kind)))
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Self::Error> {
        out(self.kind, self.inner.next_value_seed(Watched::new(seed, self.kind)))
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 'k, A: EnumAccess<'de>> EnumAccess<'de> for Watched<'k, A> {
    type Error = Told<A::Error>;
    type Variant = Watched<'k, A::Variant>;
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), Self::Error> {
        let Watched { inner, kind } = self;
        let (value, variant) = out(kind, inner.variant_seed(Watched::new(seed, kind)))?;
        Ok((value, Watched::new(variant, kind)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Watched<'_, A> {
    type Error = Told<A::Error>;
    fn unit_variant(self) -> Result<(), Self::Error> {
        out(self.kind, self.inner.unit_variant())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        out(self.kind, self.inner.newtype_variant_seed(Watched::new(seed, self.kind)))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        out(self.kind, self.inner.tuple_variant(len, Watched::new(visitor, self.kind)))
    }
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Self::Error> {
        out(self.kind, self.inner.struct_variant(fields, Watched::new(visitor, self.kind)))
    }
}
