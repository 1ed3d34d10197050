//! The bank's rules and its views, without a store; and transfers, in memory.

use std::time::Duration;

use gesta::testing::{START, given, given_events};
use gesta::{App, Refusal, UnitError};

use super::*;

fn id(number: &str) -> AccountId {
    AccountId::new(number).unwrap()
}
fn opened() -> AccountOpened {
    AccountOpened { owner: "ann".to_owned() }
}
fn deposited(amount: Cents, balance: Cents) -> MoneyDeposited {
    MoneyDeposited { amount, balance }
}
fn sent(to: &str, amount: Cents, balance: Cents) -> MoneySent {
    MoneySent { to: id(to), amount, balance }
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
fn the_balance_follows_every_booking() {
    given::<Account>(opened()).when(Deposit { amount: 500 }).then(deposited(500, 500));
    given::<Account>((opened(), deposited(500, 500)))
        .when(Withdraw { amount: 200 })
        .then(MoneyWithdrawn { amount: 200, balance: 300 })
        .then_state(|account| assert_eq!(account.balance(), 300));
    given::<Account>((opened(), deposited(500, 500))).when(ReceiveMoney { from: id("B"), amount: 1 }).then(MoneyReceived {
        from: id("B"),
        amount: 1,
        balance: 501,
    });
}

#[test]
fn only_what_is_there_can_leave() {
    let given = || given::<Account>((opened(), deposited(500, 500))).at(&id("A"));
    given().when(Withdraw { amount: 501 }).then_err(AccountError::Insufficient { amount: 501, balance: 500 });
    given().when(SendMoney { to: id("B"), amount: 500 }).then(sent("B", 500, 0));
    given()
        .when(SendMoney { to: id("B"), amount: 501 })
        .then_err(AccountError::Insufficient { amount: 501, balance: 500 })
        .then_state(|account| assert_eq!(account.balance(), 500));
    given().when(SendMoney { to: id("A"), amount: 1 }).then_err(AccountError::SameAccount);
}

#[test]
fn amounts_are_above_zero_and_fit_the_account() {
    for amount in [0, -1, Cents::MIN] {
        let refused = AccountError::NotPositive { amount };
        given::<Account>(opened()).when(Deposit { amount }).then_err(refused.clone());
        given::<Account>(opened()).when(Withdraw { amount }).then_err(refused.clone());
        given::<Account>(opened()).when(SendMoney { to: id("B"), amount }).then_err(refused.clone());
        given::<Account>(opened()).when(ReceiveMoney { from: id("B"), amount }).then_err(refused);
    }
    given::<Account>((opened(), deposited(1, 1))).when(Deposit { amount: Cents::MAX }).then_err(AccountError::TooMuch);
}

#[test]
fn only_an_empty_account_is_closed() {
    given::<Account>(opened()).when(CloseAccount).then(AccountClosed);
    given::<Account>((opened(), deposited(1, 1))).when(CloseAccount).then_err(AccountError::NotEmpty { balance: 1 });
    given::<Account>((opened(), AccountClosed)).when(Deposit { amount: 1 }).then_refused(Refusal::Ended);
    given::<Account>(()).when(CloseAccount).then_refused(Refusal::NotFound);
}

#[test]
fn the_list_holds_the_open_accounts() {
    given_events::<Account>(&id("A"), (opened(), deposited(500, 500), sent("B", 200, 300)))
        .and::<Account>(&id("B"), (opened(), AccountClosed))
        .then_rows(vec![AccountSummary {
            account: id("A"),
            owner: "ann".to_owned(),
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
        .then_rows(vec![line("A/000002", Booking::Deposit, None, 500, 500), line("A/000003", Booking::Sent, Some("B"), -500, 0)]);
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
    app.execute(&id("A"), Deposit { amount: 500 }).await.unwrap();
    app
}
async fn balances(app: &App) -> Vec<Cents> {
    app.read::<AccountSummary>().all().await.unwrap().into_iter().map(|row| row.balance).collect()
}

#[tokio::test]
async fn a_transfer_changes_both_accounts() {
    let app = two_accounts().await;
    let done = transfer(&app, &id("A"), &id("B"), 200, "ann").await.unwrap();
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
        match transfer(&app, &id(from), &id(to), amount, "ann").await {
            Err(UnitError::Rejected(why)) => assert_eq!(why, expected),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(balances(&app).await, [500, 0]);
}
