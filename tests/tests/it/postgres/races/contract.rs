//! The contract suite finds the mistakes that are made on Postgres: a reader that takes what is there now, an append that looks first
//! and inserts then, and one that takes a lock and looks in one statement, which sees what was there before it had the lock.
//!
//! Commits are slowed down by a trigger in the suite's own schema, so that they overlap. The store itself keeps the contract there.

use std::collections::HashMap;

use async_trait::async_trait;
use gesta::store::contract::{Case, Offers, Outcome, Subject};
use gesta::store::{Append, AppendError, Appended, Capabilities, EventLog, Store, StoredEvent, StoredType, Visit};
use gesta::{Position, StoreError, StreamName, Timestamp, Uuid, Version};
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};

use super::super::server::Database;
use super::hand::send;

/// A commit takes up to 5 ms longer.
const SLOW: &str = "
    create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(random() * 0.005); return null; end $$;
    create trigger slow after insert on gesta_events for each statement execute function slow()";
/// Nothing but the look keeps two from storing the same version.
const NOT_UNIQUE: &str = "alter table gesta_events drop constraint gesta_events_stream_version_key";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// The store as it should be.
    None,
    /// Readers take what is there now.
    NaiveReader,
    /// Appends look at the version in one statement, and insert in the next.
    CheckThenInsert,
    /// Appends take a lock, look at the version and insert, all in one statement.
    LockAndCheckInOne,
}

impl Mistake {
    fn appends(self) -> bool {
        matches!(self, Mistake::CheckThenInsert | Mistake::LockAndCheckInOne)
    }
}

/// Postgres stores with a mistake.
struct Mistaken {
    database: Database,
    mistake: Mistake,
}

#[async_trait]
impl Subject for Mistaken {
    fn offers(&self) -> Offers {
        Offers { sole_writer: false, ..Offers::ALL }
    }

    async fn fresh(&self, place: &str) -> Store {
        let schema: String = place.chars().take(63).collect();
        let store = gesta::store::connect(&self.database.url(&format!("?schema={schema}"))).await.expect("the store opens");
        let pool = PgPool::connect(&self.database.url(&format!("?options[search_path]={schema}"))).await;
        let pool = pool.expect("the database is there");
        let mut connection = pool.acquire().await.expect("it is connected");
        send(&mut connection, SLOW).await;
        if self.mistake.appends() {
            send(&mut connection, NOT_UNIQUE).await;
        }
        drop(connection);
        let log = Log { mistake: self.mistake, inner: store.clone(), pool };
        Store { log: std::sync::Arc::new(log), ..store }
    }

    async fn reopen(&self, _place: &str) -> Option<Store> {
        None
    }
}

struct Log {
    mistake: Mistake,
    inner: Store,
    pool: PgPool,
}

fn failed(why: &sqlx::Error) -> StoreError {
    StoreError::Driver { context: "making a mistake", message: why.to_string(), transient: false }
}

