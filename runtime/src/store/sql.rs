//! What the stores that speak SQL share: how a model's columns are told, and the statements that find its rows.

use std::fmt::Write as _;
use std::ops::Bound;

use super::{ModelSpec, RowQuery};
use crate::error::StoreError;
use crate::read::Value;

/// Why rows were not stored.
pub(super) enum PutError<E> {
    /// One of them is none that the store can hold, however often it is tried.
    Unstorable(StoreError),
    /// The driver's error.
    Failed(E),
}

/// What the columns are, so that a table of another form is known when it is met.
pub(super) fn columns(spec: &ModelSpec) -> String {
    let mut text = String::new();
    for column in spec.columns {
        let nullable = if column.nullable { " null" } else { "" };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} {:?} {:?}{nullable}", column.name, column.kind, column.role);
    }
    text
}

/// The statements that read what a query asks for, one after the other: rows that hold nothing in the column come before all
/// others, and SQL compares nothing with nothing. `mark` stands before the number of a value: `?` or `$`.
pub(super) fn parts(spec: &ModelSpec, select: &str, query: &RowQuery, mark: char) -> Vec<Part> {
    let asked = Asked { spec, select, query, mark };
    let mut parts: Vec<_> = asked.holding_nothing().into_iter().chain(asked.holding_something()).collect();
    if query.descending {
        parts.reverse();
    }
    parts
}

#[derive(Clone, Copy)]
struct Asked<'q> {
    spec: &'q ModelSpec,
    select: &'q str,
    query: &'q RowQuery,
    mark: char,
}

impl Asked<'_> {
    fn names(self) -> (&'static str, &'static str) {
        let name = |at: usize| self.spec.columns.get(at).map_or("", |c| c.name);
        (name(self.query.column), name(self.spec.key_column()))
    }

    fn part(self, condition: &str) -> Part {
        Part { sql: format!("{} WHERE {condition}", self.select), values: Vec::new(), mark: self.mark }
    }

    /// The rows that hold nothing in the column, by their keys.
    fn holding_nothing(self) -> Option<Part> {
        let (query, (column, key)) = (self.query, self.names());
        let after = match &query.after {
            Some((Value::Null, key)) => Some(key),
            // Nothing comes first: ascending, a page that ended at a value is past it.
            Some(_) if !query.descending => return None,
            _ => None,
        };
        if !query.wants_nothing() || query.column == self.spec.key_column() {
            return None;
        }
        let mut part = self.part(&format!("\"{column}\" IS NULL"));
        if let Some(after) = after {
            part.compare(&format!("\"{key}\""), if query.descending { "<" } else { ">" }, &[after]);
        }
        Some(part.ordered(&[key], query.descending))
    }

    /// The rows that hold something in the column, by that and their keys.
    fn holding_something(self) -> Option<Part> {
        let (query, (column, key)) = (self.query, self.names());
        if matches!(query.to, Some(Value::Null)) {
            return None;
        }
        let after = match &query.after {
            // Nothing comes last when going down: a page that ended there is past every value.
            Some((Value::Null, _)) if query.descending => return None,
            Some((Value::Null, _)) | None => None,
            Some(after) => Some(after),
        };
        let mut part = self.part(&format!("\"{column}\" IS NOT NULL"));
        // Of a bound and the place to go on after only the tighter one is given, so that the index is entered there.
        let something = |bound: &'_ &Value| **bound != Value::Null;
        let mut low = query.from.as_ref().filter(something).map_or(Bound::Unbounded, Bound::Included);
        let mut high = query.to.as_ref().map_or(Bound::Unbounded, Bound::Included);
        if let Some((value, at)) = after {
            let value = if column == key { at } else { value };
            let near = if query.descending { &mut high } else { &mut low };
            let tighter = match near {
                Bound::Included(bound) if query.descending => *bound < value,
                Bound::Included(bound) => *bound > value,
                _ => false,
            };
            if !tighter {
                *near = Bound::Excluded(value);
            }
        }
        for (bound, sign) in [(low, ">"), (high, "<")] {
            match (bound, after) {
                (Bound::Included(value), _) => part.compare(&format!("\"{column}\""), &format!("{sign}="), &[value]),
                (Bound::Excluded(_), Some((_, at))) if column == key => part.compare(&format!("\"{key}\""), sign, &[at]),
                (Bound::Excluded(value), Some((_, at))) => {
                    part.compare(&format!("(\"{column}\", \"{key}\")"), sign, &[value, at]);
                }
                _ => {}
            }
        }
        Some(if column == key { part.ordered(&[key], query.descending) } else { part.ordered(&[column, key], query.descending) })
    }
}

/// A statement that reads a part of a query's rows: these values, then how many at most.
pub(super) struct Part {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    mark: char,
}

impl Part {
    fn compare(&mut self, left: &str, sign: &str, values: &[&Value]) {
        let first = self.values.len() + 1;
        let places: Vec<_> = (first..).take(values.len()).map(|n| format!("{}{n}", self.mark)).collect();
        // Writing to a string can't fail.
        let _ = write!(self.sql, " AND {left} {sign} ({})", places.join(", "));
        self.values.extend(values.iter().map(|value| (*value).clone()));
    }
    fn ordered(mut self, columns: &[&str], descending: bool) -> Self {
        let direction = if descending { " DESC" } else { "" };
        let columns: Vec<_> = columns.iter().map(|column| format!("\"{column}\"{direction}")).collect();
        let _ = write!(self.sql, " ORDER BY {} LIMIT {}{}", columns.join(", "), self.mark, self.values.len() + 1);
        self
    }
}
