//! The bank's rules and its views, without a store; and transfers, in memory.

use std::time::Duration;

use gesta::testing::{START, given, given_events};
use gesta::{App, Refusal, UnitError};

use super::*;

fn id(number: &str) -> AccountId {
    AccountId::new(number).unwrap()
}
fn opened() -> (AccountRegistered, HolderAdded) {
    (AccountRegistered, held_by("ann"))
}
fn held_by(name: &str) -> HolderAdded {
    HolderAdded { name: name.to_owned() }
}
fn deposit(amount: Cents) -> Deposit {
    Deposit { amount, channel: Channel::Branch }
}
fn deposited(amount: Cents, balance_after: Cents) -> MoneyDeposited {
    MoneyDeposited { amount, balance_after, channel: Channel::Branch }
}
fn withdraw(amount: Cents) -> Withdraw {
    Withdraw { amount, channel: Channel::Terminal }
}
fn send(to: &str, amount: Cents) -> SendMoney {
    SendMoney { to: id(to), amount, remittance: None }
}
fn sent(to: &str, amount: Cents, balance_after: Cents) -> MoneySent {
    MoneySent { to: id(to), amount, balance_after, remittance: None }
}
fn receive(from: &str, amount: Cents) -> ReceiveMoney {
    ReceiveMoney { from: id(from), amount, remittance: None }
}

#[test]
fn an_account_is_opened_once_and_for_somebody() {
    let open = |owner: &str| OpenAccount { owner: owner.to_owned() };
    given::<Account>(()).when(open("ann")).then(opened());
    given::<Account>(()).when(open(" ")).then_err(AccountError::NoOwner);
    given::<Account>(opened()).when(open("eve")).then_refused(Refusal::AlreadyExists);
    given::<Account>((opened(), AccountClosed)).when(open("eve")).then_refused(Refusal::Ended);
}

#[test]
fn nobody_holds_an_account_twice() {
    let add = |name: &str| AddHolder { name: name.to_owned() };
    given::<Account>(opened())
        .when(add("bob"))
        .then(held_by("bob"))
        .then_state(|account| assert_eq!(account.holders(), ["ann", "bob"]));
    given::<Account>(opened()).when(add("ann")).then_err(AccountError::HolderAlready { name: "ann".to_owned() });
    given::<Account>(opened()).when(add("")).then_err(AccountError::NoOwner);
}

#[test]
fn the_balance_follows_every_booking() {
    given::<Account>(opened()).when(deposit(500)).then(deposited(500, 500));
    given::<Account>((opened(), deposited(500, 500)))
        .when(withdraw(200))
        .then(MoneyPaidOut { amount: 200, balance_after: 300, channel: Channel::Terminal })
        .then_state(|account| assert_eq!(account.balance(), 300));
    given::<Account>((opened(), deposited(500, 500))).when(receive("B", 1)).then(MoneyReceived {
        from: id("B"),
        amount: 1,
        balance_after: 501,
        remittance: None,
    });
}

#[test]
fn only_what_is_there_can_leave() {
    let given = || given::<Account>((opened(), deposited(500, 500))).at(&id("A"));
    given().when(withdraw(501)).then_err(AccountError::Insufficient { amount: 501, balance: 500 });
    given().when(send("B", 500)).then(sent("B", 500, 0));
    given()
        .when(send("B", 501))
        .then_err(AccountError::Insufficient { amount: 501, balance: 500 })
        .then_state(|account| assert_eq!(account.balance(), 500));
    given().when(send("A", 1)).then_err(AccountError::SameAccount);
}

#[test]
fn amounts_are_above_zero_and_fit_the_account() {
    for amount in [0, -1, Cents::MIN] {
        let refused = AccountError::NotPositive { amount };
        given::<Account>(opened()).when(deposit(amount)).then_err(refused.clone());
        given::<Account>(opened()).when(withdraw(amount)).then_err(refused.clone());
        given::<Account>(opened()).when(send("B", amount)).then_err(refused.clone());
        given::<Account>(opened()).when(receive("B", amount)).then_err(refused);
    }
    given::<Account>((opened(), deposited(1, 1))).when(deposit(Cents::MAX)).then_err(AccountError::TooMuch);
}

