//! That what is written looks as its schema says and comes back as it went, for each type; and what serde loses, that the
//! rules of [`flaw`](super::flaw) know of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::num::NonZero;
use std::ops::{Bound, Range, RangeFrom, RangeTo};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, NAMED, Named, Node, Schema, Tag, Variant};
use crate::Timestamp;

/// What can be stored, compared and shown.
trait Stored: Schema + Serialize + DeserializeOwned + PartialEq + Debug + Clone {}
impl<T: Schema + Serialize + DeserializeOwned + PartialEq + Debug + Clone> Stored for T {}

/// Whether JSON looks as a schema says.
fn matches(node: &Node, value: &Value) -> bool {
    match (node, value) {
        (Node::Bool, Value::Bool(_))
        | (Node::Float { .. }, Value::Number(_))
        | (Node::Text, Value::String(_))
        | (Node::Optional(_), Value::Null)
        | (Node::Opaque(_), _) => true,
        (Node::Int { signed, bits }, Value::Number(number)) => match (bits, signed) {
            (128, _) => true,
            (64, false) => number.is_u64(),
            (64, true) => number.is_i64(),
            (bits, false) => number.as_u64().is_some_and(|n| n >> bits == 0),
            (bits, true) => number.as_i64().is_some_and(|n| (-(1 << (bits - 1))..1 << (bits - 1)).contains(&n)),
        },
        (Node::Named(name), value) => {
            let number = Named::of(name).is_some_and(|named| named.bits.is_some());
            if number { value.is_number() } else { value.is_string() }
        }
        (Node::Optional(inner), value) => matches(inner, value),
        (Node::List(item) | Node::Set(item), Value::Array(items)) => items.iter().all(|value| matches(item, value)),
        (Node::Array { len, item }, Value::Array(items)) => items.len() == *len && items.iter().all(|value| matches(item, value)),
        (Node::Map { key, value }, Value::Object(entries)) => {
            entries.iter().all(|(k, v)| matches(value, v) && matches_key(key, k))
        }
        (Node::Tuple(nodes), Value::Array(items)) => {
            nodes.len() == items.len() && nodes.iter().zip(items).all(|(node, value)| matches(node, value))
        }
        (Node::Record(fields), Value::Object(entries)) => {
            fields.len() == entries.len()
                && fields.iter().all(|field| entries.get(field.name).is_some_and(|value| matches(field.node, value)))
        }
        (Node::Enum { tag: Tag::External, variants }, Value::String(name)) => {
            variants.iter().any(|variant| variant.name == name && variant.node.is_none())
        }
        (Node::Enum { tag: Tag::External, variants }, Value::Object(entries)) => {
            let Some((name, value)) = entries.iter().next().filter(|_| entries.len() == 1) else { return false };
            variants.iter().any(|variant| variant.name == name && variant.node.is_some_and(|node| matches(node, value)))
        }
        (Node::Enum { tag: Tag::Internal(tag), variants }, Value::Object(entries)) => {
            let mut rest = entries.clone();
            let name = rest.remove(*tag);
            variants.iter().any(|variant| {
                Some(variant.name) == name.as_ref().and_then(Value::as_str)
                    && variant.node.map_or(rest.is_empty(), |node| matches(node, &Value::Object(rest.clone())))
            })
        }
        (Node::Enum { tag: Tag::Adjacent { tag, content }, variants }, Value::Object(entries)) => {
            variants.iter().any(|variant| {
                Some(variant.name) == entries.get(*tag).and_then(Value::as_str)
                    && match (variant.node, entries.get(*content)) {
                        (Some(node), Some(value)) => matches(node, value),
                        (None, None) => true,
                        _ => false,
                    }
            })
        }
        _ => false,
    }
}

/// A key is the text of what would be its JSON.
fn matches_key(node: &Node, key: &str) -> bool {
    matches(node, &Value::String(key.to_owned())) || serde_json::from_str(key).is_ok_and(|value| matches(node, &value))
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "most values are made where they are passed")]
fn comes_back<T: Stored>(value: T) {
    let json = serde_json::to_string(&value).unwrap_or_else(|why| panic!("{value:?} is not written: {why}"));
    let seen = serde_json::from_str(&json).unwrap_or_else(|why| panic!("{json} is no JSON: {why}"));
    assert!(matches(&T::NODE, &seen), "{json} is not {:?}", T::NODE);
    let back: T = serde_json::from_str(&json).unwrap_or_else(|why| panic!("{json} is not read: {why}"));
    assert_eq!(back, value, "{json}");
    assert_eq!(T::NODE.flaw(), None);
}

