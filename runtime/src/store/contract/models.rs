//! What holds for read models that are fed after the append.

use std::sync::Arc;

use tokio::sync::Barrier;

use super::kit::*;
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::read::{Column, ColumnKind, ColumnRole, Row, Value};
use crate::store::{
    Checkpoint, CommitError, ModelSpec, Parked, ParkingChange, Prepared, ReadModelStore, RowChange, RowQuery, Store,
};

const COLUMNS: &[Column] = &[
    Column { name: "score", kind: ColumnKind::Integer, nullable: true, role: ColumnRole::Indexed, doc: "" },
    Column { name: "id", kind: ColumnKind::Text, nullable: false, role: ColumnRole::Key, doc: "" },
    Column { name: "weight", kind: ColumnKind::Real, nullable: true, role: ColumnRole::Indexed, doc: "" },
    Column { name: "tags", kind: ColumnKind::Json, nullable: false, role: ColumnRole::Plain, doc: "" },
    Column { name: "order", kind: ColumnKind::Text, nullable: true, role: ColumnRole::Plain, doc: "" },
];
const NUMBERED: &[Column] = &[
    Column { name: "number", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Key, doc: "" },
    Column { name: "name", kind: ColumnKind::Text, nullable: true, role: ColumnRole::Indexed, doc: "" },
];

