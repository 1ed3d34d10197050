#[automatically_derived]
impl ::gesta::__private::ReadModel for Row {
    type Key = AccountId;
    const TABLE: &'static ::gesta::__private::core::primitive::str = "rows";
    const DOC: &'static ::gesta::__private::core::primitive::str = "";
    const COLUMNS: &'static [::gesta::__private::Column] = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        const __FIELDS: &[::gesta::__private::Column] = &[
            ::gesta::__private::Column {
                name: "id",
                kind: ::gesta::__private::Probe::<AccountId>::KIND,
                nullable: ::gesta::__private::Probe::<AccountId>::NULLABLE,
                role: ::gesta::__private::ColumnRole::Key,
                doc: "",
            },
            ::gesta::__private::Column {
                name: "balance",
                kind: <Cents as ::gesta::__private::ColumnType>::KIND,
                nullable: <Cents as ::gesta::__private::ColumnType>::NULLABLE,
                role: ::gesta::__private::ColumnRole::Indexed,
                doc: "How much there is.",
            },
            ::gesta::__private::Column {
                name: "type",
                kind: <Option<Channel> as ::gesta::__private::ColumnType>::KIND,
                nullable: <Option<Channel> as ::gesta::__private::ColumnType>::NULLABLE,
                role: ::gesta::__private::ColumnRole::Plain,
                doc: "",
            },
        ];
        const __INDEXES: &[::gesta::__private::IndexColumn] = &[
            ::gesta::__private::IndexColumn {
                field: 0usize,
                name: "gesta_order_id",
                form: ::gesta::__private::Probe::<AccountId>::INDEX,
            },
            ::gesta::__private::IndexColumn {
                field: 1usize,
                name: "gesta_order_balance",
                form: ::gesta::__private::Probe::<Cents>::INDEX,
            },
        ];
        const __ALL: [::gesta::__private::Column; 3usize
            + ::gesta::__private::own_columns(__INDEXES)] = ::gesta::__private::all_columns(
            __FIELDS,
            __INDEXES,
        );
        &__ALL
    };
    const MAY_HOLD_OPAQUE: ::gesta::__private::core::primitive::bool = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::any_opaque(
            &[
                ::gesta::__private::Probe::<AccountId>::NODE,
                ::gesta::__private::Probe::<Cents>::NODE,
                ::gesta::__private::Probe::<Option<Channel>>::NODE,
            ],
        )
    };
    fn key(&self) -> &AccountId {
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
        let mut __row = ::gesta::__private::std::vec::Vec::with_capacity(3usize);
        ::gesta::__private::put(
            &mut __row,
            "id",
            ::gesta::__private::Probe::<AccountId>::to_column(&self.id),
        )?;
        ::gesta::__private::put(
            &mut __row,
            "balance",
            <Cents as ::gesta::__private::ColumnType>::to_value(&self.balance),
        )?;
        ::gesta::__private::put(
            &mut __row,
            "type",
            <Option<Channel> as ::gesta::__private::ColumnType>::to_value(&self.r#type),
        )?;
        ::gesta::__private::put_index(
            &mut __row,
            "id",
            ::gesta::__private::Probe::<AccountId>::INDEX,
            || ::gesta::__private::Probe::<AccountId>::to_index(&self.id),
        )?;
        ::gesta::__private::put_index(
            &mut __row,
            "balance",
            ::gesta::__private::Probe::<Cents>::INDEX,
            || ::gesta::__private::Probe::<Cents>::to_index(&self.balance),
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
                ::gesta::__private::Probe::<AccountId>::from_column,
            )?,
            balance: ::gesta::__private::take(
                &mut __row,
                "balance",
                <Cents as ::gesta::__private::ColumnType>::from_value,
            )?,
            r#type: ::gesta::__private::take(
                &mut __row,
                "type",
                <Option<Channel> as ::gesta::__private::ColumnType>::from_value,
            )?,
        })
    }
}
#[automatically_derived]
#[allow(private_interfaces, unreachable_pub, dead_code)]
impl Row {
    ///The key `id`, to find rows by.
    pub const ID: ::gesta::__private::IndexedColumn<Self, AccountId> = ::gesta::__private::IndexedColumn::new(
        ::gesta::__private::place_of(
            <Self as ::gesta::__private::ReadModel>::COLUMNS,
            "gesta_order_id",
            0usize,
        ),
    );
    ///The column `balance`, to find rows by. How much there is.
    pub const BALANCE: ::gesta::__private::IndexedColumn<Self, Cents> = ::gesta::__private::IndexedColumn::new(
        ::gesta::__private::place_of(
            <Self as ::gesta::__private::ReadModel>::COLUMNS,
            "gesta_order_balance",
            1usize,
        ),
    );
}
#[automatically_derived]
impl ::gesta::__private::Sourced for Row
where
    for<'__any> Row: ::gesta::__private::ProjectionBlock<
        ::gesta::__private::SeveralBlocksNeed_read_model_of,
    >,
{
    const FINGERPRINT: ::gesta::__private::core::primitive::u64 = {
        #[allow(unused_imports)]
        use ::gesta::__private::Lacks as _;
        ::gesta::__private::model_fingerprint(
            <Row as ::gesta::__private::ReadModel>::COLUMNS,
            &[
                15311664008296111091u64,
                ::gesta::__private::index_schema(
                    ::gesta::__private::Probe::<AccountId>::SCHEMA,
                    ::gesta::__private::Probe::<AccountId>::INDEX,
                ),
                ::gesta::__private::index_schema(
                    ::gesta::__private::Probe::<Cents>::SCHEMA,
                    ::gesta::__private::Probe::<Cents>::INDEX,
                ),
                ::gesta::__private::Probe::<Option<Channel>>::SCHEMA,
            ],
            &[
                <Row as ::gesta::__private::ProjectionBlock<
                    ::gesta::__private::SeveralBlocksNeed_read_model_of,
                >>::FINGERPRINT,
            ],
            0,
        )
    };
    fn sources(__sink: &mut ::gesta::__private::SourceSink<Self>) {
        <Row as ::gesta::__private::ProjectionBlock<
            ::gesta::__private::SeveralBlocksNeed_read_model_of,
        >>::source(__sink);
    }
}
#[automatically_derived]
impl<__A> ::gesta::__private::PlaceOf<__A> for Row {
    type Place = ::gesta::__private::SeveralBlocksNeed_read_model_of;
}
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::check_column(
        ::gesta::__private::ColumnRole::Key,
        ::gesta::__private::Probe::<AccountId>::NULLABLE,
        ::gesta::__private::Probe::<AccountId>::FLAW,
        ::gesta::__private::Probe::<AccountId>::INDEX,
    )
};
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::check_column(
        ::gesta::__private::ColumnRole::Indexed,
        ::gesta::__private::Probe::<Cents>::NULLABLE,
        ::gesta::__private::Probe::<Cents>::FLAW,
        ::gesta::__private::Probe::<Cents>::INDEX,
    )
};
const _: () = {
    #[allow(unused_imports)]
    use ::gesta::__private::Lacks as _;
    ::gesta::__private::check_column(
        ::gesta::__private::ColumnRole::Plain,
        ::gesta::__private::Probe::<Option<Channel>>::NULLABLE,
        ::gesta::__private::Probe::<Option<Channel>>::FLAW,
        ::gesta::__private::Probe::<Option<Channel>>::INDEX,
    )
};
