//! Retired events: each reads as what it has become.

use gesta::prelude::*;
use gesta::{Aggregate, DecodeError, Decoded, Event, Feeds, Stage};

use super::{given, when};

#[event]
pub struct Opened {
    pub owner: String,
}
#[event]
pub struct Withdrawn {
    pub amount: i64,
}
#[event]
pub struct FeeCharged {
    pub amount: i64,
}

/// Retired in its second version.
#[event(version = 2)]
pub struct Transferred {
    pub amount: i64,
    #[added(2, default = 1)]
    pub fee: i64,
}
#[event(name = "account-opened")]
pub struct OpenedByName {
    pub first: String,
    pub last: String,
}
#[event]
pub struct Printed;
#[event]
pub struct ChargedOften {
    pub amounts: Vec<i64>,
}
#[event]
pub struct Lowered {
    pub by: Option<i64>,
}

#[derive(Debug, PartialEq)]
pub struct Purse {
    owner: String,
    amount: i64,
}

#[aggregate(id = u64)]
impl Purse {
    fn opened(e: Opened) -> Self {
        Purse { owner: e.owner, amount: 0 }
    }
    #[upcast]
    fn split(e: Transferred) -> (Withdrawn, FeeCharged) {
        (Withdrawn { amount: e.amount }, FeeCharged { amount: e.fee })
    }
    fn withdrawn(&mut self, e: Withdrawn) {
        self.amount -= e.amount;
    }
    fn charged(&mut self, e: &FeeCharged) {
        self.amount -= e.amount;
    }
    /// By reference, into one event.
    #[upcast]
    fn named(e: &OpenedByName) -> Opened {
        Opened { owner: format!("{} {}", e.first, e.last) }
    }
    #[upcast]
    fn printed(_: Printed) {}
    #[upcast]
    fn often(e: ChargedOften) -> Vec<PurseEvent> {
        e.amounts.into_iter().map(|amount| FeeCharged { amount }.into()).collect()
    }
    #[upcast]
    fn lowered(e: Lowered) -> Option<<Self as SameEvents>::Withdrawn> {
        e.by.map(|amount| Withdrawn { amount })
    }
}

/// `Self` means in a returned type what it means in the block.
trait SameEvents {
    type Withdrawn;
}
impl SameEvents for Purse {
    type Withdrawn = Withdrawn;
}

fn became(events: impl IntoIterator<Item = PurseEvent>) -> Result<Decoded<PurseEvent>, DecodeError> {
    Ok(Decoded::Became(events.into_iter().collect()))
}

#[test]
fn a_retired_event_reads_as_one_event_several_or_none() {
    let split = |amount, fee| became([Withdrawn { amount }.into(), FeeCharged { amount: fee }.into()]);
    assert_eq!(Purse::decode("Transferred", 2, br#"{"amount":5,"fee":2}"#), split(5, 2));
    assert_eq!(Purse::decode("Transferred", 1, br#"{"amount":5}"#), split(5, 1));
    let named = br#"{"first":"Ada","last":"L"}"#;
    assert_eq!(Purse::decode("account-opened", 1, named), became([Opened { owner: "Ada L".into() }.into()]));
    assert_eq!(Purse::decode("Printed", 1, b"{}"), became([]));
    let often = became([1, 2].map(|amount| FeeCharged { amount }.into()));
    assert_eq!(Purse::decode("ChargedOften", 1, br#"{"amounts":[1,2]}"#), often);
    assert_eq!(Purse::decode("Lowered", 1, br#"{"by":null}"#), became([]));
    assert_eq!(Purse::decode("Lowered", 1, br#"{"by":1}"#), became([Withdrawn { amount: 1 }.into()]));
    // What is applied is read as itself.
    assert_eq!(Purse::decode("Withdrawn", 1, br#"{"amount":1}"#), Ok(Decoded::One(Withdrawn { amount: 1 }.into())));
    let unknown = DecodeError::UnknownVersion { name: "Transferred", version: 3, newest: 2 };
    assert_eq!(Purse::decode("Transferred", 3, b"{}"), Err(unknown));
}

#[test]
fn an_aggregate_lists_what_it_applies_and_what_it_only_reads() {
    let names = |events: &[gesta::EventInfo]| events.iter().map(|event| event.name).collect::<Vec<_>>();
    assert_eq!(names(Purse::EVENTS), ["Opened", "Withdrawn", "FeeCharged"]);
    assert_eq!(names(Purse::RETIRED), ["Transferred", "account-opened", "Printed", "ChargedOften", "Lowered"]);
    assert_eq!(Purse::RETIRED[0].versions.len(), Transferred::VERSIONS.len());
    assert_ne!(Purse::UPCASTS, 0);
    assert_eq!(super::domain::Account::UPCASTS, 0);
}

#[derive(ReadModel)]
pub struct Fees {
    #[key]
    purse: u64,
    charged: i64,
}
#[projection(of = Purse, ignore(Opened, Withdrawn))]
impl Fees {
    fn charged(row: Option<Self>, e: &Recorded<FeeCharged>) -> Option<Self> {
        let charged = row.map_or(0, |row| row.charged) + e.amount;
        Some(Fees { purse: e.aggregate_id(), charged })
    }
}

#[test]
fn a_read_model_may_handle_what_a_retired_event_has_become() {
    let effect = <Purse as Feeds<Fees>>::effect_of;
    assert_eq!((effect("Withdrawn"), effect("FeeCharged"), effect("Unheard")), (Some(false), Some(true), None));
    assert!(Purse::RETIRED.iter().all(|event| effect(event.name) == Some(true)));
}

#[command]
pub struct Withdraw {
    pub amount: i64,
}
#[command_handler]
impl Purse {
    fn withdraw(&self, cmd: Withdraw) -> (Withdrawn, FeeCharged) {
        (Withdrawn { amount: cmd.amount }, FeeCharged { amount: 1 })
    }
}

#[test]
fn what_an_event_has_become_is_applied_like_any_other() {
    let stored =
        [("account-opened", &br#"{"first":"Ada","last":"L"}"#[..]), ("Transferred", br#"{"amount":5}"#), ("Printed", b"{}")];
    let events = stored.into_iter().flat_map(|(name, payload)| Purse::decode(name, 1, payload).unwrap());
    let stage: Stage<Purse> = given(events);
    assert_eq!(stage, Stage::Alive(Purse { owner: "Ada L".into(), amount: -6 }));
    assert!(when(&stage, Withdraw { amount: 1 }).is_ok());
}
