#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub struct MoneyDeposited {
    /// How much.
    pub amount: i64,
    #[serde(
        bound(
            serialize = "for<'__any> Channel: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Channel: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    pub channel: Channel,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDeposited {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0, channel: __a1 } => {
                Self {
                    amount: ::gesta::__private::Probe::<i64>::clone(__a0),
                    channel: ::gesta::__private::Probe::<Channel>::clone(__a1),
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
            Self { amount: __a0, channel: __a1 } => {
                __f.debug_struct("MoneyDeposited")
                    .field("amount", ::gesta::__private::Probe::<i64>::debug(__a0))
                    .field("channel", ::gesta::__private::Probe::<Channel>::debug(__a1))
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
                Self { amount: __a0, channel: __a1 },
                Self { amount: __b0, channel: __b1 },
            ) => {
                ::gesta::__private::Probe::<i64>::eq(__a0, __b0)
                    && ::gesta::__private::Probe::<Channel>::eq(__a1, __b1)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDeposited {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amount",
                doc: "How much.",
                default: false,
                node: &<i64 as ::gesta::__private::Schema>::NODE,
            },
            ::gesta::__private::Field {
                name: "channel",
                doc: "",
                default: false,
                node: &::gesta::__private::field_node(
                    <Channel as ::gesta::__private::Schema>::NODE,
                ),
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
    const NAME: &'static ::gesta::__private::core::primitive::str = "MoneyDeposited";
    const VERSION: ::gesta::__private::core::primitive::u32 = 3;
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const VERSIONS: &'static [::gesta::__private::EventVersion] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::EventVersion {
                version: 1,
                node: <MoneyDepositedV1 as ::gesta::__private::Schema>::NODE,
                changes: &[],
                logic: 0,
                advance: ::gesta::__private::Probe::<MoneyDepositedV1>::advance,
            },
            ::gesta::__private::EventVersion {
                version: 2,
                node: <MoneyDepositedV2 as ::gesta::__private::Schema>::NODE,
                changes: &["`amt` was renamed to `amount`", "`channel` was added"],
                logic: 17283789794591431921,
                advance: ::gesta::__private::Probe::<MoneyDepositedV2>::advance,
            },
            ::gesta::__private::EventVersion {
                version: 3,
                node: <MoneyDeposited as ::gesta::__private::Schema>::NODE,
                changes: &[
                    "`amount` was converted from `u32` to `i64`",
                    "`teller` was removed",
                ],
                logic: 14553184199723138660,
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
            3 => ::gesta::__private::Probe::<Self>::decode(__payload),
            1 => {
                ::gesta::__private::core::result::Result::and_then(
                    ::gesta::__private::Probe::<MoneyDepositedV1>::decode(__payload),
                    <MoneyDepositedV1 as ::gesta::__private::Past>::today,
                )
            }
            2 => {
                ::gesta::__private::core::result::Result::and_then(
                    ::gesta::__private::Probe::<MoneyDepositedV2>::decode(__payload),
                    <MoneyDepositedV2 as ::gesta::__private::Past>::today,
                )
            }
            _ => ::gesta::__private::unknown_version("MoneyDeposited", __version, 3),
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
#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
///Version 1 of [`MoneyDeposited`].
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
pub struct MoneyDepositedV1 {
    /// How much.
    pub amt: u32,
    /// Who took it.
    #[serde(
        bound(
            serialize = "for<'__any> Option < String >: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Option < String >: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    pub teller: Option<String>,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDepositedV1 {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amt: __a0, teller: __a1 } => {
                Self {
                    amt: ::gesta::__private::Probe::<u32>::clone(__a0),
                    teller: ::gesta::__private::Probe::<Option<String>>::clone(__a1),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for MoneyDepositedV1 {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amt: __a0, teller: __a1 } => {
                __f.debug_struct("MoneyDepositedV1")
                    .field("amt", ::gesta::__private::Probe::<u32>::debug(__a0))
                    .field(
                        "teller",
                        ::gesta::__private::Probe::<Option<String>>::debug(__a1),
                    )
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for MoneyDepositedV1 {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { amt: __a0, teller: __a1 }, Self { amt: __b0, teller: __b1 }) => {
                ::gesta::__private::Probe::<u32>::eq(__a0, __b0)
                    && ::gesta::__private::Probe::<Option<String>>::eq(__a1, __b1)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDepositedV1 {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amt",
                doc: "How much.",
                default: false,
                node: &<u32 as ::gesta::__private::Schema>::NODE,
            },
            ::gesta::__private::Field {
                name: "teller",
                doc: "Who took it.",
                default: false,
                node: &::gesta::__private::field_node(
                    <Option<String> as ::gesta::__private::Schema>::NODE,
                ),
            },
        ],
    );
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<MoneyDepositedV1 as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<MoneyDepositedV1>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::core::convert::From<MoneyDepositedV1> for MoneyDepositedV2 {
    fn from(__old: MoneyDepositedV1) -> Self {
        Self {
            amount: __old.amt,
            channel: Channel::Branch,
            teller: __old.teller,
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Past for MoneyDepositedV1 {
    type Next = MoneyDepositedV2;
    type Today = MoneyDeposited;
    fn next(
        self,
    ) -> ::gesta::__private::core::result::Result<
        MoneyDepositedV2,
        ::gesta::__private::DecodeError,
    > {
        ::gesta::__private::core::result::Result::Ok(
            <MoneyDepositedV2 as ::gesta::__private::core::convert::From<
                MoneyDepositedV1,
            >>::from(self),
        )
    }
    fn today(
        self,
    ) -> ::gesta::__private::core::result::Result<
        MoneyDeposited,
        ::gesta::__private::DecodeError,
    > {
        ::gesta::__private::core::result::Result::and_then(
            <Self as ::gesta::__private::Past>::next(self),
            <MoneyDepositedV2 as ::gesta::__private::Past>::today,
        )
    }
}
#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
///Version 2 of [`MoneyDeposited`].
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
pub struct MoneyDepositedV2 {
    /// How much.
    pub amount: u32,
    #[serde(
        bound(
            serialize = "for<'__any> Channel: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Channel: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    pub channel: Channel,
    /// Who took it.
    #[serde(
        bound(
            serialize = "for<'__any> Option < String >: ::gesta::__private::serde::Serialize",
            deserialize = "for<'__any> Option < String >: ::gesta::__private::serde::de::DeserializeOwned"
        )
    )]
    pub teller: Option<String>,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDepositedV2 {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0, channel: __a1, teller: __a2 } => {
                Self {
                    amount: ::gesta::__private::Probe::<u32>::clone(__a0),
                    channel: ::gesta::__private::Probe::<Channel>::clone(__a1),
                    teller: ::gesta::__private::Probe::<Option<String>>::clone(__a2),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for MoneyDepositedV2 {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0, channel: __a1, teller: __a2 } => {
                __f.debug_struct("MoneyDepositedV2")
                    .field("amount", ::gesta::__private::Probe::<u32>::debug(__a0))
                    .field("channel", ::gesta::__private::Probe::<Channel>::debug(__a1))
                    .field(
                        "teller",
                        ::gesta::__private::Probe::<Option<String>>::debug(__a2),
                    )
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for MoneyDepositedV2 {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (
                Self { amount: __a0, channel: __a1, teller: __a2 },
                Self { amount: __b0, channel: __b1, teller: __b2 },
            ) => {
                ::gesta::__private::Probe::<u32>::eq(__a0, __b0)
                    && ::gesta::__private::Probe::<Channel>::eq(__a1, __b1)
                    && ::gesta::__private::Probe::<Option<String>>::eq(__a2, __b2)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDepositedV2 {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amount",
                doc: "How much.",
                default: false,
                node: &<u32 as ::gesta::__private::Schema>::NODE,
            },
            ::gesta::__private::Field {
                name: "channel",
                doc: "",
                default: false,
                node: &::gesta::__private::field_node(
                    <Channel as ::gesta::__private::Schema>::NODE,
                ),
            },
            ::gesta::__private::Field {
                name: "teller",
                doc: "Who took it.",
                default: false,
                node: &::gesta::__private::field_node(
                    <Option<String> as ::gesta::__private::Schema>::NODE,
                ),
            },
        ],
    );
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::stored(
        &<MoneyDepositedV2 as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<MoneyDepositedV2>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::core::convert::From<MoneyDepositedV2> for MoneyDeposited {
    fn from(__old: MoneyDepositedV2) -> Self {
        Self {
            amount: i64::from(__old.amount),
            channel: __old.channel,
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Past for MoneyDepositedV2 {
    type Next = MoneyDeposited;
    type Today = MoneyDeposited;
    fn next(
        self,
    ) -> ::gesta::__private::core::result::Result<
        MoneyDeposited,
        ::gesta::__private::DecodeError,
    > {
        ::gesta::__private::core::result::Result::Ok(
            <MoneyDeposited as ::gesta::__private::core::convert::From<
                MoneyDepositedV2,
            >>::from(self),
        )
    }
    fn today(
        self,
    ) -> ::gesta::__private::core::result::Result<
        MoneyDeposited,
        ::gesta::__private::DecodeError,
    > {
        <Self as ::gesta::__private::Past>::next(self)
    }
}
