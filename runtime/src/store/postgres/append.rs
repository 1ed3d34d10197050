//! Appends as statements: what is sent, and what the answer means.
//!
//! Always true: an append is one statement, or one transaction under the lock alone, so all of it is stored or nothing. A stream's version is
//! looked at for whole appends, never for single events of one. A unique key decides every race: whoever comes second is refused
//! by it, and finds out why by looking again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sqlx::postgres::{PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::census::SERVER;
use super::errors::{SqlResult, While};
use super::session::{Ask as _, Session};
use super::watch::{current, gives_new_positions};
use crate::error::StoreError;
use crate::event::{Position, Version};
use crate::store::{Append, AppendError, Appended, KeyRecord, NewEvent, StreamAppend, check};
use crate::{StreamName, Timestamp};

/// The longest name of a stream, in bytes: an index takes no longer ones.
const STREAM_BYTES_MAX: usize = 1_024;
/// The longest key, in bytes: it shares an index entry of at most 2704 bytes with its stream.
const KEY_BYTES_MAX: usize = 1_024;
/// The most that one append holds, in bytes: a server takes a statement of at most 1 GiB.
const APPEND_BYTES_MAX: usize = 256 << 20;
/// The most that one event holds, in bytes.
const EVENT_BYTES_MAX: usize = 64 << 20;

/// Refuses what no server takes, before anything is sent.
pub(super) fn check(append: &Append) -> Result<(), AppendError> {
    check::append(append)?;
    let misuse = |message: String| Err(check::misuse("appending", message).into());
    if append.actor.as_deref().is_some_and(|actor| actor.contains('\0')) {
        return misuse("the actor holds a zero byte, which Postgres keeps in no text: take it out".to_owned());
    }
    let mut bytes = 0;
    for part in &append.streams {
        let name = part.stream.as_str();
        if name.len() > STREAM_BYTES_MAX {
            let (start, len) = (name.chars().take(40).collect::<String>(), name.len());
            return misuse(format!(
                "`{start}..` has {len} bytes, and the name of a stream at most {STREAM_BYTES_MAX}: take a shorter id"
            ));
        }
        if name.contains('\0') || part.key.as_ref().is_some_and(|new| new.key.contains('\0')) {
            return misuse("a stream's name or a key holds a zero byte, which Postgres keeps in no text: take it out".to_owned());
        }
        if let Some(len) = part.key.as_ref().map(|new| new.key.len()).filter(|len| *len > KEY_BYTES_MAX) {
            return misuse(format!("a key on `{name}` has {len} bytes, and may have {KEY_BYTES_MAX}: take a shorter one"));
        }
        for event in &part.events {
            if event.name.contains('\0') {
                return misuse(format!("the name of the event {:?} holds a zero byte: take it out", event.name));
            }
            if event.payload.len() > EVENT_BYTES_MAX {
                let (name, len) = (event.name, event.payload.len());
                return misuse(format!(
                    "an event `{name}` has {len} bytes, and may have {EVENT_BYTES_MAX}: keep what is large elsewhere"
                ));
            }
            // The actor stands beside each event.
            bytes += event.payload.len() + append.actor.as_deref().map_or(0, str::len);
        }
    }
    if bytes > APPEND_BYTES_MAX {
        return misuse(format!("one append has {bytes} bytes, and may have {APPEND_BYTES_MAX}: make several of it"));
    }
    Ok(())
}

/// The statements, with the schema's name in them.
pub(super) struct Statements {
    pub(super) one: String,
    /// By whether keys come with it, and kinds of events that are not known.
    many: [[String; 2]; 2],
    find_key: String,
    end: String,
    /// Which server answers, and whether its sequence gives new positions.
    server: String,
    /// Where these streams end.
    pub(super) ends: String,
    pub(super) keys: String,
    pub(super) insert: String,
    /// The same while the settings are those that are trusted.
    pub(super) insert_trusted: String,
    pub(super) insert_keys: String,
    pub(super) insert_kinds: String,
    pub(super) positions: String,
}

