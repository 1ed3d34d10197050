//! The names of streams, and the ids of aggregates they are made of.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// Why a text can't be an id, and so not part of a stream's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// It is empty.
    #[error("an id can't be empty")]
    Empty,
    /// It is longer than [`StreamName::ID_BYTES_MAX`].
    #[error("an id has at most {max} bytes, this one has {bytes}", max = StreamName::ID_BYTES_MAX)]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It holds a control character, such as a line break or a NUL.
    #[error("an id can't hold the control character {0:?}")]
    ControlCharacter(char),
    /// The text is not what this kind of id is made of.
    #[error("`{text}` is not a valid `{kind}`")]
    Malformed {
        /// The text.
        text: String,
        /// The type of the id.
        kind: &'static str,
    },
}

/// What names one aggregate: made, shown and parsed, and never something that can't be a stream's name.
///
/// `#[id]` makes one of a newtype; `Uuid` and the integers are ids as they are.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the id of an aggregate",
    label = "used as the id of an aggregate",
    note = "declare one: `#[id] pub struct AccountId(String);`, around a `String`, a `Uuid` or an integer"
)]
pub trait AggregateId: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static {
    /// Writes the id as text; [`parse`](AggregateId::parse) reads it back.
    fn write(&self, text: &mut String);
    /// Reads an id.
    ///
    /// # Errors
    /// [`InvalidId`] where the text is none.
    fn parse(text: &str) -> Result<Self, InvalidId>;
}

macro_rules! plain_ids {
    ($($t:ty),*) => { $(impl AggregateId for $t {
        fn write(&self, text: &mut String) {
            use fmt::Write as _;
            // Writing to a string can't fail.
            let _ = write!(text, "{self}");
        }
        fn parse(text: &str) -> Result<Self, InvalidId> {
            text.parse().map_err(|_| InvalidId::Malformed { text: text.to_owned(), kind: stringify!($t) })
        }
    })* };
}
plain_ids!(u32, u64, i32, i64, uuid::Uuid);

/// The name of one stream: the name of its aggregate and the id of the one it belongs to, shown as `Account-ACC-1`.
///
/// Always true: the aggregate's name is not empty and holds no `-`; the id is not empty, has at most
/// [`ID_BYTES_MAX`](StreamName::ID_BYTES_MAX) bytes and no control character. Cloning copies a pointer.
#[derive(Clone)]
pub struct StreamName {
    text: Arc<str>,
    /// Bytes of the aggregate's name.
    split: usize,
}

impl StreamName {
    /// The longest id, in bytes.
    pub const ID_BYTES_MAX: usize = 255;

    /// The stream of the aggregate `aggregate` with this id.
    ///
    /// # Errors
    /// [`InvalidId`] where the id's text can't be part of a name.
    pub fn new(aggregate: &str, id: &impl AggregateId) -> Result<Self, InvalidId> {
        let mut text = String::with_capacity(aggregate.len() + 40);
        text.push_str(aggregate);
        text.push('-');
        id.write(&mut text);
        let split = aggregate.len();
        Self::check_id(&text[split + 1..])?;
        Ok(StreamName { text: text.into(), split })
    }

    /// Reads a name as it is shown.
    ///
    /// # Errors
    /// [`InvalidId`] where the text is no name of a stream.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let split = text.find('-').filter(|at| *at > 0);
        let split = split.ok_or_else(|| InvalidId::Malformed { text: text.to_owned(), kind: "StreamName" })?;
        Self::check_id(&text[split + 1..])?;
        Ok(StreamName { text: text.into(), split })
    }

    /// Whether a text can be an id.
    ///
    /// # Errors
    /// [`InvalidId`] says why not.
    pub fn check_id(id: &str) -> Result<(), InvalidId> {
        if id.is_empty() {
            return Err(InvalidId::Empty);
        }
        if id.len() > Self::ID_BYTES_MAX {
            return Err(InvalidId::TooLong { bytes: id.len() });
        }
        match id.chars().find(|c| c.is_control()) {
            Some(c) => Err(InvalidId::ControlCharacter(c)),
            None => Ok(()),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The name of the aggregate.
    pub fn aggregate(&self) -> &str {
        &self.text[..self.split]
    }
    /// The id, as text.
    pub fn id(&self) -> &str {
        &self.text[self.split + 1..]
    }
}

impl PartialEq for StreamName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for StreamName {}
impl PartialOrd for StreamName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for StreamName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl Hash for StreamName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl std::borrow::Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.text
    }
}
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}
impl FromStr for StreamName {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_where_it_was_joined() {
        let name = StreamName::new("Account", &-7i64).unwrap();
        assert_eq!((name.as_str(), name.aggregate(), name.id()), ("Account--7", "Account", "-7"));
        assert_eq!(StreamName::parse("Account--7").unwrap(), name);
    }

    #[test]
    fn what_can_not_be_a_name_is_refused() {
        assert_eq!(StreamName::parse("Account-"), Err(InvalidId::Empty));
        assert_eq!(StreamName::parse("Account-a\nb"), Err(InvalidId::ControlCharacter('\n')));
        assert_eq!(StreamName::parse(&format!("A-{}", "x".repeat(256))), Err(InvalidId::TooLong { bytes: 256 }));
        assert!(StreamName::parse("Account").is_err());
        assert!(StreamName::parse("-1").is_err());
    }
}
