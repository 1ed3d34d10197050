//! What holds for read models that appends carry.

use std::sync::{Arc, Mutex};

use super::kit::*;
use crate::Timestamp;
use crate::event::Position;
use crate::read::{Column, ColumnKind, ColumnRole, FoldError, Row, Value};
use crate::store::{
    Append, AppendError, Checkpoint, InlineFold, InlineRefusal, ModelSpec, Placed, RowChange, RowKey, RowSet, Store,
};

const COLUMNS: &[Column] = &[
    Column { name: "id", kind: ColumnKind::Text, nullable: false, role: ColumnRole::Key, doc: "" },
    Column { name: "events", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Indexed, doc: "" },
    Column { name: "last", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Plain, doc: "" },
];
const TALLY: ModelSpec = ModelSpec { table: "tally", columns: COLUMNS, fingerprint: 1, inline: true };
const LATER: ModelSpec = ModelSpec { table: "later", columns: COLUMNS, fingerprint: 1, inline: false };

/// Counts the events of each stream, and of all, and refuses `Poison` after it has changed its rows.
#[derive(Default)]
struct Tally {
    /// What the folds were told, by the append's first event.
    placed: Mutex<Vec<(Vec<Position>, Vec<Timestamp>)>>,
}

fn key(id: &str) -> RowKey {
    RowKey { model: 0, key: Value::Text(id.to_owned()) }
}

fn row(id: &str, events: i64, last: Position) -> Row {
    let last = i64::try_from(last.get()).unwrap_or(i64::MAX);
    vec![Value::Text(id.to_owned()), Value::Integer(events), Value::Integer(last)]
}

fn refusal(event: &str) -> InlineRefusal {
    InlineRefusal { model: "tally", event: event.to_owned(), why: FoldError::Key("refused by the suite".to_owned()) }
}

impl InlineFold for Tally {
    fn carries(&self, model: usize) -> bool {
        model == 0
    }

    fn keys(&self, append: &Append) -> Result<Vec<RowKey>, InlineRefusal> {
        let mut keys = vec![key("all")];
        for part in &append.streams {
            if part.events.iter().any(|event| event.name == "Keyless") {
                return Err(refusal("Keyless"));
            }
            // As often as there are events: a key may be named twice.
            keys.extend(part.events.iter().map(|_| key(part.stream.id())));
        }
        Ok(keys)
    }

    fn fold(&self, append: &Append, placed: &Placed<'_>, rows: &mut RowSet) -> Result<(), InlineRefusal> {
        let mut positions = placed.positions.iter();
        for part in &append.streams {
            for event in &part.events {
                let position = positions.next().copied().ok_or_else(|| refusal(event.name))?;
                for id in [part.stream.id(), "all"] {
                    let events = rows.get(&key(id)).map(|row| row[1].clone());
                    let events = if let Some(Value::Integer(events)) = events { events } else { 0 };
                    rows.put(key(id), (event.name != "Ended" || id == "all").then(|| row(id, events + 1, position)));
                }
                if event.name == "Misshapen" {
                    rows.put(key("all"), Some(vec![Value::Null]));
                }
                if event.name == "Poison" {
                    return Err(refusal(event.name));
                }
            }
        }
        let told = (placed.positions.to_vec(), placed.recorded_at.to_vec());
        self.placed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(told);
        Ok(())
    }
}

fn carried(mut append: Append, fold: &Arc<Tally>) -> Append {
    append.inline = Some(Arc::clone(fold) as Arc<dyn InlineFold>);
    append
}

