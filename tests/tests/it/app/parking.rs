//! A read model whose rows each belong to one stream parks the stream of an event that it can't fold, and goes on with all others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use gesta::prelude::*;
use gesta::store::{Parked, Store};
use gesta::{Builder, Position, ProjectionError, ReadError, StartError, StoreError};

use super::builds::{on_every_store, put};
use super::commands::lending;
use crate::domain::*;
use crate::stores::Folder;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// The deposits that the code can't bear, until it is mended: by the names of accounts.
static BUGS: Mutex<BTreeMap<String, Vec<i64>>> = Mutex::new(BTreeMap::new());

fn bug(account: &str, amounts: &[i64]) {
    BUGS.lock().unwrap().insert(account.to_owned(), amounts.to_vec());
}

/// All that was booked, in order.
#[derive(Debug, PartialEq, ReadModel)]
pub struct Journal {
    #[key]
    pub account: AccountId,
    #[index]
    pub balance: i64,
    pub text: String,
}
#[projection(of = Account, ignore(Measured))]
impl Journal {
    fn opened(e: &Recorded<Opened>) -> Self {
        Journal { account: e.aggregate_id(), balance: 0, text: e.owner.clone() }
    }
    fn deposited(&mut self, e: &Deposited) {
        let _ = write!(self.text, "+{}", e.amount);
        let bug = BUGS.lock().unwrap().get(self.account.as_str()).is_some_and(|amounts| amounts.contains(&e.amount));
        assert!(!bug, "no {}", e.amount);
        self.balance += e.amount;
    }
    fn withdrawn(&mut self, e: &Withdrawn) {
        let _ = write!(self.text, "-{}", e.amount);
        self.balance -= e.amount;
    }
    fn closed(self, _: &Closed) {}
}

fn on(store: &Store) -> Builder {
    lending(App::on(store.clone()))
}

async fn deposit(app: &App, id: &str, amount: i64) -> Position {
    app.execute(&account(id), Deposit { amount }).await.unwrap().position
}

async fn open(app: &App, id: &str) {
    app.execute(&account(id), Open { owner: "Ann".into() }).await.unwrap();
}

async fn text(app: &App, id: &str, at: Position) -> Result<String, ReadError> {
    Ok(app.read::<Journal>().after(at).within(LONG).get(&account(id)).await?.unwrap().text)
}

