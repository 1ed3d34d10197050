//! What a writer says: a line each. Lines are whole or not there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gesta::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is connected, and waits for a line before it begins.
    Ready,
    /// This event was acknowledged.
    Stored { id: Uuid, stream: String, version: u64 },
    /// This event was rolled back, or its append refused.
    Undone { id: Uuid },
    /// The longest time between two acknowledgements of one writer.
    Pause { longest: Duration },
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Ready => write!(f, "ready"),
            Said::Stored { id, stream, version } => write!(f, "stored {id} {stream} {version}"),
            Said::Undone { id } => write!(f, "undone {id}"),
            Said::Pause { longest } => write!(f, "pause {}", longest.as_micros()),
        }
    }
}

impl FromStr for Said {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ready"] => Ok(Said::Ready),
            ["stored", id, stream, version] => {
                let (id, version) = (id.parse().map_err(drop)?, version.parse().map_err(drop)?);
                Ok(Said::Stored { id, stream: stream.to_owned(), version })
            }
            ["undone", id] => Ok(Said::Undone { id: id.parse().map_err(drop)? }),
            ["pause", micros] => Ok(Said::Pause { longest: Duration::from_micros(micros.parse().map_err(drop)?) }),
            _ => Err(()),
        }
    }
}