fn spec(table: &'static str, columns: &'static [Column], fingerprint: u64) -> ModelSpec {
    ModelSpec { table, columns, fingerprint, inline: false }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A row of [`COLUMNS`].
fn row(id: &str, score: Option<i64>) -> Row {
    let weight = score.map_or(Value::Null, |score| Value::Real(f64::from(i32::try_from(score % 7).unwrap_or(0)) / 2.0));
    vec![score.map_or(Value::Null, Value::Integer), text(id), weight, text("[1,2]"), Value::Null]
}

fn stored(row: Row) -> RowChange {
    RowChange { key: row[1].clone(), row: Some(row) }
}

/// A store with the model [`COLUMNS`] in the first place.
async fn prepared(ground: &Ground<'_>) -> Checked<(Store, Checkpoint)> {
    let store = ground.store().await;
    let checkpoint = prepare(&store, &[spec("scores", COLUMNS, 1)]).await?[0];
    Ok((store, checkpoint))
}

/// Prepares models, and makes this their owner.
async fn prepare(store: &Store, specs: &[ModelSpec]) -> Checked<Vec<Checkpoint>> {
    let mut found = models(store)?.prepare(specs.to_vec()).await?;
    same!(found.len(), specs.len(), "the number of checkpoints");
    if let Some(leases) = &store.leases {
        for prepared in &mut found {
            // Of whoever was their owner before.
            leases.release(prepared.place, models(store)?.checkpoint(prepared.place).await?.epoch).await?;
            prepared.checkpoint = leases.acquire(prepared.place).await?;
        }
    }
    let all: Option<Vec<_>> = found.iter().map(|prepared| prepared.checkpoint).collect();
    all.ok_or_else(|| Failure("a store that can be written to prepares every model".to_owned()))
}

fn moved(checkpoint: Checkpoint, position: u64) -> Checkpoint {
    Checkpoint { position: Position::new(position), ..checkpoint }
}

async fn all_rows(models: &dyn ReadModelStore, place: usize) -> Checked<Vec<Row>> {
    // The key is the second column of the first model.
    let query =
        RowQuery { column: usize::from(place == 0), from: None, to: None, after: None, descending: false, max: usize::MAX };
    Ok(models.query(place, &query).await?)
}

pub(super) async fn a_new_model_is_empty(ground: &Ground<'_>) -> Checked {
    let (store, checkpoint) = prepared(ground).await?;
    let models = models(&store)?;
    same!(checkpoint.position, Position::ZERO, "how far a new model has come");
    same!(models.checkpoint(0).await?, checkpoint, "the checkpoint");
    same!(models.rows(0, &[text("a"), text("b")]).await?, vec![None, None], "rows that are not there");
    same!(models.rows(0, &[]).await?, vec![], "no rows");
    same!(all_rows(models, 0).await?, Vec::<Row>::new(), "all rows");
    matching!(models.checkpoint(1).await, Err(_) => (), "a model that was not prepared");
    Ok(())
}

pub(super) async fn each_owner_has_an_epoch_of_its_own(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let (scores, names) = (spec("scores", COLUMNS, 1), spec("names", NUMBERED, 2));
    let first = prepare(&store, std::slice::from_ref(&scores)).await?[0];
    models(&store)?.commit(0, vec![stored(row("a", Some(1)))], first, Position::new(7)).await?;
    let both = prepare(&store, &[names, scores]).await?;
    same!(both[1], Checkpoint { position: Position::new(7), epoch: first.epoch + 1 }, "the second owner's checkpoint");
    same!(both[0].position, Position::ZERO, "a new model's position");
    Ok(())
}

pub(super) async fn a_model_keeps_its_place_when_others_are_prepared(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let (scores, names, others) = (spec("scores", COLUMNS, 1), spec("names", NUMBERED, 2), spec("others", NUMBERED, 2));
    let models = models(&store)?;
    let first = models.prepare(vec![scores.clone(), names.clone()]).await?;
    let place = |prepared: &[Prepared], at: usize| prepared.get(at).map(|prepared| prepared.place);
    same!((place(&first, 0), place(&first, 1)), (Some(0), Some(1)), "the places of the first two models");
    let from = first[0].checkpoint.unwrap_or(Checkpoint { position: Position::ZERO, epoch: 0 });
    models.commit(0, vec![stored(row("a", Some(1)))], from, Position::new(7)).await?;

    let second = models.prepare(vec![others, names]).await?;
    same!((place(&second, 0), place(&second, 1)), (Some(2), Some(1)), "the places of a new model, and of one that was there");
    same!(models.checkpoint(0).await?, moved(from, 7), "the checkpoint of the model that was not prepared again");
    same!(models.rows(0, &[text("a")]).await?, vec![Some(row("a", Some(1)))], "its row");
    models.commit(0, vec![stored(row("a", Some(2)))], moved(from, 7), Position::new(8)).await?;
    same!(models.rows(2, &[Value::Integer(1)]).await?, vec![None], "a row of the new model");
    same!(models.checkpoint(2).await?.position, Position::ZERO, "how far the new model has come");
    let third = models.prepare(vec![scores]).await?;
    same!(third[0].replaced, None, "rows that went when the same definition came again");
    same!(third[0].place, 0, "the place of the first model when it is prepared again");
    same!(models.rows(0, &[text("a")]).await?, vec![Some(row("a", Some(2)))], "its row");
    Ok(())
}

pub(super) async fn another_fingerprint_starts_anew(ground: &Ground<'_>) -> Checked {
    let (store, first) = prepared(ground).await?;
    models(&store)?.commit(0, vec![stored(row("a", Some(1)))], first, Position::new(7)).await?;
    // The same columns, then others, then the first again: nothing of what was there may come back.
    for (columns, before, fingerprint, key, round) in
        [(COLUMNS, 1, u64::MAX, text("a"), 1), (NUMBERED, u64::MAX, 3, Value::Integer(1), 2), (COLUMNS, 3, 1, text("a"), 3)]
    {
        let prepared = models(&store)?.prepare(vec![spec("scores", columns, fingerprint)]).await?[0];
        same!(prepared.replaced, Some(before), "the fingerprint of the rows that went");
        let again = prepared.checkpoint.unwrap_or(first);
        same!(
            again,
            Checkpoint { position: Position::ZERO, epoch: first.epoch + round },
            "the checkpoint of another fingerprint"
        );
        same!(models(&store)?.rows(0, &[key]).await?, vec![None], "a row of the fingerprint before");
    }
    let last = moved(first, 0);
    let last = Checkpoint { epoch: last.epoch + 3, ..last };
    models(&store)?.commit(0, vec![stored(row("b", None))], last, Position::new(1)).await?;
    same!(all_rows(models(&store)?, 0).await?, vec![row("b", None)], "all rows");
    Ok(())
}

pub(super) async fn rows_are_read_back_as_they_were_stored(ground: &Ground<'_>) -> Checked {
    let (store, checkpoint) = prepared(ground).await?;
    let models = models(&store)?;
    let ids = ["", "a", "A", "é", "e\u{301}", "'\"%_;--", "\u{1f980}", "1", "01", &"x".repeat(1_000)];
    let scores = [Some(i64::MIN), Some(i64::MAX), Some(0), None, Some(-1)];
    let weights = [f64::MAX, f64::MIN_POSITIVE, -0.5, 0.1, 1e300, 3.0, f64::EPSILON];
    let mut rows = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let mut row = row(id, scores[at % scores.len()]);
        row[2] = Value::Real(weights[at % weights.len()]);
        row[4] = if at % 2 == 0 { Value::Null } else { text("") };
        rows.push(row);
    }
    models.commit(0, rows.iter().cloned().map(stored).collect(), checkpoint, Position::new(1)).await?;
    let keys: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
    let found = models.rows(0, &keys).await?;
    same!(found, rows.iter().cloned().map(Some).collect::<Vec<_>>(), "the rows");
    let same_kinds = found.iter().flatten().flatten().zip(rows.iter().flatten()).all(|(found, stored)| {
        matches!(
            (found, stored),
            (Value::Null, Value::Null)
                | (Value::Integer(_), Value::Integer(_))
                | (Value::Real(_), Value::Real(_))
                | (Value::Text(_), Value::Text(_))
        )
    });
    ensure!(same_kinds, "a value came back as another kind: {found:?}");
    same!(
        models.rows(0, &[text("é"), text("no"), text("é")]).await?,
        vec![found[3].clone(), None, found[3].clone()],
        "in the order asked"
    );
    Ok(())
}

