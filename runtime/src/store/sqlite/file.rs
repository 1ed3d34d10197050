//! Opening a file: what is not ours is never touched, and one app at a time writes to what is.
//!
//! In this order: the file is looked at without SQLite, the lock on the side file is taken, the file is looked at again (a
//! creation elsewhere may have ended meanwhile), and only then does SQLite open it. A new store is made in one transaction
//! with a rollback journal, so that a crash leaves a store or nothing.
//!
//! From then on the store is the file that was opened, and not whatever has its path: if the path
//! leads elsewhere, the store stops.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::errors::While;
use super::frozen::{self, Frozen};
use super::identity::{OpenHere, Watched, read_header};
use super::locks;
use super::log::LOG_BYTES;
use super::options::{SqliteMode, SqliteOptions, Synchronous};
use super::schema;
use crate::error::{StartError, StoreError};

/// A file that was opened, and how to open more connections to it.
pub(super) struct StoreFile {
    path: PathBuf,
    /// The path as it was given, for messages.
    pub(super) shown: String,
    mode: SqliteMode,
    synchronous: Synchronous,
    database: Watched,
    /// Why the store has stopped for good.
    stopped: OnceLock<StoreError>,
}

/// The lock of the one app that writes; the operating system lets go of it when the process ends, however it ends.
pub(super) struct WriteLock(File);

impl Drop for WriteLock {
    fn drop(&mut self) {
        // Closing alone would not do if a child of this process has just been forked and holds the
        // descriptor until its `exec`.
        let _ = self.0.unlock();
    }
}

/// How long a connection waits for another program that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most prepared statements a connection keeps; a read model has about a dozen.
const STATEMENTS_MAX: usize = 256;

/// Opens for writing.
pub(super) fn open_for_writing(options: &SqliteOptions) -> Result<(StoreFile, WriteLock, Connection, OpenHere), StartError> {
    let shown = shown(options)?;
    let path = resolve(&options.path).map_err(|error| no_access(&shown, &error))?;
    let found = look(&path, &shown)?;
    if found == Found::Nothing && options.mode == SqliteMode::ReadWrite {
        return Err(StartError::NoSuchFile { file: shown });
    }
    let lock = lock(&path, &shown)?;
    if look(&path, &shown)? == Found::Nothing {
        create(&path).map_err(|error| no_access(&shown, &error))?;
    }
    let file = StoreFile::new(path, shown, options)?;
    let open = file.open_here();
    let connection = file.begin_writing().map_err(|why| file.explain_start(why))?;
    warn_of_copy(found, &file.shown, &connection);
    Ok((file, lock, connection, open))
}

/// Opens for reading.
pub(super) fn open_for_reading(options: &SqliteOptions) -> Result<StoreFile, StartError> {
    let shown = shown(options)?;
    let path = resolve(&options.path).map_err(|error| no_access(&shown, &error))?;
    let found = look(&path, &shown)?;
    if found == Found::Nothing {
        return Err(StartError::NoSuchFile { file: shown });
    }
    let file = StoreFile::new(path, shown, options)?;
    let _open = file.open_here();
    let (connection, _) = file.reader().map_err(|why| file.explain(why))?;
    if schema::is_empty(&connection).during("opening the file")? {
        return Err(StartError::NotOurs { file: file.shown, why: "it is empty: open it for writing first".to_owned() });
    }
    check_mark(schema::mark(&connection).during("opening the file")?, &file.shown)?;
    warn_of_copy(found, &file.shown, &connection);
    Ok(file)
}

/// A file that was copied while an app had it open lacks what was in the log. Nothing in it tells
/// it from one that was closed in order, so whoever copied it is told what it holds.
fn warn_of_copy(found: Found, shown: &str, connection: &Connection) {
    if found == Found::WithoutLock {
        let sql = "SELECT coalesce(max(position), 0), coalesce(max(recorded_at), 0) FROM gesta_events \
            WHERE position = (SELECT max(position) FROM gesta_events)";
        let last = connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let (last_position, recorded_at) = last.unwrap_or_default();
        tracing::warn!(
            file = shown,
            last_position,
            recorded_at = %crate::Timestamp::from_micros(recorded_at),
            "the file was copied or moved here without a `-wal` file: if an app had it open then, later events are missing; \
            copy the `-wal` file too, or back up with `VACUUM INTO`"
        );
    }
}

/// The path for messages. One that ends as a folder's does is refused: without its end, it would be
/// another path.
fn shown(options: &SqliteOptions) -> Result<String, StartError> {
    let shown = options.path.display().to_string();
    if ends_as_folder(&shown) {
        let why = "the path ends as a folder's: add the name of the file".to_owned();
        return Err(StartError::NotOurs { file: shown, why });
    }
    Ok(shown)
}