fn named(id: &str, expected: u64, names: &[&'static str]) -> Append {
    let mut said = append(vec![part(&stream(id), expected, names.len())]);
    for (event, name) in said.streams[0].events.iter_mut().zip(names) {
        event.name = name;
    }
    said
}

async fn prepared(ground: &Ground<'_>) -> Checked<(Store, Arc<Tally>)> {
    let store = ground.store().await;
    models(&store)?.prepare(vec![TALLY, LATER]).await?;
    Ok((store, Arc::default()))
}

async fn tally(store: &Store, id: &str) -> Checked<Option<Row>> {
    let mut found = models(store)?.rows(0, &[Value::Text(id.to_owned())]).await?;
    found.pop().ok_or_else(|| Failure("asked for one row, got none".to_owned()))
}

pub(super) async fn an_inline_model_moves_with_each_append(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let mut count = 0;
    for round in 0..10u32 {
        let events = 1 + round % 3;
        let (id, names) = (round.to_string(), vec!["Deposited"; events as usize]);
        let done = store.log.append(carried(named(&id, 0, &names), &fold)).await?;
        count += i64::from(events);
        same!(models(&store)?.checkpoint(0).await?.position, done.position, "how far the inline model has come");
        same!(models(&store)?.checkpoint(1).await?.position, Position::ZERO, "how far the other model has come");
        same!(tally(&store, "all").await?, Some(row("all", count, done.position)), "the row of all");
        same!(tally(&store, &id).await?, Some(row(&id, i64::from(events), done.position)), "the row of the stream");
        store.log.append(carried(named(&id, u64::from(events), &[]), &fold)).await?;
        same!(models(&store)?.checkpoint(0).await?.position, done.position, "how far it has come without an event");
    }
    let done = store.log.append(carried(named("3", 1, &["Ended"]), &fold)).await?;
    same!(tally(&store, "3").await?, None, "a row that was removed");
    same!(tally(&store, "all").await?, Some(row("all", count + 1, done.position)), "the row of all");
    let by_count = crate::store::RowQuery { column: 1, from: None, to: None, after: None, descending: true, max: 1 };
    let most = models(&store)?.query(0, &by_count).await?;
    same!(most, vec![row("all", count + 1, done.position)], "the row with the most events, by the index");
    Ok(())
}

pub(super) async fn a_fold_sees_where_its_events_will_stand(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let mut told = Vec::new();
    for (round, clock) in [(0, 50), (1, 20), (2, 70)] {
        let mut said = named("1", round * 2, &["Deposited", "Deposited"]);
        if ground.offers.several_streams {
            said.streams.push(part(&stream("2"), round, 1));
        }
        said.recorded_at = at(clock);
        let done = store.log.append(carried(said, &fold)).await?;
        told.push((done.positions, done.recorded_at));
    }
    let seen = std::mem::take(&mut *fold.placed.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    same!(seen, told, "positions and times, as the folds and as the callers were told");
    Ok(())
}

pub(super) async fn rows_folded_at_once_see_each_other(ground: &Ground<'_>) -> Checked {
    const TASKS: usize = 32;
    const EACH: u64 = 10;
    let (store, fold) = prepared(ground).await?;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, fold) = (store.clone(), Arc::clone(&fold));
            tokio::spawn(async move {
                for round in 0..EACH {
                    store.log.append(carried(named(&task.to_string(), round * 2, &["Deposited", "Deposited"]), &fold)).await?;
                }
                Checked::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let log = everything(&store).await?;
    let last = log.last().map_or(Position::ZERO, |event| event.position);
    same!(log.len(), TASKS * 20, "the number of events");
    same!(tally(&store, "all").await?, Some(row("all", 640, last)), "the row that every append folds into");
    for task in 0..TASKS {
        let id = task.to_string();
        let last =
            log.iter().rfind(|event| event.stream == format!("Account-{id}")).map_or(Position::ZERO, |event| event.position);
        same!(tally(&store, &id).await?, Some(row(&id, 20, last)), "the row of a stream");
    }
    same!(models(&store)?.checkpoint(0).await?.position, last, "how far the model has come");
    Ok(())
}

pub(super) async fn a_refusing_fold_refuses_its_own_append_only(ground: &Ground<'_>) -> Checked {
    const TASKS: usize = 32;
    let (store, fold) = prepared(ground).await?;
    for round in 0..10 {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (store, fold) = (store.clone(), Arc::clone(&fold));
                let names: &[_] = match task % 4 {
                    1 => &["Deposited", "Poison"],
                    2 => &["Keyless"],
                    _ => &["Deposited"],
                };
                let said = named(&task.to_string(), if task % 4 == 1 || task % 4 == 2 { 0 } else { round }, names);
                tokio::spawn(async move { store.log.append(carried(said, &fold)).await })
            })
            .collect();
        for (task, result) in tasks.into_iter().enumerate() {
            match (task % 4, result.await?) {
                (1, Err(AppendError::Inline(why))) => same!(why.event, "Poison", "the event that was refused"),
                (2, Err(AppendError::Inline(why))) => same!(why.event, "Keyless", "the event that was refused"),
                (0 | 3, Ok(_)) => {}
                (_, other) => ensure!(false, "append {task} was answered {other:?}"),
            }
        }
    }
    let log = everything(&store).await?;
    same!(log.len(), TASKS / 2 * 10, "the number of events");
    let last = log.last().map_or(Position::ZERO, |event| event.position);
    same!(tally(&store, "all").await?, Some(row("all", 160, last)), "the row that every append folds into");
    same!(models(&store)?.checkpoint(0).await?.position, last, "how far the model has come");
    Ok(())
}

pub(super) async fn a_refusing_fold_leaves_no_trace(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let done = store.log.append(carried(named("1", 0, &["Deposited"]), &fold)).await?;
    for names in [&["Poison"][..], &["Deposited", "Poison"], &["Ended", "Poison"], &["Keyless"]] {
        for (id, expected) in [("1", 1), ("2", 0)] {
            let refused = store.log.append(carried(named(id, expected, names), &fold)).await;
            matching!(refused, Err(AppendError::Inline(_)) => (), "an append of {names:?}");
            same!(everything(&store).await?.len(), 1, "the number of events");
            same!(store.log.head().await?, done.position, "the head");
            same!(tally(&store, "1").await?, Some(row("1", 1, done.position)), "the row of the stream");
            same!(tally(&store, "2").await?, None, "the row of the other stream");
            same!(tally(&store, "all").await?, Some(row("all", 1, done.position)), "the row of all");
            same!(models(&store)?.checkpoint(0).await?.position, done.position, "how far the model has come");
        }
    }
    let names: Vec<_> = store.log.event_types().await?.into_iter().map(|t| t.name).collect();
    same!(names, vec!["Deposited"], "the kinds of events");
    // A conflict is told before the model is asked.
    let refused = store.log.append(carried(named("1", 0, &["Poison"]), &fold)).await;
    matching!(refused, Err(AppendError::Conflict { .. }) => (), "a refused event at an old version");
    Ok(())
}

pub(super) async fn a_refusing_fold_keeps_no_key(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let mut said = named("1", 0, &["Poison"]);
    said.streams = vec![with_key(said.streams.remove(0), "key", 1)];
    let refused = store.log.append(carried(said, &fold)).await;
    matching!(refused, Err(AppendError::Inline(_)) => (), "an append that the model refuses");
    same!(find_key(&store, &stream("1"), "key").await?, None, "its key");
    Ok(())
}

pub(super) async fn rows_that_can_not_be_stored_refuse_their_own_append_only(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    for round in 0..10 {
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let (store, fold) = (store.clone(), Arc::clone(&fold));
                let said = named(
                    &task.to_string(),
                    if task == 5 { 0 } else { round },
                    if task == 5 { &["Misshapen"] } else { &["Deposited"] },
                );
                tokio::spawn(async move { store.log.append(carried(said, &fold)).await })
            })
            .collect();
        for (task, result) in tasks.into_iter().enumerate() {
            match (task, result.await?) {
                (5, Err(AppendError::Store(_))) => {}
                (5, other) => ensure!(false, "an append whose row can't be stored was answered {other:?}"),
                (_, done) => drop(done?),
            }
        }
    }
    let log = everything(&store).await?;
    same!(log.len(), 150, "the number of events");
    let last = log.last().map_or(Position::ZERO, |event| event.position);
    same!(tally(&store, "all").await?, Some(row("all", 150, last)), "the row that every append folds into");
    same!(tally(&store, "5").await?, None, "the other row of the refused append");
    Ok(())
}

