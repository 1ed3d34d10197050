use gesta::prelude::*;

#[event]
pub struct Opened {}
#[event]
pub struct Paid {}
#[event]
pub struct Old {}

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn opened(_: Opened) -> Self {
        Account
    }
    fn paid(&mut self, _: Paid) {}

    #[upcast]
    fn applied(_: Paid) -> Opened {
        Opened {}
    }
    #[upcast]
    fn first(_: Old) {}
    #[upcast]
    fn second(_: Old) {}

    #[upcast]
    fn no_event() -> Paid {
        Paid {}
    }
    #[upcast]
    fn of_state(&self, _: Old) -> Paid {
        Paid {}
    }
    #[upcast]
    async fn waits(_: Old) -> Paid {
        Paid {}
    }
    #[upcast]
    fn two(_: Old, _: Old) -> Paid {
        Paid {}
    }
    #[upcast]
    fn generic<T>(_: T) -> Paid {
        Paid {}
    }
    #[upcast]
    fn fails(_: Old) -> Result<Paid, String> {
        Ok(Paid {})
    }
    #[upcast]
    fn state(_: Old) -> Self {
        Account
    }
    #[upcast]
    fn anything(_: Old) -> impl Iterator<Item = Paid> {
        std::iter::empty()
    }
    #[upcast]
    fn changed(_: &mut Old) {}
    #[upcast]
    fn recorded(_: &Recorded<Old>) {}
    #[upcast]
    fn number(_: i64) {}
    #[upcast(Old)]
    fn argued(_: Old) {}
    #[upcast]
    #[upcast]
    fn twice(_: Old) {}
}

pub struct Empty;
#[aggregate(id = u64)]
impl Empty {
    #[upcast]
    fn old(_: Old) {}
}

#[command]
pub struct Pay {}
#[command_handler]
impl Account {
    #[upcast]
    fn pay(&self, _: Pay) -> Paid {
        Paid {}
    }
}

#[derive(ReadModel)]
pub struct Row {
    #[key]
    id: u64,
}
#[projection(of = Account, ignore(Opened))]
impl Row {
    #[upcast]
    fn paid(&mut self, _: Paid) {}
}

fn main() {}