#[test]
fn only_an_empty_account_is_closed() {
    given::<Account>(opened()).when(CloseAccount).then(AccountClosed);
    given::<Account>((opened(), deposited(1, 1))).when(CloseAccount).then_err(AccountError::NotEmpty { balance: 1 });
    given::<Account>((opened(), AccountClosed)).when(deposit(1)).then_refused(Refusal::Ended);
    given::<Account>(()).when(CloseAccount).then_refused(Refusal::NotFound);
}

#[test]
fn the_list_holds_the_open_accounts() {
    given_events::<Account>(&id("A"), (opened(), deposited(500, 500), sent("B", 200, 300)))
        .and::<Account>(&id("B"), (opened(), AccountClosed))
        .then_rows(vec![AccountSummary {
            account: id("A"),
            holders: vec!["ann".to_owned()],
            balance: 300,
            bookings: 2,
            opened_at: START,
        }]);
}

#[test]
fn the_statement_has_a_row_for_each_booking() {
    let line = |entry: &str, booking, counterparty: Option<&str>, amount, balance| StatementLine {
        entry: entry.to_owned(),
        account: id("A"),
        booked_at: START,
        booking,
        counterparty: counterparty.map(id),
        amount,
        balance,
    };
    given_events::<Account>(&id("A"), (opened(), deposited(500, 500), sent("B", 500, 0), AccountClosed))
        .then_rows(vec![line("A/000003", Booking::Deposit, None, 500, 500), line("A/000004", Booking::Sent, Some("B"), -500, 0)]);
}

#[test]
fn the_high_value_list_has_an_account_while_it_holds_much() {
    let (much, later) = (HighValueAccount::THRESHOLD, START + Duration::from_hours(1));
    let row = |balance, since| HighValueAccount { account: id("A"), balance, since };
    let given = given_events::<Account>(&id("A"), (opened(), deposited(much - 1, much - 1)));
    let given = given.then_no_row::<HighValueAccount>(&id("A"));
    let given = given.clock(later).and::<Account>(&id("A"), deposited(1, much)).then_row(&id("A"), row(much, later));
    let much_later = later + Duration::from_hours(1);
    let given = given.clock(much_later).and::<Account>(&id("A"), deposited(1, much + 1));
    let given = given.then_row(&id("A"), row(much + 1, later));
    let given = given.and::<Account>(&id("A"), sent("B", 2, much - 1)).then_no_row::<HighValueAccount>(&id("A"));
    given.and::<Account>(&id("A"), deposited(1, much)).then_row(&id("A"), row(much, much_later));
}

/// A bank in which ann has 500 in the account A, and bob nothing in B.
async fn two_accounts() -> App {
    let app = story::open(App::connect("memory:").await.unwrap()).await.unwrap();
    for (account, owner) in [("A", "ann"), ("B", "bob")] {
        app.execute(&id(account), OpenAccount { owner: owner.to_owned() }).await.unwrap();
    }
    app.execute(&id("A"), deposit(500)).await.unwrap();
    app
}
async fn balances(app: &App) -> Vec<Cents> {
    app.read::<AccountSummary>().all().await.unwrap().into_iter().map(|row| row.balance).collect()
}

#[tokio::test]
async fn a_transfer_changes_both_accounts() {
    let app = two_accounts().await;
    let done = transfer(&app, &id("A"), &id("B"), 200, None, "ann").await.unwrap();
    assert_eq!(balances(&app).await, [300, 200]);
    let lines = app.read::<StatementLine>().after(&done).filter(StatementLine::ACCOUNT.is(&id("B"))).all().await.unwrap();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (line.booking, line.counterparty.clone(), line.amount, line.balance),
        (Booking::Received, Some(id("A")), 200, 200)
    );
}

