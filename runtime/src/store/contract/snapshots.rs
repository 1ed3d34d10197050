//! The promises about snapshots.

use super::kit::*;
use crate::StreamName;
use crate::event::Position;
use crate::store::{SnapshotStore, Store};

fn snapshots(store: &Store) -> Checked<&dyn SnapshotStore> {
    store.snapshots.as_deref().ok_or_else(|| Failure("the store has no snapshots".to_owned()))
}

/// Appends events to a new stream; answers them.
async fn events(store: &Store, stream: &StreamName, count: usize) -> Checked<Vec<Seen>> {
    put(store, stream, 0, count).await?;
    read_stream(store, stream, 0, count).await
}

pub(super) async fn a_snapshot_is_loaded_as_it_was_saved(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let name = stream("1");
    let events = events(&store, &name, 3).await?;
    same!(kept.load_snapshot(&name, 1).await?, None, "a snapshot that was never saved");
    for (event, payload) in events.iter().zip([b"{ \"a\": 1 }".to_vec(), Vec::new(), vec![b'x'; 1 << 20]]) {
        kept.save_snapshot(&name, 1, snapshot_at(event, &payload)).await?;
        let loaded = kept.load_snapshot(&name, 1).await?;
        ensure!(loaded == Some(snapshot_at(event, &payload)), "a snapshot of {} bytes came back as another", payload.len());
    }
    same!(kept.load_snapshot(&stream("2"), 1).await?, None, "another stream's snapshot");
    Ok(())
}

pub(super) async fn a_newer_snapshot_stays(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let name = stream("1");
    let events = events(&store, &name, 10).await?;
    let of = |version: usize| snapshot_at(&events[version - 1], version.to_string().as_bytes());
    let mut newest = 0;
    for version in [5, 3, 9, 8, 1, 10] {
        kept.save_snapshot(&name, 1, of(version)).await?;
        newest = newest.max(version);
        let expected = Some(of(newest));
        same!(kept.load_snapshot(&name, 1).await?, expected, "the snapshot after one of version {version} was saved");
    }
    Ok(())
}

/// F1: a state is folded, the store loses its last events, and the state comes to be saved.
pub(super) async fn a_snapshot_without_its_event_is_not_kept(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let name = stream("1");
    let events = events(&store, &name, 2).await?;
    let mut other_event = snapshot_at(&events[1], b"{}");
    other_event.event_id = new_id();
    let mut no_event = snapshot_at(&events[1], b"{}");
    (no_event.version, no_event.position) = (crate::Version::new(3), Position::new(no_event.position.get() + 1));
    for lost in [other_event, no_event] {
        kept.save_snapshot(&name, 1, lost).await?;
        same!(kept.load_snapshot(&name, 1).await?, None, "a snapshot whose last event is not in the stream");
    }
    kept.save_snapshot(&name, 1, snapshot_at(&events[0], b"{}")).await?;
    same!(kept.load_snapshot(&name, 1).await?, Some(snapshot_at(&events[0], b"{}")), "the snapshot of the first event");
    Ok(())
}

pub(super) async fn snapshots_of_other_fingerprints_are_kept_apart(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let kept = snapshots(&store)?;
    let [first, second] = [events(&store, &stream("1"), 2).await?, events(&store, &stream("2"), 4).await?];
    let all = [
        (stream("1"), 1, &first[0]),
        (stream("1"), u64::MAX, &first[1]),
        (stream("2"), 1, &second[2]),
        (stream("2"), 0, &second[3]),
    ];
    for (name, fingerprint, event) in &all {
        same!(kept.load_snapshot(name, *fingerprint).await?, None, "a snapshot before it was saved");
        kept.save_snapshot(name, *fingerprint, snapshot_at(event, b"{}")).await?;
    }
    for (name, fingerprint, event) in &all {
        let loaded = kept.load_snapshot(name, *fingerprint).await?;
        same!(loaded, Some(snapshot_at(event, b"{}")), "the snapshot of `{name}` and {fingerprint}");
    }
    Ok(())
}

pub(super) async fn snapshots_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let event = events(&store, &stream("1"), 3).await?.pop();
    let event = event.ok_or_else(|| Failure("three events were appended".to_owned()))?;
    snapshots(&store)?.save_snapshot(&stream("1"), 7, snapshot_at(&event, b"{\"a\":1}")).await?;
    let store = ground.reopen(store).await?;
    let expected = Some(snapshot_at(&event, b"{\"a\":1}"));
    same!(snapshots(&store)?.load_snapshot(&stream("1"), 7).await?, expected, "the snapshot");
    Ok(())
}
