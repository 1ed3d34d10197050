// The attribute of gesta stands first: what stands above it is looked at before there is anything to derive. rustc says so in
// its own words, and a macro can't change them.
use gesta::prelude::*;

#[serde(rename_all = "camelCase")]
#[event]
pub struct Opened {
    pub a_field: i64,
}

fn main() {}
