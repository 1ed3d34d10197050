//! Units of work.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gesta::{App, ExecuteError, Failure, Refusal, UnitError, Version};

use super::commands::{lending, limits};
use crate::domain::*;
use crate::stores::on_every_store;

#[derive(Debug, PartialEq)]
enum TransferError {
    SameAccount,
    Account(Refusal<AccountError>),
}
impl From<Refusal<AccountError>> for TransferError {
    fn from(refusal: Refusal<AccountError>) -> Self {
        TransferError::Account(refusal)
    }
}

async fn transfer(app: &App, from: &AccountId, to: &AccountId, amount: i64) -> Result<gesta::UnitDone, UnitError<TransferError>> {
    app.unit(async |u| {
        if from == to {
            return Err(TransferError::SameAccount);
        }
        u.execute(from, Withdraw { amount }).await?;
        u.execute(to, Deposit { amount }).await?;
        Ok(())
    })
    .await
}

async fn open(app: &App, names: &[&str], balance: i64) {
    for name in names {
        app.execute(&account(name), Open { owner: (*name).to_owned() }).await.unwrap();
        app.execute(&account(name), Deposit { amount: balance }).await.unwrap();
    }
}

async fn balance(app: &App, name: &str) -> i64 {
    app.load::<Account>(&account(name)).await.unwrap().into_state().unwrap().balance
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_or_none() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 100).await;
        let done = transfer(&app, &account("a"), &account("b"), 30).await.unwrap();
        let versions: Vec<_> = done.versions.iter().map(|(stream, version)| (stream.as_str(), version.get())).collect();
        assert_eq!(versions, [("Account-a", 3), ("Account-b", 3)]);
        assert_eq!((balance(&app, "a").await, balance(&app, "b").await), (70, 130));

        let poor = transfer(&app, &account("a"), &account("b"), 71).await;
        let Err(UnitError::Rejected(TransferError::Account(Refusal::Rejected(why)))) = poor else { panic!("{poor:?}") };
        assert_eq!(why, AccountError::Insufficient { balance: 70 });
        let nobody = transfer(&app, &account("a"), &account("nobody"), 1).await;
        assert!(matches!(nobody, Err(UnitError::Rejected(TransferError::Account(Refusal::NotFound)))));
        let same = transfer(&app, &account("a"), &account("a"), 1).await;
        assert!(matches!(same, Err(UnitError::Rejected(TransferError::SameAccount))));
        assert_eq!((balance(&app, "a").await, balance(&app, "b").await), (70, 130));
        // The events of one unit belong together.
        let (a, b) = (app.history::<Account>(&account("a")), app.history::<Account>(&account("b")));
        let (a, b) = (a.unwrap().all().await.unwrap(), b.unwrap().all().await.unwrap());
        assert_eq!(a[2].metadata.correlation_id, b[2].metadata.correlation_id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_sees_what_the_ones_before_it_did() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        let done = app
            .unit(async |u| {
                u.execute(&id, Open { owner: "Ann".into() }).await.map_err(drop)?;
                u.execute(&id, Deposit { amount: 5 }).await.map_err(drop)?;
                // A refusal may be borne: it plans nothing.
                assert_eq!(
                    u.execute(&id, Withdraw { amount: 6 }).await,
                    Err(Refusal::Rejected(AccountError::Insufficient { balance: 5 }))
                );
                let version = u.execute(&id, Withdraw { amount: 5 }).await.map_err(drop)?;
                assert_eq!(version, Version::new(3));
                Ok::<_, ()>(())
            })
            .await
            .unwrap();
        assert_eq!(done.versions.len(), 1);
        assert_eq!(app.load::<Account>(&id).await.unwrap().version, Version::new(3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_cross_do_not_wait_for_each_other() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let names = ["a", "b", "c"];
        open(&app, &names, 1_000).await;
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..12usize {
            let app = app.clone();
            tasks.spawn(async move {
                for round in 0..25usize {
                    let (from, to) = (account(names[(task + round) % 3]), account(names[(task + 2 * round + 1) % 3]));
                    match transfer(&app, &from, &to, 1).await {
                        Ok(_) | Err(UnitError::Rejected(TransferError::SameAccount)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                    app.execute(&from, Deposit { amount: 1 }).await.unwrap();
                    app.execute(&to, Withdraw { amount: 1 }).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        let mut sum = 0;
        for name in names {
            sum += balance(&app, name).await;
        }
        assert_eq!(sum, 3_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_unit_safe_to_repeat() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let run = async |amount: i64| {
            let (a, b) = (account("a"), account("b"));
            let unit = app.unit(async |u| {
                u.execute(&a, Withdraw { amount }).await?;
                u.execute(&b, Deposit { amount }).await?;
                Ok::<_, Refusal<AccountError>>(())
            });
            unit.idempotency_key("transfer 1").actor("Ann").await
        };
        let first = run(10).await.unwrap();
        let again = run(10).await.unwrap();
        assert_eq!((first.repeated, again.repeated, again.position), (false, true, first.position), "else insufficient");
        assert!(matches!(run(9).await, Err(UnitError::Failed(Failure::KeyReused { .. }))));
        assert_eq!((balance(&app, "a").await, balance(&app, "b").await), (0, 20));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_domain_s_ends_the_unit_without_asking_the_closure() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a"], 10).await;
        let id = account("a");
        let came_back = AtomicU32::new(0);
        let panicked = app
            .unit(async |u| {
                u.execute(&id, Deposit { amount: 1 }).await.map_err(drop)?;
                let _ = u.execute(&id, Panic).await;
                came_back.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ()>(())
            })
            .await;
        assert!(matches!(panicked, Err(UnitError::Failed(Failure::Panicked { .. }))), "{panicked:?}");
        let dropped = app
            .unit(async |u| {
                let mut command = Box::pin(u.execute(&id, Borrow { amount: 1 }));
                let waker = std::task::Waker::noop();
                assert!(command.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
                drop(command);
                Ok::<_, ()>(())
            })
            .await;
        assert!(matches!(dropped, Err(UnitError::Failed(Failure::Abandoned))), "{dropped:?}");
        assert_eq!((came_back.load(Ordering::SeqCst), balance(&app, "a").await), (0, 10));
        // Nothing is left behind: the account can be used.
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_nothing_is_nothing() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a"], 10).await;
        let done = app.unit(async |_| Ok::<_, ()>(())).await.unwrap();
        assert!(done.versions.is_empty());
        let id = account("a");
        let audited = app.unit(async |u| u.execute(&id, Audit).await.map(drop)).await.unwrap();
        assert_eq!((audited.versions.len(), audited.position), (0, done.position));
        assert!(matches!(app.execute(&id, Withdraw { amount: 11 }).await, Err(ExecuteError::Rejected(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_dropped_while_it_waited_leaves_its_unit_incomplete() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a"], 10).await;
        let id = account("a");
        let waker = std::task::Waker::noop();
        let mut poll = std::task::Context::from_waker(waker);
        // The account is busy with it.
        let mut borrowing = app.execute(&id, Borrow { amount: 1 }).into_future();
        assert!(borrowing.as_mut().poll(&mut poll).is_pending());
        let unit = app.unit(async |u| {
            let mut command = Box::pin(u.execute(&id, Deposit { amount: 1 }));
            assert!(command.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
            Ok::<_, ()>(())
        });
        let dropped = unit.idempotency_key("deposit").await;
        assert!(matches!(dropped, Err(UnitError::Failed(Failure::Abandoned))), "{dropped:?}");
        borrowing.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_waits_for_what_comes_later_by_name() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let (a, b) = (account("a"), account("b"));
        let mut poll = std::task::Context::from_waker(std::task::Waker::noop());
        let mut borrowing = app.execute(&b, Borrow { amount: 1 }).into_future();
        assert!(borrowing.as_mut().poll(&mut poll).is_pending());
        let runs = AtomicU32::new(0);
        let unit = app.unit(async |u| {
            runs.fetch_add(1, Ordering::SeqCst);
            u.execute(&a, Withdraw { amount: 10 }).await?;
            u.execute(&b, Deposit { amount: 10 }).await.map(drop)
        });
        let mut unit = unit.into_future();
        assert!(unit.as_mut().poll(&mut poll).is_pending());
        borrowing.await.unwrap();
        unit.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_does_not_act_again_for_a_unit_that_was_carried_out() {
    on_every_store(async |builder| {
        let bank = std::sync::Arc::new(super::commands::Bank::default());
        let builder = builder.shared_service::<dyn Lender>(bank.clone()).aggregate::<Account>();
        let app = builder.start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        for repeated in [false, true] {
            let unit = app.unit(async |u| {
                u.execute(&account("a"), Deposit { amount: 1 }).await?;
                u.execute(&account("b"), Borrow { amount: 1 }).await.map(drop)
            });
            assert_eq!(unit.idempotency_key("loan").await.unwrap().repeated, repeated);
        }
        assert_eq!(bank.asked.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_came_in_is_finished_by_a_shutdown() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let unit = app.unit(async |u| {
            u.execute(&account("a"), Withdraw { amount: 10 }).await?;
            let ending = app.clone();
            tokio::spawn(async move { ending.shutdown().await });
            while !matches!(app.execute(&account("c"), Audit).await, Err(ExecuteError::Failed(Failure::ShuttingDown))) {
                tokio::task::yield_now().await;
            }
            u.execute(&account("b"), Deposit { amount: 10 }).await.map(drop)
        });
        assert_eq!(unit.await.unwrap().versions.len(), 2);
    })
    .await;
}

/// The mistake of a newcomer: the app's `execute` where the unit's is meant.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_itself_is_told() {
    on_every_store(async |builder| {
        let app = lending(builder).limits(limits(|l| l.wait_max = Duration::from_millis(20))).start().await.unwrap();
        open(&app, &["a"], 10).await;
        let id = account("a");
        let unit = app.unit(async |u| {
            u.execute(&id, Withdraw { amount: 1 }).await?;
            let busy = app.execute(&id, Withdraw { amount: 1 }).await;
            assert!(matches!(&busy, Err(ExecuteError::Failed(Failure::Busy { .. }))), "{busy:?}");
            assert!(busy.is_err_and(|why| why.is_retryable() && why.to_string().contains("use the unit's `execute`")));
            Ok::<_, Refusal<AccountError>>(())
        });
        unit.await.unwrap();
        assert_eq!(balance(&app, "a").await, 9);
        app.shutdown().await.unwrap();
    })
    .await;
}

/// The future of a unit can be spawned.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_can_be_spawned() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let task = tokio::spawn(async move { transfer(&app, &account("a"), &account("b"), 1).await.is_ok() });
        assert!(task.await.unwrap());
    })
    .await;
}
