//! Locks that can't be read: each is one error that names the line, whatever the types are.

use gesta::prelude::*;

mod empty {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "empty.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod no_lock {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "no_lock.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod newer_format {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "newer_format.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod byte_order_mark {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "byte_order_mark.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod merge_markers {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "merge_markers.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod doubled_section {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "doubled_section.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod doubled_released {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "doubled_released.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod out_of_order {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "out_of_order.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod crlf_out_of_order {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "crlf_out_of_order.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod missing_version {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "missing_version.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod no_aggregate {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "no_aggregate.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

mod stray_line {
    use super::*;
    #[event]
    pub struct Happened { pub a: i64 }
    pub struct Thing;
    #[aggregate(id = u64, schema = "stray_line.events")]
    impl Thing {
        fn happened(_: Happened) -> Self { Thing }
    }
}

fn main() {}
