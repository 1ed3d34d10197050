//! Two builds on one store: what the newer one writes is never taken for broken by the older one, and what is broken is never
//! taken for newer.

use std::time::Duration;

use gesta::prelude::*;
use gesta::store::{Append, NewEvent, Store, StreamAppend};
use gesta::{Failure, LoadError, Position, ProjectionError, ReadError, StreamName, Unreadable, UnreadableEvent, Version};

use crate::stores::Folder;

mod versions;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

#[id]
pub struct AccountId(String);

fn id(text: &str) -> AccountId {
    AccountId::new(text).unwrap()
}

/// One build: its channels, its further events, and what becomes of the state at them.
macro_rules! build {
    ($module:ident { $($channel:ident),* } $(#[$attribute:meta] $event:ident $method:ident $command:ident $handler:ident)?) => {
        pub mod $module {
            use super::*;

            #[value]
            pub enum Channel {
                $($channel),*
            }
            #[event]
            pub struct Opened {
                pub owner: String,
            }
            #[event]
            pub struct Deposited {
                pub amount: i64,
                pub channel: Channel,
            }
            $(#[$attribute] pub struct $event;)?

            #[state(snapshot_every = 2)]
            pub struct Account {
                pub balance: i64,
                pub frozen: bool,
            }
            #[aggregate(id = AccountId)]
            impl Account {
                fn opened(_: &Opened) -> Self {
                    Account { balance: 0, frozen: false }
                }
                fn deposited(&mut self, e: &Deposited) {
                    self.balance += e.amount;
                }
                $(fn $method(&mut self, _: &$event) {
                    self.frozen = true;
                })?
            }

            #[command]
            pub struct Open;
            #[command]
            pub struct Deposit {
                pub amount: i64,
                pub channel: Channel,
            }
            /// Does nothing, whatever the state.
            #[command]
            pub struct Look;
            $(#[command] pub struct $command;)?
            #[command_handler]
            impl Account {
                fn open(_: Open) -> Opened {
                    Opened { owner: "Ann".into() }
                }
                fn deposit(&self, cmd: Deposit) -> Deposited {
                    Deposited { amount: cmd.amount, channel: cmd.channel }
                }
                fn look(_: Option<&Self>, _: Look) {}
                $(fn $handler(&self, _: $command) -> $event {
                    $event
                })?
            }

            /// Every deposit.
            #[derive(Debug, PartialEq, ReadModel)]
            pub struct Summary {
                #[key]
                pub account: AccountId,
                pub balance: i64,
            }
            #[projection(of = Account, ignore($($event)?))]
            impl Summary {
                fn opened(e: &Recorded<Opened>) -> Self {
                    Summary { account: e.aggregate_id(), balance: 0 }
                }
                fn deposited(&mut self, e: &Deposited) {
                    self.balance += e.amount;
                }
            }

            /// Reads no deposit.
            #[derive(Debug, PartialEq, ReadModel)]
            pub struct Owners {
                #[key]
                pub account: AccountId,
                pub owner: String,
            }
            #[projection(of = Account, ignore(Deposited, $($event)?))]
            impl Owners {
                fn opened(e: &Recorded<Opened>) -> Self {
                    Owners { account: e.aggregate_id(), owner: e.owner.clone() }
                }
            }

            /// Has nothing to do with accounts.
            #[event]
            pub struct Rung;
            pub struct Bell;
            #[aggregate(id = AccountId)]
            impl Bell {
                fn rung(_: &Rung) -> Self {
                    Bell
                }
            }
            #[command]
            pub struct Ring;
            #[command_handler]
            impl Bell {
                fn ring(_: Ring) -> Rung {
                    Rung
                }
            }
        }
    };
}
build!(old { Branch });
build!(new { Branch, App } #[event] Frozen frozen Freeze freeze);

/// Appends what no code of these builds would: an event of this name and version with this payload.
pub async fn put(store: &Store, stream: &StreamName, name: &'static str, schema_version: u32, payload: &str) -> Position {
    let mut expected = Version::ZERO;
    let mut visit = |event: gesta::store::StoredEvent<'_>| {
        expected = event.version;
        std::ops::ControlFlow::Continue(())
    };
    store.log.read_stream(stream, Version::ZERO, usize::MAX, &mut visit).await.unwrap();
    let event = NewEvent { id: Uuid::now_v7(), name, schema_version, occurred_at: None, payload: payload.as_bytes().to_vec() };
    let appended = store.log.append(Append {
        streams: vec![StreamAppend { stream: stream.clone(), expected, expected_event: None, events: vec![event], key: None }],
        recorded_at: Timestamp::from_micros(1),
        actor: None,
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    });
    appended.await.unwrap().position
}

/// Runs a test on every store, opened once.
pub async fn on_every_store<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let folder = Folder::new();
    for url in ["memory:".to_owned(), folder.url("test.db")] {
        println!("on {url}");
        let store = gesta::store::connect(&url).await.unwrap();
        test(store.clone()).await;
        store.log.close().await.unwrap();
    }
}

fn stream(id: &str) -> StreamName {
    StreamName::parse(&format!("Account-{id}")).unwrap()
}

/// What the older build can't know: each with why.
const NEWER: [(&str, u32, &str, &str); 3] = [
    (
        "Frozen",
        1,
        "{}",
        "`Account` has no event `Frozen`: a newer build wrote it, or it was renamed or removed here; a renamed one keeps its stored name by `#[event(name = \"Frozen\")]`",
    ),
    ("Deposited", 2, r#"{"cents":1}"#, "`Deposited` has no version 2 in this build, the newest is 1: a newer build wrote it"),
    (
        "Deposited",
        1,
        r#"{"amount":1,"channel":"App"}"#,
        "`channel`: unknown variant `App`, expected `Branch` at line 1 column 27: a newer build wrote it, or the variant was renamed or removed here",
    ),
];

/// What nobody can read: each with why.
const BROKEN: [(&str, u32, &str, &str); 6] = [
    (
        "Deposited",
        1,
        r#"{"amount":1,"chan"#,
        "the payload can't be read: EOF while parsing a string at line 1 column 17; it begins with {\"amount\":1,\"chan",
    ),
    (
        "Deposited",
        1,
        r#"{"amount":"1","channel":"Branch"}"#,
        "`amount`: the payload can't be read: invalid type: string \"1\", expected i64 at line 1 column 13; it begins with {\"amount\":\"1\",\"channel\":\"Branch\"}",
    ),
    (
        "Deposited",
        1,
        r#"{"amount":1}"#,
        "the payload can't be read: missing field `channel` at line 1 column 12; a field that an event did not have at first is marked `#[added(..)]`; it begins with {\"amount\":1}",
    ),
    ("Deposited", 1, "", "the payload can't be read: EOF while parsing a value at line 1 column 0; it is empty"),
    ("Deposited", 0, r#"{"amount":1,"channel":"Branch"}"#, "`Deposited` has no version 0: 1 is the only one"),
    ("Opened", 1, r#"{"owner":"Bob"}"#, "`Opened` creates what is there already"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_newer_is_said_to_be_newer_and_one_that_is_broken_to_be_broken() {
    on_every_store(async |store| {
        let app = gesta::App::on(store.clone()).aggregate::<old::Account>().start().await.unwrap();
        let cases = NEWER.map(|case| (case, true)).into_iter().chain(BROKEN.map(|case| (case, false)));
        for (number, ((name, version, payload, why), newer)) in cases.enumerate() {
            let id = id(&format!("{number}"));
            let stream = stream(id.as_str());
            app.execute(&id, old::Open).await.unwrap();
            let position = put(&store, &stream, name, version, payload).await;
            let said = format!("event 2 of `{stream}` (`{name}` version {version}, at position {position}): {why}");
            let advice = "; deploy the code that reads it here: first the code that reads an event, then the code that writes it";
            let message = if newer { format!("{said}{advice}") } else { said.clone() };

            // The state from before is in the cache.
            for command in [
                app.execute(&id, old::Deposit { amount: 1, channel: old::Channel::Branch }).await,
                app.execute(&id, old::Deposit { amount: 1, channel: old::Channel::Branch }).await,
            ] {
                let error = command.unwrap_err();
                assert_eq!((error.to_string(), error.is_newer_build_needed()), (message.clone(), newer));
                assert!(!error.is_retryable() && !error.is_refusal(), "{error:?}");
            }
            let unit = app.unit(async |u| u.execute(&id, old::Look).await.map(drop)).await.unwrap_err();
            assert_eq!((unit.to_string(), unit.is_newer_build_needed()), (message.clone(), newer));
            let many = [gesta::Envelope::<old::Account>::new(id.clone(), old::Look)];
            let (_, many) = app.execute_many::<_, std::convert::Infallible>(many).next().await.unwrap();
            assert!(matches!(many.unwrap_err(), gesta::ExecuteError::Failed(error) if error.is_newer_build_needed() == newer));

            let loaded = app.load::<old::Account>(&id).await.unwrap_err();
            assert_eq!((loaded.to_string(), loaded.is_newer_build_needed()), (message.clone(), newer));
            assert_eq!(matches!(loaded, LoadError::NewerBuildNeeded(_)), newer);
            // What went before it can be read.
            assert_eq!(app.load_at::<old::Account>(&id, Version::new(1)).await.unwrap().state().unwrap().balance, 0);
            if name != "Opened" {
                let mut history = app.history::<old::Account>(&id).unwrap();
                assert!(history.next().await.unwrap().is_ok());
                let error = history.next().await.unwrap().unwrap_err();
                assert_eq!((error.to_string(), error.is_newer_build_needed()), (message, newer));
                assert!(history.next().await.is_none());
                let raw = app.subscribe(Position::new(position.get() - 1)).next_stored().await.unwrap().unwrap();
                let error: UnreadableEvent = raw.decode::<old::Account>().unwrap().unwrap_err();
                assert_eq!((error.to_string(), error.is_newer_build_needed()), (said, newer));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_gives_up_before_what_is_newer_and_the_others_go_on() {
    for (name, version, payload, why) in NEWER {
        on_every_store(async |store| {
            let app = gesta::App::on(store.clone())
                .aggregate::<old::Account>()
                .projection::<old::Summary>()
                .projection::<old::Owners>()
                .start()
                .await
                .unwrap();
            let (a, b) = (id("a"), id("b"));
            app.execute(&a, old::Open).await.unwrap();
            let before = app.execute(&a, old::Deposit { amount: 5, channel: old::Channel::Branch }).await.unwrap();
            let position = put(&store, &stream(a.as_str()), name, version, payload).await;
            let after = app.execute(&b, old::Open).await.unwrap();
            let read = app.read::<old::Summary>().after(&after).within(LONG).get(&b).await.unwrap_err();
            let ReadError::NewerBuildNeeded { model: "summary", event } = &read else { panic!("{read:?}") };
            assert_eq!((event.position, event.schema_version, event.name.as_str()), (position, version, name));
            let message = read.to_string();
            assert!(message.starts_with("the read model `summary` waits for a newer build: event 3 of `Account-a"), "{message}");
            assert!(message.contains(why) && read.is_newer_build_needed(), "{message}");
            // It does not go on answering as if nothing had happened.
            let plain = app.read::<old::Summary>().get(&a).await;
            assert!(matches!(plain, Err(ReadError::NewerBuildNeeded { .. })), "{plain:?}");
            assert!(app.settle().await.unwrap_err().is_newer_build_needed());
            let row = app.read::<old::Summary>().after(&before).get(&a).await.unwrap().unwrap();
            assert_eq!(row.balance, 5);
            let rows = store.read_models.clone().unwrap();
            assert!(rows.checkpoint(0).await.unwrap().position < position, "it stays before the event");

            if name == "Deposited" {
                // Who does not look into deposits is not held up.
                let owner = app.read::<old::Owners>().after(&after).within(LONG).get(&b).await.unwrap();
                assert_eq!(owner.unwrap().owner, "Ann");
            }
            app.shutdown().await.unwrap();
            // The newer build goes on from there, or anew: nothing was passed over.
            if version == 1 {
                let newer = gesta::App::on(store.clone()).aggregate::<new::Account>().projection::<new::Summary>();
                let newer = newer.start().await.unwrap();
                let row = newer.read::<new::Summary>().after(&after).within(LONG).get(&a).await.unwrap().unwrap();
                assert_eq!(row.balance, if name == "Frozen" { 5 } else { 6 });
                newer.shutdown().await.unwrap();
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_model_refuses_what_it_would_fold_behind_a_newer_event_and_nothing_else() {
    for (name, version, payload, _) in NEWER {
        on_every_store(async |store| {
            let start = async || {
                let app = gesta::App::on(store.clone()).aggregate::<old::Account>().aggregate::<old::Bell>();
                app.inline_projection::<old::Summary>().start().await.unwrap()
            };
            let app = start().await;
            let (a, b) = (id("a"), id("b"));
            app.execute(&a, old::Open).await.unwrap();
            put(&store, &stream(a.as_str()), name, version, payload).await;
            // Those that run already, and those that start then.
            let started = start().await;
            let before = store.log.head().await.unwrap();
            for app in [app, started] {
                let refused = app.execute(&b, old::Open).await.unwrap_err();
                assert!(matches!(&refused, gesta::ExecuteError::Failed(Failure::NewerBuildNeeded(_))), "{refused:?}");
                assert_eq!(store.log.head().await.unwrap(), before, "nothing is stored");
                let read = app.read::<old::Summary>().get(&a).await.unwrap_err();
                assert!(matches!(read, ReadError::NewerBuildNeeded { model: "summary", .. }), "{read:?}");
                assert!(app.settle().await.unwrap_err().is_newer_build_needed());
            }
            let app = start().await;
            app.execute(&id("c"), old::Ring).await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_and_a_new_build_in_turn_on_one_file_lose_nothing() {
    let folder = Folder::new();
    let url = folder.url("bank.db");
    let (a, b) = (id("a"), id("b"));
    let mut balances = (0, 0);
    assert_ne!(<old::Account as gesta::Aggregate>::FINGERPRINT, <new::Account as gesta::Aggregate>::FINGERPRINT);
    for round in 0..4 {
        let app = App::connect(&url).await.unwrap();
        let app = app.aggregate::<new::Account>().projection::<new::Summary>().inline_projection::<new::Owners>();
        let app = app.start().await.unwrap();
        assert!(app.unknown_events().is_empty());
        if round == 0 {
            app.execute(&a, new::Open).await.unwrap();
            app.execute(&b, new::Open).await.unwrap();
        }
        // Both builds can read what is in `b`.
        for (id, balance, channel) in [(&a, &mut balances.0, new::Channel::App), (&b, &mut balances.1, new::Channel::Branch)] {
            for _ in 0..3 {
                *balance += 7;
                app.execute(id, new::Deposit { amount: 7, channel }).await.unwrap();
            }
        }
        if round == 2 {
            app.execute(&a, new::Freeze).await.unwrap();
        }
        app.settle().await.unwrap();
        let state = app.load::<new::Account>(&a).await.unwrap().into_state().unwrap();
        assert_eq!((state.balance, state.frozen), (balances.0, round >= 2));
        assert_eq!(app.load::<new::Account>(&b).await.unwrap().into_state().unwrap().balance, balances.1);
        let rows = app.read::<new::Summary>().all().await.unwrap();
        assert_eq!(rows.iter().map(|row| row.balance).collect::<Vec<_>>(), [balances.0, balances.1]);
        assert_eq!(app.read::<new::Owners>().all().await.unwrap().len(), 2);
        app.shutdown().await.unwrap();
        drop(app);

        let app = App::connect(&url).await.unwrap();
        let app = app.aggregate::<old::Account>().projection::<old::Summary>().inline_projection::<old::Owners>();
        let app = app.start().await.unwrap();
        let unknown: Vec<_> = app.unknown_events().iter().map(|kind| kind.name.as_str()).collect();
        assert_eq!(unknown, if round >= 2 { &["Frozen"][..] } else { &[] });
        // Its own snapshots, and the events after them.
        for _ in 0..3 {
            balances.1 += 1;
            let deposit = old::Deposit { amount: 1, channel: old::Channel::Branch };
            let done = app.execute(&b, deposit).await.unwrap();
            assert_eq!(done.version, app.load::<old::Account>(&b).await.unwrap().version);
        }
        assert_eq!(app.load::<old::Account>(&b).await.unwrap().into_state().unwrap().balance, balances.1);
        assert!(app.execute(&a, old::Look).await.unwrap_err().is_newer_build_needed());
        assert!(app.load::<old::Account>(&a).await.unwrap_err().is_newer_build_needed());
        let read = app.read::<old::Summary>().get(&b).await;
        assert!(matches!(&read, Err(error) if error.is_newer_build_needed()), "{read:?}");
        // It has come as far as it can, and took nothing on the way for broken.
        let settled = app.settle().await.unwrap_err();
        assert!(settled.is_newer_build_needed(), "{settled:?}");
        assert_eq!(app.parked::<old::Summary>().await.unwrap(), []);
        assert_eq!(app.parked::<old::Owners>().await.unwrap(), []);
        // Its definition is the same in both builds, so it is neither rebuilt nor held up.
        assert_eq!(app.read::<old::Owners>().all().await.unwrap().len(), 2);
        app.shutdown().await.unwrap();
    }
}

/// An event whose first version becomes the second by a step that may fail, or panic.
mod steps {
    use super::*;

    #[event(version = 2)]
    pub struct Weighed {
        /// Kilograms at first.
        #[converted(2, try_from = i64, with = in_grams)]
        pub grams: u32,
    }
    fn in_grams(kilograms: i64) -> Result<u32, std::num::TryFromIntError> {
        assert_ne!(kilograms, 13, "bad luck");
        u32::try_from(kilograms * 1_000)
    }

    #[derive(Debug)]
    pub struct Parcel {
        pub grams: u32,
    }
    #[aggregate(id = AccountId)]
    impl Parcel {
        fn weighed(e: &Weighed) -> Self {
            Parcel { grams: e.grams }
        }
    }
    #[command]
    pub struct Look;
    #[command_handler]
    impl Parcel {
        fn look(_: Option<&Self>, _: Look) {}
    }
    #[derive(Debug, PartialEq, ReadModel)]
    #[read_model(table = "weights")]
    pub struct Weight {
        #[key]
        pub parcel: AccountId,
        pub grams: u32,
    }
    #[projection(of = Parcel)]
    impl Weight {
        fn weighed(e: &Recorded<Weighed>) -> Self {
            Weight { parcel: e.aggregate_id(), grams: e.grams }
        }
    }

    const FAILING: [(&str, &str); 2] = [
        (
            "-1",
            "version 1 of `Weighed` can't become the next one: `grams`: out of range integral type conversion attempted; it begins with {\"grams\":-1}",
        ),
        (
            "13",
            "making today's form of it panicked: assertion `left != right` failed: bad luck\n  left: 13\n right: 13; it begins with {\"grams\":13}",
        ),
    ];

    #[tokio::test(flavor = "multi_thread")]
    async fn a_step_that_fails_or_panics_is_told_everywhere_and_ends_nothing_else() {
        on_every_store(async |store| {
            let start =
                async || gesta::App::on(store.clone()).aggregate::<Parcel>().projection::<Weight>().start().await.unwrap();
            let app = start().await;
            put(&store, &StreamName::parse("Parcel-fine").unwrap(), "Weighed", 1, r#"{"grams":2}"#).await;
            let mut failed = Vec::new();
            assert_eq!(app.load::<Parcel>(&id("fine")).await.unwrap().into_state().unwrap().grams, 2_000);
            for (number, why) in FAILING {
                let (id, payload) = (id(number), format!(r#"{{"grams":{number}}}"#));
                let stream = StreamName::new("Parcel", &id).unwrap();
                let position = put(&store, &stream, "Weighed", 1, &payload).await;
                let said = format!("event 1 of `{stream}` (`Weighed` version 1, at position {position}): {why}");
                let says = |error: String| assert_eq!(error, said);
                let command = app.execute(&id, Look).await.unwrap_err();
                assert!(!command.is_newer_build_needed());
                says(command.to_string());
                let loaded = app.load::<Parcel>(&id).await.unwrap_err();
                assert!(matches!(&loaded, LoadError::Unreadable(event) if matches!(event.why, Unreadable::Decode(_))));
                says(loaded.to_string());
                says(app.history::<Parcel>(&id).unwrap().next().await.unwrap().unwrap_err().to_string());
                let raw = app.subscribe(Position::new(position.get() - 1)).next_stored().await.unwrap().unwrap();
                let undecoded = raw.decode::<Parcel>().unwrap().unwrap_err().to_string();
                failed.push((stream.clone(), position, undecoded.clone()));
                says(undecoded);
                // In a test of one's own.
                let given = || gesta::testing::given::<Parcel>(()).and_stored_json("Weighed", 1, &payload);
                let given = std::panic::catch_unwind(|| drop(given())).unwrap_err();
                let given = given.downcast_ref::<String>().unwrap();
                assert!(given.starts_with(&format!("the stored `Weighed` version 1 can't be read: {why}")), "{given}");
            }
            gesta::testing::given::<Parcel>(()).and_stored_json("Weighed", 1, r#"{"grams":3}"#).when(Look).then_state(|parcel| {
                assert_eq!(parcel.grams, 3_000);
            });
            // The read model parks both, says the same of them, and goes on.
            let settled = app.settle().await.unwrap_err();
            assert!(matches!(settled, ReadError::Parked { model: "weights", .. }), "{settled:?}");
            let parked = app.parked::<Weight>().await.unwrap();
            assert_eq!(parked.len(), failed.len(), "{parked:?}");
            for (parked, (stream, position, said)) in parked.iter().zip(&failed) {
                assert_eq!((&parked.stream, parked.version, parked.position), (stream, Version::new(1), *position));
                assert_eq!((parked.name.as_str(), parked.schema_version, &parked.to_string()), ("Weighed", 1, said));
                let row = app.read::<Weight>().get(&id(stream.id())).await.unwrap_err();
                assert!(matches!(row, ReadError::Parked { .. }), "{row:?}");
            }
            assert_eq!(app.read::<Weight>().get(&id("fine")).await.unwrap().unwrap().grams, 2_000);
            app.shutdown().await.unwrap();
            let inline = gesta::App::on(store.clone()).aggregate::<Parcel>().inline_projection::<Weight>().start().await;
            let inline = inline.unwrap_err();
            let gesta::StartError::CatchUp { model: "weights", why: ProjectionError::Event { .. } } = &inline else {
                panic!("{inline:?}")
            };
            assert!(inline.to_string().contains(FAILING[0].1), "{inline}");
        })
        .await;
    }
}
