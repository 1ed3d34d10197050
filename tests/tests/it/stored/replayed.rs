//! The property behind all of this: an event that was written and read back makes of a state what
//! the event itself makes of it.

use std::fmt::Debug;

use gesta::schema::samples;
use gesta::{Aggregate, Decoded, Event as _, ExecuteError, Failure};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use super::*;
use crate::domain;
use crate::grammar::zoo::{Filled, filled};

fn stored<A: Aggregate>(event: &A::Event) -> (Vec<u8>, A::Event) {
    let (info, mut payload) = (A::info(event), Vec::new());
    A::encode(event, &mut payload).expect("it can be written");
    match A::decode(info.name, info.version, &payload) {
        Ok(Decoded::One(read)) => (payload, read),
        other => panic!("{other:?}"),
    }
}

/// Each sample that an event's schema has, on a state that is not there and on one that is.
fn samples_are_applied_alike<A: Aggregate + PartialEq + Debug>() -> usize {
    let of = |info: &gesta::EventInfo| {
        let newest = info.versions.last().expect("an event has a version");
        let texts = samples(&newest.node).unwrap_or_default();
        texts.into_iter().map(|text| (info.name, newest.version, text)).collect::<Vec<_>>()
    };
    let decode = |(name, version, text): (&str, u32, String)| match A::decode(name, version, text.as_bytes()) {
        Ok(Decoded::One(event)) => event,
        other => panic!("{text}: {other:?}"),
    };
    let events: Vec<A::Event> = A::EVENTS.iter().flat_map(of).map(decode).collect();
    let first = events.iter().find(|event| A::apply(Stage::Absent, (*event).clone()).is_ok()).expect("one creates");
    for event in &events {
        let (_, read) = stored::<A>(event);
        assert_eq!(read, *event);
        for is_there in [false, true] {
            let there = || A::apply(Stage::Absent, first.clone()).expect("it creates");
            let stage = || if is_there { there() } else { Stage::Absent };
            assert_eq!(A::apply(stage(), read.clone()), A::apply(stage(), event.clone()), "{event:?}");
        }
    }
    events.len()
}

/// `F15`
#[test]
fn samples_of_every_event_are_applied_as_they_are_stored() {
    assert!(samples_are_applied_alike::<domain::Account>() >= 5);
    // Trees and foreign forms have no samples; the test below makes them.
    assert!(samples_are_applied_alike::<Noticed>() >= 3);
}

/// An aggregate with an event of every shape.
#[derive(Debug, PartialEq)]
pub struct Noticed {
    all: Vec<Filled>,
    last: Option<Noted>,
}
#[aggregate(id = u64)]
impl Noticed {
    fn filled(e: Filled) -> Self {
        Noticed { all: vec![e], last: None }
    }
    fn noted(&mut self, e: Noted) {
        self.last = Some(e);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// `F15`
    #[test]
    fn random_events_are_applied_as_they_are_stored(event in filled()) {
        let mut written = Vec::new();
        event.encode(&mut written).unwrap();
        let event = NoticedEvent::from(event);
        let (_, read) = stored::<Noticed>(&event);
        prop_assert_eq!(Noticed::apply(Stage::Absent, read.clone()), Noticed::apply(Stage::Absent, event));
        // Written once more, since `-0.0` equals `0.0`: the same but for the order of sets and
        // maps.
        let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        let (again, _) = stored::<Noticed>(&read);
        prop_assert_eq!(json(&again).to_string().len(), json(&written).to_string().len());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Plant(usize),
    Grow(u32),
    Round(i64),
    Strike(i64),
    Note(String),
}

fn step() -> impl Strategy<Value = Step> {
    use fragile::{READ, UNREADABLE, WRITE};
    let odd = [WRITE - 1, WRITE, READ - 1, READ, UNREADABLE - 1, UNREADABLE];
    prop_oneof![
        prop_oneof![0..100_usize, 94..130_usize].prop_map(Step::Plant),
        (0..40_u32).prop_map(Step::Grow),
        (-1_000_000..1_000_000_i64).prop_map(Step::Round),
        prop_oneof![any::<i32>().prop_map(i64::from), proptest::sample::select(odd.to_vec())].prop_map(Step::Strike),
        prop_oneof![any::<String>(), Just("a\0b".to_owned())].prop_map(Step::Note),
    ]
}

/// `F10, F15, F16, R11`: whatever a command brings, it is refused with a reason, or what is kept of it is what is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_state_is_the_stored_one_after_random_commands() {
    let runtime = tokio::runtime::Handle::current();
    let check = move |steps: Vec<Step>| -> Result<(), TestCaseError> { runtime.block_on(run(steps)) };
    let test = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(48));
        runner.run(&proptest::collection::vec(step(), 1..12), check).map_err(|why| why.to_string())
    });
    assert_eq!(test.await.expect("it ends"), Ok(()));
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let app = App::connect("memory:").await.unwrap().aggregate::<Garden>().start().await.unwrap();
    for step in steps {
        let executed = match step {
            Step::Plant(nodes) => app.execute(&1, Plant { tree: Tree::of(nodes) }).await.err().and_then(failure),
            Step::Grow(times) => app.execute(&1, Grow { times }).await.err().and_then(failure),
            Step::Round(number) => app.execute(&1, Round { number }).await.err().and_then(failure),
            Step::Strike(number) => app.execute(&1, Strike { given: 0, number }).await.err().and_then(failure),
            Step::Note(note) => app.execute(&1, Note { key: note.clone(), note }).await.err().and_then(failure),
        };
        if let Some(failure) = executed {
            prop_assert!(matches!(failure, Failure::Unwritable { .. }), "{}", failure);
        }
        let kept = match app.execute(&1, Show {}).await {
            Err(ExecuteError::Rejected(kept)) => kept,
            Err(ExecuteError::NotFound) => continue,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let loaded = app.load::<Garden>(&1).await.expect("it can be read").into_state().expect("it is there");
        prop_assert_eq!(&kept, &format!("{loaded:?}"));
        let mut replayed = Stage::Absent;
        for event in app.history::<Garden>(&1).unwrap().all().await.expect("it can be read") {
            replayed = Garden::apply(replayed, event.event).expect("it follows");
        }
        prop_assert_eq!(&kept, &format!("{:?}", replayed.alive().expect("it is there")));
    }
    Ok(())
}

/// Returns the failure of a command that its domain did not refuse.
fn failure<E>(why: ExecuteError<E>) -> Option<Failure> {
    if let ExecuteError::Failed(failure) = why { Some(failure) } else { None }
}
