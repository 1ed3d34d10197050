//! What the macros make of code, and what they say of code they can't take.
//!
//! `UPDATE_EXPECT=1 cargo test -p gesta-macros` writes the expansions anew: then read what changed.

mod expansions;
mod history;
mod laws;
mod messages;

use proc_macro2::TokenStream;

use crate::entry::{self, Expansion};

/// Runs one macro, by its name.
fn expand(attribute: &str, args: &str, item: &str) -> Expansion {
    let (args, item) = (tokens(args), tokens(item));
    match attribute {
        "event" => entry::event(args, item),
        "command" => entry::command(args, item),
        "value" => entry::value(args, item),
        "state" => entry::state(args, item),
        "id" => entry::id(args, item),
        "aggregate" => entry::aggregate(args, item),
        "command_handler" => entry::command_handler(args, item),
        "projection" => entry::projection(args, item),
        "ReadModel" => entry::read_model(item),
        other => panic!("no macro `{other}`"),
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the test's code has tokens")
}

/// As code, which it must be.
fn code(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("an expansion is made of items"))
}
