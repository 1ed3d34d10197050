//! What the driver reports, as errors of the store.

use rusqlite::ErrorCode;

use crate::error::StoreError;

/// What a database operation gives before it is told to a caller.
pub(super) type SqlResult<T> = Result<T, rusqlite::Error>;

/// The driver's error, and what the store was doing.
pub(super) fn driver(context: &'static str, error: &rusqlite::Error) -> StoreError {
    let damaged = || StoreError::Damaged(format!("{context}: {error}: restore the file from a backup"));
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => damaged(),
            code => {
                let transient = matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked);
                StoreError::Driver { context, message: error.to_string(), transient }
            }
        },
        // The tables are strict and all of them ours: another type of value was put there by somebody else.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => damaged(),
        _ => StoreError::Driver { context, message: error.to_string(), transient: false },
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

/// Whether one append of a batch may be to blame, so that the others may succeed without it.
pub(super) fn blames_one(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, None | Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::Unknown))
}

/// Whether it is a value that no column or table takes, however often it is tried.
pub(super) fn is_unstorable(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch))
}

/// Whether a failed COMMIT may have reached the disk all the same: the disk failed, rather than SQLite saying no.
pub(super) fn may_be_stored(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull | ErrorCode::ConstraintViolation)
    )
}

/// A column that counts from 0.
pub(super) fn counter(row: &rusqlite::Row<'_>, at: usize) -> SqlResult<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}
