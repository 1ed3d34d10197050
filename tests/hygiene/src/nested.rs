//! Private types, types of other modules, blocks in functions.

/// A module of its own, of which nothing but one type is public.
mod inner {
    /// An event.
    #[::evs::event(crate = ::evs)]
    pub(super) struct Made {
        /// One.
        pub(super) one: i64,
    }
    #[::evs::event(crate = ::evs)]
    struct Hidden {}
    #[::evs::event(version = 3, crate = ::evs)]
    #[removed(2, gone: u8)]
    struct OfOld {
        #[converted(3, try_from = u16)]
        one: u8,
        #[added(2, default = Private(1))]
        pub(super) two: Private,
    }

    /// A state.
    pub(super) struct Thing {
        pub(super) one: i64,
    }
    #[::evs::aggregate(id = u64, crate = ::evs)]
    impl Thing {
        fn made(e: &Made) -> Thing {
            Thing { one: e.one }
        }
        fn hidden(&mut self, _: Hidden) {
            self.one += 1;
        }
        #[upcast]
        fn of_old(e: OfOld) -> Hidden {
            let _ = (e.one, e.two);
            Hidden {}
        }
    }
    #[::evs::command(crate = ::evs)]
    struct Hide {}
    #[::evs::command_handler(crate = ::evs)]
    impl Thing {
        fn hide(&self, _: Hide) -> Hidden {
            Hidden {}
        }
    }
    #[derive(::evs::ReadModel)]
    #[read_model(crate = ::evs)]
    struct PrivateRow {
        #[key]
        id: u64,
        #[index]
        one: Private,
    }
    #[::evs::value(crate = ::evs)]
    struct Private(i64);
    #[::evs::projection(of = Thing, ignore(Hidden), crate = ::evs)]
    impl PrivateRow {
        fn made(e: &::evs::Recorded<Made>) -> Self {
            PrivateRow { id: e.version.get(), one: Private(e.event.one) }
        }
    }
}

/// Everything works inside a function.
pub fn function() {
    use inner::Made as MadeElsewhere;

    #[::evs::event(crate = ::evs)]
    struct Here {}
    #[::evs::event(name = "Before", crate = ::evs)]
    struct BeforeV1 {
        one: i64,
    }
    #[::evs::event(version = 3, crate = ::evs)]
    #[converted(2, from = BeforeV1, with = before)]
    struct Before {
        #[added(3, default = 2)]
        two: i64,
    }
    fn before(old: BeforeV1) -> BeforeV2 {
        let _ = old.one;
        BeforeV2 {}
    }
    struct Local {
        one: i64,
    }
    #[::evs::aggregate(id = u64, name = "local", crate = ::evs)]
    impl Local {
        fn made(e: MadeElsewhere) -> Self {
            Local { one: e.one }
        }
        fn here(&mut self, _: &Here) {
            self.one += 1;
        }
        #[upcast]
        fn before(e: Before) -> MadeElsewhere {
            MadeElsewhere { one: e.two }
        }
    }
    let _ = inner::Thing { one: 1 }.one;
}
