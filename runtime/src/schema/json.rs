//! JSON as a tree that keeps what `serde_json::Value` may lose: the order of fields and every digit of a number.
//!
//! Always true here: text that is parsed and written again says the same, whatever features of `serde_json` another crate of
//! the build has turned on.

use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Record(Vec<(String, Json)>),
}

/// What `serde_json` allows too.
const DEPTH_MAX: usize = 128;

impl Json {
    /// Reads JSON.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &[u8]) -> Result<Json, String> {
        let text = std::str::from_utf8(text).map_err(|e| e.to_string())?;
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|e| e.to_string())?;
        // What is JSON needs no second check, so the parser below only takes it apart.
        Parser { text, at: 0 }.value(0).ok_or_else(|| "it is nested too deeply, or holds half of a character".to_owned())
    }

    /// A record of these fields.
    pub(crate) fn record<K: Into<String>>(fields: impl IntoIterator<Item = (K, Json)>) -> Json {
        Json::Record(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
    /// A list of these texts.
    pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Json {
        Json::List(texts.into_iter().map(Json::from).collect())
    }
    /// A field of a record.
    pub(crate) fn get(&self, field: &str) -> Option<&Json> {
        match self {
            // The last one, which is the one serde keeps.
            Json::Record(fields) => fields.iter().rev().find(|(name, _)| name == field).map(|(_, value)| value),
            _ => None,
        }
    }
    /// The text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
    /// Whether both say the same: the order of fields does not count, and `1.0` is `1.00`.
    pub(crate) fn same(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Number(a), Json::Number(b)) => same_number(a, b),
            (Json::List(a), Json::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Json::Record(a), Json::Record(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| other.get(name).is_some_and(|found| value.same(found)))
            }
            _ => self == other,
        }
    }
    /// Over several lines, for people.
    pub(crate) fn pretty(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = self.write(&mut text, Some(0));
        text
    }

    fn write(&self, out: &mut dyn fmt::Write, indent: Option<usize>) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Number(digits) => out.write_str(digits),
            Json::Text(text) => out.write_str(&quoted(text)),
            Json::List(items) => write_all(out, indent, ['[', ']'], items, |out, indent, item| item.write(out, indent)),
            Json::Record(fields) => write_all(out, indent, ['{', '}'], fields, |out, indent, (name, value)| {
                out.write_str(&quoted(name))?;
                out.write_str(if indent.is_some() { ": " } else { ":" })?;
                value.write(out, indent)
            }),
        }
    }
}

/// Two numbers as they are written: whole ones by their digits, others by what they are.
fn same_number(a: &str, b: &str) -> bool {
    let whole = |digits: &str| !digits.contains(['.', 'e', 'E']);
    if a == b {
        return true;
    }
    // `+ 0.0` makes -0.0 the zero it is equal to.
    let value = |digits: &str| digits.parse::<f64>().ok().map(|number| (number + 0.0).to_bits());
    !(whole(a) && whole(b)) && value(a) == value(b)
}

/// A text in double quotes, with escapes as JSON has them.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn write_all<T>(
    out: &mut dyn fmt::Write,
    indent: Option<usize>,
    [open, close]: [char; 2],
    all: &[T],
    write: impl Fn(&mut dyn fmt::Write, Option<usize>, &T) -> fmt::Result,
) -> fmt::Result {
    let inner = indent.map(|depth| depth + 1);
    let line = |out: &mut dyn fmt::Write, depth: Option<usize>| match depth {
        Some(depth) => write!(out, "\n{:1$}", "", depth * 2),
        None => Ok(()),
    };
    out.write_char(open)?;
    for (i, one) in all.iter().enumerate() {
        if i > 0 {
            out.write_char(',')?;
        }
        line(out, inner)?;
        write(out, inner, one)?;
    }
    if !all.is_empty() {
        line(out, indent)?;
    }
    out.write_char(close)
}

/// On one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::Text(text.to_owned())
    }
}
impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}
impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Json::Number(number.to_string())
    }
}
impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Json::Number(number.to_string())
    }
}

/// Takes text apart that is known to be JSON. `None` where it is nested too deeply, or a text holds half of a character.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blank;
        rest.get(blank).copied()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self
                .all(b'}', |parser| {
                    let Some(Json::Text(name)) = parser.value(depth + 1) else { return None };
                    parser.peek();
                    parser.at += 1;
                    Some((name, parser.value(depth + 1)?))
                })
                .map(Json::Record),
            b'[' => self.all(b']', |parser| parser.value(depth + 1)).map(Json::List),
            b'"' => self.string().map(Json::Text),
            b't' => Some(self.word("true", Json::Bool(true))),
            b'f' => Some(self.word("false", Json::Bool(false))),
            b'n' => Some(self.word("null", Json::Null)),
            _ => {
                let rest = self.text.get(self.at..)?;
                let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
                self.at += end;
                (end > 0).then(|| Json::Number(rest[..end].to_owned()))
            }
        }
    }

    fn all<T>(&mut self, close: u8, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut found = Vec::new();
        while self.peek()? != close {
            if self.peek()? == b',' {
                self.at += 1;
            }
            found.push(one(self)?);
        }
        self.at += 1;
        Some(found)
    }

    fn word(&mut self, word: &str, meaning: Json) -> Json {
        self.at += word.len();
        meaning
    }

    fn string(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..)?;
        let (mut end, mut escaped) = (1, false);
        for byte in rest.bytes().skip(1) {
            end += 1;
            match byte {
                b'"' if !escaped => break,
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.at += end;
        serde_json::from_str(rest.get(..end)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_is_written_as_it_was() {
        for text in [
            r#"{"b":1,"a":[true,false,null,-0.50e+3],"":{},"q":"\"\\\n ä\u0001","n":[]}"#,
            "170141183460469231731687303715884105727",
            r#""\\""#,
            "[[],[[]],{\"a\":{}}]",
        ] {
            let parsed = Json::parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.to_string(), text);
            assert_eq!(Json::parse(parsed.pretty().as_bytes()).unwrap(), parsed);
        }
        assert_eq!(Json::parse(b" { \"a\" : [ 1 , 2 ] } ").unwrap().to_string(), r#"{"a":[1,2]}"#);
        assert_eq!(Json::parse(b"{\"a\":[1],\"b\":{}}").unwrap().pretty(), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        for text in ["", "{", "{\"a\":}", "[1,]", "nul", "01", "\"\\ud800\"", "{} {}", &deep] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn numbers_are_the_same_by_what_they_are() {
        let same = |a: &str, b: &str| Json::parse(a.as_bytes()).unwrap().same(&Json::parse(b.as_bytes()).unwrap());
        assert!(same("{\"a\":1,\"b\":2.0}", "{\"b\":2.00,\"a\":1}"));
        assert!(same("1.0", "1"));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(!same("{\"a\":1}", "{\"a\":1,\"b\":1}"));
        assert!(!same("\"1\"", "1"));
    }
}