impl Statements {
    pub(super) fn new(schema: &str) -> Self {
        let many = |keys: bool, kinds: bool| many(schema, keys, kinds);
        let (new, literal) = (gives_new_positions(schema), schema.replace('\'', "''"));
        let insert = |condition: &str| {
            format!(
                "insert into {schema}.gesta_events (stream, version, name, schema_version, event_id, recorded_at, occurred_at,
                    correlation_id, causation_id, actor, payload, position)
                select s, v, name, schema_version, id, at, nullif(occurred_at, at), correlation_id, causation_id, actor, payload, p
                from unnest($1::int4[], $2::text[], $3::int8[], $4::int8[], $5::text[], $6::int8[], $7::uuid[], $8::int8[], $9::int8[],
                    $10::uuid[], $11::uuid[], $12::text[], $13::bytea[], $14::uuid[], $15::int8[])
                    as t(a, s, v, expected, name, schema_version, id, at, occurred_at, correlation_id, causation_id, actor, payload,
                        expected_event, p)
                {condition}order by p"
            )
        };
        Statements {
            one: format!(
                "with head as materialized (
                    select version, recorded_at, event_id from {schema}.gesta_events where stream = $1 order by version desc limit 1
                )
                insert into {schema}.gesta_events (stream, version, name, schema_version, event_id, recorded_at, occurred_at,
                    correlation_id, causation_id, actor, payload, position)
                select $1, $2 + 1, $3, $4, $5, at, nullif($7, at), $8, $9, $10, $11, nextval('{literal}.gesta_positions')
                from (select greatest($6, (select recorded_at from head)) as at) as t
                where coalesce((select version from head), 0) = $2 and {SERVER} = $12
                    and ($13::uuid is null or (select event_id from head) = $13) and {new}
                returning position, recorded_at"
            ),
            many: [[many(false, false), many(false, true)], [many(true, false), many(true, true)]],
            find_key: format!(
                "select command_hash, before_version, after_version, position, hash_version from {schema}.gesta_keys where stream = $1 and key = $2"
            ),
            end: format!(
                "select version, event_id from {schema}.gesta_events where stream = $1 order by version desc limit 1"
            ),
            server: format!("select {SERVER}, {new}"),
            ends: format!(
                "select t.stream, e.version, e.recorded_at, e.event_id from unnest($1::text[]) as t(stream), lateral (
                    select version, recorded_at, event_id from {schema}.gesta_events e where e.stream = t.stream order by version desc limit 1
                ) as e"
            ),
            keys: format!(
                "select k.stream, k.key, k.command_hash, k.before_version, k.after_version, k.position, k.hash_version
                from unnest($1::text[], $2::text[]) as t(stream, key) join {schema}.gesta_keys k using (stream, key)"
            ),
            insert: insert(""),
            insert_trusted: insert(&format!("where {} = $16 ", current(schema))),
            insert_keys: format!(
                "insert into {schema}.gesta_keys (stream, key, command_hash, before_version, after_version, position, recorded_at, hash_version)
                select * from unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int2[])"
            ),
            insert_kinds: format!(
                "insert into {schema}.gesta_event_types (aggregate, name, schema_version, first_position)
                select * from unnest($1::text[], $2::text[], $3::int8[], $4::int8[])
                on conflict (aggregate, name, schema_version) do nothing"
            ),
            positions: format!("select nextval('{}.gesta_positions') from generate_series(1, $1)", schema.replace('\'', "''")),
        }
    }

    pub(super) fn many(&self, keys: bool, kinds: bool) -> &str {
        &self.many[usize::from(keys)][usize::from(kinds)]
    }

    /// What the first use of a key led to.
    pub(super) async fn find_key(
        &self,
        connection: &mut Session<'_>,
        stream: &StreamName,
        key: &str,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let found = sqlx::query(AssertSqlSafe(&*self.find_key)).bind(stream.as_str()).bind(key).optional(connection).await;
        found.and_then(|row| row.map(|row| key_record(&row, 0)).transpose()).during("looking up a key")
    }

    /// The version of a stream and the id of its last event.
    async fn end(&self, connection: &mut Session<'_>, stream: &StreamName) -> SqlResult<(Version, Option<Uuid>)> {
        let row = sqlx::query(AssertSqlSafe(&*self.end)).bind(stream.as_str()).optional(connection).await?;
        let Some(row) = row else { return Ok((Version::ZERO, None)) };
        Ok((Version::new(counter(&row, 0)?), Some(row.try_get(1)?)))
    }

    /// Which server answers, and whether its sequence gives new positions.
    pub(super) async fn server(&self, connection: &mut Session<'_>) -> SqlResult<(i64, bool)> {
        let row = sqlx::query(AssertSqlSafe(&*self.server)).one(connection).await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Why an append was refused, as far as what is stored now says so.
    pub(super) async fn reason(&self, connection: &mut Session<'_>, append: &Append) -> Result<Option<AppendError>, StoreError> {
        for part in &append.streams {
            if let Some(new) = &part.key
                && let Some(record) = self.find_key(connection, &part.stream, &new.key).await?
            {
                return Ok(Some(AppendError::KeyTaken { stream: part.stream.clone(), record }));
            }
        }
        for part in &append.streams {
            let (actual, event_id) = self.end(connection, &part.stream).await.during("reading a stream's version")?;
            if actual != part.expected || part.expected_event.is_some_and(|id| event_id != Some(id)) {
                return Ok(Some(AppendError::Conflict { stream: part.stream.clone(), actual }));
            }
        }
        Ok(None)
    }
}

