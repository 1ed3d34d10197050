//! Inside `macro_rules!`, whose tokens come from two places.

/// An event.
#[::evs::event(crate = ::evs)]
pub struct Other {
    /// One.
    pub one: i64,
}

macro_rules! make {
    ($event:ident, $state:ident, $id:ty, $field:ty, $old:ty, $command:ident, $row:ident) => {
        /// An event.
        #[::evs::event(version = 3, crate = ::evs)]
        #[removed(3, #[added(2, default = $crate::rules::Two {})] gone: $crate::rules::Two)]
        pub struct $event {
            /// One.
            #[converted(2, from = $old)]
            #[renamed(3, from = "before")]
            pub one: $field,
            /// Two, of a type that is named from here.
            pub two: $crate::rules::Two,
        }
        /// A state.
        pub struct $state {
            one: $field,
        }
        #[::evs::aggregate(id = $id, crate = ::evs)]
        impl $state {
            fn made(e: $event) -> Self {
                $state { one: e.one }
            }
            #[upcast]
            fn no_longer(e: $crate::rules::Retired) -> $event {
                let _ = e;
                $event { one: 1, two: $crate::rules::Two {} }
            }
            fn again(&mut self, e: &$crate::rules::Other) {
                self.one += e.one;
            }
        }
        /// A command.
        #[::evs::command(crate = ::evs)]
        pub struct $command {}
        #[::evs::command_handler(crate = ::evs)]
        impl $state {
            fn make(_: $command) -> ::std::result::Result<::std::option::Option<$event>, ::std::string::String> {
                ::std::result::Result::Ok(::std::option::Option::None)
            }
        }
        /// A row.
        #[derive(::evs::ReadModel)]
        #[read_model(crate = ::evs)]
        pub struct $row {
            #[key]
            one: $field,
        }
        #[::evs::projection(of = $state, ignore(Other), crate = ::evs)]
        impl $row {
            #[key = e.one]
            fn made(e: &$event) -> Self {
                $row { one: e.one }
            }
        }
    };
}

/// A value.
#[::evs::value(crate = ::evs)]
pub struct Two {}

/// A retired event.
#[::evs::event(crate = ::evs)]
pub struct Retired {}

make!(Made, Thing, i64, i64, i32, Make, Row);
