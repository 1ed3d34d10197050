//! An account, with all that a test kit can come upon.

use std::time::Duration;

use crate::prelude::*;

#[id]
pub(super) struct AccountId(u64);

#[event]
pub(super) struct Opened {
    pub(super) owner: String,
}

#[event]
pub(super) struct Deposited {
    pub(super) amount: f64,
    pub(super) at: Timestamp,
    pub(super) by: String,
    pub(super) id: Uuid,
}

/// Its `lost` is not stored: an event that is read back as something else.
#[event]
pub(super) struct Renamed {
    pub(super) owner: String,
    #[serde(with = "nothing")]
    #[schema(opaque = "always 0")]
    pub(super) lost: u8,
}

#[event]
pub(super) struct Closed;

mod nothing {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    pub(super) fn serialize<S: serde::Serializer>(_: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

impl Deposited {
    /// As the handler makes it where the test says nothing of its surroundings; the `number`th id is its own.
    pub(super) fn of(amount: f64, number: u64) -> Self {
        Deposited { amount, at: super::START, by: String::new(), id: super::SequentialIds::nth(number) }
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Account {
    pub(super) owner: String,
    pub(super) balance: f64,
}

#[aggregate(id = AccountId)]
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner, balance: 0.0 }
    }
    fn deposited(&mut self, e: &Deposited) {
        self.balance += e.amount;
    }
    fn renamed(&mut self, e: Renamed) {
        self.owner = e.owner;
    }
    fn closed(self, _: &Closed) {}
}

#[command]
pub(super) struct Open {
    pub(super) owner: String,
}

#[command]
pub(super) struct Deposit {
    pub(super) amount: f64,
}

#[command]
pub(super) struct Lend {
    pub(super) amount: f64,
}

#[command]
pub(super) struct Rename {
    pub(super) lost: u8,
}

#[command]
pub(super) struct Close {
    pub(super) times: usize,
}

/// A service.
pub(super) trait Bank: Send + Sync {
    fn max(&self) -> f64;
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum AccountError {
    NotPositive,
    TooHigh { max: f64 },
}

#[command_handler]
impl Account {
    fn open(cmd: Open) -> Opened {
        Opened { owner: cmd.owner }
    }
    fn deposit(&self, cmd: &Deposit, context: &Context) -> Result<Deposited, AccountError> {
        if cmd.amount <= 0.0 {
            return Err(AccountError::NotPositive);
        }
        let by = context.actor().unwrap_or_default().to_owned();
        Ok(Deposited { amount: cmd.amount, at: context.occurred_at(), by, id: context.new_id() })
    }
    async fn lend(&self, cmd: &Lend, bank: &dyn Bank, context: &Context) -> Result<Deposited, AccountError> {
        // A handler may wait for something of the runtime's.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if cmd.amount > bank.max() {
            return Err(AccountError::TooHigh { max: bank.max() });
        }
        Ok(Deposited { by: context.id().to_owned(), ..Deposited::of(cmd.amount, context.version().get()) })
    }
    fn rename(&self, cmd: &Rename) -> Option<Renamed> {
        (cmd.lost > 0).then(|| Renamed { owner: self.owner.clone(), lost: cmd.lost })
    }
    fn close(&self, cmd: &Close) -> Vec<Closed> {
        vec![Closed; cmd.times]
    }
}

/// A read model: a row for each account that is open.
#[derive(ReadModel, Debug, Clone, PartialEq)]
pub(super) struct Summary {
    #[key]
    pub(super) account: AccountId,
    pub(super) owner: String,
    pub(super) balance: f64,
    /// Position and version of the last deposit.
    pub(super) last: Option<(u64, u64)>,
}

#[projection(of = Account, ignore(Renamed))]
impl Summary {
    fn opened(e: &Recorded<Opened>) -> Self {
        Summary { account: e.aggregate_id(), owner: e.owner.clone(), balance: 0.0, last: None }
    }
    fn deposited(&mut self, e: &Recorded<Deposited>) {
        self.balance += e.amount;
        self.last = Some((e.position.get(), e.version.get()));
    }
    fn closed(self, _: &Closed) {}
}
