use gesta::prelude::*;

#[event]
pub struct Opened {
    pub owner: String,
}
#[event]
pub struct Paid {
    pub owner: String,
}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}
}

// The stream's id is no key of this, and neither is a number.
#[derive(ReadModel)]
pub struct ByOwner {
    #[key]
    owner: String,
}
#[projection(of = Account)]
impl ByOwner {
    fn opened(e: &Opened) -> Self {
        ByOwner { owner: e.owner.clone() }
    }
    #[key = e.owner.len()]
    fn paid(&mut self, e: &Paid) {}
}

// There is no name to take the key from.
#[derive(ReadModel)]
pub struct Unnamed {
    #[key]
    owner: String,
}
#[projection(of = Account, ignore(Opened))]
impl Unnamed {
    #[key = e.owner]
    fn paid(&mut self, _: &Paid) {}
}

fn main() {}
