//! What the driver reports, as errors of the store.

use std::fmt::Display;
use std::io::ErrorKind;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use super::PostgresOptions;
use crate::error::{StartError, StoreError};
use crate::store::AppendError;

/// What a database operation gives before it is told to a caller.
pub(super) type SqlResult<T> = Result<T, sqlx::Error>;

/// SQLSTATE codes that decide what is done next. Source: appendix A of the Postgres manual.
mod code {
    pub(super) const READ_ONLY: &str = "25006";
    pub(super) const UNSUPPORTED: &str = "0A000";
    pub(super) const UNIQUE: &str = "23505";
    pub(super) const SERIALIZATION: &str = "40001";
    pub(super) const DEADLOCK: &str = "40P01";
    pub(super) const LOCK_TIMEOUT: &str = "55P03";
    pub(super) const CANCELED: &str = "57014";
    pub(super) const NO_RIGHTS: &str = "42501";
    pub(super) const NO_DATABASE: &str = "3D000";
    pub(super) const WRONG_PASSWORD: [&str; 2] = ["28P01", "28000"];
    pub(super) const DISK_FULL: &str = "53100";
    pub(super) const FAILED: &str = "25P02";
    pub(super) const NONE: &str = "25P01";
    pub(super) const LIMIT: &str = "54000";
    pub(super) const CONNECTIONS: &str = "53300";
    /// Of connections, and whether something was done: said by whoever stands before the server. That a message is none is said of the
    /// client.
    pub(super) fn leaves_open(code: &str) -> bool {
        code == "40003" || (code.starts_with("08") && code != "08P01")
    }
    /// Of who may log in, and to what.
    pub(super) fn keeps_out(code: &str) -> bool {
        code.starts_with("28") || code.starts_with("3D")
    }
    /// Data, constraints, a limit of the program.
    const REFUSED_VALUES: [&str; 3] = ["22", "23", LIMIT];
    pub(super) fn refuses_values(code: &str) -> bool {
        REFUSED_VALUES.iter().any(|class| code.starts_with(class))
    }
    /// A statement that another session has prepared, or has not.
    pub(super) const OTHER_SESSION: [&str; 2] = ["26000", "42P05"];
}

/// What has to be written where transactions of one connection run in several sessions.
const BEHIND_POOLER: &str = "a pooler in transaction mode seems to be between: add `pooler=transaction` to the URL";

/// No connection could be made: so nothing was sent, whatever the error is that says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoConnection(sqlx::Error);

pub(super) fn no_connection(why: sqlx::Error) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(NoConnection(why)))
}

/// Why no connection could be made.
fn unconnected(error: &sqlx::Error) -> Option<&sqlx::Error> {
    match error {
        sqlx::Error::AnyDriverError(error) => error.downcast_ref::<NoConnection>().map(|NoConnection(why)| why),
        _ => None,
    }
}

fn told_by_server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    match unconnected(error).unwrap_or(error) {
        sqlx::Error::Database(error) => error.try_downcast_ref(),
        _ => None,
    }
}

fn code_of(error: &sqlx::Error) -> Option<&str> {
    told_by_server(error).map(PgDatabaseError::code)
}

/// Whether the connection is gone, or is about to be: what was asked on it may be done or not.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        _ if unconnected(error).is_some() => false,
        // A server that fails at a commit, or a pooler that has lost it, says so and gives the connection up.
        error => told_by_server(error).is_some_and(|told| {
            matches!(told.severity(), PgSeverity::Fatal | PgSeverity::Panic) || code::leaves_open(told.code())
        }),
    }
}

/// Whether the session may only read: perhaps this one alone, which began while that held for all, or before the server was demoted.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    match code_of(error) {
        // A standby has no unlogged tables.
        Some(code::UNSUPPORTED) => plain(error).contains("during recovery"),
        code => code == Some(code::READ_ONLY),
    }
}

/// Whether somebody else held what it needed for too long.
pub(super) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    code_of(error) == Some(code::LOCK_TIMEOUT)
}

/// Whether the user may not do it.
pub(super) fn is_forbidden(error: &sqlx::Error) -> bool {
    code_of(error) == Some(code::NO_RIGHTS)
}

/// Whether it is a value that no column, index or table takes, however often it is tried.
pub(super) fn is_unstorable(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(code::refuses_values)
}

