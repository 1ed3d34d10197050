//! What every store of this crate refuses before it writes: appends and rows that no runtime should hand in.

use super::{Append, ModelSpec, RowChange, RowQuery};
use crate::error::StoreError;
use crate::read::{Column, ColumnKind, ColumnRole, Value};

/// As the macros refuse them: here for a [`ReadModel`](crate::ReadModel) that is written by hand.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];
const NAME_BYTES_MAX: usize = 63;

/// A mistake of whoever calls the store.
pub(super) fn misuse(context: &'static str, message: impl Into<String>) -> StoreError {
    StoreError::Driver { context, message: message.into(), transient: false }
}

/// Each stream at most once, and at least one.
pub(super) fn append(append: &Append) -> Result<(), StoreError> {
    let streams = &append.streams;
    if streams.is_empty() {
        return Err(misuse("appending", "an append names at least one stream, this one has none"));
    }
    for (at, part) in streams.iter().enumerate() {
        if streams[..at].iter().any(|other| other.stream == part.stream) {
            return Err(misuse("appending", format!("`{}` stands twice in one append: join its parts", part.stream)));
        }
    }
    Ok(())
}

/// Names that a table can have, each once, and columns with one key among them.
pub(super) fn models(models: &[ModelSpec]) -> Result<(), StoreError> {
    let refuse = |message| Err(misuse("preparing read models", message));
    for (at, spec) in models.iter().enumerate() {
        if spec.table.is_empty() || spec.table.contains(['"', '\0']) {
            return refuse(format!("`{}` can't be the name of a table: use letters, digits and `_`", spec.table));
        }
        if models[..at].iter().any(|other| other.table.eq_ignore_ascii_case(spec.table)) {
            return refuse(format!("two read models would be stored as `{}`: give one of them another name", spec.table));
        }
        if ["gesta_", "sqlite_"].iter().any(|taken| spec.table.to_ascii_lowercase().starts_with(taken)) {
            return refuse(format!("`{}` begins as the stores' own tables do: give the read model another name", spec.table));
        }
        let mut keys = spec.columns.iter().filter(|c| c.role == ColumnRole::Key);
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return refuse(format!("`{}` needs exactly one key column", spec.table));
        };
        if key.nullable {
            return refuse(format!("the key `{}` of `{}` can't be null: make its type one without null", key.name, spec.table));
        }
        for (at, column) in spec.columns.iter().enumerate() {
            let twice = spec.columns[..at].iter().any(|other| other.name.eq_ignore_ascii_case(column.name));
            if twice || column.name.is_empty() || column.name.contains(['"', '\0']) {
                return refuse(format!("`{}` can't have a column `{}`: give it another name", spec.table, column.name));
            }
            if SYSTEM_COLUMNS.iter().any(|system| system.eq_ignore_ascii_case(column.name)) || column.name.len() > NAME_BYTES_MAX
            {
                let why = "Postgres has a column of this name in each table, or cuts it off after 63 bytes";
                return refuse(format!("`{}` can't have a column `{}`: {why}; give it another name", spec.table, column.name));
            }
        }
    }
    Ok(())
}

/// A row of the model's form, whose key is the one it is stored under.
pub(super) fn change(spec: &ModelSpec, change: &RowChange) -> Result<(), StoreError> {
    let Some(row) = &change.row else { return keys(spec, [&change.key]) };
    let refuse = |message| Err(misuse("storing a row", message));
    if row.len() != spec.columns.len() {
        return refuse(format!("`{}` has {} columns, the row has {}", spec.table, spec.columns.len(), row.len()));
    }
    for (column, value) in spec.columns.iter().zip(row) {
        if !holds(column, value) {
            return refuse(format!("`{}`.`{}` can't hold {value}", spec.table, column.name));
        }
    }
    match row.get(spec.key_column()) {
        Some(key) if *key == change.key => Ok(()),
        _ => refuse(format!("the row {} of `{}` holds another key", change.key, spec.table)),
    }
}

fn holds(column: &Column, value: &Value) -> bool {
    match value {
        Value::Null => column.nullable && column.role != ColumnRole::Key,
        Value::Integer(_) => column.kind == ColumnKind::Integer,
        Value::Real(n) => column.kind == ColumnKind::Real && n.is_finite(),
        Value::Text(_) => matches!(column.kind, ColumnKind::Text | ColumnKind::Json),
    }
}

/// A query by a column that rows can be found by, with values that it and the key can hold: drivers would convert others.
pub(super) fn query(spec: &ModelSpec, query: &RowQuery) -> Result<(), StoreError> {
    let refuse = |message| Err(misuse("reading rows", message));
    let Some(column) = spec.columns.get(query.column) else {
        return refuse(format!("`{}` has no column {}", spec.table, query.column));
    };
    if column.role == ColumnRole::Plain {
        return refuse(format!("`{}`.`{}` is not indexed: put `#[index]` on it", spec.table, column.name));
    }
    let after = query.after.as_ref();
    for value in [query.from.as_ref(), query.to.as_ref(), after.map(|(value, _)| value)].into_iter().flatten() {
        if *value != Value::Null && !holds(column, value) {
            return refuse(format!("`{}`.`{}` never holds {value}", spec.table, column.name));
        }
    }
    keys(spec, after.map(|(_, key)| key))
}

/// Values that the key column can hold.
pub(super) fn keys<'k>(spec: &ModelSpec, keys: impl IntoIterator<Item = &'k Value>) -> Result<(), StoreError> {
    let column = spec.columns.get(spec.key_column());
    match keys.into_iter().find(|key| !column.is_some_and(|column| holds(column, key))) {
        Some(key) => Err(misuse("reading rows", format!("{key} can't be a key of `{}`", spec.table))),
        None => Ok(()),
    }
}

/// The model's place is one of those given to `prepare`.
pub(super) fn unknown_model(model: usize) -> StoreError {
    misuse("reading a read model", format!("no model {model} was prepared"))
}

/// A model that was not prepared as one that appends carry.
pub(super) fn not_inline(table: &str) -> StoreError {
    misuse("folding inline read models", format!("`{table}` was not prepared as an inline model"))
}
