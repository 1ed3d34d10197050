//! What holds while tasks race. Nothing is timed: what was acknowledged is held against what is in the log at the end.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Barrier;

use super::kit::*;
use crate::error::StoreError;
use crate::event::Position;
use crate::store::{AppendError, Store};

pub(super) async fn of_racing_appends_to_a_stream_one_wins(ground: &Ground<'_>) -> Checked {
    const TASKS: usize = 8;
    let store = ground.store().await;
    let mut head = 0;
    for round in 0..40 {
        let barrier = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (store, barrier) = (store.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    put(&store, &stream("1"), head, 1 + (round + task) % 2).await
                })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await? {
                Ok(done) => won.push(done),
                Err(AppendError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        same!(won.len(), 1, "how many of {TASKS} appends at one version won");
        head += won[0].positions.len() as u64;
    }
    let versions: Vec<_> = read_stream(&store, &stream("1"), 0, usize::MAX).await?.iter().map(|event| event.version).collect();
    same!(versions, (1..=head).collect::<Vec<_>>(), "the versions");
    Ok(())
}

pub(super) async fn of_two_units_that_share_a_stream_one_leaves_no_row(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    for round in 0..60 {
        let [a, b, c] = ["a", "b", "c"].map(|id| stream(&format!("{id}{round}")));
        let barrier = Arc::new(Barrier::new(2));
        let run = |parts| {
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.log.append(append(parts)).await
            })
        };
        let first = run(vec![part(&a, 0, 1), part(&b, 0, 2)]);
        let second = run(vec![part(&b, 0, 1), part(&c, 0, 1)]);
        let (first, second) = (first.await?, second.await?);
        let mut counts = Vec::new();
        for name in [&a, &b, &c] {
            counts.push(read_stream(&store, name, 0, 10).await?.len());
        }
        match (first, second) {
            (Ok(_), Err(AppendError::Conflict { stream, .. })) => {
                same!((counts, stream), (vec![1, 2, 0], b), "only the first unit's events, and the shared stream");
            }
            (Err(AppendError::Conflict { stream, .. }), Ok(_)) => {
                same!((counts, stream), (vec![0, 1, 1], b), "only the second unit's events, and the shared stream");
            }
            other => ensure!(false, "of two units that share a stream, one wins and one conflicts: found {other:?}"),
        }
    }
    Ok(())
}

/// Appends to streams of its own and to a shared one, where it may lose.
async fn write(store: Store, writer: usize, appends: u64) -> Checked<Vec<uuid::Uuid>> {
    let own = stream(&format!("own{writer}"));
    let (mut head, mut acknowledged) = (0, Vec::new());
    for round in 0..appends {
        let said = append(vec![part(&own, head, 1 + usize::try_from(round % 3).unwrap_or(0))]);
        acknowledged.extend(said.streams[0].events.iter().map(|event| event.id));
        head += said.streams[0].events.len() as u64;
        store.log.append(said).await?;
        let shared = append(vec![part(&stream("shared"), round, 1)]);
        let id = shared.streams[0].events[0].id;
        match store.log.append(shared).await {
            Ok(_) => acknowledged.push(id),
            Err(AppendError::Conflict { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(acknowledged)
}

pub(super) async fn a_live_reader_never_skips(ground: &Ground<'_>) -> Checked {
    const WRITERS: usize = 8;
    let store = ground.store().await;
    let readers: Vec<_> = [1, 7, 1_000]
        .into_iter()
        .map(|max| {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut last, mut seen) = (Position::ZERO, Vec::new());
                while seen.last().is_none_or(|event: &Seen| event.stream != "Account-end") {
                    store.log.wait_beyond(last).await?;
                    seen.extend(read_all(&store, last, max).await?);
                    last = seen.last().map_or(last, |event| event.position);
                }
                Checked::Ok(seen)
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer, 60))).collect();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await??);
    }
    put(&store, &stream("end"), 0, 1).await?;
    let log = everything(&store).await?;
    for reader in readers {
        let seen = reader.await??;
        let at = seen.iter().zip(&log).take_while(|(seen, stored)| seen == stored).count();
        ensure!(
            seen == log,
            "a live reader saw {} events, the log holds {}; they differ after {at}: {:?} was seen, {:?} is stored",
            seen.len(),
            log.len(),
            seen.get(at).map(|event| event.position),
            log.get(at).map(|event| event.position)
        );
    }
    let mut stored: Vec<_> = log.iter().filter(|event| event.stream != "Account-end").map(|event| event.id).collect();
    stored.sort();
    acknowledged.sort();
    ensure!(stored == acknowledged, "{} events are stored, {} were acknowledged", stored.len(), acknowledged.len());
    Ok(())
}

