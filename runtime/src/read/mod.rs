//! Read models: rows with a key, folded from events.

pub(crate) mod blocks;
pub mod column;
mod model;

pub use column::{Column, ColumnError, ColumnKind, ColumnRole, ColumnType, Filter, IndexedColumn, Row, Value};
pub(crate) use model::Source;
pub use model::{Effect, Feeds, Fold, FoldError, IntoKey, On, Projection, ReadModel, RowError, SourceSink, pending, stream_key};
