//! The rows of the read models, folded by hand: the same events must make the same rows, whoever folds them.

use std::collections::BTreeMap;

use gesta::store::{Append, NewEvent, StreamAppend};
use gesta::{App, ReadError, StreamName, Timestamp, Version};

use super::domain::{BUCKETS, Balance, FLOW_EVENTS, Flow, PoolSheet, Statement, register};
use super::oracle::Event;
use super::work::owner;

/// All rows of all read models, as text by table and key.
pub(crate) type Rows = BTreeMap<(&'static str, String), String>;

/// The rows an app answers with.
pub(crate) async fn read(app: &App) -> Result<Rows, ReadError> {
    app.settle().await?;
    let mut rows = Rows::new();
    for row in app.read::<Balance>().all().await? {
        let text = format!("{} {} {} {}", row.owner, row.amount, row.version, row.digest);
        rows.insert(("balances", row.account.to_string()), text);
    }
    for row in app.read::<PoolSheet>().all().await? {
        rows.insert(("pools", row.pool.to_string()), format!("{} {}", row.total, row.digest));
    }
    for row in app.read::<Statement>().all().await? {
        let text = format!("{} {} {} {}", row.closed, row.paid_in, row.paid_out, row.digest);
        rows.insert(("statements", row.account.to_string()), text);
    }
    for row in app.read::<Flow>().all().await? {
        rows.insert(("flows", row.bucket.to_string()), format!("{} {} {}", row.events, row.sum, row.digest));
    }
    Ok(rows)
}

/// The rows these events should have made.
pub(crate) fn replayed(events: &[Event]) -> Rows {
    let mut streams: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    let mut flows: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    for event in events {
        streams.entry(&event.stream).or_default().push(event);
        if let Some(sign) = sign(event) {
            let flow = flows.entry(event.amount % BUCKETS).or_default();
            flow.push((sign * event.amount, event.op));
            if i64::try_from(flow.len()) == Ok(FLOW_EVENTS) {
                flow.clear();
            }
        }
    }
    let mut rows = Rows::new();
    for (stream, events) in streams {
        let (aggregate, id) = stream.split_once('-').unwrap_or((stream, ""));
        let sum = |wanted: i64| events.iter().filter(|event| sign(event) == Some(wanted)).map(|event| event.amount).sum::<i64>();
        let (paid_in, paid_out, digest) = (sum(1), sum(-1), digest(events.iter().map(|event| event.op)));
        if aggregate == "Pool" {
            rows.insert(("pools", id.to_owned()), format!("{} {digest}", paid_in - paid_out));
            continue;
        }
        let closed = events.iter().any(|event| event.name == "Closed");
        rows.insert(("statements", id.to_owned()), format!("{closed} {paid_in} {paid_out} {digest}"));
        if !closed {
            let text = format!("{} {} {} {digest}", owner(id), paid_in - paid_out, events.len());
            rows.insert(("balances", id.to_owned()), text);
        }
    }
    for (bucket, flow) in flows.into_iter().filter(|(_, flow)| !flow.is_empty()) {
        let sum: i64 = flow.iter().map(|(amount, _)| amount).sum();
        let digest = digest(flow.iter().map(|(_, op)| *op));
        rows.insert(("flows", bucket.to_string()), format!("{} {sum} {digest}", flow.len()));
    }
    rows
}

/// What goes in counts up, what goes out counts down.
fn sign(event: &Event) -> Option<i64> {
    match event.name.as_str() {
        "Deposited" | "Filled" => Some(1),
        "Withdrawn" | "Drained" => Some(-1),
        _ => None,
    }
}

fn digest(ops: impl Iterator<Item = i64>) -> i64 {
    ops.fold(0, |digest, op| digest.wrapping_mul(31).wrapping_add(op))
}

/// The rows of a new app on a new store in memory that was given the same events.
pub(crate) async fn rebuilt(events: &[Event]) -> Rows {
    let names = ["Opened", "Deposited", "Withdrawn", "Closed", "Founded", "Filled", "Drained"];
    let url = "memory:";
    let store = gesta::store::connect(url).await.expect("a store in memory opens");
    for event in events {
        let append = Append {
            streams: vec![StreamAppend {
                stream: StreamName::parse(&event.stream).expect("it was stored under this name"),
                expected: Version::new(event.version - 1),
                expected_event: None,
                events: vec![NewEvent {
                    id: event.id,
                    name: names.iter().find(|name| **name == event.name).expect("one of the domain's events"),
                    schema_version: 1,
                    occurred_at: None,
                    payload: event.payload.clone(),
                }],
                key: None,
            }],
            recorded_at: Timestamp::from_micros(1),
            actor: None,
            correlation_id: None,
            causation_id: None,
            crowded: false,
            inline: None,
        };
        store.log.append(append).await.expect("the versions have no holes");
    }
    let app = register(App::on(store), url).start().await.expect("the app starts");
    let rows = read(&app).await.expect("the models can be read");
    app.shutdown().await.expect("the app shuts down");
    rows
}

/// Where two sets of rows differ.
pub(crate) fn difference(what: &str, left: &Rows, right: &Rows) -> Vec<String> {
    let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(key)));
    let differ = keys.filter(|key| left.get(key) != right.get(key));
    differ.map(|key| format!("row `{}` of `{}` is {:?}, {what} {:?}", key.1, key.0, left.get(key), right.get(key))).collect()
}
