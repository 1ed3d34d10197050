//! What holds for events, without races.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::kit::*;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{AppendError, KeyRecord, Store, StoredEvent};
use crate::{StreamName, Timestamp};

pub(super) async fn a_store_offers_what_it_says(ground: &Ground<'_>) -> Checked {
    let several_threads = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    ensure!(several_threads, "the suite's races need a runtime with several threads: `flavor = \"multi_thread\"`");
    let store = ground.store().await;
    let can = store.log.capabilities();
    same!(store.keys.is_some(), ground.offers.keys, "keys");
    same!(store.snapshots.is_some(), ground.offers.snapshots, "snapshots");
    same!(store.read_models.is_some(), ground.offers.read_models, "read models");
    same!(store.leases.is_some(), ground.offers.leases, "leases");
    if ground.offers.read_models {
        let parks = super::models::can_park(&store).await?;
        same!(parks, ground.offers.parking, "parking");
    }
    same!(can.several_streams, ground.offers.several_streams, "appends that span streams");
    same!(can.sole_writer, ground.offers.sole_writer, "a sole writer");
    ensure!(can.writable, "a store that can't be written to is beyond this suite");
    store.log.close().await?;
    drop(store);
    let reopened = ground.subject.reopen("a_store_offers_what_it_says").await;
    same!(reopened.is_some(), ground.offers.durable, "durability");
    Ok(())
}

pub(super) async fn a_new_store_is_empty(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    same!(store.log.head().await?, Position::ZERO, "the head");
    same!(everything(&store).await?, vec![], "the log");
    same!(read_stream(&store, &stream("1"), 0, 10).await?, vec![], "a stream");
    same!(store.log.event_types().await?, vec![], "the kinds of events");
    Ok(())
}

pub(super) async fn events_are_read_back_as_they_were_appended(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    put(&store, &stream("before"), 0, 1).await?;
    let mut said = append(vec![part(&name, 0, 3)]);
    (said.actor, said.recorded_at) = (Some("Zoë".into()), at(-5_000_001));
    (said.correlation_id, said.causation_id) = (Some(new_id()), Some(new_id()));
    for (event, n) in said.streams[0].events.iter_mut().zip(0..) {
        event.occurred_at = Some(at(i64::MIN + n));
        event.schema_version = u32::MAX - u32::try_from(n).unwrap_or(0);
    }
    let (events, correlation_id, causation_id) = (said.streams[0].events.clone(), said.correlation_id, said.causation_id);
    let done = store.log.append(said).await?;
    same!(done.positions.len(), 3, "the number of positions");
    same!(done.recorded_at, vec![at(-5_000_001)], "when it was recorded");

    let expected: Vec<_> = (1..)
        .zip(events)
        .zip(&done.positions)
        .map(|((version, event), position)| Seen {
            position: *position,
            stream: "Account-1".to_owned(),
            version,
            name: event.name.to_owned(),
            schema_version: event.schema_version,
            payload: event.payload,
            id: event.id,
            recorded_at: at(-5_000_001),
            occurred_at: event.occurred_at.unwrap_or_default(),
            correlation_id: correlation_id.unwrap_or_default(),
            causation_id,
            actor: Some("Zoë".to_owned()),
        })
        .collect();
    same!(read_stream(&store, &name, 0, 10).await?, expected, "the stream");
    same!(everything(&store).await?.get(1..), Some(&*expected), "the log");
    Ok(())
}

pub(super) async fn what_is_not_said_of_an_event_has_its_default(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut said = append(vec![part(&stream("1"), 0, 2)]);
    said.actor = Some("".into());
    let first = said.streams[0].events[0].id;
    store.log.append(said).await?;
    put(&store, &stream("1"), 2, 1).await?;
    let seen = read_stream(&store, &stream("1"), 0, 10).await?;
    ensure!(seen.len() == 3, "found {} events instead of 3", seen.len());
    for event in &seen {
        same!(event.occurred_at, event.recorded_at, "when it happened");
        same!(event.causation_id, None, "what caused it");
    }
    let correlation_ids: Vec<_> = seen.iter().map(|event| event.correlation_id).collect();
    same!(correlation_ids, vec![first, first, seen[2].id], "what they share is the id of the append's first event");
    let actors: Vec<_> = seen.iter().map(|event| event.actor.as_deref()).collect();
    same!(actors, vec![Some(""), Some(""), None], "nobody is not the empty name");
    Ok(())
}

