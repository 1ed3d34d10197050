#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub struct MoneyDeposited {
    pub fee: i64,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDeposited {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { fee: __a0 } => {
                Self {
                    fee: ::gesta::__private::Probe::<i64>::clone(__a0),
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
            Self { fee: __a0 } => {
                __f.debug_struct("MoneyDeposited")
                    .field("fee", ::gesta::__private::Probe::<i64>::debug(__a0))
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
            (Self { fee: __a0 }, Self { fee: __b0 }) => {
                ::gesta::__private::Probe::<i64>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDeposited {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "fee",
                doc: "",
                default: false,
                node: &<i64 as ::gesta::__private::Schema>::NODE,
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
        const __BELOW: &[::gesta::__private::EventVersion] = {
            #[allow(unused_imports)]
            use ::gesta::__private::Lacks as _;
            ::gesta::__private::Probe::<MoneyDepositedV1>::EVENT.versions
        };
        const __ALL: &[::gesta::__private::EventVersion] = &{
            #[allow(unused_imports)]
            use ::gesta::__private::Lacks as _;
            ::gesta::__private::versions::<
                2,
                { __BELOW.len() + 2 },
            >(
                __BELOW,
                |__payload| {
                    #[allow(unused_imports)]
                    use ::gesta::__private::Lacks as _;
                    let __old = ::gesta::__private::Probe::<
                        MoneyDepositedV1,
                    >::decode_event(1, __payload);
                    let __made = ::gesta::__private::core::result::Result::and_then(
                        __old,
                        <MoneyDeposited as ::gesta::__private::MadeFrom<
                            MoneyDepositedV1,
                        >>::made,
                    );
                    ::gesta::__private::core::result::Result::and_then(
                        __made,
                        |__made| ::gesta::__private::Probe::<
                            MoneyDepositedV2,
                        >::written(&__made),
                    )
                },
                [
                    ::gesta::__private::EventVersion {
                        version: 2,
                        node: <MoneyDepositedV2 as ::gesta::__private::Schema>::NODE,
                        changes: &[
                            "the whole event was converted from `MoneyDepositedV1`",
                        ],
                        logic: 2706001240003663374,
                        advance: ::gesta::__private::Probe::<MoneyDepositedV2>::advance,
                    },
                    ::gesta::__private::EventVersion {
                        version: 3,
                        node: <MoneyDeposited as ::gesta::__private::Schema>::NODE,
                        changes: &["`fee` was added"],
                        logic: 9062906119855712670,
                        advance: ::gesta::__private::Probe::<MoneyDeposited>::rewrite,
                    },
                ],
            )
        };
        __ALL
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
            2 => {
                ::gesta::__private::core::result::Result::and_then(
                    ::gesta::__private::Probe::<MoneyDepositedV2>::decode(__payload),
                    <MoneyDepositedV2 as ::gesta::__private::Past>::today,
                )
            }
            1 => {
                ::gesta::__private::core::result::Result::and_then(
                    ::gesta::__private::core::result::Result::and_then(
                        ::gesta::__private::Probe::<
                            MoneyDepositedV1,
                        >::decode_event(__version, __payload),
                        <Self as ::gesta::__private::MadeFrom<MoneyDepositedV1>>::made,
                    ),
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
pub struct MoneyDepositedV2 {}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for MoneyDepositedV2 {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self {} => Self {},
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
            Self {} => __f.debug_struct("MoneyDepositedV2").finish(),
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for MoneyDepositedV2 {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self {}, Self {}) => true,
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for MoneyDepositedV2 {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(&[]);
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
        Self { fee: 0 }
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
#[automatically_derived]
impl ::gesta::__private::MadeFrom<MoneyDepositedV1> for MoneyDeposited {
    type Made = MoneyDepositedV2;
    fn made(
        __old: MoneyDepositedV1,
    ) -> ::gesta::__private::core::result::Result<
        MoneyDepositedV2,
        ::gesta::__private::DecodeError,
    > {
        ::gesta::__private::core::result::Result::Ok(
            <MoneyDepositedV2 as ::gesta::__private::core::convert::From<
                MoneyDepositedV1,
            >>::from(__old),
        )
    }
}
const _: &::gesta::__private::core::primitive::str = <MoneyDepositedV1 as ::gesta::__private::Event>::NAME;
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::is_version_before(
        "MoneyDeposited",
        "MoneyDeposited",
        1,
        "MoneyDepositedV1",
        ::gesta::__private::Probe::<MoneyDepositedV1>::EVENT,
    )
};
