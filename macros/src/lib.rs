//! The macros of gesta. They are documented where they are re-exported, in the crate `gesta`.

mod check;
mod diag;
mod emit;
mod entry;
mod manifest;
mod model;
mod names;
mod parse;
mod paths;
mod rings;
mod source;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident => $expand:path;)*) => { $(
        $(#[$doc])*
        #[proc_macro_attribute]
        pub fn $name(args: TokenStream, item: TokenStream) -> TokenStream {
            entry::finish($expand(args.into(), item.into()))
        }
    )* };
}

attributes! {
    /// A struct that is stored when it has happened; see `gesta::event`.
    event => entry::event;
    /// A struct that asks for something; see `gesta::command`.
    command => entry::command;
    /// A type inside events, commands and states; see `gesta::value`.
    value => entry::value;
    /// A newtype that names one aggregate; see `gesta::id`.
    id => entry::id;
    /// A state that is stored in snapshots; see `gesta::state`.
    state => entry::state;
    /// How events make up a state; see `gesta::aggregate`.
    aggregate => entry::aggregate;
    /// How commands become events; see `gesta::command_handler`.
    command_handler => entry::command_handler;
    /// How events change a row; see `gesta::projection`.
    projection => entry::projection;
}

/// A row with a key; see `gesta::ReadModel`.
#[proc_macro_derive(ReadModel, attributes(read_model, key, index))]
pub fn read_model(item: TokenStream) -> TokenStream {
    entry::finish(entry::read_model(item.into()))
}
