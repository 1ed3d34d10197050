//! The whole grammar, run: each shape of each macro, without an app.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the handlers are examples of signatures"
)]

mod domain;
mod handlers;
mod ids_and_values;
mod random_versions;
mod read_models;
mod stored;
mod upcasts;
mod versions;
pub(crate) mod zoo;

use std::future::Future;
use std::pin::pin;
use std::task::{Context as Waiting, Poll, Waker};

use gesta::__private::{Env, env_for_tests};
use gesta::{Aggregate, Handle, Position, Recorded, Refusal, Stage, StreamName, Timestamp, Version};

/// Runs a future that is ready whenever it is asked.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Waiting::from_waker(Waker::noop())) {
            return value;
        }
    }
}

fn env() -> Env {
    env_for_tests(StreamName::parse("Account-ACC-1").unwrap(), Timestamp::from_micros(7))
}

/// The stage after these events.
fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Stage<A> {
    events.into_iter().fold(Stage::Absent, |stage, event| A::apply(stage, event).unwrap())
}

fn when<A: Handle<C>, C>(stage: &Stage<A>, command: C) -> Result<Vec<A::Event>, Refusal<A::Error>> {
    ready(A::handle(stage, command, &env()))
}

fn recorded<E>(stream: &str, event: E) -> Recorded<E> {
    let metadata = gesta::Metadata::new(gesta::Uuid::nil(), Timestamp::from_micros(1));
    Recorded::new(event, StreamName::parse(stream).unwrap(), Version::new(1), Position::new(1), metadata)
}
