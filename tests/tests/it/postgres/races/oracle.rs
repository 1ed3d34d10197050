//! What must be true after a race, of the table and of what each reader saw of it.

use std::collections::{HashMap, HashSet};

use gesta::Uuid;
use sqlx::postgres::PgConnection;

use super::readers::Seen;
use super::said::Said;

/// An event as it stands in the table.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) position: u64,
    pub(super) id: Uuid,
    pub(super) stream: String,
    pub(super) version: u64,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    /// It was acknowledged, or is in the table, and is not there or was not seen.
    Lost,
    /// It is there, or was seen, twice.
    Doubled,
    /// It comes before what it should come after.
    Reordered,
    /// It is there, or was seen, and was never committed.
    Uncommitted,
    /// Its version is not the next one of its stream.
    Hole,
    /// Somebody could not go on.
    Failed,
}

pub(super) type Fault = (Wrong, String);

/// All that is committed, in the order of positions.
pub(super) async fn table(connection: &mut PgConnection) -> Vec<Stored> {
    let sql = "select position, event_id, stream, version from gesta_events order by position";
    let rows = sqlx::query_as::<_, (i64, Uuid, String, i64)>(sql).fetch_all(connection).await;
    let rows = rows.expect("the table can be read").into_iter();
    let stored = rows.map(|(position, id, stream, version)| Stored {
        position: position.unsigned_abs(),
        id,
        stream,
        version: version.unsigned_abs(),
    });
    stored.collect()
}

/// Holds the table against what the writers have said.
pub(super) fn of_table(table: &[Stored], said: &[Said]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut there: HashMap<Uuid, &Stored> = HashMap::with_capacity(table.len());
    for stored in table {
        if let Some(first) = there.insert(stored.id, stored) {
            faults.push((Wrong::Doubled, format!("{} stands at {} and at {}", stored.id, first.position, stored.position)));
        }
    }
    let mut told = 0;
    for said in said {
        match said {
            Said::Stored { id, stream, version } => {
                told += 1;
                match there.get(id) {
                    Some(stored) if stored.stream == *stream && stored.version == *version => {}
                    found => faults.push((Wrong::Lost, format!("{id} was acknowledged as {stream} {version}: {found:?}"))),
                }
            }
            Said::Undone { id } => {
                faults.extend(there.get(id).map(|stored| (Wrong::Uncommitted, format!("it was rolled back: {stored:?}"))));
            }
            Said::Ready | Said::Pause { .. } => {}
        }
    }
    if told != table.len() {
        faults.push((Wrong::Uncommitted, format!("{} events are stored, {told} were acknowledged", table.len())));
    }
    faults.extend(of_streams(table));
    faults
}

/// Versions are 1, 2, 3, .. in the order of positions.
fn of_streams(table: &[Stored]) -> Vec<Fault> {
    let mut streams: HashMap<&str, Vec<u64>> = HashMap::new();
    for stored in table {
        streams.entry(&stored.stream).or_default().push(stored.version);
    }
    let mut faults = Vec::new();
    for (stream, mut versions) in streams {
        if !versions.is_sorted() {
            faults.push((Wrong::Reordered, format!("the positions of {stream} do not grow with its versions")));
            versions.sort_unstable();
        }
        if !versions.iter().copied().eq(1..=versions.len() as u64) {
            faults.push((Wrong::Hole, format!("the versions of {stream} are {versions:?}")));
        }
    }
    faults
}

/// Holds what a reader saw against the table: all events, once, in the order of positions.
pub(super) fn of_reader(name: &str, seen: &[Seen], table: &[Stored]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for pair in seen.windows(2) {
        if pair[0].0 >= pair[1].0 {
            faults.push((Wrong::Reordered, format!("{name} saw {} after {}", pair[1].0, pair[0].0)));
        }
    }
    let mut once = HashSet::with_capacity(seen.len());
    for (position, id) in seen {
        if !once.insert((*position, *id)) {
            faults.push((Wrong::Doubled, format!("{name} saw {position} twice")));
        }
    }
    for stored in table {
        if !once.remove(&(stored.position, stored.id)) {
            faults.push((Wrong::Lost, format!("{name} did not see {stored:?}")));
        }
    }
    faults.extend(once.iter().map(|seen| (Wrong::Uncommitted, format!("{name} saw {seen:?}, which is not there"))));
    faults
}
