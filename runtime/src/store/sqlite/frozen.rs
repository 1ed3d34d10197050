//! Reading a file in a folder that can't be written, for example on a read-only mount.
//!
//! SQLite reads a file with a log only by way of the `-shm` file beside it, which it can't create
//! there. If the app that wrote has closed the file in order, there is no log, and SQLite can read
//! the file without any lock, as one that nobody changes (`immutable=1`). That is right only as
//! long as it holds: somewhere else the same folder may be mounted for writing. So before and after
//! each read the file must be as it was, without a log. A writer makes its log before it changes
//! the file.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::errors::While;
use super::file::beside;
use super::identity::FileId;
use crate::error::StoreError;

/// A file as it must stay.
pub(super) struct Frozen {
    path: PathBuf,
    stamp: Stamp,
}

#[derive(PartialEq, Eq)]
struct Stamp {
    id: Option<FileId>,
    length: u64,
    modified: Option<SystemTime>,
}

impl Frozen {
    fn new(path: &Path) -> Option<Self> {
        Some(Frozen { path: path.to_owned(), stamp: stamp(path)? })
    }

    /// Whether the file is still the same.
    pub(super) fn holds(&self) -> bool {
        stamp(&self.path).is_some_and(|now| now == self.stamp)
    }
}

/// What the file is like; `None` if it has a log, or if a transaction was not finished in it.
fn stamp(path: &Path) -> Option<Stamp> {
    let now = path.metadata().ok()?;
    let is_there = |ending| beside(path, ending).metadata().is_ok_and(|file| file.len() > 0);
    let stamp = Stamp { id: FileId::of(&now), length: now.len(), modified: now.modified().ok() };
    (!is_there("-wal") && !is_there("-journal")).then_some(stamp)
}

/// Whether SQLite could not make the files that it needs beside this one.
pub(super) fn is_needed(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied))
}

/// Opens a file as one that nobody changes.
pub(super) fn open(path: &Path, shown: &str, flags: OpenFlags) -> Result<(Connection, Frozen), StoreError> {
    let context = "opening the file to read";
    let Some(frozen) = Frozen::new(path) else {
        let message = format!(
            "`{shown}` has a log (`{shown}-wal`) that must be read first, and its folder can't be written: copy both files to a \
            folder that can be written, or open the file there for writing once"
        );
        return Err(StoreError::Driver { context, message, transient: false });
    };
    let connection = Connection::open_with_flags(uri(path), flags | OpenFlags::SQLITE_OPEN_URI).during(context)?;
    Ok((connection, frozen))
}

pub(super) fn changed(shown: &str) -> StoreError {
    let message = format!("`{shown}` was changed while it was read, and its folder can't hold SQLite's lock: read it again");
    StoreError::Driver { context: "reading", message, transient: true }
}

fn uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(uri, "%{byte:02x}");
        }
    }
    uri + "?immutable=1"
}