/// No store takes as long; it only keeps a broken one from being waited for until the end of the case.
const WAKE_TIME_MAX: Duration = Duration::from_secs(10);

async fn woken<T>(waiting: impl Future<Output = T>) -> Checked<T> {
    let woken = tokio::time::timeout(WAKE_TIME_MAX, waiting).await;
    woken.map_err(|_| Failure("who waits for the next event was not woken by it".to_owned()))
}

pub(super) async fn who_waits_is_woken(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut last = Position::ZERO;
    for round in 0..30 {
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let log = Arc::clone(&store.log);
                let (polled, was_polled) = tokio::sync::oneshot::channel();
                let task = tokio::spawn(async move {
                    let mut wait = log.wait_beyond(last);
                    let first = std::future::poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await;
                    let _ = polled.send(());
                    match first {
                        Poll::Ready(result) => result?,
                        Poll::Pending => wait.await?,
                    }
                    log.head().await
                });
                (task, was_polled)
            })
            .collect();
        let mut tasks = Vec::new();
        for (task, was_polled) in waiting {
            // Where it is gone, the task has failed, and says so below.
            let _ = was_polled.await;
            tasks.push(task);
        }
        let done = put(&store, &stream("1"), round, 1).await?;
        for task in tasks {
            let head = woken(task).await???;
            ensure!(head <= done.position, "the head is beyond the only append");
        }
        last = done.position;
    }
    store.log.wait_beyond(Position::ZERO).await?;
    Ok(())
}

pub(super) async fn an_append_that_nobody_waits_for_is_finished(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let mut ids = Vec::new();
    for round in 0..50 {
        let before = store.log.head().await?;
        let said = append(vec![part(&stream("1"), round, 1)]);
        ids.push(said.streams[0].events[0].id);
        let mut future = store.log.append(said);
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        drop(future);
        woken(store.log.wait_beyond(before)).await??;
        same!(read_stream(&store, &stream("1"), round, 9).await?.len(), 1, "the events of a dropped append");
    }
    let stored: Vec<_> = everything(&store).await?.iter().map(|event| event.id).collect();
    same!(stored, ids, "the log");
    Ok(())
}

pub(super) async fn appends_that_race_with_close_are_done_or_refused(ground: &Ground<'_>) -> Checked {
    const WRITERS: usize = 8;
    let store = ground.store().await;
    let started = Arc::new(Barrier::new(WRITERS + 1));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, started) = (store.clone(), Arc::clone(&started));
            tokio::spawn(async move {
                let name = stream(&format!("own{writer}"));
                put(&store, &name, 0, 1).await?;
                started.wait().await;
                let mut acknowledged: u64 = 1;
                loop {
                    match put(&store, &name, acknowledged, 1).await {
                        Ok(_) => acknowledged += 1,
                        Err(AppendError::Store(StoreError::Closed)) => break Ok((name, acknowledged)),
                        Err(other) => break Err(Failure::from(other)),
                    }
                }
            })
        })
        .collect();
    started.wait().await;
    store.log.close().await?;
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.push(writer.await??);
    }
    if ground.offers.durable {
        drop(store);
        let store = ground.reopen_closed().await?;
        for (name, count) in acknowledged {
            let found = read_stream(&store, &name, 0, usize::MAX).await?.len() as u64;
            same!(found, count, "events of `{name}`: stored and acknowledged");
        }
    }
    Ok(())
}