pub(super) async fn payloads_are_kept_byte_for_byte(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let payloads = [
        Vec::new(),
        b"{ \"b\": 1.0,\n\t\"a\" : 1e3, \"a\":null }".to_vec(),
        "\"\u{7f} \u{e9} e\u{301} \u{1f980} \u{feff} \\u0000 ' \" \\\\\"".as_bytes().to_vec(),
        vec![b'x'; 1 << 20],
    ];
    let mut said = append(vec![part(&stream("1"), 0, payloads.len())]);
    for (event, payload) in said.streams[0].events.iter_mut().zip(&payloads) {
        event.payload.clone_from(payload);
    }
    store.log.append(said).await?;
    let seen = read_stream(&store, &stream("1"), 0, 10).await?;
    same!(seen.len(), payloads.len(), "the number of events");
    for (event, payload) in seen.iter().zip(&payloads) {
        ensure!(event.payload == *payload, "a payload of {} bytes came back with {}", payload.len(), event.payload.len());
    }
    Ok(())
}

pub(super) async fn names_of_streams_are_told_apart_byte_by_byte(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let long = "\u{1f980}".repeat(63) + "abc";
    ensure!(long.len() == StreamName::ID_BYTES_MAX, "the suite's longest id is not the longest");
    let ids = ["a", "A", "a ", " a", "a-a", "-", "é", "e\u{301}", "a%", "a_", "a'\"\\;--", "*", "ß", "ss", "İ", "i", &long];
    let mut names: Vec<_> = ids.iter().map(|id| stream(id)).collect();
    names.push(StreamName::parse("account-a")?);
    for (at, name) in names.iter().enumerate() {
        put(&store, name, 0, 1 + at % 3).await?;
    }
    for (at, name) in names.iter().enumerate() {
        let seen = read_stream(&store, name, 0, 10).await?;
        same!(seen.len(), 1 + at % 3, "the number of events of `{name}`");
        ensure!(seen.iter().all(|event| event.stream == name.as_str()), "`{name}` holds events of another stream");
    }
    Ok(())
}

pub(super) async fn versions_are_without_holes(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut head = 0;
    for events in [1, 3, 0, 2, 0, 0, 5] {
        put(&store, &stream("1"), head, events).await?;
        put(&store, &stream("2"), head, events).await?;
        head += events as u64;
    }
    for name in [stream("1"), stream("2")] {
        let versions: Vec<_> = read_stream(&store, &name, 0, 100).await?.iter().map(|event| event.version).collect();
        same!(versions, (1..=head).collect::<Vec<_>>(), "the versions of `{name}`");
    }
    Ok(())
}

/// Appends at a version that is not the stream's, and looks whether anything is left of it.
async fn conflicts(store: &Store, name: &StreamName, expected: u64, actual: u64) -> Checked {
    let before = everything(store).await?;
    let refused = put(store, name, expected, 1).await;
    let told = matching!(
        refused,
        Err(AppendError::Conflict { stream, actual }) => (stream, actual),
        "an append at version {expected} of a stream that has {actual}"
    );
    same!(told, (name.clone(), Version::new(actual)), "what the conflict says");
    same!(everything(store).await?, before, "the log after a refused append");
    same!(store.log.head().await?, before.last().map_or(Position::ZERO, |event| event.position), "the head after it");
    Ok(())
}

pub(super) async fn an_expected_version_that_is_too_low_is_a_conflict(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    put(&store, &stream("1"), 0, 3).await?;
    for expected in 0..3 {
        conflicts(&store, &stream("1"), expected, 3).await?;
    }
    put(&store, &stream("1"), 3, 1).await?;
    conflicts(&store, &stream("1"), 3, 4).await
}

