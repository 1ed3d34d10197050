//! A registered read model: its definition, and how far it has come.

use std::any::TypeId;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;

use super::load::record;
use crate::error::{ProjectionError, StoreError, panic_message};
use crate::read::index::field_name;
use crate::read::{ColumnRole, Fold, FoldError, Projection, ReadModel, Source, SourceSink, Value, as_stored, from_row, to_row};
use crate::store::{ModelSpec, Parked, RowKey, RowSet, StoredEvent};
use crate::{ColumnError, Position, StreamName};

/// What is known of a registered read model without its type.
pub(crate) struct Model {
    pub(crate) type_id: TypeId,
    pub(crate) name: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) inline: bool,
    /// By what the store knows it, once it was prepared.
    pub(crate) place: usize,
    /// The aggregates that feed it.
    pub(crate) sources: Vec<&'static str>,
    pub(crate) spec: ModelSpec,
    pub(crate) progress: watch::Sender<Progress>,
    /// Counts what is done for the model in this process.
    pub(crate) moved: Arc<AtomicU64>,
    /// How often somebody has asked for another try at what is parked.
    pub(crate) retries_asked: watch::Sender<u64>,
    /// The key of a stream's row, where the model can park streams: each has one row of its own, and no other stream has a part in
    /// it. Where several aggregates feed a model they may share its rows, and to hold back one of them would fold the others out
    /// of order.
    pub(crate) row_of: Option<fn(&StreamName) -> Option<Value>>,
}

/// How far a read model has come.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Everything up to here is in its rows.
    pub(crate) position: Position,
    /// The store's [incarnation](crate::store::ReadModelStore::incarnation) when that was known.
    pub(crate) incarnation: u64,
    /// Rows are complete from here on; it is being rebuilt before.
    pub(crate) complete_from: Position,
    /// Why it goes no further. An inline model is not fed by itself: each append and each read tries to catch it up again.
    pub(crate) stopped: Option<ProjectionError>,
    /// The error of the store that keeps it from going on; it is tried again.
    pub(crate) failing: Option<StoreError>,
    /// The file holds rows of another definition, and may not be written.
    pub(crate) outdated: bool,
    /// The streams that are passed over, as far as this app feeds the model.
    pub(crate) parked: Arc<ParkedStreams>,
    /// Which of those who asked for another try at them have been heard.
    pub(crate) retried: u64,
}

/// The streams that are passed over by a read model, by their names.
pub(crate) type ParkedStreams = HashMap<StreamName, Parked>;

impl Model {
    pub(crate) fn of<M: Projection>(inline: bool) -> Self {
        let sources = SourceSink::<M>::collect();
        let row_of = if let [source] = &sources[..] { source.row_of } else { None };
        let sources = sources.iter().map(|source| source.aggregate).collect();
        let position = Position::ZERO;
        let (parked, retried) = (Arc::default(), 0);
        let progress = Progress {
            position,
            incarnation: 0,
            complete_from: position,
            stopped: None,
            failing: None,
            outdated: false,
            parked,
            retried,
        };
        Model {
            type_id: TypeId::of::<M>(),
            name: M::TABLE,
            type_name: std::any::type_name::<M>(),
            inline,
            place: usize::MAX,
            sources,
            spec: ModelSpec { table: M::TABLE, columns: M::COLUMNS, fingerprint: M::FINGERPRINT, inline },
            progress: watch::Sender::new(progress),
            moved: Arc::default(),
            retries_asked: watch::Sender::new(0),
            row_of,
        }
    }
}

/// An event on its way into a row.
pub(crate) type Pending<M> = Box<dyn Fold<M>>;

/// What feeds the read model `M`: its sources, called on stored events.
pub(crate) struct Feeder<M> {
    sources: Vec<Source<M>>,
}

impl<M: Projection> Feeder<M> {
    pub(crate) fn new() -> Self {
        Feeder { sources: SourceSink::<M>::collect() }
    }

