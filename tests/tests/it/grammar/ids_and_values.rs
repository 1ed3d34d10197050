//! Ids, values, and how columns hold them.

use std::collections::HashSet;

use gesta::prelude::*;
use gesta::read::{ColumnKind, ColumnType, Value};
use gesta::schema::{Node, Variant};
use gesta::{AggregateId, InvalidId, Schema, StreamName};

use super::domain::*;

#[id]
struct OrderId(Uuid);
#[id]
struct Line(i64);

#[test]
fn an_id_of_text_is_never_what_no_stream_can_be_called() {
    let id = AccountId::new("ACC-1").unwrap();
    assert_eq!((id.as_str(), id.to_string()), ("ACC-1", "ACC-1".to_owned()));
    assert_eq!(format!("{id:?}"), "AccountId(\"ACC-1\")");
    assert_eq!("ACC-1".parse(), Ok(id.clone()));
    assert_eq!(AccountId::try_from("ACC-1"), Ok(id.clone()));
    assert_eq!(AccountId::try_from("ACC-1".to_owned()), Ok(id.clone()));
    assert_eq!(AccountId::new(""), Err(InvalidId::Empty));
    assert!(AccountId::try_from("a\nb").is_err());
    assert_eq!(StreamName::new("Account", &id).unwrap().as_str(), "Account-ACC-1");
    assert!(AccountId::from_value(Value::Text(String::new())).is_err());
    assert_eq!(AccountId::from_value(id.to_value().unwrap()), Ok(id));
}

#[test]
fn other_ids_are_made_and_parsed() {
    let (a, b) = (OrderId::generate(), OrderId::generate());
    assert!(a < b);
    assert_eq!(a.to_string().parse(), Ok(a));
    assert_eq!(OrderId::from(a.get()), a);
    assert_eq!(CustomerNumber::new(7).get(), 7);
    assert_eq!(Line::parse("-3"), Ok(Line::new(-3)));
    let error = CustomerNumber::parse("seven").unwrap_err();
    assert_eq!(error.to_string(), "`seven` is not a valid `CustomerNumber`");
    assert_eq!(HashSet::from([Line::new(1), Line::new(1)]).len(), 1);
}

#[test]
fn a_value_is_held_by_a_column_as_what_it_is() {
    assert_eq!(Cents(5).to_value(), Ok(Value::Integer(5)));
    assert_eq!(Cents::from_value(Value::Integer(5)), Ok(Cents(5)));
    assert_eq!((Cents::KIND, Cents::NULLABLE), (ColumnKind::Integer, false));
    assert_eq!(Channel::Online.to_value(), Ok(Value::Text("Online".into())));
    assert_eq!(Channel::from_value(Value::Text("Online".into())), Ok(Channel::Online));
    assert_eq!(Channel::from_value(Value::Text("Fax".into())), Err("`Fax` is no variant of it".into()));
    let address = Address { street: "Main".into(), lines: vec![] };
    assert_eq!(address.to_value(), Ok(Value::Text(r#"{"street":"Main","lines":[]}"#.into())));
    assert_eq!(Address::from_value(address.to_value().unwrap()), Ok(address));
    assert_eq!((Address::KIND, OrderId::KIND, Line::KIND), (ColumnKind::Json, ColumnKind::Text, ColumnKind::Integer));
}

#[value]
struct Pair(i64, String);
#[value]
struct Nothing;
#[value]
#[serde(rename_all = "snake_case", rename_all_fields = "UPPERCASE")]
enum Shape {
    NoSize,
    OneSize(u8),
    TwoSizes(u8, Channel),
    #[serde(rename = "big")]
    Named {
        w_mm: u8,
        h_mm: u8,
    },
}
#[value]
#[serde(rename_all = "kebab-case")]
#[derive(Eq, Hash, PartialOrd, Ord, Default)]
enum Size {
    #[default]
    ExtraLarge,
}

#[test]
fn a_schema_says_what_is_stored() {
    let (int, byte) = (Node::Int { signed: true, bits: 64 }, Node::Int { signed: false, bits: 8 });
    assert_eq!((Cents::NODE, AccountId::NODE, OrderId::NODE), (int, Node::Named("text_id"), Node::Named("uuid")));
    assert_eq!(Pair::NODE, Node::Tuple(&[&<i64 as Schema>::NODE, &Node::Text]));
    assert_eq!(Nothing::NODE, Node::Record(&[]));
    let Node::Enum { variants, .. } = Shape::NODE else { panic!("an enum") };
    let names: Vec<_> = variants.iter().map(|v| v.name).collect();
    assert_eq!(names, ["no_size", "one_size", "two_sizes", "big"]);
    assert_eq!(variants[1], Variant { name: "one_size", doc: "", node: Some(&<u8 as Schema>::NODE) });
    let Some(Node::Record(fields)) = variants[3].node else { panic!("a record") };
    assert_eq!((fields[0].name, fields[0].node), ("W_MM", &byte));
}

#[test]
fn a_value_is_stored_as_its_schema_says() {
    let json = |value: Result<Value, String>| value.unwrap().to_string();
    assert_eq!(json(Shape::NoSize.to_value()), "`\"no_size\"`");
    assert_eq!(json(Shape::OneSize(1).to_value()), r#"`{"one_size":1}`"#);
    assert_eq!(json(Shape::TwoSizes(1, Channel::Branch).to_value()), r#"`{"two_sizes":[1,"Branch"]}`"#);
    assert_eq!(json(Shape::Named { w_mm: 1, h_mm: 2 }.to_value()), r#"`{"big":{"W_MM":1,"H_MM":2}}`"#);
    assert_eq!(json(Pair(1, "b".into()).to_value()), r#"`[1,"b"]`"#);
    assert_eq!(json(Nothing.to_value()), "`{}`");
    assert_eq!(Nothing::from_value(Value::Text("{}".into())), Ok(Nothing));
    assert_eq!(Size::default().to_value(), Ok(Value::Text("extra-large".into())));
}

#[test]
fn values_are_copied_shown_and_compared_as_std_would() {
    let all = [
        Shape::NoSize,
        Shape::OneSize(1),
        Shape::OneSize(2),
        Shape::TwoSizes(1, Channel::Online),
        Shape::Named { w_mm: 1, h_mm: 2 },
    ];
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            assert_eq!(a.clone() == *b, i == j, "{a:?} {b:?}");
        }
    }
    assert_eq!(format!("{all:?}"), "[NoSize, OneSize(1), OneSize(2), TwoSizes(1, Online), Named { w_mm: 1, h_mm: 2 }]");
    assert_eq!(format!("{:?} {Nothing:?}", Pair(1, "b".into())), "Pair(1, \"b\") Nothing");
}
