//! Event sourcing and CQRS for Rust, checked by the compiler.

mod aggregate;
mod app;
mod codec;
mod command;
mod error;
mod event;
mod finite;
mod id;
mod macros;
pub mod read;
pub mod schema;
pub mod store;
pub mod testing;
mod time;

#[doc(hidden)]
pub mod __private;

pub use aggregate::{Aggregate, EventOf, Misplaced, Snapshots, Stage, State};
pub use app::*;
pub use command::{
    Answer, AnyCommand, Command, CommandData, CommandInfo, Commands, Context, Dispatch, Handle, IntoEvents, Need, Refusal,
};
pub use error::{
    DecodeError, Denied, EncodeError, ExecuteError, Failure, LoadError, MissingService, ProjectionError, ReadError, StartError,
    StoreError, UnitError, Unreadable, UnreadableEvent,
};
pub use event::{Event, EventInfo, IdSource, Metadata, Position, RandomIds, Recorded, Version};
pub use id::{AggregateId, InvalidId, StreamName};
pub use macros::{ReadModel, aggregate, command, command_handler, event, id, projection, state, value};
pub use read::{ColumnError, Feeds, FoldError, On, Projection, ReadModel, RowError};
pub use schema::Schema;
pub use serde;
pub use time::{Clock, InvalidTimestamp, SystemClock, Timestamp};
pub use uuid::{self, Uuid};

/// What a domain file needs, and nothing else: `use gesta::prelude::*;`.
pub mod prelude {
    pub use crate::{
        App, Context, ExecuteError, ReadModel, Recorded, Stage, Timestamp, Uuid, aggregate, command, command_handler, event, id,
        projection, state, value,
    };
}
