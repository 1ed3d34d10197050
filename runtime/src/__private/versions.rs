//! The earlier versions of an event, as generated code hands them on.

use core::fmt::Display;

use super::same;
use crate::error::{DecodeError, UpcastError};
use crate::event::{EventInfo, EventVersion};
use crate::schema::text::Text;

/// An earlier version of an event.
pub trait Past: Sized {
    /// The version after it.
    type Next;
    /// The current version.
    type Today;
    /// Becomes the version after it.
    fn next(self) -> Result<Self::Next, DecodeError>;
    /// Becomes the current version.
    fn today(self) -> Result<Self::Today, DecodeError>;
}

/// An event of which one version is made of an explicit struct, as `#[converted]` above it says.
pub trait MadeFrom<Old>: Sized {
    /// That version.
    type Made;
    /// Makes it.
    fn made(old: Old) -> Result<Self::Made, DecodeError>;
}

/// The value of a field in the next version, or why there is none.
pub fn step<T, E: Display>(event: &'static str, from: u32, field: &'static str, made: Result<T, E>) -> Result<T, UpcastError> {
    made.map_err(|why| UpcastError { event, from, field, why: why.to_string() })
}

/// A step that could not be made.
pub fn step_failed(error: UpcastError) -> DecodeError {
    error.into()
}

/// The next version made of a whole struct, or why there is none.
pub fn whole_step<T, E: Display>(name: &'static str, from: u32, made: Result<T, E>) -> Result<T, DecodeError> {
    made.map_err(|why| DecodeError::Step { name, from, why: why.to_string(), start: String::new() })
}

/// The versions of an explicit struct, of which the last becomes the next one by `advance`, and those after it.
pub const fn versions<const ABOVE: usize, const ALL: usize>(
    below: &[EventVersion],
    advance: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    above: [EventVersion; ABOVE],
) -> [EventVersion; ALL] {
    let mut all = [above[0]; ALL];
    let mut i = 0;
    while i < ALL {
        all[i] = if i < below.len() { below[i] } else { above[i - below.len()] };
        if i + 1 == below.len() {
            all[i].advance = advance;
        }
        i += 1;
    }
    all
}

/// Fails to compile where a struct, shown as `old`, is not the version `before` of the event that is stored as `name`. One
/// that is no event at all has been reported.
#[track_caller]
pub const fn is_version_before(event: &str, name: &str, before: u32, old: &str, found: EventInfo) {
    if same(found.name, "") {
        return;
    }
    let mut text = Text::<512>::new();
    if !same(found.name, name) {
        text.push_all(&[
            "`",
            old,
            "` is stored as `",
            found.name,
            "`, and `",
            event,
            "` as `",
            name,
            "`: all versions of an event have one name; write `#[event(name = \"",
            name,
            "\")]` on `",
            old,
            "`",
        ]);
    } else if found.version != before {
        text.push_all(&["`", old, "` is version "]);
        text.push_number(found.version as u64);
        text.push_all(&[" of `", name, "`, so version "]);
        text.push_number(found.version as u64 + 1);
        text.push_all(&[" is made of it: write `#[converted("]);
        text.push_number(found.version as u64 + 1);
        text.push_all(&[", ..)]`, or `#[event(version = "]);
        text.push_number(before as u64);
        text.push_all(&[")]` on `", old, "`"]);
    } else {
        return;
    }
    panic!("{}", text.as_str());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Node;

    fn version(version: u32) -> EventVersion {
        EventVersion { version, node: Node::Bool, changes: &[], logic: 0, advance: |_| Ok(b"itself".to_vec()) }
    }

    #[test]
    fn the_versions_of_an_explicit_struct_come_first_and_the_last_becomes_the_next_one() {
        let all = versions::<2, 4>(&[version(1), version(2)], |_| Ok(b"next".to_vec()), [version(3), version(4)]);
        assert_eq!(all.map(|version| version.version), [1, 2, 3, 4]);
        assert_eq!(all.map(|version| (version.advance)(b"").unwrap()), [&b"itself"[..], b"next", b"itself", b"itself"]);
    }
}
