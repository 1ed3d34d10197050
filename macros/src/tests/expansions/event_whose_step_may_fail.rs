#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub struct Paid {
    #[serde(
        bound(
            serialize = "for<'__any> Cents: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Cents: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    amount: Cents,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for Paid {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                Self {
                    amount: ::gesta::__private::Probe::<Cents>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for Paid {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                __f.debug_struct("Paid")
                    .field("amount", ::gesta::__private::Probe::<Cents>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for Paid {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { amount: __a0 }, Self { amount: __b0 }) => {
                ::gesta::__private::Probe::<Cents>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for Paid {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amount",
                doc: "",
                default: false,
                node: &::gesta::__private::field_node(
                    <Cents as ::gesta::__private::Schema>::NODE,
                ),
            },
        ],
    );
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<Paid as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<Paid>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::Event for Paid {
    const NAME: &'static ::gesta::__private::core::primitive::str = "Paid";
    const VERSION: ::gesta::__private::core::primitive::u32 = 2;
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const VERSIONS: &'static [::gesta::__private::EventVersion] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::EventVersion {
                version: 1,
                node: <PaidV1 as ::gesta::__private::Schema>::NODE,
                changes: &[],
                logic: 0,
                advance: ::gesta::__private::Probe::<PaidV1>::advance,
            },
            ::gesta::__private::EventVersion {
                version: 2,
                node: <Paid as ::gesta::__private::Schema>::NODE,
                changes: &["`amount` was converted from `u32` to `Cents`"],
                logic: 9001968655656686354,
                advance: ::gesta::__private::Probe::<Paid>::rewrite,
            },
        ]
    };
    fn decode(
        __version: ::gesta::__private::core::primitive::u32,
        __payload: &[::gesta::__private::core::primitive::u8],
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::DecodeError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __version {
            2 => ::gesta::__private::Probe::<Self>::decode(__payload),
            1 => {
                ::gesta::__private::core::result::Result::and_then(
                    ::gesta::__private::Probe::<PaidV1>::decode(__payload),
                    <PaidV1 as ::gesta::__private::Past>::today,
                )
            }
            _ => ::gesta::__private::unknown_version("Paid", __version, 2),
        }
    }
    fn encode(
        &self,
        __payload: &mut ::gesta::__private::std::vec::Vec<
            ::gesta::__private::core::primitive::u8,
        >,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::EncodeError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<Self>::encode(self, __payload)
    }
}
#[automatically_derived]
impl ::gesta::__private::Answer for Paid {
    type Events = Self;
    type Error = ::gesta::__private::core::convert::Infallible;
    type Kind = ::gesta::__private::NeverRefuses;
    fn split(
        self,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::core::convert::Infallible,
    > {
        ::gesta::__private::core::result::Result::Ok(self)
    }
}
#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
///Version 1 of [`Paid`].
#[allow(
    private_interfaces,
    unreachable_pub,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    dead_code,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    clippy::module_name_repetitions
)]
pub struct PaidV1 {
    amount: u32,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for PaidV1 {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                Self {
                    amount: ::gesta::__private::Probe::<u32>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for PaidV1 {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                __f.debug_struct("PaidV1")
                    .field("amount", ::gesta::__private::Probe::<u32>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for PaidV1 {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { amount: __a0 }, Self { amount: __b0 }) => {
                ::gesta::__private::Probe::<u32>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for PaidV1 {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amount",
                doc: "",
                default: false,
                node: &<u32 as ::gesta::__private::Schema>::NODE,
            },
        ],
    );
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<PaidV1 as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<PaidV1>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::core::convert::TryFrom<PaidV1> for Paid {
    type Error = ::gesta::__private::UpcastError;
    fn try_from(
        __old: PaidV1,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::UpcastError,
    > {
        ::gesta::__private::core::result::Result::Ok(Self {
            amount: ::gesta::__private::step(
                "Paid",
                1,
                "amount",
                <Cents as ::gesta::__private::core::convert::TryFrom<
                    u32,
                >>::try_from(__old.amount),
            )?,
        })
    }
}
#[automatically_derived]
impl ::gesta::__private::Past for PaidV1 {
    type Next = Paid;
    type Today = Paid;
    fn next(
        self,
    ) -> ::gesta::__private::core::result::Result<
        Paid,
        ::gesta::__private::DecodeError,
    > {
        ::gesta::__private::core::result::Result::map_err(
            <Paid as ::gesta::__private::core::convert::TryFrom<PaidV1>>::try_from(self),
            ::gesta::__private::step_failed,
        )
    }
    fn today(
        self,
    ) -> ::gesta::__private::core::result::Result<
        Paid,
        ::gesta::__private::DecodeError,
    > {
        <Self as ::gesta::__private::Past>::next(self)
    }
}
