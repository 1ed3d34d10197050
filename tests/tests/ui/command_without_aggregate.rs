use gesta::prelude::*;

#[event]
pub struct Opened {}
#[command]
pub struct Open {}

pub struct Account;
#[command_handler]
impl Account {
    fn open(_: Open) -> Opened {
        Opened {}
    }
}

fn main() {}
