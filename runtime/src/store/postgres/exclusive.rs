//! Appends in a transaction that has the lock alone: nobody else appends meanwhile, so what it reads stays so.
//!
//! Always true: an append changes nothing before everything that can refuse it was looked at. The lock is taken before anything is
//! read, each statement sees what was committed before it, and the lock ends with the transaction.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::append::{Events, counter, key_record};
use super::errors::{Sent, SqlResult, sent};
use super::models::Held;
use super::session::{Ask as _, Session};
use super::writer::{CONTEXT, Results, Writer, uncommitted};
use crate::Timestamp;
use crate::event::{Position, Version};
use crate::store::{Append, AppendError, Appended, KeyRecord, Placed, RowSet, check};

/// How long an append waits for the lock, or for a row, before it lets the others go on and tries again, in milliseconds.
pub(super) const ALONE_WAIT_MS: u32 = 200;

/// What the transaction knows of the store, kept current as its appends are decided on.
struct Batch {
    ends: HashMap<String, End>,
    keys: HashMap<(String, String), KeyRecord>,
    /// The position of the last event.
    head: u64,
    /// Positions that are free, the next one last.
    positions: Vec<Position>,
    rows: RowSet,
    models: Held,
}

/// Where a stream ends.
#[derive(Clone, Copy)]
struct End {
    version: u64,
    recorded_at: Timestamp,
    event_id: Uuid,
}

