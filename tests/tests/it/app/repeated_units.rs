//! The key of a unit of work stands for all of its commands.

use std::sync::atomic::{AtomicBool, Ordering};

use gesta::{App, ExecuteError, Failure, Refusal, UnitDone, UnitError};

use super::commands::{Bank, lending, limits};
use crate::domain::*;
use crate::stores::on_every_store;

type Ended = Result<UnitDone, UnitError<Refusal<AccountError>>>;

fn is_reused(ended: &Ended) -> bool {
    matches!(ended, Err(UnitError::Failed(Failure::KeyReused { .. })))
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

/// Moves an amount from one account to each of the others.
async fn pay(app: &App, from: &str, to: &[&str], amount: i64) -> Ended {
    let unit = app.unit(async |u| {
        u.execute(&account(from), Withdraw { amount }).await?;
        for to in to {
            u.execute(&account(to), Deposit { amount }).await?;
        }
        Ok::<_, Refusal<AccountError>>(())
    });
    unit.idempotency_key("t-1").await
}

/// F12: the same key with another recipient, amount, order or number of commands is another unit.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_other_commands_is_no_repeat() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        // The second round finds no money left, so the commands that come later are not reached by deciding alone.
        for (from, amount) in [("rich", 10), ("poor", 100)] {
            open(&app, &[from], 100).await;
            let names = ["b", "c", "d"].map(|name| format!("{name} of {from}"));
            let [b, c, d] = names.each_ref().map(String::as_str);
            open(&app, &[b, c, d], 1).await;
            let first = pay(&app, from, &[b, c], amount).await.unwrap();
            assert!(!first.repeated);
            for others in [&[b, d][..], &[d], &[c, b], &[b], &[], &[b, c, d], &[b, c, c]] {
                let other = pay(&app, from, others, amount).await;
                assert!(is_reused(&other), "{from} to {others:?}: {other:?}");
            }
            assert!(is_reused(&pay(&app, from, &[b, c], amount - 1).await));
            let again = pay(&app, from, &[b, c], amount).await.unwrap();
            assert_eq!((again.repeated, again.position), (true, first.position));
            assert_eq!(
                (balance(&app, from).await, balance(&app, b).await, balance(&app, d).await),
                (100 - amount, 1 + amount, 1)
            );
        }
    })
    .await;
}

/// F12: the key of a unit is no key of its first command alone, and the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_not_its_first_command() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 100).await;
        pay(&app, "a", &["b"], 10).await.unwrap();
        let alone = app.execute(&account("a"), Withdraw { amount: 10 }).idempotency_key("t-1").await;
        assert!(matches!(alone, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{alone:?}");
        app.execute(&account("b"), Withdraw { amount: 10 }).idempotency_key("t-1").await.unwrap();
        assert!(is_reused(&pay(&app, "b", &["a"], 10).await));
        // A unit of one command is that command.
        assert!(pay(&app, "b", &[], 10).await.unwrap().repeated);
    })
    .await;
}

/// F12: a repeat finds another state than the first use did, and is none the less the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_honest_repeat_is_known_whatever_happened_since() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b", "c"], 100).await;
        // Who pays depends on what is there, and who is paid on how much the payer had.
        let run = async |key: &str, amount: i64| -> Ended {
            let unit = app.unit(async |u| {
                let payer = match u.execute(&account("a"), Withdraw { amount }).await {
                    Ok(_) => "a",
                    Err(Refusal::Rejected(_)) => {
                        u.execute(&account("b"), Withdraw { amount }).await?;
                        "b"
                    }
                    Err(other) => return Err(other),
                };
                let had = app.load::<Account>(&account(payer)).await.unwrap().into_state().unwrap().balance;
                u.execute(&account("c"), Deposit { amount: if had > 150 { 1 } else { amount } }).await?;
                Ok::<_, Refusal<AccountError>>(())
            });
            unit.idempotency_key(key).await
        };
        // Accepted by `a`, that is poor afterwards; then refused by `a`, so that `b` pays; later `a` is rich.
        let first = run("one", 100).await.unwrap();
        let second = run("two", 50).await.unwrap();
        assert_eq!((balance(&app, "a").await, balance(&app, "b").await, balance(&app, "c").await), (0, 50, 250));
        let changes = [("a", 500, 0), ("b", 500, 0), ("a", 0, 500), ("b", 0, 540)];
        for (name, deposit, withdraw) in [("c", 1, 0)].into_iter().chain(changes) {
            if deposit > 0 {
                app.execute(&account(name), Deposit { amount: deposit }).await.unwrap();
            } else {
                app.execute(&account(name), Withdraw { amount: withdraw }).await.unwrap();
            }
            let (one, two) = (run("one", 100).await, run("two", 50).await);
            assert_eq!(one.unwrap().position, first.position, "after {name} {deposit} {withdraw}");
            assert_eq!(two.unwrap().position, second.position, "after {name} {deposit} {withdraw}");
            assert!(is_reused(&run("one", 99).await) && is_reused(&run("two", 49).await));
        }
        app.execute(&account("a"), Close).await.unwrap();
        assert!(run("one", 100).await.unwrap().repeated && run("two", 50).await.unwrap().repeated);
        assert_eq!(balance(&app, "c").await, 251);
    })
    .await;
}

