//! Events and commands as they are stored.

use std::time::Duration;

use gesta::schema::{Field, Node};
use gesta::{Event, Schema};

use super::domain::*;

fn json(event: &impl Event) -> String {
    let mut payload = Vec::new();
    event.encode(&mut payload).unwrap();
    String::from_utf8(payload).unwrap()
}

#[test]
fn an_event_is_stored_under_its_names() {
    let counted = Counted { how_many: 2, reason: None, took: Duration::from_secs(1) };
    assert_eq!(json(&counted), r#"{"howMany":2,"why":null,"took":{"secs":1,"nanos":0}}"#);
    assert_eq!(Counted::decode(1, json(&counted).as_bytes()), Ok(counted));
    assert_eq!((Counted::NAME, Counted::VERSION), ("counted", 1));
    let Node::Record(fields) = Counted::NODE else { panic!("a record") };
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["howMany", "why", "took"]);
    assert_eq!(fields[2].node, &Node::Opaque("seconds"));
    assert_eq!((Counted::VERSIONS.len(), Counted::VERSIONS[0].node), (1, Counted::NODE));
}

#[test]
fn a_schema_carries_the_docs() {
    let Node::Record(fields) = Opened::NODE else { panic!("a record") };
    assert_eq!(fields[0], Field { name: "owner", doc: "Who it belongs to.", default: false, node: &Node::Text });
}

#[test]
fn an_event_without_fields_is_an_empty_record_and_reads_one_with_fields() {
    assert_eq!((json(&Closed), Closed::NODE), ("{}".to_owned(), Node::Record(&[])));
    assert_eq!(Closed::decode(1, b"{}"), Ok(Closed));
    assert_eq!(Closed::decode(1, br#"{"later":[1,{"a":2}]}"#), Ok(Closed));
    assert!(Closed::decode(1, b"null").is_err());
}

#[test]
fn an_unknown_version_is_said_to_be_unknown() {
    assert!(Closed::decode(2, b"{}").unwrap_err().may_be_newer_build());
}

#[test]
fn nested_values_read_back() {
    let registered = Registered {
        address: Some(Address { street: "Main".into(), lines: vec!["a".into()] }),
        accounts: [(AccountId::new("A").unwrap(), Cents(1))].into(),
    };
    assert_eq!(Registered::decode(1, json(&registered).as_bytes()), Ok(registered));
    assert!(Registered::decode(1, br#"{"address":null,"accounts":{"":1}}"#).is_err(), "an id is checked when it is read");
}
