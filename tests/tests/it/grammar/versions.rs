//! Events with a history: every version reads as what it means today.

use std::num::TryFromIntError;

use gesta::prelude::*;
use gesta::schema::Node;
use gesta::{DecodeError, Event, Schema, UpcastError};

use super::domain::{Address, Cents, Channel};

impl From<u32> for Cents {
    fn from(cents: u32) -> Self {
        Cents(cents.into())
    }
}

fn counted(text: String) -> Result<u8, String> {
    text.parse().map_err(|e| format!("{text}: {e}"))
}

/// Money paid in.
#[event(version = 5)]
#[serde(rename_all = "camelCase")]
#[derive(Eq)]
#[removed(3, /** Who took it. */ #[added(2, default = Some(String::from("nobody")))] #[serde(rename = "by")] teller: Option<String>)]
#[removed(5, note: String)]
pub struct Paid {
    /// How much.
    #[renamed(2, from = "amt")]
    #[converted(3, from = u32, with = Self::in_cents)]
    #[converted(4, from = i64, with = Cents)]
    #[serde(rename = "sum")]
    pub amount: Cents,
    #[added(2, default = Self::usual())]
    pub through: Channel,
    #[added(5, default = 7)]
    #[schema(opaque = "seconds")]
    took: u64,
    pub on_behalf: Option<String>,
}

impl Paid {
    fn usual() -> Channel {
        Channel::Online
    }
    fn in_cents(euros: u32) -> i64 {
        i64::from(euros) * 100
    }
}

impl Eq for Cents {}

