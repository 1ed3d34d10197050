//! What is known of the types that a schema calls by name: in the words of people and of JSON Schema, and a sample.

use super::json::Json;
use super::json_schema::range;

/// A type that a schema calls by name.
pub(crate) struct WellKnown {
    /// For people, as in "a map by UUID".
    pub(crate) words: &'static str,
    /// What JSON Schema says of it.
    pub(crate) schema: Vec<(&'static str, Json)>,
    /// A value.
    pub(crate) sample: Json,
}

/// What is known of a name; `None` where it is not one of gesta's.
pub(crate) fn well_known(name: &str) -> Option<WellKnown> {
    if let Some(number) = name.strip_prefix("nonzero_") {
        return nonzero(number);
    }
    let (words, schema, sample): (_, &[(&str, &str)], _) = match name {
        "uuid" => ("UUID", &[("format", "uuid")], "018f3c5e-7c1a-7000-8000-000000000001"),
        "ip" => ("IP address", &[("description", "an IP address, of version 4 or 6")], "192.0.2.1"),
        "ipv4" => ("IPv4 address", &[("format", "ipv4")], "192.0.2.1"),
        "ipv6" => ("IPv6 address", &[("format", "ipv6")], "2001:db8::1"),
        "socket_v4" => ("IPv4 address and port", &[("description", "an IPv4 address and a port")], "192.0.2.1:443"),
        "datetime_utc" => ("date and time in UTC", &[("format", "date-time")], "2026-01-01T09:30:00Z"),
        "datetime" => ("date and time", &[("description", "a date and a time, of no time zone")], "2026-01-01T09:30:00"),
        "date" => ("date", &[("format", "date")], "2026-01-01"),
        "time" => ("time of day", &[("description", "a time of day, of no time zone")], "09:30:00"),
        "decimal" => ("decimal number", &[("pattern", r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$")], "12.50"),
        "char" => {
            let one = |key| (key, Json::from(1_usize));
            let schema = vec![("type", "string".into()), one("minLength"), one("maxLength")];
            return Some(WellKnown { words: "character", schema, sample: "a".into() });
        }
        "timestamp" => {
            let [least, most] = range(true, 64).map(Json::Number);
            let schema = vec![
                ("description", "microseconds since 1970-01-01T00:00:00Z".into()),
                ("type", "integer".into()),
                ("minimum", least),
                ("maximum", most),
            ];
            // 2026-01-01T00:00:00Z.
            let sample = Json::Number("1767225600000000".to_owned());
            return Some(WellKnown { words: "point in time", schema, sample });
        }
        _ => return None,
    };
    // A description is what a document shows first.
    let (said, kind): (Vec<_>, Vec<_>) = schema.iter().partition(|(key, _)| *key == "description");
    let keys = said.into_iter().chain([("type", "string")]).chain(kind);
    Some(WellKnown { words, schema: keys.map(|(key, text)| (key, text.into())).collect(), sample: sample.into() })
}

/// A whole number that is never 0, such as `u8`.
fn nonzero(number: &str) -> Option<WellKnown> {
    let signed = number.starts_with('i');
    let bits: u8 = number.strip_prefix(['i', 'u'])?.parse().ok()?;
    let [least, most] = range(signed, bits).map(Json::Number);
    let zero = |key: &str| Json::record([(key, Json::from(0_usize))]);
    let mut schema = vec![("type", "integer".into()), ("minimum", least), ("maximum", most)];
    if signed {
        schema.push(("not", zero("const")));
    } else {
        schema[1].1 = 1_usize.into();
    }
    Some(WellKnown { words: "whole number other than 0", schema, sample: 1_usize.into() })
}

impl WellKnown {
    /// Whether it is stored as a number.
    pub(crate) fn is_number(&self) -> bool {
        self.schema.iter().any(|(key, value)| *key == "type" && value.as_text() == Some("integer"))
    }
}