impl Writer {
    pub(super) async fn transaction(&self, appends: &[&Append]) -> Result<Results, Sent> {
        // Whoever waits for the lock alone keeps everybody else out meanwhile, so it does not wait for long at a time.
        let begin = format!("set local lock_timeout = '{ALONE_WAIT_MS}ms'; {}", self.place.lock_alone());
        let transaction = self.connections.append_transaction(&begin).await;
        let mut transaction = transaction.map_err(|error| uncommitted(&error))?;
        let decided = self.decide(&mut transaction.session(), appends).await;
        match decided {
            Ok(results) => match transaction.done().await {
                Ok(()) => {
                    let stored = appends.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(append, _)| *append);
                    self.learn(&self.kinds.unknown(stored));
                    Ok(results)
                }
                Err(error) => Err(sent(CONTEXT, &error)),
            },
            Err(why) => {
                // Else its connection would be closed.
                let _ = transaction.rollback().await;
                Err(why)
            }
        }
    }

    pub(super) async fn decide(&self, connection: &mut Session<'_>, appends: &[&Append]) -> Result<Results, Sent> {
        let mut batch = self.look(connection, appends).await?;
        let mut results = Vec::with_capacity(appends.len());
        let mut accepted = Vec::new();
        for append in appends {
            let result = match batch.refuse(append) {
                Some(refused) => Err(refused),
                None => self.fold(connection, &mut batch, append).await?,
            };
            if let Ok(appended) = &result {
                batch.accept(append, appended);
                accepted.push((*append, appended.clone()));
            }
            results.push(result);
        }
        self.store(connection, batch, &accepted).await?;
        Ok(results)
    }

    /// Reads all that decides on these appends.
    async fn look(&self, connection: &mut Session<'_>, appends: &[&Append]) -> Result<Batch, Sent> {
        let parts = || appends.iter().flat_map(|append| &append.streams);
        let fail = |error: sqlx::Error| uncommitted(&error);
        let (answers, new) = self.statements.server(connection).await.map_err(fail)?;
        if answers != self.census.known().server || !new {
            // Not while this transaction keeps everybody out.
            let message = "the server was restarted, or is another one, or its sequence was set back".to_owned();
            let why = crate::error::StoreError::Driver { context: CONTEXT, message, transient: true };
            return Err(Sent::Raced(why.into()));
        }
        let streams: Vec<&str> = parts().map(|part| part.stream.as_str()).collect();
        let rows = sqlx::query(AssertSqlSafe(&*self.statements.ends)).bind(streams).all(connection);
        let mut ends = HashMap::new();
        for row in rows.await.map_err(fail)? {
            let read = || {
                let recorded_at = Timestamp::from_micros(row.try_get(2)?);
                Ok((row.try_get::<String, _>(0)?, End { version: counter(&row, 1)?, recorded_at, event_id: row.try_get(3)? }))
            };
            let (stream, end) = read().map_err(fail)?;
            ends.insert(stream, end);
        }
        let mut keys = HashMap::new();
        let keyed: Vec<_> = parts().filter_map(|part| Some((part.stream.as_str(), &*part.key.as_ref()?.key))).collect();
        if !keyed.is_empty() {
            let (streams, names): (Vec<_>, Vec<_>) = keyed.into_iter().unzip();
            let rows = sqlx::query(AssertSqlSafe(&*self.statements.keys)).bind(streams).bind(names);
            for row in rows.all(connection).await.map_err(fail)? {
                let read = || Ok(((row.try_get(0)?, row.try_get(1)?), key_record(&row, 2)?));
                let (key, record) = read().map_err(fail)?;
                keys.insert(key, record);
            }
        }
        let (models, head) = self.hold_models(connection, appends).await?;
        let events: usize = parts().map(|part| part.events.len()).sum();
        let mut positions = Vec::with_capacity(events);
        if events > 0 {
            let given = sqlx::query(AssertSqlSafe(&*self.statements.positions)).bind(i32::try_from(events).unwrap_or(i32::MAX));
            for row in given.all(connection).await.map_err(fail)? {
                positions.push(Position::new(counter(&row, 0).map_err(fail)?));
            }
        }
        positions.reverse();
        Ok(Batch { ends, keys, head, positions, rows: RowSet::new(), models })
    }

    /// Lets the inline read models take an append, and says where it will stand.
    async fn fold(
        &self,
        connection: &mut Session<'_>,
        batch: &mut Batch,
        append: &Append,
    ) -> Result<Result<Appended, AppendError>, Sent> {
        let appended = batch.place(append);
        let Some(fold) = &append.inline else { return Ok(Ok(appended)) };
        let keys = match catch_unwind(AssertUnwindSafe(|| fold.keys(append))) {
            Ok(Ok(keys)) => keys,
            Ok(Err(refusal)) => return Ok(Err(AppendError::Inline(refusal))),
            Err(_) => return Err(Sent::Refused(panicked())),
        };
        for key in keys {
            let Some(model) = batch.models.get(key.model).cloned() else {
                return Ok(Err(check::unknown_model(key.model).into()));
            };
            if !model.spec.inline {
                return Ok(Err(check::not_inline(model.spec.table).into()));
            }
            let Some(at) = batch.models.checkpoint(key.model) else {
                return Ok(Err(model.is_replaced().into()));
            };
            if at != batch.head {
                return Ok(Err(AppendError::Behind { model: model.spec.table }));
            }
            if let Err(misuse) = check::keys(&model.spec, [&key.key]) {
                return Ok(Err(misuse.into()));
            }
            if !batch.rows.has(&key) {
                let rows = model.rows(connection, std::slice::from_ref(&key.key)).await;
                let row = rows.map_err(|error| uncommitted(&error))?.pop().flatten();
                batch.rows.insert_stored(key, row);
            }
        }
        let placed = Placed { positions: &appended.positions, recorded_at: &appended.recorded_at };
        match catch_unwind(AssertUnwindSafe(|| batch.rows.fold(fold.as_ref(), append, &placed))) {
            Ok(Ok(())) => Ok(Ok(appended)),
            Ok(Err(refusal)) => Ok(Err(AppendError::Inline(refusal))),
            // Its rows may be half changed, and other appends of the batch have seen them.
            Err(_) => Err(Sent::Refused(panicked())),
        }
    }

    async fn store(&self, connection: &mut Session<'_>, batch: Batch, accepted: &[(&Append, Appended)]) -> Result<(), Sent> {
        let fail = |error: sqlx::Error| uncommitted(&error);
        let mut events = Events::default();
        let mut positions = Vec::new();
        for (number, (append, appended)) in (0..).zip(accepted) {
            events.add(number, append, |place| appended.recorded_at.get(place).copied().unwrap_or(append.recorded_at));
            positions.extend(appended.positions.iter().map(|position| position.get().cast_signed()));
        }
        if !events.is_empty() {
            let count = positions.len() as u64;
            // What inline read models were folded from is all there was before these positions, as long as the settings are the same.
            let folded = accepted.iter().any(|(append, _)| append.inline.is_some());
            let insert = if folded { &self.statements.insert_trusted } else { &self.statements.insert };
            let mut insert = events.bind(insert).bind(positions);
            if folded {
                insert = insert.bind(self.census.watch.trusted());
            }
            let stored = insert.run(connection).await.map_err(fail)?;
            if stored == 0 && folded {
                self.census.watch.suspect();
                let message = "the settings of the schema were changed".to_owned();
                let why = crate::error::StoreError::Driver { context: CONTEXT, message, transient: true };
                return Err(Sent::Raced(why.into()));
            }
            if stored != count {
                let why = check::misuse(CONTEXT, "an event was not inserted: look for triggers on `gesta_events`");
                return Err(Sent::Refused(why.into()));
            }
            self.store_kinds(connection, accepted).await.map_err(fail)?;
        }
        self.store_keys(connection, accepted).await.map_err(fail)?;
        let Batch { rows, models, .. } = batch;
        models.store(connection, rows).await
    }

    async fn store_kinds(&self, connection: &mut Session<'_>, accepted: &[(&Append, Appended)]) -> SqlResult<()> {
        let kinds = self.kinds.unknown(accepted.iter().map(|(append, _)| *append));
        if kinds.is_empty() {
            return Ok(());
        }
        let mut first = Vec::new();
        for ((aggregate, name), version) in kinds.aggregates.iter().zip(&kinds.names).zip(&kinds.versions) {
            let all = accepted.iter().flat_map(|(append, appended)| {
                let events =
                    append.streams.iter().flat_map(|part| part.events.iter().map(|event| (part.stream.aggregate(), event)));
                events.zip(&appended.positions)
            });
            let mut own =
                all.filter(|((of, event), _)| of == aggregate && event.name == *name && event.schema_version == *version);
            first.push(own.next().map_or(0, |(_, position)| position.get().cast_signed()));
        }
        let query = sqlx::query(AssertSqlSafe(&*self.statements.insert_kinds));
        let query = query.bind(&kinds.aggregates).bind(&kinds.names).bind(kinds.schema_versions()).bind(first);
        query.run(connection).await.map(drop)
    }

    async fn store_keys(&self, connection: &mut Session<'_>, accepted: &[(&Append, Appended)]) -> SqlResult<()> {
        let (mut streams, mut keys, mut hashes, mut hash_versions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut before, mut after, mut positions, mut recorded_at) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (append, appended) in accepted {
            for (part, at) in append.streams.iter().zip(&appended.recorded_at) {
                let Some(new) = &part.key else { continue };
                streams.push(part.stream.as_str());
                keys.push(&*new.key);
                hashes.push(new.command_hash.cast_signed());
                hash_versions.push(i16::from(new.hash_version));
                before.push(part.expected.get().cast_signed());
                after.push((part.expected.get() + part.events.len() as u64).cast_signed());
                positions.push(appended.position.get().cast_signed());
                recorded_at.push(at.as_micros());
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(AssertSqlSafe(&*self.statements.insert_keys)).bind(streams).bind(keys).bind(hashes);
        let query = query.bind(before).bind(after).bind(positions).bind(recorded_at).bind(hash_versions);
        query.run(connection).await.map(drop)
    }
}

fn panicked() -> AppendError {
    check::misuse("folding inline read models", "a fold panicked: its panics are the runtime's to catch").into()
}

impl Batch {
    /// Why an append is refused before its read models are asked.
    fn refuse(&self, append: &Append) -> Option<AppendError> {
        for part in &append.streams {
            if let Some(new) = &part.key
                && let Some(record) = self.keys.get(&(part.stream.as_str().to_owned(), (*new.key).to_owned()))
            {
                return Some(AppendError::KeyTaken { stream: part.stream.clone(), record: *record });
            }
        }
        append.streams.iter().find_map(|part| {
            let end = self.ends.get(part.stream.as_str());
            let actual = end.map_or(0, |end| end.version);
            let replaced = part.expected_event.is_some_and(|id| end.map(|end| end.event_id) != Some(id));
            let conflict = || AppendError::Conflict { stream: part.stream.clone(), actual: Version::new(actual) };
            (actual != part.expected.get() || replaced).then(conflict)
        })
    }

    /// Where an append will stand.
    fn place(&mut self, append: &Append) -> Appended {
        let events: usize = append.streams.iter().map(|part| part.events.len()).sum();
        let positions: Vec<_> = self.positions.iter().rev().take(events).copied().collect();
        let recorded_at = append.streams.iter().map(|part| {
            let end = self.ends.get(part.stream.as_str());
            end.map_or(append.recorded_at, |end| end.recorded_at.max(append.recorded_at))
        });
        let recorded_at = recorded_at.collect();
        let position = positions.last().copied().unwrap_or(Position::new(self.head));
        Appended { positions, recorded_at, position }
    }

    /// What is true once it is stored.
    fn accept(&mut self, append: &Append, appended: &Appended) {
        let before = self.head;
        self.positions.truncate(self.positions.len() - appended.positions.len());
        for (part, at) in append.streams.iter().zip(&appended.recorded_at) {
            let after = part.expected.get() + part.events.len() as u64;
            if let Some(last) = part.events.last() {
                let end = End { version: after, recorded_at: *at, event_id: last.id };
                self.ends.insert(part.stream.as_str().to_owned(), end);
            }
            if let Some(new) = &part.key {
                let record = KeyRecord {
                    command_hash: new.command_hash,
                    hash_version: new.hash_version,
                    before: part.expected,
                    after: Version::new(after),
                    position: appended.position,
                };
                self.keys.insert((part.stream.as_str().to_owned(), (*new.key).to_owned()), record);
            }
        }
        self.head = appended.position.get();
        if let Some(fold) = &append.inline {
            self.models.moved(fold.as_ref(), before, self.head);
        }
    }
}
