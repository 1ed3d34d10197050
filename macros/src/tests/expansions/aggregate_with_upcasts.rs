#[allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref
)]
impl Account {
    fn opened(e: Opened) -> Self {
        Account
    }
    fn split(e: Transferred) -> (Withdrawn, Option<Charged>) {
        todo!()
    }
    fn printed(_: &Printed) {}
}
///Everything that can happen to [`Account`].
#[allow(
    private_interfaces,
    unreachable_pub,
    non_camel_case_types,
    clippy::large_enum_variant,
    clippy::module_name_repetitions
)]
pub enum AccountEvent {
    ///`Opened` has happened.
    Opened(Opened),
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for AccountEvent {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self::Opened { 0: __a0 } => {
                Self::Opened {
                    0: ::gesta::__private::Probe::<Opened>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for AccountEvent {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self::Opened { 0: __a0 } => {
                __f.debug_tuple("Opened")
                    .field(::gesta::__private::Probe::<Opened>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for AccountEvent {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self::Opened { 0: __a0 }, Self::Opened { 0: __b0 }) => {
                ::gesta::__private::Probe::<Opened>::eq(__a0, __b0)
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Opened> for AccountEvent {
    fn from(__event: Opened) -> Self {
        AccountEvent::Opened(__event)
    }
}
#[automatically_derived]
impl ::gesta::__private::EventOf<Account> for Opened {
    fn wrap(self) -> AccountEvent {
        AccountEvent::Opened(self)
    }
    fn unwrap(
        __event: AccountEvent,
    ) -> ::gesta::__private::core::result::Result<Self, AccountEvent> {
        #[allow(unreachable_patterns)]
        match __event {
            AccountEvent::Opened(__event) => {
                ::gesta::__private::core::result::Result::Ok(__event)
            }
            __other => ::gesta::__private::core::result::Result::Err(__other),
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::IntoEvents<Account> for Opened {
    fn push_to(self, __events: &mut ::gesta::__private::std::vec::Vec<AccountEvent>) {
        __events.push(AccountEvent::Opened(self));
    }
}
#[automatically_derived]
impl ::gesta::__private::Answer for AccountEvent {
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
#[automatically_derived]
impl ::gesta::__private::HappensTo<'_, Account> for AccountEvent {}
#[automatically_derived]
impl ::gesta::__private::IntoEvents<Account> for AccountEvent {
    fn push_to(self, __events: &mut ::gesta::__private::std::vec::Vec<AccountEvent>) {
        __events.push(self);
    }
}
#[automatically_derived]
impl ::gesta::__private::Aggregate for Account {
    type Id = AccountId;
    type Event = AccountEvent;
    const NAME: &'static ::gesta::__private::core::primitive::str = "Account";
    const DOC: &'static ::gesta::__private::core::primitive::str = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<Account>::STATE_DOC
    };
    const ID: ::gesta::__private::core::option::Option<::gesta::__private::Node> = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<AccountId>::NODE
    };
    const EVENTS: &'static [::gesta::__private::EventInfo] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[::gesta::__private::Probe::<Opened>::EVENT]
    };
    const RETIRED: &'static [::gesta::__private::EventInfo] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::Probe::<Transferred>::EVENT,
            ::gesta::__private::Probe::<Printed>::EVENT,
        ]
    };
    const LOCK: ::gesta::__private::core::option::Option<::gesta::__private::Lock> = ::gesta::__private::core::option::Option::None;
    const FINGERPRINT: ::gesta::__private::core::primitive::u64 = ::gesta::__private::block_fingerprint(
        "Account",
        15594028408825581098u64,
        <Account as ::gesta::__private::Aggregate>::EVENTS,
        <Account as ::gesta::__private::Aggregate>::UPCASTS,
    );
    const UPCASTS: ::gesta::__private::core::primitive::u64 = ::gesta::__private::upcasts_fingerprint(
        14204166978731075839u64,
        <Account as ::gesta::__private::Aggregate>::RETIRED,
    );
    const SNAPSHOTS: ::gesta::__private::core::option::Option<
        ::gesta::__private::Snapshots<Self>,
    > = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<Account>::SNAPSHOTS
    };
    fn apply(
        __stage: ::gesta::__private::Stage<Self>,
        __event: AccountEvent,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Stage<Self>,
        ::gesta::__private::Misplaced,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __event {
            AccountEvent::Opened(__event) => {
                match __stage {
                    ::gesta::__private::Stage::Absent => {
                        ::gesta::__private::core::result::Result::Ok(
                            ::gesta::__private::Stage::Alive(<Account>::opened(__event)),
                        )
                    }
                    __stage => {
                        ::gesta::__private::core::result::Result::Err(
                            ::gesta::__private::misplaced(
                                &__stage,
                                ::gesta::__private::Probe::<Opened>::EVENT.name,
                                true,
                            ),
                        )
                    }
                }
            }
        }
    }
    fn decode(
        __name: &::gesta::__private::core::primitive::str,
        __version: ::gesta::__private::core::primitive::u32,
        __payload: &[::gesta::__private::core::primitive::u8],
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Decoded<AccountEvent>,
        ::gesta::__private::DecodeError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        if __name == ::gesta::__private::Probe::<Opened>::EVENT.name {
            return ::gesta::__private::core::result::Result::map(
                ::gesta::__private::Probe::<Opened>::decode_event(__version, __payload),
                |__event| ::gesta::__private::Decoded::One(AccountEvent::Opened(__event)),
            );
        }
        if __name == ::gesta::__private::Probe::<Transferred>::EVENT.name {
            return ::gesta::__private::core::result::Result::map(
                ::gesta::__private::Probe::<
                    Transferred,
                >::decode_event(__version, __payload),
                |__event| {
                    let mut __became = ::gesta::__private::std::vec::Vec::<
                        AccountEvent,
                    >::new();
                    #[allow(clippy::unit_arg)]
                    <(
                        Withdrawn,
                        Option<Charged>,
                    ) as ::gesta::__private::IntoEvents<
                        Account,
                    >>::push_to(<Account>::split(__event), &mut __became);
                    ::gesta::__private::Decoded::Became(__became)
                },
            );
        }
        if __name == ::gesta::__private::Probe::<Printed>::EVENT.name {
            return ::gesta::__private::core::result::Result::map(
                ::gesta::__private::Probe::<Printed>::decode_event(__version, __payload),
                |__event| {
                    let mut __became = ::gesta::__private::std::vec::Vec::<
                        AccountEvent,
                    >::new();
                    #[allow(clippy::unit_arg)]
                    <() as ::gesta::__private::IntoEvents<
                        Account,
                    >>::push_to(<Account>::printed(&__event), &mut __became);
                    ::gesta::__private::Decoded::Became(__became)
                },
            );
        }
        ::gesta::__private::unknown_event("Account", __name)
    }
    fn info(__event: &AccountEvent) -> ::gesta::__private::EventInfo {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __event {
            AccountEvent::Opened(_) => ::gesta::__private::Probe::<Opened>::EVENT,
        }
    }
    fn encode(
        __event: &AccountEvent,
        __payload: &mut ::gesta::__private::std::vec::Vec<
            ::gesta::__private::core::primitive::u8,
        >,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::EncodeError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __event {
            AccountEvent::Opened(__event) => {
                ::gesta::__private::Probe::<Opened>::encode_event(__event, __payload)
            }
        }
    }
}
#[automatically_derived]
impl<__M: ::gesta::__private::ReadModel> ::gesta::__private::Feeds<__M> for Account
where
    __M: ::gesta::__private::On<Account, Opened>,
{
    fn effect_of(
        __event: &::gesta::__private::core::primitive::str,
    ) -> ::gesta::__private::core::option::Option<
        ::gesta::__private::core::primitive::bool,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        if __event == ::gesta::__private::Probe::<Opened>::EVENT.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::handles(
                    <__M as ::gesta::__private::On<Account, Opened>>::EFFECT,
                ),
            );
        }
        if __event == ::gesta::__private::Probe::<Transferred>::EVENT.name {
            return ::gesta::__private::core::option::Option::Some(true);
        }
        if __event == ::gesta::__private::Probe::<Printed>::EVENT.name {
            return ::gesta::__private::core::option::Option::Some(true);
        }
        ::gesta::__private::core::option::Option::None
    }
    fn fold(
        __event: ::gesta::__private::Recorded<AccountEvent>,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::std::boxed::Box<dyn ::gesta::__private::Fold<__M>>,
        ::gesta::__private::FoldError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        let (__event, __record) = ::gesta::__private::Recorded::split(__event);
        match __event {
            AccountEvent::Opened(__event) => {
                ::gesta::__private::Probe::<
                    Opened,
                >::pending::<
                    Account,
                    __M,
                >(::gesta::__private::Recorded::map(__record, |()| __event))
            }
        }
    }
}
const _: &::gesta::__private::core::primitive::str = <Transferred as ::gesta::__private::Event>::NAME;
const _: &::gesta::__private::core::primitive::str = <Printed as ::gesta::__private::Event>::NAME;
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::distinct_names(
        "Account",
        "events",
        "event",
        &[
            ("Opened", ::gesta::__private::Probe::<Opened>::EVENT.name),
            ("Transferred", ::gesta::__private::Probe::<Transferred>::EVENT.name),
            ("Printed", ::gesta::__private::Probe::<Printed>::EVENT.name),
        ],
    )
};