/// F12: what a handler asked of a service is not asked again, also where commands come after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_compares_commands_behind_a_service() {
    on_every_store(async |builder| {
        let bank = std::sync::Arc::new(Bank::default());
        let app = builder.shared_service::<dyn Lender>(bank.clone()).aggregate::<Account>().start().await.unwrap();
        open(&app, &["a", "b", "c"], 10).await;
        let run = async |to: &str| -> Ended {
            let unit = app.unit(async |u| {
                u.execute(&account("a"), Borrow { amount: 5 }).await?;
                u.execute(&account("a"), Withdraw { amount: 15 }).await?;
                u.execute(&account(to), Deposit { amount: 15 }).await?;
                Ok::<_, Refusal<AccountError>>(())
            });
            unit.idempotency_key("loan").await
        };
        assert!(!run("b").await.unwrap().repeated);
        assert!(run("b").await.unwrap().repeated);
        assert!(is_reused(&run("c").await));
        assert_eq!((bank.asked.load(Ordering::SeqCst), balance(&app, "c").await), (1, 10));
    })
    .await;
}

/// F12: commands that lead to no event belong to what the key stands for.
#[tokio::test(flavor = "multi_thread")]
async fn commands_without_events_belong_to_a_unit() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let run = async |looked: &str, paid: bool| -> Ended {
            let unit = app.unit(async |u| {
                u.execute(&account("a"), Audit).await.unwrap();
                u.execute(&account(looked), Audit).await.unwrap();
                if paid {
                    u.execute(&account("b"), Withdraw { amount: 10 }).await?;
                }
                Ok::<_, Refusal<AccountError>>(())
            });
            unit.idempotency_key("look").await
        };
        assert!(!run("b", true).await.unwrap().repeated);
        assert!(run("b", true).await.unwrap().repeated, "else insufficient");
        assert!(is_reused(&run("a", true).await) && is_reused(&run("b", false).await));
    })
    .await;
}

/// F12: what an app allows now is no answer to what was carried out before, alone or in a unit.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_where_its_handler_fails_now() {
    for url in ["memory:".to_owned(), crate::stores::Folder::new().url("test.db")] {
        let store = gesta::store::connect(&url).await.unwrap();
        let app = lending(App::on(store.clone())).start().await.unwrap();
        let strict = lending(App::on(store)).limits(limits(|l| l.events_per_append = 2)).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let run = async |app: &App, times: u32| -> Ended {
            let unit = app.unit(async |u| {
                u.execute(&account("b"), Deposit { amount: 1 }).await?;
                u.execute(&account("a"), Drip { times }).await.unwrap();
                Ok::<_, Refusal<AccountError>>(())
            });
            unit.idempotency_key("unit").await
        };
        for (app, repeated) in [(&app, false), (&strict, true)] {
            let alone = app.execute(&account("a"), Drip { times: 3 }).idempotency_key("alone").await.unwrap();
            assert_eq!((alone.repeated, alone.events.len()), (repeated, 3));
            assert_eq!(run(app, 2).await.unwrap().repeated, repeated);
        }
        assert!(is_reused(&run(&strict, 3).await));
        let new = strict.execute(&account("a"), Drip { times: 3 }).await;
        assert!(matches!(new, Err(ExecuteError::Failed(Failure::TooManyEvents { .. }))), "{new:?}");
    }
}

/// F12: a closure that gives up by itself at its repeat has given the same commands as far as it came, or it has not.
#[tokio::test(flavor = "multi_thread")]
async fn a_closure_that_gives_up_is_compared_by_all_it_gave() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        open(&app, &["a", "b"], 10).await;
        let gives_up = AtomicBool::new(false);
        let run = async |name: &str| {
            let unit = app.unit(async |u| {
                u.execute(&account("a"), Withdraw { amount: 10 }).await.map_err(drop)?;
                u.execute(&account(name), Deposit { amount: 10 }).await.map_err(drop)?;
                if gives_up.load(Ordering::SeqCst) { Err(()) } else { Ok(()) }
            });
            unit.idempotency_key("k").await
        };
        assert!(!run("b").await.unwrap().repeated);
        gives_up.store(true, Ordering::SeqCst);
        assert!(run("b").await.unwrap().repeated);
        assert!(matches!(run("a").await, Err(UnitError::Failed(Failure::KeyReused { .. }))));
    })
    .await;
}
