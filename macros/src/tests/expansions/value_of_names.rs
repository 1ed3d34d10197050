#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::core::clone::Clone,
    ::gesta::__private::core::fmt::Debug,
    ::gesta::__private::core::cmp::PartialEq,
    ::gesta::__private::core::marker::Copy,
    ::gesta::__private::core::cmp::Eq,
    ::gesta::__private::core::hash::Hash,
    ::gesta::__private::core::cmp::PartialOrd,
    ::gesta::__private::core::cmp::Ord
)]
#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub enum Channel {
    Branch,
    Online,
}
#[automatically_derived]
impl ::gesta::__private::Schema for Channel {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Enum {
        tag: ::gesta::__private::Tag::External,
        variants: &[
            ::gesta::__private::Variant {
                name: "Branch",
                doc: "",
                node: ::gesta::__private::core::option::Option::None,
            },
            ::gesta::__private::Variant {
                name: "Online",
                doc: "",
                node: ::gesta::__private::core::option::Option::None,
            },
        ],
    };
}
#[automatically_derived]
impl ::gesta::__private::ColumnType for Channel {
    const KIND: ::gesta::__private::ColumnKind = ::gesta::__private::ColumnKind::Text;
    fn to_value(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::name_to_value(
            match self {
                Self::Branch => "Branch",
                Self::Online => "Online",
            },
        )
    }
    fn from_value(
        __value: ::gesta::__private::Value,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::value_to_name(
            &__value,
            &[("Branch", Self::Branch), ("Online", Self::Online)],
        )
    }
}
