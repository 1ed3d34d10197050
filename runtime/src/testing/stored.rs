//! Events as a store would keep them, so that a test sees what production sees.

use super::diff::diff;
use crate::{Aggregate, EventInfo, Stage};

/// An event in its stored form.
pub(super) struct Stored {
    pub(super) info: EventInfo,
    pub(super) payload: Vec<u8>,
}

/// Writes an event and reads it back.
#[track_caller]
pub(super) fn store<A: Aggregate>(event: &A::Event) -> (Stored, A::Event) {
    let mut payload = Vec::new();
    let info = A::info(event);
    if let Err(why) = A::encode(event, &mut payload) {
        panic!("this `{}` can't be stored: {why}\n{event:#?}", info.name);
    }
    let again = match A::decode(info.name, info.version, &payload) {
        Ok(again) => again.into_iter().next().expect("an event of the aggregate is never a retired one"),
        Err(why) => panic!("`{}` can't be read back: {why}\n{event:#?}\n{}", info.name, String::from_utf8_lossy(&payload)),
    };
    assert!(again == *event, "`{}` is read back as something else {}", info.name, diff(event, &again));
    (Stored { info, payload }, again)
}

/// Applies events in their stored form; `source` says where they come from.
#[track_caller]
pub(super) fn apply<A: Aggregate>(mut stage: Stage<A>, events: &[A::Event], source: &str) -> Stage<A> {
    for (event, number) in events.iter().zip(1..) {
        let (_, event) = store::<A>(event);
        stage = match A::apply(stage, event) {
            Ok(stage) => stage,
            Err(why) => panic!("event {number} of {source} can't follow on what went before: {why}"),
        };
    }
    stage
}
