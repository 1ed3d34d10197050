//! The way of a command.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gesta::testing::FixedClock;
use gesta::{
    App, Builder, Denied, Envelope, ExecuteError, Failure, Limits, Position, Proposed, Stage, StoreError, Timestamp, UnitError,
    Uuid, Version,
};

use crate::domain::*;
use crate::stores::{Folder, on_every_store};

/// Lends as long as it is asked for less than a thousand, and counts how often it is asked.
#[derive(Default)]
pub struct Bank {
    pub asked: AtomicU32,
}
impl Lender for Bank {
    fn lend(&self, _: Uuid, amount: i64) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        amount < 1_000
    }
}

pub fn lending(builder: Builder) -> Builder {
    builder.shared_service::<dyn Lender>(Arc::new(Bank::default())).aggregate::<Account>()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_finds_what_its_signature_needs() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        assert!(matches!(app.execute(&id, Deposit { amount: 1 }).await, Err(ExecuteError::NotFound)));
        let opened = app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        assert_eq!((opened.version, opened.repeated), (Version::new(1), false));
        assert_eq!(opened.events[0].event, AccountEvent::from(Opened { owner: "Ann".into() }));
        assert!(matches!(app.execute(&id, Open { owner: "Bob".into() }).await, Err(ExecuteError::AlreadyExists)));
        let rejected = app.execute(&id, Deposit { amount: 0 }).await;
        assert!(matches!(rejected, Err(ExecuteError::Rejected(AccountError::NotPositive))));
        let dripped = app.execute(&id, Drip { times: 3 }).await.unwrap();
        assert_eq!((dripped.version, dripped.events.len()), (Version::new(4), 3));
        assert!(dripped.position > opened.position);
        assert!(dripped.events.iter().map(|e| e.position).is_sorted());
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, 3);
        app.execute(&id, Withdraw { amount: 3 }).await.unwrap();
        app.execute(&id, Close).await.unwrap();
        assert!(matches!(app.execute(&id, Deposit { amount: 1 }).await, Err(ExecuteError::Ended)));
        assert!(matches!(app.execute(&id, Open { owner: "Eve".into() }).await, Err(ExecuteError::Ended)));
        assert!(matches!(app.execute(&id, Welcome { gift: 1 }).await, Err(ExecuteError::Ended)));
        assert_eq!(app.load::<Account>(&id).await.unwrap().stage, Stage::Ended);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_events_answers_where_things_stand() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let opened = app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        let audited = app.execute(&account("a"), Audit).await.unwrap();
        assert_eq!((audited.version, audited.position, audited.events.len()), (Version::new(1), opened.position, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn get_or_create_sees_whether_there_is_one() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        assert_eq!(app.execute(&account("a"), Welcome { gift: 5 }).await.unwrap().events.len(), 2);
        assert_eq!(app.execute(&account("a"), Welcome { gift: 5 }).await.unwrap().events.len(), 1);
        assert_eq!(app.load::<Account>(&account("a")).await.unwrap().into_state().unwrap().balance, 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_stores_nothing_and_harms_nobody() {
    on_every_store(async |builder| {
        let app = lending(builder).limits(limits(|l| l.events_per_append = 5)).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let head = app.execute(&id, Deposit { amount: 7 }).await.unwrap().position;

        let panicked = app.execute(&id, Panic).await.unwrap_err().to_string();
        assert_eq!(panicked, "the handler of `Panic` panicked: the vault is empty");
        let burst = app.execute(&id, Deposit { amount: BURSTS }).await;
        assert!(matches!(burst, Err(ExecuteError::Failed(Failure::Panicked { command: "Deposit", .. }))), "{burst:?}");
        let again = app.execute(&id, OpenAgain).await;
        assert!(matches!(again, Err(ExecuteError::Failed(Failure::Misplaced { command: "OpenAgain", .. }))), "{again:?}");
        let drip = app.execute(&id, Drip { times: 6 }).await;
        assert!(matches!(drip, Err(ExecuteError::Failed(Failure::TooManyEvents { events: 6, max: 5 }))), "{drip:?}");
        for rate in [f64::NAN, f64::INFINITY] {
            let unwritable = app.execute(&id, Measure { rate }).await.unwrap_err().to_string();
            assert_eq!(unwritable, format!("`Measured` can't be stored: `rate` is {rate}: only finite numbers can be stored"));
        }
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, 7);
        assert_eq!(app.execute(&id, Audit).await.unwrap().position, head);
        assert_eq!(app.execute(&id, Deposit { amount: 1 }).await.unwrap().version, Version::new(3));
    })
    .await;
}

pub fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_has_a_largest_size() {
    on_every_store(async |builder| {
        let app = lending(builder).limits(limits(|l| l.event_bytes = 100)).start().await.unwrap();
        let large = app.execute(&account("a"), Open { owner: "x".repeat(100) }).await;
        assert!(
            matches!(large, Err(ExecuteError::Failed(Failure::EventTooLarge { event: "Opened", bytes: 112, max: 100 }))),
            "{large:?}"
        );
        assert_eq!(app.load::<Account>(&account("a")).await.unwrap().version, Version::ZERO);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_recorded_and_propagates_by_itself() {
    on_every_store(async |builder| {
        let clock = Arc::new(FixedClock::new("2026-11-21T10:00:00Z".parse().unwrap()));
        let app = lending(builder).clock(clock.clone()).start().await.unwrap();
        let long_ago: Timestamp = "1999-12-31".parse().unwrap();
        let opened =
            app.execute(&account("a"), Open { owner: "Ann".into() }).actor("teller 3").occurred_at(long_ago).await.unwrap();
        let first = &opened.events[0];
        assert_eq!(first.metadata.actor.as_deref(), Some("teller 3"));
        assert_eq!(first.metadata.occurred_at, long_ago);
        assert_eq!(first.metadata.recorded_at.to_string(), "2026-11-21T10:00:00Z");
        assert_eq!(first.metadata.correlation_id, first.metadata.event_id);
        assert_eq!(first.metadata.causation_id, None);

        let caused = app.execute(&account("b"), Open { owner: "Bob".into() }).caused_by(first).await.unwrap();
        assert_eq!(caused.events[0].metadata.causation_id, Some(first.metadata.event_id));
        assert_eq!(caused.events[0].metadata.correlation_id, first.metadata.correlation_id);
        assert_eq!(caused.events[0].metadata.actor.as_deref(), Some("teller 3"));
        let (cause, id) = (caused.events[0].clone(), account("b"));
        let inside =
            gesta::caused_by(&cause, async { app.execute(&id, Deposit { amount: 1 }).actor("robot").await.unwrap() }).await;
        assert_eq!(inside.events[0].metadata.causation_id, Some(cause.metadata.event_id));
        assert_eq!(inside.events[0].metadata.correlation_id, first.metadata.correlation_id);
        assert_eq!(inside.events[0].metadata.actor.as_deref(), Some("robot"));

        let mut history = app.history::<Account>(&account("a")).unwrap().all().await.unwrap();
        assert_eq!(history.remove(0), *first, "what is answered is what is stored");
        let mut history = app.history::<Account>(&account("b")).unwrap().all().await.unwrap();
        assert_eq!(history.remove(1), inside.events[0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_time_never_goes_back_within_a_stream() {
    on_every_store(async |builder| {
        let clock = Arc::new(FixedClock::new(Timestamp::from_micros(1_000_000)));
        let app = lending(builder).clock(clock.clone()).start().await.unwrap();
        app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        clock.set(Timestamp::from_micros(10));
        let late = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
        assert_eq!(late.events[0].metadata.recorded_at, Timestamp::from_micros(1_000_000));
        clock.advance(Duration::from_secs(5));
        let later = app.execute(&account("a"), Deposit { amount: 1 }).await.unwrap();
        assert_eq!(later.events[0].metadata.recorded_at, Timestamp::from_micros(5_000_010));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_sees_every_command_and_may_deny_it() {
    on_every_store(async |builder| {
        let guarded = lending(builder).before_command(|proposed: &Proposed<'_>| {
            let large = proposed.command::<Withdraw>().is_some_and(|w| w.amount > 100);
            match proposed.actor() {
                None => Err(Denied::new(format!("{} on {} needs an actor", proposed.name(), proposed.stream()))),
                Some(actor) if large && actor != "manager" => Err(Denied::new("only a manager withdraws as much")),
                Some(_) => Ok(()),
            }
        });
        let app = guarded.start().await.unwrap();
        let id = account("a");
        let nobody = app.execute(&id, Open { owner: "Ann".into() }).await.unwrap_err();
        assert_eq!(nobody.to_string(), "denied: Open on Account-a needs an actor");
        app.execute(&id, Open { owner: "Ann".into() }).actor("clerk").await.unwrap();
        app.execute(&id, Deposit { amount: 500 }).actor("clerk").await.unwrap();
        let denied = app.execute(&id, Withdraw { amount: 101 }).actor("clerk").await;
        assert!(matches!(denied, Err(ExecuteError::Failed(Failure::Denied(_)))));
        app.execute(&id, Withdraw { amount: 101 }).actor("manager").await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_panics_fails_its_command_only() {
    on_every_store(async |builder| {
        let guarded = lending(builder).before_command(|proposed: &Proposed<'_>| {
            assert!(proposed.actor().is_some(), "nobody");
            Ok(())
        });
        let app = guarded.start().await.unwrap();
        let open = |name: &str| Envelope::<Account>::new(account(name), Open { owner: name.into() });
        let mut answers = app.execute_many::<Account, AccountError>([open("a").actor("x"), open("b"), open("c").actor("x")]);
        let mut said = Vec::new();
        while let Some((number, answer)) = answers.next().await {
            said.push((number, answer.map(drop).map_err(|why| why.to_string())));
        }
        said.sort();
        assert_eq!(said, [(0, Ok(())), (1, Err("a hook before `Open` panicked: nobody".to_owned())), (2, Ok(()))]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_one_aggregate_run_one_after_another() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (app, id) = (app.clone(), id.clone());
            tasks.spawn(async move {
                for _ in 0..20 {
                    app.execute(&id, Deposit { amount: 1 }).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        let loaded = app.load::<Account>(&id).await.unwrap();
        assert_eq!((loaded.version, loaded.into_state().unwrap().balance), (Version::new(641), 640));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_caller_leaves_all_or_nothing() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        for round in 0..200 {
            let mut command = Box::pin(async { app.execute(&id, Deposit { amount: 1 }).await });
            for _ in 0..round % 5 {
                let waker = std::task::Waker::noop();
                if command.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_ready() {
                    break;
                }
            }
            drop(command);
            // The next one meets whatever was left, and is not harmed by it.
            app.execute(&id, Withdraw { amount: 0 }).await.unwrap();
        }
        let history = app.history::<Account>(&id).unwrap().all().await.unwrap();
        let state = app.load::<Account>(&id).await.unwrap().into_state().unwrap();
        let deposits = history.iter().filter(|e| matches!(e.event, AccountEvent::Deposited(_))).count();
        assert_eq!(state.balance, i64::try_from(deposits).unwrap());
        assert!(history.iter().map(|e| e.version.get()).eq(1..=history.len() as u64));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_found_by_its_type_and_asked_once() {
    on_every_store(async |builder| {
        let bank = Arc::new(Bank::default());
        let app = builder.shared_service::<dyn Lender>(bank.clone()).aggregate::<Account>().start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        app.execute(&id, Borrow { amount: 10 }).idempotency_key("loan").await.unwrap();
        let repeated = app.execute(&id, Borrow { amount: 10 }).idempotency_key("loan").await.unwrap();
        assert!(repeated.repeated);
        assert_eq!(bank.asked.load(Ordering::SeqCst), 1, "a service does not act again for a command that was carried out");
        let refused = app.execute(&id, Borrow { amount: 1_000 }).await;
        assert!(matches!(refused, Err(ExecuteError::Rejected(AccountError::Unworthy))));
    })
    .await;
}

/// Lends to nobody, and keeps the keys of the attempts.
#[derive(Default)]
struct Miser(std::sync::Mutex<Vec<Uuid>>);
impl Lender for Miser {
    fn lend(&self, attempt: Uuid, _: i64) -> bool {
        self.0.lock().unwrap().push(attempt);
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_knows_a_command_again_by_its_attempt_key() {
    on_every_store(async |builder| {
        let miser = Arc::new(Miser::default());
        let app = builder.shared_service::<dyn Lender>(miser.clone()).aggregate::<Account>().start().await.unwrap();
        let (a, b) = (account("a"), account("b"));
        app.execute(&a, Open { owner: "Ann".into() }).await.unwrap();
        app.execute(&b, Open { owner: "Bob".into() }).await.unwrap();
        for (id, key) in [(&a, "1"), (&a, "1"), (&a, "2"), (&b, "1")] {
            app.execute(id, Borrow { amount: 1 }).idempotency_key(key).await.unwrap_err();
        }
        app.execute(&a, Borrow { amount: 1 }).await.unwrap_err();
        for key in ["unit 1", "unit 1", "unit 2"] {
            let unit = app.unit(async |u| {
                let _ = u.execute(&a, Borrow { amount: 1 }).await;
                let _ = u.execute(&a, Borrow { amount: 1 }).await;
                Err::<(), _>(())
            });
            unit.idempotency_key(key).await.unwrap_err();
        }
        let mut seen = std::mem::take(&mut *miser.0.lock().unwrap());
        assert_eq!((seen[0], seen[5], seen[6]), (seen[1], seen[7], seen[8]), "repeats");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 11 - 3, "whatever is no repeat has a key of its own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_only_reads_decides_on_nothing() {
    let folder = Folder::new();
    let writer = lending(App::connect(&folder.url("bank.db")).await.unwrap()).start().await.unwrap();
    let id = account("a");
    writer.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    let bank = Arc::new(Bank::default());
    let builder = App::connect(&format!("{}?mode=ro", folder.url("bank.db"))).await.unwrap();
    let reader = builder.shared_service::<dyn Lender>(bank.clone()).aggregate::<Account>().start().await.unwrap();
    let read_only = |failure: &Failure| matches!(failure, Failure::Store(StoreError::ReadOnly));
    let refused = reader.execute(&id, Borrow { amount: 1 }).await;
    assert!(matches!(&refused, Err(ExecuteError::Failed(why)) if read_only(why)), "{refused:?}");
    let refused = reader.unit(async |u| u.execute(&id, Borrow { amount: 1 }).await.map(drop)).await;
    assert!(matches!(&refused, Err(UnitError::Failed(why)) if read_only(why)), "{refused:?}");
    assert_eq!(bank.asked.load(Ordering::SeqCst), 0, "it would have lent for nothing");
    assert!(reader.load::<Account>(&id).await.unwrap().state().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_can_not_name_a_stream_does_not_get_in() {
    assert!(AccountId::new("").is_err());
    assert!(AccountId::new("a\0b").is_err());
    assert!("x".repeat(256).parse::<AccountId>().is_err());
    assert_eq!(Position::ZERO.next().get(), 1);
}
