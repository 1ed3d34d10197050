//! From tokens to syntax: signatures, attributes, fields. Bodies are never looked into.

pub(crate) mod args;
pub(crate) mod attrs;
pub(crate) mod block;
pub(crate) mod history;
pub(crate) mod serde;
