//! A text has the same answer on every store: refused on each, or held by each.

use gesta::{ExecuteError, Failure};

use super::*;
use crate::stores::on_every_store;

#[derive(Debug, ReadModel)]
pub struct Notes {
    #[key]
    id: u64,
    #[index]
    note: String,
}
#[projection(of = Garden, ignore(Grown, Rounded, Struck))]
impl Notes {
    fn planted(e: &Recorded<Planted>) -> Self {
        Notes { id: e.aggregate_id(), note: String::new() }
    }
    fn noted(&mut self, e: &Noted) {
        // Its code can make texts that no event holds.
        self.note = if e.note == "MAKE A ZERO" { "a\0b".to_owned() } else { e.note.clone() };
    }
}

fn note(note: impl Into<String>) -> Note {
    Note { note: note.into(), key: "key".to_owned() }
}

/// A text that can't be made shorter.
fn incompressible(length: usize) -> String {
    let mut state = 7_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..length).map(letter).collect()
}

/// `R11`: U+0000 is refused before anything is stored, with the path, and closes no list.
#[tokio::test(flavor = "multi_thread")]
async fn a_zero_character_is_refused_before_anything_is_stored() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Notes>().start().await.unwrap();
        planted(&app, 1).await;
        let refused = async |command: Note, key: Option<&str>| {
            let execute = app.execute(&1, command);
            let answer = match key {
                None => execute.await,
                Some(key) => execute.idempotency_key(key).await,
            };
            match answer {
                Err(ExecuteError::Failed(why @ Failure::Unwritable { .. })) => why.to_string(),
                other => panic!("{other:?}"),
            }
        };
        for (command, path) in [
            (note("a\0b"), "`Noted` can't be stored: `note` holds the character U+0000"),
            (note("\\\0"), "`Noted` can't be stored: `note` holds the character U+0000"),
            (note("\\u0000\0"), "`Noted` can't be stored: `note` holds the character U+0000"),
            (Note { note: String::new(), key: "\0".into() }, "`Noted` can't be stored: `notes[key]` holds the character U+0000"),
        ] {
            let why = refused(command.clone(), None).await;
            assert!(why.starts_with(path), "{why}");
            let why = refused(command, Some("k")).await;
            assert!(why.starts_with("`Note` can't be stored: `"), "{why}");
        }
        // These look like one and are none.
        for (n, fine) in ["\\u0000", "\\\\u0000", "\"\\\"u0000\u{1}", "\\", "\u{10ffff}\u{2028}\u{7f}"].into_iter().enumerate() {
            let done = app.execute(&1, note(fine)).idempotency_key(format!("fine{n}")).await.unwrap();
            assert_eq!(app.read::<Notes>().after(&done).within(LONG).all().await.unwrap()[0].note, fine);
        }
        assert_eq!(app.parked::<Notes>().await.unwrap(), []);
        assert_eq!(app.load::<Garden>(&1).await.unwrap().version.get(), 6);
    })
    .await;
}

/// `R11`: the actor, the key and the id have the same rules on every store.
#[tokio::test(flavor = "multi_thread")]
async fn an_actor_has_the_same_rules_on_every_store() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().start().await.unwrap();
        planted(&app, 1).await;
        let grow = || Grow { times: 1 };
        for (actor, why) in [
            ("a\0b".to_owned(), "the actor holds the character U+0000: remove it"),
            ("a".repeat(1_025), "the actor has 1025 bytes, and may have 1024: pass a shorter one"),
        ] {
            let refused = app.execute(&1, grow()).actor(actor.clone()).await.unwrap_err();
            assert_eq!(refused.to_string(), why);
            assert!(!refused.is_retryable());
            let refused = app.unit(async |unit| unit.execute(&1, grow()).await.map(drop)).actor(actor).await.unwrap_err();
            assert_eq!(refused.to_string(), why);
        }
        for actor in ["", "Ann\n\u{1}", &"a".repeat(1_024)] {
            app.execute(&1, grow()).actor(actor).await.unwrap();
        }
        let refused = app.execute(&1, grow()).idempotency_key("a\0b").await.unwrap_err().to_string();
        assert_eq!(refused, "the idempotency key can't be used: an id can't hold the control character '\\0'");
    })
    .await;
}