pub(super) async fn an_expected_version_that_is_too_high_is_a_conflict(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    conflicts(&store, &stream("1"), 1, 0).await?;
    put(&store, &stream("1"), 0, 3).await?;
    for expected in [4, 5, 1_000_000, u64::MAX - 1] {
        conflicts(&store, &stream("1"), expected, 3).await?;
    }
    conflicts(&store, &stream("2"), 3, 0).await
}

pub(super) async fn an_append_that_is_repeated_is_a_conflict(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    for expected in [0, 2] {
        // The same events with the same ids, as it is sent again when its answer was lost.
        let said = part(&stream("1"), expected, 2);
        store.log.append(append(vec![said.clone()])).await?;
        let log = everything(&store).await?;
        let again = store.log.append(append(vec![said.clone()])).await;
        let actual = matching!(again, Err(AppendError::Conflict { actual, .. }) => actual, "the same append again");
        same!(actual, Version::new(expected + 2), "the version that the conflict tells");
        same!(everything(&store).await?, log, "the log after it");
        let ids: Vec<_> = read_stream(&store, &stream("1"), expected, 2).await?.iter().map(|event| event.id).collect();
        same!(ids, said.events.iter().map(|event| event.id).collect::<Vec<_>>(), "the ids by which it is known again");
    }
    Ok(())
}

pub(super) async fn a_stream_without_events_is_checked_like_others(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let done = put(&store, &stream("1"), 0, 0).await?;
    same!((done.positions.len(), done.position), (0, Position::ZERO), "what an append without events led to");
    let last = put(&store, &stream("1"), 0, 2).await?;
    let done = put(&store, &stream("1"), 2, 0).await?;
    same!((done.positions.len(), done.position), (0, last.position), "what an append without events led to");
    for expected in [1, 3] {
        let refused = put(&store, &stream("1"), expected, 0).await;
        matching!(refused, Err(AppendError::Conflict { .. }) => (), "an append without events at version {expected} of 2");
    }
    same!(everything(&store).await?.len(), 2, "the number of events");
    Ok(())
}

/// F1, F2: the version is the expected one, and another event has it, as after a restore without the last events.
pub(super) async fn an_append_onto_another_event_conflicts(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let (a, b) = (stream("a"), stream("b"));
    put(&store, &a, 0, 2).await?;
    put(&store, &b, 0, 1).await?;
    let on = |mut part: crate::store::StreamAppend, id| {
        part.expected_event = Some(id);
        part
    };
    let ids: Vec<_> = read_stream(&store, &a, 0, 2).await?.iter().map(|event| event.id).collect();
    let b_id = read_stream(&store, &b, 0, 1).await?[0].id;
    // The id is one of no event, or of an earlier one of the stream; the part is alone, one of two, and without events.
    for wrong in [new_id(), ids[0]] {
        for parts in [
            vec![on(part(&a, 2, 1), wrong)],
            vec![on(part(&a, 2, 2), wrong)],
            vec![on(part(&b, 1, 1), b_id), on(part(&a, 2, 1), wrong)],
            vec![on(part(&b, 1, 1), b_id), on(part(&a, 2, 0), wrong)],
            vec![on(part(&a, 2, 0), wrong)],
            vec![on(part(&stream("c"), 0, 1), wrong)],
        ] {
            let expected = parts.iter().rev().find(|part| part.expected_event == Some(wrong)).map(|part| part.stream.clone());
            let refused = store.log.append(append(parts)).await;
            let named = matching!(refused, Err(AppendError::Conflict { stream, .. }) => stream, "an append onto another event");
            same!(Some(named), expected, "the stream that conflicts");
        }
    }
    same!(everything(&store).await?.len(), 3, "the number of events after the conflicts");
    store.log.append(append(vec![on(part(&b, 1, 1), b_id), on(part(&a, 2, 1), ids[1])])).await?;
    let last = read_stream(&store, &a, 2, 1).await?[0].id;
    store.log.append(append(vec![on(part(&a, 3, 1), last)])).await?;
    same!(everything(&store).await?.len(), 6, "the number of events after appends onto the right ones");
    Ok(())
}

