use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}
#[event]
pub struct Closed {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn nothing() -> Self {
        Account
    }
    fn no_event(&mut self) {}
    fn shared(&self, _: Paid) {}
    fn boxed(self: Box<Self>, _: Paid) {}
    fn neither(_: Paid) {}
    fn fails(_: Paid) -> Result<Self, String> {
        Ok(Account)
    }
    fn answers(&mut self, _: Paid) -> i64 {
        0
    }
    async fn waits(&mut self, _: Paid) {}
    fn generic<E>(&mut self, _: E) {}
    fn two(&mut self, _: Paid, _: Closed) {}
    fn either(this: Option<Self>, _: Paid) -> Option<Self> {
        this
    }
    fn recorded(&mut self, _: &Recorded<Paid>) {}
    fn changed(&mut self, _: &mut Paid) {}
    fn tuple(&mut self, _: (Paid, Closed)) {}
    fn number(&mut self, _: i64) {}
    #[key = e.id]
    fn keyed(&mut self, e: Closed) {}
    const LIMIT: i64 = 3;

    // The right ones are there all the same.
    fn opened(_: Opened) -> Account {
        Account
    }
}

fn opened(e: Opened) -> AccountEvent {
    e.into()
}

fn main() {}
