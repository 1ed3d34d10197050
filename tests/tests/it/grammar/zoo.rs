//! Values of every shape, and that what is written of them is what their schema says and comes back as it went.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use gesta::prelude::*;
use gesta::read::{ColumnKind, ColumnType, Value};
use gesta::schema::{Field, Node, Tag};
use gesta::{CommandData as _, Event, Schema};
use proptest::prelude::*;

/// From one to another.
#[value]
#[derive(Copy, Eq)]
struct Span<T> {
    /// The first.
    from: T,
    #[serde(rename = "until")]
    to: Option<T>,
}
#[value]
struct Wrapped<T: Clone>(T)
where
    T: PartialEq;
#[value]
enum Either<L, R = L> {
    Left(L),
    Right { value: R, more: Vec<R> },
    Neither,
}
#[value]
struct Pair<A, B>(A, Vec<B>);
#[value]
#[serde(tag = "type", rename_all = "snake_case")]
enum Payment<T> {
    Card { number: String, amount: T },
    Transfer(Transfer),
    Nothing(Nothing),
    Cash,
}
#[value]
struct Transfer {
    iban: String,
    parts: BTreeMap<Kind, f64>,
    rates: Vec<f32>,
}
#[value]
struct Nothing;
#[value]
#[serde(tag = "type", content = "data")]
enum Shape<T> {
    Point,
    Line(T),
    Corner(T, T),
    Box { width: T, by_floor: BTreeMap<i8, u128> },
}
#[value]
enum Kind {
    Small,
    Large,
}
#[value]
#[derive(Eq, Hash, PartialOrd, Ord)]
struct Code(u16);
#[value]
#[serde(transparent)]
struct Price {
    minor: i64,
}
/// A field that is not written needs a default and nothing else.
#[derive(Clone, Debug, PartialEq, Default)]
struct Cell(&'static str);
/// A newtype of what may be nothing.
#[value]
struct Note(Option<String>);

#[value]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    lines_shown: u32,
    paper: Kind,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    printer: Option<String>,
}
impl Default for Settings {
    fn default() -> Self {
        Settings { lines_shown: 20, paper: Kind::Large, printer: None }
    }
}
/// A command is not kept, so a part of it may be for its handler only.
#[command]
struct Fill {
    amount: i64,
    #[serde(skip)]
    seen: Cell,
    #[serde(skip, default = "seven")]
    cached: u32,
    #[serde(skip_serializing, default)]
    scratch: String,
}
fn seven() -> u32 {
    7
}

#[event]
pub(crate) struct Filled {
    span: Span<Duration>,
    wrapped: Wrapped<Span<Code>>,
    either: Either<u8, Option<Either<String>>>,
    pair: Pair<Box<str>, Cow<'static, str>>,
    payment: Vec<Payment<i64>>,
    shape: Option<Shape<Payment<u8>>>,
    sets: (BTreeSet<Code>, HashSet<char>),
    maps: BTreeMap<Code, HashMap<i128, Vec<Note>>>,
    arrays: [[Option<u128>; 2]; 3],
    range: Range<i16>,
    result: Result<Price, String>,
    #[serde(default)]
    settings: Settings,
    note: Note,
    dates: Either<chrono::DateTime<chrono::Utc>, (chrono::NaiveDate, chrono::NaiveTime)>,
    price: Payment<rust_decimal::Decimal>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    tags: Vec<String>,
}

/// A few of them: as many as there are by default take minutes.
fn few<T: Arbitrary>() -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(any::<T>(), 0..3)
}
fn float() -> impl Strategy<Value = f64> {
    proptest::num::f64::NORMAL | proptest::num::f64::ZERO
}
fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Small), Just(Kind::Large)]
}
fn payment<T: Clone + Arbitrary + std::fmt::Debug>() -> impl Strategy<Value = Payment<T>> {
    let transfer = (any::<String>(), proptest::collection::btree_map(kind(), float(), 0..3), few::<i16>());
    prop_oneof![
        any::<(String, T)>().prop_map(|(number, amount)| Payment::Card { number, amount }),
        transfer.prop_map(|(iban, parts, rates)| {
            Payment::Transfer(Transfer { iban, parts, rates: rates.into_iter().map(|n| f32::from(n) / 7.0).collect() })
        }),
        Just(Payment::Nothing(Nothing)),
        Just(Payment::Cash),
    ]
}
fn shape() -> impl Strategy<Value = Shape<Payment<u8>>> {
    prop_oneof![
        Just(Shape::Point),
        payment().prop_map(Shape::Line),
        (payment(), payment()).prop_map(|(a, b)| Shape::Corner(a, b)),
        (payment(), few::<(i8, u128)>())
            .prop_map(|(width, by_floor)| Shape::Box { width, by_floor: by_floor.into_iter().collect() }),
    ]
}
fn either<L: Arbitrary + Clone, R: Arbitrary + Clone>() -> impl Strategy<Value = Either<L, R>> {
    prop_oneof![
        any::<L>().prop_map(Either::Left),
        (any::<R>(), few()).prop_map(|(value, more)| Either::Right { value, more }),
        Just(Either::Neither),
    ]
}

