//! Rows on their way into a store and back.
//!
//! Always true here: a row that is stored can be read, by every store alike. What one store can't
//! hold is refused for all, so that a test on one of them shows what the others would do.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::column::{Column, ColumnError, ColumnKind, ColumnRole, Row, Value};
use super::model::{FoldError, ReadModel};
use crate::error::panic_message;

/// A row as a store keeps it: what one store can't hold is refused for every store, so that all
/// give the same answer.
pub(crate) fn to_row<M: ReadModel>(row: &M) -> Result<Row, FoldError> {
    let row = catch_unwind(AssertUnwindSafe(|| row.to_row()));
    let row = row.unwrap_or_else(|panic| Err(panicked("writing", &*panic)))?;
    check_texts(M::COLUMNS, &row)?;
    Ok(row)
}

/// A row from what a store keeps; a panic is an error like another.
pub(crate) fn from_row<M: ReadModel>(row: Row) -> Result<M, ColumnError> {
    let row = catch_unwind(AssertUnwindSafe(|| M::from_row(row)));
    row.unwrap_or_else(|panic| Err(panicked("reading", &*panic)))
}

/// Turns a row into what its store gives back, where that may be another one: then what an event
/// makes of it does not depend on whether the row was stored in between, and no row is stored that
/// can't be read.
pub(crate) fn as_stored<M: ReadModel>(row: &mut Option<M>) -> Result<(), FoldError> {
    if M::MAY_HOLD_OPAQUE
        && let Some(folded) = row
    {
        *row = Some(from_row(to_row(folded)?)?);
    }
    Ok(())
}

/// That a value of a column, or one that is searched for, can be held by every store.
pub(crate) fn check_text(column: &Column, value: &Value) -> Result<(), ColumnError> {
    match value {
        // JSON holds it as an escape.
        Value::Text(text) if column.kind != ColumnKind::Json && text.contains('\0') => {
            let why = "holds the character U+0000, which not every store can hold: remove it".to_owned();
            Err(ColumnError { column: column.name, why })
        }
        _ => Ok(()),
    }
}

/// Code outside of the columns' own has panicked, so which column it was is not known.
fn panicked(what: &str, panic: &(dyn Any + Send)) -> ColumnError {
    ColumnError { column: "", why: format!("{what} it panicked: {}", panic_message(panic)) }
}

/// The most bytes that what rows are found by may have, together with the key: a page of a Postgres
/// index holds three entries, so an entry has at most 2,704.
const INDEXED_BYTES_MAX: usize = 2_600;

fn check_texts(columns: &[Column], row: &Row) -> Result<(), ColumnError> {
    let bytes = |value: &Value| if let Value::Text(text) = value { text.len() } else { size_of::<i64>() };
    let values = || columns.iter().zip(row);
    let key = values().find(|(column, _)| column.role == ColumnRole::Key).map_or(0, |(_, key)| bytes(key));
    for (column, value) in values() {
        check_text(column, value)?;
        let (found, max, advice) = match column.role {
            ColumnRole::Plain => continue,
            ColumnRole::Key => (key, INDEXED_BYTES_MAX, "take a shorter key"),
            ColumnRole::Indexed => {
                (bytes(value), INDEXED_BYTES_MAX.saturating_sub(key), "store a shorter text, or remove `#[index]`")
            }
        };
        if found > max {
            let why = format!("has {found} bytes, and what rows are found by has at most {max}: {advice}");
            return Err(ColumnError { column: column.name, why });
        }
    }
    Ok(())
}
