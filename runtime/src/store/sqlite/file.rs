//! Opening a file: what is not ours is never touched, and one app at a time writes to what is.
//!
//! In this order: the file is looked at without SQLite, the lock on the side file is taken, the file is looked at again (a
//! creation elsewhere may have ended meanwhile), and only then does SQLite open it. A new store is made in one transaction
//! with a rollback journal, so that a crash leaves a store or nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::errors::While;
use super::options::{SqliteMode, SqliteOptions, Synchronous};
use super::schema;
use crate::error::{StartError, StoreError};

/// A file that was opened, and how to open more connections to it.
pub(super) struct StoreFile {
    path: PathBuf,
    synchronous: Synchronous,
}

/// The lock of the one app that writes; the operating system lets go of it when the process ends, however it ends.
pub(super) struct WriteLock(#[allow(dead_code, reason = "held, and released when it is dropped")] File);

/// How long a connection waits for another program that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most prepared statements a connection keeps; a read model has about a dozen.
const STATEMENTS_MAX: usize = 256;

/// Opens for writing.
pub(super) fn open_for_writing(options: &SqliteOptions) -> Result<(StoreFile, WriteLock, Connection), StartError> {
    let shown = options.path.display().to_string();
    let path = resolve(&options.path).map_err(|error| no_access(&shown, &error))?;
    if !look(&path, &shown)? && options.mode == SqliteMode::ReadWrite {
        return Err(StartError::NoSuchFile { file: shown });
    }
    let lock = lock(&path, &shown)?;
    look(&path, &shown)?;

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).during("opening the file")?;
    let file = StoreFile { path, synchronous: options.synchronous };
    configure(&connection).during("opening the file")?;
    if connection.is_readonly("main").during("opening the file")? {
        return Err(no_access(&shown, &ErrorKind::PermissionDenied.into()));
    }
    if schema::is_empty(&connection).during("opening the file")? {
        // The largest of what is tried: whatever the caller chose, a store is there or not.
        connection.execute_batch("PRAGMA synchronous = FULL").during("creating the store")?;
        schema::create(&connection).during("creating the store")?;
    }
    let (application, format) = schema::mark(&connection).during("opening the file")?;
    check_mark((application, format), &shown)?;
    if format < schema::FORMAT {
        tracing::info!(file = shown, from = format, to = schema::FORMAT, "the file is brought to this build's format");
        schema::migrate(&connection, format).during("bringing the file to this format")?;
    }
    file.make_writer(&connection).during("opening the file")?;
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).during("opening the file")?;
    if journal != "wal" {
        let error = std::io::Error::other("its file system can't hold a write-ahead log");
        return Err(no_access(&shown, &error));
    }
    Ok((file, lock, connection))
}

/// Opens for reading.
pub(super) fn open_for_reading(options: &SqliteOptions) -> Result<(StoreFile, Connection), StartError> {
    let shown = options.path.display().to_string();
    let path = resolve(&options.path).map_err(|error| no_access(&shown, &error))?;
    if !look(&path, &shown)? {
        return Err(StartError::NoSuchFile { file: shown });
    }
    let file = StoreFile { path, synchronous: options.synchronous };
    let connection = file.reader().during("opening the file")?;
    if schema::is_empty(&connection).during("opening the file")? {
        return Err(StartError::NotOurs { file: shown, why: "it is empty: open it for writing first".to_owned() });
    }
    check_mark(schema::mark(&connection).during("opening the file")?, &shown)?;
    Ok((file, connection))
}

impl StoreFile {
    /// One more connection that reads.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        // 8 MiB: readers go through the file once, the system's own cache serves the rest.
        connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA query_only = ON;")?;
        Ok(connection)
    }

    /// One more connection that writes, in place of one that broke.
    pub(super) fn writer(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        self.make_writer(&connection)?;
        Ok(connection)
    }

    fn make_writer(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch(match self.synchronous {
            Synchronous::Full => "PRAGMA synchronous = FULL",
            Synchronous::Normal => "PRAGMA synchronous = NORMAL",
        })?;
        // 64 MiB: the upper pages of the stream index stay in memory.
        connection.execute_batch("PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;")?;
        connection.query_row(&format!("PRAGMA wal_autocheckpoint = {WAL_PAGES}"), [], |_| Ok(()))?;
        connection.query_row(&format!("PRAGMA journal_size_limit = {WAL_BYTES_KEPT}"), [], |_| Ok(()))
    }
}

