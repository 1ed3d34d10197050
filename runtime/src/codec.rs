//! Between types and their stored form, JSON.
//!
//! Always true here: what is written reads back as what it was, or is refused. JSON has no NaN and
//! no infinity, and its reader has a limit of depth, so types that may hold a float or nest without
//! end are walked once before they are written; other types (known from the schema) are not. A
//! panic of the user's `Serialize` is an error like another. What can't be read is read a second
//! time to find out where and why, so that the first read need not keep account of it.

pub(crate) mod canary;
mod watch;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use self::watch::{Kind, Watched};
use crate::error::{DecodeError, EncodeError, panic_message};
use crate::{Schema, storable};

/// Appends the stored form of an event or a command to `payload`, which is left as it was on an
/// error.
pub(crate) fn encode<T: Serialize + Schema>(value: &T, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = payload.len();
    let written = write(value, payload, storable::DEPTH_MAX).and_then(|()| {
        let written = payload.get(start..).unwrap_or_default();
        if holds_zero_character(written) { Err(EncodeError::ZeroCharacter { path: path_of_zero(value) }) } else { Ok(()) }
    });
    if written.is_err() {
        payload.truncate(start);
    }
    written
}

/// The same for what is folded from events, such as a column: it may nest a little deeper, so that
/// an event which is stored can be folded; and it may hold U+0000, as events of earlier builds do.
pub(crate) fn encode_folded<T: Serialize + Schema>(value: &T, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = payload.len();
    let written = write(value, payload, storable::FOLDED_DEPTH_MAX);
    if written.is_err() {
        payload.truncate(start);
    }
    written
}

/// The stored form of a state, which has to read back as the state that it was: a snapshot stands
/// for the events before it.
pub(crate) fn encode_state<T>(state: &T) -> Result<Vec<u8>, EncodeError>
where
    T: Serialize + DeserializeOwned + PartialEq + Schema,
{
    let mut payload = Vec::new();
    encode_folded(state, &mut payload)?;
    if const { T::NODE.may_hold_opaque() } {
        let same = || match decode::<T>(&payload) {
            Ok(read) if read == *state => Ok(()),
            Ok(_) => Err(EncodeError::NotReadBack { why: "it is read back as another value".to_owned() }),
            Err(why) => Err(EncodeError::NotReadBack { why: why.to_string() }),
        };
        catch_unwind(AssertUnwindSafe(same)).unwrap_or_else(|panic| {
            Err(EncodeError::NotReadBack { why: format!("reading it panicked: {}", panic_message(&*panic)) })
        })?;
    }
    Ok(payload)
}

fn write<T: Serialize + Schema>(value: &T, payload: &mut Vec<u8>, depth_max: u16) -> Result<(), EncodeError> {
    // A type that the macros have not seen on the way here, such as the column of a read model, is looked at now.
    const {
        if let Some(why) = T::NODE.flaw() {
            panic!("{}", why);
        }
    }
    let write = || {
        if const { T::NODE.may_hold_float() || T::NODE.depth() > storable::DEPTH_MAX as usize } {
            storable::check(value, depth_max)?;
        }
        serde_json::to_writer(payload, value).map_err(|why| EncodeError::Unwritable(why.to_string()))
    };
    catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|panic| Err(EncodeError::Panicked(panic_message(&*panic))))
}

/// Returns true if a text in JSON holds U+0000, which serde writes as `\u0000`.
fn holds_zero_character(json: &[u8]) -> bool {
    // This search looks at several bytes at a time; most payloads hold no escape.
    if !json.contains(&b'\\') {
        return false;
    }
    // A text is searched in the same way for the place of each.
    let mut rest = std::str::from_utf8(json).unwrap_or_default();
    while let Some(at) = rest.find('\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        if escape.starts_with("u0000") {
            return true;
        }
        // The escaped character may be a backslash.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

#[cold]
fn path_of_zero<T: Serialize>(value: &T) -> String {
    let path = catch_unwind(AssertUnwindSafe(|| storable::zero_character(value)));
    path.unwrap_or_else(|_| "value".to_owned())
}

/// Reads a stored form.
///
/// `serde_json::from_slice` does the same, and hands the value on in a `Result` of another shape: to copy a large value from
/// there takes a tenth of the time it takes to read it.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    match T::deserialize(&mut json) {
        Ok(value) => match json.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(diagnose::<T>(payload, &error)),
        },
        Err(error) => Err(diagnose::<T>(payload, &error)),
    }
}

