use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
}

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account)]
impl Row {
    fn nothing() -> Self {
        todo!()
    }
    fn shared(&self, _: &Paid) {}
    fn owned(&mut self, _: Recorded<Paid>) {}
    fn lost(_: Option<Self>, _: &Paid) {}
    async fn waits(&mut self, _: &Paid) {}
    #[key]
    fn keyed(&mut self, _: &Paid) {}
}

fn main() {}
