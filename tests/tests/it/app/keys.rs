//! Idempotency keys.

use gesta::{ExecuteError, Failure, Version};

use super::commands::lending;
use crate::domain::*;
use crate::stores::on_every_store;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_with_the_first_success() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        let opened = app.execute(&id, Open { owner: "Ann".into() }).idempotency_key("open").await.unwrap();
        let first = app.execute(&id, Drip { times: 2 }).idempotency_key("k").await.unwrap();
        app.execute(&id, Deposit { amount: 5 }).await.unwrap();
        let again = app.execute(&id, Drip { times: 2 }).idempotency_key("k").await.unwrap();
        assert!(again.repeated && !first.repeated);
        assert_eq!((again.version, again.position, &again.events), (first.version, first.position, &first.events));
        // What would be `AlreadyExists` now was a success then.
        let reopened = app.execute(&id, Open { owner: "Ann".into() }).idempotency_key("open").await.unwrap();
        assert_eq!((reopened.repeated, reopened.version, reopened.events), (true, opened.version, opened.events));
        assert_eq!(app.load::<Account>(&id).await.unwrap().version, Version::new(4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_answers_before_any_refusal() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Welcome { gift: 10 }).await.unwrap();
        app.execute(&id, Withdraw { amount: 10 }).idempotency_key("w").await.unwrap();
        assert!(app.execute(&id, Withdraw { amount: 10 }).idempotency_key("w").await.unwrap().repeated, "else insufficient");
        app.execute(&id, Close).idempotency_key("c").await.unwrap();
        assert!(app.execute(&id, Close).idempotency_key("c").await.unwrap().repeated, "else ended");
        assert!(app.execute(&id, Withdraw { amount: 10 }).idempotency_key("w").await.unwrap().repeated, "else ended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_decided_again() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        let absent = app.execute(&id, Deposit { amount: 1 }).idempotency_key("k").await;
        assert!(matches!(absent, Err(ExecuteError::NotFound)));
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        assert!(!app.execute(&id, Deposit { amount: 1 }).idempotency_key("k").await.unwrap().repeated);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_command_of_one_aggregate() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        for name in ["a", "b"] {
            app.execute(&account(name), Open { owner: "Ann".into() }).await.unwrap();
            assert!(!app.execute(&account(name), Deposit { amount: 1 }).idempotency_key("k").await.unwrap().repeated);
        }
        let other_data = app.execute(&account("a"), Deposit { amount: 2 }).idempotency_key("k").await;
        assert!(matches!(other_data, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{other_data:?}");
        let other_command = app.execute(&account("a"), Withdraw { amount: 1 }).idempotency_key("k").await;
        assert!(matches!(other_command, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{other_command:?}");
        let refused_too = app.execute(&account("a"), Withdraw { amount: 9 }).idempotency_key("k").await;
        assert!(matches!(refused_too, Err(ExecuteError::Failed(Failure::KeyReused { .. }))), "{refused_too:?}");
        for bad in [String::new(), "a\nb".to_owned(), "x".repeat(256)] {
            let unusable = app.execute(&account("a"), Deposit { amount: 1 }).idempotency_key(bad).await;
            assert!(matches!(unusable, Err(ExecuteError::Failed(Failure::InvalidKey(_)))), "{unusable:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_events_holds_its_key_too() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let first = app.execute(&id, Audit).idempotency_key("audit").await.unwrap();
        app.execute(&id, Deposit { amount: 1 }).await.unwrap();
        let again = app.execute(&id, Audit).idempotency_key("audit").await.unwrap();
        assert_eq!((again.repeated, again.version, again.position), (true, first.version, first.position));
        assert!(app.execute(&id, Deposit { amount: 1 }).idempotency_key("audit").await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_stored_and_all_get_its_answer() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        let id = account("a");
        app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        for round in 0..20 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (app, id) = (app.clone(), id.clone());
                tasks.spawn(async move {
                    app.execute(&id, Deposit { amount: 1 }).idempotency_key(format!("round {round}")).await.unwrap()
                });
            }
            let answers = tasks.join_all().await;
            assert_eq!(answers.iter().filter(|done| !done.repeated).count(), 1);
            assert!(answers.iter().all(|done| done.events == answers[0].events && done.version == answers[0].version));
        }
        assert_eq!(app.load::<Account>(&id).await.unwrap().into_state().unwrap().balance, 20);
    })
    .await;
}
