//! The kit's promises, on the account of `fixture`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::fixture::{
    Account, AccountError, AccountId, Bank, Close, Closed, Deposit, Deposited, Lend, Open, Opened, Rename, Renamed, Summary,
};
use super::{SequentialIds, given, given_events};
use crate::{Refusal, Stage, Timestamp};

/// What a test that fails says.
#[track_caller]
fn failure<T>(test: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(test)) {
        Ok(_) => panic!("it should have failed"),
        Err(said) => said.downcast_ref::<String>().cloned().or(said.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap(),
    }
}
const fn id(number: u64) -> AccountId {
    AccountId::new(number)
}
fn opened() -> Opened {
    Opened { owner: "ann".to_owned() }
}
fn deposit(amount: f64) -> Deposit {
    Deposit { amount }
}

struct Limit(f64);
impl Bank for Limit {
    fn max(&self) -> f64 {
        self.0
    }
}

#[test]
fn events_refusals_and_states_are_as_expected() {
    given::<Account>(()).when(Open { owner: "ann".to_owned() }).then(opened());
    given::<Account>(opened())
        .when(deposit(5.0))
        .then(Deposited::of(5.0, 1))
        .then_state(|account| assert_eq!((account.owner.as_str(), account.balance), ("ann", 5.0)));
    given::<Account>((opened(), [Deposited::of(1.0, 9), Deposited::of(2.0, 9)]))
        .when(deposit(-1.0))
        .then_err(AccountError::NotPositive)
        .then_state(|account| assert!((account.balance - 3.0).abs() < 1e-9));
    given::<Account>(()).when(deposit(1.0)).then_refused(Refusal::NotFound);
    given::<Account>(opened()).when(Open { owner: String::new() }).then_refused(Refusal::AlreadyExists);
    given::<Account>((opened(), Closed)).when(deposit(1.0)).then_refused(Refusal::Ended);
    given::<Account>(opened()).when(Rename { lost: 0 }).then_nothing();
}

#[test]
fn outcomes_can_be_looked_at() {
    let closed = given::<Account>(opened()).when(Close { times: 1 });
    assert_eq!((closed.events().len(), closed.stage()), (1, &Stage::Ended));
    let refused = given::<Account>(()).when(deposit(1.0));
    assert_eq!(refused.result(), Err(&Refusal::NotFound));
    assert_eq!(failure(|| refused.events().len()), "`Deposit` is refused: NotFound");
    let no_state = failure(|| closed.then_state(|_| ()));
    assert_eq!(no_state, "after `Close` there is no `Account`: an event ended it");
}

#[test]
fn surroundings_are_what_the_test_says() {
    let (recorded, happened) = ("2026-03-01".parse::<Timestamp>().unwrap(), "2026-02-28".parse::<Timestamp>().unwrap());
    let expected = Deposited { amount: 1.0, at: recorded, by: "eve".to_owned(), id: SequentialIds::nth(1) };
    let given = || given::<Account>(opened()).clock(recorded).actor("eve");
    given().when(deposit(1.0)).then(expected.clone());
    given().occurred_at(happened).when(deposit(1.0)).then(Deposited { at: happened, ..expected });
}

#[test]
fn services_are_found_by_type_and_a_missing_one_is_named() {
    let bank: Arc<dyn Bank> = Arc::new(Limit(10.0));
    let given = || given::<Account>((opened(), Deposited::of(1.0, 1))).at(&id(77));
    let lent = Deposited { by: "77".to_owned(), ..Deposited::of(9.0, 2) };
    given().service(bank.clone()).when(Lend { amount: 9.0 }).then(lent);
    given().service(bank).when(Lend { amount: 11.0 }).then_err(AccountError::TooHigh { max: 10.0 });
    assert_eq!(
        failure(|| given().when(Lend { amount: 9.0 })),
        "the handler of `Lend` takes `&dyn gesta::testing::fixture::Bank`: \
         add `.service::<dyn gesta::testing::fixture::Bank>(Arc::new(..))` before `.when(..)`"
    );
}

#[test]
fn async_handlers_run_inside_of_a_runtime_too() {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        given::<Account>(opened()).service::<dyn Bank>(Arc::new(Limit(1.0))).when(Lend { amount: 1.0 }).events();
    });
}

#[test]
fn a_wrong_expectation_shows_the_lines_that_differ() {
    let said = failure(|| given::<Account>(opened()).when(deposit(5.0)).then(Deposited::of(6.0, 1)));
    let expected = "\
`Deposit` leads to other events (- expected, + found)
  [
      Deposited(
          Deposited {
-             amount: 6.0,
+             amount: 5.0,
              at: 2026-01-01T00:00:00Z,
              by: \"\",
              id: 00000000-0000-7000-8000-000000000001,
          },
      ),
  ]";
    assert_eq!(said, expected);
    let said = failure(|| given::<Account>(opened()).when(deposit(0.0)).then_nothing());
    assert_eq!(said, "`Deposit` is refused (- expected, + found)\n- []\n+ Rejected(\n+     NotPositive,\n+ )");
    let said = failure(|| given::<Account>(()).when(deposit(0.0)).then_err(AccountError::NotPositive));
    let expected =
        "`Deposit` is refused for another reason (- expected, + found)\n- Rejected(\n-     NotPositive,\n- )\n+ NotFound";
    assert_eq!(said, expected);
    let said = failure(|| given::<Account>(opened()).when(Rename { lost: 0 }).then_refused(Refusal::Ended));
    assert_eq!(said, "`Rename` is accepted (- expected, + found)\n- Ended\n+ []");
}

