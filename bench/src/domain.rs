//! An account, with an event of six fields as they are usual.

use gesta::prelude::*;

#[id]
pub struct AccountId(String);

#[event]
pub struct Opened {
    pub owner: String,
}

#[event]
pub struct Deposited {
    pub transaction: Uuid,
    pub reference: String,
    pub cents: i64,
    pub at_us: i64,
    pub tags: Vec<u32>,
    pub note: Option<String>,
}

pub struct Account {
    pub cents: i64,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(_: &Opened) -> Self {
        Account { cents: 0 }
    }
    fn deposited(&mut self, e: &Deposited) {
        self.cents += e.cents;
    }
}

#[command]
pub struct Open {
    pub owner: String,
}
#[command]
pub struct Deposit {
    pub transaction: Uuid,
    pub reference: String,
    pub cents: i64,
}

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { owner: cmd.owner }
    }
    fn deposit(&self, cmd: Deposit) -> Result<Deposited, &'static str> {
        if cmd.cents <= 0 {
            return Err("nothing to deposit");
        }
        Ok(deposited(cmd.transaction, cmd.reference, cmd.cents))
    }
}

/// What both, the framework's handler and the loop by hand, make of a deposit.
pub fn deposited(transaction: Uuid, reference: String, cents: i64) -> Deposited {
    Deposited {
        transaction,
        reference,
        cents,
        at_us: 1_790_000_000_000_000 + cents,
        tags: vec![1, 2, 3],
        note: Some("at the counter".into()),
    }
}

/// The sum of all accounts by their first letter: few rows, folded from all events.
#[derive(Debug, ReadModel)]
pub struct Sums {
    #[key]
    pub letter: String,
    pub cents: i64,
}

#[projection(of = Account, ignore(Opened))]
impl Sums {
    #[key = e.stream.id().chars().last().map(String::from).unwrap_or_default()]
    fn deposited(row: Option<Self>, e: &Recorded<Deposited>) -> Option<Self> {
        let letter = e.stream.id().chars().last().map(String::from).unwrap_or_default();
        Some(Sums { letter, cents: row.map_or(0, |row| row.cents) + e.cents })
    }
}
