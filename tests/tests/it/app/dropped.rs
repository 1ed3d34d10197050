//! Commands whose future is dropped: the store may still carry them out.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Poll, Waker};

use gesta::prelude::*;

use super::commands::lending;
use crate::domain::*;
use crate::stores::Folder;

/// Holds the store up while an account of this owner is opened.
const HOLDS_UP: &str = "holds the store up";

/// Whether the store is held up, and whether it may go on.
static GATE: (Mutex<(bool, bool)>, Condvar) = (Mutex::new((false, false)), Condvar::new());

fn wait_until(passed: impl Fn(&(bool, bool)) -> bool) {
    let gate = GATE.0.lock().unwrap_or_else(PoisonError::into_inner);
    drop(GATE.1.wait_while(gate, |gate| !passed(gate)).unwrap_or_else(PoisonError::into_inner));
}

fn set(change: impl FnOnce(&mut (bool, bool))) {
    change(&mut GATE.0.lock().unwrap_or_else(PoisonError::into_inner));
    GATE.1.notify_all();
}

/// Inline, so it is folded while the store writes.
#[derive(Debug, Clone, PartialEq, ReadModel)]
#[read_model(table = "gates")]
pub struct Gate {
    #[key]
    account: AccountId,
}

#[projection(of = Account, ignore(Deposited, Withdrawn, Measured, Closed))]
impl Gate {
    fn opened(e: &Recorded<Opened>) -> Self {
        if e.owner == HOLDS_UP {
            set(|gate| gate.0 = true);
            wait_until(|gate| gate.1);
        }
        Gate { account: AccountId::new(e.stream.id()).expect("a stream's id is one") }
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(Waker::noop()))
}

/// Else the state of before would be cached, and answer for as long as nothing else is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_dropped_command_stored_is_seen_by_every_later_one() {
    let folder = Folder::new();
    let builder = App::connect(&folder.url("test.db")).await.unwrap();
    let app = lending(builder).inline_projection::<Gate>().inline_projection::<Summary>().start().await.unwrap();
    let id = account("a");
    app.execute(&id, Open { owner: "Ann".into() }).await.unwrap();

    let slow = tokio::spawn({
        let app = app.clone();
        async move { app.execute(&account("slow"), Open { owner: HOLDS_UP.into() }).await.map(drop) }
    });
    tokio::task::spawn_blocking(|| wait_until(|gate| gate.0)).await.unwrap();
    {
        let mut dropped = pin!(app.execute(&id, Deposit { amount: 100 }).into_future());
        assert!(poll_once(dropped.as_mut()).is_pending(), "the store is held up");
    }
    // This one came while the outcome was open, and may see the deposit or not.
    let mut between = pin!(app.execute(&id, Withdraw { amount: 1 }).into_future());
    let answered = poll_once(between.as_mut()).is_ready();
    set(|gate| gate.1 = true);
    if !answered {
        let _ = between.await;
    }
    slow.await.unwrap().unwrap();
    while app.read::<Summary>().get(&id).await.unwrap().unwrap().balance < 99 {
        tokio::task::yield_now().await;
    }
    app.execute(&id, Withdraw { amount: 50 }).await.expect("there are 99 at least");
}
