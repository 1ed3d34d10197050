//! Finds what is not read back from JSON: numbers that are not finite, values that nest too deeply,
//! texts that hold U+0000.
//!
//! Always true here: nothing is written, and a value without a fault allocates nothing. The walk
//! ends at the limit, so it needs a bounded part of the stack however deep the value is. The path
//! of a fault is put together on the way out, segment by segment.

use std::fmt;

use serde::ser::{self, Serialize};

use crate::codec;
use crate::error::EncodeError;

/// The most lists and records that stand in each other in an event or a command.
///
/// `serde_json` reads 127 of them. An event that is stored has to leave room for the state and the rows that are folded from it.
pub(crate) const DEPTH_MAX: u16 = 100;
/// The same for what is folded from events: snapshots and columns.
pub(crate) const FOLDED_DEPTH_MAX: u16 = 120;
/// The most values that stand in each other, counting those that are written as what is in them,
/// such as an `Option`. No value within the other limits comes near it; it bounds the stack that a
/// walk needs.
const CALLS_MAX: u16 = 500;

/// Finds the first fault in `value` other than U+0000, in the order in which it would be written.
///
/// # Errors
/// [`EncodeError::NotFinite`] or [`EncodeError::TooDeep`] with a path; [`EncodeError::Unwritable`]
/// if a `Serialize` of the value gives up.
pub(crate) fn check<T: Serialize>(value: &T, depth_max: u16) -> Result<(), EncodeError> {
    value
        .serialize(Walk { depth_left: depth_max, calls_left: CALLS_MAX, texts: false })
        .map_err(|found| found.into_error(depth_max))
}

/// The path of the first text in `value` that holds U+0000; `value` if there is none to be found.
pub(crate) fn zero_character<T: Serialize>(value: &T) -> String {
    let walk = Walk { depth_left: FOLDED_DEPTH_MAX, calls_left: CALLS_MAX, texts: true };
    match value.serialize(walk) {
        Err(found) if matches!(found.0.fault, Fault::ZeroCharacter) => found.path(),
        _ => "value".to_owned(),
    }
}

/// Why the walk ended early. Boxed, so that the result of each step fits a register.
#[derive(Debug)]
struct Found(Box<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    /// The segments of the path that were left so far: `.name`, `[2]`, `["key"]`.
    path: String,
}

#[derive(Debug)]
enum Fault {
    /// A number that is not finite.
    Number(String),
    TooDeep,
    ZeroCharacter,
    /// What the value's own serializer said.
    Custom(String),
}

