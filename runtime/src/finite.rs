//! Finds numbers that JSON can't hold.
//!
//! Always true here: nothing is written, and where every number is finite nothing is allocated. The path of one that is
//! not is put together on the way out, segment by segment.

use std::fmt;

use serde::ser::{self, Serialize};

use crate::error::EncodeError;

/// Finds the first number in `value` that is not finite, in the order in which it would be written.
///
/// # Errors
/// [`EncodeError::NotFinite`] with its path; [`EncodeError::Unwritable`] where a `Serialize` of the value gives up.
pub(crate) fn check<T: Serialize>(value: &T) -> Result<(), EncodeError> {
    value.serialize(Walk).map_err(|found| match *found.0 {
        What::Number { path, value } => {
            let path = path.strip_prefix('.').unwrap_or(&path);
            EncodeError::NotFinite { path: if path.is_empty() { "value" } else { path }.to_owned(), value }
        }
        What::Custom(message) => EncodeError::Unwritable(message),
    })
}

/// Why the walk ended early. Boxed, so that the result of each step fits a register.
#[derive(Debug)]
struct Found(Box<What>);

#[derive(Debug)]
enum What {
    /// A number, with the segments of its path that were left so far: `.name`, `[2]`, `["key"]`.
    Number { path: String, value: String },
    /// What the value's own serializer said.
    Custom(String),
}

impl Found {
    fn number(value: impl fmt::Display) -> Self {
        Found(Box::new(What::Number { path: String::new(), value: value.to_string() }))
    }
    /// The same, one step further out.
    fn within(mut self, segment: fmt::Arguments<'_>) -> Self {
        if let What::Number { path, .. } = &mut *self.0 {
            path.insert_str(0, &segment.to_string());
        }
        self
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            What::Number { path, value } => write!(f, "`{path}` is {value}"),
            What::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Found(Box::new(What::Custom(message.to_string())))
    }
}

type Step = Result<(), Found>;

/// Walks one value.
struct Walk;

/// Walks the parts of one value.
struct Parts {
    /// The enum's variant they belong to.
    variant: Option<&'static str>,
    /// How many parts came before; a map's keys and values are counted together.
    seen: usize,
}

impl Parts {
    const fn new(variant: Option<&'static str>) -> Self {
        Parts { variant, seen: 0 }
    }
    fn outer(&self, found: Found) -> Found {
        match self.variant {
            Some(variant) => found.within(format_args!(".{variant}")),
            None => found,
        }
    }
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        let index = self.seen;
        self.seen += 1;
        value.serialize(Walk).map_err(|found| self.outer(found.within(format_args!("[{index}]"))))
    }
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Step {
        value.serialize(Walk).map_err(|found| self.outer(found.within(format_args!(".{name}"))))
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
        serialize_bool(bool), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]), serialize_unit_struct(&'static str),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
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
        value.serialize(self)
    }
    fn serialize_unit(self) -> Step {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Step {
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Step {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Step {
        value.serialize(self).map_err(|found| found.within(format_args!(".{variant}")))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Found> {
        Ok(Parts::new(None))
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, Found> {
        Ok(Parts::new(None))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Found> {
        Ok(Parts::new(None))
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts, Found> {
        Ok(Parts::new(Some(variant)))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Found> {
        Ok(Parts::new(None))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, Found> {
        Ok(Parts::new(None))
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Parts, Found> {
        Ok(Parts::new(Some(variant)))
    }
    // The default makes a string of it first.
    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Step {
        Ok(())
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
        key.serialize(Walk).map_err(|found| found.within(format_args!("[key]")))?;
        value.serialize(Walk).map_err(|found| match serde_json::to_string(key) {
            Ok(key) => found.within(format_args!("[{key}]")),
            Err(_) => found.within(format_args!("[..]")),
        })
    }
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Step {
        self.seen += 1;
        key.serialize(Walk).map_err(|found| found.within(format_args!("[key]")))
    }
    // Keeping the key for a message that is hardly ever needed would allocate each time; only hand-written maps come here.
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        let entry = self.seen;
        value.serialize(Walk).map_err(|found| found.within(format_args!("[entry {entry}]")))
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
        assert_eq!(check(&value), Err(expected));
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
        assert_eq!(check(&value), Ok(()));
        assert_eq!(check(&Tagged::Circle { radius: 1.0 }), Ok(()));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_found_with_its_path() {
        let lines = |price| vec![Line { price: 1.0 }, Line { price: 2.0 }, Line { price }];
        found(Order { name: "a", lines: lines(NAN), discount: Some(f32::INFINITY) }, "lines[2].price", "NaN");
        found(Order { name: "a", lines: lines(3.0), discount: Some(f32::NEG_INFINITY) }, "discount", "-inf");
        assert_eq!(check(&Order { name: "a", lines: lines(3.0), discount: None }), Ok(()));
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
        assert_eq!(check(&Drawing { shape: [Stubborn] }), Err(EncodeError::Unwritable("no, never".to_owned())));
    }

    #[test]
    fn texts_made_by_display_are_not_looked_into() {
        struct Shown;
        impl Serialize for Shown {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str("NaN")
            }
        }
        assert_eq!(check(&Shown), Ok(()));
    }
}
