#[allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref
)]
/// Where money is kept.
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner }
    }
    fn paid(&mut self, e: &events::Paid) {
        self.balance += e.amount;
    }
    fn closed(self, _: Closed) {}
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
    ///`Paid` has happened.
    Paid(events::Paid),
    ///`Closed` has happened.
    Closed(Closed),
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
            Self::Paid { 0: __a0 } => {
                Self::Paid {
                    0: ::gesta::__private::Probe::<events::Paid>::clone(__a0),
                }
            }
            Self::Closed { 0: __a0 } => {
                Self::Closed {
                    0: ::gesta::__private::Probe::<Closed>::clone(__a0),
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
            Self::Paid { 0: __a0 } => {
                __f.debug_tuple("Paid")
                    .field(::gesta::__private::Probe::<events::Paid>::debug(__a0))
                    .finish()
            }
            Self::Closed { 0: __a0 } => {
                __f.debug_tuple("Closed")
                    .field(::gesta::__private::Probe::<Closed>::debug(__a0))
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
            (Self::Paid { 0: __a0 }, Self::Paid { 0: __b0 }) => {
                ::gesta::__private::Probe::<events::Paid>::eq(__a0, __b0)
            }
            (Self::Closed { 0: __a0 }, Self::Closed { 0: __b0 }) => {
                ::gesta::__private::Probe::<Closed>::eq(__a0, __b0)
            }
            _ => false,
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
impl ::gesta::__private::core::convert::From<events::Paid> for AccountEvent {
    fn from(__event: events::Paid) -> Self {
        AccountEvent::Paid(__event)
    }
}
#[automatically_derived]
impl ::gesta::__private::EventOf<Account> for events::Paid {
    fn wrap(self) -> AccountEvent {
        AccountEvent::Paid(self)
    }
    fn unwrap(
        __event: AccountEvent,
    ) -> ::gesta::__private::core::result::Result<Self, AccountEvent> {
        #[allow(unreachable_patterns)]
        match __event {
            AccountEvent::Paid(__event) => {
                ::gesta::__private::core::result::Result::Ok(__event)
            }
            __other => ::gesta::__private::core::result::Result::Err(__other),
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::IntoEvents<Account> for events::Paid {
    fn push_to(self, __events: &mut ::gesta::__private::std::vec::Vec<AccountEvent>) {
        __events.push(AccountEvent::Paid(self));
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Closed> for AccountEvent {
    fn from(__event: Closed) -> Self {
        AccountEvent::Closed(__event)
    }
}
#[automatically_derived]
impl ::gesta::__private::EventOf<Account> for Closed {
    fn wrap(self) -> AccountEvent {
        AccountEvent::Closed(self)
    }
    fn unwrap(
        __event: AccountEvent,
    ) -> ::gesta::__private::core::result::Result<Self, AccountEvent> {
        #[allow(unreachable_patterns)]
        match __event {
            AccountEvent::Closed(__event) => {
                ::gesta::__private::core::result::Result::Ok(__event)
            }
            __other => ::gesta::__private::core::result::Result::Err(__other),
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::IntoEvents<Account> for Closed {
    fn push_to(self, __events: &mut ::gesta::__private::std::vec::Vec<AccountEvent>) {
        __events.push(AccountEvent::Closed(self));
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
    const DOC: &'static ::gesta::__private::core::primitive::str = "Where money is kept.";
    const ID: ::gesta::__private::core::option::Option<::gesta::__private::Node> = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::Probe::<AccountId>::NODE
    };
    const EVENTS: &'static [::gesta::__private::EventInfo] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::Probe::<Opened>::EVENT,
            ::gesta::__private::Probe::<events::Paid>::EVENT,
            ::gesta::__private::Probe::<Closed>::EVENT,
        ]
    };
    const RETIRED: &'static [::gesta::__private::EventInfo] = &[];
    const LOCK: ::gesta::__private::core::option::Option<::gesta::__private::Lock> = ::gesta::__private::core::option::Option::None;
    const FINGERPRINT: ::gesta::__private::core::primitive::u64 = ::gesta::__private::block_fingerprint(
        "Account",
        3154764518605736764u64,
        <Account as ::gesta::__private::Aggregate>::EVENTS,
        <Account as ::gesta::__private::Aggregate>::UPCASTS,
    );
    const UPCASTS: ::gesta::__private::core::primitive::u64 = 0;
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
            AccountEvent::Paid(__event) => {
                match __stage {
                    ::gesta::__private::Stage::Alive(mut __state) => {
                        <Account>::paid(&mut __state, &__event);
                        ::gesta::__private::core::result::Result::Ok(
                            ::gesta::__private::Stage::Alive(__state),
                        )
                    }
                    __stage => {
                        ::gesta::__private::core::result::Result::Err(
                            ::gesta::__private::misplaced(
                                &__stage,
                                ::gesta::__private::Probe::<events::Paid>::EVENT.name,
                                false,
                            ),
                        )
                    }
                }
            }
            AccountEvent::Closed(__event) => {
                match __stage {
                    ::gesta::__private::Stage::Alive(__state) => {
                        <Account>::closed(__state, __event);
                        ::gesta::__private::core::result::Result::Ok(
                            ::gesta::__private::Stage::Ended,
                        )
                    }
                    __stage => {
                        ::gesta::__private::core::result::Result::Err(
                            ::gesta::__private::misplaced(
                                &__stage,
                                ::gesta::__private::Probe::<Closed>::EVENT.name,
                                false,
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
        if __name == ::gesta::__private::Probe::<events::Paid>::EVENT.name {
            return ::gesta::__private::core::result::Result::map(
                ::gesta::__private::Probe::<
                    events::Paid,
                >::decode_event(__version, __payload),
                |__event| ::gesta::__private::Decoded::One(AccountEvent::Paid(__event)),
            );
        }
        if __name == ::gesta::__private::Probe::<Closed>::EVENT.name {
            return ::gesta::__private::core::result::Result::map(
                ::gesta::__private::Probe::<Closed>::decode_event(__version, __payload),
                |__event| ::gesta::__private::Decoded::One(AccountEvent::Closed(__event)),
            );
        }
        ::gesta::__private::unknown_event("Account", __name)
    }
    fn info(__event: &AccountEvent) -> ::gesta::__private::EventInfo {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match __event {
            AccountEvent::Opened(_) => ::gesta::__private::Probe::<Opened>::EVENT,
            AccountEvent::Paid(_) => ::gesta::__private::Probe::<events::Paid>::EVENT,
            AccountEvent::Closed(_) => ::gesta::__private::Probe::<Closed>::EVENT,
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
            AccountEvent::Paid(__event) => {
                ::gesta::__private::Probe::<
                    events::Paid,
                >::encode_event(__event, __payload)
            }
            AccountEvent::Closed(__event) => {
                ::gesta::__private::Probe::<Closed>::encode_event(__event, __payload)
            }
        }
    }
}
#[automatically_derived]
impl<__M: ::gesta::__private::ReadModel> ::gesta::__private::Feeds<__M> for Account
where
    __M: ::gesta::__private::On<Account, Opened>,
    __M: ::gesta::__private::On<Account, events::Paid>,
    __M: ::gesta::__private::On<Account, Closed>,
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
        if __event == ::gesta::__private::Probe::<events::Paid>::EVENT.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::handles(
                    <__M as ::gesta::__private::On<Account, events::Paid>>::EFFECT,
                ),
            );
        }
        if __event == ::gesta::__private::Probe::<Closed>::EVENT.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::handles(
                    <__M as ::gesta::__private::On<Account, Closed>>::EFFECT,
                ),
            );
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
            AccountEvent::Paid(__event) => {
                ::gesta::__private::Probe::<
                    events::Paid,
                >::pending::<
                    Account,
                    __M,
                >(::gesta::__private::Recorded::map(__record, |()| __event))
            }
            AccountEvent::Closed(__event) => {
                ::gesta::__private::Probe::<
                    Closed,
                >::pending::<
                    Account,
                    __M,
                >(::gesta::__private::Recorded::map(__record, |()| __event))
            }
        }
    }
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::distinct_names(
        "Account",
        "events",
        "event",
        &[
            ("Opened", ::gesta::__private::Probe::<Opened>::EVENT.name),
            ("Paid", ::gesta::__private::Probe::<events::Paid>::EVENT.name),
            ("Closed", ::gesta::__private::Probe::<Closed>::EVENT.name),
        ],
    )
};
