//! Time travel.

use std::sync::Arc;
use std::time::Duration;

use gesta::testing::FixedClock;
use gesta::{LoadError, Stage, Timestamp, Version};

use super::commands::lending;
use crate::domain::*;
use crate::stores::on_every_store;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_as_it_was_at_each_version_and_time() {
    on_every_store(async |builder| {
        let start = Timestamp::from_micros(1_000_000);
        let clock = Arc::new(FixedClock::new(start));
        let app = lending(builder).clock(clock.clone()).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        // More than two snapshots' worth.
        for _ in 0..25 {
            clock.advance(Duration::from_secs(1));
            app.execute(&id, Deposit { amount: 1 }).await.unwrap();
        }
        for version in 0..=26u64 {
            let then = app.load_at::<Account>(&id, Version::new(version)).await.unwrap();
            assert_eq!(then.version, Version::new(version));
            assert_eq!(then.state().map(|state| state.balance), version.checked_sub(1).and_then(|n| i64::try_from(n).ok()));
        }
        for second in 0..=25u64 {
            for part in [0, 999_999] {
                let then =
                    app.load_as_of::<Account>(&id, start + Duration::from_micros(second * 1_000_000 + part)).await.unwrap();
                assert_eq!(then.version, Version::new(second + 1));
            }
        }
        let before = app.load_as_of::<Account>(&id, Timestamp::from_micros(999_999)).await.unwrap();
        assert_eq!((before.version, before.stage), (Version::ZERO, Stage::Absent));
        let too_far = app.load_at::<Account>(&id, Version::new(27)).await;
        assert!(matches!(&too_far, Err(LoadError::NoSuchVersion { head, .. }) if head.get() == 26), "{too_far:?}");
        assert_eq!(too_far.unwrap_err().to_string(), "`Account-a` has 26 events, version 27 is not there yet");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_longer_than_a_page_is_whole() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        for _ in 0..5 {
            app.execute(&id, Drip { times: 500 }).await.unwrap();
        }
        let mut history = app.history::<Account>(&id).unwrap();
        let mut version = 0;
        while let Some(event) = history.next().await {
            version += 1;
            assert_eq!(event.unwrap().version.get(), version);
        }
        assert_eq!(version, 2_501);
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, 2_500);
        let absent = app.history::<Account>(&account("nobody")).unwrap().all().await.unwrap();
        assert!(absent.is_empty());
    })
    .await;
}
