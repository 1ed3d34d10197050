//! What holds for idempotency keys.

use std::sync::Arc;

use tokio::sync::Barrier;

use super::kit::*;
use crate::event::{Position, Version};
use crate::store::{AppendError, HASH_VERSION, KeyRecord};

fn record(command_hash: u64, before: u64, after: u64, position: Position) -> KeyRecord {
    KeyRecord { command_hash, hash_version: HASH_VERSION, before: Version::new(before), after: Version::new(after), position }
}

pub(super) async fn a_key_is_kept_with_what_it_led_to(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    put(&store, &name, 0, 2).await?;
    let long = "\u{1f980}".repeat(60);
    for (expected, key) in (2..).step_by(3).zip(["a", "A", "a ", "é", "e\u{301}", "'\"%_", &long]) {
        same!(find_key(&store, &name, key).await?, None, "the key `{key}` before its use");
        let hash = u64::MAX - expected;
        let done = store.log.append(append(vec![with_key(part(&name, expected, 3), key, hash)])).await?;
        let kept = record(hash, expected, expected + 3, done.position);
        same!(find_key(&store, &name, key).await?, Some(kept), "the key `{key}` after its use");
        let again = store.log.append(append(vec![with_key(part(&name, expected + 3, 1), key, 7)])).await;
        let told = matching!(again, Err(AppendError::KeyTaken { stream, record }) => (stream, record), "the key `{key}` again");
        same!(told, (name.clone(), kept), "what its first use led to");
    }
    same!(everything(&store).await?.len(), 2 + 7 * 3, "the number of events");
    Ok(())
}

pub(super) async fn a_key_keeps_the_version_of_its_hash(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    for (at, hash_version) in (0..).zip([1, 2, 3, u8::MAX]) {
        let key = format!("version {hash_version}");
        let mut part = with_key(part(&name, at, 1), &key, at);
        part.key.iter_mut().for_each(|key| key.hash_version = hash_version);
        let done = store.log.append(append(vec![part.clone()])).await?;
        let kept = KeyRecord { hash_version, ..record(at, at, at + 1, done.position) };
        same!(find_key(&store, &name, &key).await?, Some(kept), "a key with a hash of version {hash_version}");
        let told = matching!(store.log.append(append(vec![part])).await, Err(AppendError::KeyTaken { record, .. }) => record, "it again");
        same!(told, kept, "what its first use led to");
    }
    // Of several appends in one batch each has its own.
    let several = (0..8u8).map(|n| {
        let (store, name) = (store.clone(), stream(&format!("several {n}")));
        async move {
            let mut part = with_key(part(&name, 0, 1), "key", n.into());
            part.key.iter_mut().for_each(|key| key.hash_version = n + 1);
            store.log.append(append(vec![part])).await?;
            find_key(&store, &name, "key").await
        }
    });
    for (n, found) in (0..8u8).zip(futures_util::future::join_all(several).await) {
        same!(found?.map(|record| record.hash_version), Some(n + 1), "the version of the key {n}");
    }
    Ok(())
}

pub(super) async fn a_key_that_is_taken_is_told_before_versions_are_looked_at(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    let done = store.log.append(append(vec![with_key(part(&name, 0, 1), "key", 5)])).await?;
    put(&store, &name, 1, 3).await?;
    for expected in [0, 1, 3, 9] {
        let again = store.log.append(append(vec![with_key(part(&name, expected, 1), "key", 5)])).await;
        let told =
            matching!(again, Err(AppendError::KeyTaken { record, .. }) => record, "a taken key at version {expected} of 4");
        same!(told, record(5, 0, 1, done.position), "what its first use led to");
    }
    same!(everything(&store).await?.len(), 4, "the number of events");
    Ok(())
}

pub(super) async fn a_key_is_kept_without_events(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    store.log.append(append(vec![with_key(part(&name, 0, 0), "first", 1)])).await?;
    same!(find_key(&store, &name, "first").await?, Some(record(1, 0, 0, Position::ZERO)), "a key before the first event");
    let last = put(&store, &name, 0, 2).await?.position;
    let last = put(&store, &stream("2"), 0, 1).await?.position.max(last);
    let done = store.log.append(append(vec![with_key(part(&name, 2, 0), "second", 2)])).await?;
    same!((done.positions, done.position), (vec![], last), "what the append says");
    same!(find_key(&store, &name, "second").await?, Some(record(2, 2, 2, last)), "a key without events");
    let again = store.log.append(append(vec![with_key(part(&name, 2, 0), "second", 2)])).await;
    matching!(again, Err(AppendError::KeyTaken { .. }) => (), "the same key again");
    Ok(())
}