pub(super) async fn an_append_spans_streams_or_leaves_no_trace(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let (a, b, c) = (stream("a"), stream("b"), stream("c"));
    let done = store.log.append(append(vec![part(&a, 0, 2), part(&b, 0, 1)])).await?;
    same!((done.positions.len(), done.recorded_at.len()), (3, 2), "positions, and times of streams");
    let seen: Vec<_> = everything(&store).await?.into_iter().map(|event| (event.position, event.stream, event.version)).collect();
    let streams = [(a.as_str(), 1), (a.as_str(), 2), (b.as_str(), 1)].map(|(name, version)| (name.to_owned(), version));
    let expected: Vec<_> = done.positions.iter().zip(streams).map(|(at, (name, version))| (*at, name, version)).collect();
    same!(seen, expected, "the log, in the order of the append");
    // The part that conflicts stands at each place once.
    for wrong in 0..3 {
        let mut parts = vec![part(&a, 2, 1), part(&b, 1, 1), part(&c, 0, 1)];
        parts[wrong].expected = Version::new(9);
        let name = parts[wrong].stream.clone();
        let refused = store.log.append(append(parts)).await;
        let told = matching!(refused, Err(AppendError::Conflict { stream, .. }) => stream, "a conflict in part {wrong}");
        same!(told, name, "the stream that conflicts");
        same!(everything(&store).await?.len(), 3, "the number of events after a conflict in part {wrong}");
    }
    Ok(())
}

pub(super) async fn a_misshapen_append_is_refused(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let twice = append(vec![part(&stream("1"), 0, 1), part(&stream("1"), 1, 1)]);
    for misshapen in [append(vec![]), twice] {
        matching!(store.log.append(misshapen).await, Err(AppendError::Store(_)) => (), "a misshapen append");
    }
    if !ground.offers.several_streams {
        let several = append(vec![part(&stream("1"), 0, 1), part(&stream("2"), 0, 1)]);
        matching!(store.log.append(several).await, Err(AppendError::Store(_)) => (), "an append that spans streams");
    }
    same!(everything(&store).await?, vec![], "the log");
    Ok(())
}

pub(super) async fn positions_grow_and_are_told_as_they_are_read(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut told = Vec::new();
    for round in 0..20 {
        let done = put(&store, &stream(&(round % 3).to_string()), round / 3 * 2, 2).await?;
        same!(Some(&done.position), done.positions.last(), "the append's own position is its last event's");
        same!(store.log.head().await?, done.position, "the head");
        told.extend(done.positions);
    }
    ensure!(told.first() > Some(&Position::ZERO), "0 is before the first event");
    ensure!(told.windows(2).all(|pair| pair[0] < pair[1]), "positions do not grow: {told:?}");
    let read: Vec<_> = everything(&store).await?.iter().map(|event| event.position).collect();
    same!(read, told, "the positions");
    Ok(())
}

pub(super) async fn positions_are_not_given_twice(ground: &Ground<'_>) -> Checked {
    let mut store = ground.store().await;
    let mut last = Position::ZERO;
    for round in 0..3 {
        for head in 0..3 {
            let expected = round * 3 + head;
            let done = put(&store, &stream("1"), expected, 1).await?;
            ensure!(done.position > last, "position {} was given after {last}", done.position);
            last = done.position;
            let refused = put(&store, &stream("1"), expected, 2).await;
            matching!(refused, Err(AppendError::Conflict { .. }) => (), "an append at an old version");
        }
        if ground.offers.durable {
            store = ground.reopen(store).await?;
            same!(store.log.head().await?, last, "the head after reopening");
        }
    }
    let mut positions: Vec<_> = everything(&store).await?.iter().map(|event| event.position).collect();
    positions.dedup();
    same!(positions.len(), 9, "the number of different positions");
    Ok(())
}

