#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::core::clone::Clone,
    ::gesta::__private::core::fmt::Debug,
    ::gesta::__private::core::cmp::PartialEq,
    ::gesta::__private::core::cmp::Eq,
    ::gesta::__private::core::cmp::PartialOrd,
    ::gesta::__private::core::cmp::Ord,
    ::gesta::__private::core::hash::Hash
)]
pub struct AccountId(String);
#[automatically_derived]
#[allow(dead_code, unreachable_pub)]
impl AccountId {
    /// An id of this text.
    ///
    /// # Errors
    /// Where the text is empty, has more than 255 bytes, or holds a control character.
    pub fn new(
        id: impl ::gesta::__private::core::convert::Into<
            ::gesta::__private::std::string::String,
        >,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::check_id(
                ::gesta::__private::core::convert::Into::into(id),
            ),
            Self,
        )
    }
    /// The text.
    pub fn as_str(&self) -> &::gesta::__private::core::primitive::str {
        &self.0
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::TryFrom<::gesta::__private::std::string::String>
for AccountId {
    type Error = ::gesta::__private::InvalidId;
    fn try_from(
        __id: ::gesta::__private::std::string::String,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        Self::new(__id)
    }
}
#[automatically_derived]
impl<
    '__a,
> ::gesta::__private::core::convert::TryFrom<
    &'__a ::gesta::__private::core::primitive::str,
> for AccountId {
    type Error = ::gesta::__private::InvalidId;
    fn try_from(
        __id: &'__a ::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        Self::new(__id)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Display for AccountId {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        ::gesta::__private::core::fmt::Display::fmt(&self.0, __f)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::str::FromStr for AccountId {
    type Err = ::gesta::__private::InvalidId;
    fn from_str(
        __text: &::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        Self::new(__text)
    }
}
#[automatically_derived]
impl ::gesta::__private::AggregateId for AccountId {
    fn write(&self, __text: &mut ::gesta::__private::std::string::String) {
        ::gesta::__private::std::string::String::push_str(__text, &self.0)
    }
    fn parse(
        __text: &::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::result::Result<Self, ::gesta::__private::InvalidId> {
        Self::new(__text)
    }
}
#[automatically_derived]
impl ::gesta::__private::serde::Serialize for AccountId {
    fn serialize<__S: ::gesta::__private::serde::Serializer>(
        &self,
        __serializer: __S,
    ) -> ::gesta::__private::core::result::Result<__S::Ok, __S::Error> {
        ::gesta::__private::serde::Serialize::serialize(&self.0, __serializer)
    }
}
#[automatically_derived]
impl<'de> ::gesta::__private::serde::Deserialize<'de> for AccountId {
    fn deserialize<__D: ::gesta::__private::serde::Deserializer<'de>>(
        __deserializer: __D,
    ) -> ::gesta::__private::core::result::Result<Self, __D::Error> {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::read_id(__deserializer),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for AccountId {
    const NODE: ::gesta::__private::Node = ::gesta::__private::id_node(
        <String as ::gesta::__private::Schema>::NODE,
    );
}
#[automatically_derived]
impl ::gesta::__private::ColumnType for AccountId {
    const KIND: ::gesta::__private::ColumnKind = <String as ::gesta::__private::ColumnType>::KIND;
    fn to_value(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        <String as ::gesta::__private::ColumnType>::to_value(&self.0)
    }
    fn from_value(
        __value: ::gesta::__private::Value,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::core::result::Result::map(
            ::gesta::__private::id_from_value(__value),
            Self,
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::OrderedColumnType for AccountId {}
