use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Closed {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[aggregate(id = u64)]
impl Account {
    fn closed(self, _: Closed) {}
}

// In a module of its own the same block is another aggregate's.
mod other {
    use super::*;
    pub struct Account;
    #[aggregate(id = u64, name = "Other")]
    impl Account {
        fn opened(_: Opened) -> Self {
            Account
        }
        fn closed(self, _: Closed) {}
    }
}

fn main() {}
