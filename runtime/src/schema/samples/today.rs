//! What today's code makes of a stored event.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::Node;
use super::super::json::Json;
use super::compare;
use super::line::Became;
use crate::error::panic_message;
use crate::{Aggregate, DecodeError, Decoded, EventInfo, EventVersion};

/// The events of an aggregate, living and retired.
pub(super) struct Today<A>(PhantomData<fn(A)>);

impl<A> Default for Today<A> {
    fn default() -> Self {
        Today(PhantomData)
    }
}

/// What a payload is one step later.
pub(super) enum Step {
    /// It is of the newest version, and comes back as this.
    Newest { payload: Json },
    /// What the next version makes of it.
    Next { version: u32, node: &'static Node, payload: Json },
    /// What a retired event is read as.
    Becomes(Vec<Became>),
}

impl<A: Aggregate> Today<A> {
    /// The event of this name, and whether it is retired.
    fn event(name: &str) -> Option<(&'static EventInfo, bool)> {
        let find = |events: &'static [EventInfo], retired| events.iter().find(|event| event.name == name).map(|e| (e, retired));
        find(A::EVENTS, false).or_else(|| find(A::RETIRED, true))
    }

    fn version(name: &str, version: u32) -> Option<&'static EventVersion> {
        Self::event(name)?.0.versions.iter().find(|known| known.version == version)
    }

    /// What is stored for a version.
    #[allow(clippy::unused_self, reason = "it stands for the aggregate's type")]
    pub(super) fn node(&self, name: &str, version: u32) -> Option<&'static Node> {
        Self::version(name, version).map(|version| &version.node)
    }

    /// What the payload is one step later; or why it can't be read, or has no next step.
    pub(super) fn step(&self, name: &str, version: u32, payload: &Json) -> Result<Step, String> {
        let unknown = || "the code does not declare it".to_owned();
        let (event, retired) = Self::event(name).ok_or_else(unknown)?;
        let this = Self::version(name, version).ok_or_else(unknown)?;
        if version == event.version && retired {
            return Ok(Step::Becomes(self.decode(name, version, payload)?));
        }
        let text = payload.to_string();
        let payload = tried(|| (this.advance)(text.as_bytes()))?;
        let payload = Json::parse(&payload)?;
        Ok(match Self::version(name, version + 1) {
            Some(next) => Step::Next { version: next.version, node: &next.node, payload },
            None => Step::Newest { payload },
        })
    }

    /// What the whole chain makes of a payload.
    #[allow(clippy::unused_self, reason = "it stands for the aggregate's type")]
    pub(super) fn decode(&self, name: &str, version: u32, payload: &Json) -> Result<Vec<Became>, String> {
        let text = payload.to_string();
        let decoded: Decoded<A::Event> = tried(|| A::decode(name, version, text.as_bytes()))?;
        let written = decoded.into_iter().map(|event| {
            let (info, mut payload) = (A::info(&event), Vec::new());
            A::encode(&event, &mut payload)
                .map_err(|why| format!("it becomes `{}`, which can't be written: {why}", info.name))?;
            Ok(Became { event: info.name.to_owned(), version: info.version, payload: Json::parse(&payload)? })
        });
        written.collect()
    }

    /// Where what a retired event has become differs from what it was to become; the latter as its own later versions read.
    pub(super) fn became(&self, expected: &[Became], found: &[Became]) -> Result<Vec<String>, String> {
        let mut later = Vec::new();
        for one in expected {
            let read = self.decode(&one.event, one.version, &one.payload);
            later.extend(read.map_err(|why| format!("`becomes`, {} v{}: {why}", one.event, one.version))?);
        }
        let names = |events: &[Became]| {
            let names: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        if !later.iter().map(|event| &event.event).eq(found.iter().map(|event| &event.event)) {
            return Ok(vec![format!("it was to become {}, and becomes {}", names(&later), names(found))]);
        }
        let each = later.iter().zip(found).filter_map(|(later, found)| {
            let node = self.node(&found.event, found.version)?;
            let differences = compare::holds(node, &later.payload, &found.payload);
            Some(differences.into_iter().map(|why| format!("{}, {why}", found.event)))
        });
        Ok(each.flatten().collect())
    }
}

/// The user's code on a sample: a panic is an answer like another.
fn tried<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|why| why.to_string()),
        Err(panic) => Err(format!("it panicked: {}", panic_message(&*panic))),
    }
}
