//! What holds where several processes may feed a read model.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;

use super::kit::*;
use crate::event::Position;
use crate::read::{Column, ColumnKind, ColumnRole, Value};
use crate::store::{Checkpoint, CommitError, Leases, ModelSpec, RowChange, Store};

const COLUMNS: &[Column] = &[Column { name: "id", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Key, doc: "" }];

fn spec(fingerprint: u64) -> ModelSpec {
    ModelSpec { table: "owned", columns: COLUMNS, fingerprint, inline: false }
}

fn leases(store: &Store) -> Checked<&dyn Leases> {
    store.leases.as_deref().ok_or_else(|| Failure("the store has no leases".to_owned()))
}

async fn prepared(ground: &Ground<'_>) -> Checked<Store> {
    let store = ground.store().await;
    models(&store)?.prepare(vec![spec(1)]).await?;
    Ok(store)
}

async fn acquired(store: &Store) -> Checked<Checkpoint> {
    let acquired = leases(store)?.acquire(0).await?;
    acquired.ok_or_else(|| Failure("a model that nobody has is taken over".to_owned()))
}

pub(super) async fn a_model_has_one_owner(ground: &Ground<'_>) -> Checked {
    let store = prepared(ground).await?;
    let first = acquired(&store).await?;
    same!(leases(&store)?.acquire(0).await?, None, "a model that another one has");
    same!(models(&store)?.prepare(vec![spec(1)]).await?[0].checkpoint, Some(first), "the owner after another one was prepared");
    ensure!(leases(&store)?.renew(0, first.epoch).await?, "its owner can keep it");
    ensure!(!leases(&store)?.renew(0, first.epoch + 1).await?, "nobody else can");
    models(&store)?.commit(0, Vec::new(), first, Position::new(5)).await?;
    leases(&store)?.release(0, first.epoch).await?;
    let second = acquired(&store).await?;
    same!(second.position, Position::new(5), "where the next owner begins");
    ensure!(second.epoch > first.epoch, "the next owner has an epoch of its own: {second:?} after {first:?}");
    // Who had it before gives back nothing that is not his.
    leases(&store)?.release(0, first.epoch).await?;
    same!(leases(&store)?.acquire(0).await?, None, "a model that the owner before has given back again");
    Ok(())
}

pub(super) async fn of_racing_owners_one_has_the_model(ground: &Ground<'_>) -> Checked {
    const TASKS: usize = 6;
    let store = prepared(ground).await?;
    for _ in 0..10 {
        let barrier = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (store, barrier) = (store.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    Checked::Ok(leases(&store)?.acquire(0).await?)
                })
            })
            .collect();
        let mut owners = Vec::new();
        for task in tasks {
            owners.extend(task.await??);
        }
        same!(owners.len(), 1, "how many of {TASKS} have the model");
        leases(&store)?.release(0, owners[0].epoch).await?;
    }
    Ok(())
}

pub(super) async fn an_owner_that_was_silent_can_not_write_any_more(ground: &Ground<'_>) -> Checked {
    let store = prepared(ground).await?;
    let slow = acquired(&store).await?;
    // It says nothing, until its lease has run out.
    let next = loop {
        if let Some(next) = leases(&store)?.acquire(0).await? {
            break next;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    ensure!(!leases(&store)?.renew(0, slow.epoch).await?, "an owner that was replaced keeps nothing");
    let row = RowChange { key: Value::Integer(1), row: Some(vec![Value::Integer(1)]) };
    let late = models(&store)?.commit(0, vec![row], slow, Position::new(3)).await;
    matching!(late, Err(CommitError::Superseded) => (), "a commit of an owner that was replaced");
    same!(models(&store)?.rows(0, &[Value::Integer(1)]).await?, vec![None], "its row");
    models(&store)?.commit(0, Vec::new(), next, Position::new(4)).await?;
    Ok(())
}

pub(super) async fn a_model_of_another_definition_is_nobody_s(ground: &Ground<'_>) -> Checked {
    let store = prepared(ground).await?;
    let first = acquired(&store).await?;
    let replaced = models(&store)?.prepare(vec![spec(2)]).await?[0];
    same!(replaced.replaced, Some(1), "the definition that went");
    let late = models(&store)?.commit(0, Vec::new(), first, Position::new(3)).await;
    matching!(late, Err(CommitError::Superseded) => (), "a commit of the owner of what went");
    let second = acquired(&store).await?;
    ensure!(second.epoch > first.epoch, "the new definition's owner has an epoch of its own");
    same!(second.position, Position::ZERO, "where it begins");
    Ok(())
}
