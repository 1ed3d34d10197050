use gesta::prelude::*;

#[event]
pub struct Opened {
    pub owner: String,
}

pub struct Account {
    owner: String,
}
#[aggregate(id = u64)]
impl Account {
    fn opened(e: Opened) -> Self {
        let owner = e. ;
        Account { owner }
    }
}

fn event(e: Opened) -> AccountEvent {
    e.into()
}

fn main() {}