impl Found {
    fn new(fault: Fault) -> Self {
        Found(Box::new(Inner { fault, path: String::new() }))
    }
    fn number(value: impl fmt::Display) -> Self {
        Found::new(Fault::Number(value.to_string()))
    }
    /// The same, one step further out.
    fn within(mut self, segment: fmt::Arguments<'_>) -> Self {
        if !matches!(self.0.fault, Fault::Custom(_)) {
            self.0.path.insert_str(0, &segment.to_string());
        }
        self
    }
    fn path(&self) -> String {
        let path = self.0.path.strip_prefix('.').unwrap_or(&self.0.path);
        if path.is_empty() { "value".to_owned() } else { codec::shown_path_text(path) }
    }
    fn into_error(self, depth_max: u16) -> EncodeError {
        let path = self.path();
        match self.0.fault {
            Fault::Number(value) => EncodeError::NotFinite { path, value },
            Fault::TooDeep => EncodeError::TooDeep { path, max: depth_max.into() },
            Fault::ZeroCharacter => EncodeError::ZeroCharacter { path },
            Fault::Custom(message) => EncodeError::Unwritable(message),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A serializer of the user's may show an error of a part of its value.
        match &self.0.fault {
            Fault::Number(value) => write!(f, "`{}` is {value}", self.path()),
            Fault::TooDeep => write!(f, "`{}` nests too deep", self.path()),
            Fault::ZeroCharacter => write!(f, "`{}` holds the character U+0000", self.path()),
            Fault::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Found::new(Fault::Custom(message.to_string()))
    }
}

type Step = Result<(), Found>;

/// Walks one value.
#[derive(Clone, Copy)]
struct Walk {
    /// The number of lists and records that may still stand in each other.
    depth_left: u16,
    /// The number of values that may.
    calls_left: u16,
    /// True if the walk looks into texts.
    texts: bool,
}

impl Walk {
    /// For the parts of a list or a record.
    fn open(self) -> Result<Walk, Found> {
        match (self.depth_left.checked_sub(1), self.calls_left.checked_sub(1)) {
            (Some(depth_left), Some(calls_left)) => Ok(Walk { depth_left, calls_left, ..self }),
            _ => Err(Found::new(Fault::TooDeep)),
        }
    }
    /// For a value that is written as what is in it.
    fn through(self) -> Result<Walk, Found> {
        match self.calls_left.checked_sub(1) {
            Some(calls_left) => Ok(Walk { calls_left, ..self }),
            None => Err(Found::new(Fault::TooDeep)),
        }
    }
    fn parts(self, variant: Option<&'static str>) -> Result<Parts, Found> {
        Ok(Parts { walk: self.open()?, variant, seen: 0 })
    }
    /// The parts of a variant stand in a record that holds its name.
    fn parts_of_variant(self, variant: &'static str) -> Result<Parts, Found> {
        self.open()?.parts(Some(variant)).map_err(|found| found.within(format_args!(".{variant}")))
    }
}

/// Finds U+0000 in what is shown.
struct Shown {
    found: bool,
}
impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.found |= text.contains('\0');
        Ok(())
    }
}

/// Walks the parts of one value.
struct Parts {
    walk: Walk,
    /// The enum's variant they belong to.
    variant: Option<&'static str>,
    /// How many parts came before; a map's keys and values are counted together.
    seen: usize,
}

impl Parts {
    fn outer(&self, found: Found) -> Found {
        match self.variant {
            Some(variant) => found.within(format_args!(".{variant}")),
            None => found,
        }
    }
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        let index = self.seen;
        self.seen += 1;
        value.serialize(self.walk).map_err(|found| self.outer(found.within(format_args!("[{index}]"))))
    }
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Step {
        value.serialize(self.walk).map_err(|found| self.outer(found.within(format_args!(".{name}"))))
    }
}

macro_rules! fine {
    ($($method:ident($t:ty)),* $(,)?) => { $(fn $method(self, _: $t) -> Step { Ok(()) })* };
}