    /// Whether [`read`](Feeder::read) runs the user's code on an event.
    pub(crate) fn wants(&self, event: &StoredEvent<'_>) -> bool {
        let aggregate = event.stream.split_once('-').map_or(event.stream, |(aggregate, _)| aggregate);
        let source = self.sources.iter().find(|source| source.aggregate == aggregate);
        source.is_some_and(|source| (source.handles)(event.name) != Some(false))
    }

    /// Reads an event that the model handles, and nothing of all others; a retired event may be several of today's.
    pub(crate) fn read(&self, event: &StoredEvent<'_>, each: &mut dyn FnMut(Pending<M>)) -> Result<(), FoldError> {
        let aggregate = event.stream.split_once('-').map_or(event.stream, |(aggregate, _)| aggregate);
        let Some(source) = self.sources.iter().find(|source| source.aggregate == aggregate) else { return Ok(()) };
        // An event that the aggregate does not know goes on to be decoded, which says what is wrong with it.
        if (source.handles)(event.name) == Some(false) {
            return Ok(());
        }
        let stream = StreamName::parse(event.stream).map_err(|why| FoldError::Key(why.to_string()))?;
        let raw = record(stream, event, (event.name, event.schema_version, event.payload));
        catch(|| (source.fold)(raw, each))
    }
}

impl<M: Projection> Feeder<M> {
    fn read_all(&self, event: &StoredEvent<'_>) -> Result<Vec<Pending<M>>, FoldError> {
        let mut all = Vec::new();
        self.read(event, &mut |pending| all.push(pending))?;
        Ok(all)
    }
}

/// Runs the user's code on an event; a panic is an answer like another.
pub(crate) fn catch<T, E: Into<FoldError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, FoldError> {
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(FoldError::Panicked(panic_message(&*panic))),
    }
}

/// An inline model without its type.
pub(crate) trait InlineModel: Send + Sync {
    /// The key of an event's row; none where the model does not handle the event.
    fn keys(&self, event: &StoredEvent<'_>) -> Result<Vec<Value>, FoldError>;
    /// Lets an event change its row; `model` is the model's place.
    fn fold(&self, event: &StoredEvent<'_>, model: usize, rows: &mut RowSet) -> Result<(), FoldError>;
}

impl<M: Projection> InlineModel for Feeder<M> {
    fn keys(&self, event: &StoredEvent<'_>) -> Result<Vec<Value>, FoldError> {
        catch(|| {
            let mut keys = Vec::new();
            for pending in self.read_all(event)? {
                keys.push(key_value::<M>(pending.key())?);
            }
            Ok::<_, FoldError>(keys)
        })
    }
    fn fold(&self, event: &StoredEvent<'_>, model: usize, rows: &mut RowSet) -> Result<(), FoldError> {
        // All of it: rows are the user's types, whose conversions and destructors may panic too.
        catch(|| {
            for pending in self.read_all(event)? {
                let key = RowKey { model, key: key_value::<M>(pending.key())? };
                if !rows.has(&key) {
                    // The rows were read before positions and times were known, so these can't say which row it is.
                    let why = "the row of an inline read model can't depend on an event's position or recorded time";
                    return Err(FoldError::Key(why.to_owned()));
                }
                let mut row = rows.get(&key).cloned().map(from_row::<M>).transpose()?;
                pending.apply(&mut row)?;
                as_stored(&mut row)?;
                rows.put(key, row.as_ref().map(to_row).transpose()?);
            }
            Ok::<_, FoldError>(())
        })
    }
}

/// The value of the key column.
pub(crate) fn key_value<M: ReadModel>(key: &M::Key) -> Result<Value, ColumnError> {
    use crate::read::ColumnType;
    let place = || M::COLUMNS.iter().position(|column| column.role == ColumnRole::Key).unwrap_or(0);
    let value = std::panic::catch_unwind(AssertUnwindSafe(|| key.to_index()));
    let value = value.unwrap_or_else(|panic| Err(format!("writing it panicked: {}", panic_message(&*panic))));
    value.map_err(|why| ColumnError { column: field_name(M::COLUMNS, place()), why })
}
