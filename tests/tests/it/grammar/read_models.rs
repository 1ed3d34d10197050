//! Read models and their blocks.

use gesta::prelude::*;
use gesta::read::{ColumnKind, ColumnRole, Effect, Value};
use gesta::{Aggregate, Feeds, On, Projection, RowError};

use super::domain::*;
use super::recorded;

#[derive(ReadModel, Debug, PartialEq, Clone)]
#[read_model(table = "account_rows")]
pub struct AccountRow {
    #[key]
    id: AccountId,
    owner: String,
    #[index]
    balance: Cents,
    r#type: Option<Channel>,
    address: Address,
}

#[projection(of = Account)]
impl AccountRow {
    fn opened(e: &Recorded<Opened>) -> Self {
        AccountRow {
            id: e.stream.id().parse().unwrap(),
            owner: e.owner.clone(),
            balance: Cents(0),
            r#type: Some(e.channel),
            address: Address::default(),
        }
    }
    fn deposited(&mut self, e: Deposited) {
        self.balance.0 += e.amount.0;
    }
    fn closed(self, _: &Closed) {}
}

/// One row a channel: the first event makes it, the next ones change it.
#[derive(ReadModel, Debug, PartialEq, Clone)]
pub struct PerChannel {
    #[key]
    channel: Channel,
    opened: u32,
}

#[projection(of = Account, ignore(Deposited, Closed))]
impl PerChannel {
    #[key = e.channel]
    fn opened(row: Option<Self>, e: Opened) -> Option<Self> {
        let opened = row.map_or(0, |row| row.opened) + 1;
        Some(PerChannel { channel: e.channel, opened })
    }
}

#[derive(ReadModel, Debug, PartialEq, Clone)]
#[read_model(of(Account, Customer))]
pub struct Both {
    #[key]
    owner: String,
}

#[projection(of = Account, ignore(Deposited, Closed))]
impl Both {
    #[key = &event.owner]
    fn opened(event: &Opened) -> Both {
        Both { owner: event.owner.clone() }
    }
}
#[projection(of = Customer, ignore(Closed))]
impl Both {
    #[key = e.stream.id().to_owned()]
    fn registered(_row: Option<Both>, e: &Recorded<Registered>) -> Option<Self> {
        Some(Both { owner: e.stream.id().to_owned() })
    }
}

fn opened() -> Recorded<Opened> {
    recorded("Account-ACC-1", Opened { owner: "Ada".into(), channel: Channel::Online })
}
fn deposited() -> Recorded<Deposited> {
    recorded("Account-ACC-1", Deposited { amount: Cents(5) })
}

#[test]
fn events_create_change_and_end_a_row() {
    let mut row = None;
    AccountRow::on(&mut row, &opened()).unwrap();
    AccountRow::on(&mut row, &deposited()).unwrap();
    assert_eq!(row.as_ref().unwrap().balance, Cents(5));
    AccountRow::on(&mut row, &recorded("Account-ACC-1", Closed)).unwrap();
    assert_eq!(row, None);
}

#[test]
fn a_row_is_never_overwritten_and_never_skipped() {
    let mut row = None;
    assert_eq!(AccountRow::on(&mut row, &deposited()), Err(RowError::Absent { event: "Deposited" }));
    assert_eq!(AccountRow::on(&mut row, &recorded("Account-1", Closed)), Err(RowError::Absent { event: "Closed" }));
    AccountRow::on(&mut row, &opened()).unwrap();
    let before = row.clone();
    assert_eq!(AccountRow::on(&mut row, &opened()), Err(RowError::Exists { event: "Opened" }));
    assert_eq!(row, before);
}

#[test]
fn an_event_finds_its_row() {
    let key = <AccountRow as On<Account, Opened>>::row_key(&opened()).unwrap();
    assert_eq!(key.as_str(), "ACC-1");
    assert_eq!(<PerChannel as On<Account, Opened>>::row_key(&opened()), Ok(Channel::Online));
    assert_eq!(<Both as On<Account, Opened>>::row_key(&opened()), Ok("Ada".to_owned()));
}

#[test]
fn one_event_may_create_and_change() {
    let mut row = None;
    for n in 1..4 {
        PerChannel::on(&mut row, &opened()).unwrap();
        assert_eq!(row, Some(PerChannel { channel: Channel::Online, opened: n }));
    }
}

#[test]
fn an_aggregate_feeds_its_read_models() {
    let effects = ["Opened", "Deposited", "Other"].map(<Account as Feeds<PerChannel>>::effect_of);
    assert_eq!(effects, [Some(true), Some(false), None]);
    let fold = <Account as Feeds<PerChannel>>::fold(opened().map(AccountEvent::from)).unwrap();
    assert_eq!(fold.key(), &Channel::Online);
    let mut row = None;
    fold.apply(&mut row).unwrap();
    assert_eq!(row.unwrap().opened, 1);
    assert_eq!(<PerChannel as On<Account, Opened>>::EFFECT, Effect::Any);
    assert_eq!(<PerChannel as On<Account, Closed>>::EFFECT, Effect::Ignores);
    assert_eq!(<AccountRow as On<Account, Closed>>::EFFECT, Effect::Ends);
}

#[test]
fn a_row_is_kept_in_columns() {
    let columns: Vec<_> = AccountRow::COLUMNS.iter().map(|c| (c.name, c.kind, c.nullable, c.role)).collect();
    assert_eq!(
        columns,
        [
            ("id", ColumnKind::Text, false, ColumnRole::Key),
            ("owner", ColumnKind::Text, false, ColumnRole::Plain),
            ("balance", ColumnKind::Integer, false, ColumnRole::Indexed),
            ("type", ColumnKind::Text, true, ColumnRole::Plain),
            ("address", ColumnKind::Json, false, ColumnRole::Plain),
        ]
    );
    assert_eq!((AccountRow::TABLE, PerChannel::TABLE), ("account_rows", "per_channel"));
    let mut row = None;
    AccountRow::on(&mut row, &opened()).unwrap();
    let row = row.unwrap();
    let kept = row.to_row().unwrap();
    assert_eq!(kept[3], Value::Text("Online".into()));
    assert_eq!(AccountRow::from_row(kept.clone()), Ok(row));
    let error = AccountRow::from_row(kept[..2].to_vec()).unwrap_err();
    assert_eq!(error.to_string(), "column `balance`: the stored row has no such column");
    let _ = (AccountRow::ID.is(&AccountId::new("A").unwrap()), AccountRow::BALANCE.at_least(&Cents(3)));
}

#[test]
fn fingerprints_of_read_models_differ() {
    assert_ne!(AccountRow::FINGERPRINT, PerChannel::FINGERPRINT);
    assert_ne!(AccountRow::FINGERPRINT, Both::FINGERPRINT);
    assert_ne!(Account::FINGERPRINT, Customer::FINGERPRINT);
}
