use gesta::prelude::*;

#[derive(ReadModel)]
pub struct Keyless {
    owner: String,
}
#[derive(ReadModel)]
pub struct TwoKeys {
    #[key]
    owner: String,
    #[key]
    year: u32,
}
#[derive(ReadModel)]
pub struct KeyAndIndex {
    #[key]
    #[index]
    owner: String,
    #[index(desc)]
    year: u32,
}
#[derive(ReadModel)]
pub struct NoKeyType {
    #[key]
    amount: f64,
}

// What uses them has no errors of its own.
#[event]
pub struct Opened {}
pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
}
#[projection(of = Account, ignore(Opened))]
impl Keyless {}

fn register<M: gesta::Projection>() {}

fn main() {
    register::<Keyless>();
}
