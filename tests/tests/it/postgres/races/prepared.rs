//! A transaction that is prepared goes on without its session, under another name; readers wait for it all the same.

use gesta::store::Store;
use gesta::{Position, Uuid};

use super::super::server::Database;
use super::hand::{append, insert, part, send, stream};
use crate::told::Listening;

async fn seen(store: &Store, after: &mut Position) -> Vec<Uuid> {
    let (mut seen, mut last) = (Vec::new(), *after);
    let mut visit = |event: gesta::store::StoredEvent<'_>| {
        seen.push(event.id);
        last = event.position;
        std::ops::ControlFlow::Continue(())
    };
    store.log.read_all(*after, 100, &mut visit).await.expect("the log can be read");
    *after = last;
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_prepared_while_readers_wait_for_it_is_not_passed_over() {
    for appends in ["shared", "exclusive"] {
        is_not_passed_over(appends).await;
    }
}

async fn is_not_passed_over(appends: &str) {
    let database = Database::new().await;
    let store = gesta::store::connect(&database.url(&format!("?appends={appends}"))).await.expect("the store opens");
    let (first, second) = (Uuid::from_u64_pair(0, 1), Uuid::from_u64_pair(0, 2));
    let mut open = database.connect().await;
    let gid = format!("gesta_{}", std::process::id());
    send(&mut open, "begin").await;
    insert(&mut open, "Race-first", 1, first).await;
    let log = store.log.clone();
    let behind = tokio::spawn(async move { log.append(append(vec![part(&stream("Race-second"), 0, &[second])])).await });
    // Where appends run one after the other, it waits for the one that is open.
    let waits = if appends == "exclusive" {
        Some(behind)
    } else {
        behind.await.expect("no panic").expect("nobody is in its way");
        None
    };
    let mut last = Position::ZERO;
    assert_eq!(seen(&store, &mut last).await, Vec::<Uuid>::new(), "nothing is settled while the first is open");
    send(&mut open, format!("prepare transaction '{gid}'")).await;
    let early = seen(&store, &mut last).await;
    send(&mut open, format!("commit prepared '{gid}'")).await;
    assert_eq!(early, Vec::<Uuid>::new(), "nothing is settled while the first is prepared");
    if let Some(waits) = waits {
        waits.await.expect("no panic").expect("it only had to wait");
    }
    assert_eq!(seen(&store, &mut last).await, [first, second]);
    store.log.close().await.expect("it closes");
}

// On one thread, so that all that is told is heard.
#[tokio::test]
async fn who_holds_up_readers_is_named_also_without_a_session() {
    let told = Listening::begin();
    let database = Database::new().await;
    let store = gesta::store::connect(&database.url("")).await.expect("the store opens");
    let gid = format!("gesta_named_{}", std::process::id());
    for prepared in [false, true] {
        let mut open = database.connect().await;
        send(&mut open, "begin").await;
        insert(&mut open, "Race-first", 1, Uuid::from_u64_pair(0, 1)).await;
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut open).await.expect("it is connected");
        if prepared {
            send(&mut open, format!("prepare transaction '{gid}'")).await;
        }
        let name = if prepared { format!("prepared transaction '{gid}'") } else { format!("pid {pid}") };
        // One look ends before that long, and leaves it to the next one to say who is waited for.
        let mut lines = Vec::new();
        while !lines.iter().any(|line: &String| line.contains("is still open")) {
            assert_eq!(seen(&store, &mut { Position::ZERO }).await, Vec::<Uuid>::new());
            lines.extend(told.lines());
        }
        let named = |line: &&String| line.starts_with("WARN") && line.contains(&format!("holders=\"{name}\""));
        let line = lines.iter().find(|line| named(line)).unwrap_or_else(|| panic!("{name}: {lines:#?}"));
        let lag = line.split("settled_lag_ms=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        assert!(lag.is_some_and(|lag| (1_000..20_000).contains(&lag)), "{line}");
        send(&mut open, if prepared { format!("rollback prepared '{gid}'") } else { "rollback".to_owned() }).await;
    }
    store.log.close().await.expect("it closes");
}
