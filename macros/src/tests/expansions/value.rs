#[::evs::__private::core::prelude::v1::derive(
    ::evs::__private::serde::Serialize,
    ::evs::__private::serde::Deserialize
)]
#[serde(crate = "::evs::__private::serde")]
pub enum Price {
    Free,
    Fixed(
        #[serde(
            bound(
                serialize = "for<'__any> Cents: ::evs::__private::serde::Serialize",
                deserialize = "for<'__any> Cents: ::evs::__private::serde::de::DeserializeOwned"
            )
        )]
        Cents,
    ),
    Range {
        #[serde(
            bound(
                serialize = "for<'__any> Cents: ::evs::__private::serde::Serialize",
                deserialize = "for<'__any> Cents: ::evs::__private::serde::de::DeserializeOwned"
            )
        )]
        from: Cents,
        #[serde(
            bound(
                serialize = "for<'__any> Cents: ::evs::__private::serde::Serialize",
                deserialize = "for<'__any> Cents: ::evs::__private::serde::de::DeserializeOwned"
            )
        )]
        to: Cents,
    },
}
#[automatically_derived]
impl ::evs::__private::core::clone::Clone for Price {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        match self {
            Self::Free {} => Self::Free {},
            Self::Fixed { 0: __a0 } => {
                Self::Fixed {
                    0: ::evs::__private::Probe::<Cents>::clone(__a0),
                }
            }
            Self::Range { from: __a0, to: __a1 } => {
                Self::Range {
                    from: ::evs::__private::Probe::<Cents>::clone(__a0),
                    to: ::evs::__private::Probe::<Cents>::clone(__a1),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::evs::__private::core::fmt::Debug for Price {
    fn fmt(
        &self,
        __f: &mut ::evs::__private::core::fmt::Formatter<'_>,
    ) -> ::evs::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        match self {
            Self::Free {} => __f.debug_tuple("Free").finish(),
            Self::Fixed { 0: __a0 } => {
                __f.debug_tuple("Fixed")
                    .field(::evs::__private::Probe::<Cents>::debug(__a0))
                    .finish()
            }
            Self::Range { from: __a0, to: __a1 } => {
                __f.debug_struct("Range")
                    .field("from", ::evs::__private::Probe::<Cents>::debug(__a0))
                    .field("to", ::evs::__private::Probe::<Cents>::debug(__a1))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::evs::__private::core::cmp::PartialEq for Price {
    fn eq(&self, __other: &Self) -> ::evs::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        match (self, __other) {
            (Self::Free {}, Self::Free {}) => true,
            (Self::Fixed { 0: __a0 }, Self::Fixed { 0: __b0 }) => {
                ::evs::__private::Probe::<Cents>::eq(__a0, __b0)
            }
            (
                Self::Range { from: __a0, to: __a1 },
                Self::Range { from: __b0, to: __b1 },
            ) => {
                ::evs::__private::Probe::<Cents>::eq(__a0, __b0)
                    && ::evs::__private::Probe::<Cents>::eq(__a1, __b1)
            }
            _ => false,
        }
    }
}
#[automatically_derived]
impl ::evs::__private::Schema for Price {
    const NODE: ::evs::__private::Node = ::evs::__private::Node::Enum {
        tag: ::evs::__private::Tag::External,
        variants: &[
            ::evs::__private::Variant {
                name: "Free",
                doc: "",
                node: ::evs::__private::core::option::Option::None,
            },
            ::evs::__private::Variant {
                name: "Fixed",
                doc: "",
                node: ::evs::__private::core::option::Option::Some(
                    &::evs::__private::field_node(
                        <Cents as ::evs::__private::Schema>::NODE,
                    ),
                ),
            },
            ::evs::__private::Variant {
                name: "Range",
                doc: "",
                node: ::evs::__private::core::option::Option::Some(
                    &::evs::__private::Node::Record(
                        &[
                            ::evs::__private::Field {
                                name: "from",
                                doc: "",
                                default: false,
                                node: &::evs::__private::field_node(
                                    <Cents as ::evs::__private::Schema>::NODE,
                                ),
                            },
                            ::evs::__private::Field {
                                name: "to",
                                doc: "",
                                default: false,
                                node: &::evs::__private::field_node(
                                    <Cents as ::evs::__private::Schema>::NODE,
                                ),
                            },
                        ],
                    ),
                ),
            },
        ],
    };
}
const _: () = {
    #[allow(unused_imports)]
    use ::evs::__private::Lacks as _;
    ::evs::__private::stored(
        &<Price as ::evs::__private::Schema>::NODE,
        ::evs::__private::Probe::<Price>::STORED,
    )
};
#[automatically_derived]
impl ::evs::__private::ColumnType for Price {
    const KIND: ::evs::__private::ColumnKind = ::evs::__private::ColumnKind::Json;
    const INDEX: ::evs::__private::IndexForm = {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        ::evs::__private::Probe::<Self>::JSON_INDEX
    };
    fn to_value(
        &self,
    ) -> ::evs::__private::core::result::Result<
        ::evs::__private::Value,
        ::evs::__private::std::string::String,
    > {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        ::evs::__private::Probe::<Self>::to_json(self)
    }
    fn from_value(
        __value: ::evs::__private::Value,
    ) -> ::evs::__private::core::result::Result<
        Self,
        ::evs::__private::std::string::String,
    > {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        ::evs::__private::Probe::<Self>::from_json(__value)
    }
    fn to_index(
        &self,
    ) -> ::evs::__private::core::result::Result<
        ::evs::__private::Value,
        ::evs::__private::std::string::String,
    > {
        #[allow(unused_imports)]
        use ::evs::__private::Lacks as _;
        ::evs::__private::Probe::<Self>::json_to_index(self)
    }
}
