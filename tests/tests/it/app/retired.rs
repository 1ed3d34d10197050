//! A retired event that becomes several of today's, one, or none: wherever stored events are read.

use std::fmt::Write as _;
use std::time::Duration;

use gesta::prelude::*;
use gesta::{Decoded, Position, StreamName, Version};

use super::builds::{on_every_store, put};

#[id]
pub struct TillId(String);

#[event]
pub struct PaidIn {
    pub cents: i64,
}
#[event]
pub struct PaidOut {
    pub cents: i64,
}
/// Retired: became a [`PaidIn`] and a [`PaidOut`] for each of its amounts, in turn.
#[event]
pub struct Moved {
    pub amounts: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Till {
    pub cents: i64,
    pub log: String,
}
#[aggregate(id = TillId)]
impl Till {
    fn paid_in(e: &PaidIn) -> Self {
        Till { cents: e.cents, log: format!("+{}", e.cents) }
    }
    fn paid_out(&mut self, e: &PaidOut) {
        assert_ne!(e.cents, 13, "bad luck");
        self.cents -= e.cents;
        let _ = write!(self.log, "-{}", e.cents);
    }
    #[upcast]
    fn moved(e: Moved) -> (Option<PaidIn>, Vec<PaidOut>) {
        assert!(!e.amounts.contains(&666), "an `#[upcast]` that panics");
        let mut amounts = e.amounts.into_iter();
        (amounts.next().map(|cents| PaidIn { cents }), amounts.map(|cents| PaidOut { cents }).collect())
    }
}
#[command]
pub struct Count;
#[command_handler]
impl Till {
    fn count(_: Option<&Self>, _: Count) {}
}

/// One row for each till.
#[derive(Debug, PartialEq, ReadModel)]
pub struct Cash {
    #[key]
    pub till: TillId,
    pub cents: i64,
    pub parts: String,
}
#[projection(of = Till)]
impl Cash {
    fn paid_in(e: &Recorded<PaidIn>) -> Self {
        Cash { till: e.aggregate_id(), cents: e.cents, parts: format!("{}.{}", e.version, e.part) }
    }
    fn paid_out(&mut self, e: &Recorded<PaidOut>) {
        assert_ne!(e.cents, 13, "bad luck");
        self.cents -= e.cents;
        let _ = write!(self.parts, " {}.{}", e.version, e.part);
    }
}

/// One row for each amount that was paid out, kept in a column that holds no more than [`i64::MAX`].
#[derive(Debug, PartialEq, ReadModel)]
pub struct Out {
    #[key]
    pub cents: i64,
    pub times: u64,
}
#[projection(of = Till, ignore(PaidIn))]
impl Out {
    #[key = e.cents]
    fn paid_out(row: Option<Self>, e: &PaidOut) -> Option<Self> {
        let times = if e.cents == 77 { u64::MAX } else { row.map_or(0, |row| row.times) + 1 };
        Some(Out { cents: e.cents, times })
    }
}

fn id(text: &str) -> TillId {
    TillId::new(text).unwrap()
}
fn stream(text: &str) -> StreamName {
    StreamName::new("Till", &id(text)).unwrap()
}
const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_retired_event_has_become_is_read_whole_everywhere() {
    on_every_store(async |store| {
        let app = || gesta::App::on(store.clone()).aggregate::<Till>();
        put(&store, &stream("a"), "Moved", 1, r#"{"amounts":[]}"#).await;
        put(&store, &stream("a"), "Moved", 1, r#"{"amounts":[100,1,2]}"#).await;
        put(&store, &stream("a"), "Moved", 1, r#"{"amounts":[]}"#).await;
        let last = put(&store, &stream("a"), "PaidOut", 1, r#"{"cents":3}"#).await;
        for inline in [false, true] {
            let app = if inline { app().inline_projection::<Cash>() } else { app().projection::<Cash>() };
            let app = app.projection::<Out>().start().await.unwrap();
            assert!(app.unknown_events().is_empty());
            let till = app.load::<Till>(&id("a")).await.unwrap();
            assert_eq!((till.version, till.state().unwrap().log.as_str()), (Version::new(4), "+100-1-2-3"));
            for (version, log) in [(0, ""), (1, ""), (2, "+100-1-2"), (3, "+100-1-2"), (4, "+100-1-2-3")] {
                let then = app.load_at::<Till>(&id("a"), Version::new(version)).await.unwrap();
                assert_eq!(then.version, Version::new(version));
                assert_eq!(then.state().map_or("", |till| &till.log), log);
            }
            let history = app.history::<Till>(&id("a")).unwrap().all().await.unwrap();
            let places: Vec<_> = history.iter().map(|event| (event.version.get(), event.part)).collect();
            assert_eq!(places, [(2, 0), (2, 1), (2, 2), (4, 0)]);
            assert!(history[..3].iter().all(|event| event.position == history[0].position));
            let row = app.read::<Cash>().after(last).within(LONG).get(&id("a")).await.unwrap().unwrap();
            assert_eq!((row.cents, row.parts.as_str()), (94, "2.0 2.1 2.2 4.0"));
            let out = app.read::<Out>().after(last).within(LONG).all().await.unwrap();
            assert_eq!(out.iter().map(|row| (row.cents, row.times)).collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 1)]);
            let mut subscription = app.subscribe(Position::ZERO);
            let mut became = Vec::new();
            while let Some(event) = subscription.next_stored().await {
                became.push(match event.unwrap().decode::<Till>().unwrap().unwrap() {
                    Decoded::One(_) => None,
                    Decoded::Became(events) => Some(events.iter().map(|event| event.part).collect::<Vec<_>>()),
                });
            }
            assert_eq!(became, [Some(vec![]), Some(vec![0, 1, 2]), Some(vec![]), None]);
            app.shutdown().await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_goes_on_behind_pages_of_events_that_became_none() {
    on_every_store(async |store| {
        let nothing = stream("a");
        for _ in 0..1_003 {
            put_nothing(&store, &nothing).await;
        }
        put(&store, &nothing, "Moved", 1, r#"{"amounts":[5]}"#).await;
        let app = gesta::App::on(store.clone()).aggregate::<Till>().projection::<Cash>().start().await.unwrap();
        let history = app.history::<Till>(&id("a")).unwrap().all().await.unwrap();
        assert_eq!(history.iter().map(|event| event.version.get()).collect::<Vec<_>>(), [1_004]);
        let till = app.load::<Till>(&id("a")).await.unwrap();
        assert_eq!((till.version.get(), till.state().unwrap().cents), (1_004, 5));
        app.settle().await.unwrap();
        assert_eq!(app.read::<Cash>().get(&id("a")).await.unwrap().unwrap().cents, 5);
    })
    .await;
}

async fn put_nothing(store: &gesta::store::Store, stream: &StreamName) {
    put(store, stream, "Moved", 1, r#"{"amounts":[]}"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_event_is_folded_whole_or_not_at_all_and_the_one_that_fails_is_named() {
    // Its second part can't be folded, a row of its third part can't be stored, it can't be read.
    for (failing, why) in [
        ("100,1,13,2", "bad luck"),
        ("100,1,77", "the most a column of whole numbers can hold: make the field a `u128`"),
        ("1,666", "an `#[upcast]` that panics"),
    ] {
        on_every_store(async |store| {
            put(&store, &stream("a"), "Moved", 1, r#"{"amounts":[10,1,2,3,4,5]}"#).await;
            let bad = put(&store, &stream("b"), "Moved", 1, &format!(r#"{{"amounts":[{failing}]}}"#)).await;
            put(&store, &stream("c"), "Moved", 1, r#"{"amounts":[10,6]}"#).await;
            let app = gesta::App::on(store.clone()).aggregate::<Till>().projection::<Out>().projection::<Luck>();
            let app = app.start().await.unwrap();
            let error = app.settle().await.unwrap_err().to_string();
            let said = format!("event 1 of `Till-b` (`Moved` version 1, at position {bad})");
            assert!(error.contains(&said) && error.contains(why), "{error}");
            let model = usize::from(failing.contains("13"));
            let checkpoint = store.read_models.clone().unwrap().checkpoint(model).await.unwrap();
            assert_eq!(checkpoint.position.get(), bad.get() - 1, "what went before it is stored, and it is not");
            if model == 0 {
                let rows = app.read::<Out>().after(checkpoint.position).all().await.unwrap();
                assert_eq!(rows.iter().map(|row| row.cents).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
            }
        })
        .await;
    }
}

/// One row for all, which takes no 13.
#[derive(Debug, PartialEq, ReadModel)]
pub struct Luck {
    #[key]
    pub name: String,
    pub sum: i64,
}
#[projection(of = Till, ignore(PaidIn))]
impl Luck {
    #[key = "all".to_owned()]
    fn paid_out(row: Option<Self>, e: &PaidOut) -> Option<Self> {
        assert_ne!(e.cents, 13, "bad luck");
        Some(Luck { name: "all".to_owned(), sum: row.map_or(0, |row| row.sum) + e.cents })
    }
}

#[test]
fn a_test_is_given_what_an_earlier_build_has_stored() {
    use gesta::testing::{given, given_events};
    let given =
        given::<Till>(PaidIn { cents: 1 }).and_stored(PaidOut { cents: 2 }).and_stored_json("PaidOut", 1, r#"{"cents":3}"#);
    given.when(Count).then_nothing().then_state(|till| assert_eq!(till.log, "+1-2-3"));

    let row = |parts: &str, cents| Cash { till: id("a"), cents, parts: parts.to_owned() };
    given_events::<Till>(&id("a"), PaidIn { cents: 100 })
        .and_stored::<Till>(&id("b"), Moved { amounts: vec![7, 1, 2] })
        .and_stored::<Till>(&id("a"), PaidOut { cents: 5 })
        .and_stored_json::<Till>(&id("c"), "Moved", 1, r#"{"amounts":[]}"#)
        .then_row(&id("a"), row("1.0 2.0", 95))
        .then_row(&id("b"), Cash { till: id("b"), ..row("1.0 1.1 1.2", 4) })
        .then_no_row::<Cash>(&id("c"));
    let unknown = || given_events::<Till>(&id("a"), ()).and_stored_json::<Till>(&id("a"), "Burnt", 1, "{}").rows::<Cash>();
    let message = std::panic::catch_unwind(unknown).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(
        message.starts_with("`cash` can't take event 1 of `Till-a` (`Burnt` version 1, at position 1): `Till` has no event"),
        "{message}"
    );
}
