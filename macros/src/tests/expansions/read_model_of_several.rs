#[automatically_derived]
impl ::gesta::__private::ReadModel for Both {
    type Key = u64;
    const TABLE: &'static ::gesta::__private::core::primitive::str = "both";
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const COLUMNS: &'static [::gesta::__private::Column] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        const __FIELDS: &[::gesta::__private::Column] = &[
            ::gesta::__private::Column {
                name: "id",
                kind: ::gesta::__private::Probe::<u64>::KIND,
                nullable: ::gesta::__private::Probe::<u64>::NULLABLE,
                role: ::gesta::__private::ColumnRole::Key,
                doc: "",
            },
        ];
        const __INDEXES: &[::gesta::__private::IndexColumn] = &[
            ::gesta::__private::IndexColumn {
                field: 0usize,
                name: "gesta_order_id",
                form: ::gesta::__private::Probe::<u64>::INDEX,
            },
        ];
        const __ALL: [::gesta::__private::Column; 1usize
            + ::gesta::__private::own_columns(__INDEXES)] = ::gesta::__private::all_columns(
            __FIELDS,
            __INDEXES,
        );
        &__ALL
    };
    const MAY_HOLD_OPAQUE: ::gesta::__private::core::primitive::bool = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::any_opaque(&[::gesta::__private::Probe::<u64>::NODE])
    };
    fn key(&self) -> &u64 {
        &self.id
    }
    fn to_row(
        &self,
    ) -> ::gesta::__private::core::result::Result<
        ::gesta::__private::Row,
        ::gesta::__private::ColumnError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        let mut __row = ::gesta::__private::std::vec::Vec::with_capacity(1usize);
        ::gesta::__private::put(
            &mut __row,
            "id",
            ::gesta::__private::Probe::<u64>::to_column(&self.id),
        )?;
        ::gesta::__private::put_index(
            &mut __row,
            "id",
            ::gesta::__private::Probe::<u64>::INDEX,
            || ::gesta::__private::Probe::<u64>::to_index(&self.id),
        )?;
        ::gesta::__private::core::result::Result::Ok(__row)
    }
    fn from_row(
        __row: ::gesta::__private::Row,
    ) -> ::gesta::__private::core::result::Result<
        Self,
        ::gesta::__private::ColumnError,
    > {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        let mut __row = ::gesta::__private::std::iter::IntoIterator::into_iter(__row);
        ::gesta::__private::core::result::Result::Ok(Self {
            id: ::gesta::__private::take(
                &mut __row,
                "id",
                ::gesta::__private::Probe::<u64>::from_column,
            )?,
        })
    }
}
#[automatically_derived]
#[allow(private_interfaces, unreachable_pub, dead_code)]
impl Both {
    ///The key `id`, to find rows by.
    pub const ID: ::gesta::__private::IndexedColumn<Self, u64> = ::gesta::__private::IndexedColumn::new(
        ::gesta::__private::place_of(
            <Self as ::gesta::__private::ReadModel>::COLUMNS,
            "gesta_order_id",
            0usize,
        ),
    );
}
#[automatically_derived]
impl ::gesta::__private::Sourced for Both {
    const FINGERPRINT: ::gesta::__private::core::primitive::u64 = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::model_fingerprint(
            <Both as ::gesta::__private::ReadModel>::COLUMNS,
            &[
                10538644251717654234u64,
                ::gesta::__private::index_schema(
                    ::gesta::__private::Probe::<u64>::SCHEMA,
                    ::gesta::__private::Probe::<u64>::INDEX,
                ),
            ],
            &[
                <Both as ::gesta::__private::ProjectionBlock<Account>>::FINGERPRINT,
                <Both as ::gesta::__private::ProjectionBlock<Customer>>::FINGERPRINT,
            ],
            2,
        )
    };
    fn sources(__sink: &mut ::gesta::__private::SourceSink<Self>) {
        <Both as ::gesta::__private::ProjectionBlock<Account>>::source(__sink);
        <Both as ::gesta::__private::ProjectionBlock<Customer>>::source(__sink);
    }
}
#[automatically_derived]
impl ::gesta::__private::PlaceOf<Account> for Both {
    type Place = Account;
}
#[automatically_derived]
impl ::gesta::__private::PlaceOf<Customer> for Both {
    type Place = Customer;
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::check_column(
        ::gesta::__private::ColumnRole::Key,
        ::gesta::__private::Probe::<u64>::NULLABLE,
        ::gesta::__private::Probe::<u64>::FLAW,
        ::gesta::__private::Probe::<u64>::INDEX,
    )
};
