use gesta::prelude::*;

#[command]
pub enum Move {
    Left,
}
#[command]
pub struct Pay(i64);
#[command]
pub struct Lend<T> {
    amount: T,
}

#[event]
pub struct Opened;
pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[command_handler]
impl Account {
    fn pay(&self, _: Pay) {}
    async fn go(&self, _: &Move) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