/// With a tag among the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Among<T> {
    Is { value: T },
    Lacks,
}
impl<T: Schema> Schema for Among<T> {
    const NODE: Node =
        Node::Enum { tag: Tag::Internal("type"), variants: &const { is(&Node::Record(&const { [value::<T>()] })) } };
}
/// With a tag beside the content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value")]
enum Beside<T> {
    Is(T),
    Lacks,
}
impl<T: Schema> Schema for Beside<T> {
    const NODE: Node = Node::Enum { tag: Tag::Adjacent { tag: "type", content: "value" }, variants: &const { is(&T::NODE) } };
}
const fn is(node: &'static Node) -> [Variant; 2] {
    [Variant { name: "Is", doc: "", node: Some(node) }, Variant { name: "Lacks", doc: "", node: None }]
}
const fn value<T: Schema>() -> Field {
    Field { name: "value", doc: "", default: false, node: &T::NODE }
}
/// What is in a variant with a tag among its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Content<T> {
    Is(T),
}
impl<T: Schema> Schema for Content<T> {
    const NODE: Node =
        Node::Enum { tag: Tag::Internal("type"), variants: &const { [Variant { name: "Is", doc: "", node: Some(&T::NODE) }] } };
}

/// Everywhere a value can stand.
#[track_caller]
fn comes_back_everywhere<T: Stored>(value: T) {
    comes_back(vec![value.clone()]);
    comes_back(BTreeMap::from([("key".to_owned(), value.clone())]));
    comes_back(Some((value.clone(), 1u8)));
    comes_back(Ok::<T, T>(value.clone()));
    comes_back(Beside::Is(value.clone()));
    if <Among<T> as Schema>::NODE.flaw().is_none() {
        comes_back(Among::Is { value: value.clone() });
    }
    comes_back(value);
}

fn all_come_back<T: Stored + Arbitrary>() {
    proptest!(ProptestConfig::with_cases(24), |(value: T)| comes_back_everywhere(value));
}

#[test]
fn numbers_come_back() {
    all_come_back::<u8>();
    all_come_back::<u16>();
    all_come_back::<u32>();
    all_come_back::<u64>();
    all_come_back::<u128>();
    all_come_back::<usize>();
    all_come_back::<i8>();
    all_come_back::<i16>();
    all_come_back::<i32>();
    all_come_back::<i64>();
    all_come_back::<i128>();
    all_come_back::<isize>();
    for extreme in [i128::MIN, i128::MAX] {
        comes_back_everywhere(extreme);
    }
    comes_back_everywhere(u128::MAX);
    comes_back_everywhere((u64::MAX, i64::MIN));
}

#[test]
fn numbers_that_are_not_zero_come_back() {
    macro_rules! nonzero {
        ($($t:ty),*) => { $(
            for number in [<$t>::MIN, <$t>::MAX, 1] {
                NonZero::<$t>::new(number).into_iter().for_each(comes_back_everywhere);
            }
            assert!(serde_json::from_str::<NonZero<$t>>("0").is_err(), "so it is not what a plain number is");
        )* };
    }
    nonzero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
}

#[test]
fn finite_floats_come_back() {
    use proptest::num::{f32, f64};
    proptest!(|(a in f64::NORMAL | f64::SUBNORMAL | f64::ZERO, b in f32::NORMAL | f32::SUBNORMAL | f32::ZERO)| {
        comes_back_everywhere(a);
        comes_back_everywhere(b);
    });
    comes_back_everywhere((f64::from(f32::MAX), std::f64::consts::PI, 1.0, 1e300, -0.0));
}

#[test]
fn texts_come_back() {
    all_come_back::<bool>();
    all_come_back::<char>();
    all_come_back::<String>();
    all_come_back::<Box<str>>();
    all_come_back::<Cow<'static, str>>();
    comes_back_everywhere("\0\u{7f}\u{2028}\"\\/\u{10ffff}".to_owned());
    comes_back_everywhere(uuid::Uuid::from_u128(7));
}

