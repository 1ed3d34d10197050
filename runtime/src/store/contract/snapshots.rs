//! What holds for snapshots.

use super::kit::*;
use crate::store::{SnapshotStore, Store};

fn snapshots(store: &Store) -> Checked<&dyn SnapshotStore> {
    store.snapshots.as_deref().ok_or_else(|| Failure("the store has no snapshots".to_owned()))
}

pub(super) async fn a_snapshot_is_loaded_as_it_was_saved(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let name = stream("1");
    same!(kept.load_snapshot(&name, 1).await?, None, "a snapshot that was never saved");
    for (version, payload) in (1..).zip([b"{ \"a\": 1 }".to_vec(), Vec::new(), vec![b'x'; 1 << 20]]) {
        kept.save_snapshot(&name, 1, snapshot(version, &payload)).await?;
        let loaded = kept.load_snapshot(&name, 1).await?;
        ensure!(loaded == Some(snapshot(version, &payload)), "a snapshot of {} bytes came back as another", payload.len());
    }
    same!(kept.load_snapshot(&stream("2"), 1).await?, None, "another stream's snapshot");
    Ok(())
}

pub(super) async fn a_newer_snapshot_stays(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let name = stream("1");
    let mut newest = 0;
    for version in [5, 3, 9, 8, 1, 10] {
        kept.save_snapshot(&name, 1, snapshot(version, version.to_string().as_bytes())).await?;
        newest = newest.max(version);
        let expected = snapshot(newest, newest.to_string().as_bytes());
        same!(kept.load_snapshot(&name, 1).await?, Some(expected), "the snapshot after one of version {version} was saved");
    }
    Ok(())
}

pub(super) async fn snapshots_of_other_fingerprints_are_kept_apart(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let all = [(stream("1"), 1), (stream("1"), u64::MAX), (stream("2"), 1), (stream("2"), 0)];
    for ((name, fingerprint), version) in all.iter().zip(1..) {
        same!(kept.load_snapshot(name, *fingerprint).await?, None, "a snapshot before it was saved");
        kept.save_snapshot(name, *fingerprint, snapshot(version, b"{}")).await?;
    }
    for ((name, fingerprint), version) in all.iter().zip(1..) {
        let loaded = kept.load_snapshot(name, *fingerprint).await?;
        same!(loaded, Some(snapshot(version, b"{}")), "the snapshot of `{name}` and {fingerprint}");
    }
    Ok(())
}

pub(super) async fn snapshots_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    snapshots(&store)?.save_snapshot(&stream("1"), 7, snapshot(3, b"{\"a\":1}")).await?;
    let store = ground.reopen(store).await?;
    same!(snapshots(&store)?.load_snapshot(&stream("1"), 7).await?, Some(snapshot(3, b"{\"a\":1}")), "the snapshot");
    Ok(())
}
