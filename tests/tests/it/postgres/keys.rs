//! One idempotency key in two processes at once: one of them decides, and the other answers what that one has.

use std::sync::Arc;

use gesta::{App, ExecuteError, Failure};

use tokio::sync::Barrier;

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_processes_with_one_key_one_decides_and_the_other_gets_its_answer() {
    for options in ["?schema=shared", "?schema=alone&appends=exclusive"] {
        let database = Database::new().await;
        let app = async || lending(App::connect(&database.url(options)).await.unwrap()).start().await.unwrap();
        let (one, other) = (app().await, app().await);
        let id = account("a");
        one.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
        let mut version = 1;
        for round in 0..40 {
            let (key, both) = (format!("round {round}"), Arc::new(Barrier::new(2)));
            let run = |app: &App, amount: i64| {
                let (app, id, key, both) = (app.clone(), id.clone(), key.clone(), Arc::clone(&both));
                tokio::spawn(async move {
                    both.wait().await;
                    app.execute(&id, Deposit { amount }).idempotency_key(key).await
                })
            };
            let same = round % 2 == 0;
            let (one, other) = (run(&one, 1), run(&other, if same { 1 } else { 2 }));
            let answers = [one.await.unwrap(), other.await.unwrap()];
            version += 1;
            if same {
                let [one, other] = answers.map(|answer| answer.unwrap());
                assert_eq!((one.version.get(), other.version.get(), one.position), (version, version, other.position));
                assert!(one.repeated != other.repeated, "one decided: {one:?}, {other:?}");
                assert_eq!(one.events[0].metadata.event_id, other.events[0].metadata.event_id);
            } else {
                let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
                assert_eq!(won.into_iter().map(|won| won.unwrap().version.get()).collect::<Vec<_>>(), [version]);
                assert!(matches!(&lost[..], [Err(ExecuteError::Failed(Failure::KeyReused { .. }))]), "{lost:?}");
            }
        }
        // A command without an event holds its key as well.
        let run = |app: &App| {
            let (app, id) = (app.clone(), id.clone());
            tokio::spawn(async move { app.execute(&id, Audit).idempotency_key("looked").await.unwrap() })
        };
        let (one, other) = (run(&one), run(&other));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        assert_eq!((one.version.get(), other.version.get(), one.position), (version, version, other.position));
        assert!(one.repeated != other.repeated, "one held it first: {one:?}, {other:?}");
    }
}
