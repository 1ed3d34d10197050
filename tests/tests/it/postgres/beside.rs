//! Apps beside each other, each with a cache of its own: none is refused for what another one has changed since.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gesta::prelude::*;
use gesta::store::postgres::{self, PostgresOptions};
use gesta::{App, ExecuteError, ReadError, Version};

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_refused_for_what_another_process_has_changed_since() {
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let pooler = database.pooler();
        let options = format!("?appends={appends}");
        let start = async |url: String| lending(App::connect(&url).await.unwrap()).start().await.unwrap();
        let (first, second) = (start(database.url(&options)).await, start(database.url_through(&pooler, &options)).await);
        for (id, one, other) in [("a", &first, &second), ("b", &second, &first)] {
            let id = account(id);
            // It remembers that there is no such account.
            assert!(matches!(one.execute(&id, Deposit { amount: 1 }).await, Err(ExecuteError::NotFound)));
            other.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
            one.execute(&id, Deposit { amount: 1 }).await.expect("it is there now");
            // It remembers one, and there are a hundred more.
            other.execute(&id, Deposit { amount: 100 }).await.unwrap();
            assert_eq!(one.execute(&id, Withdraw { amount: 50 }).await.expect("it is there").version, Version::new(4));
            other.execute(&id, Deposit { amount: 1 }).await.unwrap();
            // A command that stores nothing is decided by what is there, too.
            assert_eq!(one.execute(&id, Audit).await.unwrap().version, Version::new(5));
            // What is refused is refused for what is there.
            other.execute(&id, Withdraw { amount: 52 }).await.unwrap();
            assert!(matches!(one.execute(&id, Withdraw { amount: 1 }).await, Err(ExecuteError::Rejected(_))));
            other.execute(&id, Close).await.unwrap();
            let gone = one.execute(&id, Deposit { amount: 1 }).await;
            assert!(matches!(gone, Err(ExecuteError::Ended)), "{gone:?}");
        }
        first.shutdown().await.unwrap();
        second.shutdown().await.unwrap();
    }
}

/// The accounts whose deposits of 13 the code can't bear, until it is mended.
static BUGS: Mutex<Option<HashSet<String>>> = Mutex::new(None);

fn bug(account: &str, there: bool) {
    let mut bugs = BUGS.lock().unwrap();
    let bugs = bugs.get_or_insert_default();
    if there {
        bugs.insert(account.to_owned())
    } else {
        bugs.remove(account)
    };
}

/// All that was booked, in order.
#[derive(Debug, PartialEq, ReadModel)]
pub struct Booked {
    #[key]
    pub account: AccountId,
    pub text: String,
}
#[projection(of = Account, ignore(Measured, Withdrawn))]
impl Booked {
    fn opened(e: &Recorded<Opened>) -> Self {
        Booked { account: e.aggregate_id(), text: e.owner.clone() }
    }
    fn deposited(&mut self, e: &Deposited) {
        let _ = write!(self.text, "+{}", e.amount);
        let bug = BUGS.lock().unwrap().as_ref().is_some_and(|bugs| bugs.contains(self.account.as_str()));
        assert!(!(bug && e.amount == 13), "no {}", e.amount);
    }
    fn closed(self, _: &Closed) {}
}

/// What another process has parked or released while it fed the model is so for the one that takes over.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_takes_a_model_over_knows_what_is_parked() {
    let database = Database::new().await;
    let start = async || {
        let options = PostgresOptions::parse(&database.url("")).unwrap().lease(Duration::from_millis(900));
        let app = lending(App::on(postgres::open(&options).await.unwrap()));
        app.projection::<Booked>().start().await.unwrap()
    };
    let is_parked = |row: &Result<Option<Booked>, ReadError>| matches!(row, Err(ReadError::Parked { .. }));
    let id = account("taken over");
    let get = async |app: &App, at| app.read::<Booked>().after(at).within(LONG).get(&id).await;

    bug("taken over", true);
    let first = start().await;
    first.execute(&id, Open { owner: "Ann".into() }).await.unwrap();
    first.settle().await.unwrap();
    // It starts while nothing is parked.
    let second = start().await;
    let at = first.execute(&id, Deposit { amount: 13 }).await.unwrap().position;
    let row = get(&first, at).await;
    assert!(is_parked(&row), "{row:?}");
    first.shutdown().await.unwrap();
    let at = second.execute(&id, Deposit { amount: 1 }).await.unwrap().position;
    let row = get(&second, at).await;
    assert!(is_parked(&row), "the row of a parked stream was given out as right: {row:?}");

    // It starts while the stream is parked; when it takes over, it is no longer.
    let third = start().await;
    let row = third.read::<Booked>().get(&id).await;
    assert!(is_parked(&row), "{row:?}");
    bug("taken over", false);
    assert_eq!(second.retry_parked::<Booked>().await.unwrap(), []);
    second.shutdown().await.unwrap();
    let at = third.execute(&id, Deposit { amount: 2 }).await.unwrap().position;
    assert_eq!(get(&third, at).await.unwrap().unwrap().text, "Ann+13+1+2");
    third.shutdown().await.unwrap();
}

/// Each append of those that run moves the model.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_app_with_an_inline_model_starts_while_others_append_without_a_pause() {
    let database = Database::new().await;
    let start = async || {
        let app = lending(App::connect(&database.url("")).await.unwrap());
        app.inline_projection::<Amounts>().start().await.unwrap()
    };
    let running = start().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (app, id, stopped) = (running.clone(), account(&number.to_string()), stopped.clone());
        tasks.spawn(async move {
            let mut done = 0;
            while !*stopped.borrow() {
                app.execute(&id, Welcome { gift: 1 }).await.unwrap();
                done += 1;
            }
            done
        });
    }
    let mut longest = Duration::ZERO;
    for _ in 0..5 {
        let began = Instant::now();
        let app = tokio::time::timeout(LONG, start()).await.expect("it starts");
        longest = longest.max(began.elapsed());
        app.execute(&account("late"), Welcome { gift: 1 }).await.unwrap();
        app.shutdown().await.unwrap();
    }
    stop.send_replace(true);
    let done: u32 = tasks.join_all().await.into_iter().sum();
    println!("{done} appends meanwhile, the longest start took {longest:?}");
    assert_eq!(running.read::<Amounts>().get(&1).await.unwrap().unwrap().times, done + 5);
    running.shutdown().await.unwrap();
}