/// What is wrong with a payload that could not be read as a `T`.
#[cold]
#[inline(never)]
fn diagnose<T: DeserializeOwned>(payload: &[u8], error: &serde_json::Error) -> DecodeError {
    let kind = Cell::default();
    let mut json = serde_json::Deserializer::from_slice(payload);
    match serde_path_to_error::deserialize::<_, T>(Watched::new(&mut json, &kind)) {
        // Something stands behind the value.
        Ok(_) => unreadable("", Kind::Other, &error.to_string(), payload),
        Err(found) => unreadable(&shown_path(found.path()), found.inner().kind, &found.inner().to_string(), payload),
    }
}

fn unreadable(path: &str, kind: Kind, why: &str, payload: &[u8]) -> DecodeError {
    let (path, mut why) = (path.to_owned(), shown(why.as_bytes(), WHY_BYTES_MAX));
    if kind == Kind::UnknownVariant {
        return DecodeError::UnknownVariant { path, why };
    }
    if kind == Kind::MissingField {
        why.push_str(if path.is_empty() {
            "; a field that an event did not have at first is marked `#[added(..)]`"
        } else {
            "; a field that a value did not have at first needs `#[serde(default)]`"
        });
    }
    DecodeError::Payload { path, why, start: beginning(payload) }
}

/// As many bytes of a payload are shown.
const START_BYTES: usize = 64;
/// A text that tells what is wrong repeats what it found, which may be long.
const WHY_BYTES_MAX: usize = 400;
/// Keys of maps are stored data, too.
const PATH_BYTES_MAX: usize = 200;

/// A path such as `lines[2].price`.
fn shown_path(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for segment in path {
        let dot = if text.is_empty() { "" } else { "." };
        // Writing to a string can't fail.
        let _ = match segment {
            Segment::Seq { index } => write!(text, "[{index}]"),
            Segment::Map { key: name } | Segment::Enum { variant: name } => write!(text, "{dot}{name}"),
            // A name that was cut off.
            Segment::Unknown => Ok(()),
        };
    }
    shown_path_text(&text)
}

/// A path as people can read it.
pub(crate) fn shown_path_text(path: &str) -> String {
    shown(path.as_bytes(), PATH_BYTES_MAX)
}

/// What a payload begins with, for people.
pub(crate) fn beginning(payload: &[u8]) -> String {
    shown(payload, START_BYTES)
}

/// The first bytes as people can read them: whatever is no text, or is not seen, is escaped; ` ..` where something is left out.
fn shown(bytes: &[u8], max: usize) -> String {
    let start = bytes.get(..max).unwrap_or(bytes);
    let mut text = String::with_capacity(start.len());
    for chunk in start.utf8_chunks() {
        for c in chunk.valid().chars() {
            if matches!(c, '"' | '\'' | '\\') {
                text.push(c);
            } else {
                text.extend(c.escape_debug());
            }
        }
        // A character that the cut has halved is no damage.
        let halved = start.len() < bytes.len() && std::ptr::eq(chunk.invalid().as_ptr_range().end, start.as_ptr_range().end);
        if !halved || std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_some()) {
            text.extend(chunk.invalid().iter().flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from));
        }
    }
    if start.len() < bytes.len() {
        text.push_str(" ..");
    }
    text
}

/// Reads a stored form and writes it again.
pub(crate) fn rewrite<T: DeserializeOwned + Serialize + Schema>(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    written(&decode::<T>(payload)?)
}

