//! Rules of read models.

use quote::ToTokens as _;

use crate::diag::Errors;
use crate::model::read_model::{ReadModel, Table};
use crate::names::COLUMN_BYTES_MAX;

/// The rules of `#[derive(ReadModel)]`.
pub(crate) fn read_model(model: &ReadModel, errors: &mut Errors) {
    table(model, errors);
    if model.is_row {
        columns(model, errors);
        one_key(model, errors);
    }
    sources(model, errors);
}

/// `#[read_model(table = "Account Summary")]`
fn table(model: &ReadModel, errors: &mut Errors) {
    let name = model.table();
    let Some(why) = wrong_table(&name) else { return };
    match &model.table {
        Table::Said(text) => errors.on(text, why),
        Table::Derived(_) => errors.on(
            &model.ident,
            format!("`{name}` can't be the name of its table ({why}): give it one, `#[read_model(table = \"..\")]`"),
        ),
    }
}

fn wrong_table(name: &str) -> Option<&'static str> {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if !plain {
        return Some("the name of a table holds `a` to `z`, digits and `_`, and does not start with a digit");
    }
    if name.starts_with("gesta_") || name.starts_with("sqlite_") {
        return Some("names that start with `gesta_` or `sqlite_` belong to the store");
    }
    // What every SQL store takes: Postgres cuts longer ones off.
    (name.len() > 48).then_some("the name of a table has at most 48 letters")
}

/// <https://www.postgresql.org/docs/current/ddl-system-columns.html>; `oid` was one of them before version 12.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

fn columns(model: &ReadModel, errors: &mut Errors) {
    for (i, column) in model.columns.iter().enumerate() {
        let lower = column.name.to_lowercase();
        if lower.starts_with("gesta_") {
            errors.on(&column.field, "names that start with `gesta_` belong to the store");
        }
        if SYSTEM_COLUMNS.contains(&&*lower) {
            errors.on(&column.field, format!("Postgres has a column `{lower}` of its own in each table: rename the field"));
        }
        if column.name.len() > COLUMN_BYTES_MAX {
            let bytes = column.name.len();
            let why = "the name of a column has at most 63 bytes, since Postgres cuts off the rest";
            errors.on(&column.field, format!("{why}; this one has {bytes}: rename the field"));
        }
        if let Some(same) = model.columns[..i].iter().find(|other| other.name.to_lowercase() == lower) {
            errors.on(&column.field, format!("to a store this is the same name as `{}`: rename one of the two", same.name));
        }
    }
}

/// `struct Row { owner: String }`, `struct Row { #[key] a: Id, #[key] b: Id }`
fn one_key(model: &ReadModel, errors: &mut Errors) {
    let mut keys = model.columns.iter().filter(|column| column.is_key);
    let Some(first) = keys.next() else {
        errors.on(&model.ident, "which field names a row? put `#[key]` on it");
        return;
    };
    for second in keys {
        errors.on(
            &second.field,
            format!(
                "`{}` is the key already: a row has one; where both together name it, make one `#[value]` of them",
                first.name
            ),
        );
    }
    if first.is_indexed {
        errors.on(&first.field, "rows are found by their key anyway: remove `#[index]`");
    }
}

/// `#[read_model(of(Account, Account))]`
fn sources(model: &ReadModel, errors: &mut Errors) {
    for (i, source) in model.sources.iter().enumerate() {
        let text = source.to_token_stream().to_string();
        if model.sources[..i].iter().any(|other| other.to_token_stream().to_string() == text) {
            errors.on(source, format!("`{text}` stands here twice: keep one"));
        }
    }
}
