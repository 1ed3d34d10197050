//! What runs before each command: validation that needs more than the domain, and authorisation.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;

use crate::{CommandInfo, Denied, StreamName};

/// A command that is about to be decided.
pub struct Proposed<'a> {
    pub(crate) info: CommandInfo,
    pub(crate) command: &'a (dyn Any + Send + Sync),
    pub(crate) stream: &'a StreamName,
    pub(crate) actor: Option<&'a str>,
}

impl Proposed<'_> {
    /// What is known of the command's type.
    pub fn info(&self) -> CommandInfo {
        self.info
    }
    /// The name of the command.
    pub fn name(&self) -> &'static str {
        self.info.name
    }
    /// The command itself, where it is a `C`.
    pub fn command<C: 'static>(&self) -> Option<&C> {
        self.command.downcast_ref()
    }
    /// The stream of the aggregate it is meant for.
    pub fn stream(&self) -> &StreamName {
        self.stream
    }
    /// Who gives it.
    pub fn actor(&self) -> Option<&str> {
        self.actor
    }
}

impl fmt::Debug for Proposed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Proposed { info, stream, actor, .. } = self;
        f.debug_struct("Proposed").field("name", &info.name).field("stream", stream).field("actor", actor).finish_non_exhaustive()
    }
}

/// Runs before each command, once, and may deny it. See [`Builder::before_command`](crate::Builder::before_command).
///
/// A closure `Fn(&Proposed) -> Result<(), Denied>` is one; implement the trait where looking up takes time. What a
/// decision needs of the aggregate's state belongs into its handler, which sees the actor in its [`Context`](crate::Context).
#[async_trait]
pub trait BeforeCommand: Send + Sync + 'static {
    /// Whether the command may go on.
    ///
    /// # Errors
    /// [`Denied`] says why not.
    async fn before(&self, proposed: Proposed<'_>) -> Result<(), Denied>;
}

#[async_trait]
impl<F: Fn(&Proposed<'_>) -> Result<(), Denied> + Send + Sync + 'static> BeforeCommand for F {
    async fn before(&self, proposed: Proposed<'_>) -> Result<(), Denied> {
        self(&proposed)
    }
}
