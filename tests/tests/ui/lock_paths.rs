use gesta::prelude::*;

#[event]
pub struct Opened {}

macro_rules! aggregate {
    ($name:ident, $file:literal) => {
        pub struct $name;
        #[aggregate(id = u64, schema = $file)]
        impl $name {
            fn opened(_: Opened) -> Self {
                $name
            }
        }
    };
}

// Not there yet.
aggregate!(New, "new.events");
// From the root of the package, as other macros take it.
aggregate!(FromRoot, "tests/ui/account.events");
aggregate!(Folder, "locks");
aggregate!(Here, ".");
aggregate!(Above, "../..");
aggregate!(Absolute, "/var/lib/account.events");
aggregate!(Windows, "C:\\account.events");
aggregate!(Backslash, "locks\\account.events");

pub struct Unquoted;
#[aggregate(id = u64, schema = account.events)]
impl Unquoted {
    fn opened(_: Opened) -> Self {
        Unquoted
    }
}

fn main() {}
