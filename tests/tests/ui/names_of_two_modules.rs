// R23: two types of one name in two modules.
use gesta::prelude::*;

pub mod loan_events {
    use gesta::prelude::*;
    #[event]
    pub struct Created {
        pub cents: i64,
    }
    #[command]
    pub struct Create {}
}
pub mod card_events {
    use gesta::prelude::*;
    #[event]
    pub struct Created {
        pub number: String,
    }
    #[command]
    pub struct Create {}
}
use card_events::Create;

pub struct Account;
#[aggregate(id = u64)]
impl Account {
    fn loan(_: loan_events::Created) -> Self {
        Account
    }
    fn card(&mut self, _: card_events::Created) {}
}

#[command_handler]
impl Account {
    // Neither has an error of its own.
    fn lend(_: loan_events::Create) -> loan_events::Created {
        loan_events::Created { cents: 0 }
    }
    fn issue(&self, _: Create) -> card_events::Created {
        card_events::Created { number: String::new() }
    }
}

// The advice, taken by half: the names of the structs are the stored ones.
pub struct Customer;
use card_events::Created as CardCreated;
#[aggregate(id = u64)]
impl Customer {
    fn loan(_: loan_events::Created) -> Self {
        Customer
    }
    fn card(&mut self, _: CardCreated) {}
}

fn main() {}
