//! What is said of the types that a schema calls by name: in the words of people, and in those of JSON Schema.

use super::Named;
use super::json::Json;
use super::json_schema::range;
use super::named::TEXT_ID;

/// A type that a schema calls by name.
pub(crate) struct WellKnown {
    /// For people, as in "map from UUID to text".
    pub(crate) words: &'static str,
    /// What JSON Schema says of it.
    pub(crate) schema: Vec<(&'static str, Json)>,
    /// A value.
    pub(crate) sample: Json,
    /// Whether it is stored as a number.
    pub(crate) is_number: bool,
}

/// What is known of a name; `None` where it is not one of gesta's.
pub(crate) fn well_known(name: &str) -> Option<WellKnown> {
    let known = Named::of(name)?;
    let (words, said) = said(name);
    let mut schema: Vec<(&'static str, Json)> = Vec::new();
    // A description is what a document shows first.
    schema.extend(said.iter().filter(|(key, _)| *key == "description").map(|(key, text)| (*key, (*text).into())));
    match known.bits {
        None => schema.push(("type", "string".into())),
        Some(bits) => {
            let nonzero = name.strip_prefix("nonzero_");
            let signed = nonzero.is_none_or(|number| number.starts_with('i'));
            let [least, most] = range(signed, bits).map(Json::Number);
            let least = if signed { least } else { 1_usize.into() };
            schema.extend([("type", "integer".into()), ("minimum", least), ("maximum", most)]);
            if signed && nonzero.is_some() {
                schema.push(("not", Json::record([("const", Json::from(0_usize))])));
            }
        }
    }
    if name == "char" {
        schema.extend([("minLength", Json::from(1_usize)), ("maxLength", Json::from(1_usize))]);
    }
    if name == TEXT_ID {
        schema.extend([("minLength", Json::from(1_usize)), ("maxLength", Json::from(crate::StreamName::ID_BYTES_MAX))]);
    }
    schema.extend(said.iter().filter(|(key, _)| *key != "description").map(|(key, text)| (*key, (*text).into())));
    let sample = Json::parse(known.example.as_bytes()).unwrap_or(Json::Null);
    Some(WellKnown { words, schema, sample, is_number: known.bits.is_some() })
}

/// The words, and what JSON Schema can say beside whether it is a text or a number.
fn said(name: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match name {
        "char" => ("character", &[]),
        TEXT_ID => ("id", &[]),
        "uuid" => ("UUID", &[("format", "uuid")]),
        "timestamp" => ("point in time", &[("description", "microseconds since 1970-01-01T00:00:00Z")]),
        "ip" => ("IP address", &[("description", "an IP address, of version 4 or 6")]),
        "ipv4" => ("IPv4 address", &[("format", "ipv4")]),
        "ipv6" => ("IPv6 address", &[("format", "ipv6")]),
        "socket_v4" => ("IPv4 address and port", &[("description", "an IPv4 address and a port")]),
        "datetime_utc" => ("date and time in UTC", &[("format", "date-time")]),
        "datetime" => ("date and time", &[("description", "a date and a time, of no time zone")]),
        "date" => ("date", &[("format", "date")]),
        "time" => ("time of day", &[("description", "a time of day, of no time zone")]),
        "decimal" => ("decimal number", &[("pattern", r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$")]),
        nonzero if nonzero.starts_with("nonzero_") => ("whole number other than 0", &[]),
        _ => ("value of a type of its own", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::NAMED;

    #[test]
    fn there_are_words_for_every_name() {
        for Named { name, .. } in NAMED {
            let known = well_known(name).unwrap();
            assert_ne!(known.words, said("").0, "{name}");
            assert_eq!(known.is_number, matches!(known.sample, Json::Number(_)), "{name}");
        }
    }
}
