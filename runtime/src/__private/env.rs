//! What a handler is given where there is no app: for tests of generated code.

use std::sync::Arc;

use crate::command::{Cause, Context, Env, Services};
use crate::event::RandomIds;
use crate::{StreamName, Timestamp, Version};

/// The surroundings of a command on this stream.
pub fn env_for_tests(stream: StreamName, now: Timestamp) -> Env {
    let context = Context {
        stream,
        version: Version::ZERO,
        now,
        occurred_at: None,
        command_id: uuid::Uuid::nil(),
        cause: Cause::default(),
        ids: Arc::new(RandomIds),
    };
    Env { context: Arc::new(context), services: Arc::new(Services::default()) }
}

/// The same with one service, in place of all others.
pub fn with_service<S: ?Sized + Send + Sync + 'static>(env: &Env, service: Arc<S>) -> Env {
    let mut services = Services::default();
    services.insert(service);
    Env { context: Arc::clone(&env.context), services: Arc::new(services) }
}