/// A batch of appends as one statement: a row an event, each with its append's number. The condition is taken over the whole append.
/// Rows are inserted in the order of their streams, so that batches that meet wait for each other and never in a circle; positions
/// are given in the order of the appends, once the trigger of the insert holds the lock.
///
/// `$1` to `$14` are [`Events`], `$15` is the server; then come [`NewKeys`] and [`NewKinds`], where there are any.
fn many(schema: &str, keys: bool, kinds: bool) -> String {
    let refused = if keys {
        format!(" union select k.a from k join {schema}.gesta_keys g on g.stream = k.s and g.key = k.key")
    } else {
        String::new()
    };
    let keys_stored = if keys {
        format!(
            ", keys as (
                insert into {schema}.gesta_keys (stream, key, command_hash, before_version, after_version, position, recorded_at, hash_version)
                select k.s, k.key, k.hash, k.expected, k.expected + count(*) filter (where x.s = k.s), max(x.p),
                    max(x.at) filter (where x.s = k.s), k.algorithm
                from k join ready x on x.a = k.a group by k.s, k.key, k.hash, k.algorithm, k.expected order by k.s, k.key
            )"
        )
    } else {
        String::new()
    };
    let first = if keys { 22 } else { 16 };
    let kinds_stored = if kinds {
        format!(
            ", kinds as (
                insert into {schema}.gesta_event_types as t (aggregate, name, schema_version, first_position)
                select g.aggregate, g.name, g.schema_version, min(x.p)
                from unnest(${first}::text[], ${}::text[], ${}::int8[]) as g(aggregate, name, schema_version)
                join ready x on x.name = g.name and x.schema_version = g.schema_version and split_part(x.s, '-', 1) = g.aggregate
                group by 1, 2, 3 order by 1, 2, 3
                on conflict (aggregate, name, schema_version) do update
                    set first_position = least(t.first_position, excluded.first_position)
            )",
            first + 1,
            first + 2
        )
    } else {
        String::new()
    };
    let k = if keys {
        "k as materialized (select * from unnest($16::int4[], $17::text[], $18::text[], $19::int8[], $20::int8[], $21::int2[])
            as t(a, s, key, hash, expected, algorithm)), "
    } else {
        ""
    };
    format!(
        "with x as materialized (
            select t.*, coalesce(h.version, 0) as head, h.recorded_at as last, h.event_id as head_event
            from unnest($1::int4[], $2::text[], $3::int8[], $4::int8[], $5::text[], $6::int8[], $7::uuid[], $8::int8[], $9::int8[],
                $10::uuid[], $11::uuid[], $12::text[], $13::bytea[], $14::uuid[]) with ordinality
                as t(a, s, v, expected, name, schema_version, id, at, occurred_at, correlation_id, causation_id, actor, payload,
                    expected_event, o)
            left join lateral (
                select version, recorded_at, event_id from {schema}.gesta_events e where e.stream = t.s order by version desc limit 1
            ) as h on true
        ),
        {k}refused as materialized (
            select a from x where head <> expected or (expected_event is not null and expected_event is distinct from head_event){refused}
        ),
        ready as materialized (
            select a, s, v, name, schema_version, id, greatest(at, last) as at, occurred_at, correlation_id, causation_id, actor, payload,
                nextval('{literal}.gesta_positions') as p
            from (select * from x where a not in (select a from refused) and {SERVER} = $15 and {new} order by o) as x
        ){keys_stored}{kinds_stored}
        insert into {schema}.gesta_events (stream, version, name, schema_version, event_id, recorded_at, occurred_at, correlation_id,
            causation_id, actor, payload, position)
        select s, v, name, schema_version, id, at, nullif(occurred_at, at), correlation_id, causation_id, actor, payload, p
        from ready order by s, v
        returning stream, version, position, recorded_at",
        new = gives_new_positions(schema),
        literal = schema.replace('\'', "''"),
    )
}