/// After how many pages of 4 KiB the write-ahead log is written back.
const WAL_PAGES: u32 = 4_000;
/// What is kept of a write-ahead log that grew while a reader held it up.
const WAL_BYTES_KEPT: u64 = 64 << 20;

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Else SQLite looks at what is bound to a `LIMIT`, and prepares the statement anew each time something else may be.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The file itself, so that every spelling of its path and every link to it leads to the same lock.
fn resolve(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match path.canonicalize() {
            Ok(path) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = parent.canonicalize()?;
        match parent.join(name).read_link() {
            // A link to a file that is not there yet.
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok(parent.join(name)),
        }
    }
    Err(std::io::Error::other("the links to it go round in a circle"))
}

/// As many links as operating systems follow.
const LINKS_MAX: usize = 40;

/// Takes the lock of the one app that writes.
fn lock(path: &Path, shown: &str) -> Result<WriteLock, StartError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
    let file = file.map_err(|error| no_access(&format!("{shown}.lock"), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(WriteLock(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse { file: shown.to_owned() }),
        Err(TryLockError::Error(error)) => Err(no_access(&format!("{shown}.lock"), &error)),
    }
}

/// Looks at a file without touching it: whether it is there, and nothing that SQLite must not open for us.
fn look(path: &Path, shown: &str) -> Result<bool, StartError> {
    let not_ours = |why: &str| Err(StartError::NotOurs { file: shown.to_owned(), why: why.to_owned() });
    match path.metadata() {
        Ok(there) if there.is_dir() => return not_ours("it is a directory"),
        Ok(there) if !there.is_file() => return not_ours("it is no ordinary file"),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(no_access(shown, &error)),
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let read = File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header));
    read.map_err(|error| no_access(shown, &error))?;
    if header.iter().all(|byte| *byte == 0) {
        // Nothing yet, or what a loss of power left of a creation: SQLite undoes that by the journal beside it, and where there
        // is none, zeros are nobody's store.
        let journal = PathBuf::from({
            let mut name = path.as_os_str().to_owned();
            name.push("-journal");
            name
        });
        return if header.is_empty() || journal.exists() { Ok(true) } else { not_ours("it holds zeros only") };
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return not_ours("it is no SQLite database");
    }
    let number = |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    match (number(APPLICATION_ID_AT), number(USER_VERSION_AT)) {
        (Some(application), Some(format)) => check_mark((application, format), shown).map(|()| true),
        _ => not_ours("it ends within the header of a SQLite database"),
    }
}

// Where the header of a SQLite file holds what, see <https://sqlite.org/fileformat.html>.
const HEADER_BYTES: usize = 100;
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;

fn check_mark((application, format): (u32, u32), shown: &str) -> Result<(), StartError> {
    if application != schema::APPLICATION_ID {
        let why = "it is a SQLite database of something else".to_owned();
        return Err(StartError::NotOurs { file: shown.to_owned(), why });
    }
    match format {
        1..=schema::FORMAT => Ok(()),
        0 => Err(StoreError::Damaged(format!("`{shown}` bears the mark of a store, but no format: restore it")).into()),
        found => Err(StartError::NewerFormat { file: shown.to_owned(), found, known: schema::FORMAT }),
    }
}

fn no_access(file: &str, error: &std::io::Error) -> StartError {
    let help = match error.kind() {
        ErrorKind::NotFound => "its directory is not there: create it first",
        ErrorKind::PermissionDenied => "grant this process the right to read and write it and its directory",
        _ => "check the path",
    };
    let message = format!("`{file}`: {error}: {help}");
    StoreError::Driver { context: "opening the file", message, transient: false }.into()
}
