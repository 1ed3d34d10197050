//! One line of the file.

use std::fmt;

use super::super::json::{Json, quoted};

/// A sample of one version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Its number, from 1 on; 0 where it was made up just now.
    pub(super) at: usize,
    pub(super) event: String,
    pub(super) version: u32,
    pub(super) payload: Json,
    /// What the next version makes of it.
    pub(super) next: Option<Json>,
    /// What it is read as, where the event is retired.
    pub(super) becomes: Option<Vec<Became>>,
    /// Why somebody put it there.
    pub(super) note: Option<String>,
}

/// An event that a retired one has become.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Became {
    pub(super) event: String,
    pub(super) version: u32,
    pub(super) payload: Json,
}

impl Line {
    pub(super) fn new(event: &str, version: u32, payload: Json) -> Self {
        Line { at: 0, event: event.to_owned(), version, payload, next: None, becomes: None, note: None }
    }
    pub(super) fn is_of(&self, event: &str, version: u32) -> bool {
        self.event == event && self.version == version
    }
    /// What messages call it.
    pub(super) fn title(&self) -> String {
        let at = if self.at == 0 { "a new line".to_owned() } else { format!("line {}", self.at) };
        format!("{at}, {} v{}", self.event, self.version)
    }
}

fn head(event: &str, version: u32, payload: &Json) -> Vec<(String, Json)> {
    let field = |name: &str, value: Json| (name.to_owned(), value);
    vec![field("event", event.into()), field("version", version.into()), field("payload", payload.clone())]
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = head(&self.event, self.version, &self.payload);
        if let Some(next) = &self.next {
            fields.push(("next".to_owned(), next.clone()));
        }
        if let Some(becomes) = &self.becomes {
            let each = becomes.iter().map(|one| Json::Record(head(&one.event, one.version, &one.payload)));
            fields.push(("becomes".to_owned(), Json::List(each.collect())));
        }
        if let Some(note) = &self.note {
            fields.push(("note".to_owned(), note.as_str().into()));
        }
        Json::Record(fields).fmt(f)
    }
}

/// All lines; or what is wrong with each that is none.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Line>, Vec<String>> {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (i, text) in text.split(|byte| *byte == b'\n').enumerate() {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.trim_ascii().is_empty() {
            continue;
        }
        match line(text, i + 1) {
            Ok(line) => lines.push(line),
            Err(why) => problems.push(format!("line {}: {why}", i + 1)),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

fn line(text: &[u8], at: usize) -> Result<Line, String> {
    if [&b"<<<<<<<"[..], b"=======", b">>>>>>>", b"|||||||"].iter().any(|mark| text.starts_with(mark)) {
        return Err("a merge was left open here: keep the lines of both sides, or of one where both added the same version, and take out its marks".to_owned());
    }
    let json = Json::parse(text).map_err(|why| format!("this is no JSON: {why}"))?;
    let Json::Record(fields) = &json else { return Err("a line is a JSON object".to_owned()) };
    for (name, _) in fields {
        if !["event", "version", "payload", "next", "becomes", "note"].contains(&name.as_str()) {
            return Err(format!(
                "{} means nothing: a line holds `event`, `version`, `payload`, `next`, `becomes`, `note`",
                quoted(name)
            ));
        }
    }
    let (event, version, payload) = read_head(&json)?;
    let becomes = match json.get("becomes") {
        None => None,
        Some(Json::List(events)) => {
            let read = |json: &Json| read_head(json).map(|(event, version, payload)| Became { event, version, payload });
            Some(events.iter().map(read).collect::<Result<_, _>>()?)
        }
        Some(_) => return Err("`becomes` is a list of events".to_owned()),
    };
    let note = match json.get("note") {
        None => None,
        Some(Json::Text(note)) => Some(note.clone()),
        Some(_) => return Err("`note` is a text".to_owned()),
    };
    Ok(Line { at, event, version, payload, next: json.get("next").cloned(), becomes, note })
}

fn read_head(json: &Json) -> Result<(String, u32, Json), String> {
    let event = json.get("event").and_then(Json::as_text).ok_or("`event` is missing: the event's stored name")?;
    let version = match json.get("version") {
        Some(Json::Number(digits)) => digits.parse().ok(),
        _ => None,
    };
    let version = version.ok_or("`version` is missing: a number")?;
    let payload = json.get("payload").ok_or("`payload` is missing: what is stored")?;
    Ok((event.to_owned(), version, payload.clone()))
}
