//! Given events of any aggregates, then these rows of a read model.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;

use super::diff::diff;
use super::stored::{Stored, store};
use super::{START, SequentialIds, given::stream};
use crate::error::{EventPlace, ProjectionError};
use crate::read::{ColumnType as _, FoldError, Row, Source, SourceSink, Value, from_row, to_row};
use crate::{
    Aggregate, Event, IntoEvents, Metadata, Position, Projection, ReadModel, Recorded, Schema, StreamName, Timestamp, Uuid,
    Version,
};

/// Starts a test of read models: these events of one `A` have happened.
///
/// They are not applied to the aggregate, so a test needs only those events that its read model looks at.
///
/// # Panics
/// Where the id can't be part of a stream's name, or an event can't be stored or is read back as something else.
///
/// # Examples
/// ```
/// use gesta::prelude::*;
/// use gesta::testing::given_events;
///
/// #[id] pub struct AccountId(String);
/// #[event] pub struct Opened { owner: String }
/// #[event] pub struct Deposited { cents: i64 }
///
/// pub struct Account;
/// #[aggregate(id = AccountId)]
/// impl Account {
///     fn opened(_: &Opened) -> Self { Account }
///     fn deposited(&mut self, _: &Deposited) {}
/// }
///
/// #[derive(ReadModel, Debug, PartialEq)]
/// pub struct Balance { #[key] account: AccountId, cents: i64 }
/// #[projection(of = Account)]
/// impl Balance {
///     fn opened(e: &Recorded<Opened>) -> Self { Balance { account: e.aggregate_id(), cents: 0 } }
///     fn deposited(&mut self, e: &Deposited) { self.cents += e.cents }
/// }
///
/// let (a, b) = (AccountId::new("A").unwrap(), AccountId::new("B").unwrap());
/// given_events::<Account>(&a, (Opened { owner: "Ann".into() }, Deposited { cents: 100 }))
///     .and::<Account>(&a, Deposited { cents: 500 })
///     .then_row(&a, Balance { account: a.clone(), cents: 600 })
///     .then_no_row::<Balance>(&b);
/// ```
#[track_caller]
#[must_use = "nothing is tested before `.then_row(..)`, `.then_no_row(..)` or `.then_rows(..)`"]
pub fn given_events<A: Aggregate>(id: &A::Id, events: impl IntoEvents<A>) -> GivenEvents {
    let nothing = GivenEvents { recorded: Vec::new(), versions: BTreeMap::new(), now: START, occurred_at: None, actor: None };
    nothing.and::<A>(id, events)
}