/// The columns of events that are to be inserted, one array each.
#[derive(Default)]
pub(super) struct Events<'a> {
    appends: Vec<i32>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    expected: Vec<i64>,
    names: Vec<&'static str>,
    schema_versions: Vec<i64>,
    ids: Vec<Uuid>,
    recorded_at: Vec<i64>,
    occurred_at: Vec<Option<i64>>,
    correlation_ids: Vec<Option<Uuid>>,
    causation_ids: Vec<Option<Uuid>>,
    actors: Vec<Option<&'a str>>,
    payloads: Vec<&'a [u8]>,
    expected_ids: Vec<Option<Uuid>>,
}

impl<'a> Events<'a> {
    /// Adds the events of one append, each recorded at its stream's time.
    pub(super) fn add(&mut self, number: i32, append: &'a Append, recorded_at: impl Fn(usize) -> Timestamp) {
        let correlation_id = correlation_id(append);
        for (place, part) in append.streams.iter().enumerate() {
            for (event, version) in part.events.iter().zip(part.expected.get() + 1..) {
                self.appends.push(number);
                self.streams.push(part.stream.as_str());
                self.versions.push(version.cast_signed());
                self.expected.push(part.expected.get().cast_signed());
                self.names.push(event.name);
                self.schema_versions.push(i64::from(event.schema_version));
                self.ids.push(event.id);
                self.recorded_at.push(recorded_at(place).as_micros());
                self.occurred_at.push(event.occurred_at.map(Timestamp::as_micros));
                self.correlation_ids.push(Some(correlation_id).filter(|id| *id != event.id));
                self.causation_ids.push(append.causation_id);
                self.actors.push(append.actor.as_deref());
                self.payloads.push(&event.payload);
                self.expected_ids.push(part.expected_event);
            }
        }
    }
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    /// Binds `$1` to `$14`.
    pub(super) fn bind<'q>(self, sql: &'q str) -> Query<'q, Postgres, sqlx::postgres::PgArguments>
    where
        'a: 'q,
    {
        sqlx::query(AssertSqlSafe(sql))
            .bind(self.appends)
            .bind(self.streams)
            .bind(self.versions)
            .bind(self.expected)
            .bind(self.names)
            .bind(self.schema_versions)
            .bind(self.ids)
            .bind(self.recorded_at)
            .bind(self.occurred_at)
            .bind(self.correlation_ids)
            .bind(self.causation_ids)
            .bind(self.actors)
            .bind(self.payloads)
            .bind(self.expected_ids)
    }
}

/// What all events of an append share.
pub(super) fn correlation_id(append: &Append) -> Uuid {
    let first = append.streams.iter().flat_map(|part| &part.events).map(|event| event.id).next();
    append.correlation_id.or(first).unwrap_or_default()
}

/// The columns of keys that are to be stored.
#[derive(Default)]
pub(super) struct NewKeys<'a> {
    pub(super) appends: Vec<i32>,
    pub(super) streams: Vec<&'a str>,
    pub(super) keys: Vec<&'a str>,
    pub(super) hashes: Vec<i64>,
    pub(super) expected: Vec<i64>,
    pub(super) hash_versions: Vec<i16>,
}