#[tokio::test]
async fn a_transfer_that_one_side_refuses_changes_neither() {
    let app = two_accounts().await;
    let refused = [
        ("A", "C", 200, TransferError::Recipient(Refusal::NotFound)),
        ("C", "A", 200, TransferError::Sender(Refusal::NotFound)),
        ("A", "B", 501, TransferError::Sender(Refusal::Rejected(AccountError::Insufficient { amount: 501, balance: 500 }))),
        ("A", "A", 200, TransferError::Sender(Refusal::Rejected(AccountError::SameAccount))),
    ];
    for (from, to, amount, expected) in refused {
        match transfer(&app, &id(from), &id(to), amount, None, "ann").await {
            Err(UnitError::Rejected(why)) => assert_eq!(why, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(balances(&app).await, [500, 0]);
}

/// What the first version of this example has stored in two days, `examples/data/bank_first_version.db`: accounts had one owner
/// then, and money was paid in and out at the counter only.
#[tokio::test]
async fn what_the_first_version_has_stored_is_read_by_this_one() {
    let file = std::env::temp_dir().join(format!("gesta-bank-{}.db", std::process::id()));
    std::fs::write(&file, include_bytes!("../../data/bank_first_version.db")).unwrap();
    let app = story::open(App::connect(&format!("sqlite:{}", file.display())).await.unwrap()).await.unwrap();
    app.settle().await.unwrap();

    let rows = app.read::<AccountSummary>().all().await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.account.as_str(), row.holders.join(", "), row.balance, row.bookings)).collect();
    let expected = [("ACC-ANN", "Ann", 2_390_900, 6), ("ACC-BOB", "Bob", 616_000, 4), ("ACC-CLEO", "Cleo", 0, 0)];
    assert_eq!(rows, expected.map(|(account, holder, balance, bookings)| (account, holder.to_owned(), balance, bookings)));

    // The event that opened it is two of today's; the others have become their current versions, or other events.
    let channel = Channel::Branch;
    let mut history: Vec<_> = app.history::<Account>(&id("ACC-ANN")).unwrap().all().await.unwrap();
    let day = |before: Cents| -> [AccountEvent; 3] {
        let (paid_in, sent_away) = (before + 1_500_000, before + 1_200_000);
        [
            deposited(1_500_000, paid_in).into(),
            sent("ACC-BOB", 300_000, sent_away).into(),
            MoneyPaidOut { amount: 4_550, balance_after: sent_away - 4_550, channel }.into(),
        ]
    };
    let opening: [AccountEvent; 2] = [AccountRegistered.into(), HolderAdded { name: "Ann".to_owned() }.into()];
    let events: Vec<_> = history.iter().map(|recorded| recorded.event.clone()).collect();
    assert_eq!(events, [&opening[..], &day(0), &day(1_195_450)].concat());
    let places: Vec<_> = history.drain(..3).map(|recorded| (recorded.version.get(), recorded.part)).collect();
    assert_eq!(places, [(1, 0), (1, 1), (2, 0)]);

    // And it goes on from there, as if nothing had ever changed.
    let done = app.execute(&id("ACC-ANN"), AddHolder { name: "Amy".to_owned() }).await.unwrap();
    assert_eq!(done.version.get(), 8);
    let ann = app.load::<Account>(&id("ACC-ANN")).await.unwrap();
    assert_eq!(ann.state().unwrap().holders(), ["Ann", "Amy"]);
    app.shutdown().await.unwrap();
    for suffix in ["", ".lock"] {
        std::fs::remove_file(format!("{}{suffix}", file.display())).unwrap();
    }
}

/// What there is to know about the bank, for people: `GESTA_CATALOGUE=write cargo test catalogue` writes it anew.
#[tokio::test]
async fn the_catalogue_is_current() {
    let bank = story::register(App::connect("memory:").await.unwrap());
    bank.catalogue().with_samples_of::<Account>("src/bank/account.samples").unwrap().check("catalogue/bank").unwrap();
}