/// What the server said, or the driver.
pub(super) fn plain(error: &sqlx::Error) -> String {
    match unconnected(error).unwrap_or(error) {
        // The driver's own words before it say nothing more.
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// The driver's error, and what the store was doing.
pub(super) fn driver(context: &'static str, error: &sqlx::Error) -> StoreError {
    let told = |message: String, transient| StoreError::Driver { context, message, transient };
    let plain = plain(error);
    let (error, connected) = unconnected(error).map_or((error, true), |why| (why, false));
    match code_of(error) {
        Some(_) if is_read_only(error) && ["standby", "recovery"].iter().any(|word| plain.contains(word)) => {
            told(format!("{plain}: connect to the primary"), true)
        }
        // A server that was demoted, or is full; or a setting.
        Some(_) if is_read_only(error) => {
            told(format!("{plain}: connect to the primary, or take `default_transaction_read_only` out of its settings"), true)
        }
        Some(code::NO_RIGHTS) => told(format!("{plain}: grant it to the user of the URL, or take another one"), false),
        Some(code::DISK_FULL) => told(format!("{plain}: the server's disk is full"), true),
        Some(code::CONNECTIONS) => told(
            format!(
                "{plain}: raise `max_connections` of the server, or the `connection limit` of the role or of the database, or lower \
                     `connections_max` of its clients"
            ),
            true,
        ),
        Some(code::LOCK_TIMEOUT) => {
            told(format!("{plain}: somebody's transaction is still open that holds what this needs"), true)
        }
        Some(code::CANCELED) => told(format!("{plain}: a time-out of the server, or somebody who cancelled it"), true),
        Some(code::FAILED | code::NONE) => {
            told("the transaction has failed before, and nothing of it is stored: see the first error".to_owned(), false)
        }
        Some(code::LIMIT) if plain.starts_with("index row") => {
            told(format!("{plain}: what rows are found by, such as a key, may have 2,600 bytes or so"), false)
        }
        Some(code) if code::OTHER_SESSION.contains(&code) => told(format!("{plain}: {BEHIND_POOLER}"), false),
        Some(code) => {
            // Connections, resources, an operator's intervention, the system: they pass.
            let ended = is_lost(error) && !code::keeps_out(code);
            let transient = ended || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class));
            told(format!("{plain} (SQLSTATE {code})"), transient)
        }
        None => match error {
            sqlx::Error::PoolClosed => StoreError::Closed,
            sqlx::Error::PoolTimedOut => told(
                "no connection became free in time, or the server takes none: raise `connections_max` or `connection_wait_max_s`"
                    .to_owned(),
                true,
            ),
            sqlx::Error::Io(_) if !connected => {
                told(format!("no connection can be made: {plain}: see whether the server is running"), true)
            }
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                told(format!("the connection was lost: {plain}: see whether the server is running"), true)
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Damaged(format!("{context}: {error}: restore the database from a backup"))
            }
            _ => told(plain, false),
        },
    }
}

/// Adds what the store was doing.
pub(super) trait While<T> {
    fn during(self, context: &'static str) -> Result<T, StoreError>;
}

impl<T> While<T> for SqlResult<T> {
    fn during(self, context: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| driver(context, &error))
    }
}

/// What an error means for an append that was sent.
pub(super) enum Sent {
    /// Somebody else was faster, or in the way: it is worth another look at what is stored now.
    Raced(AppendError),
    /// Somebody's transaction is open that has to end first.
    Blocked(AppendError),
    /// Nothing was stored.
    Refused(AppendError),
    /// Nobody knows.
    Unknown(AppendError),
}

/// What an error means that came for statements that were sent.
pub(super) fn sent(context: &'static str, error: &sqlx::Error) -> Sent {
    let told = driver(context, error);
    match (error, code_of(error)) {
        _ if is_lost(error) => Sent::Unknown(AppendError::UnknownOutcome(told)),
        (_, Some(code::UNIQUE | code::SERIALIZATION | code::DEADLOCK)) => Sent::Raced(told.into()),
        (_, Some(code::LOCK_TIMEOUT)) => Sent::Blocked(told.into()),
        // A server that says no has stored nothing; one that is silent may have.
        _ if unconnected(error).is_some() => Sent::Refused(told.into()),
        (_, Some(_)) | (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Encode(_), _) => {
            Sent::Refused(told.into())
        }
        _ => Sent::Unknown(AppendError::UnknownOutcome(told)),
    }
}

impl Sent {
    /// The error for whoever gave the append.
    pub(super) fn into_error(self) -> AppendError {
        match self {
            Sent::Raced(error) | Sent::Blocked(error) | Sent::Refused(error) | Sent::Unknown(error) => error,
        }
    }
}

/// Why a database could not be opened.
pub(super) fn opening(options: &PostgresOptions, error: &sqlx::Error) -> StartError {
    let context = "opening the database";
    let error = unconnected(error).unwrap_or(error);
    let (connect, told) = (&options.connect, driver(context, error));
    let place = match connect.get_socket() {
        Some(socket) => format!("{}, port {}", socket.display(), connect.get_port()),
        None => format!("{}:{}", connect.get_host(), connect.get_port()),
    };
    let (user, database) = (connect.get_username(), connect.get_database().unwrap_or(connect.get_username()));
    let by_socket = connect.get_socket().is_some() || connect.get_host().starts_with('/');
    let mut transient = false;
    let why = match code_of(error) {
        Some(code) if code::WRONG_PASSWORD.contains(&code) => {
            format!("`{user}` may not log in at {place}: check user and password of the URL, and `pg_hba.conf`: {}", plain(error))
        }
        Some(code::NO_DATABASE) => {
            format!(
                "there is no database `{database}` at {place}: make it, such as by `createdb {database}`, or name another one"
            )
        }
        Some(_) if plain(error).contains("startup parameter") => {
            let cure = if options.transaction_pooler { "take that out of the URL" } else { BEHIND_POOLER };
            format!("{place}: {}: {cure}", plain(error))
        }
        Some(_) => return told.into(),
        None => match error {
            // The driver's word for what the other side's certificate is not.
            sqlx::Error::Io(why) if why.kind() == ErrorKind::InvalidData => encrypted(&place, why),
            sqlx::Error::Tls(why) => encrypted(&place, why),
            sqlx::Error::Io(why) if why.kind() == ErrorKind::NotFound && !by_socket => {
                format!("a file is not there that the URL names: see `sslrootcert`, `sslcert` and `sslkey`: {why}")
            }
            sqlx::Error::Io(why) => {
                transient = true;
                format!("no server can be reached at {place}: {why}: is it running, and is the URL right?")
            }
            sqlx::Error::PoolTimedOut => {
                transient = true;
                format!("the server at {place} did not answer in time: is it a Postgres, and is it well?")
            }
            _ => return told.into(),
        },
    };
    StoreError::Driver { context, message: why, transient }.into()
}

fn encrypted(place: &str, why: &dyn Display) -> String {
    format!("no encrypted connection to {place}: {why}: see `sslmode` and `sslrootcert`")
}