pub(super) async fn rows_are_changed_and_removed(ground: &Ground<'_>) -> Checked {
    let (store, checkpoint) = prepared(ground).await?;
    let models = models(&store)?;
    let put = |id: &str, score| stored(row(id, score));
    let remove = |id: &str| RowChange { key: text(id), row: None };
    models.commit(0, vec![put("a", Some(1)), put("b", None), put("c", Some(3))], checkpoint, Position::new(1)).await?;
    let changes =
        vec![put("a", None), remove("b"), remove("never"), put("d", Some(4)), put("d", Some(5)), put("e", None), remove("e")];
    models.commit(0, changes, moved(checkpoint, 1), Position::new(2)).await?;
    same!(all_rows(models, 0).await?, vec![row("a", None), row("c", Some(3)), row("d", Some(5))], "all rows");
    let by_score = RowQuery { column: 0, from: Some(Value::Integer(0)), to: None, after: None, descending: false, max: 9 };
    same!(models.query(0, &by_score).await?, vec![row("c", Some(3)), row("d", Some(5))], "rows by their new scores");
    Ok(())
}

pub(super) async fn a_checkpoint_moves_without_rows(ground: &Ground<'_>) -> Checked {
    let (store, mut checkpoint) = prepared(ground).await?;
    for to in [1, 2, 900, 1 << 40] {
        models(&store)?.commit(0, vec![], checkpoint, Position::new(to)).await?;
        checkpoint = moved(checkpoint, to);
        same!(models(&store)?.checkpoint(0).await?, checkpoint, "the checkpoint");
    }
    Ok(())
}

/// A commit that must be refused, and leaves nothing behind.
async fn superseded(models: &dyn ReadModelStore, from: Checkpoint, is: Checkpoint) -> Checked {
    let before = all_rows(models, 0).await?;
    let refused = models.commit(0, vec![stored(row("late", Some(1)))], from, Position::new(99)).await;
    matching!(refused, Err(CommitError::Superseded) => (), "a commit from {from:?} where {is:?} is stored");
    same!(models.checkpoint(0).await?, is, "the checkpoint after it");
    same!(all_rows(models, 0).await?, before, "the rows after it");
    Ok(())
}