#[test]
fn collections_come_back() {
    all_come_back::<Option<u8>>();
    all_come_back::<Vec<Option<String>>>();
    all_come_back::<VecDeque<i64>>();
    all_come_back::<LinkedList<bool>>();
    all_come_back::<Box<[u16]>>();
    all_come_back::<Box<Vec<u8>>>();
    all_come_back::<BTreeSet<u8>>();
    all_come_back::<HashSet<String>>();
    all_come_back::<[u8; 0]>();
    all_come_back::<[char; 3]>();
    all_come_back::<[u8; 32]>();
    comes_back_everywhere(Cow::<'static, [u8]>::Owned(vec![1, 2]));
}

#[test]
fn tuples_come_back() {
    all_come_back::<(u8,)>();
    all_come_back::<(u8, String)>();
    all_come_back::<(u8, u8, u8, u8, u8, u8, u8, u8, u8, (bool, char))>();
    comes_back_everywhere((1u8, 2u8, 3u8, 4u8, 5u8, 6u8, 7u8, 8u8, 9u8, 10u8, 11u8, true));
}

#[test]
fn times_come_back() {
    all_come_back::<Duration>();
    comes_back_everywhere(Duration::MAX);
    comes_back_everywhere(SystemTime::UNIX_EPOCH);
    proptest!(|(secs in 0..1u64 << 40, nanos in 0..1_000_000_000u32)| {
        comes_back_everywhere(SystemTime::UNIX_EPOCH + Duration::new(secs, nanos));
    });
    for micros in [i64::MIN, -1, 0, i64::MAX] {
        comes_back_everywhere(Timestamp::from_micros(micros));
    }
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert!(serde_json::to_string(&before).is_err(), "an error, not another time");
}

#[test]
fn addresses_come_back() {
    all_come_back::<IpAddr>();
    all_come_back::<Ipv4Addr>();
    all_come_back::<Ipv6Addr>();
    all_come_back::<SocketAddrV4>();
    let with_flow = std::net::SocketAddrV6::new(Ipv6Addr::LOCALHOST, 5, 9, 7);
    let text = serde_json::to_string(&with_flow).unwrap();
    assert_ne!(serde_json::from_str::<std::net::SocketAddrV6>(&text).unwrap(), with_flow, "why it has no schema");
}

#[test]
fn ranges_and_results_come_back() {
    all_come_back::<Result<u8, String>>();
    all_come_back::<Result<Vec<u8>, (bool,)>>();
    all_come_back::<Range<u8>>();
    all_come_back::<RangeFrom<i64>>();
    all_come_back::<RangeTo<char>>();
    for bound in [Bound::Unbounded, Bound::Included(1u8), Bound::Excluded(2)] {
        comes_back_everywhere(bound);
    }
    let mut iterated = 1..=1u8;
    iterated.next();
    let text = serde_json::to_string(&iterated).unwrap();
    assert_ne!(serde_json::from_str::<std::ops::RangeInclusive<u8>>(&text).unwrap(), iterated, "why it has no schema");
}

#[cfg(feature = "chrono")]
#[test]
fn dates_come_back() {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
    for date in [NaiveDate::MIN, NaiveDate::MAX, NaiveDate::default()] {
        comes_back_everywhere(date);
        comes_back(BTreeMap::from([(date, 1u8)]));
    }
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH] {
        comes_back_everywhere(time);
        comes_back_everywhere(time.naive_utc());
        comes_back(BTreeMap::from([(time, 1u8)]));
    }
    proptest!(|(secs in 0..86_400u32, nanos in 0..1_000_000_000u32, days in -1_000_000..1_000_000i64)| {
        let time = NaiveTime::from_num_seconds_from_midnight_opt(secs, nanos).unwrap();
        comes_back_everywhere(time);
        let date = NaiveDate::default() + chrono::TimeDelta::days(days);
        comes_back_everywhere(NaiveDateTime::new(date, time).and_utc());
        comes_back_everywhere(NaiveDateTime::new(date, time));
    });
    let leap_second = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
    comes_back_everywhere(leap_second);
    let with_seconds = FixedOffset::east_opt(3600 + 17).unwrap().timestamp_opt(0, 0).unwrap();
    let text = serde_json::to_string(&with_seconds).unwrap();
    assert_ne!(serde_json::from_str::<DateTime<FixedOffset>>(&text).unwrap(), with_seconds, "why it has no schema");
}

