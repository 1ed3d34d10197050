//! Every name that generated code introduces.

use proc_macro2::{Ident, Span};
use quote::format_ident;

/// The enum of an aggregate's events.
pub(crate) fn event_enum(aggregate: &Ident) -> Ident {
    format_ident!("{}Event", plain(aggregate), span = aggregate.span())
}
/// The enum of an aggregate's commands.
pub(crate) fn command_enum(aggregate: &Ident) -> Ident {
    format_ident!("{}Command", plain(aggregate), span = aggregate.span())
}
/// The struct of an earlier version of an event.
pub(crate) fn old_version(event: &Ident, version: u32) -> Ident {
    format_ident!("{}V{version}", plain(event), span = event.span())
}
/// The constant of a column.
pub(crate) fn column_const(field: &Ident) -> Ident {
    Ident::new(&plain(field).to_uppercase(), field.span())
}
/// The column beside a field's that holds the form in which rows are found by it; runtime/src/read/index.rs reads it. Postgres cuts
/// off what is longer.
pub(crate) fn order_column(column: &str, place: usize) -> String {
    let name = format!("gesta_order_{column}");
    if name.len() <= COLUMN_BYTES_MAX { name } else { format!("gesta_order_{place}") }
}
/// As many bytes of a column's name are kept by every store.
pub(crate) const COLUMN_BYTES_MAX: usize = 63;
/// The table of a read model.
pub(crate) fn table(model: &Ident) -> String {
    snake_case(&plain(model))
}
/// The test of an aggregate's schema lock.
pub(crate) fn lock_test(aggregate: &Ident) -> Ident {
    format_ident!("gesta_schema_{}", snake_case(&plain(aggregate)), span = aggregate.span())
}
/// A local of generated code: the user's code can't see it.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(&format!("__{name}"), Span::mixed_site())
}
/// A name as it is stored and shown.
pub(crate) fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// `AccountSummary` as `account_summary`, `HTTPLog` as `http_log`.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| b.is_lowercase() || b.is_numeric() || chars.get(i + 1).is_some_and(|n| n.is_lowercase()));
        if starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_after_its_model() {
        for (model, table) in [
            ("AccountSummary", "account_summary"),
            ("Row", "row"),
            ("HTTPLog", "http_log"),
            ("V2Rows", "v2_rows"),
            ("Already_split", "already_split"),
        ] {
            assert_eq!(snake_case(model), table);
        }
    }

    /// R19: Postgres keeps the whole name, so that two never become the same.
    #[test]
    fn order_column_has_at_most_63_bytes() {
        assert_eq!(order_column("level", 3), "gesta_order_level");
        let (fits, long) = ("a".repeat(51), "a".repeat(52));
        assert_eq!(order_column(&fits, 3).len(), 63);
        assert_eq!(order_column(&long, 3), "gesta_order_3");
        assert_eq!(order_column(&long, 4), "gesta_order_4");
    }

    #[test]
    fn a_raw_identifier_is_stored_without_its_mark() {
        assert_eq!(plain(&Ident::new_raw("type", Span::call_site())), "type");
        assert_eq!(column_const(&Ident::new_raw("type", Span::call_site())), "TYPE");
    }
}
