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

#[command]
pub struct One {}
#[command]
pub struct Two {}
#[command]
pub struct Many {}
#[command]
pub struct Fallible {}
#[command]
pub struct Later {}

#[command_handler]
impl Account {
    fn one(&self, _: One) -> Closed {
        Closed {}
    }
    fn two(&self, _: Two) -> (Opened, Closed) {
        (Opened {}, Closed {})
    }
    fn many(&self, _: Many) -> Vec<Closed> {
        Vec::new()
    }
    fn fallible(&self, _: Fallible) -> Result<Option<Closed>, String> {
        Ok(None)
    }
    async fn later(&self, _: Later) -> Result<Closed, String> {
        Ok(Closed {})
    }
}

fn main() {}
