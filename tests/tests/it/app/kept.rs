//! A store whose snapshots are watched.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use gesta::store::{Snapshot, SnapshotStore, Store};
use gesta::{StoreError, StreamName};

/// What went through to the snapshots of a store.
pub struct Kept {
    snapshots: Arc<dyn SnapshotStore>,
    /// Whether it was found and not kept, the stream, and the fingerprint.
    seen: Mutex<BTreeSet<(bool, String, u64)>>,
}

impl Kept {
    pub fn beneath(store: &mut Store) -> Arc<Self> {
        let snapshots = store.snapshots.take().expect("every store has snapshots");
        let kept = Arc::new(Kept { snapshots, seen: Mutex::default() });
        store.snapshots = Some(kept.clone());
        kept
    }
    /// What was seen since the last call.
    pub fn taken(&self) -> BTreeSet<(bool, String, u64)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

#[async_trait::async_trait]
impl SnapshotStore for Kept {
    async fn save_snapshot(&self, stream: &StreamName, fingerprint: u64, snapshot: Snapshot) -> Result<(), StoreError> {
        self.snapshots.save_snapshot(stream, fingerprint, snapshot).await?;
        self.seen.lock().unwrap().insert((false, stream.as_str().to_owned(), fingerprint));
        Ok(())
    }
    async fn load_snapshot(&self, stream: &StreamName, fingerprint: u64) -> Result<Option<Snapshot>, StoreError> {
        let snapshot = self.snapshots.load_snapshot(stream, fingerprint).await?;
        if snapshot.is_some() {
            self.seen.lock().unwrap().insert((true, stream.as_str().to_owned(), fingerprint));
        }
        Ok(snapshot)
    }
}
