#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub struct Deposit {
    pub amount: i64,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for Deposit {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                Self {
                    amount: ::gesta::__private::Probe::<i64>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for Deposit {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { amount: __a0 } => {
                __f.debug_struct("Deposit")
                    .field("amount", ::gesta::__private::Probe::<i64>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for Deposit {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { amount: __a0 }, Self { amount: __b0 }) => {
                ::gesta::__private::Probe::<i64>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for Deposit {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "amount",
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
        &<Deposit as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<Deposit>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::CommandData for Deposit {
    const NAME: &'static ::gesta::__private::core::primitive::str = "Deposit";
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const NODE: ::gesta::__private::Node = <Deposit as ::gesta::__private::Schema>::NODE;
    const RETRY: ::gesta::__private::core::primitive::bool = true;
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
    fn decode(
        __payload: &[::gesta::__private::core::primitive::u8],
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::DecodeError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<Self>::decode(__payload)
    }
}
