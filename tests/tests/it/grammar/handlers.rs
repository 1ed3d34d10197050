//! Aggregates and command handlers.

use std::sync::Arc;

use gesta::__private::with_service;
use gesta::{Aggregate, AnyCommand, Command, CommandData, Commands, Context, Decoded, Dispatch, Handle, Need, Refusal, Stage};

use super::domain::*;
use super::{env, given, ready, when};

fn opened() -> AccountEvent {
    Opened { owner: "Ada".into(), channel: Channel::Branch }.into()
}
fn deposited(amount: i64) -> AccountEvent {
    Deposited { amount: Cents(amount) }.into()
}
fn alive(balance: i64) -> Stage<Account> {
    given([opened(), deposited(balance)])
}

#[test]
fn events_create_change_and_end() {
    assert_eq!(given::<Account>([opened()]), Stage::Alive(Account { owner: "Ada".into(), balance: 0 }));
    assert_eq!(alive(5).alive().unwrap().balance, 5);
    assert_eq!(given::<Account>([opened(), Closed.into()]), Stage::Ended);
}

#[test]
fn an_event_at_the_wrong_place_says_what_is_wrong() {
    let why = |stage, event| Account::apply(stage, event).unwrap_err().to_string();
    assert_eq!(why(alive(0), opened()), "`Opened` creates what is there already");
    assert_eq!(why(Stage::Absent, deposited(1)), "`Deposited` needs what is not there yet");
    assert_eq!(why(Stage::Absent, Closed.into()), "`Closed` needs what is not there yet");
    for event in [opened(), deposited(1), Closed.into()] {
        assert!(why(Stage::Ended, event).ends_with("comes after the event that ended it"));
    }
}

#[test]
fn a_handler_without_self_runs_only_where_none_exists() {
    let open = || Open { owner: "Ada".into() };
    assert_eq!(when(&Stage::<Account>::Absent, open()), Ok(vec![opened()]));
    assert_eq!(when(&alive(0), open()), Err(Refusal::AlreadyExists));
    assert_eq!(when(&Stage::<Account>::Ended, open()), Err(Refusal::Ended));
}

#[test]
fn a_handler_with_self_runs_only_where_one_exists() {
    assert_eq!(when(&alive(0), Deposit { amount: 2 }), Ok(vec![deposited(2)]));
    assert_eq!(when(&alive(0), Deposit { amount: 0 }), Err(Refusal::Rejected(AccountError::TooLittle)));
    assert_eq!(when(&Stage::<Account>::Absent, Deposit { amount: 2 }), Err(Refusal::NotFound));
    assert_eq!(when(&Stage::<Account>::Ended, Deposit { amount: 2 }), Err(Refusal::Ended));
}

#[test]
fn a_handler_with_an_option_runs_either_way() {
    let ensure = || Ensure { owner: "Ada".into() };
    assert_eq!(when(&Stage::<Account>::Absent, ensure()).unwrap().len(), 1);
    assert_eq!(when(&alive(0), ensure()), Ok(vec![]));
    assert_eq!(when(&Stage::<Account>::Ended, ensure()), Err(Refusal::Ended));
}

#[test]
fn every_form_of_events_is_taken_in_order() {
    assert_eq!(when(&alive(0), DepositOften { amounts: vec![1, 2] }), Ok(vec![deposited(1), deposited(2)]));
    assert_eq!(when(&alive(3), Close), Ok(vec![deposited(-3), Closed.into()]));
    assert_eq!(when(&alive(0), CloseIfEmpty), Ok(vec![Closed.into()]));
    assert_eq!(when(&alive(1), CloseIfEmpty), Ok(vec![]));
    assert_eq!(when(&alive(1), Touch), Ok(vec![]));
}

#[test]
fn services_and_context_are_found_by_type() {
    let env = with_service::<dyn Bank>(&env(), Arc::new(Generous));
    let lend = |amount| ready(Account::handle(&alive(0), Lend { amount }, &env));
    assert_eq!(lend(10), Ok(vec![deposited(10)]));
    assert_eq!(lend(1_000), Err(Refusal::Rejected(AccountError::NotLent)));
    assert_eq!(when(&alive(0), AskTime {}), Err(Refusal::Rejected("7".into())));
    let needs: Vec<_> = Lend::INFO.needs.iter().map(Need::name).collect();
    assert_eq!(needs, [std::any::type_name::<dyn Bank>(), std::any::type_name::<Context>()]);
    assert_eq!(Lend::INFO.services().count(), 1);
    assert_eq!((Lend::INFO.retry, Deposit::INFO.retry), (true, false));
}