/// Events in the order in which they were recorded; made by [`given_events`].
///
/// They stand at the positions 1, 2, 3, .. and, in each stream, at the versions 1, 2, 3, ..; the id of the event at
/// position n is [`SequentialIds::nth(n)`](SequentialIds::nth). They are recorded at [`START`] and without an actor,
/// unless the test says otherwise before it names them.
pub struct GivenEvents {
    recorded: Vec<(&'static str, Recorded<Stored>)>,
    versions: BTreeMap<StreamName, Version>,
    now: Timestamp,
    occurred_at: Option<Timestamp>,
    actor: Option<Arc<str>>,
}

impl GivenEvents {
    /// Then these events of one `A` have happened, in one append.
    ///
    /// # Panics
    /// As [`given_events`].
    #[track_caller]
    #[must_use = "nothing is tested before `.then_row(..)`, `.then_no_row(..)` or `.then_rows(..)`"]
    pub fn and<A: Aggregate>(mut self, id: &A::Id, events: impl IntoEvents<A>) -> Self {
        let stream = stream::<A>(id);
        let mut all = Vec::new();
        events.push_to(&mut all);
        let mut correlation_id = None;
        for event in &all {
            let (stored, _) = store::<A>(event);
            self.record::<A>(&stream, stored, &mut correlation_id);
        }
        self
    }
    /// Then this has happened to one `A`, stored as it is: an event that is retired since, or a struct that was an earlier version
    /// by itself. The read model gets what it is today.
    ///
    /// # Panics
    /// Where the id can't be part of a stream's name, or the event can't be stored.
    #[track_caller]
    #[must_use = "nothing is tested before `.then_row(..)`, `.then_no_row(..)` or `.then_rows(..)`"]
    #[allow(clippy::needless_pass_by_value, reason = "what is given is written in place")]
    pub fn and_stored<A: Aggregate>(mut self, id: &A::Id, event: impl Event) -> Self {
        self.record::<A>(&stream::<A>(id), Stored::of(&event), &mut None);
        self
    }
    /// Then this has happened to one `A`, stored as an earlier version of the event `E`: `old` is the struct of that version, such
    /// as `DepositedV1`.
    ///
    /// # Panics
    /// Where the id can't be part of a stream's name, or `old` is not that version.
    #[track_caller]
    #[must_use = "nothing is tested before `.then_row(..)`, `.then_no_row(..)` or `.then_rows(..)`"]
    #[allow(clippy::needless_pass_by_value, reason = "what is given is written in place")]
    pub fn and_stored_version<A: Aggregate, E: Event>(mut self, id: &A::Id, version: u32, old: impl Serialize + Schema) -> Self {
        self.record::<A>(&stream::<A>(id), Stored::version::<E, _>(version, &old), &mut None);
        self
    }
    /// Then this has happened to one `A`, stored under this name, in this version and as these bytes: for what no type of today
    /// stands for.
    ///
    /// # Panics
    /// Where the id can't be part of a stream's name.
    #[track_caller]
    #[must_use = "nothing is tested before `.then_row(..)`, `.then_no_row(..)` or `.then_rows(..)`"]
    pub fn and_stored_json<A: Aggregate>(mut self, id: &A::Id, name: &str, version: u32, json: &str) -> Self {
        self.record::<A>(&stream::<A>(id), Stored::json(name, version, json), &mut None);
        self
    }

    /// The next event; `correlation_id` is what its append shares.
    fn record<A: Aggregate>(&mut self, stream: &StreamName, stored: Stored, correlation_id: &mut Option<Uuid>) {
        let version = self.versions.entry(stream.clone()).or_default();
        *version = version.next();
        let position = self.recorded.last().map_or(Position::ZERO, |(_, last)| last.position).next();
        let mut metadata = Metadata::new(SequentialIds::nth(position.get()), self.now);
        metadata.occurred_at = self.occurred_at.unwrap_or(self.now);
        metadata.correlation_id = *correlation_id.get_or_insert(metadata.event_id);
        metadata.actor = self.actor.as_deref().map(Into::into);
        self.recorded.push((A::NAME, Recorded::new(stored, stream.clone(), *version, position, metadata)));
    }

