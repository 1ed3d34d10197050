//! What an item says, normalised once: emitters see only this.

pub(crate) mod aggregate;
pub(crate) mod commands;
pub(crate) mod handler;
pub(crate) mod history;
pub(crate) mod id;
pub(crate) mod projection;
pub(crate) mod read_model;
pub(crate) mod stored;
pub(crate) mod tokens;
pub(crate) mod upcast;
