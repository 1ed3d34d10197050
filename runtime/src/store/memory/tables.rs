//! The tables of read models: rows by key, and the keys by each indexed column.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::StreamName;
use crate::event::Position;
use crate::read::{ColumnRole, Row, Value};
use crate::store::{Checkpoint, ModelSpec, Parked, ParkingChange, Prepared, RowQuery};

/// The read models in use, by their place.
#[derive(Default)]
pub(super) struct Models(Vec<Model>);

pub(super) struct Model {
    pub(super) spec: ModelSpec,
    pub(super) checkpoint: Checkpoint,
    pub(super) table: Table,
    parked: HashMap<StreamName, Parked>,
}

#[derive(Default)]
pub(super) struct Table {
    rows: BTreeMap<Value, Row>,
    /// For each indexed column, its values with the keys that have them.
    indexes: BTreeMap<usize, BTreeMap<Value, BTreeSet<Value>>>,
}

impl Models {
    pub(super) fn prepare(&mut self, specs: &[ModelSpec]) -> Vec<Prepared> {
        specs.iter().map(|spec| self.prepare_one(spec)).collect()
    }

    fn prepare_one(&mut self, spec: &ModelSpec) -> Prepared {
        let place = self.0.iter().position(|model| model.spec.table == spec.table);
        let place = place.unwrap_or_else(|| {
            self.0.push(Model::empty(spec.clone(), 0));
            self.0.len() - 1
        });
        let model = &mut self.0[place];
        let epoch = model.checkpoint.epoch + 1;
        let other = model.spec.fingerprint != spec.fingerprint || model.spec.columns != spec.columns;
        let replaced = other.then_some(model.spec.fingerprint);
        if other {
            *model = Model::empty(spec.clone(), epoch);
        }
        model.spec = spec.clone();
        model.checkpoint.epoch = epoch;
        Prepared { place, checkpoint: Some(model.checkpoint), replaced }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Model> {
        self.0.get(place)
    }
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Model> {
        self.0.get_mut(place)
    }

    /// Moves the inline models that an append carries and that stand at the last event to the one that is the last now.
    pub(super) fn advance(&mut self, from: Position, to: Position, carries: impl Fn(usize) -> bool) {
        for (place, model) in self.0.iter_mut().enumerate() {
            if model.spec.inline && model.checkpoint.position == from && carries(place) {
                model.checkpoint.position = to;
            }
        }
    }
}

impl Model {
    fn empty(spec: ModelSpec, epoch: u64) -> Self {
        let checkpoint = Checkpoint { position: Position::ZERO, epoch };
        let columns = spec.columns.iter().enumerate().filter(|(_, c)| c.role == ColumnRole::Indexed);
        let indexes = columns.map(|(at, _)| (at, BTreeMap::new())).collect();
        Model { spec, checkpoint, table: Table { rows: BTreeMap::new(), indexes }, parked: HashMap::new() }
    }

    pub(super) fn parked(&self) -> Vec<Parked> {
        let mut parked: Vec<_> = self.parked.values().cloned().collect();
        parked.sort_by_key(|parked| parked.position);
        parked
    }

    pub(super) fn change_parking(&mut self, changes: Vec<ParkingChange>) {
        for change in changes {
            match change {
                ParkingChange::Park(parked) => self.parked.insert(parked.stream.clone(), parked),
                ParkingChange::Release(stream) => self.parked.remove(&stream),
            };
        }
    }

    pub(super) fn query(&self, query: &RowQuery) -> Vec<Row> {
        let table = &self.table;
        if query.column == self.spec.key_column() {
            return table.by_key(query);
        }
        table.indexes.get(&query.column).map(|index| table.by_index(index, query)).unwrap_or_default()
    }
}

impl Table {
    pub(super) fn get(&self, key: &Value) -> Option<&Row> {
        self.rows.get(key)
    }

    pub(super) fn put(&mut self, key: Value, row: Option<Row>) {
        let before = self.rows.get(&key);
        for (column, index) in &mut self.indexes {
            let old = before.map(|row| value_of(row, *column));
            let new = row.as_ref().map(|row| value_of(row, *column));
            if old == new {
                continue;
            }
            if let Some(old) = old
                && let Some(keys) = index.get_mut(old)
            {
                keys.remove(&key);
                if keys.is_empty() {
                    index.remove(old);
                }
            }
            if let Some(new) = new {
                index.entry(new.clone()).or_default().insert(key.clone());
            }
        }
        match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
    }

    /// By the key itself: a value has one row, so a page goes on after the value.
    fn by_key(&self, query: &RowQuery) -> Vec<Row> {
        let after = query.after.as_ref().map(|(_, key)| Bound::Excluded(key));
        let Some(range) = range(query, after) else { return Vec::new() };
        let rows = self.rows.range(range).map(|(_, row)| row);
        if query.descending { rows.rev().take(query.max).cloned().collect() } else { rows.take(query.max).cloned().collect() }
    }

    /// By an indexed column: a page goes on among the keys that share the value it ended at.
    fn by_index(&self, index: &BTreeMap<Value, BTreeSet<Value>>, query: &RowQuery) -> Vec<Row> {
        let after = query.after.as_ref().map(|(value, _)| Bound::Included(value));
        let Some(range) = range(query, after) else { return Vec::new() };
        let values = index.range(range).filter(|(value, _)| **value != Value::Null || query.wants_nothing());
        let rest = |value: &Value| match &query.after {
            Some((at, key)) if at == value && query.descending => (Bound::Unbounded, Bound::Excluded(key)),
            Some((at, key)) if at == value => (Bound::Excluded(key), Bound::Unbounded),
            _ => (Bound::Unbounded, Bound::Unbounded),
        };
        let rows = |key: &Value| self.rows.get(key).cloned();
        if query.descending {
            let keys = values.rev().flat_map(|(value, keys)| keys.range::<Value, _>(rest(value)).rev());
            keys.take(query.max).filter_map(rows).collect()
        } else {
            let keys = values.flat_map(|(value, keys)| keys.range::<Value, _>(rest(value)));
            keys.take(query.max).filter_map(rows).collect()
        }
    }
}

/// The row's value of a column; nothing where the row is too short, which is looked at before it is stored.
fn value_of(row: &Row, column: usize) -> &Value {
    row.get(column).unwrap_or(&Value::Null)
}

/// The values a query looks at; `None` where there can't be any, which a map's `range` would panic at.
fn range<'q>(query: &'q RowQuery, after: Option<Bound<&'q Value>>) -> Option<(Bound<&'q Value>, Bound<&'q Value>)> {
    let mut low = query.from.as_ref().map_or(Bound::Unbounded, Bound::Included);
    let mut high = query.to.as_ref().map_or(Bound::Unbounded, Bound::Included);
    if let Some(after) = after {
        if query.descending {
            high = tighter(high, after, |a, b| a < b);
        } else {
            low = tighter(low, after, |a, b| a > b);
        }
    }
    let empty = match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high) | Bound::Included(high)) => low >= high,
        _ => false,
    };
    (!empty).then_some((low, high))
}

fn tighter<'q>(bound: Bound<&'q Value>, after: Bound<&'q Value>, inside: fn(&Value, &Value) -> bool) -> Bound<&'q Value> {
    match (bound, after) {
        (Bound::Included(b), Bound::Included(a) | Bound::Excluded(a)) if inside(b, a) => bound,
        _ => after,
    }
}
