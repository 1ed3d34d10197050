//! The rules of fines, and what they come to, without a store.

use gesta::testing::{given, given_events};
use gesta::{Refusal, Timestamp};

use super::*;

fn id(number: &str) -> FineId {
    FineId::new(number).unwrap()
}
fn day(text: &str) -> Timestamp {
    text.parse().unwrap()
}
fn create(amount: i64) -> CreateFine {
    CreateFine {
        amount: Cents(amount),
        article: "157".to_owned(),
        points: 2,
        vehicle_class: "A".to_owned(),
        officer: "538".to_owned(),
    }
}
fn created(amount: i64, year: i32) -> FineCreated {
    let CreateFine { amount, article, points, vehicle_class, officer } = create(amount);
    FineCreated { amount, year, article, points, vehicle_class, officer }
}
fn sent(expense: i64, year: i32) -> FineSent {
    FineSent { expense: Cents(expense), year }
}
fn penalty(amount: i64, replaces: Option<i64>, year: i32) -> PenaltyAdded {
    PenaltyAdded { amount: Cents(amount), replaces: replaces.map(Cents), year }
}
fn paid(amount: i64, year: i32) -> PaymentReceived {
    PaymentReceived { amount: Cents(amount), year }
}

#[test]
fn a_fine_belongs_to_the_year_in_which_it_happened() {
    let given = || given::<Fine>(()).clock(day("2026-01-01"));
    given().occurred_at(day("2003-12-31")).when(create(3_130)).then(created(3_130, 2003));
    given().when(create(3_130)).then(created(3_130, 2026));
}

#[test]
fn fines_and_payments_are_above_zero() {
    for amount in [0, -1] {
        given::<Fine>(()).when(create(amount)).then_err(FineError::FineNotPositive { amount: Cents(amount) });
        given::<Fine>(created(100, 2001))
            .when(ReceivePayment { amount: Cents(amount) })
            .then_err(FineError::PaymentNotPositive { amount: Cents(amount) });
    }
}

#[test]
fn nothing_happens_to_a_fine_that_does_not_exist() {
    let dismissal = String::new;
    let amount = Cents(1);
    given::<Fine>(()).when(SendFine { expense: amount }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(NotifyOffender { notification_type: "P".to_owned(), last_sent: None }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(AddPenalty { amount }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(ReceivePayment { amount }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(EnterPrefectureAppeal).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(SendPrefectureAppeal { dismissal: dismissal() }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(ReceivePrefectureResult).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(NotifyPrefectureResult).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(AppealToJudge { dismissal: dismissal() }).then_refused(Refusal::NotFound);
    given::<Fine>(()).when(SendToCollection).then_refused(Refusal::NotFound);
    given::<Fine>(created(1, 2001)).when(create(1)).then_refused(Refusal::AlreadyExists);
}

#[test]
fn what_the_register_says_is_kept() {
    let given = || given::<Fine>(created(100, 2001));
    given().when(SendFine { expense: Cents(1_350) }).then(sent(1_350, 2001));
    let (notification_type, last_sent) = ("P".to_owned(), Some("N".to_owned()));
    given()
        .when(NotifyOffender { notification_type: notification_type.clone(), last_sent: last_sent.clone() })
        .then(OffenderNotified { notification_type, last_sent });
    given().when(ReceivePayment { amount: Cents(50) }).then(paid(50, 2001));
    given().when(EnterPrefectureAppeal).then(PrefectureAppealEntered);
    given().when(SendPrefectureAppeal { dismissal: "#".to_owned() }).then(PrefectureAppealSent { dismissal: "#".to_owned() });
    given().when(ReceivePrefectureResult).then(PrefectureResultReceived);
    given().when(NotifyPrefectureResult).then(PrefectureResultNotified);
    given().when(AppealToJudge { dismissal: "G".to_owned() }).then(JudgeAppealed { dismissal: "G".to_owned() });
    given().when(SendToCollection).then(SentToCollection);
}

#[test]
fn a_penalty_says_which_one_it_replaces() {
    let given_created = given::<Fine>(created(100, 2001));
    given_created.when(AddPenalty { amount: Cents(200) }).then(penalty(200, None, 2001));
    let given_penalty = given::<Fine>((created(100, 2001), penalty(200, None, 2001)));
    given_penalty.when(AddPenalty { amount: Cents(250) }).then(penalty(250, Some(200), 2001));
}

#[test]
fn a_balance_is_what_is_owed_and_what_was_paid() {
    let row = FineBalance {
        fine: id("X1"),
        year: 2001,
        amount: Cents(100),
        penalty: None,
        expenses: Cents(20),
        paid: Cents(50),
        in_collection: false,
    };
    assert_eq!((row.owed(), row.open(), row.is_settled()), (Cents(120), Cents(70), false));
    let given = given_events::<Fine>(&id("X1"), (created(100, 2001), sent(20, 2001), paid(50, 2001)));
    let given = given.then_row(&id("X1"), row.clone());

    let row = FineBalance { penalty: Some(Cents(200)), paid: Cents(230), in_collection: true, ..row };
    assert_eq!((row.owed(), row.open(), row.is_settled()), (Cents(220), Cents::ZERO, true));
    given
        .and::<Fine>(&id("X1"), (PrefectureAppealEntered, penalty(200, None, 2001), paid(180, 2001), SentToCollection))
        .then_row(&id("X1"), row);
}

#[test]
fn a_year_is_the_sum_of_its_fines() {
    let year = |year, issued, [fined, penalties, expenses, paid]: [i64; 4]| YearTotals {
        year,
        issued,
        fined: Cents(fined),
        penalties: Cents(penalties),
        expenses: Cents(expenses),
        paid: Cents(paid),
    };
    given_events::<Fine>(
        &id("X1"),
        (created(100, 2001), sent(20, 2001), penalty(200, None, 2001), penalty(250, Some(200), 2001)),
    )
    .and::<Fine>(&id("X2"), (created(10, 2001), paid(10, 2001), SentToCollection))
    .and::<Fine>(&id("X3"), (created(7, 2002), paid(3, 2002), paid(4, 2002)))
    .then_rows(vec![year(2001, 2, [110, 250, 20, 10]), year(2002, 1, [7, 0, 0, 7])]);
}
