#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
/// Money paid in.
#[derive(Eq)]
#[serde(rename_all = "camelCase")]
pub struct MoneyDeposited {
    /// How much.
    #[serde(
        bound(
            serialize = "for<'__any> Cents: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Cents: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    pub amount_paid: Cents,
    took: Duration,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDeposited {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount_paid: __a0, took: __a1 } => {
                Self {
                    amount_paid: ::gesta::__private::Probe::<Cents>::clone(__a0),
                    took: <Duration as ::gesta::__private::core::clone::Clone>::clone(
                        __a1,
                    ),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for MoneyDeposited {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount_paid: __a0, took: __a1 } => {
                __f.debug_struct("MoneyDeposited")
                    .field(
                        "amount_paid",
                        ::gesta::__private::Probe::<Cents>::debug(__a0),
                    )
                    .field("took", __a1)
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for MoneyDeposited {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (
                Self { amount_paid: __a0, took: __a1 },
                Self { amount_paid: __b0, took: __b1 },
            ) => {
                ::gesta::__private::Probe::<Cents>::eq(__a0, __b0)
                    && <Duration as ::gesta::__private::core::cmp::PartialEq>::eq(
                        __a1,
                        __b1,
                    )
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDeposited {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amountPaid",
                doc: "How much.",
                default: false,
                node: &::gesta::__private::field_node(
                    <Cents as ::gesta::__private::Schema>::NODE,
                ),
            },
            ::gesta::__private::Field {
                name: "took",
                doc: "",
                default: false,
                node: &::gesta::__private::Node::Opaque("seconds"),
            },
        ],
    );
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<MoneyDeposited as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<MoneyDeposited>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::Event for MoneyDeposited {
    const NAME: &'static ::gesta::__private::core::primitive::str = "Deposited";
    const VERSION: ::gesta::__private::core::primitive::u32 = 1;
    const DOC: &'static ::gesta::__private::core::primitive::str = "Money paid in.";
    const VERSIONS: &'static [::gesta::__private::EventVersion] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::EventVersion {
                version: 1,
                node: <MoneyDeposited as ::gesta::__private::Schema>::NODE,
                changes: &[],
                logic: 0,
                advance: ::gesta::__private::Probe::<MoneyDeposited>::rewrite,
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
            1 => ::gesta::__private::Probe::<Self>::decode(__payload),
            _ => ::gesta::__private::unknown_version("Deposited", __version, 1),
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
impl ::gesta::__private::Answer for MoneyDeposited {
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