#[test]
fn the_place_of_a_failure_is_the_line_of_the_test() {
    let previous: Arc<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync> = std::panic::take_hook().into();
    let others = previous.clone();
    let place = Arc::new(std::sync::Mutex::new(None));
    let seen = place.clone();
    let this = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this {
            *seen.lock().unwrap() = info.location().map(|at| (at.file().to_owned(), at.line()));
        } else {
            others(info);
        }
    }));
    let line = line!() + 1;
    failure(|| given::<Account>(opened()).when(deposit(5.0)).then_nothing());
    let then = place.lock().unwrap().take();
    let next = line!() + 1;
    failure(|| given_events::<Account>(&id(1), opened()).then_no_row::<Summary>(&id(1)));
    let then_row = place.lock().unwrap().take();
    std::panic::set_hook(Box::new(move |info| previous(info)));
    assert_eq!((then, then_row), (Some((file!().to_owned(), line)), Some((file!().to_owned(), next))));
}

#[test]
fn histories_that_could_not_be_are_refused() {
    let said = failure(|| given::<Account>((opened(), opened())));
    assert_eq!(said, "event 2 of what is given can't follow on what went before: `Opened` creates what is there already");
    let said = failure(|| given::<Account>(opened()).when(Close { times: 2 }));
    let expected = "event 2 of what the handler of `Close` returned can't follow on what went before: `Closed` comes after the event that ended it";
    assert_eq!(said, expected);
}

#[test]
fn events_that_cannot_be_stored_as_they_are_are_refused() {
    let said = failure(|| given::<Account>((opened(), Deposited::of(f64::NAN, 1))));
    assert!(said.starts_with("this `Deposited` can't be stored: `amount` is NaN: only finite numbers can be stored"), "{said}");
    let said = failure(|| given::<Account>(opened()).when(Rename { lost: 7 }));
    assert!(said.starts_with("`Renamed` is read back as something else"), "{said}");
    assert!(said.contains("\n-         lost: 7,\n+         lost: 0,\n"), "{said}");
}

fn summary(account: u64, balance: f64, last: Option<(u64, u64)>) -> Summary {
    Summary { account: id(account), owner: "ann".to_owned(), balance, last }
}

#[test]
fn rows_are_folded_from_events_of_several_streams() {
    given_events::<Account>(&id(1), (opened(), Deposited::of(1.0, 1)))
        .and::<Account>(&id(2), opened())
        .and::<Account>(&id(3), (opened(), Closed))
        .and::<Account>(&id(1), (Renamed { owner: "eve".to_owned(), lost: 0 }, Deposited::of(2.0, 1)))
        .then_row(&id(1), summary(1, 3.0, Some((7, 4))))
        .then_row(&id(2), summary(2, 0.0, None))
        .then_no_row::<Summary>(&id(3))
        .then_rows(vec![summary(2, 0.0, None), summary(1, 3.0, Some((7, 4)))]);
}

#[test]
fn a_wrong_row_shows_the_lines_that_differ() {
    let given = || given_events::<Account>(&id(1), opened());
    let expected = "\
the row 1 of `summary` is another one (- expected, + found)
  Summary {
      account: AccountId(
          1,
      ),
      owner: \"ann\",
-     balance: 1.0,
+     balance: 0.0,
      last: None,
  }";
    assert_eq!(failure(|| given().then_row(&id(1), summary(1, 1.0, None))), expected);
    assert!(failure(|| given().then_row(&id(2), summary(2, 1.0, None))).starts_with("`summary` has no row 2 (-"));
    assert!(failure(|| given().then_no_row::<Summary>(&id(1))).starts_with("`summary` has a row 1 (-"));
    assert!(failure(|| given().then_rows::<Summary>(vec![])).starts_with("`summary` has other rows (-"));
}

#[test]
fn an_event_that_its_row_cannot_take_is_named_with_the_row() {
    let given = || given_events::<Account>(&id(1), opened()).and::<Account>(&id(2), Deposited::of(1.0, 1));
    let expected = "`summary` can't take event 1 of `Account-2` (`Deposited` version 1, at position 2), row 2: `Deposited` needs a row \
                    that is not there; where that is meant, write `fn name(row: Option<Self>, e: &Deposited) -> Option<Self>`";
    assert_eq!(failure(|| given().then_rows::<Summary>(vec![])), expected);
}

#[test]
fn records_are_what_the_test_says() {
    let later = "2026-03-01".parse::<Timestamp>().unwrap();
    let given =
        given_events::<Account>(&id(1), ()).clock(later).actor("eve").and::<Account>(&id(1), (opened(), Deposited::of(1.0, 1)));
    let records: Vec<_> = given.records().collect();
    let [first, second] = &records[..] else { panic!("{records:?}") };
    assert_eq!((first.recorded_at, first.occurred_at, first.actor.as_deref()), (later, later, Some("eve")));
    assert_eq!((first.event_id, second.event_id), (SequentialIds::nth(1), SequentialIds::nth(2)));
    assert_eq!(second.correlation_id, first.event_id);
}
