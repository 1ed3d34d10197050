//! The rules, each with the code that it rejects.

pub(crate) mod blocks;
pub(crate) mod history;
pub(crate) mod read_model;
pub(crate) mod stored;