impl ser::Serializer for Walk {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    fine! {
        serialize_bool(bool), serialize_unit_struct(&'static str),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
    }
    fn serialize_char(self, character: char) -> Step {
        if self.texts && character == '\0' { Err(Found::new(Fault::ZeroCharacter)) } else { Ok(()) }
    }
    fn serialize_str(self, text: &str) -> Step {
        if self.texts && text.contains('\0') { Err(Found::new(Fault::ZeroCharacter)) } else { Ok(()) }
    }
    // Written as a list of numbers.
    fn serialize_bytes(self, _: &[u8]) -> Step {
        self.open().map(drop)
    }
    fn serialize_f32(self, number: f32) -> Step {
        if number.is_finite() { Ok(()) } else { Err(Found::number(number)) }
    }
    fn serialize_f64(self, number: f64) -> Step {
        if number.is_finite() { Ok(()) } else { Err(Found::number(number)) }
    }
    fn serialize_none(self) -> Step {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Step {
        value.serialize(self.through()?)
    }
    fn serialize_unit(self) -> Step {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Step {
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Step {
        value.serialize(self.through()?)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Step {
        value.serialize(self.open()?).map_err(|found| found.within(format_args!(".{variant}")))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Found> {
        self.parts(None)
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, Found> {
        self.parts(None)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Found> {
        self.parts(None)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts, Found> {
        self.parts_of_variant(variant)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Found> {
        self.parts(None)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, Found> {
        self.parts(None)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts, Found> {
        self.parts_of_variant(variant)
    }
    // The default makes a string of it first.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Step {
        let mut shown = Shown { found: false };
        if self.texts {
            fmt::write(&mut shown, format_args!("{value}")).map_err(ser::Error::custom)?;
        }
        if shown.found { Err(Found::new(Fault::ZeroCharacter)) } else { Ok(()) }
    }
}

macro_rules! items {
    ($($compound:ident :: $method:ident),*) => { $(impl ser::$compound for Parts {
        type Ok = ();
        type Error = Found;
        fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
            self.item(value)
        }
        fn end(self) -> Step {
            Ok(())
        }
    })* };
}
items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($compound:ident),*) => { $(impl ser::$compound for Parts {
        type Ok = ();
        type Error = Found;
        fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Step {
            self.field(name, value)
        }
        fn end(self) -> Step {
            Ok(())
        }
    })* };
}
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts {
    type Ok = ();
    type Error = Found;
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Step {
        key.serialize(self.walk).map_err(|found| found.within(format_args!("[key]")))?;
        value.serialize(self.walk).map_err(|found| match serde_json::to_string(key) {
            Ok(key) => found.within(format_args!("[{key}]")),
            Err(_) => found.within(format_args!("[..]")),
        })
    }
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Step {
        self.seen += 1;
        key.serialize(self.walk).map_err(|found| found.within(format_args!("[key]")))
    }
    // Keeping the key for a message that is hardly ever needed would allocate each time; only
    // hand-written maps come here.
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        let entry = self.seen;
        value.serialize(self.walk).map_err(|found| found.within(format_args!("[entry {entry}]")))
    }
    fn end(self) -> Step {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::ser::SerializeMap as _;
    use serde::{Serialize, Serializer};

    use super::*;

    #[track_caller]
    fn found(value: impl Serialize, expected_path: &str, expected_value: &str) {
        let expected = EncodeError::NotFinite { path: expected_path.to_owned(), value: expected_value.to_owned() };
        assert_eq!(check(&value, DEPTH_MAX), Err(expected));
    }

    #[derive(Serialize)]
    struct Line {
        price: f64,
    }
    #[derive(Serialize)]
    struct Order {
        name: &'static str,
        lines: Vec<Line>,
        discount: Option<f32>,
    }
    #[derive(Serialize)]
    struct Price(f64);
    #[derive(Serialize)]
    struct Point(f64, f64);
    #[derive(Serialize)]
    enum Shape {
        Nothing,
        Square(f64),
        Line(f64, f64),
        Circle { radius: f64 },
    }
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Circle { radius: f64 },
    }
    #[derive(Serialize)]
    struct Drawing<T> {
        shape: T,
    }
    const NAN: f64 = f64::NAN;
    const INF: f64 = f64::INFINITY;

    #[test]
    fn finite_values_of_every_shape_pass() {
        #[derive(Serialize)]
        struct Unit;
        #[derive(Serialize)]
        struct Everything {
            numbers: (i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64),
            texts: (char, &'static str, bool, Option<f64>, ()),
            unit: Unit,
            shapes: [Shape; 4],
            map: BTreeMap<u8, f64>,
        }
        let value = Everything {
            numbers: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, f32::MAX, f64::MIN_POSITIVE),
            texts: ('a', "b", true, None, ()),
            unit: Unit,
            shapes: [Shape::Nothing, Shape::Square(1.0), Shape::Line(0.0, -0.0), Shape::Circle { radius: f64::MAX }],
            map: BTreeMap::from([(1, 1.0)]),
        };
        assert_eq!(check(&value, DEPTH_MAX), Ok(()));
        assert_eq!(check(&Tagged::Circle { radius: 1.0 }, DEPTH_MAX), Ok(()));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_found_with_its_path() {
        let lines = |price| vec![Line { price: 1.0 }, Line { price: 2.0 }, Line { price }];
        found(Order { name: "a", lines: lines(NAN), discount: Some(f32::INFINITY) }, "lines[2].price", "NaN");
        found(Order { name: "a", lines: lines(3.0), discount: Some(f32::NEG_INFINITY) }, "discount", "-inf");
        assert_eq!(check(&Order { name: "a", lines: lines(3.0), discount: None }, DEPTH_MAX), Ok(()));
    }

    #[test]
    fn a_value_that_is_the_number_has_no_path() {
        found(INF, "value", "inf");
        found(Price(NAN), "value", "NaN");
    }

    #[test]
    fn tuples_and_tuple_structs_are_counted_from_zero() {
        found((1, 2.0, NAN), "[2]", "NaN");
        found(Drawing { shape: Point(0.0, INF) }, "shape[1]", "inf");
        found([[0.0, 1.0], [NAN, INF]], "[1][0]", "NaN");
    }

    #[test]
    fn enum_variants_are_part_of_the_path() {
        found(Drawing { shape: Shape::Square(NAN) }, "shape.Square", "NaN");
        found(Drawing { shape: Shape::Line(0.0, INF) }, "shape.Line[1]", "inf");
        found(Drawing { shape: Shape::Circle { radius: NAN } }, "shape.Circle.radius", "NaN");
        found(Drawing { shape: Tagged::Circle { radius: NAN } }, "shape.radius", "NaN");
    }

    #[test]
    fn map_entries_are_named_by_their_key() {
        #[derive(Serialize)]
        struct Rates<K: Ord> {
            rates: BTreeMap<K, f64>,
        }
        found(Rates { rates: BTreeMap::from([("CHF", 1.0), ("EUR", NAN)]) }, r#"rates["EUR"]"#, "NaN");
        found(Rates { rates: BTreeMap::from([(7, INF)]) }, "rates[7]", "inf");
    }

    #[test]
    fn hand_written_maps_are_walked_too() {
        struct ByHand(f64, f64);
        impl Serialize for ByHand {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_key("a")?;
                map.serialize_value(&1.0)?;
                map.serialize_key(&self.0)?;
                map.serialize_value(&self.1)?;
                map.end()
            }
        }
        found(Drawing { shape: ByHand(1.0, NAN) }, "shape[entry 2]", "NaN");
        found(Drawing { shape: ByHand(NAN, 1.0) }, "shape[key]", "NaN");
    }

    #[test]
    fn flattened_fields_keep_their_names() {
        #[derive(Serialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Line,
            #[serde(flatten)]
            rest: BTreeMap<String, f64>,
        }
        found(Outer { inner: Line { price: NAN }, rest: BTreeMap::new() }, r#"["price"]"#, "NaN");
        found(Outer { inner: Line { price: 0.0 }, rest: BTreeMap::from([("x".to_owned(), INF)]) }, r#"["x"]"#, "inf");
    }

    #[test]
    fn a_serializer_that_gives_up_is_quoted() {
        struct Stubborn;
        impl Serialize for Stubborn {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no, never"))
            }
        }
        assert_eq!(check(&Drawing { shape: [Stubborn] }, DEPTH_MAX), Err(EncodeError::Unwritable("no, never".to_owned())));
    }

    #[test]
    fn texts_made_by_display_are_not_looked_into() {
        struct Shown;
        impl Serialize for Shown {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str("NaN")
            }
        }
        assert_eq!(check(&Shown, DEPTH_MAX), Ok(()));
    }

    #[derive(Serialize)]
    enum Tree {
        Leaf,
        Node(Box<Tree>),
        Pair(Box<Tree>, u8),
        Named { inner: Box<Tree> },
        List(Vec<Tree>),
        Maybe(Option<Box<Tree>>),
    }

    #[derive(Serialize)]
    #[serde(tag = "type", content = "data")]
    enum Beside {
        End,
        Is(Box<Beside>),
    }

    fn of(levels: usize, around: fn(Tree) -> Tree) -> Tree {
        (0..levels).fold(Tree::Leaf, |tree, _| around(tree))
    }

    /// Returns the number of levels that `serde_json` counts in the text of a value.
    fn levels(value: &impl Serialize) -> usize {
        let text = serde_json::to_string(value).unwrap();
        let (mut depth, mut deepest) = (0, 0_usize);
        for c in text.chars() {
            depth += usize::from(matches!(c, '{' | '['));
            deepest = deepest.max(depth);
            depth -= usize::from(matches!(c, '}' | ']'));
        }
        deepest
    }

    /// `F10`: the walk counts as many levels as stand in the text, for each shape.
    #[test]
    fn a_value_is_too_deep_exactly_when_its_text_is() {
        let shapes: [fn(Tree) -> Tree; 5] = [
            |tree| Tree::Node(Box::new(tree)),
            |tree| Tree::Pair(Box::new(tree), 1),
            |tree| Tree::Named { inner: Box::new(tree) },
            |tree| Tree::List(vec![Tree::Leaf, tree]),
            |tree| Tree::Maybe(Some(Box::new(tree))),
        ];
        for around in shapes {
            for nodes in 40..130 {
                let tree = of(nodes, around);
                let too_deep = matches!(check(&tree, DEPTH_MAX), Err(EncodeError::TooDeep { max: 100, .. }));
                assert_eq!(too_deep, levels(&tree) > 100, "{nodes} nodes, {} levels", levels(&tree));
            }
        }
        let map = |levels| (0..levels).fold(serde_json::json!(1), |value, _| serde_json::json!({ "a": value }));
        assert_eq!((check(&map(100), DEPTH_MAX), check(&map(101), DEPTH_MAX).is_err()), (Ok(()), true));
        let adjacent = |levels| (0..levels).fold(Beside::End, |value, _| Beside::Is(Box::new(value)));
        assert_eq!((check(&adjacent(99), DEPTH_MAX), check(&adjacent(100), DEPTH_MAX).is_err()), (Ok(()), true));
    }

    /// `F10`: what is written as what is in it has no level, and still ends the walk before the stack does.
    #[test]
    fn a_value_in_newtypes_ends_the_walk_before_the_stack() {
        #[derive(Serialize)]
        struct Onion(Option<Box<Onion>>);
        let onion = |skins| (0..skins).fold(Onion(None), |onion, _| Onion(Some(Box::new(onion))));
        assert_eq!(check(&onion(100), DEPTH_MAX), Ok(()));
        let deep = onion(200_000);
        assert!(matches!(check(&deep, DEPTH_MAX), Err(EncodeError::TooDeep { .. })));
        // Dropped one after another, which the type itself does not do.
        let mut next = deep.0;
        while let Some(mut onion) = next {
            next = onion.0.take();
        }
    }

    #[test]
    fn the_path_of_a_deep_value_is_cut() {
        let Err(EncodeError::TooDeep { path, max: 100 }) = check(&of(200, |tree| Tree::Node(Box::new(tree))), DEPTH_MAX) else {
            panic!("it is too deep")
        };
        assert!(path.starts_with("Node.Node.Node") && path.ends_with(" ..") && path.len() < 210, "{path}");
    }

    /// `R11`
    #[test]
    fn a_zero_character_is_found_in_each_kind_of_text() {
        struct ByDisplay;
        impl Serialize for ByDisplay {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str("a\0")
            }
        }
        assert_eq!(zero_character(&("a", "b\0")), "[1]");
        assert_eq!(zero_character(&[Some('\0')]), "[0]");
        assert_eq!(zero_character(&BTreeMap::from([("a\0", 1)])), "[key]");
        assert_eq!(zero_character(&Drawing { shape: [ByDisplay] }), "shape[0]");
        assert_eq!(zero_character(&"a\0"), "value");
        assert_eq!(zero_character(&"a"), "value");
    }
}