pub(super) async fn recorded_at_never_goes_back_within_a_stream(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut told = Vec::new();
    for (expected, clock) in [500, 300, 500, 700, i64::MIN, 701].into_iter().enumerate() {
        let mut said = append(vec![part(&stream("1"), expected as u64, 1)]);
        said.recorded_at = at(clock);
        told.extend(store.log.append(said).await?.recorded_at);
    }
    same!(told, [500, 500, 500, 700, 700, 701].map(at).to_vec(), "what was told");
    let read: Vec<_> = read_stream(&store, &stream("1"), 0, 10).await?.iter().map(|event| event.recorded_at).collect();
    same!(read, told, "what is stored");
    let mut said = append(vec![part(&stream("2"), 0, 1)]);
    said.recorded_at = at(1);
    same!(store.log.append(said).await?.recorded_at, vec![at(1)], "another stream has a time of its own");
    // Several at once, beside another stream, of kinds that the store knows by now.
    for (round, clock) in [(0, 600), (1, 702), (2, 5)] {
        let mut parts = vec![part(&stream("1"), 6 + 2 * round, 2)];
        if ground.offers.several_streams {
            parts.push(part(&stream("2"), 1 + round, 1));
        }
        let mut said = append(parts);
        said.recorded_at = at(clock);
        let times = [at(clock.max(701 + i64::from(round > 0))), at(if round == 2 { 702 } else { clock })];
        let told = store.log.append(said).await?.recorded_at;
        same!(told, times[..told.len()].to_vec(), "what was told of several at once");
    }
    let read: Vec<_> = read_stream(&store, &stream("1"), 6, 10).await?.iter().map(|event| event.recorded_at).collect();
    same!(read, [701, 701, 702, 702, 702, 702].map(at).to_vec(), "what is stored of several at once");
    Ok(())
}

pub(super) async fn a_read_of_a_stream_is_bounded(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    for round in 0..300 {
        put(&store, &name, round * 2, 2).await?;
        if round % 50 == 0 {
            put(&store, &stream("2"), round / 50, 1).await?;
        }
    }
    for (after, max) in
        [(0, 1), (0, 0), (0, 600), (1, 599), (599, 5), (600, 5), (601, 5), (u64::MAX, 5), (255, 258), (7, usize::MAX)]
    {
        let versions: Vec<_> = read_stream(&store, &name, after, max).await?.iter().map(|event| event.version).collect();
        let expected: Vec<_> = (1..=600).filter(|version| *version > after).take(max).collect();
        same!(versions, expected, "versions after {after}, at most {max}");
    }
    let mut seen = 0;
    let mut visit = |_: StoredEvent<'_>| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.log.read_stream(&name, Version::ZERO, 600, &mut visit).await?;
    same!(seen, 5, "how many were seen before the read was ended");
    Ok(())
}

pub(super) async fn a_read_of_all_is_bounded(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut told = vec![];
    for round in 0..300 {
        told.extend(put(&store, &stream(&(round % 2).to_string()), round / 2 * 2, 2).await?.positions);
    }
    let end = told[599].get();
    for (after, max) in
        [(0, 1), (0, 0), (0, 600), (told[0].get(), 599), (end - 1, 5), (end, 5), (end + 1, 5), (u64::MAX, 5), (0, usize::MAX)]
    {
        let seen: Vec<_> = read_all(&store, Position::new(after), max).await?.iter().map(|event| event.position).collect();
        let expected: Vec<_> = told.iter().copied().filter(|position| position.get() > after).take(max).collect();
        same!(seen, expected, "positions after {after}, at most {max}");
    }
    let mut seen = 0;
    let mut visit = |_: StoredEvent<'_>| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.log.read_all(Position::ZERO, 600, &mut visit).await?;
    same!(seen, 5, "how many were seen before the read was ended");
    Ok(())
}