pub(super) async fn a_checkpoint_that_was_moved_is_not_moved_again(ground: &Ground<'_>) -> Checked {
    let (store, first) = prepared(ground).await?;
    let models = models(&store)?;
    models.commit(0, vec![stored(row("a", Some(1)))], first, Position::new(5)).await?;
    let is = moved(first, 5);
    for from in [0, 4, 6, 99] {
        superseded(models, moved(first, from), is).await?;
    }
    models.commit(0, vec![], is, Position::new(6)).await?;
    Ok(())
}

pub(super) async fn an_owner_that_was_replaced_can_not_commit(ground: &Ground<'_>) -> Checked {
    let (store, first) = prepared(ground).await?;
    models(&store)?.commit(0, vec![], first, Position::new(5)).await?;
    let second = prepare(&store, &[spec("scores", COLUMNS, 1)]).await?[0];
    for epoch in [first.epoch, second.epoch + 1] {
        superseded(models(&store)?, Checkpoint { epoch, ..second }, second).await?;
    }
    models(&store)?.commit(0, vec![], second, Position::new(6)).await?;
    Ok(())
}

pub(super) async fn of_racing_commits_one_counts(ground: &Ground<'_>) -> Checked {
    const TASKS: i64 = 6;
    let (store, mut checkpoint) = prepared(ground).await?;
    for round in 1..=30 {
        let barrier = Arc::new(Barrier::new(6));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (store, barrier) = (store.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    let changes = vec![stored(row("last", Some(task))), stored(row(&format!("{round}-{task}"), Some(task)))];
                    models(&store)?.commit(0, changes, checkpoint, Position::new(round)).await.map_or_else(
                        |error| if matches!(error, CommitError::Superseded) { Ok(None) } else { Err(error.into()) },
                        |()| Checked::Ok(Some(task)),
                    )
                })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            won.extend(task.await??);
        }
        same!(won.len(), 1, "how many of {TASKS} commits from one checkpoint counted");
        checkpoint = moved(checkpoint, round);
        let found = models(&store)?.rows(0, &[text("last")]).await?;
        same!(found, vec![Some(row("last", Some(won[0])))], "the row of the winner");
        same!(all_rows(models(&store)?, 0).await?.len() as u64, 1 + round, "the number of rows");
    }
    Ok(())
}

pub(super) async fn rows_and_checkpoint_are_stored_together(ground: &Ground<'_>) -> Checked {
    let (store, checkpoint) = prepared(ground).await?;
    let models = models(&store)?;
    models.commit(0, vec![stored(row("a", Some(1)))], checkpoint, Position::new(5)).await?;
    let is = moved(checkpoint, 5);
    let misshapen: [fn(&mut Row); 6] = [
        |row| row.truncate(3),
        |row| row.push(Value::Null),
        |row| row[3] = Value::Null,
        |row| row[0] = Value::Text("1".to_owned()),
        |row| row[2] = Value::Real(f64::NAN),
        |row| row[1] = Value::Text("another key".to_owned()),
    ];
    for spoil in misshapen {
        let mut bad = stored(row("bad", Some(1)));
        bad.row.as_mut().into_iter().for_each(spoil);
        // A row that can't be stored stands in for a crash: what was written before it must not stay.
        for changes in [vec![stored(row("good", Some(2))), bad.clone()], vec![bad.clone(), stored(row("good", Some(2)))]] {
            let refused = models.commit(0, changes, is, Position::new(9)).await;
            matching!(refused, Err(CommitError::Unstorable(_)) => (), "a commit with the row {:?}", bad.row);
            same!(models.checkpoint(0).await?, is, "the checkpoint after it");
            same!(all_rows(models, 0).await?, vec![row("a", Some(1))], "the rows after it");
        }
    }
    models.commit(0, vec![stored(row("good", Some(2)))], is, Position::new(9)).await?;
    Ok(())
}