#[cfg(feature = "rust_decimal")]
#[test]
fn decimals_come_back_digit_by_digit() {
    use rust_decimal::Decimal;
    proptest!(|(lo: u32, mid: u32, hi: u32, negative: bool, scale in 0..=28u32)| {
        let decimal = Decimal::from_parts(lo, mid, hi, negative, scale);
        comes_back_everywhere(decimal);
        comes_back(BTreeMap::from([(decimal, 1u8)]));
        let back: Decimal = serde_json::from_str(&serde_json::to_string(&decimal).unwrap()).unwrap();
        assert_eq!(back.serialize(), decimal.serialize(), "{decimal}: the trailing zeros too");
    });
    assert_eq!(serde_json::to_string(&Decimal::new(1250, 2)).unwrap(), "\"12.50\"");
}

/// A newtype, of which serde says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Newtype<T>(T);
impl<T: Schema> Schema for Newtype<T> {
    const NODE: Node = T::NODE;
}
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Unit {
    Is,
    Lacks,
}
impl Schema for Unit {
    const NODE: Node = Node::Enum {
        tag: Tag::External,
        variants: &[Variant { name: "Is", doc: "", node: None }, Variant { name: "Lacks", doc: "", node: None }],
    };
}
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type")]
enum TaggedUnit {
    Is,
    Lacks,
}
impl Schema for TaggedUnit {
    const NODE: Node = Node::Enum {
        tag: Tag::Internal("type"),
        variants: &[Variant { name: "Is", doc: "", node: None }, Variant { name: "Lacks", doc: "", node: None }],
    };
}

fn reads_back<T: Stored>(value: &T) -> bool {
    serde_json::to_string(value).is_ok_and(|json| serde_json::from_str::<T>(&json).is_ok_and(|back| back == *value))
}

#[track_caller]
fn key<K: Stored + Ord>(key: K, anywhere: bool, in_tagged: bool) {
    let map = BTreeMap::from([(key, 1u8)]);
    let tagged = Among::Is { value: vec![map.clone()] };
    assert_eq!((reads_back(&map), reads_back(&tagged)), (anywhere, in_tagged));
    let flaws = (BTreeMap::<K, u8>::NODE.flaw(), <Among<Vec<BTreeMap<K, u8>>> as Schema>::NODE.flaw());
    assert_eq!((flaws.0.is_none(), flaws.1.is_none()), (anywhere, in_tagged), "{flaws:?}");
    if anywhere {
        comes_back_everywhere(map);
    }
}

#[test]
fn a_map_has_the_keys_that_serde_reads_back_and_no_others() {
    key("a".to_owned(), true, true);
    key('a', true, true);
    key(Box::<str>::from("a"), true, true);
    key(Cow::Borrowed("a"), true, true);
    key(uuid::Uuid::nil(), true, true);
    key(IpAddr::V4(Ipv4Addr::LOCALHOST), true, true);
    key(Unit::Is, true, true);
    key(Newtype(Unit::Lacks), true, true);
    key(Newtype("a".to_owned()), true, true);
    key(1u8, true, false);
    key(i64::MIN, true, false);
    key(u128::MAX, true, false);
    key(NonZero::<u16>::MIN, true, false);
    key(Timestamp::from_micros(-1), true, false);
    key(Newtype(Newtype(1u64)), true, false);
    key(Box::new(1u8), true, false);
    key(None::<u8>, false, false);
    key((1u8, 2u8), false, false);
    key([1u8], false, false);
    key(TaggedUnit::Is, false, false);
    key(Ok::<u8, u8>(1), false, false);
    key(Duration::ZERO, false, false);
    key(vec![1u8], false, false);
    key(BTreeMap::from([(1u8, 1u8)]), false, false);
    // These come back, and are refused all the same: two keys are a struct, and a key that may lack has no name for it.
    assert!(reads_back(&BTreeMap::from([(true, 1u8)])) && BTreeMap::<bool, u8>::NODE.flaw().is_some());
    assert!(reads_back(&BTreeMap::from([(Some(1u8), 1u8)])) && BTreeMap::<Option<u8>, u8>::NODE.flaw().is_some());
}

