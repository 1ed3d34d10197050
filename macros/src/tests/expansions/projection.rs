#[allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref
)]
impl Row {
    fn opened(#[allow(unused_variables)] e: &Opened) -> Self {
        todo!()
    }
    fn paid(&mut self, e: Paid) {}
    fn closed(self, _: &Recorded<Closed>)
    where
        for<'__any> Closed: ::gesta::__private::HappensTo<'__any, Account>,
    {}
    fn lent(row: Option<Self>, e: &Lent) -> Option<Self> {
        row
    }
}
const _: fn() = ::gesta::__private::is_event_of::<Opened, Account>;
#[automatically_derived]
impl ::gesta::__private::On<Account, Opened> for Row {
    const EFFECT: ::gesta::__private::Effect = ::gesta::__private::Effect::Creates;
    fn row_key(
        __event: &::gesta::__private::Recorded<Opened>,
    ) -> ::gesta::__private::core::result::Result<
        <Self as ::gesta::__private::ReadModel>::Key,
        ::gesta::__private::std::string::String,
    > {
        #[allow(unused_variables)]
        let e = &__event.event;
        ::gesta::__private::core::result::Result::Ok(
            ::gesta::__private::ToKey::<
                <Row as ::gesta::__private::ReadModel>::Key,
            >::to_key(&e.owner),
        )
    }
    fn on(
        __row: &mut ::gesta::__private::core::option::Option<Self>,
        __event: &::gesta::__private::Recorded<Opened>,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::RowError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::no_row(
            __row,
            ::gesta::__private::Probe::<Opened>::EVENT.name,
        )?;
        *__row = ::gesta::__private::core::option::Option::Some(
            <Row>::opened(&__event.event),
        );
        ::gesta::__private::core::result::Result::Ok(())
    }
}
const _: fn() = ::gesta::__private::is_event_of::<Paid, Account>;
#[automatically_derived]
impl ::gesta::__private::On<Account, Paid> for Row {
    const EFFECT: ::gesta::__private::Effect = ::gesta::__private::Effect::Changes;
    fn row_key(
        __event: &::gesta::__private::Recorded<Paid>,
    ) -> ::gesta::__private::core::result::Result<
        <Self as ::gesta::__private::ReadModel>::Key,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::stream_key::<
            Account,
            <Row as ::gesta::__private::ReadModel>::Key,
        >(__event)
    }
    fn on(
        __row: &mut ::gesta::__private::core::option::Option<Self>,
        __event: &::gesta::__private::Recorded<Paid>,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::RowError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        <Row>::paid(
            ::gesta::__private::row(
                __row,
                ::gesta::__private::Probe::<Paid>::EVENT.name,
            )?,
            {
                #[allow(unused_imports)]
                use ::gesta::__private::Lacks as _;
                ::gesta::__private::Probe::<Paid>::clone(&__event.event)
            },
        );
        ::gesta::__private::core::result::Result::Ok(())
    }
}
const _: fn() = ::gesta::__private::is_event_of::<Closed, Account>;
#[automatically_derived]
impl ::gesta::__private::On<Account, Closed> for Row
where
    for<'__any> Closed: ::gesta::__private::HappensTo<'__any, Account>,
{
    const EFFECT: ::gesta::__private::Effect = ::gesta::__private::Effect::Ends;
    fn row_key(
        __event: &::gesta::__private::Recorded<Closed>,
    ) -> ::gesta::__private::core::result::Result<
        <Self as ::gesta::__private::ReadModel>::Key,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::stream_key::<
            Account,
            <Row as ::gesta::__private::ReadModel>::Key,
        >(__event)
    }
    fn on(
        __row: &mut ::gesta::__private::core::option::Option<Self>,
        __event: &::gesta::__private::Recorded<Closed>,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::RowError> {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        <Row>::closed(
            ::gesta::__private::take_row(
                __row,
                ::gesta::__private::Probe::<Closed>::EVENT.name,
            )?,
            __event,
        );
        ::gesta::__private::core::result::Result::Ok(())
    }
}
const _: fn() = ::gesta::__private::is_event_of::<Lent, Account>;
#[automatically_derived]
impl ::gesta::__private::On<Account, Lent> for Row {
    const EFFECT: ::gesta::__private::Effect = ::gesta::__private::Effect::Any;
    fn row_key(
        __event: &::gesta::__private::Recorded<Lent>,
    ) -> ::gesta::__private::core::result::Result<
        <Self as ::gesta::__private::ReadModel>::Key,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::stream_key::<
            Account,
            <Row as ::gesta::__private::ReadModel>::Key,
        >(__event)
    }
    fn on(
        __row: &mut ::gesta::__private::core::option::Option<Self>,
        __event: &::gesta::__private::Recorded<Lent>,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::RowError> {
        *__row = <Row>::lent(
            ::gesta::__private::core::option::Option::take(__row),
            &__event.event,
        );
        ::gesta::__private::core::result::Result::Ok(())
    }
}
const _: fn() = ::gesta::__private::is_event_of::<Renamed, Account>;
#[automatically_derived]
impl ::gesta::__private::On<Account, Renamed> for Row {
    const EFFECT: ::gesta::__private::Effect = ::gesta::__private::Effect::Ignores;
    fn row_key(
        _: &::gesta::__private::Recorded<Renamed>,
    ) -> ::gesta::__private::core::result::Result<
        <Self as ::gesta::__private::ReadModel>::Key,
        ::gesta::__private::std::string::String,
    > {
        ::gesta::__private::ignored()
    }
    fn on(
        _: &mut ::gesta::__private::core::option::Option<Self>,
        _: &::gesta::__private::Recorded<Renamed>,
    ) -> ::gesta::__private::core::result::Result<(), ::gesta::__private::RowError> {
        ::gesta::__private::core::result::Result::Ok(())
    }
}
#[automatically_derived]
impl ::gesta::__private::ProjectionBlock<
    <Row as ::gesta::__private::PlaceOf<Account>>::Place,
> for Row {
    const FINGERPRINT: ::gesta::__private::core::primitive::u64 = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::block_fingerprint(
            <Account as ::gesta::__private::Aggregate>::NAME,
            3617761950401720645u64,
            &[
                ::gesta::__private::Probe::<Opened>::EVENT,
                ::gesta::__private::Probe::<Paid>::EVENT,
                ::gesta::__private::Probe::<Closed>::EVENT,
                ::gesta::__private::Probe::<Lent>::EVENT,
            ],
            <Account as ::gesta::__private::Aggregate>::UPCASTS,
        )
    };
    fn source(__sink: &mut ::gesta::__private::SourceSink<Self>) {
        ::gesta::__private::SourceSink::<Self>::source::<Account>(__sink, false);
    }
}
