//! Events as a store would keep them, so that a test sees what production sees.

use serde::Serialize;

use super::diff::diff;
use crate::aggregate::decode;
use crate::{Aggregate, Event, EventInfo, EventVersion, Schema, Stage, codec};

/// An event in its stored form.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) schema_version: u32,
    pub(super) payload: Vec<u8>,
}

impl Stored {
    /// An event under the name and in the version that its type says: today's, a retired one, or an old one that is an event of
    /// its own.
    #[track_caller]
    pub(super) fn of<E: Event>(event: &E) -> Self {
        let mut payload = Vec::new();
        if let Err(why) = event.encode(&mut payload) {
            panic!("this `{}` can't be stored: {why}\n{event:#?}", E::NAME);
        }
        Stored { name: E::NAME.to_owned(), schema_version: E::VERSION, payload }
    }

    /// An earlier version of the event `E`, from its own struct.
    #[track_caller]
    pub(super) fn version<E: Event, V: Serialize + Schema>(version: u32, old: &V) -> Self {
        let node = V::NODE.fingerprint();
        let is = |known: &&EventVersion| known.node.fingerprint() == node;
        if !E::VERSIONS.iter().filter(is).any(|known| known.version == version) {
            let old = std::any::type_name::<V>().rsplit("::").next().unwrap_or_default();
            match E::VERSIONS.iter().find(is) {
                Some(known) => panic!("`{old}` is version {} of `{}`, not version {version}", known.version, E::NAME),
                None => panic!("`{old}` is no version of `{}`", E::NAME),
            }
        }
        let mut payload = Vec::new();
        if let Err(why) = codec::encode(old, &mut payload) {
            panic!("this version {version} of `{}` can't be stored: {why}", E::NAME);
        }
        Stored { name: E::NAME.to_owned(), schema_version: version, payload }
    }

    pub(super) fn json(name: &str, schema_version: u32, json: &str) -> Self {
        Stored { name: name.to_owned(), schema_version, payload: json.as_bytes().to_vec() }
    }

    /// What it is today.
    #[track_caller]
    pub(super) fn today<A: Aggregate>(&self) -> Vec<A::Event> {
        match decode::<A>(&self.name, self.schema_version, &self.payload) {
            Ok(today) => today.into_iter().collect(),
            Err(why) => panic!("the stored `{}` version {} can't be read: {why}", self.name, self.schema_version),
        }
    }
}

/// Writes an event and reads it back.
#[track_caller]
pub(super) fn store<A: Aggregate>(event: &A::Event) -> (Stored, A::Event) {
    let mut payload = Vec::new();
    let EventInfo { name, version, .. } = A::info(event);
    if let Err(why) = A::encode(event, &mut payload) {
        panic!("this `{name}` can't be stored: {why}\n{event:#?}");
    }
    let again = match decode::<A>(name, version, &payload) {
        Ok(again) => again.into_iter().next().expect("an event of the aggregate is never a retired one"),
        Err(why) => panic!("`{name}` can't be read back: {why}\n{event:#?}\n{}", String::from_utf8_lossy(&payload)),
    };
    assert!(again == *event, "`{name}` is read back as something else {}", diff(event, &again));
    (Stored { name: name.to_owned(), schema_version: version, payload }, again)
}

/// Applies events in their stored form; `source` says where they come from.
#[track_caller]
pub(super) fn apply<A: Aggregate>(mut stage: Stage<A>, events: &[A::Event], source: &str) -> Stage<A> {
    for (event, number) in events.iter().zip(1..) {
        let (_, event) = store::<A>(event);
        stage = apply_one(stage, event, number, source);
    }
    stage
}

/// Applies what one stored event is today.
#[track_caller]
pub(super) fn apply_stored<A: Aggregate>(mut stage: Stage<A>, stored: &Stored) -> Stage<A> {
    let source = format!("what the stored `{}` version {} is today", stored.name, stored.schema_version);
    for (event, number) in stored.today::<A>().into_iter().zip(1..) {
        stage = apply_one(stage, event, number, &source);
    }
    stage
}

#[track_caller]
fn apply_one<A: Aggregate>(stage: Stage<A>, event: A::Event, number: u32, source: &str) -> Stage<A> {
    match A::apply(stage, event) {
        Ok(stage) => stage,
        Err(why) => panic!("event {number} of {source} can't follow on what went before: {why}"),
    }
}