fn time() -> impl Strategy<Value = chrono::DateTime<chrono::Utc>> {
    (-4_000_000_000_000..4_000_000_000_000i64, 0..1_000_000_000u32)
        .prop_map(|(secs, nanos)| chrono::DateTime::from_timestamp(secs, nanos).unwrap())
}
fn decimal() -> impl Strategy<Value = rust_decimal::Decimal> {
    (any::<(u32, u32, u32, bool)>(), 0..=28u32)
        .prop_map(|((lo, mid, hi, negative), scale)| rust_decimal::Decimal::from_parts(lo, mid, hi, negative, scale))
}

prop_compose! {
    pub(crate) fn filled()(
        (from, to, code, until) in any::<(Duration, Option<Duration>, u16, Option<u16>)>(),
        (left, right, more) in (any::<Option<u8>>(), proptest::option::of(either()), proptest::collection::vec(proptest::option::of(either()), 0..3)),
        (first, rest) in (any::<Box<str>>(), few::<String>()),
        payment in proptest::collection::vec(payment(), 0..4),
        shape in proptest::option::of(shape()),
        (codes, chars) in (few::<u16>(), few::<char>()),
        maps in few::<(u16, i128, Option<String>)>(),
        arrays in any::<[[Option<u128>; 2]; 3]>(),
        (range, result) in any::<(Range<i16>, Result<i64, String>)>(),
        (lines_shown, paper, printer) in (any::<u32>(), kind(), any::<Option<String>>()),
        (time, of_day, number, amount) in (time(), any::<bool>(), any::<String>(), decimal()),
        (note, tags) in (any::<Option<String>>(), few::<String>()),
    ) -> Filled {
        Filled {
            span: Span { from, to },
            wrapped: Wrapped(Span { from: Code(code), to: until.map(Code) }),
            either: match left {
                Some(left) => Either::Left(left),
                None => Either::Right { value: right, more },
            },
            pair: Pair(first, rest.into_iter().map(Cow::Owned).collect()),
            payment,
            shape,
            sets: (codes.into_iter().map(Code).collect(), chars.into_iter().filter(|c| *c != '\0').collect()),
            maps: maps.into_iter().map(|(a, b, note)| (Code(a), HashMap::from([(b, vec![Note(note), Note(None)])]))).collect(),
            arrays,
            range,
            result: result.map(|minor| Price { minor }),
            settings: Settings { lines_shown, paper, printer },
            note: Note(note),
            dates: if of_day {
                Either::Right { value: (time.date_naive(), time.time()), more: vec![] }
            } else {
                Either::Left(time)
            },
            price: Payment::Card { number, amount },
            tags,
        }
    }
}

fn json(event: &impl Event) -> String {
    let mut payload = Vec::new();
    event.encode(&mut payload).unwrap();
    String::from_utf8(payload).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_comes_back_as_it_went(event in filled()) {
        let written = json(&event);
        prop_assert_eq!(Filled::decode(1, written.as_bytes()), Ok(event), "{}", written);
    }
}