pub(super) async fn a_key_belongs_to_its_stream(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    for (hash, id) in (0..).zip(["1", "2", "1-1"]) {
        let name = stream(id);
        same!(find_key(&store, &name, "key").await?, None, "the key on `{name}` before its use");
        let done = store.log.append(append(vec![with_key(part(&name, 0, 1), "key", hash)])).await?;
        same!(find_key(&store, &name, "key").await?, Some(record(hash, 0, 1, done.position)), "the key on `{name}`");
    }
    same!(everything(&store).await?.len(), 3, "the number of events");
    Ok(())
}

pub(super) async fn a_refused_append_keeps_no_key(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    put(&store, &name, 0, 2).await?;
    for expected in [0, 1, 3] {
        let refused = store.log.append(append(vec![with_key(part(&name, expected, 1), "key", 1)])).await;
        matching!(refused, Err(AppendError::Conflict { .. }) => (), "an append at version {expected} of 2");
        same!(find_key(&store, &name, "key").await?, None, "the key of a refused append");
    }
    let done = store.log.append(append(vec![with_key(part(&name, 2, 1), "key", 2)])).await?;
    same!(find_key(&store, &name, "key").await?, Some(record(2, 2, 3, done.position)), "the key after its use");
    Ok(())
}

pub(super) async fn of_racing_uses_of_a_key_one_counts(ground: &Ground<'_>) -> Checked {
    const TASKS: u64 = 8;
    let store = ground.store().await;
    for round in 0..40 {
        let name = stream(&round.to_string());
        let barrier = Arc::new(Barrier::new(8));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (store, barrier, name) = (store.clone(), Arc::clone(&barrier), name.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    store.log.append(append(vec![with_key(part(&name, 0, 1), "key", task)])).await
                })
            })
            .collect();
        let (mut won, mut told) = (Vec::new(), Vec::new());
        for (task, at) in tasks.into_iter().zip(0..) {
            match task.await? {
                Ok(done) => won.push(record(at, 0, 1, done.position)),
                Err(AppendError::KeyTaken { record, .. }) => told.push(record),
                Err(other) => return Err(other.into()),
            }
        }
        same!(won.len(), 1, "how many uses of a key counted");
        ensure!(told.iter().all(|record| *record == won[0]), "the losers were told {told:?}, the winner is {:?}", won[0]);
        same!(find_key(&store, &name, "key").await?, Some(won[0]), "what is kept");
        same!(read_stream(&store, &name, 0, 10).await?.len(), 1, "the number of events");
    }
    Ok(())
}

pub(super) async fn a_taken_key_refuses_the_whole_append(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let (a, b) = (stream("a"), stream("b"));
    let done = store.log.append(append(vec![with_key(part(&b, 0, 1), "key", 1)])).await?;
    let both = append(vec![with_key(part(&a, 0, 1), "key", 2), with_key(part(&b, 1, 1), "key", 2)]);
    let told =
        matching!(store.log.append(both).await, Err(AppendError::KeyTaken { stream, record }) => (stream, record), "a taken key");
    same!(told, (b.clone(), record(1, 0, 1, done.position)), "whose key it is");
    same!(everything(&store).await?.len(), 1, "the number of events");
    same!(find_key(&store, &a, "key").await?, None, "the other stream's key");
    let both = append(vec![with_key(part(&a, 0, 1), "new", 3), with_key(part(&b, 1, 2), "new", 4)]);
    let done = store.log.append(both).await?;
    same!(find_key(&store, &a, "new").await?, Some(record(3, 0, 1, done.position)), "the key of the first stream");
    same!(find_key(&store, &b, "new").await?, Some(record(4, 1, 3, done.position)), "the key of the second stream");
    Ok(())
}

pub(super) async fn keys_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let done = store.log.append(append(vec![with_key(part(&stream("1"), 0, 1), "key", u64::MAX)])).await?;
    let store = ground.reopen(store).await?;
    let kept = record(u64::MAX, 0, 1, done.position);
    same!(find_key(&store, &stream("1"), "key").await?, Some(kept), "the key");
    let again = store.log.append(append(vec![with_key(part(&stream("1"), 1, 1), "key", 1)])).await;
    let told = matching!(again, Err(AppendError::KeyTaken { record, .. }) => record, "the same key again");
    same!(told, kept, "what its first use led to");
    Ok(())
}
