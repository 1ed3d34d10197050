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
    #[serde(skip_serializing)]
    pub note: String,
    #[serde(rename(serialize = "a", deserialize = "b"))]
    pub a: i64,
    #[serde(rename = "owner")]
    pub b: i64,
    pub owner: String,
    #[serde(rename = "line\nbreak")]
    pub c: i64,
    #[serde(with = "somewhere")]
    pub at: Timestamp,
    #[schema(opaque = "")]
    pub took: std::path::PathBuf,
    #[schema(hidden)]
    pub kind: String,
    #[serde(alias = "paid")]
    pub amount: i64,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub fee: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default = "one")]
    pub limits: Option<i64>,
}

#[value]
#[serde(untagged, rename_all = "camel")]
pub enum Channel {
    Branch {},
    #[cfg(unix)]
    Online,
    #[serde(other)]
    Unknown,
    #[serde(skip)]
    Fax,
}

#[value]
#[serde(tag = "type")]
pub enum Payment {
    Card { r#type: String },
    Cash(i64, Channel),
}
#[value]
#[serde(content = "data")]
pub enum Way {
    By(i64),
}
#[value]
#[serde(transparent, deny_unknown_fields)]
pub struct Price {
    pub minor: i64,
    pub currency: String,
}
#[value]
#[serde(try_from = "String")]
pub struct Code(#[serde(default)] String);

#[event]
#[serde(rename = "paid_out")]
pub struct PaidOut {
    pub amount: i64,
}

#[event]
#[serde(rename_all = "camelCase")]
pub struct Closed;

#[event]
#[serde(transparent)]
pub struct Paid {
    pub amount: i64,
}

fn main() {}
