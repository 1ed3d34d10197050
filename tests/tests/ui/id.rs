use gesta::prelude::*;

#[id]
pub struct AccountId(pub String);
#[id]
pub struct Named {
    id: String,
}
#[id]
pub struct Wrong(Vec<u8>);
#[id]
pub struct Two(u32, u32);
#[id]
pub enum Kind {
    A,
}
#[id]
pub struct Typed<T>(T);

// What uses them has no errors of its own.
#[event]
pub struct Opened {
    pub account: AccountId,
    pub wrong: Wrong,
}
pub struct Account;
#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: AccountId,
}

fn main() {}