#[test]
fn every_version_reads_as_the_current_one() {
    let paid = |cents, through| Paid { amount: Cents(cents), through, took: 7, on_behalf: Some("Ann".into()) };
    let stored = [
        (1, r#"{"amt":3,"note":"n","onBehalf":"Ann"}"#, paid(300, Channel::Online)),
        (2, r#"{"sum":3,"note":"n","onBehalf":"Ann","through":"Branch","by":null}"#, paid(300, Channel::Branch)),
        (3, r#"{"sum":300,"note":"n","onBehalf":"Ann","through":"Branch"}"#, paid(300, Channel::Branch)),
        (4, r#"{"sum":300,"note":"n","onBehalf":"Ann","through":"Branch"}"#, paid(300, Channel::Branch)),
        (5, r#"{"sum":300,"onBehalf":"Ann","through":"Branch","took":7}"#, paid(300, Channel::Branch)),
    ];
    for (version, payload, paid) in stored {
        assert_eq!(Paid::decode(version, payload.as_bytes()), Ok(paid), "version {version}");
    }
    for unknown in [0, 6] {
        assert_eq!(Paid::decode(unknown, b"{}"), Err(DecodeError::UnknownVersion { name: "Paid", version: unknown, newest: 5 }));
    }
}

#[test]
fn each_version_is_written_as_the_next_one() {
    let mut payload = br#"{"amt":3,"note":"n","onBehalf":"Ann"}"#.to_vec();
    let mut written = Vec::new();
    for version in Paid::VERSIONS {
        payload = (version.advance)(&payload).unwrap();
        written.push(String::from_utf8(payload.clone()).unwrap());
    }
    assert_eq!(
        written,
        [
            r#"{"sum":3,"through":"Online","onBehalf":"Ann","by":"nobody","note":"n"}"#,
            r#"{"sum":300,"through":"Online","onBehalf":"Ann","note":"n"}"#,
            r#"{"sum":300,"through":"Online","onBehalf":"Ann","note":"n"}"#,
            r#"{"sum":300,"through":"Online","took":7,"onBehalf":"Ann"}"#,
            r#"{"sum":300,"through":"Online","took":7,"onBehalf":"Ann"}"#,
        ]
    );
}

#[test]
fn the_steps_are_public() {
    let first = PaidV1 { amt: 3, on_behalf: None, note: "n".into() };
    let second = PaidV2::from(first.clone());
    let expected =
        PaidV2 { amount: 3, through: Channel::Online, teller: Some("nobody".into()), note: "n".into(), on_behalf: None };
    assert_eq!(second, expected);
    let today: Paid = PaidV4::from(PaidV3::from(second)).into();
    assert_eq!(today, Paid { amount: Cents(300), through: Channel::Online, took: 7, on_behalf: None });
    assert_eq!(format!("{first:?}"), r#"PaidV1 { amt: 3, on_behalf: None, note: "n" }"#);
}

#[test]
fn each_version_says_what_changed_and_what_is_stored() {
    let changes: Vec<_> = Paid::VERSIONS.iter().map(|version| version.changes).collect();
    assert_eq!(
        changes,
        [
            &[][..],
            &["`by` was added", "`amt` was renamed to `sum`", "`through` was added"],
            &["`sum` was converted from `u32` to `i64`", "`by` was removed"],
            &["`sum` was converted from `i64` to `Cents`"],
            &["`note` was removed", "`took` was added"],
        ]
    );
    let logic: std::collections::BTreeSet<_> = Paid::VERSIONS.iter().map(|version| version.logic).collect();
    assert_eq!((logic.len(), Paid::VERSIONS[0].logic), (5, 0));
    let nodes = [PaidV1::NODE, PaidV2::NODE, PaidV3::NODE, PaidV4::NODE, Paid::NODE];
    assert!(Paid::VERSIONS.iter().map(|version| version.node).eq(nodes));
    let Node::Record(fields) = PaidV2::NODE else { panic!("a record") };
    let docs: Vec<_> = fields.iter().map(|field| (field.name, field.doc)).collect();
    assert_eq!(docs, [("sum", "How much."), ("through", ""), ("onBehalf", ""), ("by", "Who took it."), ("note", "")]);
}

/// What does not fit is an error of the step.
#[event(version = 3, name = "measured")]
pub struct Measured {
    #[converted(3, try_from = i64)]
    #[converted(2, try_from = String, with = counted_wide)]
    pub size: u8,
    #[renamed(3, from = "kind")]
    pub r#type: String,
}

fn counted_wide(text: String) -> Result<i64, String> {
    if text == "many" { Ok(1_000) } else { counted(text).map(i64::from) }
}

#[test]
fn a_step_that_cannot_be_made_says_which_and_why() {
    let read = |text: &str| Measured::decode(1, format!(r#"{{"size":"{text}","kind":"k"}}"#).as_bytes());
    assert_eq!(read("7"), Ok(Measured { size: 7, r#type: "k".into() }));
    let step = |from, why: &str| Err(DecodeError::Step { name: "measured", from, why: why.into(), start: String::new() });
    assert_eq!(read("x"), step(1, "`size`: x: invalid digit found in string"));
    assert_eq!(read("many"), step(2, "`size`: out of range integral type conversion attempted"));

    let failed: UpcastError = Measured::try_from(MeasuredV2 { size: 300, kind: String::new() }).unwrap_err();
    let why = u8::try_from(300).map_err(|e: TryFromIntError| e.to_string()).unwrap_err();
    assert_eq!((failed.event, failed.from, failed.field, &failed.why), ("measured", 2, "size", &why));
    assert_eq!(
        failed.to_string(),
        "version 2 of `measured` can't become the next one: `size`: out of range integral type conversion attempted"
    );
    assert!(Measured::try_from(MeasuredV2 { size: 3, kind: String::new() }).is_ok());
}

/// An explicit struct, which has a history of its own.
#[event(name = "Moved", version = 2)]
pub struct MovedByText {
    #[renamed(2, from = "to")]
    pub address: String,
}

#[event(version = 4)]
#[converted(3, try_from = MovedByText)]
pub struct Moved {
    pub to: Address,
    #[added(4, default = false)]
    pub abroad: bool,
}

impl TryFrom<MovedByText> for MovedV3 {
    type Error = &'static str;
    fn try_from(old: MovedByText) -> Result<Self, Self::Error> {
        let (street, line) = old.address.split_once(", ").ok_or("no comma")?;
        Ok(MovedV3 { to: Address { street: street.into(), lines: vec![line.into()] } })
    }
}

/// Likewise, by a function, for the current version.
#[event(version = 2, name = "closed")]
#[converted(2, from = ClosedWithNote, with = noted)]
pub struct Closed;

#[event(name = "closed")]
pub struct ClosedWithNote {
    pub note: String,
}

fn noted(_: ClosedWithNote) -> Closed {
    Closed
}

#[test]
fn an_explicit_struct_brings_its_versions() {
    let moved = Moved { to: Address { street: "Main".into(), lines: vec!["Town".into()] }, abroad: false };
    let stored = [
        (1, r#"{"to":"Main, Town"}"#),
        (2, r#"{"address":"Main, Town"}"#),
        (3, r#"{"to":{"street":"Main","lines":["Town"]}}"#),
        (4, r#"{"to":{"street":"Main","lines":["Town"]},"abroad":false}"#),
    ];
    for (version, payload) in stored {
        assert_eq!(Moved::decode(version, payload.as_bytes()), Ok(moved.clone()), "version {version}");
        let info = &Moved::VERSIONS[version as usize - 1];
        let next = stored.get(version as usize).unwrap_or(&stored[3]).1;
        assert_eq!((info.version, (info.advance)(payload.as_bytes())), (version, Ok(next.into())));
    }
    assert_eq!(
        Moved::decode(1, br#"{"to":"Main"}"#),
        Err(DecodeError::Step { name: "Moved", from: 2, why: "no comma".into(), start: String::new() })
    );
    assert_eq!(Moved::VERSIONS[2].changes, ["the whole event was converted from `MovedByText`"]);
    assert_eq!(Moved::decode(5, b"{}"), Err(DecodeError::UnknownVersion { name: "Moved", version: 5, newest: 4 }));

    assert_eq!(Closed::decode(1, br#"{"note":"n"}"#), Ok(Closed));
    assert_eq!(Closed::decode(2, b"{}"), Ok(Closed));
    assert_eq!((Closed::VERSIONS[0].advance)(br#"{"note":"n"}"#), Ok(b"{}".to_vec()));
}

/// An event that lost its only field, and one that had none.
#[event(version = 2)]
#[removed(2, reason: String)]
pub struct Ended;

#[event(version = 2)]
pub struct Begun {
    #[added(2, default = vec![1])]
    pub steps: Vec<u8>,
}

#[test]
fn an_event_may_lose_all_its_fields_and_get_its_first() {
    assert_eq!(Ended::decode(1, br#"{"reason":"r"}"#), Ok(Ended));
    assert_eq!((Ended::VERSIONS[0].advance)(br#"{"reason":"r"}"#), Ok(b"{}".to_vec()));
    assert_eq!(Begun::decode(1, b"{}"), Ok(Begun { steps: vec![1] }));
    assert_eq!(Begun::from(BegunV1 {}), Begun { steps: vec![1] });
}