fn first(parked: &[Parked]) -> Vec<(&str, u64)> {
    parked.iter().map(|parked| (parked.stream.id(), parked.version.get())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_is_said_to_be_parked_and_everything_else_goes_on() {
    on_every_store(async |store| {
        bug("p1", &[13]);
        let app = on(&store).projection::<Journal>().projection::<Summary>().start().await.unwrap();
        open(&app, "p1").await;
        open(&app, "p2").await;
        deposit(&app, "p1", 12).await;
        let unlucky = deposit(&app, "p1", 13).await;
        deposit(&app, "p1", 14).await;
        let last = deposit(&app, "p2", 13).await;

        assert_eq!(text(&app, "p2", last).await.unwrap(), "Ann+13");
        let error = text(&app, "p1", last).await.unwrap_err();
        let ReadError::Parked { model: "journal", parked } = &error else { panic!("{error:?}") };
        assert_eq!((parked.stream.as_str(), parked.version.get(), parked.position), ("Account-p1", 3, unlucky));
        let message = format!(
            "the read model `journal` has parked a stream at event 3 of `Account-p1` (`Deposited` version 1, at position {unlucky}): \
             its handler panicked: no 13; once that is mended, start the app again or call `retry_parked`"
        );
        assert_eq!(error.to_string(), message);
        assert_eq!(app.parked::<Journal>().await.unwrap(), std::slice::from_ref(parked));
        assert_eq!(app.parked::<Summary>().await.unwrap(), []);
        // Reads of many can't say whether its row would be among them.
        assert!(matches!(app.read::<Journal>().all().await, Err(ReadError::Parked { .. })));
        assert!(matches!(app.read::<Journal>().filter(Journal::BALANCE.at_least(&1_000)).rows().await, Err(ReadError::Parked { .. })));
        assert!(matches!(app.settle().await, Err(ReadError::Parked { .. })));
        let despite = app.read::<Journal>().despite_parked().all().await.unwrap();
        assert_eq!(despite.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["Ann+12", "Ann+13"]);
        let despite = app.read::<Journal>().despite_parked().get(&account("p1")).await.unwrap().unwrap();
        assert_eq!((despite.text.as_str(), despite.balance), ("Ann+12", 12), "nothing of the event is in it, nor of those behind it");
        // The other models, and the commands, know nothing of it.
        assert_eq!(app.read::<Summary>().after(last).get(&account("p1")).await.unwrap().unwrap().balance, 39);
        let last = deposit(&app, "p1", 1).await;
        assert!(matches!(text(&app, "p1", last).await, Err(ReadError::Parked { .. })));

        // Nothing has changed, so nothing changes.
        assert_eq!(app.retry_parked::<Journal>().await.unwrap(), std::slice::from_ref(parked));
        bug("p1", &[]);
        assert_eq!(app.retry_parked::<Journal>().await.unwrap(), []);
        assert_eq!(text(&app, "p1", last).await.unwrap(), "Ann+12+13+14+1");
        let last = deposit(&app, "p1", 2).await;
        assert_eq!(text(&app, "p1", last).await.unwrap(), "Ann+12+13+14+1+2");
        app.settle().await.unwrap();
        assert_eq!(app.read::<Journal>().all().await.unwrap().len(), 2);
        app.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_tries_each_again_from_its_event_and_stops_at_the_next_one_that_fails() {
    on_every_store(async |store| {
        bug("s1", &[3, 5]);
        bug("s2", &[4]);
        let start = async || {
            let app = on(&store).projection::<Journal>().start().await.unwrap();
            // From the first moment on.
            let early = app.read::<Journal>().get(&account("s1")).await;
            (app, early)
        };
        let (app, _) = start().await;
        open(&app, "s1").await;
        open(&app, "s2").await;
        for amount in 1..=6 {
            deposit(&app, "s1", amount).await;
            deposit(&app, "s2", amount).await;
        }
        let last = deposit(&app, "s2", 7).await;
        let _ = app.settle().await;
        assert_eq!(first(&app.parked::<Journal>().await.unwrap()), [("s1", 4), ("s2", 5)]);
        app.shutdown().await.unwrap();

        let (app, early) = start().await;
        assert!(matches!(early, Err(ReadError::Parked { .. })), "{early:?}");
        assert_eq!(first(&app.parked::<Journal>().await.unwrap()), [("s1", 4), ("s2", 5)]);
        app.shutdown().await.unwrap();

        bug("s1", &[5]);
        bug("s2", &[]);
        let (app, _) = start().await;
        // Asking for it again waits for the first try.
        let parked = app.retry_parked::<Journal>().await.unwrap();
        assert_eq!(first(&parked), [("s1", 6)]);
        assert!(parked[0].why.contains("no 5"), "{parked:?}");
        assert_eq!(text(&app, "s2", last).await.unwrap(), "Ann+1+2+3+4+5+6+7");
        let row = app.read::<Journal>().despite_parked().get(&account("s1")).await.unwrap().unwrap();
        assert_eq!(row.text, "Ann+1+2+3+4", "it has come as far as it can");
        // Whoever only looks on sees the same.
        let other = on(&store).projection::<Journal>().start().await.unwrap();
        assert_eq!(first(&other.parked::<Journal>().await.unwrap()), [("s1", 6)]);
        let last = deposit(&app, "s1", 8).await;
        bug("s1", &[]);
        assert_eq!(other.retry_parked::<Journal>().await.unwrap(), []);
        assert_eq!(text(&other, "s1", last).await.unwrap(), "Ann+1+2+3+4+5+6+8");
        // The first app is told by its next commit that it feeds the model no longer, and asks the store from then on. Until then
        // it says of its own accord that the stream is parked, which is no wrong row.
        let last = deposit(&app, "s1", 9).await;
        let settled = tokio::time::timeout(LONG, async {
            loop {
                match text(&app, "s1", last).await {
                    Err(ReadError::Parked { .. }) => tokio::task::yield_now().await,
                    other => break other.unwrap(),
                }
            }
        });
        assert_eq!(settled.await.expect("it is told"), "Ann+1+2+3+4+5+6+8+9");
        let not_here = app.retry_parked::<Journal>().await;
        assert!(matches!(not_here, Err(ReadError::Stopped { why: ProjectionError::Superseded, .. })), "{not_here:?}");
        app.shutdown().await.unwrap();
        other.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_is_parked_and_what_is_newer_is_waited_for() {
    on_every_store(async |store| {
        let app = on(&store).projection::<Journal>().start().await.unwrap();
        for id in ["d1", "d2"] {
            open(&app, id).await;
        }
        let stream = |id: &str| gesta::StreamName::new("Account", &account(id)).unwrap();
        put(&store, &stream("d1"), "Deposited", 1, r#"{"amount":"x"}"#).await;
        put(&store, &stream("d3"), "Opened", 0, "{}").await;
        // Behind a parked event nobody looks at what is newer.
        put(&store, &stream("d1"), "Deposited", 2, "{}").await;
        let last = deposit(&app, "d2", 1).await;
        assert_eq!(text(&app, "d2", last).await.unwrap(), "Ann+1");
        let parked = app.parked::<Journal>().await.unwrap();
        assert_eq!(first(&parked), [("d1", 2), ("d3", 1)]);
        assert_eq!(
            parked[0].to_string(),
            format!(
                "event 2 of `Account-d1` (`Deposited` version 1, at position {}): `amount`: the payload can't be read: invalid type: \
                 string \"x\", expected i64 at line 1 column 13; it begins with {{\"amount\":\"x\"}}",
                parked[0].position
            )
        );
        // A row that an undecodable event would have created is not absent either.
        assert!(matches!(text(&app, "d3", last).await, Err(ReadError::Parked { .. })));
        assert_eq!(app.retry_parked::<Journal>().await.unwrap().len(), 2);
        app.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_stream_that_turns_out_to_hold_something_newer_makes_the_model_wait_for_that_build() {
    on_every_store(async |store| {
        bug("n1", &[13]);
        let app = on(&store).projection::<Journal>().start().await.unwrap();
        open(&app, "n1").await;
        deposit(&app, "n1", 13).await;
        let newer = put(&store, &gesta::StreamName::new("Account", &account("n1")).unwrap(), "Deposited", 2, "{}").await;
        assert!(matches!(app.settle().await, Err(ReadError::Parked { .. })));
        bug("n1", &[]);
        let error = app.retry_parked::<Journal>().await.unwrap_err();
        assert!(matches!(&error, ReadError::NewerBuildNeeded { event, .. } if event.position == newer), "{error:?}");
        assert_eq!(first(&app.parked::<Journal>().await.unwrap()), [("n1", 2)], "it stays parked where it was");
        app.shutdown().await.unwrap();
    })
    .await;
}

/// Rows of one key that two aggregates feed.
mod shared {
    use super::*;

    #[event]
    pub struct Praised;
    pub struct Fame;
    #[aggregate(id = AccountId)]
    impl Fame {
        fn praised(_: &Praised) -> Self {
            Fame
        }
    }
    #[command]
    pub struct Praise;
    #[command_handler]
    impl Fame {
        fn praise(_: Praise) -> Praised {
            Praised
        }
    }

    #[derive(Debug, PartialEq, ReadModel)]
    #[read_model(of(Account, Fame))]
    pub struct Esteem {
        #[key]
        pub account: AccountId,
        pub points: i64,
    }
    #[projection(of = Account, ignore(Measured, Withdrawn, Closed, Deposited))]
    impl Esteem {
        fn opened(e: &Recorded<Opened>) -> Self {
            assert_ne!(e.owner, "Bug", "no bugs");
            Esteem { account: e.aggregate_id(), points: 1 }
        }
    }
    #[projection(of = Fame)]
    impl Esteem {
        fn praised(row: Option<Self>, e: &Recorded<Praised>) -> Option<Self> {
            Some(Esteem { account: e.aggregate_id(), points: row.map_or(0, |row| row.points) + 10 })
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_that_several_aggregates_feed_are_not_parked_one_by_one() {
        on_every_store(async |store| {
            let app = on(&store).aggregate::<Fame>().projection::<Esteem>().start().await.unwrap();
            app.execute(&account("a"), Open { owner: "Bug".into() }).await.unwrap();
            app.execute(&account("a"), Praise).await.unwrap();
            let error = app.settle().await.unwrap_err();
            assert!(matches!(error, ReadError::Stopped { why: ProjectionError::Event { .. }, .. }), "{error:?}");
            assert_eq!(app.parked::<Esteem>().await.unwrap(), []);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_model_takes_over_only_once_nothing_is_parked() {
    on_every_store(async |store| {
        bug("i1", &[13]);
        let app = on(&store).projection::<Journal>().start().await.unwrap();
        open(&app, "i1").await;
        let last = deposit(&app, "i1", 13).await;
        assert!(matches!(text(&app, "i1", last).await, Err(ReadError::Parked { .. })));
        app.shutdown().await.unwrap();
        let refused = on(&store).inline_projection::<Journal>().start().await;
        let Err(StartError::CatchUp { model: "journal", why: ProjectionError::Event { .. } }) = refused else {
            panic!("{refused:?}")
        };
        bug("i1", &[]);
        let app = on(&store).inline_projection::<Journal>().start().await.unwrap();
        let last = deposit(&app, "i1", 1).await;
        assert_eq!(text(&app, "i1", last).await.unwrap(), "Ann+13+1");
        bug("i1", &[13]);
        // It refuses instead of parking.
        assert!(app.execute(&account("i1"), Deposit { amount: 13 }).await.is_err());
        assert_eq!(app.retry_parked::<Journal>().await.unwrap(), []);
        assert_eq!(text(&app, "i1", last).await.unwrap(), "Ann+13+1");
        app.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_everywhere_stops() {
    let app = lending(App::connect("memory:").await.unwrap()).projection::<Journal>().start().await.unwrap();
    for number in 0..1_001 {
        let id = format!("everywhere{number}");
        bug(&id, &[13]);
        app.execute(&account(&id), Open { owner: "Ann".into() }).await.unwrap();
        deposit(&app, &id, 13).await;
    }
    let error = app.settle().await.unwrap_err();
    assert!(matches!(error, ReadError::Stopped { why: ProjectionError::Event { .. }, .. }), "{error:?}");
    assert_eq!(app.parked::<Journal>().await.unwrap().len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_only_reads_is_told_too() {
    let folder = Folder::new();
    bug("r1", &[13]);
    let app = lending(App::connect(&folder.url("bank.db")).await.unwrap()).projection::<Journal>().start().await.unwrap();
    open(&app, "r1").await;
    open(&app, "r2").await;
    let last = deposit(&app, "r1", 13).await;
    let _ = app.settle().await;
    let reader = lending(App::connect(&format!("{}?mode=ro", folder.url("bank.db"))).await.unwrap());
    let reader = reader.projection::<Journal>().start().await.unwrap();
    assert!(matches!(text(&reader, "r1", last).await, Err(ReadError::Parked { .. })));
    assert_eq!(text(&reader, "r2", last).await.unwrap(), "Ann");
    assert_eq!(first(&reader.parked::<Journal>().await.unwrap()), [("r1", 2)]);
    assert!(matches!(reader.retry_parked::<Journal>().await, Err(ReadError::Store(StoreError::ReadOnly))));
    bug("r1", &[]);
    app.retry_parked::<Journal>().await.unwrap();
    assert_eq!(text(&reader, "r1", last).await.unwrap(), "Ann+13");
}

/// Whatever is parked and mended while commands run: in the end each row is what its history says.
#[tokio::test(flavor = "multi_thread")]
async fn rows_come_out_as_their_histories_say_whatever_was_parked_meanwhile() {
    on_every_store(async |store| {
        let names: Vec<_> = (0..12).map(|number| format!("h{number}")).collect();
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        // xorshift64, Marsaglia 2003.
        let mut random = move |below: u64| {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            bits % below
        };
        let mut app = on(&store).projection::<Journal>().start().await.unwrap();
        for name in &names {
            open(&app, name).await;
        }
        for step in 0..600 {
            let name = &names[usize::try_from(random(12)).unwrap()];
            match random(40) {
                0 => {
                    app.shutdown().await.unwrap();
                    app = on(&store).projection::<Journal>().start().await.unwrap();
                }
                1..=3 => bug(name, &[1, i64::try_from(random(9)).unwrap()]),
                4..=6 => bug(name, &[]),
                7 => drop(app.retry_parked::<Journal>().await.unwrap()),
                8 => {
                    let app = app.clone();
                    tokio::spawn(async move { app.retry_parked::<Journal>().await });
                }
                _ => drop(deposit(&app, name, i64::try_from(random(9)).unwrap() + 1).await),
            }
            if step % 150 == 149 {
                for name in &names {
                    bug(name, &[]);
                }
                assert_eq!(app.retry_parked::<Journal>().await.unwrap(), []);
            }
        }
        app.settle().await.unwrap();
        for name in &names {
            let history = app.history::<Account>(&account(name)).unwrap().all().await.unwrap();
            let mut expected = "Ann".to_owned();
            for event in history {
                if let AccountEvent::Deposited(deposited) = &event.event {
                    let _ = write!(expected, "+{}", deposited.amount);
                }
            }
            let row = app.read::<Journal>().get(&account(name)).await.unwrap().unwrap();
            assert_eq!(row.text, expected);
        }
        app.shutdown().await.unwrap();
    })
    .await;
}