impl<'a> NewKeys<'a> {
    pub(super) fn add(&mut self, number: i32, append: &'a Append) {
        for part in &append.streams {
            let Some(new) = &part.key else { continue };
            self.appends.push(number);
            self.streams.push(part.stream.as_str());
            self.keys.push(&new.key);
            self.hashes.push(new.command_hash.cast_signed());
            self.expected.push(part.expected.get().cast_signed());
            self.hash_versions.push(new.hash_version.into());
        }
    }
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Kinds of events that the store is known to hold.
#[derive(Default)]
pub(super) struct Kinds(Mutex<HashMap<(&'static str, u32), Aggregates>>);

/// Those that have an event of one name and version.
type Aggregates = Vec<Box<str>>;

/// The columns of kinds that are not known.
#[derive(Default)]
pub(super) struct NewKinds<'a> {
    pub(super) aggregates: Vec<&'a str>,
    pub(super) names: Vec<&'static str>,
    pub(super) versions: Vec<u32>,
}

impl NewKinds<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
    pub(super) fn schema_versions(&self) -> Vec<i64> {
        self.versions.iter().map(|version| i64::from(*version)).collect()
    }
}

impl Kinds {
    /// Those of these events that are not known, each once.
    pub(super) fn unknown<'a>(&self, appends: impl Iterator<Item = &'a Append>) -> NewKinds<'a> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = NewKinds::default();
        for part in appends.flat_map(|append| &append.streams) {
            let aggregate = part.stream.aggregate();
            for event in &part.events {
                let kind = known.get(&(event.name, event.schema_version));
                if kind.is_some_and(|aggregates| aggregates.iter().any(|known| **known == *aggregate)) {
                    continue;
                }
                let mut met = new.aggregates.iter().zip(&new.names).zip(&new.versions);
                if !met.any(|((a, name), version)| *a == aggregate && *name == event.name && *version == event.schema_version) {
                    new.aggregates.push(aggregate);
                    new.names.push(event.name);
                    new.versions.push(event.schema_version);
                }
            }
        }
        new
    }
    /// These are stored now.
    pub(super) fn learn(&self, events: impl Iterator<Item = (Box<str>, &'static str, u32)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (aggregate, name, version) in events {
            let aggregates = known.entry((name, version)).or_default();
            if !aggregates.contains(&aggregate) {
                aggregates.push(aggregate);
            }
        }
    }
}

/// An append of one event, without a key.
pub(super) fn single(append: &Append) -> Option<(&StreamAppend, &NewEvent)> {
    match &append.streams[..] {
        [part @ StreamAppend { events, key: None, .. }] => match &events[..] {
            [event] => Some((part, event)),
            _ => None,
        },
        _ => None,
    }
}

/// Where the rows of an append were stored; `None` where they are not all there.
pub(super) fn appended(append: &Append, stored: &HashMap<(&str, u64), (Position, Timestamp)>) -> Option<Appended> {
    let mut appended = Appended { positions: Vec::new(), recorded_at: Vec::new(), position: Position::ZERO };
    for part in &append.streams {
        let mut recorded_at = append.recorded_at;
        for version in (part.expected.get() + 1..).take(part.events.len()) {
            let (position, at) = stored.get(&(part.stream.as_str(), version))?;
            appended.positions.push(*position);
            recorded_at = *at;
        }
        appended.recorded_at.push(recorded_at);
    }
    appended.position = appended.positions.last().copied()?;
    Some(appended)
}

pub(super) fn key_record(row: &PgRow, at: usize) -> SqlResult<KeyRecord> {
    let hash_version = u8::try_from(row.try_get::<i16, _>(at + 4)?).map_err(|why| sqlx::Error::Decode(why.into()))?;
    Ok(KeyRecord {
        command_hash: row.try_get::<i64, _>(at)?.cast_unsigned(),
        hash_version,
        before: Version::new(counter(row, at + 1)?),
        after: Version::new(counter(row, at + 2)?),
        position: Position::new(counter(row, at + 3)?),
    })
}

/// A column that counts from 0.
pub(super) fn counter(row: &PgRow, at: usize) -> SqlResult<u64> {
    let number: i64 = row.try_get(at)?;
    u64::try_from(number).map_err(|why| sqlx::Error::Decode(why.into()))
}
