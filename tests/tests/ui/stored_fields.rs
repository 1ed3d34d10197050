use gesta::prelude::*;

#[value]
pub struct Place {
    pub street: String,
}

#[event]
pub struct Opened {
    #[cfg(unix)]
    pub limit: i64,
    #[serde(flatten)]
    pub place: Place,
    #[serde(skip)]
    pub note: String,
    #[serde(rename(serialize = "a", deserialize = "b"))]
    pub a: i64,
    #[serde(rename = "owner")]
    pub b: i64,
    pub owner: String,
    #[serde(with = "somewhere")]
    pub at: Timestamp,
    #[schema(opaque = "")]
    pub took: std::time::Duration,
    #[schema(hidden)]
    pub kind: String,
}

#[value]
#[serde(tag = "type", rename_all = "camel")]
pub enum Channel {
    Branch {},
    #[cfg(unix)]
    Online,
    #[serde(other)]
    Unknown,
}

#[event]
#[serde(rename_all = "camelCase")]
pub struct Closed;

fn main() {}
