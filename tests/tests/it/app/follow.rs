//! Following all events, and going down in order.

use std::sync::Arc;

use gesta::{App, Decoded, ExecuteError, Failure, Position};

use super::commands::lending;
use crate::domain::*;
use crate::stores::{Folder, on_every_store};

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_sees_what_was_and_what_comes_and_skips_nothing() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        for n in 0..10 {
            app.execute(&account(&format!("{n}")), Open { owner: "x".into() }).await.unwrap();
        }
        let mut early = app.subscribe(Position::ZERO);
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..10 {
            let app = app.clone();
            writers.spawn(async move {
                for _ in 0..100 {
                    app.execute(&account(&format!("{n}")), Deposit { amount: 1 }).await.unwrap();
                }
            });
        }
        let mut live = Vec::new();
        while live.len() < 1_010 {
            let event = early.next().await.unwrap().unwrap();
            live.push((event.position, event.stream.clone(), event.version));
        }
        writers.join_all().await;
        assert!(live.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut late = app.subscribe(Position::ZERO);
        let mut stored = Vec::new();
        while let Some(event) = late.next_stored().await {
            let event = event.unwrap();
            stored.push((event.position, event.stream.clone(), event.version));
        }
        assert_eq!(live, stored);
        let last = live.last().unwrap().0;
        let mut tail = app.subscribe(last);
        let done = app.execute(&account("0"), Deposit { amount: 3 }).await.unwrap();
        let event = tail.next().await.unwrap().unwrap();
        assert_eq!(event.decode::<Account>().unwrap().unwrap(), Decoded::One(done.events[0].clone()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_finishes_what_came_in_and_refuses_the_rest() {
    let folder = Folder::new();
    let url = folder.url("bank.db");
    for round in 1..=5u32 {
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
        let mut events = app.subscribe(Position::ZERO);
        let follower = tokio::spawn(async move { while events.next().await.is_some() {} });
        let acknowledged = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..8 {
            let (app, acknowledged) = (app.clone(), acknowledged.clone());
            clients.spawn(async move {
                for n in 0.. {
                    let name = format!("{round}-{client}-{n}");
                    match app.execute(&account(&name), Open { owner: name.clone() }).await {
                        Ok(_) => acknowledged.lock().unwrap().push(name),
                        Err(ExecuteError::Failed(Failure::ShuttingDown)) => break,
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 100 {
            tokio::task::yield_now().await;
        }
        app.shutdown().await.unwrap();
        clients.join_all().await;
        follower.await.unwrap();
        drop(app);
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().start().await.unwrap();
        app.settle().await.unwrap();
        let names = std::mem::take(&mut *acknowledged.lock().unwrap());
        for name in &names {
            assert!(app.read::<Summary>().get(&account(name)).await.unwrap().is_some(), "{name} was acknowledged");
        }
        app.shutdown().await.unwrap();
    }
}