#[test]
fn an_aggregate_knows_its_commands() {
    let names: Vec<_> = Account::COMMANDS.iter().map(|c| c.name).collect();
    assert_eq!(names, ["Open", "Deposit", "DepositOften", "Lend", "Close", "CloseIfEmpty", "Touch", "Ensure", "ask_time"]);
    let command = AccountCommand::from(Deposit { amount: 4 });
    let mut payload = Vec::new();
    command.encode(&mut payload).unwrap();
    let again = AccountCommand::decode(command.info().name, &payload).unwrap().unwrap();
    assert_eq!(again.as_any().downcast_ref::<Deposit>(), Some(&Deposit { amount: 4 }));
    assert_eq!(format!("{again:?}"), "Deposit(Deposit { amount: 4 })");
    assert!(AccountCommand::decode("AskTime", b"{}").is_none());
    assert_eq!(AskTime::decode(b"{}"), Ok(AskTime {}));
}

/// Nothing is asked of it for handlers that never refuse: there is no `From<Infallible>`.
#[derive(Debug, PartialEq)]
enum AppError {
    Account(AccountError),
    Text(Arc<str>),
}
impl From<AccountError> for AppError {
    fn from(error: AccountError) -> Self {
        AppError::Account(error)
    }
}
impl From<Arc<str>> for AppError {
    fn from(error: Arc<str>) -> Self {
        AppError::Text(error)
    }
}

#[test]
fn any_command_is_dispatched_to_its_handler() {
    let dispatch = |stage: Stage<Account>, command: AccountCommand| {
        ready(<Account as Dispatch<AppError>>::dispatch(&stage, command, &env()))
    };
    assert_eq!(dispatch(alive(0), Deposit { amount: 2 }.into()), Ok(vec![deposited(2)]));
    assert_eq!(
        dispatch(alive(0), Deposit { amount: 0 }.into()),
        Err(Refusal::Rejected(AppError::Account(AccountError::TooLittle)))
    );
    assert_eq!(dispatch(alive(0), AskTime {}.into()), Err(Refusal::Rejected(AppError::Text("7".into()))));
    assert_eq!(dispatch(Stage::Ended, Touch.into()), Err(Refusal::Ended));
}

#[test]
fn an_aggregate_knows_its_events() {
    let names: Vec<_> = Account::EVENTS.iter().map(|e| (e.name, e.version)).collect();
    assert_eq!(names, [("Opened", 1), ("Deposited", 1), ("Closed", 1)]);
    assert_eq!((Account::NAME, Account::DOC), ("Account", "Where money is kept."));
    assert_eq!((Customer::NAME, Customer::DOC), ("customer", ""));
}

#[test]
fn events_are_read_as_they_were_written() {
    for event in [opened(), deposited(3), Closed.into()] {
        let mut payload = Vec::new();
        Account::encode(&event, &mut payload).unwrap();
        let info = Account::info(&event);
        assert_eq!(Account::decode(info.name, info.version, &payload), Ok(Decoded::One(event)));
    }
    let error = |name, version| Account::decode(name, version, b"{}").unwrap_err();
    assert!(error("Lent", 1).may_be_newer_build());
    assert!(error("Closed", 2).may_be_newer_build());
    assert!(!error("Opened", 1).may_be_newer_build());
}

#[test]
fn only_a_state_has_snapshots() {
    assert!(Account::SNAPSHOTS.is_none());
    let snapshots = Counter::SNAPSHOTS.unwrap();
    assert_eq!(snapshots.every, 100);
    let bytes = (snapshots.encode)(&Counter { count: 3 }).unwrap();
    assert_eq!((snapshots.decode)(&bytes), Ok(Counter { count: 3 }));
}

mod fingerprints {
    use gesta::Aggregate;
    use gesta::prelude::*;

    #[event]
    pub struct Made {
        pub n: u64,
    }
    mod one {
        use super::*;
        pub struct Thing(pub u64);
        #[aggregate(id = u64)]
        impl Thing {
            fn made(e: Made) -> Self {
                Thing(e.n)
            }
        }
    }
    mod same {
        use super::*;
        pub struct Thing(pub u64);
        #[aggregate(id = u64)]
        impl Thing {
            /// With docs, and laid out in another way.
            #[rustfmt::skip]
            fn made( e : Made ) -> Self { /* why */ Thing ( e.n ) }
        }
    }
    mod other_body {
        use super::*;
        pub struct Thing(pub u64);
        #[aggregate(id = u64)]
        impl Thing {
            fn made(e: Made) -> Self {
                Thing(e.n + 1)
            }
        }
    }
    mod other_event {
        use super::*;
        #[event]
        pub struct Made {
            pub n: u64,
            pub m: Option<u64>,
        }
        pub struct Thing(pub u64);
        #[aggregate(id = u64)]
        impl Thing {
            fn made(e: Made) -> Self {
                Thing(e.n)
            }
        }
    }

    #[test]
    fn a_fingerprint_changes_with_code_and_schemas_only() {
        let one = one::Thing::FINGERPRINT;
        assert_eq!(one, same::Thing::FINGERPRINT);
        assert_ne!(one, other_body::Thing::FINGERPRINT);
        assert_ne!(one, other_event::Thing::FINGERPRINT);
        let _ = (one::Thing(1).0, same::Thing(1).0, other_body::Thing(1).0, other_event::Thing(1).0);
    }
}
