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
    }
    let _ = inner::Thing { one: 1 }.one;
}
