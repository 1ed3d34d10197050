//! A store whose guards can be taken out: its memory of the events that it has seen, and the events that appends name.

use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use gesta::store::{Append, AppendError, Appended, Capabilities, EventLog, Store, StoredType, Visit};
use gesta::{Position, StoreError, StreamName, Version};

/// The log of whichever store was opened last.
pub(super) struct Unguarded {
    store: RwLock<Arc<dyn EventLog>>,
    compares_events: bool,
}

impl Unguarded {
    /// A store over this one, of which only the log is used.
    pub(super) fn over(store: &Store, compares_events: bool) -> (Arc<Self>, Store) {
        let log = Arc::new(Unguarded { store: RwLock::new(Arc::clone(&store.log)), compares_events });
        let store = Store { log: Arc::clone(&log) as Arc<dyn EventLog>, read_models: None, leases: None, ..store.clone() };
        (log, store)
    }

    /// Goes on with a store that was opened anew, and so remembers nothing.
    pub(super) fn forget(&self, store: &Store) {
        *self.store.write().unwrap() = Arc::clone(&store.log);
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.store.read().unwrap())
    }
}

#[async_trait]
impl EventLog for Unguarded {
    fn capabilities(&self) -> Capabilities {
        self.log().capabilities()
    }
    async fn append(&self, mut append: Append) -> Result<Appended, AppendError> {
        if !self.compares_events {
            append.streams.iter_mut().for_each(|part| part.expected_event = None);
        }
        self.log().append(append).await
    }
    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.log().read_stream(stream, after, max, visit).await
    }
    async fn read_all(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.log().read_all(after, max, visit).await
    }
    async fn head(&self) -> Result<Position, StoreError> {
        self.log().head().await
    }
    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        self.log().wait_beyond(position).await
    }
    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        self.log().event_types().await
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.log().close().await
    }
}