/// The stored form of what has been made of a stored form.
pub(crate) fn written<T: Serialize + Schema>(value: &T) -> Result<Vec<u8>, DecodeError> {
    let mut written = Vec::new();
    let unwritable = |why: EncodeError| DecodeError::Payload { path: String::new(), why: why.to_string(), start: String::new() };
    encode_folded(value, &mut written).map_err(unwritable)?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_reads_back_as_it_was() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..50_000 {
            // xorshift64, Marsaglia 2003.
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            // Any bits at all, and numbers between 1 and 2, where short texts are.
            for number in [f64::from_bits(bits), f64::from_bits(bits >> 12 | 0x3ff << 52)] {
                if number.is_finite() {
                    let mut payload = Vec::new();
                    encode(&number, &mut payload).unwrap();
                    assert_eq!(decode::<f64>(&payload).map(f64::to_bits), Ok(number.to_bits()), "{number:e}");
                }
            }
        }
    }

    #[test]
    fn what_was_in_the_buffer_stays_when_a_value_cannot_be_written() {
        let mut payload = b"before".to_vec();
        assert!(encode(&vec![1.0, f64::NAN], &mut payload).is_err());
        assert_eq!(payload, b"before");
    }

    /// `R11`
    #[test]
    fn a_zero_character_is_told_from_what_looks_like_one() {
        let refused = |text: &str| {
            let mut payload = b"before".to_vec();
            let refused = encode(&vec![text.to_owned()], &mut payload);
            assert_eq!(refused.is_err(), payload == b"before");
            refused == Err(EncodeError::ZeroCharacter { path: "[0]".to_owned() })
        };
        for text in ["\0", "a\0b", "\\\0", "\\\\\0", "\"\0\"", "\n\\u0000\0"] {
            assert!(refused(text), "{text:?}");
        }
        for text in ["", "\\u0000", "\\\\u0000", "\u{1}", "\n", "u0000", "\\", "\"u0000"] {
            assert!(!refused(text), "{text:?}");
        }
        // A column or a state may hold it, since events of earlier builds do.
        assert_eq!(encode_folded(&"\0".to_owned(), &mut Vec::new()), Ok(()));
    }

    mod told {
        use serde::Deserialize;
        use serde::de::Error as _;

        use super::*;

        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only read")]
        struct Order {
            lines: Vec<Line>,
            #[serde(default)]
            by: std::collections::BTreeMap<String, Line>,
            #[serde(default)]
            paid: Option<Paid>,
            #[serde(default)]
            note: Note,
            #[serde(default)]
            tag: Option<Tagged>,
            #[serde(default)]
            each: std::collections::BTreeMap<Channel, u128>,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only read")]
        struct Line {
            price: u32,
            #[serde(default)]
            channel: Channel,
        }
        #[derive(Debug, Deserialize, Default, PartialEq, Eq, PartialOrd, Ord)]
        enum Channel {
            #[default]
            Branch,
            App,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only read")]
        enum Paid {
            Cash,
            Card { number: u32, channel: Channel },
            Two(Channel, Channel),
        }
        #[derive(Debug, Deserialize)]
        #[serde(tag = "kind")]
        #[allow(dead_code, reason = "only read")]
        enum Tagged {
            A { channel: Channel },
        }
        /// Says of its own what serde says of enums.
        #[derive(Debug, Default)]
        struct Note;
        impl<'de> Deserialize<'de> for Note {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text.is_empty() {
                    Ok(Note)
                } else {
                    Err(D::Error::custom(format!("unknown variant `{text}`, expected nothing")))
                }
            }
        }

        #[track_caller]
        fn payload(payload: &str) -> (String, String, String) {
            match decode::<Order>(payload.as_bytes()) {
                Err(DecodeError::Payload { path, why, start }) => (path, why, start),
                other => panic!("{other:?}"),
            }
        }
        #[track_caller]
        fn variant(payload: &str) -> (String, String) {
            match decode::<Order>(payload.as_bytes()) {
                Err(DecodeError::UnknownVariant { path, why }) => (path, why),
                other => panic!("{other:?}"),
            }
        }

        #[test]
        fn what_is_wrong_is_told_with_its_place_and_the_first_bytes() {
            let (path, why, start) = payload(r#"{"lines":[{"price":1},{"price":2},{"price":"3"}]}"#);
            assert_eq!(path, "lines[2].price");
            assert_eq!(why, "invalid type: string \"3\", expected u32 at line 1 column 46");
            assert_eq!(start, r#"{"lines":[{"price":1},{"price":2},{"price":"3"}]}"#);
            assert_eq!(payload(r#"{"lines":[],"by":{"a":{"price":-1}}}"#).0, "by.a.price");
            assert_eq!(payload(r#"{"lines":[],"paid":{"Card":{"number":"x"}}}"#).0, "paid.Card.number");
        }

        #[test]
        fn what_is_cut_off_or_no_json_is_told() {
            let (path, why, start) = payload(r#"{"lines":[{"price":1},{"pri"#);
            assert_eq!((path.as_str(), start.as_str()), ("lines[1]", r#"{"lines":[{"price":1},{"pri"#));
            assert!(why.starts_with("EOF while parsing a string"), "{why}");
            assert_eq!(payload("").1, "EOF while parsing a value at line 1 column 0");
            let (path, why, _) = payload(r#"{"lines":[]} {}"#);
            assert_eq!((path.as_str(), why.as_str()), ("", "trailing characters at line 1 column 14"));
            let error = decode::<Order>(b"").unwrap_err().to_string();
            assert_eq!(error, "the payload can't be read: EOF while parsing a value at line 1 column 0; it is empty");
        }

        #[test]
        fn a_missing_field_says_how_a_field_comes_later() {
            let (path, why, _) = payload("{}");
            assert_eq!(path, "");
            assert_eq!(
                why,
                "missing field `lines` at line 1 column 2; a field that an event did not have at first is marked `#[added(..)]`"
            );
            let (path, why, _) = payload(r#"{"lines":[{}]}"#);
            assert_eq!(path, "lines[0]");
            assert!(why.ends_with("; a field that a value did not have at first needs `#[serde(default)]`"), "{why}");
        }

        #[test]
        fn a_variant_of_an_enum_that_is_not_known_is_told_as_one_wherever_it_stands() {
            let (path, why) = variant(r#"{"lines":[{"price":1,"channel":"Fax"}]}"#);
            assert_eq!(path, "lines[0].channel");
            assert_eq!(why, "unknown variant `Fax`, expected `Branch` or `App` at line 1 column 36");
            assert_eq!(variant(r#"{"lines":[],"paid":"Cheque"}"#).0, "paid");
            assert_eq!(variant(r#"{"lines":[],"paid":{"Cheque":{"number":1}}}"#).0, "paid");
            assert_eq!(variant(r#"{"lines":[],"paid":{"Card":{"number":1,"channel":"Fax"}}}"#).0, "paid.Card.channel");
            assert_eq!(variant(r#"{"lines":[],"paid":{"Two":["App","Fax"]}}"#).0, "paid.Two[1]");
            assert_eq!(variant(r#"{"lines":[],"each":{"App":340282366920938463463374607431768211455,"Fax":1}}"#).0, "each");
            // What serde buffers has no places of its own.
            assert_eq!(variant(r#"{"lines":[],"tag":{"kind":"B"}}"#).0, "tag.kind");
            assert_eq!(variant(r#"{"lines":[],"tag":{"kind":"A","channel":"Fax"}}"#).0, "tag");
        }

        #[test]
        fn a_text_that_begins_as_serdes_does_is_no_variant() {
            let (path, why, _) = payload(r#"{"lines":[],"note":"Fax"}"#);
            assert_eq!(path, "note");
            assert!(why.starts_with("unknown variant `Fax`, expected nothing"), "{why}");
            // A number where a name is expected is broken.
            assert_eq!(payload(r#"{"lines":[],"paid":7}"#).0, "paid");
            assert_eq!(payload(r#"{"lines":[],"tag":{"kind":7}}"#).0, "tag.kind");
        }

        #[test]
        fn what_is_shown_is_short_and_readable() {
            assert_eq!(shown(b"a\x00b\n\xff\xe2\x82\xac\xe2\x82", 64), "a\\0b\\n\\xff\u{20ac}\\xe2\\x82");
            assert_eq!(shown("\u{202e}\u{7f}".as_bytes(), 64), "\\u{202e}\\u{7f}");
            // The cut goes through a character.
            assert_eq!(shown("12\u{20ac}4".as_bytes(), 4), "12 ..");
            assert_eq!(shown(b"12\xff4", 3), "12\\xff ..");
            let long = format!(r#"{{"lines":"{}"}}"#, "x".repeat(100_000));
            let (path, why, start) = payload(&long);
            assert_eq!((path.as_str(), start.len()), ("lines", 67));
            assert!(why.len() < 500 && why.ends_with(" .."), "{why}");
            let long = format!(r#"{{"lines":[],"by":{{"{}":7}}}}"#, "\\u0007".repeat(1_000));
            assert!(payload(&long).0.len() < 1_000);
        }
    }
}
