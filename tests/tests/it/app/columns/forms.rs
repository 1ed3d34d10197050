//! Every type that a column can hold: it comes back to the last digit, and where it has an order, rows come in that order.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::num::NonZero;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use gesta::read::{ColumnType, IndexedColumn, OrderedColumnType};
use rust_decimal::Decimal;

use super::*;

/// As many rows, so that each value stands in several.
const ROWS: u32 = 31;

/// The place of the row's value among all of a type.
fn place(n: u32, values: usize) -> usize {
    // Not in their order, and each of them: 31 is more than any type has, and no multiple of a number of them.
    (n as usize * 7) % values
}

fn value<T>(n: u32, values: Vec<T>) -> T {
    let at = place(n, values.len());
    values.into_iter().nth(at).unwrap()
}

/// For each name its type and values, in ascending order.
macro_rules! columns {
    ($($name:ident $constant:ident: $t:ty = $values:expr;)*) => {
        /// What the columns hold, in ascending order.
        mod values {
            use super::*;
            $(pub fn $name() -> Vec<$t> { $values.into() })*
        }
        #[derive(Debug, PartialEq, ReadModel)]
        pub struct Ordered {
            #[key]
            n: u32,
            $(#[index] $name: $t,)*
        }
        #[projection(of = Thing)]
        impl Ordered {
            #[key = e.n]
            fn put(e: &Put) -> Self {
                Ordered { n: e.n, $($name: value(e.n, values::$name()),)* }
            }
        }
        async fn check_all(app: &App) {
            $(check(app, stringify!($name), Ordered::$constant, |row| &row.$name, values::$name()).await;)*
        }
    };
}

fn decimals() -> Vec<Decimal> {
    let all = [
        "-79228162514264337593543950335",
        "-7922816251426433759354395033.5",
        "-10.01",
        "-10",
        "-9.99",
        "-1.51",
        "-1.50",
        "-1",
        "-0.50",
        "-0.0000000000000000000000000001",
        "0.00",
        "0.0000000000000000000000000001",
        "0.5",
        "1",
        "1.0000001",
        "1.05",
        "1.50",
        "9",
        "10",
        "7.9228162514264337593543950335",
        "79228162514264337593543950335",
    ];
    let mut all: Vec<Decimal> = all.iter().map(|text| Decimal::from_str_exact(text).unwrap()).collect();
    all.sort();
    all
}
fn times() -> Vec<DateTime<Utc>> {
    let second = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    vec![
        DateTime::<Utc>::MIN_UTC,
        DateTime::<Utc>::MIN_UTC + TimeDelta::nanoseconds(1),
        second("-0001-12-31T23:59:59Z"),
        second("0000-01-01T00:00:00Z"),
        second("1969-12-31T23:59:59.999999999Z"),
        second("1970-01-01T00:00:00Z"),
        second("2016-12-31T23:59:59Z"),
        second("2016-12-31T23:59:59.5Z"),
        // A leap second.
        second("2016-12-31T23:59:60.25Z"),
        second("2017-01-01T00:00:00Z"),
        second("9999-12-31T23:59:59Z"),
        second("+10000-01-01T00:00:00Z"),
        DateTime::<Utc>::MAX_UTC,
    ]
}
fn dates() -> Vec<NaiveDate> {
    let mut dates: Vec<_> = times().iter().map(DateTime::date_naive).collect();
    dates.dedup();
    dates
}
fn times_of_day() -> Vec<NaiveTime> {
    let mut times: Vec<_> = times().iter().map(DateTime::time).collect();
    times.sort();
    times.dedup();
    times
}
fn durations() -> [Duration; 8] {
    let nanos = Duration::from_nanos;
    [
        Duration::ZERO,
        nanos(1),
        nanos(999_999_999),
        nanos(1_000_000_000),
        nanos(9_000_000_000),
        nanos(10_000_000_001),
        Duration::new(u64::MAX, 999_999_998),
        Duration::MAX,
    ]
}
fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[value]
#[derive(PartialOrd)]
pub struct Inner<T>(T);
#[value]
#[derive(PartialOrd)]
pub struct Outer(Box<Inner<Inner<Decimal>>>);
/// The numbers decide, as they do in a derived `Ord`.
#[value]
pub enum Numbered {
    Third = 30,
    First = -1,
    Second = 7,
    Last = 31,
}
#[value]
#[serde(rename_all = "snake_case")]
pub enum Quoted {
    #[serde(rename = "z' \\ \"")]
    First,
    SecondOne,
}

columns! {
    tiny TINY: u8 = [0, 1, u8::MAX];
    big BIG: u64 = [0, 9, 10, i64::MAX.cast_unsigned()];
    long LONG: i64 = [i64::MIN, -10, -9, 0, 9, 10, i64::MAX];
    wide WIDE: u128 = [0, 9, 10, u128::from(u64::MAX), 1 << 127, u128::MAX - 1, u128::MAX];
    signed SIGNED: i128 = [i128::MIN, i128::MIN + 1, -10, -9, -1, 0, 1, 9, 10, i128::MAX];
    not_zero NOT_ZERO: NonZero<i128> = [i128::MIN, -10, -9, 1, i128::MAX].map(|n| NonZero::new(n).unwrap());
    one ONE: NonZero<u8> = [1, 9, u8::MAX].map(|n| NonZero::new(n).unwrap());
    double DOUBLE: f64 = [f64::MIN, -10.0, -9.5, -5e-324, 0.0, 5e-324, f64::MIN_POSITIVE, 0.1 + 0.2, 9.5, 10.0, f64::MAX];
    single SINGLE: f32 = [f32::MIN, -0.1, 0.0, 1e-45, 0.1, f32::MAX];
    flag FLAG: bool = [false, true];
    letter LETTER: char = ['\u{1}', '"', 'A', 'a', 'é', '\u{d7ff}', '\u{e000}', '\u{ffff}', char::MAX];
    text TEXT: String = ["", "A", "a", "aa", "b", "é", "\u{ffff}", "\u{1f980}"].map(String::from);
    boxed BOXED: Box<str> = ["", "a"].map(Box::from);
    shared SHARED: std::sync::Arc<str> = ["", "a"].map(std::sync::Arc::from);
    cow COW: Cow<'static, str> = ["", "a"].map(Cow::Borrowed);
    uuid UUID: Uuid = [0, 9, 10, 1 << 120, u128::MAX].map(Uuid::from_u128);
    time TIME: Timestamp = [i64::MIN, -1, 0, i64::MAX].map(Timestamp::from_micros);
    duration DURATION: Duration = durations();
    system SYSTEM: SystemTime = [0, 1, 1_000_000_000, u64::MAX].map(|nanos| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos));
    ipv4 IPV4: Ipv4Addr = [0, 9 << 24, 10 << 24, 192 << 24, u32::MAX].map(Ipv4Addr::from);
    ipv6 IPV6: Ipv6Addr = ["::", "::9", "::10", "::ffff:1.2.3.4", "2001:db8::1", "ffff::"].map(v6);
    ip IP: IpAddr = [IpAddr::V4(Ipv4Addr::from(9 << 24)), Ipv4Addr::BROADCAST.into(), v6("::").into(), v6("::ffff:9.0.0.0").into()];
    socket SOCKET: SocketAddrV4 = ["0.0.0.0:0", "9.0.0.0:9", "9.0.0.0:10", "10.0.0.0:1"].map(|text| text.parse().unwrap());
    utc UTC: DateTime<Utc> = times();
    local LOCAL: NaiveDateTime = times().iter().map(DateTime::naive_utc).collect::<Vec<_>>();
    date DATE: NaiveDate = dates();
    of_day OF_DAY: NaiveTime = times_of_day();
    decimal DECIMAL: Decimal = decimals();
    level LEVEL: Level = [Level::Low, Level::Medium, Level::High, Level::Urgent];
    numbered NUMBERED: Numbered = [Numbered::First, Numbered::Second, Numbered::Third, Numbered::Last];
    quoted QUOTED: Quoted = [Quoted::First, Quoted::SecondOne];
    id ID: ThingId = [0, 9, 10, u32::MAX].map(ThingId::new);
    nested NESTED: Outer = decimals().into_iter().map(|n| Outer(Box::new(Inner(Inner(n))))).collect::<Vec<_>>();
    maybe MAYBE: Option<Decimal> = [None, Some(Decimal::NEGATIVE_ONE), Some(Decimal::ZERO), Some(Decimal::TEN)];
    maybe_level MAYBE_LEVEL: Option<Inner<Level>> = [None, Some(Inner(Level::Medium)), Some(Inner(Level::High))];
    maybe_box MAYBE_BOX: Box<Option<i128>> = [None, Some(-10), Some(-9), Some(9), Some(10)].map(Box::new);
}

