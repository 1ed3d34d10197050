#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::core::clone::Clone,
    ::gesta::__private::core::fmt::Debug,
    ::gesta::__private::core::cmp::PartialEq,
    ::gesta::__private::core::cmp::Eq,
    ::gesta::__private::core::cmp::PartialOrd,
    ::gesta::__private::core::cmp::Ord,
    ::gesta::__private::core::hash::Hash,
    ::gesta::__private::core::marker::Copy
)]
pub struct OrderId(Uuid);
#[automatically_derived]
#[allow(dead_code, unreachable_pub)]
impl OrderId {
    /// The id made of this.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
    /// A new id, of version 7: later ones come after earlier ones.
    pub fn generate() -> Self {
        Self(::gesta::__private::Uuid::now_v7())
    }
    /// What it is made of.
    pub const fn get(&self) -> Uuid {
        self.0
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Uuid> for OrderId {
    fn from(__id: Uuid) -> Self {
        Self(__id)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Display for OrderId {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        ::gesta::__private::core::fmt::Display::fmt(&self.0, __f)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::str::FromStr for OrderId {
    type Err = ::gesta::__private::InvalidId;
    fn from_str(
        __text: &::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::parse_id::<Uuid>(__text, "OrderId"),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::AggregateId for OrderId {
    fn write(&self, __text: &mut ::gesta::__private::std::string::String) {
        <Uuid as ::gesta::__private::AggregateId>::write(&self.0, __text)
    }
    fn parse(
        __text: &::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::parse_id::<Uuid>(__text, "OrderId"),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::serde::Serialize for OrderId {
    fn serialize<__S: ::gesta::__private::serde::Serializer>(
        &self,
        __serializer: __S,
    ) -> ::gesta::__private::core::result::Result<__S::Ok, __S::Error> {
        ::gesta::__private::serde::Serialize::serialize(&self.0, __serializer)
    }
}
#[automatically_derived]
impl<'de> ::gesta::__private::serde::Deserialize<'de> for OrderId {
    fn deserialize<__D: ::gesta::__private::serde::Deserializer<'de>>(
        __deserializer: __D,
    ) -> ::gesta::__private::core::result::Result<Self, __D::Error> {
        ::gesta::__private::core::result::Result::map(
            <Uuid as ::gesta::__private::serde::Deserialize<
                'de,
            >>::deserialize(__deserializer),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for OrderId {
    const NODE: ::gesta::__private::Node = ::gesta::__private::id_node(
        <Uuid as ::gesta::__private::Schema>::NODE,
    );
}
#[automatically_derived]
impl ::gesta::__private::ColumnType for OrderId {
    const KIND: ::gesta::__private::ColumnKind = <Uuid as ::gesta::__private::ColumnType>::KIND;
    fn to_value(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        <Uuid as ::gesta::__private::ColumnType>::to_value(&self.0)
    }
    fn from_value(
        __value: ::gesta::__private::Value,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::core::result::Result::map(
            <Uuid as ::gesta::__private::ColumnType>::from_value(__value),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::OrderedColumnType for OrderId {}
