//! Files by what they are, not by their names: a file that is open is told from one that was put in
//! its place.

use std::fs::Metadata;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;

/// Device and inode. Windows removes no file that is open, so nothing is needed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(FileId { device: metadata.dev(), inode: metadata.ino() })
    }
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

/// A file of the store, as it was when the store opened it.
pub(super) struct Watched {
    path: PathBuf,
    id: Option<FileId>,
}

impl Watched {
    /// The file that has this path now.
    pub(super) fn new(path: PathBuf) -> std::io::Result<Self> {
        let id = FileId::of(&path.metadata()?);
        Ok(Watched { path, id })
    }

    pub(super) fn id(&self) -> Option<FileId> {
        self.id
    }

    /// The file's length in bytes; `None` if the file system does not say.
    ///
    /// # Errors
    /// [`StoreError::FileReplaced`] if the path leads to another file or to none.
    pub(super) fn length(&self) -> Result<Option<u64>, StoreError> {
        match self.path.metadata() {
            Ok(now) if self.id.is_none() || FileId::of(&now) == self.id => Ok(Some(now.len())),
            Err(error) if error.kind() != ErrorKind::NotFound => Ok(None),
            _ => Err(StoreError::FileReplaced { file: self.path.display().to_string() }),
        }
    }
}

/// The database files that SQLite has open in this process.
///
/// POSIX drops all of a process's locks on a file as soon as the process closes any descriptor of
/// it. So nothing here may read a database file by itself while a store has it open: SQLite's locks
/// would be gone, and another program that closes the file would remove the log under the store.
static OPEN: Mutex<Vec<FileId>> = Mutex::new(Vec::new());

fn open_files() -> MutexGuard<'static, Vec<FileId>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that SQLite has a file open; dropped after the connection.
pub(super) struct OpenHere(Option<FileId>);

impl OpenHere {
    pub(super) fn new(id: Option<FileId>) -> Self {
        open_files().extend(id);
        OpenHere(id)
    }
}

impl Drop for OpenHere {
    fn drop(&mut self) {
        let mut open = open_files();
        if let Some(at) = open.iter().position(|id| Some(*id) == self.0) {
            open.swap_remove(at);
        }
    }
}

/// The first bytes of a file; `None` if a store of this process has it open, which has read them.
pub(super) fn read_header(path: &Path, bytes: usize) -> std::io::Result<Option<Vec<u8>>> {
    // Kept until the descriptor is closed.
    let open = open_files();
    if FileId::of(&path.metadata()?).is_some_and(|id| open.contains(&id)) {
        return Ok(None);
    }
    let mut header = Vec::with_capacity(bytes);
    std::fs::File::open(path)?.take(bytes as u64).read_to_end(&mut header)?;
    Ok(Some(header))
}