/// What a query must find, by its words alone.
fn wanted(rows: &[Row], key: usize, query: &RowQuery) -> Vec<Row> {
    let value = |row: &Row| row[query.column].clone();
    let place = |row: &Row| (value(row), row[key].clone());
    let nothing = |bound: &Option<Value>| *bound == Some(Value::Null);
    let mut found: Vec<_> = rows
        .iter()
        .filter(|row| query.from.as_ref().is_none_or(|from| value(row) >= *from))
        .filter(|row| query.to.as_ref().is_none_or(|to| value(row) <= *to))
        .filter(|row| {
            let bounded = query.from.is_some() || query.to.is_some();
            value(row) != Value::Null || !bounded || nothing(&query.from) || nothing(&query.to)
        })
        .filter(|row| {
            query.after.as_ref().is_none_or(|after| if query.descending { place(row) < *after } else { place(row) > *after })
        })
        .cloned()
        .collect();
    found.sort_by_key(place);
    if query.descending {
        found.reverse();
    }
    found.truncate(query.max);
    found
}

/// Rows with ties and with nothing, in the first place.
async fn scored(ground: &Ground<'_>) -> Checked<(Store, Vec<Row>)> {
    let (store, checkpoint) = prepared(ground).await?;
    let scores = [Some(3), None, Some(-5), Some(3), Some(0), None, Some(7), Some(3), Some(0), None, Some(12), Some(-5)];
    // The signs are those of sortable numbers: texts are in the order of their bytes, in no language's.
    let ids = ["-98~", "-98.4~", "~", "a", "é", "B", "b", "10", "9", "", "A", "9.5"];
    let rows: Vec<_> = ids.iter().zip(scores).map(|(id, score)| row(id, score)).collect();
    models(&store)?.commit(0, rows.iter().cloned().map(stored).collect(), checkpoint, Position::new(1)).await?;
    Ok((store, rows))
}

