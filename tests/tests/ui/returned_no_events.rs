use gesta::prelude::*;

#[event]
pub struct Opened {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}

#[command]
pub struct Number {}
#[command]
pub struct Hidden {}
#[command]
pub struct Shared {}

#[command_handler]
impl Account {
    fn number(&self, _: Number) -> i64 {
        1
    }
}

pub struct Other;
#[aggregate(id = u64)]
impl Other {
    fn opened(_: Opened) -> Self {
        Other
    }
}
#[command_handler]
impl Other {
    fn hidden(&self, _: Hidden) -> Result<impl Iterator<Item = Opened>, String> {
        Ok(std::iter::empty())
    }
}

fn main() {}
