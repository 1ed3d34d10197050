//! The schemas of other crates' types, each crate behind a feature.

use super::{Node, Schema};

#[cfg(feature = "chrono")]
impl Schema for chrono::DateTime<chrono::Utc> {
    const NODE: Node = Node::Named("datetime_utc");
}
#[cfg(feature = "chrono")]
impl Schema for chrono::NaiveDateTime {
    const NODE: Node = Node::Named("datetime");
}
#[cfg(feature = "chrono")]
impl Schema for chrono::NaiveDate {
    const NODE: Node = Node::Named("date");
}
#[cfg(feature = "chrono")]
impl Schema for chrono::NaiveTime {
    const NODE: Node = Node::Named("time");
}
#[cfg(feature = "rust_decimal")]
impl Schema for rust_decimal::Decimal {
    const NODE: Node = Node::Named("decimal");
}
