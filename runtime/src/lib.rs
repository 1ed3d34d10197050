//! Event sourcing and CQRS for Rust, checked by the compiler.
//!
//! What happens in a domain is stored as events, once and for ever. An *aggregate* is what a command is decided on: its
//! state is folded from its own events. A *read model* is what questions are answered from: its rows are folded from events
//! too. You write both as plain types; macros generate what connects them, and an [`App`] runs them on a store.
//!
//! # A domain
//!
//! ```
//! use gesta::prelude::*;
//!
//! #[id]
//! pub struct AccountId(String);
//!
//! /// Money paid in at the counter.
//! #[event]
//! pub struct Deposited {
//!     pub cents: i64,
//! }
//! #[event]
//! pub struct Opened {
//!     pub owner: String,
//! }
//! #[event]
//! pub struct Closed;
//!
//! pub struct Account {
//!     cents: i64,
//! }
//!
//! #[aggregate(id = AccountId)]
//! impl Account {
//!     fn opened(_: Opened) -> Self {
//!         Account { cents: 0 }
//!     }
//!     fn deposited(&mut self, e: Deposited) {
//!         self.cents += e.cents;
//!     }
//!     fn closed(self, _: Closed) {}
//! }
//!
//! #[command]
//! pub struct Open {
//!     pub owner: String,
//! }
//! #[command]
//! pub struct Deposit {
//!     pub cents: i64,
//! }
//!
//! #[derive(Debug, PartialEq)]
//! pub enum AccountError {
//!     NothingToDeposit,
//! }
//!
//! #[command_handler]
//! impl Account {
//!     fn open(cmd: Open) -> Opened {
//!         Opened { owner: cmd.owner }
//!     }
//!     fn deposit(&self, cmd: Deposit) -> Result<Deposited, AccountError> {
//!         if cmd.cents > 0 { Ok(Deposited { cents: cmd.cents }) } else { Err(AccountError::NothingToDeposit) }
//!     }
//! }
//!
//! # fn main() {
//! use gesta::testing::given;
//!
//! given::<Account>(Opened { owner: "Ann".into() }).when(Deposit { cents: 5 }).then(Deposited { cents: 5 });
//! given::<Account>(Opened { owner: "Ann".into() })
//!     .when(Deposit { cents: 0 })
//!     .then_err(AccountError::NothingToDeposit);
//! # }
//! ```
//!
//! Signatures decide. The same shapes serve aggregates and read models:
//!
//! | signature | meaning |
//! |---|---|
//! | `fn f(e: Event) -> Self` | this event brings it into being |
//! | `fn f(&mut self, e: Event)` | this event changes it |
//! | `fn f(self, e: Event)` | this event ends it: the row goes; an aggregate answers `Ended` from then on |
//! | `fn f(row: Option<Self>, e: Event) -> Option<Self>` | any of these, for read models only |
//!
//! and for commands:
//!
//! | signature | meaning |
//! |---|---|
//! | `fn f(cmd: Command) -> ..` | only where there is none; else [`AlreadyExists`](ExecuteError::AlreadyExists) |
//! | `fn f(&self, cmd: Command) -> ..` | only where there is one; else [`NotFound`](ExecuteError::NotFound) or [`Ended`](ExecuteError::Ended) |
//! | `fn f(this: Option<&Self>, cmd: Command) -> ..` | either |
//!
//! Events and commands come by value or by reference. A command handler may be `async`, may take `&Context` and services
//! after the command, and returns an event, a tuple, an array, an `Option` or a `Vec` of events, or `()`, with a `Result` around
//! it or not.
//!
//! Rules, each with an error of its own: `#[event]` and its siblings stand above every other attribute; commands live in
//! their aggregate's crate; there is one `#[command_handler]` block an aggregate; no `#[cfg]` stands inside an `#[aggregate]`
//! block, since stored events can't be optional; aggregates and read models aren't generic. Generated event enums are
//! exhaustive on purpose: in a library a new event is a breaking release.
//!
//! # An app
//!
//! [`App::connect`] opens a store by URL; [`Builder`] registers aggregates, read models and services; [`App::execute`] runs a
//! command, [`App::unit`] several as one, [`App::execute_many`] many; [`App::read`] reads rows; [`App::load`],
//! [`App::load_at`], [`App::load_as_of`] and [`App::history`] look at one aggregate's past; [`App::subscribe`] follows all
//! events. See the `examples` folder of the repository for two whole applications.
//!
//! What an app has to say while it runs, such as a read model that is rebuilt or drafts on a store that lasts, goes to `tracing`:
//! a program that wants to see it installs a subscriber.
//!
//! The [`guide`] has chapters about what comes up later: [changing an event](guide::changing_an_event), and
//! [gesta behind another crate](guide::gesta_behind_another_crate).
//!
//! # Features
//!
//! | feature | what |
//! |---|---|
//! | `memory` (on by default) | the store behind `memory:` |
//! | `sqlite` | the store behind `sqlite:file.db`; SQLite itself is compiled in, which takes a C compiler |
//! | `chrono` | dates and times of that crate in what is stored, and conversions of [`Timestamp`] |
//! | `rust_decimal` | its `Decimal` in what is stored, digit by digit |
//! | `contract` | the suite that holds any store, also your own, against the contract of [`store`] |

// What the macros write names the crate as its users do.
#[cfg(test)]
extern crate self as gesta;

mod aggregate;
mod app;
pub mod catalogue;
mod codec;
mod command;
mod error;
mod event;
pub mod guide;
mod id;
mod macros;
pub mod read;
pub mod schema;
mod storable;
pub mod store;
pub mod testing;
mod time;

#[doc(hidden)]
pub mod __private;

pub use aggregate::{Aggregate, Decoded, EventOf, HappensTo, Lock, Misplaced, Snapshots, Stage, State};
pub use app::*;
pub use command::{
    Answer, AnyCommand, Command, CommandData, CommandInfo, Commands, Context, Dispatch, Handle, IntoEvents, Need, Refusal,
};
pub use error::{
    DecodeError, Denied, EncodeError, ExecuteError, Failure, IncompatibleForm, InvalidActor, LateCause, LoadError,
    MissingService, ProjectionError, ReadError, StartError, StoreError, UnitError, Unreadable, UnreadableEvent, UpcastError,
};
pub use event::{Event, EventInfo, EventVersion, IdSource, Metadata, Position, RandomIds, Recorded, Version};
pub use id::{AggregateId, InvalidId, StreamName};
pub use macros::{ReadModel, aggregate, command, command_handler, event, id, projection, state, value};
pub use read::{ColumnError, Feeds, FoldError, On, Projection, ReadModel, RowError};
pub use schema::Schema;
pub use serde;
pub use store::Parked;
#[cfg(feature = "chrono")]
pub use time::TimestampOutOfRange;
pub use time::{Clock, InvalidTimestamp, SystemClock, Timestamp};
pub use uuid::{self, Uuid};

/// What a domain file needs, and nothing else: `use gesta::prelude::*;`.
pub mod prelude {
    pub use crate::{
        App, Context, ExecuteError, ReadModel, Recorded, Stage, Timestamp, Uuid, aggregate, command, command_handler, event, id,
        projection, state, value,
    };
}

/// The example of the README is one of ours.
#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../../README.md")]
struct Readme;
