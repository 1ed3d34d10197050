#[allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref
)]
impl Account {
    fn open(cmd: Open) -> Opened {
        todo!()
    }
    async fn pay(
        &self,
        cmd: &Pay,
        bank: &dyn Bank,
        cx: &Context,
    ) -> Result<Paid, Error> {
        todo!()
    }
    fn ensure(this: Option<&Self>, cmd: Ensure) {}
}
#[automatically_derived]
impl ::gesta::__private::Command for Open
where
    for<'__any> Opened: ::gesta::__private::Answer,
{
    type Aggregate = Account;
    const INFO: ::gesta::__private::CommandInfo = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::command_info(::gesta::__private::Probe::<Open>::COMMAND, &[])
    };
}
#[automatically_derived]
impl ::gesta::__private::Handle<Open> for Account
where
    for<'__any> Opened: ::gesta::__private::Answer,
{
    type Error = <Opened as ::gesta::__private::Answer>::Error;
    #[allow(clippy::manual_async_fn, clippy::unused_async)]
    fn handle<'__a>(
        __stage: &'__a ::gesta::__private::Stage<Self>,
        __command: Open,
        __env: &'__a ::gesta::__private::Env,
    ) -> impl ::gesta::__private::core::future::Future<
        Output = ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<
                <Account as ::gesta::__private::Handle<Open>>::Error,
            >,
        >,
    > + ::gesta::__private::core::marker::Send + '__a {
        #[allow(clippy::type_complexity, clippy::let_unit_value)]
        fn __answer(
            __given: Opened,
        ) -> ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<<Opened as ::gesta::__private::Answer>::Error>,
        > {
            let __given = ::gesta::__private::core::result::Result::map_err(
                <Opened as ::gesta::__private::Answer>::split(__given),
                ::gesta::__private::Refusal::Rejected,
            )?;
            let mut __events = ::gesta::__private::std::vec::Vec::new();
            <<Opened as ::gesta::__private::Answer>::Events as ::gesta::__private::IntoEvents<
                Account,
            >>::push_to(__given, &mut __events);
            ::gesta::__private::core::result::Result::Ok(__events)
        }
        async move {
            let _ = __env;
            ::gesta::__private::absent::<
                Account,
                <Account as ::gesta::__private::Handle<Open>>::Error,
            >(__stage)?;
            __answer(<Account>::open(__command))
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Command for Pay {
    type Aggregate = Account;
    const INFO: ::gesta::__private::CommandInfo = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::command_info(
            ::gesta::__private::Probe::<Pay>::COMMAND,
            &[
                ::gesta::__private::Need::of::<dyn Bank>(),
                ::gesta::__private::Need::of::<Context>(),
            ],
        )
    };
}
#[automatically_derived]
impl ::gesta::__private::Handle<Pay> for Account {
    type Error = <Result<Paid, Error> as ::gesta::__private::Answer>::Error;
    #[allow(clippy::manual_async_fn, clippy::unused_async)]
    fn handle<'__a>(
        __stage: &'__a ::gesta::__private::Stage<Self>,
        __command: Pay,
        __env: &'__a ::gesta::__private::Env,
    ) -> impl ::gesta::__private::core::future::Future<
        Output = ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<
                <Account as ::gesta::__private::Handle<Pay>>::Error,
            >,
        >,
    > + ::gesta::__private::core::marker::Send + '__a {
        #[allow(clippy::type_complexity, clippy::let_unit_value)]
        fn __answer(
            __given: Result<Paid, Error>,
        ) -> ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<
                <Result<Paid, Error> as ::gesta::__private::Answer>::Error,
            >,
        > {
            let __given = ::gesta::__private::core::result::Result::map_err(
                <Result<Paid, Error> as ::gesta::__private::Answer>::split(__given),
                ::gesta::__private::Refusal::Rejected,
            )?;
            let mut __events = ::gesta::__private::std::vec::Vec::new();
            <<Result<
                Paid,
                Error,
            > as ::gesta::__private::Answer>::Events as ::gesta::__private::IntoEvents<
                Account,
            >>::push_to(__given, &mut __events);
            ::gesta::__private::core::result::Result::Ok(__events)
        }
        async move {
            let _ = __env;
            let __state = ::gesta::__private::alive::<
                Account,
                <Account as ::gesta::__private::Handle<Pay>>::Error,
            >(__stage)?;
            __answer(
                <Account>::pay(
                        __state,
                        &__command,
                        ::gesta::__private::Env::parameter::<dyn Bank>(__env),
                        ::gesta::__private::Env::parameter::<Context>(__env),
                    )
                    .await,
            )
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::Command for Ensure {
    type Aggregate = Account;
    const INFO: ::gesta::__private::CommandInfo = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::command_info(
            ::gesta::__private::Probe::<Ensure>::COMMAND,
            &[],
        )
    };
}
#[automatically_derived]
impl ::gesta::__private::Handle<Ensure> for Account {
    type Error = <() as ::gesta::__private::Answer>::Error;
    #[allow(clippy::manual_async_fn, clippy::unused_async)]
    fn handle<'__a>(
        __stage: &'__a ::gesta::__private::Stage<Self>,
        __command: Ensure,
        __env: &'__a ::gesta::__private::Env,
    ) -> impl ::gesta::__private::core::future::Future<
        Output = ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<
                <Account as ::gesta::__private::Handle<Ensure>>::Error,
            >,
        >,
    > + ::gesta::__private::core::marker::Send + '__a {
        #[allow(clippy::type_complexity, clippy::let_unit_value)]
        fn __answer(
            __given: (),
        ) -> ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Account as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<<() as ::gesta::__private::Answer>::Error>,
        > {
            let __given = ::gesta::__private::core::result::Result::map_err(
                <() as ::gesta::__private::Answer>::split(__given),
                ::gesta::__private::Refusal::Rejected,
            )?;
            let mut __events = ::gesta::__private::std::vec::Vec::new();
            <<() as ::gesta::__private::Answer>::Events as ::gesta::__private::IntoEvents<
                Account,
            >>::push_to(__given, &mut __events);
            ::gesta::__private::core::result::Result::Ok(__events)
        }
        async move {
            let _ = __env;
            let __state = ::gesta::__private::not_ended::<
                Account,
                <Account as ::gesta::__private::Handle<Ensure>>::Error,
            >(__stage)?;
            __answer(<Account>::ensure(__state, __command))
        }
    }
}
///Everything that can be asked of [`Account`].
#[allow(
    private_interfaces,
    unreachable_pub,
    dead_code,
    non_camel_case_types,
    clippy::large_enum_variant,
    clippy::module_name_repetitions
)]
pub enum AccountCommand {
    ///`Open` is asked.
    Open(Open),
    ///`Pay` is asked.
    Pay(Pay),
    ///`Ensure` is asked.
    Ensure(Ensure),
}
#[automatically_derived]
impl ::gesta::__private::core::clone::Clone for AccountCommand {
    fn clone(&self) -> Self {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self::Open { 0: __a0 } => {
                Self::Open {
                    0: ::gesta::__private::Probe::<Open>::clone(__a0),
                }
            }
            Self::Pay { 0: __a0 } => {
                Self::Pay {
                    0: ::gesta::__private::Probe::<Pay>::clone(__a0),
                }
            }
            Self::Ensure { 0: __a0 } => {
                Self::Ensure {
                    0: ::gesta::__private::Probe::<Ensure>::clone(__a0),
                }
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::fmt::Debug for AccountCommand {
    fn fmt(
        &self,
        __f: &mut ::gesta::__private::core::fmt::Formatter<'_>,
    ) -> ::gesta::__private::core::fmt::Result {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            Self::Open { 0: __a0 } => {
                __f.debug_tuple("Open")
                    .field(::gesta::__private::Probe::<Open>::debug(__a0))
                    .finish()
            }
            Self::Pay { 0: __a0 } => {
                __f.debug_tuple("Pay")
                    .field(::gesta::__private::Probe::<Pay>::debug(__a0))
                    .finish()
            }
            Self::Ensure { 0: __a0 } => {
                __f.debug_tuple("Ensure")
                    .field(::gesta::__private::Probe::<Ensure>::debug(__a0))
                    .finish()
            }
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::cmp::PartialEq for AccountCommand {
    fn eq(&self, __other: &Self) -> ::gesta::__private::core::primitive::bool {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match (self, __other) {
            (Self::Open { 0: __a0 }, Self::Open { 0: __b0 }) => {
                ::gesta::__private::Probe::<Open>::eq(__a0, __b0)
            }
            (Self::Pay { 0: __a0 }, Self::Pay { 0: __b0 }) => {
                ::gesta::__private::Probe::<Pay>::eq(__a0, __b0)
            }
            (Self::Ensure { 0: __a0 }, Self::Ensure { 0: __b0 }) => {
                ::gesta::__private::Probe::<Ensure>::eq(__a0, __b0)
            }
            _ => false,
        }
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Open> for AccountCommand {
    fn from(__command: Open) -> Self {
        AccountCommand::Open(__command)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Pay> for AccountCommand {
    fn from(__command: Pay) -> Self {
        AccountCommand::Pay(__command)
    }
}
#[automatically_derived]
impl ::gesta::__private::core::convert::From<Ensure> for AccountCommand {
    fn from(__command: Ensure) -> Self {
        AccountCommand::Ensure(__command)
    }
}
#[automatically_derived]
impl ::gesta::__private::AnyCommand for AccountCommand {
    fn info(&self) -> ::gesta::__private::CommandInfo {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        match self {
            AccountCommand::Open(_) => ::gesta::__private::Probe::<Open>::HANDLED,
            AccountCommand::Pay(_) => ::gesta::__private::Probe::<Pay>::HANDLED,
            AccountCommand::Ensure(_) => ::gesta::__private::Probe::<Ensure>::HANDLED,
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
        match self {
            AccountCommand::Open(__command) => {
                ::gesta::__private::Probe::<Open>::encode_command(__command, __payload)
            }
            AccountCommand::Pay(__command) => {
                ::gesta::__private::Probe::<Pay>::encode_command(__command, __payload)
            }
            AccountCommand::Ensure(__command) => {
                ::gesta::__private::Probe::<Ensure>::encode_command(__command, __payload)
            }
        }
    }
    fn as_any(
        &self,
    ) -> &(dyn ::gesta::__private::core::any::Any + ::gesta::__private::core::marker::Send + ::gesta::__private::core::marker::Sync) {
        match self {
            AccountCommand::Open(__command) => __command,
            AccountCommand::Pay(__command) => __command,
            AccountCommand::Ensure(__command) => __command,
        }
    }
    fn decode(
        __name: &::gesta::__private::core::primitive::str,
        __payload: &[::gesta::__private::core::primitive::u8],
    ) -> ::gesta::__private::core::option::Option<
        ::gesta::__private::core::result::Result<Self, ::gesta::__private::DecodeError>,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        if __name == ::gesta::__private::Probe::<Open>::COMMAND.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::core::result::Result::map(
                    ::gesta::__private::Probe::<Open>::decode_command(__payload),
                    Self::Open,
                ),
            );
        }
        if __name == ::gesta::__private::Probe::<Pay>::COMMAND.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::core::result::Result::map(
                    ::gesta::__private::Probe::<Pay>::decode_command(__payload),
                    Self::Pay,
                ),
            );
        }
        if __name == ::gesta::__private::Probe::<Ensure>::COMMAND.name {
            return ::gesta::__private::core::option::Option::Some(
                ::gesta::__private::core::result::Result::map(
                    ::gesta::__private::Probe::<Ensure>::decode_command(__payload),
                    Self::Ensure,
                ),
            );
        }
        ::gesta::__private::core::option::Option::None
    }
}
#[automatically_derived]
impl ::gesta::__private::Commands for Account {
    type Command = AccountCommand;
    const COMMANDS: &'static [::gesta::__private::CommandInfo] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        &[
            ::gesta::__private::Probe::<Open>::HANDLED,
            ::gesta::__private::Probe::<Pay>::HANDLED,
            ::gesta::__private::Probe::<Ensure>::HANDLED,
        ]
    };
}
#[automatically_derived]
impl<__E> ::gesta::__private::Dispatch<__E> for Account
where
    __E: ::gesta::__private::core::marker::Send + 'static,
    for<'__any> Opened: ::gesta::__private::Raise<__E>,
    for<'__any> Result<Paid, Error>: ::gesta::__private::Raise<__E>,
    for<'__any> (): ::gesta::__private::Raise<__E>,
{
    #[allow(clippy::manual_async_fn, unused_variables)]
    fn dispatch<'__a>(
        __stage: &'__a ::gesta::__private::Stage<Self>,
        __command: AccountCommand,
        __env: &'__a ::gesta::__private::Env,
    ) -> impl ::gesta::__private::core::future::Future<
        Output = ::gesta::__private::core::result::Result<
            ::gesta::__private::std::vec::Vec<
                <Self as ::gesta::__private::Aggregate>::Event,
            >,
            ::gesta::__private::Refusal<__E>,
        >,
    > + ::gesta::__private::core::marker::Send + '__a {
        async move {
            match __command {
                AccountCommand::Open(__command) => {
                    ::gesta::__private::core::result::Result::map_err(
                        <Account as ::gesta::__private::Handle<
                            Open,
                        >>::handle(__stage, __command, __env)
                            .await,
                        |__refusal| ::gesta::__private::Refusal::map(
                            __refusal,
                            <Opened as ::gesta::__private::Raise<__E>>::raise,
                        ),
                    )
                }
                AccountCommand::Pay(__command) => {
                    ::gesta::__private::core::result::Result::map_err(
                        <Account as ::gesta::__private::Handle<
                            Pay,
                        >>::handle(__stage, __command, __env)
                            .await,
                        |__refusal| ::gesta::__private::Refusal::map(
                            __refusal,
                            <Result<
                                Paid,
                                Error,
                            > as ::gesta::__private::Raise<__E>>::raise,
                        ),
                    )
                }
                AccountCommand::Ensure(__command) => {
                    ::gesta::__private::core::result::Result::map_err(
                        <Account as ::gesta::__private::Handle<
                            Ensure,
                        >>::handle(__stage, __command, __env)
                            .await,
                        |__refusal| ::gesta::__private::Refusal::map(
                            __refusal,
                            <() as ::gesta::__private::Raise<__E>>::raise,
                        ),
                    )
                }
            }
        }
    }
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::distinct_names(
        "Account",
        "commands",
        "command",
        &[
            ("Open", ::gesta::__private::Probe::<Open>::COMMAND.name),
            ("Pay", ::gesta::__private::Probe::<Pay>::COMMAND.name),
            ("Ensure", ::gesta::__private::Probe::<Ensure>::COMMAND.name),
        ],
    )
};