pub(super) async fn kinds_of_events_are_known_with_their_first_position(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let said = |name: &str, expected, event_name, schema_version| {
        let mut said = append(vec![part(&StreamName::parse(name)?, expected, 2)]);
        for event in &mut said.streams[0].events {
            (event.name, event.schema_version) = (event_name, schema_version);
        }
        Checked::Ok(said)
    };
    let mut expected = Vec::new();
    for (name, at, event, version) in [
        ("B-1", 0, "Opened", 2),
        ("A-1", 0, "Opened", 1),
        ("B-1", 2, "Opened", 1),
        ("A-2", 0, "Closed", 1),
        ("A-1", 2, "Opened", 1),
    ] {
        // A refused append must not make its kind known.
        let refused = store.log.append(said(name, 77, event, version)?).await;
        matching!(refused, Err(AppendError::Conflict { .. }) => (), "an append at version 77");
        let done = store.log.append(said(name, at, event, version)?).await?;
        expected.push((name[..1].to_owned(), event.to_owned(), version, done.positions[0]));
    }
    expected.pop();
    expected.sort();
    let types = store.log.event_types().await?;
    let found: Vec<_> = types.into_iter().map(|t| (t.aggregate, t.name, t.schema_version, t.first_position)).collect();
    same!(found, expected, "the kinds of events, by aggregate, name and version");
    Ok(())
}

pub(super) async fn a_closed_store_answers_closed(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let name = stream("1");
    put(&store, &name, 0, 1).await?;
    let event = read_stream(&store, &name, 0, 1).await?.remove(0);
    let waiting = Arc::clone(&store.log);
    let waiting = tokio::spawn(async move { waiting.wait_beyond(Position::new(1_000)).await });
    store.log.close().await?;
    store.log.close().await?;
    matching!(waiting.await?, Err(StoreError::Closed) => (), "who waited");
    matching!(put(&store, &name, 1, 1).await, Err(AppendError::Store(StoreError::Closed)) => (), "append");
    let mut visit = |_: StoredEvent<'_>| ControlFlow::Continue(());
    matching!(store.log.read_stream(&name, Version::ZERO, 1, &mut visit).await, Err(StoreError::Closed) => (), "read_stream");
    matching!(store.log.read_all(Position::ZERO, 1, &mut visit).await, Err(StoreError::Closed) => (), "read_all");
    matching!(store.log.head().await, Err(StoreError::Closed) => (), "head");
    matching!(store.log.wait_beyond(Position::ZERO).await, Err(StoreError::Closed) => (), "wait_beyond");
    matching!(store.log.event_types().await, Err(StoreError::Closed) => (), "event_types");
    if let Some(keys) = &store.keys {
        matching!(keys.find_key(&name, "key").await, Err(StoreError::Closed) => (), "find_key");
    }
    if let Some(snapshots) = &store.snapshots {
        matching!(snapshots.save_snapshot(&name, 1, snapshot_at(&event, b"{}")).await, Err(StoreError::Closed) => (), "save_snapshot");
        matching!(snapshots.load_snapshot(&name, 1).await, Err(StoreError::Closed) => (), "load_snapshot");
    }
    if let Some(models) = &store.read_models {
        matching!(models.prepare(vec![]).await, Err(StoreError::Closed) => (), "prepare");
        matching!(models.checkpoint(0).await, Err(StoreError::Closed) => (), "checkpoint");
        matching!(models.rows(0, &[]).await, Err(StoreError::Closed) => (), "rows");
    }
    Ok(())
}

pub(super) async fn what_was_stored_is_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    for round in 0..20 {
        let mut said = append(vec![part(&stream(&(round % 4).to_string()), round / 4 * 2, 2)]);
        (said.actor, said.recorded_at) = (Some("me".into()), Timestamp::from_micros(i64::try_from(round).unwrap_or(0)));
        store.log.append(said).await?;
    }
    let (log, types) = (everything(&store).await?, store.log.event_types().await?);
    let store = ground.reopen(store).await?;
    same!(everything(&store).await?, log, "the log");
    same!(store.log.event_types().await?, types, "the kinds of events");
    conflicts(&store, &stream("0"), 3, 10).await?;
    let mut said = append(vec![part(&stream("0"), 10, 1)]);
    said.recorded_at = at(-1);
    let done = store.log.append(said).await?;
    ensure!(Some(done.position) > log.last().map(|event| event.position), "the log goes on at {}", done.position);
    same!(done.recorded_at, vec![at(16)], "time goes on where it was");
    let unused: Option<KeyRecord> = None;
    if store.keys.is_some() {
        same!(find_key(&store, &stream("0"), "never").await?, unused, "a key that was never used");
    }
    Ok(())
}
