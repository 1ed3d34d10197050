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
    const INDEX: ::gesta::__private::IndexForm = ::gesta::__private::IndexForm::Own {
        kind: ::gesta::__private::ColumnKind::Integer,
        version: 1,
    };
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
    fn to_index(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::core::result::Result::Ok(
            ::gesta::__private::Value::Integer(
                match self {
                    Self::Branch => 0i64,
                    Self::Online => 1i64,
                },
            ),
        )
    }
}
#[automatically_derived]
impl ::gesta::__private::OrderedColumnType for Channel {}
