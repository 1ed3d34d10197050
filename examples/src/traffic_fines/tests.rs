//! The rules of fines and what they come to, without a store; and whole logs, in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gesta::testing::{given, given_events};
use gesta::{App, Refusal, Timestamp};

use super::report::{Import, Rejected, Report, Year};
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

/// Keeps what an import tells on its way.
#[derive(Default)]
struct Heard {
    rows: u64,
    rejected: Vec<Rejected>,
}
impl run::Watcher for Heard {
    fn progress(&mut self, rows: u64) {
        self.rows = rows;
    }
    fn rejected(&mut self, rejected: &Rejected) {
        self.rejected.push(rejected.clone());
    }
}

async fn fines() -> App {
    run::open(App::connect("memory:").await.unwrap()).await.unwrap()
}

/// Imports a log; its speed is left out, so that reports can be compared.
async fn import(app: &App, log: &Path) -> (Report, Heard) {
    let mut heard = Heard::default();
    let mut report = run::import(app, log, &mut heard).await.unwrap();
    report.import.as_mut().unwrap().events_per_second = 0.0;
    (report, heard)
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/traffic_fines_sample.csv")
}

type Counted = (i32, u64, [i64; 4]);

fn years<const N: usize>(years: [Counted; N]) -> BTreeMap<i32, Year> {
    let year = |(year, issued, [fined_cents, penalties_cents, expenses_cents, paid_cents]): Counted| {
        (year, Year { issued, fined_cents, penalties_cents, expenses_cents, paid_cents })
    };
    years.into_iter().map(year).collect()
}

// The numbers of both logs were counted from the files by another program in another language.

#[tokio::test]
async fn the_sample_comes_to_what_was_counted() {
    let (report, heard) = import(&fines().await, &sample()).await;
    let unreadable: Vec<_> = heard.rejected.iter().filter(|row| row.reason == "unreadable").map(|row| row.line).collect();
    assert_eq!(unreadable, [32, 57, 82, 107, 132]);
    assert_eq!((heard.rejected.len(), heard.rows), (19, 238));
    let imported = Import {
        rows: 238,
        accepted: 219,
        rejected: 19,
        rejected_by_reason: BTreeMap::from([
            ("fine_exists", 1),
            ("fine_not_positive", 1),
            ("no_such_fine", 8),
            ("payment_not_positive", 4),
            ("unreadable", 5),
        ]),
        events_per_second: 0.0,
    };
    let expected = Report {
        import: Some(imported),
        fines: 47,
        fined_cents: 232_217,
        penalties_cents: 311_740,
        expenses_cents: 36_615,
        paid_cents: 331_880,
        settled: 22,
        open_balance_cents: 175_298,
        in_collection: 9,
        by_year: years([
            (2001, 21, [106_029, 124_552, 14_263, 122_355]),
            (2002, 9, [48_570, 87_872, 10_789, 107_709]),
            (2003, 17, [77_618, 99_316, 11_563, 101_816]),
        ]),
    };
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_log_that_is_imported_again_changes_nothing() {
    let app = fines().await;
    let (first, _) = import(&app, &sample()).await;
    let (again, _) = import(&app, &sample()).await;
    assert_eq!(again, first);
}

#[tokio::test]
async fn the_history_of_a_fine_shows_each_event_and_what_it_came_to() {
    let app = fines().await;
    let _ = import(&app, &sample()).await;
    let mut shown = Vec::new();
    run::history(&app, &id("X001"), &mut shown).await.unwrap();
    let shown = String::from_utf8(shown).unwrap();
    let lines: Vec<_> = shown.lines().map(str::trim).collect();
    // Two lines for each of seven rows.
    assert_eq!(lines.len(), 14, "{shown}");
    assert!(lines[0].starts_with("1  2002-03-13  FineCreated"), "{shown}");
    assert_eq!((lines[1], lines[13]), ("owed 62.59, paid 0.00, Created", "owed 148.68, paid 202.77, Penalised"), "{shown}");
}

/// Runs where `GESTA_DATA` names the folder of the real log; see CONTRIBUTING.md.
#[tokio::test]
async fn the_real_log_comes_to_what_was_counted() {
    let Some(folder) = std::env::var_os("GESTA_DATA") else { return };
    let (report, heard) = import(&fines().await, &Path::new(&folder).join("traffic_fines.csv.gz")).await;
    assert_eq!(heard.rejected.len(), 143);
    let imported = Import {
        rows: 561_470,
        accepted: 561_327,
        rejected: 143,
        rejected_by_reason: BTreeMap::from([("fine_not_positive", 36), ("no_such_fine", 105), ("payment_not_positive", 2)]),
        events_per_second: 0.0,
    };
    let expected = Report {
        import: Some(imported),
        fines: 150_334,
        fined_cents: 672_385_164,
        penalties_cents: 793_757_603,
        expenses_cents: 124_220_055,
        paid_cents: 360_090_857,
        settled: 60_275,
        open_balance_cents: 840_083_121,
        in_collection: 59_012,
        by_year: years([
            (2000, 15_334, [66_140_059, 102_064_856, 10_775_845, 27_808_196]),
            (2001, 12_322, [52_726_174, 69_991_786, 7_770_721, 22_837_065]),
            (2002, 11_553, [51_106_680, 56_174_910, 10_623_289, 23_242_910]),
            (2003, 8_560, [42_162_874, 59_029_349, 7_259_724, 19_406_949]),
            (2004, 12_584, [49_197_900, 57_473_257, 10_888_395, 31_647_820]),
            (2005, 14_505, [56_079_035, 59_943_783, 11_229_915, 37_241_834]),
            (2006, 15_109, [63_804_000, 68_533_250, 10_853_265, 42_059_067]),
            (2007, 11_288, [45_136_150, 47_096_450, 9_646_675, 25_158_965]),
            (2008, 12_204, [55_931_100, 64_191_325, 10_935_240, 30_260_270]),
            (2009, 13_015, [64_693_875, 73_617_388, 11_187_038, 33_506_330]),
            (2010, 7_999, [40_122_817, 49_005_849, 7_146_600, 20_524_193]),
            (2011, 10_306, [53_793_950, 72_270_525, 11_679_908, 26_755_828]),
            (2012, 4_015, [20_966_350, 13_663_775, 2_469_240, 17_096_080]),
            (2013, 1_540, [10_524_200, 701_100, 1_754_200, 2_545_350]),
        ]),
    };
    assert_eq!(report, expected);
}