impl Log {
    async fn append_wrongly(&self, append: &Append) -> Result<Result<Appended, AppendError>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for part in append.streams.iter().filter(|_| self.mistake == Mistake::CheckThenInsert) {
            let version = sqlx::query_scalar::<_, i64>("select coalesce(max(version), 0) from gesta_events where stream = $1");
            let version = version.bind(part.stream.as_str()).fetch_one(&mut *transaction).await?;
            let actual = Version::new(version.unsigned_abs());
            if actual != part.expected {
                return Ok(Err(AppendError::Conflict { stream: part.stream.clone(), actual }));
            }
        }
        let mut positions = Vec::new();
        for part in &append.streams {
            for (event, version) in part.events.iter().zip(part.expected.get() + 1..) {
                let insert = sqlx::query_scalar::<_, i64>(match self.mistake {
                    Mistake::LockAndCheckInOne => {
                        "with held as materialized (select pg_advisory_xact_lock(hashtext($1))),
                            there as materialized (select coalesce(max(version), 0) as version from held left join gesta_events on stream = $1)
                         insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
                         select $1, $2, $3, 1, $4, 1, $5 from there where version = $2 - 1 returning position"
                    }
                    _ => {
                        "insert into gesta_events (stream, version, name, schema_version, event_id, recorded_at, payload)
                         values ($1, $2, $3, 1, $4, 1, $5) returning position"
                    }
                });
                let insert = insert.bind(part.stream.as_str()).bind(version.cast_signed()).bind(event.name);
                let insert = insert.bind(event.id).bind(&event.payload).fetch_optional(&mut *transaction);
                let Some(position) = insert.await? else {
                    let actual = Version::new(part.expected.get() + 1);
                    return Ok(Err(AppendError::Conflict { stream: part.stream.clone(), actual }));
                };
                positions.push(Position::new(position.unsigned_abs()));
            }
        }
        transaction.commit().await?;
        let position = positions.last().copied().unwrap_or(Position::ZERO);
        Ok(Ok(Appended { positions, recorded_at: vec![Timestamp::from_micros(1); append.streams.len()], position }))
    }

    async fn read_naively(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), sqlx::Error> {
        let rows = sqlx::query(
            "select position, version, schema_version, recorded_at, event_id, stream, name, payload from gesta_events
             where position > $1 order by position limit $2",
        );
        let rows = rows.bind(after.get().cast_signed()).bind(i64::try_from(max).unwrap_or(i64::MAX)).fetch_all(&self.pool);
        for row in rows.await? {
            if visit(event(&row)?).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn event(row: &PgRow) -> Result<StoredEvent<'_>, sqlx::Error> {
    let number = |at: usize| row.try_get::<i64, _>(at).map(i64::unsigned_abs);
    let (recorded_at, id) = (Timestamp::from_micros(row.try_get(3)?), row.try_get::<Uuid, _>(4)?);
    Ok(StoredEvent {
        position: Position::new(number(0)?),
        stream: row.try_get(5)?,
        version: Version::new(number(1)?),
        name: row.try_get(6)?,
        schema_version: u32::try_from(number(2)?).expect("it was one before"),
        payload: row.try_get(7)?,
        id,
        recorded_at,
        occurred_at: recorded_at,
        correlation_id: id,
        causation_id: None,
        actor: None,
    })
}

#[async_trait]
impl EventLog for Log {
    fn capabilities(&self) -> Capabilities {
        self.inner.log.capabilities()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        match self.mistake {
            mistake if mistake.appends() => self.append_wrongly(&append).await.map_err(|why| failed(&why))?,
            _ => self.inner.log.append(append).await,
        }
    }

    async fn read_stream(&self, stream: &StreamName, after: Version, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        self.inner.log.read_stream(stream, after, max, visit).await
    }

    async fn read_all(&self, after: Position, max: usize, visit: Visit<'_>) -> Result<(), StoreError> {
        match self.mistake {
            Mistake::NaiveReader => self.read_naively(after, max, visit).await.map_err(|why| failed(&why)),
            _ => self.inner.log.read_all(after, max, visit).await,
        }
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.inner.log.head().await
    }

    async fn wait_beyond(&self, position: Position) -> Result<(), StoreError> {
        if self.mistake != Mistake::NaiveReader {
            return self.inner.log.wait_beyond(position).await;
        }
        while self.inner.log.head().await? <= position {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn event_types(&self) -> Result<Vec<StoredType>, StoreError> {
        self.inner.log.event_types().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.log.close().await
    }
}

/// What becomes of these cases.
async fn outcomes(mistake: Mistake, cases: &[&'static str]) -> HashMap<&'static str, Outcome> {
    let subject = Mistaken { database: Database::new().await, mistake };
    let mut outcomes = HashMap::new();
    for name in cases {
        let case = Case::named(name).unwrap_or_else(|| panic!("there is no case `{name}`"));
        outcomes.insert(*name, case.run(&subject).await);
    }
    outcomes
}

const NEVER_SKIPS: &str = "a_live_reader_never_skips";
const ONE_WINS: &str = "of_racing_appends_to_a_stream_one_wins";
const NO_ROW: &str = "of_two_units_that_share_a_stream_one_leaves_no_row";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_commits_are_slow_the_store_keeps_the_contract() {
    let outcomes = outcomes(Mistake::None, &[NEVER_SKIPS, ONE_WINS, NO_ROW]).await;
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Kept), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_awaits_nobody_breaks_the_contract() {
    match &outcomes(Mistake::NaiveReader, &[NEVER_SKIPS]).await[NEVER_SKIPS] {
        Outcome::Broken(why) => assert!(why.starts_with("a live reader saw"), "it is broken for another reason: {why}"),
        kept => panic!("`{NEVER_SKIPS}` does not see it: {kept:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_that_checks_and_then_inserts_breaks_the_contract() {
    breaks_the_contract(Mistake::CheckThenInsert).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_that_takes_a_lock_and_checks_in_one_statement_breaks_the_contract() {
    breaks_the_contract(Mistake::LockAndCheckInOne).await;
}

async fn breaks_the_contract(mistake: Mistake) {
    let outcomes = outcomes(mistake, &[ONE_WINS, NO_ROW]).await;
    for (name, told) in [(ONE_WINS, "how many of 8 appends at one version won"), (NO_ROW, "one wins and one conflicts")] {
        match &outcomes[name] {
            Outcome::Broken(why) => assert!(why.contains(told), "`{name}` is broken for another reason: {why}"),
            kept => panic!("`{name}` does not see it: {kept:?}"),
        }
    }
}