/// The places of the values in the rows that a filter finds; each row holds exactly what was put there.
async fn places<T: Debug>(
    app: &App,
    name: &str,
    filter: gesta::read::Filter<Ordered>,
    of: fn(&Ordered) -> &T,
    values: &[T],
) -> Vec<usize> {
    let rows = app.read::<Ordered>().filter(filter).all().await.unwrap();
    let mut places: Vec<(usize, u32)> = Vec::new();
    for row in &rows {
        let at = place(row.n, values.len());
        assert_eq!(format!("{:?}", of(row)), format!("{:?}", values[at]), "{name}");
        places.push((at, row.n));
    }
    assert!(places.is_sorted(), "{name}: {:?}", rows.iter().map(of).collect::<Vec<_>>());
    places.into_iter().map(|(at, _)| at).collect()
}

async fn check<T>(app: &App, name: &str, column: IndexedColumn<Ordered, T>, of: fn(&Ordered) -> &T, values: Vec<T>)
where
    T: OrderedColumnType + Debug + PartialOrd,
{
    assert!(values.is_sorted(), "{name} {values:?}");
    let mut all: Vec<_> = (0..ROWS).map(|n| place(n, values.len())).collect();
    all.sort_unstable();
    assert_eq!(places(app, name, column.order(), of, &values).await, all, "{name}");
    let some = |from: usize, to: usize| all.iter().copied().filter(|at| (from..=to).contains(at)).collect::<Vec<_>>();
    for (at, value) in values.iter().enumerate() {
        assert_eq!(places(app, name, column.is(value), of, &values).await, some(at, at), "{name} {value:?}");
        assert_eq!(places(app, name, column.at_least(value), of, &values).await, some(at, all.len()), "{name} {value:?}");
        // Null is left out, as the column's documentation says.
        let first = usize::from(at > 0 && format!("{:?}", values[0]) == "None");
        assert_eq!(places(app, name, column.at_most(value), of, &values).await, some(first, at), "{name} {value:?}");
    }
}