    /// What comes after this is recorded at that time.
    pub fn clock(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }
    /// What comes after this happened in the world at that time.
    pub fn occurred_at(mut self, time: Timestamp) -> Self {
        self.occurred_at = Some(time);
        self
    }
    /// What comes after this was commanded by this one.
    pub fn actor(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// The read model `M` has this row.
    ///
    /// # Panics
    /// Where it has another one or none, and where an event can't be folded into its row.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "what is expected is written in place")]
    pub fn then_row<M: Projection + PartialEq + Debug>(self, key: &M::Key, row: M) -> Self {
        match self.row::<M>(key) {
            Some(found) if found == row => self,
            Some(found) => panic!("the row {} of `{}` is another one {}", key_of::<M>(key), M::TABLE, diff(&row, &found)),
            None => panic!("`{}` has no row {} {}", M::TABLE, key_of::<M>(key), diff(&row, &None::<M>)),
        }
    }
    /// The read model `M` has no row with this key.
    ///
    /// # Panics
    /// Where it has one, and where an event can't be folded into its row.
    #[track_caller]
    pub fn then_no_row<M: Projection + Debug>(self, key: &M::Key) -> Self {
        match self.row::<M>(key) {
            None => self,
            Some(found) => panic!("`{}` has a row {} {}", M::TABLE, key_of::<M>(key), diff(&None::<M>, &found)),
        }
    }
    /// The read model `M` has exactly these rows, written in any order.
    ///
    /// # Panics
    /// Where it has others, and where an event can't be folded into its row.
    #[track_caller]
    pub fn then_rows<M: Projection + PartialEq + Debug>(self, rows: Vec<M>) -> Self {
        let mut expected: Vec<_> = rows.into_iter().map(|row| (key_of::<M>(row.key()), row)).collect();
        expected.sort_by(|(a, _), (b, _)| a.cmp(b));
        let expected: Vec<M> = expected.into_iter().map(|(_, row)| row).collect();
        let found = self.rows::<M>();
        assert!(expected == found, "`{}` has other rows {}", M::TABLE, diff(&expected, &found));
        self
    }
    /// The row of the read model `M` with this key, for a test's own assertions.
    ///
    /// # Panics
    /// Where an event can't be folded into its row.
    #[track_caller]
    pub fn row<M: Projection>(&self, key: &M::Key) -> Option<M> {
        let key = key_of::<M>(key);
        self.fold::<M>().remove(&key).map(read)
    }
    /// All rows of the read model `M`, in the order of their keys, for a test's own assertions.
    ///
    /// # Panics
    /// Where an event can't be folded into its row.
    #[track_caller]
    pub fn rows<M: Projection>(&self) -> Vec<M> {
        self.fold::<M>().into_values().map(read).collect()
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> impl Iterator<Item = &Metadata> {
        self.recorded.iter().map(|(_, event)| &event.metadata)
    }

    /// All rows as a store keeps them.
    #[track_caller]
    fn fold<M: Projection>(&self) -> BTreeMap<Value, Row> {
        let sources = SourceSink::<M>::collect();
        let mut rows = BTreeMap::new();
        for (aggregate, event) in &self.recorded {
            // What the aggregate does not know is decoded, which says what is wrong with it.
            let feeds =
                |source: &&Source<M>| source.aggregate == *aggregate && (source.handles)(&event.event.name) != Some(false);
            for source in sources.iter().filter(feeds) {
                let mut row_key = None;
                if let Err(why) = fold_one(source, event, &mut rows, &mut row_key) {
                    let Recorded { stream, version, position, .. } = event;
                    let (stream, name) = (stream.clone(), event.event.name.clone());
                    let place = EventPlace {
                        stream,
                        version: *version,
                        position: *position,
                        name,
                        schema_version: event.event.schema_version,
                    };
                    panic!("`{}` can't take {}", M::TABLE, ProjectionError::of(place, row_key, why));
                }
            }
        }
        rows
    }
}

/// Folds one event into its rows, which goes through its stored form as it would between two batches.
fn fold_one<M: ReadModel>(
    source: &Source<M>,
    event: &Recorded<Stored>,
    rows: &mut BTreeMap<Value, Row>,
    row_key: &mut Option<String>,
) -> Result<(), FoldError> {
    let Recorded { event: stored, stream, version, position, metadata, .. } = event;
    let raw = (stored.name.as_str(), stored.schema_version, stored.payload.as_slice());
    let mut folds = Vec::new();
    (source.fold)(Recorded::new(raw, stream.clone(), *version, *position, metadata.clone()), &mut |fold| folds.push(fold))?;
    for fold in folds {
        let key = fold.key().to_index().map_err(FoldError::Key)?;
        *row_key = Some(key.to_string());
        let mut row = rows.get(&key).cloned().map(from_row::<M>).transpose()?;
        fold.apply(&mut row)?;
        match row {
            Some(row) => rows.insert(key, to_row(&row)?),
            None => rows.remove(&key),
        };
    }
    Ok(())
}

#[track_caller]
fn key_of<M: ReadModel>(key: &M::Key) -> Value {
    match key.to_index() {
        Ok(value) => value,
        Err(why) => panic!("the key {key:?} of `{}`: {why}", M::TABLE),
    }
}

#[track_caller]
fn read<M: ReadModel>(row: Row) -> M {
    match M::from_row(row) {
        Ok(row) => row,
        Err(why) => panic!("a row of `{}` can't be read back: {why}", M::TABLE),
    }
}
