//! Inline read models: folded inside the append's transaction, the same way by every store.
//!
//! A store reads the rows that a batch of appends names into a [`RowSet`], lets each append fold into it, and writes
//! what changed. Rows of one batch see each other. A fold that fails leaves the set as it was, so it refuses its own append
//! only.

use std::collections::HashMap;

use super::{Append, RowChange};
use crate::Timestamp;
use crate::event::Position;
use crate::read::{FoldError, Row, Value};

/// What folds an append's events into the rows of inline models; made by the runtime, run by the store.
///
/// One object serves all appends of an app. It does not panic: a handler's panic is a refusal.
pub trait InlineFold: Send + Sync {
    /// Whether every event is folded into this model, one of those given to [`prepare`](super::ReadModelStore::prepare), as far
    /// as the model wants it.
    fn carries(&self, model: usize) -> bool;
    /// The rows this append will look at.
    ///
    /// # Errors
    /// [`InlineRefusal`] where an event has no row; the append is then refused.
    fn keys(&self, append: &Append) -> Result<Vec<RowKey>, InlineRefusal>;
    /// Folds the append's events into the rows. Those named by [`keys`](InlineFold::keys) are in the set.
    ///
    /// # Errors
    /// [`InlineRefusal`] where a row can't take an event; the append is then refused.
    fn fold(&self, append: &Append, placed: &Placed<'_>, rows: &mut RowSet) -> Result<(), InlineRefusal>;
}

/// Where the events of an append are about to stand.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The position of each event, in the order of the append's streams and their events.
    pub positions: &'a [Position],
    /// For each stream, when its events are recorded.
    pub recorded_at: &'a [Timestamp],
}

/// Why an inline read model refuses an append.
#[derive(Debug, Clone)]
pub struct InlineRefusal {
    /// The read model.
    pub model: &'static str,
    /// The event it can't take.
    pub event: String,
    /// Why.
    pub why: FoldError,
}

/// A row of a model in use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// The model, by its place.
    pub model: usize,
    /// The value of the key column.
    pub key: Value,
}

/// Rows of inline models while a batch of appends is folded into them.
#[derive(Debug, Default)]
pub struct RowSet {
    rows: HashMap<RowKey, Slot>,
    /// What the fold under way has replaced, so that it can be undone.
    undo: Vec<(RowKey, Slot)>,
}

#[derive(Debug, Clone)]
struct Slot {
    row: Option<Row>,
    changed: bool,
}

impl RowSet {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Whether this row was read.
    pub fn has(&self, key: &RowKey) -> bool {
        self.rows.contains_key(key)
    }
    /// Takes up what the store holds; a row that is in the set already stays.
    pub fn insert_stored(&mut self, key: RowKey, row: Option<Row>) {
        self.rows.entry(key).or_insert(Slot { row, changed: false });
    }
    /// The row as it stands.
    pub fn get(&self, key: &RowKey) -> Option<&Row> {
        self.rows.get(key).and_then(|slot| slot.row.as_ref())
    }
    /// Changes a row; `None` removes it.
    pub fn put(&mut self, key: RowKey, row: Option<Row>) {
        let before = self.rows.insert(key.clone(), Slot { row, changed: true });
        self.undo.push((key, before.unwrap_or(Slot { row: None, changed: false })));
    }
    /// Runs one append's fold; a fold that fails leaves no trace.
    ///
    /// # Errors
    /// The fold's refusal.
    pub fn fold(&mut self, fold: &dyn InlineFold, append: &Append, placed: &Placed<'_>) -> Result<(), InlineRefusal> {
        self.undo.clear();
        let result = fold.fold(append, placed, self);
        if result.is_err() {
            for (key, slot) in self.undo.drain(..).rev() {
                self.rows.insert(key, slot);
            }
        }
        self.undo.clear();
        result
    }
    /// What has changed, by model, in no order.
    pub fn changes(self) -> impl Iterator<Item = (usize, RowChange)> {
        let changed = self.rows.into_iter().filter(|(_, slot)| slot.changed);
        changed.map(|(key, slot)| (key.model, RowChange { key: key.key, row: slot.row }))
    }
}