pub(super) async fn a_query_finds_what_is_wanted_in_order(ground: &Ground<'_>) -> Checked {
    let (store, rows) = scored(ground).await?;
    let scores = [-99, -5, 1, 3, 12, 99].map(Value::Integer);
    let weights = [-1.0, -0.0, 1.5, 2.5, 9.0].map(Value::Real);
    let ids = ["", "9", "a", "b", "zz"].map(text);
    for (column, bounds) in [(0, &scores[..]), (2, &weights[..]), (1, &ids[..])] {
        let mut bounds: Vec<_> = bounds.iter().cloned().map(Some).collect();
        bounds.push(None);
        if column != 1 {
            bounds.push(Some(Value::Null));
        }
        let mut places: Vec<_> = rows.iter().map(|row| Some((row[column].clone(), row[1].clone()))).collect();
        if column == 0 {
            places.extend(
                [(Value::Integer(3), "n"), (Value::Integer(4), "a"), (Value::Null, "b")].map(|(v, k)| Some((v, text(k)))),
            );
        }
        places.push(None);
        let pairs: Vec<_> = bounds.iter().flat_map(|from| bounds.iter().map(move |to| (from, to))).collect();
        for (from, to) in pairs {
            for after in &places {
                for (descending, max) in [(false, 100), (true, 100), (false, 2), (true, 2), (false, 0)] {
                    let (from, to, after) = (from.clone(), to.clone(), after.clone());
                    let query = RowQuery { column, from, to, after, descending, max };
                    let found = models(&store)?.query(0, &query).await?;
                    same!(found, wanted(&rows, 1, &query), "the rows of {query:?}");
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn pages_hold_each_row_once(ground: &Ground<'_>) -> Checked {
    let (store, rows) = scored(ground).await?;
    for (column, descending, max) in [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)]
        .into_iter()
        .flat_map(|(c, d)| (1..6).map(move |max| (c, d, max)))
    {
        let mut query = RowQuery { column, from: None, to: None, after: None, descending, max };
        let whole = wanted(&rows, 1, &RowQuery { max: usize::MAX, ..query.clone() });
        let mut pages: Vec<Row> = Vec::new();
        loop {
            let page = models(&store)?.query(0, &query).await?;
            ensure!(page.len() <= max, "a page of at most {max} holds {}", page.len());
            let Some(last) = page.last() else { break };
            query.after = Some((last[column].clone(), last[1].clone()));
            pages.extend(page);
            ensure!(pages.len() <= rows.len(), "pages go on for ever: {query:?}");
        }
        same!(pages, whole, "all pages of {max} by column {column}, descending: {descending}");
    }
    Ok(())
}

pub(super) async fn only_what_is_indexed_is_looked_in(ground: &Ground<'_>) -> Checked {
    let (store, _) = scored(ground).await?;
    let query = |column, from| RowQuery { column, from, to: None, after: None, descending: false, max: 9 };
    for (column, from) in [(3, None), (4, None), (5, None), (0, Some(text("1"))), (1, Some(Value::Integer(9)))] {
        let refused = models(&store)?.query(0, &query(column, from.clone())).await;
        matching!(refused, Err(_) => (), "a query by column {column} from {from:?}");
    }
    matching!(models(&store)?.rows(0, &[Value::Integer(9)]).await, Err(_) => (), "a number as the key of a column of texts");
    Ok(())
}

pub(super) async fn models_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let (store, first) = prepared(ground).await?;
    models(&store)?.commit(0, vec![stored(row("a", Some(1))), stored(row("b", None))], first, Position::new(7)).await?;
    let store = ground.reopen(store).await?;
    let again = prepare(&store, &[spec("scores", COLUMNS, 1)]).await?[0];
    same!(again, Checkpoint { position: Position::new(7), epoch: first.epoch + 1 }, "the checkpoint");
    same!(all_rows(models(&store)?, 0).await?, vec![row("a", Some(1)), row("b", None)], "all rows");
    superseded(models(&store)?, moved(first, 7), again).await?;
    let store = ground.reopen(store).await?;
    let last = prepare(&store, &[spec("scores", COLUMNS, 2)]).await?[0];
    same!(last.position, Position::ZERO, "where another fingerprint begins");
    ensure!(last.epoch > again.epoch, "another fingerprint has an epoch of its own: {last:?} after {again:?}");
    same!(all_rows(models(&store)?, 0).await?, Vec::<Row>::new(), "all rows of another fingerprint");
    Ok(())
}

/// A stream that is parked since the event at a position.
fn parked(id: &str, position: u64) -> Parked {
    let (version, position) = (Version::new(position / 2 + 1), Position::new(position));
    Parked {
        stream: stream(id),
        version,
        position,
        name: "Deposited".to_owned(),
        schema_version: 3,
        why: format!("why \"{id}\""),
    }
}
fn park(id: &str, position: u64) -> ParkingChange {
    ParkingChange::Park(parked(id, position))
}
fn release(id: &str) -> ParkingChange {
    ParkingChange::Release(stream(id))
}

pub(super) async fn can_park(store: &Store) -> Checked<bool> {
    let at = prepare(store, &[spec("scores", COLUMNS, 1)]).await?[0];
    match models(store)?.commit_parking(0, Vec::new(), vec![park("a", 1)], at, at.position).await {
        Ok(()) => Ok(true),
        Err(CommitError::Store(StoreError::Unsupported(_))) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

pub(super) async fn parked_streams_are_told_by_model_and_in_order(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let both = prepare(&store, &[spec("scores", COLUMNS, 1), spec("names", NUMBERED, 2)]).await?;
    let models = models(&store)?;
    same!(models.parked(0).await?, vec![], "what is parked at first");
    matching!(models.parked(2).await, Err(_) => (), "what is parked for a model that was not prepared");
    models.commit_parking(0, vec![], vec![park("b", 7), park("a", 9), park("c", 3)], both[0], Position::new(10)).await?;
    same!(models.parked(0).await?, vec![parked("c", 3), parked("b", 7), parked("a", 9)], "what is parked, by position");
    same!(models.parked(1).await?, vec![], "what is parked for another model");
    models.commit_parking(1, vec![], vec![park("b", 5)], both[1], Position::new(6)).await?;
    // What is parked anew is parked once; what is not parked can be released.
    let changes = vec![park("c", 8), release("a"), release("d"), park("e", 1), release("e")];
    models.commit_parking(0, vec![], changes, moved(both[0], 10), Position::new(10)).await?;
    same!(models.parked(0).await?, vec![parked("b", 7), parked("c", 8)], "what is still parked");
    same!(models.parked(1).await?, vec![parked("b", 5)], "what is parked for the other model");
    same!(models.checkpoint(0).await?, moved(both[0], 10), "the checkpoint");
    models.commit(0, vec![stored(row("a", Some(1)))], moved(both[0], 10), Position::new(11)).await?;
    same!(models.parked(0).await?.len(), 2, "how many are parked after a commit of rows");
    // Taken over with the same definition, they are still parked.
    prepare(&store, &[spec("scores", COLUMNS, 1)]).await?;
    same!(models.parked(0).await?, vec![parked("b", 7), parked("c", 8)], "what is parked for the next owner");
    Ok(())
}

pub(super) async fn rows_checkpoint_and_parking_are_stored_together(ground: &Ground<'_>) -> Checked {
    let (store, checkpoint) = prepared(ground).await?;
    let models = models(&store)?;
    models.commit_parking(0, vec![stored(row("a", Some(1)))], vec![park("a", 2)], checkpoint, Position::new(5)).await?;
    let is = moved(checkpoint, 5);
    // A row that can't be stored stands in for a crash.
    let mut bad = stored(row("bad", Some(1)));
    bad.row.as_mut().into_iter().for_each(|row| row.truncate(3));
    let mut bad_last = vec![stored(row("good", Some(2)))];
    bad_last.push(bad.clone());
    for (changes, from, to) in [(vec![bad], is, 9), (bad_last, is, 9), (vec![stored(row("good", Some(2)))], moved(is, 4), 9)] {
        let refused = models.commit_parking(0, changes, vec![park("b", 7), release("a")], from, Position::new(to)).await;
        matching!(refused, Err(_) => (), "a commit that can't be");
        same!(models.checkpoint(0).await?, is, "the checkpoint after it");
        same!(models.parked(0).await?, vec![parked("a", 2)], "what is parked after it");
        same!(all_rows(models, 0).await?, vec![row("a", Some(1))], "the rows after it");
    }
    models.commit_parking(0, vec![stored(row("a", Some(2)))], vec![release("a")], is, Position::new(5)).await?;
    same!(models.parked(0).await?, vec![], "what is parked once it was released");
    same!(all_rows(models, 0).await?, vec![row("a", Some(2))], "the rows that came with it");
    Ok(())
}

pub(super) async fn another_fingerprint_forgets_what_was_parked(ground: &Ground<'_>) -> Checked {
    let store = ground.store().await;
    let both = prepare(&store, &[spec("scores", COLUMNS, 1), spec("names", NUMBERED, 2)]).await?;
    let models = models(&store)?;
    for (place, at) in both.into_iter().enumerate() {
        models.commit_parking(place, vec![], vec![park("a", 1)], at, Position::new(2)).await?;
    }
    prepare(&store, &[spec("scores", COLUMNS, 7)]).await?;
    same!(models.parked(0).await?, vec![], "what is parked for a model that starts anew");
    same!(models.parked(1).await?, vec![parked("a", 1)], "what is parked for another one");
    Ok(())
}

pub(super) async fn parked_streams_are_there_after_reopening(ground: &Ground<'_>) -> Checked {
    let (store, first) = prepared(ground).await?;
    models(&store)?.commit_parking(0, vec![], vec![park("a", 4), park("b", 3)], first, Position::new(7)).await?;
    let store = ground.reopen(store).await?;
    prepare(&store, &[spec("scores", COLUMNS, 1)]).await?;
    same!(models(&store)?.parked(0).await?, vec![parked("b", 3), parked("a", 4)], "what is parked");
    Ok(())
}