/// R6, R7, R14: the order of a column is that of its type, and what is read is what was put there.
#[tokio::test(flavor = "multi_thread")]
async fn each_ordered_column_keeps_its_order_and_its_values() {
    on_every_store(async |builder| {
        let app = made(builder.projection::<Ordered>(), ROWS as usize).await;
        check_all(&app).await;
    })
    .await;
}

#[derive(Debug, PartialEq, ReadModel)]
pub struct Plain {
    #[key]
    n: u32,
    array: [u8; 4],
    long: [Option<i64>; 64],
    #[index]
    hash: [u8; 64],
    queue: VecDeque<i128>,
    boxed: Box<[Decimal]>,
    four: (u8, f64, Option<i64>, String),
    range: Range<Decimal>,
    result: Result<u8, DateTime<Utc>>,
    map: HashMap<u8, BTreeSet<Uuid>>,
    maybe: Option<Box<Inner<Vec<Option<u8>>>>>,
    pair: Option<(u128, Duration)>,
    folder: Wrapped,
}
/// As the compiler says of a foreign type that is no column.
#[value]
pub struct Wrapped(#[schema(opaque = "how it is stored")] std::path::PathBuf);
#[projection(of = Thing)]
impl Plain {
    #[key = e.n]
    fn put(e: &Put) -> Self {
        plain(e.n)
    }
}
fn plain(n: u32) -> Plain {
    Plain {
        n,
        array: [0, 1, 2, 255],
        long: [Some(i64::MIN); 64],
        hash: [255; 64],
        queue: [i128::MIN, i128::MAX].into(),
        boxed: Box::new([Decimal::MAX, Decimal::ONE_HUNDRED]),
        four: (u8::MAX, 0.1 + 0.2, None, "\"".to_owned()),
        range: Decimal::MIN..Decimal::ZERO,
        result: Err(DateTime::<Utc>::MIN_UTC),
        map: HashMap::from([(9, BTreeSet::from([Uuid::nil(), Uuid::max()])), (10, BTreeSet::new())]),
        maybe: None,
        pair: Some((u128::MAX, Duration::MAX)),
        folder: Wrapped("/tmp/a \"b\"".into()),
    }
}

/// R14: types that are kept as JSON come back.
#[tokio::test(flavor = "multi_thread")]
async fn collections_come_back_from_a_column() {
    on_every_store(async |builder| {
        let app = made(builder.projection::<Plain>(), 1).await;
        assert_eq!(app.read::<Plain>().get(&0).await.unwrap(), Some(plain(0)));
        assert_eq!(app.read::<Plain>().filter(Plain::HASH.is(&[255; 64])).all().await.unwrap(), [plain(0)]);
        assert_eq!(app.read::<Plain>().filter(Plain::HASH.is(&[254; 64])).all().await.unwrap(), []);
    })
    .await;
}

/// R14: what no column can hold says what can.
#[test]
fn a_number_above_i64_names_a_type_that_holds_it() {
    let why =
        "18446744073709551615 is above 9223372036854775807, the most a column of whole numbers can hold: make the field a `u128`";
    assert_eq!(u64::MAX.to_value(), Err(why.to_owned()));
    assert_eq!(u128::from(u64::MAX).to_value().map(|value| value.to_string()), Ok("`18446744073709551615`".to_owned()));
    let why = SystemTime::UNIX_EPOCH.checked_sub(Duration::from_nanos(1)).unwrap().to_value();
    assert_eq!(why, Err("a `SystemTime` before 1970 can't be stored: use a `Timestamp`".to_owned()));
}

/// A zero has no sign in any store, since SQLite keeps none.
#[test]
fn a_zero_has_no_sign() {
    let kept = f64::from_value((-0.0f64).to_value().unwrap()).unwrap();
    assert_eq!(kept.to_bits(), 0.0f64.to_bits());
}
