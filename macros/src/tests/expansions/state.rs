#[::gesta::__private::core::prelude::v1::derive(
    ::gesta::__private::serde::Serialize,
    ::gesta::__private::serde::Deserialize
)]
#[serde(crate = "::gesta::__private::serde")]
pub struct Account {
    balance: i64,
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for Account {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { balance: __a0 } => {
                Self {
                    balance: ::gesta::__private::Probe::<i64>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for Account {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self { balance: __a0 } => {
                __f.debug_struct("Account")
                    .field("balance", ::gesta::__private::Probe::<i64>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for Account {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self { balance: __a0 }, Self { balance: __b0 }) => {
                ::gesta::__private::Probe::<i64>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Schema for Account {
    const NODE: ::gesta::__private::Node = ::gesta::__private::Node::Record(
        &[
            ::gesta::__private::Field {
                name: "balance",
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
        &<Account as ::gesta::__private::Schema>::NODE,
        ::gesta::__private::Probe::<Account>::STORED,
    )
};
#[automatically_derived]
impl ::gesta::__private::State for Account {
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const SNAPSHOTS: ::gesta::__private::Snapshots<Self> = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::snapshots(
            100u64,
            0u64,
            &<Account as ::gesta::__private::Schema>::NODE,
            ::gesta::__private::Probe::<Account>::to_snapshot,
            ::gesta::__private::Probe::<Account>::decode,
        )
    };
}