/// `R11`: texts that not every store can hold in a row park their own stream on every store, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_text_has_the_same_answer_on_every_store() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Notes>().start().await.unwrap();
        for id in 1..=5 {
            planted(&app, id).await;
        }
        app.execute(&1, note("MAKE A ZERO")).await.unwrap();
        app.execute(&2, note(incompressible(2_593))).await.unwrap();
        app.execute(&3, note(incompressible(2_592))).await.unwrap();
        app.execute(&4, note("a".repeat(100_000))).await.unwrap();
        let last = app.execute(&5, note("fine")).await.unwrap();
        let row = app.read::<Notes>().after(&last).within(LONG).get(&5).await.unwrap();
        assert_eq!(row.expect("a row").note, "fine");
        assert_eq!(app.read::<Notes>().get(&3).await.unwrap().expect("a row").note.len(), 2_592);
        let parked = app.parked::<Notes>().await.unwrap();
        let why: Vec<_> = parked.iter().map(|parked| (parked.stream.as_str(), parked.why.as_str())).collect();
        let long = |bytes: usize| {
            format!(
                "column `note`: has {bytes} bytes, and what rows are found by has at most 2592: store a shorter text, or remove `#[index]`"
            )
        };
        let (second, fourth) = (long(2_593), long(100_000));
        let expected = [
            ("Garden-1", "column `note`: holds the character U+0000, which not every store can hold: remove it"),
            ("Garden-2", &*second),
            ("Garden-4", &*fourth),
        ];
        assert_eq!(why, expected);
    })
    .await;
}

/// `R11`: an inline read model refuses such a text with its command, on every store.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_row_text_refuses_its_command_on_every_store() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().inline_projection::<Notes>().start().await.unwrap();
        planted(&app, 1).await;
        for text in ["MAKE A ZERO".to_owned(), incompressible(10_000)] {
            match app.execute(&1, note(text)).await {
                Err(ExecuteError::Failed(why @ Failure::ReadModel { .. })) => {
                    assert!(why.to_string().contains("column `note`: h"), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        app.execute(&1, note("fine")).await.unwrap();
        assert_eq!(app.read::<Notes>().all().await.unwrap().len(), 1);
    })
    .await;
}

/// `R11`: a search for a text that no row can hold has the same answer on every store.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_a_zero_character_has_one_answer() {
    on_every_store(async |builder| {
        let app = builder.aggregate::<Garden>().projection::<Notes>().start().await.unwrap();
        planted(&app, 1).await;
        for filter in [Notes::NOTE.is(&"a\0b".to_owned()), Notes::NOTE.at_least(&"\0".to_owned())] {
            let why = app.read::<Notes>().filter(filter).all().await.unwrap_err().to_string();
            assert!(why.contains("column `note`: holds the character U+0000"), "{why}");
        }
    })
    .await;
}

/// `R11`: a test of a read model shows it, without a store.
#[test]
fn a_test_of_rows_fails_for_a_text_that_no_row_can_hold() {
    let noted = |note: &str| Noted { note: note.to_owned(), notes: std::collections::BTreeMap::new() };
    let rows = |note: &str| {
        let given = gesta::testing::given_events::<Garden>(&1, (Planted { tree: Tree::of(1) }, noted(note)));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| given.rows::<Notes>().len()))
    };
    assert_eq!(rows("fine").expect("a row"), 1);
    let failed = rows("MAKE A ZERO").expect_err("it fails");
    let failed = failed.downcast_ref::<String>().expect("a text");
    assert!(failed.contains("column `note`: holds the character U+0000"), "{failed}");
}
