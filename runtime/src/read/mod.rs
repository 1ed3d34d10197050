//! Read models: rows with a key, folded from events.

pub(crate) mod blocks;
pub mod column;
#[cfg(any(feature = "chrono", feature = "rust_decimal"))]
mod foreign;
pub(crate) mod index;
mod model;
mod state;
mod stored_row;
mod types;

pub use column::{Column, ColumnError, ColumnKind, ColumnRole, ColumnType, Filter, IndexedColumn, Row, Value};
pub use index::{IndexForm, OrderedColumnType};
pub(crate) use model::Source;
pub use model::{Effect, Feeds, Fold, FoldError, IntoKey, On, Projection, ReadModel, RowError, SourceSink, pending, stream_key};
pub use state::{Filtered, NoFilterToLose, NoFilterYet, Unfiltered};
pub(crate) use stored_row::{as_stored, check_text, from_row, to_row};
