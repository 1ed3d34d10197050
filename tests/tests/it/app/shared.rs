//! Several apps on one store, each with a cache of its own.

use std::sync::Arc;
use std::time::Duration;

use gesta::store::Store;
use gesta::{App, Failure, ReadError, Refusal, StoreError, UnitError};

use super::commands::{Bank, lending};
use crate::domain::*;
use crate::stores::Folder;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// Runs a test on every store, opened once.
async fn on_every_shared_store<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let folder = Folder::new();
    for url in ["memory:".to_owned(), folder.url("test.db")] {
        println!("on {url}");
        let store = gesta::store::connect(&url).await.unwrap();
        test(store.clone()).await;
        store.log.close().await.unwrap();
    }
}

/// Two apps, the first of which has cached two accounts that are empty, and that the second has filled since.
async fn one_that_is_behind(store: Store) -> [App; 2] {
    let first = lending(App::on(store.clone())).start().await.unwrap();
    let second = lending(App::on(store)).start().await.unwrap();
    for name in ["a", "b"] {
        first.execute(&account(name), Open { owner: "Ann".into() }).await.unwrap();
        second.execute(&account(name), Deposit { amount: 100 }).await.unwrap();
    }
    [first, second]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_may_ask_a_service_after_another_command_on_the_same_aggregate() {
    on_every_shared_store(async |store| {
        let app = lending(App::on(store)).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let unit = app.unit(async |u| {
            u.execute(&id, Deposit { amount: 1 }).await?;
            u.execute(&id, Borrow { amount: 2 }).await?;
            Ok::<_, Refusal<AccountError>>(())
        });
        assert_eq!(unit.await.unwrap().versions[0].1.get(), 3);
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_a_unit_bears_is_not_based_on_an_old_state() {
    on_every_shared_store(async |store| {
        let [app, _] = one_that_is_behind(store).await;
        let (a, b) = (account("a"), account("b"));
        let unit = app.unit(async |u| {
            let withdrawn = u.execute(&a, Withdraw { amount: 100 }).await.is_ok();
            u.execute(&b, Deposit { amount: if withdrawn { 100 } else { 1 } }).await.map(drop)
        });
        unit.await.unwrap();
        assert_eq!(app.load::<Account>(&a).await.unwrap().into_state().unwrap().balance, 0);
        assert_eq!(app.load::<Account>(&b).await.unwrap().into_state().unwrap().balance, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_can_not_run_again_refuses_nothing_by_an_old_state() {
    on_every_shared_store(async |store| {
        let [app, _] = one_that_is_behind(store).await;
        let (a, b) = (account("a"), account("b"));
        let run = || {
            app.unit(async |u| {
                u.execute(&b, Borrow { amount: 1 }).await?;
                u.execute(&a, Withdraw { amount: 100 }).await?;
                Ok::<_, Refusal<AccountError>>(())
            })
        };
        let first = run().await;
        assert!(matches!(first, Err(UnitError::Failed(Failure::Conflict { .. }))), "{first:?}");
        run().await.unwrap();
    })
    .await;
}

/// However many of its aggregates are old, a unit reads all of them again at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_refused_by_what_is_there() {
    on_every_shared_store(async |store| {
        let bank = Arc::new(Bank::default());
        let builder = App::on(store.clone()).shared_service::<dyn Lender>(bank).aggregate::<Account>();
        let app = builder.limits(gesta::Limits { attempts: 2, ..Default::default() }).start().await.unwrap();
        let other = lending(App::on(store)).start().await.unwrap();
        let ids = ["a", "b", "c", "d"].map(account);
        for id in &ids {
            app.execute(id, Open { owner: "Ann".into() }).await.unwrap();
            other.execute(id, Deposit { amount: 1 }).await.unwrap();
        }
        let unit = app.unit(async |u| {
            for id in &ids {
                u.execute(id, Audit).await.expect("it is there");
            }
            u.execute(&ids[0], Withdraw { amount: 2 }).await.map(drop)
        });
        let refused = unit.await;
        let insufficient = Refusal::Rejected(AccountError::Insufficient { balance: 1 });
        assert!(matches!(&refused, Err(UnitError::Rejected(why)) if *why == insufficient), "{refused:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_models_another_app_has_taken_over_reads_on() {
    on_every_shared_store(async |store| {
        let start = async || {
            let builder = lending(App::on(store.clone())).projection::<Summary>().projection::<Amounts>();
            builder.start().await.unwrap()
        };
        let first = start().await;
        let id = account("a");
        first.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        first.settle().await.unwrap();
        let second = start().await;
        for (balance, app) in (1..).zip([&first, &second, &first]) {
            let done = app.execute(&id, Deposit { amount: 1 }).await.unwrap();
            for app in [&first, &second] {
                let row = app.read::<Summary>().after(&done).within(LONG).get(&id).await.unwrap();
                assert_eq!(row.unwrap().balance, balance);
            }
        }
        first.settle().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_the_models_of_an_app_that_has_shut_down() {
    on_every_shared_store(async |store| {
        let app = lending(App::on(store.clone())).projection::<Summary>().start().await.unwrap();
        let other = lending(App::on(store)).start().await.unwrap();
        app.shutdown().await.unwrap();
        other.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        let settled = tokio::time::timeout(LONG, app.settle()).await.expect("nobody feeds it any more");
        assert!(matches!(settled, Err(ReadError::Store(StoreError::Closed))), "{settled:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_may_have_other_models_than_their_neighbours() {
    on_every_shared_store(async |store| {
        let first = lending(App::on(store.clone())).projection::<Summary>().start().await.unwrap();
        let id = account("a");
        first.execute(&id, Welcome { gift: 5 }).await.unwrap();
        first.settle().await.unwrap();
        let second = lending(App::on(store)).projection::<Amounts>().start().await.unwrap();
        for (balance, app) in (6..).zip([&first, &second, &first]) {
            let done = app.execute(&id, Deposit { amount: 1 }).await.unwrap();
            let summary = first.read::<Summary>().after(&done).within(LONG).get(&id).await.unwrap().unwrap();
            assert_eq!(summary.balance, balance);
            let amounts = second.read::<Amounts>().after(&done).within(LONG).get(&1).await.unwrap().unwrap();
            assert_eq!(i64::from(amounts.times), balance - 5);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_model_loses_no_event_of_an_app_without_it() {
    on_every_shared_store(async |store| {
        let with = lending(App::on(store.clone())).inline_projection::<Summary>().start().await.unwrap();
        let other = lending(App::on(store.clone())).inline_projection::<Amounts>().start().await.unwrap();
        let without = lending(App::on(store)).start().await.unwrap();
        let id = account("a");
        with.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let mut balance = 0;
        for app in [&without, &with, &other, &other, &with, &without] {
            let done = app.execute(&id, Deposit { amount: 1 }).await.unwrap();
            balance += 1;
            // Whether it is asked for an event, or for what there is.
            let read = if balance % 2 == 0 { with.read::<Summary>() } else { with.read::<Summary>().after(&done) };
            let row = read.get(&id).await.unwrap().unwrap();
            assert_eq!((row.balance, row.version), (balance, done.version.get()));
        }
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..9 {
            let app = [&with, &other, &without][task % 3].clone();
            tasks.spawn(async move {
                for _ in 0..20 {
                    app.execute(&account(&format!("{task}")), Welcome { gift: 2 }).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        for task in 0..9 {
            let row = with.read::<Summary>().get(&account(&format!("{task}"))).await.unwrap().unwrap();
            assert_eq!(row.balance, 40);
        }
        assert_eq!(other.read::<Amounts>().get(&2).await.unwrap().unwrap().times, 180);
    })
    .await;
}
