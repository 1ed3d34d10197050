//! A ledger with ten kinds of events, one in its third version and one retired; and what is stored of it, read by hand.

use gesta::prelude::*;

#[event]
pub struct LedgerOpened {
    pub owner: String,
}
#[event]
pub struct LedgerRenamed {
    pub owner: String,
}
#[event]
pub struct LimitSet {
    pub cents: i64,
    pub until_us: Option<i64>,
}
#[event]
pub struct LimitLifted;
#[event]
pub struct LedgerFrozen {
    pub reason: String,
}
#[event]
pub struct LedgerThawed {
    pub reason: String,
}
#[event]
pub struct FeeCharged {
    pub cents: i64,
    pub what: String,
}
/// The smallest there is to read: what comes on top weighs the most.
#[event]
pub struct InterestPaid {
    pub cents: i64,
}
/// Stands last in the block, so all other names are looked at before.
#[event(version = 3)]
#[removed(3, teller: Option<String>)]
pub struct MoneyDeposited {
    pub transaction: Uuid,
    pub reference: String,
    #[renamed(2, from = "amount")]
    #[converted(3, from = u32)]
    pub cents: i64,
    pub at_us: i64,
    pub tags: Vec<u32>,
    #[added(2, default = Channel::Branch)]
    pub channel: Channel,
}
/// Retired: it is read as a deposit.
#[event]
pub struct CreditTaken {
    pub reference: String,
    pub cents: i64,
}

#[value]
pub enum Channel {
    Branch,
    Terminal,
    App,
}

pub struct Ledger {
    pub cents: i64,
}

#[aggregate(id = u64)]
impl Ledger {
    fn opened(_: &LedgerOpened) -> Self {
        Ledger { cents: 0 }
    }
    fn renamed(&mut self, _: &LedgerRenamed) {}
    fn limit_set(&mut self, _: &LimitSet) {}
    fn limit_lifted(&mut self, _: &LimitLifted) {}
    fn frozen(&mut self, _: &LedgerFrozen) {}
    fn thawed(&mut self, _: &LedgerThawed) {}
    fn fee_charged(&mut self, e: &FeeCharged) {
        self.cents -= e.cents;
    }
    fn interest_paid(&mut self, e: &InterestPaid) {
        self.cents += e.cents;
    }
    fn deposited(&mut self, e: &MoneyDeposited) {
        self.cents += e.cents;
    }

    #[upcast]
    fn credit_taken(e: CreditTaken) -> MoneyDeposited {
        credited(e.reference, e.cents)
    }
}

fn credited(reference: String, cents: i64) -> MoneyDeposited {
    MoneyDeposited { transaction: Uuid::nil(), reference, cents, at_us: 0, tags: Vec::new(), channel: Channel::Branch }
}

pub const INTEREST: &str = r#"{"cents":42}"#;
pub const DEPOSIT_V1: &str = r#"{"transaction":"019f2a6c-9b1e-7c3a-8d4f-5e6a7b8c9d0e","reference":"ref-00000042-payment","amount":42,"at_us":1790000000000042,"tags":[1,2,3],"teller":"at the counter"}"#;
pub const DEPOSIT_V2: &str = r#"{"transaction":"019f2a6c-9b1e-7c3a-8d4f-5e6a7b8c9d0e","reference":"ref-00000042-payment","cents":42,"at_us":1790000000000042,"tags":[1,2,3],"channel":"Branch","teller":"at the counter"}"#;
pub const DEPOSIT: &str = r#"{"transaction":"019f2a6c-9b1e-7c3a-8d4f-5e6a7b8c9d0e","reference":"ref-00000042-payment","cents":42,"at_us":1790000000000042,"tags":[1,2,3],"channel":"Branch"}"#;
pub const CREDIT: &str = r#"{"reference":"ref-00000042-payment","cents":42}"#;

/// The same as somebody writes it who has serde and nothing else.
pub mod bare {
    use gesta::Uuid;
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub struct Interest {
        pub cents: i64,
    }
    #[derive(Deserialize)]
    pub struct DepositV1 {
        pub transaction: Uuid,
        pub reference: String,
        pub amount: u32,
        pub at_us: i64,
        pub tags: Vec<u32>,
        pub teller: Option<String>,
    }
    #[derive(Deserialize)]
    pub struct DepositV2 {
        pub transaction: Uuid,
        pub reference: String,
        pub cents: u32,
        pub at_us: i64,
        pub tags: Vec<u32>,
        pub channel: Channel,
        pub teller: Option<String>,
    }
    #[derive(Deserialize)]
    pub struct Deposit {
        pub transaction: Uuid,
        pub reference: String,
        pub cents: i64,
        pub at_us: i64,
        pub tags: Vec<u32>,
        pub channel: Channel,
    }
    #[derive(Deserialize)]
    pub struct Credit {
        pub reference: String,
        pub cents: i64,
    }
    #[derive(Deserialize)]
    pub enum Channel {
        Branch,
        Terminal,
        App,
    }

    impl From<DepositV1> for DepositV2 {
        fn from(old: DepositV1) -> Self {
            let DepositV1 { transaction, reference, amount, at_us, tags, teller } = old;
            DepositV2 { transaction, reference, cents: amount, at_us, tags, channel: Channel::Branch, teller }
        }
    }
    impl From<DepositV2> for Deposit {
        fn from(old: DepositV2) -> Self {
            let DepositV2 { transaction, reference, cents, at_us, tags, channel, teller: _ } = old;
            Deposit { transaction, reference, cents: i64::from(cents), at_us, tags, channel }
        }
    }
    impl From<Credit> for Deposit {
        fn from(old: Credit) -> Self {
            let Credit { reference, cents } = old;
            Deposit { transaction: Uuid::nil(), reference, cents, at_us: 0, tags: Vec::new(), channel: Channel::Branch }
        }
    }
}
