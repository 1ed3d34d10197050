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
    fn paid(&mut self, e: &Paid) {
        self.owner = e.owner.clone();
    }
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

// A key that is always the same needs no name.
#[derive(ReadModel)]
pub struct Total {
    #[key]
    one: u8,
    accounts: u32,
    paid: u32,
}
const TOTAL: u8 = 0;
const fn total() -> u8 {
    TOTAL
}
#[projection(of = Account)]
impl Total {
    #[key = 0]
    fn opened(row: Option<Self>, _: &Opened) -> Option<Self> {
        let accounts = row.map_or(0, |row| row.accounts) + 1;
        Some(Total { one: TOTAL, accounts, paid: 0 })
    }
    #[key = total()]
    fn paid(&mut self, _: &Paid) {
        self.paid += 1;
    }
}

fn main() {}
