//! What comes out, one file for each thing.
//!
//! Always true here: generated code names only what is in the runtime's `__private` module, by absolute paths; it calls
//! no method by a dot that is not inherent; its locals start with `__` and can't be seen by the user's code.

pub(crate) mod aggregate;
pub(crate) mod command;
pub(crate) mod commands;
mod derives;
pub(crate) mod event;
mod head;
pub(crate) mod history;
pub(crate) mod id;
mod lock;
pub(crate) mod projection;
pub(crate) mod read_model;
pub(crate) mod state;
mod stored;
mod stubs;
mod upcast;
pub(crate) mod value;
