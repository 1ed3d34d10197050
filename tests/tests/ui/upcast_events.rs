use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Closed {}
#[event]
pub struct Old {}
#[event]
pub struct Older {}
#[event(name = "Opened")]
pub struct Begun {}
pub struct NoEvent;

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    #[upcast]
    fn old(_: Old) -> Closed {
        Closed {}
    }
    #[upcast]
    fn older(_: Older) -> (Opened, Option<Closed>) {
        (Opened {}, None)
    }
    #[upcast]
    fn no_event(_: NoEvent) -> Opened {
        Opened {}
    }
}

pub struct Other;
#[aggregate(id = u64)]
impl Other {
    fn opened(_: Opened) -> Self {
        Other
    }
    #[upcast]
    fn begun(_: Begun) -> Opened {
        Opened {}
    }
}

fn main() {}