fn column<T: ColumnType>(value: &T) -> String {
    match value.to_value() {
        Ok(Value::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_generic_value_is_stored_as_any_other() {
    let span = Span { from: 1u8, to: None };
    assert_eq!(column(&span), r#"{"from":1,"until":null}"#);
    assert_eq!(Span::<u8>::from_value(Value::Text(r#"{"from":1}"#.into())), Ok(span));
    let copied = span;
    assert_eq!((format!("{copied:?}"), copied == span), ("Span { from: 1, to: None }".to_owned(), true));
    let Node::Record(fields) = Span::<Code>::NODE else { panic!("a record") };
    let first = Field { name: "from", doc: "The first.", default: false, node: &<u16 as Schema>::NODE };
    assert_eq!((fields[0], fields[1].name, fields[1].node), (first, "until", &Node::Optional(&<u16 as Schema>::NODE)));
    assert_eq!((Wrapped::<Code>::NODE, Wrapped::<i64>::KIND), (<u16 as Schema>::NODE, ColumnKind::Integer));
    assert_eq!(Wrapped(5i64).to_value(), Ok(Value::Integer(5)));
    assert_eq!(column(&Either::<u8>::Left(1)), r#"{"Left":1}"#);
    assert_eq!(column(&Pair("a".to_owned(), vec![1u8])), r#"["a",[1]]"#);
}

#[test]
fn a_tag_stands_among_the_fields_or_beside_the_content() {
    assert_eq!(column(&Payment::<u8>::Cash), r#"{"type":"cash"}"#);
    assert_eq!(column(&Payment::Card { number: "1".into(), amount: 2u8 }), r#"{"type":"card","number":"1","amount":2}"#);
    assert_eq!(column(&Payment::<u8>::Nothing(Nothing)), r#"{"type":"nothing"}"#);
    assert_eq!(column(&Shape::<u8>::Point), r#"{"type":"Point"}"#);
    assert_eq!(column(&Shape::Corner(1u8, 2)), r#"{"type":"Corner","data":[1,2]}"#);
    let tag = |node| match node {
        Node::Enum { tag, .. } => tag,
        other => panic!("{other:?}"),
    };
    assert_eq!(tag(Payment::<u8>::NODE), Tag::Internal("type"));
    assert_eq!(tag(Shape::<u8>::NODE), Tag::Adjacent { tag: "type", content: "data" });
}

#[test]
fn fields_that_may_be_missing_have_a_default() {
    let Node::Record(fields) = Settings::NODE else { panic!("a record") };
    let seen: Vec<_> = fields.iter().map(|field| (field.name, field.default)).collect();
    assert_eq!(seen, [("linesShown", true), ("paper", true), ("printer", true)]);
    let settings = Settings { lines_shown: 1, ..Settings::default() };
    assert_eq!(column(&settings), r#"{"linesShown":1,"paper":"Large"}"#);
    let read = Settings::from_value(Value::Text(r#"{"linesShown":1}"#.into()));
    assert_eq!(read, Ok(settings));

    let Node::Record(fields) = Filled::NODE else { panic!("a record") };
    let defaults: Vec<_> = fields.iter().filter(|field| field.default).map(|field| field.name).collect();
    assert_eq!((defaults, fields.len()), (vec!["settings", "tags"], 16));
}

#[test]
fn a_skipped_field_of_a_command_has_no_schema_and_its_default() {
    let Node::Record(fields) = <Fill as Schema>::NODE else { panic!("a record") };
    assert_eq!(fields.iter().map(|field| field.name).collect::<Vec<_>>(), ["amount"]);
    let fill = Fill { amount: 1, seen: Cell("x"), cached: 9, scratch: "y".to_owned() };
    let mut written = Vec::new();
    fill.encode(&mut written).unwrap();
    assert_eq!(written, br#"{"amount":1}"#);
    assert_eq!(Fill::decode(&written), Ok(Fill { seen: Cell(""), cached: 7, scratch: String::new(), ..fill.clone() }));
    assert!(format!("{fill:?}").contains("cached: 9") && fill.clone() == fill);
}

#[test]
fn what_is_transparent_is_what_is_in_it() {
    assert_eq!(Price::NODE, <i64 as Schema>::NODE);
    assert_eq!(column(&Price { minor: 5 }), "5");
    assert_eq!(Price::from_value(Value::Text("5".into())), Ok(Price { minor: 5 }));
}

#[event]
struct Noted {
    note: Note,
    either: Option<u8>,
}

#[test]
fn a_newtype_of_an_option_may_be_missing_as_the_option_may() {
    assert_eq!(Note::NODE, Node::Optional(&Node::Text));
    assert_eq!(Noted::decode(1, b"{}"), Ok(Noted { note: Note(None), either: None }));
}
