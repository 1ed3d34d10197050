//! The states that stay in memory between commands.

use gesta::prelude::*;
use gesta::{Failure, Limits};

use crate::stores::Folder;

#[event]
pub struct Begun {
    pub at: u64,
}
#[event]
pub struct Counted {
    pub by: u64,
}
/// Keeps nothing of its events but a number.
pub struct Counter {
    sum: u64,
}
#[aggregate(id = u64)]
impl Counter {
    fn begun(e: Begun) -> Self {
        Counter { sum: e.at }
    }
    fn counted(&mut self, e: Counted) {
        self.sum += e.by;
    }
}
#[command]
pub struct Begin;
#[command]
pub struct Count {
    pub times: u64,
}
#[command_handler]
impl Counter {
    fn begin(_: Begin) -> Begun {
        Begun { at: 1 }
    }
    fn count(&self, cmd: Count) -> Vec<CounterEvent> {
        (0..cmd.times).map(|by| Counted { by: by + self.sum }.into()).collect()
    }
}

/// F19: a long history of a state that keeps nothing of it does not count, so such states stay in the cache.
#[tokio::test(flavor = "multi_thread")]
async fn small_states_with_long_histories_stay_cached() {
    let folder = Folder::new();
    let open = async || {
        let builder = App::connect(&folder.url("counters.db")).await.unwrap();
        let builder = builder.limits(Limits { cache_bytes: 64 << 10, ..Limits::default() });
        builder.aggregate::<Counter>().start().await.unwrap()
    };
    let app = open().await;
    for id in 0..64 {
        app.execute(&id, Begin).await.unwrap();
        for _ in 0..5 {
            app.execute(&id, Count { times: 1_000 }).await.unwrap();
        }
    }
    let by_hand = rusqlite::Connection::open(folder.file("counters.db")).unwrap();
    by_hand.execute("UPDATE gesta_events SET payload = x'00' WHERE version = 2", []).unwrap();
    for id in 0..64 {
        // One that has to be loaded is unreadable now.
        app.execute(&id, Count { times: 1 }).await.expect("the state is in the cache");
    }
    app.shutdown().await.unwrap();
    // The histories are indeed broken.
    let app = open().await;
    let unread = app.execute(&1, Count { times: 1 }).await;
    assert!(matches!(unread, Err(ExecuteError::Failed(Failure::Unreadable(_)))), "{unread:?}");
    app.shutdown().await.unwrap();
}
