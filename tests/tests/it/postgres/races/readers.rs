//! Readers that follow the log while others append, and remember what they saw.
//!
//! Always true: a reader goes on from the last position it saw, and never looks back. It stops once it is where the log ends, after
//! all writers are gone: what it has not seen by then is lost to it.

use std::ops::ControlFlow;
use std::time::Duration;

use gesta::store::{Store, StoredEvent};
use gesta::{Position, StoreError, Uuid};
use sqlx::postgres::PgConnection;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a reader may take to the end, once the log has one.
const TIME_MAX: Duration = Duration::from_mins(2);
/// How often the naive reader looks where nothing is new.
const POLL: Duration = Duration::from_millis(1);

/// An event as a reader saw it.
pub(super) type Seen = (u64, Uuid);
/// Where the log ends, once it does.
pub(super) type End = watch::Receiver<Option<u64>>;

pub(super) struct Reader {
    pub(super) name: String,
    task: JoinHandle<Result<Vec<Seen>, StoreError>>,
}

impl Reader {
    /// Reads through gesta, a page of so many events at a time.
    pub(super) fn start(name: &str, store: &Store, page: usize, end: End) -> Self {
        let store = store.clone();
        Reader { name: format!("{name}, {page} a page"), task: tokio::spawn(follow(store, page, end)) }
    }

    /// Reads by hand, and takes for all what is there now.
    pub(super) fn naive(connection: PgConnection, end: End) -> Self {
        Reader { name: "naive".to_owned(), task: tokio::spawn(follow_naively(connection, end)) }
    }

    /// All it has seen, in its order.
    pub(super) async fn seen(self) -> Result<Vec<Seen>, String> {
        let name = self.name;
        match tokio::time::timeout(TIME_MAX, self.task).await {
            Ok(seen) => seen.expect("a reader does not panic").map_err(|why| format!("{name}: {why}")),
            Err(_) => Err(format!("{name}: after {TIME_MAX:?} it had not come to the end")),
        }
    }
}

async fn follow(store: Store, page: usize, mut end: End) -> Result<Vec<Seen>, StoreError> {
    let (mut last, mut seen) = (Position::ZERO, Vec::new());
    while end.borrow().is_none_or(|end| last.get() < end) {
        tokio::select! {
            waited = store.log.wait_beyond(last) => waited?,
            // It may be there already.
            _ = end.changed() => continue,
        }
        let mut visit = |event: StoredEvent<'_>| {
            seen.push((event.position.get(), event.id));
            ControlFlow::Continue(())
        };
        store.log.read_all(last, page, &mut visit).await?;
        last = seen.last().map_or(last, |(position, _)| Position::new(*position));
    }
    Ok(seen)
}

async fn follow_naively(mut connection: PgConnection, end: End) -> Result<Vec<Seen>, StoreError> {
    let (mut last, mut seen) = (0, Vec::new());
    while end.borrow().is_none_or(|end| last < end) {
        let page = after(&mut connection, last).await;
        match page.last() {
            Some((position, _)) => last = *position,
            None => tokio::time::sleep(POLL).await,
        }
        seen.extend(page);
    }
    Ok(seen)
}

/// What is committed now behind a position.
pub(super) async fn after(connection: &mut PgConnection, position: u64) -> Vec<Seen> {
    let sql = "select position, event_id from gesta_events where position > $1 order by position limit 1000";
    let rows = sqlx::query_as::<_, (i64, Uuid)>(sql).bind(position.cast_signed()).fetch_all(connection).await;
    rows.expect("the table can be read").into_iter().map(|(position, id)| (position.unsigned_abs(), id)).collect()
}
