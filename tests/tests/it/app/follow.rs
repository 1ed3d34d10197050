//! Following all events, and going down in order.

use std::sync::Arc;

use gesta::{App, Bookmark, BookmarkError, Decoded, ExecuteError, Failure, Position};

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
async fn an_event_that_was_remembered_outside_leads_to_its_position_or_to_an_error() {
    on_every_store(async |builder| {
        let app = lending(builder).start().await.unwrap();
        app.execute(&account("a"), Open { owner: "Ann".into() }).await.unwrap();
        let done = app.execute(&account("a"), Drip { times: 3 }).await.unwrap();
        let text = serde_json::to_string(&done.events[1].bookmark()).unwrap();
        let remembered: Bookmark = serde_json::from_str(&text).unwrap();
        let mut events = app.subscribe(app.position_of(remembered).await.unwrap());
        let next = events.next().await.unwrap().unwrap();
        assert_eq!(next.bookmark(), done.events[2].bookmark());

        let head = done.position;
        let above = Bookmark { position: Position::new(head.get() + 1), ..remembered };
        let why = app.position_of(above).await.unwrap_err();
        assert!(matches!(why, BookmarkError::PositionUnknown { asked, head: is } if asked == above.position && is == head), "{why}");
        let told = format!(
            "there is no event at position {} yet, the last one stands at {head}: it is another store's, or this one has lost its last \
             events; begin anew, from a position that both know",
            above.position
        );
        assert_eq!(why.to_string(), told);
        for position in [0, 1, head.get()] {
            let other = Bookmark { position: Position::new(position), ..remembered };
            let why = app.position_of(other).await.unwrap_err();
            let BookmarkError::AnotherEvent { position: at, event_id } = &why else { panic!("{why}") };
            assert_eq!((*at, *event_id), (other.position, remembered.event_id));
        }
        app.shutdown().await.unwrap();
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
