//! Folds the raw events by itself, and compares what the library makes of them.

use std::collections::BTreeMap;

use gesta::App;
use sqlx::{AssertSqlSafe, Row as _};

use super::super::server::connect;
use crate::domain::*;

/// What is wrong with the events, and with what a new process makes of them.
pub(super) async fn faults(url: &str, schema: &str, app: &App, models: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let balances = fold(url, schema, &mut faults).await;
    for (stream, (version, balance)) in &balances {
        let id = account(stream.strip_prefix("Account-").expect("all streams are accounts"));
        let loaded = app.load::<Account>(&id).await.unwrap();
        let loaded = (loaded.version.get(), loaded.state().map_or(0, |account| account.balance));
        if loaded != (*version, *balance) {
            faults.push(format!("{stream} is {:?} by its events, and loaded as {loaded:?}", (version, balance)));
        }
        if models {
            let row = app.read::<Summary>().get(&id).await.unwrap().map(|row| (row.version, row.balance));
            if row != Some((*version, *balance)) {
                faults.push(format!("{stream} is {:?} by its events, and its row is {row:?}", (version, balance)));
            }
        }
    }
    faults
}

/// Version and balance of each stream.
async fn fold(url: &str, schema: &str, faults: &mut Vec<String>) -> BTreeMap<String, (u64, i64)> {
    let sql = format!(
        "select stream, version, coalesce((convert_from(payload, 'UTF8')::json ->> 'amount')::int8, 0), name
         from {schema}.gesta_events order by stream, version"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connect(url).await).await.unwrap();
    let mut balances = BTreeMap::<String, (u64, i64)>::new();
    for row in rows {
        let (stream, version, amount): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let (before, balance) = balances.entry(stream.clone()).or_default();
        *before += 1;
        if version.unsigned_abs() != *before {
            faults.push(format!("{stream} has version {version} where {before} comes next"));
        }
        *balance += if row.get::<String, _>(3) == "Withdrawn" { -amount } else { amount };
        if *balance < 0 {
            faults.push(format!("{stream} is at {balance} at version {version}"));
        }
    }
    balances
}