/// Whether a path can only lead to a folder.
pub(super) fn ends_as_folder(path: &str) -> bool {
    matches!(path.rsplit(std::path::is_separator).next(), Some("" | "." | ".."))
}

/// Creates an empty file that its owner alone can read. SQLite gives the files beside it the same
/// permissions.
fn create(path: &Path) -> std::io::Result<()> {
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}
#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

impl StoreFile {
    fn new(path: PathBuf, shown: String, options: &SqliteOptions) -> Result<Self, StartError> {
        let database = Watched::new(path.clone()).map_err(|error| no_access(&shown, &error))?;
        let (mode, synchronous) = (options.mode, options.synchronous);
        Ok(StoreFile { path, shown, mode, synchronous, database, stopped: OnceLock::new() })
    }

    /// The first connection that writes. It creates the store, or brings it to this build's format.
    fn begin_writing(&self) -> Result<Connection, StartError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).during("opening the file")?;
        configure(&connection).during("opening the file")?;
        if connection.is_readonly("main").during("opening the file")? {
            return Err(no_access(&self.shown, &ErrorKind::PermissionDenied.into()));
        }
        if schema::is_empty(&connection).during("opening the file")? {
            // The largest of what is tried: whatever the caller chose, a store is there or not.
            connection.execute_batch("PRAGMA synchronous = FULL").during("creating the store")?;
            schema::create(&connection).during("creating the store")?;
        }
        let (application, format) = schema::mark(&connection).during("opening the file")?;
        check_mark((application, format), &self.shown)?;
        if format < schema::FORMAT {
            tracing::info!(file = self.shown, from = format, to = schema::FORMAT, "the file is brought to this build's format");
            schema::migrate(&connection, format).during("bringing the file to this format")?;
        }
        self.make_writer(&connection).during("opening the file")?;
        let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).during("opening the file")?;
        if journal != "wal" {
            let error = std::io::Error::other("its file system can't hold a write-ahead log");
            return Err(no_access(&self.shown, &error));
        }
        Ok(connection)
    }

    /// To be kept for as long as a connection to the file is open.
    pub(super) fn open_here(&self) -> OpenHere {
        OpenHere::new(self.database.id())
    }

    /// One more connection that reads; if nothing can be written beside the file, what must not
    /// change meanwhile.
    pub(super) fn reader(&self) -> Result<(Connection, Option<Frozen>), StoreError> {
        let context = "opening the file to read";
        self.check_stopped()?;
        // Else this connection would be one to another file. An empty one is told to be empty by
        // whoever opens it.
        self.or_stop(self.database.length())?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            make_reader(&connection)?;
            // SQLite opens the log with the first read.
            schema::is_empty(&connection)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok((connection, None)),
            Err(error) if self.mode == SqliteMode::ReadOnly && frozen::is_needed(&error) => {
                let (connection, frozen) = frozen::open(&self.path, &self.shown, flags)?;
                make_reader(&connection).during(context)?;
                Ok((connection, Some(frozen)))
            }
            Err(error) => Err(error).during(context),
        }
    }

    /// One more connection that writes, in place of one that broke.
    pub(super) fn writer(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        self.make_writer(&connection)?;
        Ok(connection)
    }

    /// Lets a connection wait for other programs' locks.
    pub(super) fn wait_for_locks(connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)
    }

    /// Whether the store has stopped.
    pub(super) fn check_stopped(&self) -> Result<(), StoreError> {
        self.stopped.get().cloned().map_or(Ok(()), Err)
    }

    /// Whether the path still leads to the file; if not, the store stops.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.check_stopped()?;
        let length = self.or_stop(self.database.length())?;
        // A database is never shorter than its first page, whoever makes it smaller by a `VACUUM`.
        if length.is_some_and(|length| length < PAGE_BYTES_MIN) {
            return self.or_stop(Err(StoreError::FileReplaced { file: self.path.display().to_string() }));
        }
        Ok(())
    }

    /// The same before a read. An app that writes looks after each commit instead.
    pub(super) fn check_before_read(&self) -> Result<(), StoreError> {
        if self.mode == SqliteMode::ReadOnly { self.check() } else { self.check_stopped() }
    }

    /// Stops the store for good if a file of it was replaced.
    pub(super) fn or_stop<T>(&self, looked: Result<T, StoreError>) -> Result<T, StoreError> {
        looked.inspect_err(|why| {
            if self.stopped.set(why.clone()).is_ok() {
                tracing::error!(file = self.shown, %why, "the store has stopped");
            }
        })
    }

    /// The path of a file beside this one.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        beside(&self.path, ending)
    }

    /// An error of the store; if another program has the file locked, with what to do about it.
    pub(super) fn explain(&self, why: StoreError) -> StoreError {
        // What is transient is a lock that was not let go of in time.
        let StoreError::Driver { context, message, transient: true } = why else { return why };
        let mut who = self.database.id().map_or_else(Vec::new, |id| locks::holders(id, locks::DATABASE, true));
        if let Some(id) = Watched::new(self.beside("-shm")).ok().and_then(|shm| shm.id()) {
            who.extend(locks::holders(id, locks::WRITER, true));
        }
        let who = if who.is_empty() { "another program".to_owned() } else { who.join(", ") };
        let message = format!(
            "{message}: {who} holds the lock of `{}` and did not release it within {} s: end its transaction, and let no other \
            program write to this file",
            self.shown,
            BUSY_TIMEOUT.as_secs()
        );
        StoreError::Driver { context, message, transient: true }
    }

    fn explain_start(&self, why: StartError) -> StartError {
        match why {
            StartError::Store(why) => self.explain(why).into(),
            why => why,
        }
    }

    fn make_writer(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch(match self.synchronous {
            Synchronous::Full => "PRAGMA synchronous = FULL",
            Synchronous::Normal => "PRAGMA synchronous = NORMAL",
        })?;
        // 64 MiB: the upper pages of the stream index stay in memory.
        connection.execute_batch("PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;")?;
        // `log.rs` does what SQLite would: by itself SQLite begins the log again only in a moment
        // without readers.
        connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
        connection.query_row(&format!("PRAGMA journal_size_limit = {LOG_BYTES}"), [], |_| Ok(()))
    }
}