#[track_caller]
fn content<T: Stored>(value: T, fine: bool) {
    assert_eq!(reads_back(&Content::Is(value.clone())), fine);
    let flaw = <Content<T> as Schema>::NODE.flaw();
    assert_eq!(flaw.is_none(), fine, "{flaw:?}");
    if fine {
        comes_back(Content::Is(value));
    }
}

#[test]
fn what_has_a_tag_among_its_fields_is_a_record() {
    content(Duration::ZERO, true);
    content(Newtype(1u8..2), true);
    content(1u8, false);
    content("a".to_owned(), false);
    content(vec![1u8], false);
    content(Some(Duration::ZERO), false);
    content((1u8, 2u8), false);
    content(BTreeMap::from([(1u8, 1u8)]), false);
    content(BTreeMap::from([("type".to_owned(), "a".to_owned())]), false);
    content(Among::Is { value: 1u8 }, false);
    // These would come back, but another variant, or another key, would not.
    assert!(reads_back(&Content::Is(BTreeMap::from([("a".to_owned(), 1u8)]))));
    assert!(reads_back(&Content::Is(Ok::<u8, u8>(1))));
    assert!(<Content<BTreeMap<String, u8>> as Schema>::NODE.flaw().is_some());
    assert!(<Content<Result<u8, u8>> as Schema>::NODE.flaw().is_some());
}

#[test]
fn a_record_with_a_tag_has_no_field_of_that_name() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Typed {
        r#type: u8,
    }
    impl Schema for Typed {
        const NODE: Node = Node::Record(&[Field { name: "type", doc: "", default: false, node: &u8::NODE }]);
    }
    content(Typed { r#type: 1 }, false);
}

#[test]
fn numbers_of_128_bits_are_lost_behind_a_tag() {
    fn lost<T: Stored>(value: T) {
        assert!(!reads_back(&Among::Is { value: value.clone() }) && reads_back(&Beside::Is(value)));
        assert!(<Among<T> as Schema>::NODE.flaw().is_some() && <Beside<T> as Schema>::NODE.flaw().is_none());
    }
    lost(1u128);
    lost(-1i128);
    lost(NonZero::<u128>::MIN);
    lost(vec![Some(Ok::<(u128,), u8>((1,)))]);
    lost(1u128..2);
}

#[test]
fn nothing_in_nothing_is_lost() {
    assert!(!reads_back(&Some(None::<u8>)));
    assert!(Option::<Option<u8>>::NODE.flaw().is_some());
    assert!(Option::<Newtype<Option<u8>>>::NODE.flaw().is_some());
    assert!(Vec::<BTreeMap<String, (u8, Option<Box<Option<u8>>>)>>::NODE.flaw().is_some());
    assert_eq!(Option::<Vec<Option<u8>>>::NODE.flaw(), None);
    assert!(<[u8; 33]>::NODE.flaw().is_some());
}

fn example<T: Stored>() {
    let Node::Named(name) = T::NODE else { panic!("{:?} has no name", T::NODE) };
    let named = Named::of(name).unwrap_or_else(|| panic!("{name} is not among them"));
    assert!(serde_json::from_str::<T>(named.example).is_ok(), "{name}");
}

#[test]
fn each_name_is_there_once_with_a_value_of_it() {
    for named in NAMED {
        let value = serde_json::from_str::<Value>(named.example).unwrap();
        assert!(matches(&Node::Named(named.name), &value), "{}", named.name);
        assert_eq!(NAMED.iter().filter(|other| other.name == named.name).count(), 1);
    }
    example::<char>();
    example::<uuid::Uuid>();
    example::<Timestamp>();
    example::<IpAddr>();
    example::<Ipv4Addr>();
    example::<Ipv6Addr>();
    example::<SocketAddrV4>();
    example::<NonZero<u8>>();
    example::<NonZero<i128>>();
    #[cfg(feature = "chrono")]
    {
        example::<chrono::DateTime<chrono::Utc>>();
        example::<chrono::NaiveDateTime>();
        example::<chrono::NaiveDate>();
        example::<chrono::NaiveTime>();
    }
    #[cfg(feature = "rust_decimal")]
    example::<rust_decimal::Decimal>();
    assert_eq!(HashMap::<char, u8>::NODE, Node::Map { key: &Node::Named("char"), value: &u8::NODE });
}
