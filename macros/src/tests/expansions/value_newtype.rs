#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde", transparent)]
#[derive(Copy, Eq, Hash)]
pub struct Cents(pub i64);
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for Cents {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { 0: __a0 } => {
                Self {
                    0: ::gesta::__private::Probe::<i64>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for Cents {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { 0: __a0 } => {
                __f.debug_tuple("Cents")
                    .field(::gesta::__private::Probe::<i64>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for Cents {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { 0: __a0 }, Self { 0: __b0 }) => {
                ::gesta::__private::Probe::<i64>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for Cents {
    const NODE: ::gesta::__private::Node = <i64 as ::gesta::__private::Schema>::NODE;
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<Cents as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<Cents>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::ColumnType for Cents
where
    for<'__any> i64: ::gesta::__private::ColumnType,
{
    const KIND: ::gesta::__private::ColumnKind = <i64 as ::gesta::__private::ColumnType>::KIND;
    const NULLABLE: ::gesta::__private::core::primitive::bool = <i64 as ::gesta::__private::ColumnType>::NULLABLE;
    const FLAW: ::gesta::__private::core::option::Option<
        &'static ::gesta::__private::core::primitive::str,
    > = <i64 as ::gesta::__private::ColumnType>::FLAW;
    const INDEX: ::gesta::__private::IndexForm = <i64 as ::gesta::__private::ColumnType>::INDEX;
    fn to_value(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        <i64 as ::gesta::__private::ColumnType>::to_value(&self.0)
    }
    fn from_value(
        __value: ::gesta::__private::Value,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::core::result::Result::map(
            <i64 as ::gesta::__private::ColumnType>::from_value(__value),
            Self,
        )
    }
    fn to_index(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Value,
        ::gesta::__private::std::string::String,
    > {
        <i64 as ::gesta::__private::ColumnType>::to_index(&self.0)
    }
}
#[automatically_derived]
impl ::gesta::__private::OrderedColumnType for Cents
where
    for<'__any> i64: ::gesta::__private::OrderedColumnType,
{}