fn make_reader(connection: &Connection) -> rusqlite::Result<()> {
    configure(connection)?;
    // 8 MiB: readers go through the file once, the system's own cache serves the rest.
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA query_only = ON;")
}

/// The path of a file beside another one.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    StoreFile::wait_for_locks(connection)?;
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
    let file = private(OpenOptions::new().create(true).truncate(false).write(true)).open(beside(path, ".lock"));
    let file = file.map_err(|error| no_access(&format!("{shown}.lock"), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(WriteLock(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse { file: shown.to_owned() }),
        Err(TryLockError::Error(error)) => Err(no_access(&format!("{shown}.lock"), &error)),
    }
}

/// A file as it was before it was opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Store,
    /// A store with a log mode but without a log, beside which no app has taken its lock yet.
    WithoutLock,
}

/// Looks at a file without touching it: whether it is there, and nothing that SQLite must not open for us.
fn look(path: &Path, shown: &str) -> Result<Found, StartError> {
    let not_ours = |why: &str| Err(StartError::NotOurs { file: shown.to_owned(), why: why.to_owned() });
    match path.metadata() {
        Ok(there) if there.is_dir() => return not_ours("it is a directory"),
        Ok(there) if !there.is_file() => return not_ours("it is no ordinary file"),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(no_access(shown, &error)),
    }
    let header = read_header(path, HEADER_BYTES).map_err(|error| no_access(shown, &error))?;
    let Some(header) = header else { return Ok(Found::Store) };
    if header.iter().all(|byte| *byte == 0) {
        // Nothing yet, or what a loss of power left of a creation: SQLite undoes that by the journal beside it, and where there
        // is none, zeros are nobody's store.
        return if header.is_empty() || beside(path, "-journal").exists() {
            Ok(Found::Store)
        } else {
            not_ours("it holds zeros only")
        };
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return not_ours("it is no SQLite database");
    }
    let number = |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    match (number(APPLICATION_ID_AT), number(USER_VERSION_AT)) {
        (Some(application), Some(format)) => {
            check_mark((application, format), shown)?;
            let has_log_mode = header.get(WRITE_VERSION_AT) == Some(&2);
            let alone = [".lock", "-wal"].iter().all(|ending| !beside(path, ending).exists());
            Ok(if has_log_mode && alone { Found::WithoutLock } else { Found::Store })
        }
        _ => not_ours("it ends within the header of a SQLite database"),
    }
}

// Where the header of a SQLite file holds what, see <https://sqlite.org/fileformat.html>.
const HEADER_BYTES: usize = 100;
const PAGE_BYTES_MIN: u64 = 512;
const WRITE_VERSION_AT: usize = 18;
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
        ErrorKind::ReadOnlyFilesystem => "mount its directory for writing, or open it with `?mode=ro`",
        ErrorKind::PermissionDenied => "grant this process the right to read and write it and its directory",
        _ => "check the path",
    };
    let message = format!("`{file}`: {error}: {help}");
    StoreError::Driver { context: "opening the file", message, transient: false }.into()
}