pub(super) async fn an_inline_model_that_is_behind_is_not_folded_into(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let fold = Arc::new(Tally::default());
    let last = put(&store, &stream("1"), 0, 3).await?.position;
    models(&store)?.prepare(vec![TALLY, LATER]).await?;
    let refused = store.log.append(carried(named("1", 3, &["Deposited"]), &fold)).await;
    matching!(refused, Err(AppendError::Behind { model: "tally" }) => (), "an append that folds into a model that is behind");
    same!(everything(&store).await?.len(), 3, "the number of events");
    let last = put(&store, &stream("1"), 3, 1).await?.position.max(last);
    let behind = models(&store)?.checkpoint(0).await?;
    same!(behind.position, Position::ZERO, "how far the model has come");

    let caught_up = RowChange { key: key("all").key, row: Some(row("all", 4, last)) };
    models(&store)?.commit(0, vec![caught_up], behind, last).await?;
    let done = store.log.append(carried(named("1", 4, &["Deposited"]), &fold)).await?;
    same!(tally(&store, "all").await?, Some(row("all", 5, done.position)), "the row of all");
    let expected = Checkpoint { position: done.position, ..behind };
    same!(models(&store)?.checkpoint(0).await?, expected, "the checkpoint");
    Ok(())
}

pub(super) async fn an_append_that_does_not_carry_a_model_leaves_it_behind(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let first = store.log.append(carried(named("1", 0, &["Deposited"]), &fold)).await?.position;
    let last = put(&store, &stream("1"), 1, 1).await?.position;
    let behind = models(&store)?.checkpoint(0).await?;
    same!(behind.position, first, "how far the model has come");
    let refused = store.log.append(carried(named("1", 2, &["Deposited"]), &fold)).await;
    matching!(refused, Err(AppendError::Behind { model: "tally" }) => (), "an append that folds into it");
    let caught_up = RowChange { key: key("all").key, row: Some(row("all", 2, last)) };
    models(&store)?.commit(0, vec![caught_up], behind, last).await?;

    // At the same time, where they may share a transaction: what is folded is what stands up to the checkpoint.
    let tasks: Vec<_> = (2..66)
        .map(|task| {
            let said = named(&task.to_string(), 0, &["Deposited"]);
            let (store, said) = (store.clone(), if task % 16 == 15 { said } else { carried(said, &fold) });
            tokio::spawn(async move { store.log.append(said).await })
        })
        .collect();
    for (task, result) in tasks.into_iter().enumerate() {
        match result.await? {
            Ok(_) | Err(AppendError::Behind { .. }) => {}
            Err(other) => ensure!(false, "append {task} was answered {other}"),
        }
    }
    let checkpoint = models(&store)?.checkpoint(0).await?.position;
    let log = everything(&store).await?;
    let considered = log.iter().filter(|event| event.position <= checkpoint).count();
    ensure!(considered < log.len(), "the model has come past events that no append carried to it");
    let all = tally(&store, "all").await?;
    same!(all.map(|row| row[1].clone()), Some(Value::Integer(i64::try_from(considered).unwrap_or(0))), "the row of all");
    Ok(())
}

pub(super) async fn inline_rows_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let (store, fold) = prepared(ground).await?;
    let first = models(&store)?.checkpoint(0).await?;
    let done = store.log.append(carried(named("1", 0, &["Deposited", "Deposited"]), &fold)).await?;
    let store = ground.reopen(store).await?;
    let again = models(&store)?.prepare(vec![TALLY, LATER]).await?;
    // Where there are leases, being prepared makes nobody an owner.
    let epoch = if ground.offers.leases { first.epoch } else { first.epoch + 1 };
    same!(again[0].checkpoint, Some(Checkpoint { position: done.position, epoch }), "the checkpoint");
    same!(tally(&store, "all").await?, Some(row("all", 2, done.position)), "the row of all");
    let done = store.log.append(carried(named("1", 2, &["Deposited"]), &fold)).await?;
    same!(tally(&store, "all").await?, Some(row("all", 3, done.position)), "the row of all after one more");
    Ok(())
}
