//! Random histories, run every way a state can come about, against a model that is too simple to be wrong.
//!
//! Commands that are accepted and refused, ends, units, repeated keys, races of two writers, evictions and dropped callers:
//! whether the state comes from the cache, from a snapshot or from all events, the answers are the model's, and so are the
//! states and the rows afterwards.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::task::{Context, Waker};

use gesta::store::Store;
use gesta::{App, Builder, Envelope, ExecuteError, Limits, Refusal, Stage, UnitError};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{AssertSqlSafe, Executor};

use crate::app::commands::lending;
use crate::domain::*;
use crate::postgres::server::Database;
use crate::stores::Folder;

const ACCOUNTS: usize = 4;

/// What is commanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Order {
    Open,
    Deposit(i64),
    Withdraw(i64),
    Drip(u32),
    Welcome(i64),
    Audit,
    Close,
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    One {
        writer: usize,
        account: usize,
        order: Order,
        key: Option<u8>,
    },
    /// Both at the same time, by two writers where there are two.
    Race {
        account: usize,
        orders: [Order; 2],
    },
    Transfer {
        writer: usize,
        from: usize,
        to: usize,
        amount: i64,
        key: Option<u8>,
    },
    /// Its caller goes away after so many polls.
    Dropped {
        account: usize,
        order: Order,
        polls: usize,
    },
    Many {
        orders: Vec<(usize, Order)>,
    },
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        3 => Just(Order::Open),
        4 => (-1..6i64).prop_map(Order::Deposit),
        4 => (0..9i64).prop_map(Order::Withdraw),
        2 => (0..7u32).prop_map(Order::Drip),
        2 => (1..4i64).prop_map(Order::Welcome),
        1 => Just(Order::Audit),
        1 => Just(Order::Close),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let account = || 0..ACCOUNTS;
    let key = || proptest::option::weighted(0.3, 0..6u8);
    prop_oneof![
        10 => (0..2usize, account(), order(), key())
            .prop_map(|(writer, account, order, key)| Step::One { writer, account, order, key }),
        2 => (account(), order(), order()).prop_map(|(account, a, b)| Step::Race { account, orders: [a, b] }),
        3 => (0..2usize, account(), account(), 0..6i64, key())
            .prop_map(|(writer, from, to, amount, key)| Step::Transfer { writer, from, to, amount, key }),
        2 => (account(), order(), 0..4usize).prop_map(|(account, order, polls)| Step::Dropped { account, order, polls }),
        1 => proptest::collection::vec((account(), order()), 1..8).prop_map(|orders| Step::Many { orders }),
    ]
}

/// What an order led to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Done { version: u64, events: usize, repeated: bool },
    Refused(Refusal<AccountError>),
    KeyReused,
}

/// One account as the model has it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Modelled {
    stage: Stage<(i64, u32)>,
    version: u64,
    /// By key: the order, to whom it was a transfer, and how it was answered.
    keys: HashMap<u8, (Order, Option<usize>, u64, usize)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    accounts: [Modelled; ACCOUNTS],
    /// How often each amount was deposited.
    amounts: BTreeMap<i64, u32>,
}

impl Model {
    fn decide(&self, account: usize, order: Order) -> Result<Vec<i64>, Refusal<AccountError>> {
        use Order::{Audit, Close, Deposit, Drip, Open, Welcome, Withdraw};
        let modelled = &self.accounts[account];
        let rejected = |error| Err(Refusal::Rejected(error));
        match (&modelled.stage, order) {
            (Stage::Ended, _) => Err(Refusal::Ended),
            (Stage::Absent, Open) => Ok(vec![0]),
            (Stage::Alive(_), Open) => Err(Refusal::AlreadyExists),
            (Stage::Absent, Welcome(gift)) => Ok(vec![0, gift]),
            (Stage::Alive(_), Welcome(gift)) => Ok(vec![gift]),
            (Stage::Absent, _) => Err(Refusal::NotFound),
            (Stage::Alive(_), Deposit(amount)) if amount <= 0 => rejected(AccountError::NotPositive),
            (Stage::Alive(_), Deposit(amount)) => Ok(vec![amount]),
            (Stage::Alive((balance, _)), Withdraw(amount)) if amount > *balance => {
                rejected(AccountError::Insufficient { balance: *balance })
            }
            (Stage::Alive(_), Withdraw(amount)) => Ok(vec![-amount]),
            (Stage::Alive(_), Drip(times)) => Ok(vec![1; times as usize]),
            (Stage::Alive(_), Audit) => Ok(vec![]),
            (Stage::Alive((0, _)), Close) => Ok(vec![0]),
            (Stage::Alive(_), Close) => rejected(AccountError::NotEmpty),
        }
    }

    /// Lets the events happen: deposits are positive, withdrawals negative; 0 opens or closes.
    fn apply(&mut self, account: usize, order: Order, events: &[i64]) {
        let modelled = &mut self.accounts[account];
        for (number, amount) in events.iter().enumerate() {
            modelled.version += 1;
            let withdraws = matches!(order, Order::Withdraw(_));
            match &mut modelled.stage {
                stage if order == Order::Close => *stage = Stage::Ended,
                stage @ Stage::Absent if number == 0 => *stage = Stage::Alive((0, 0)),
                Stage::Alive((balance, bookings)) => {
                    *balance += amount;
                    *bookings += 1;
                    if !withdraws {
                        *self.amounts.entry(*amount).or_default() += 1;
                    }
                }
                stage => panic!("{order:?} on {stage:?}"),
            }
        }
    }

    fn execute(&mut self, account: usize, order: Order, key: Option<u8>) -> Answer {
        if let Some((first, to, version, events)) = key.and_then(|key| self.accounts[account].keys.get(&key)) {
            let (version, events) = (*version, *events);
            return if (*first, *to) == (order, None) {
                Answer::Done { version, events, repeated: true }
            } else {
                Answer::KeyReused
            };
        }
        match self.decide(account, order) {
            Err(refusal) => Answer::Refused(refusal),
            Ok(events) => {
                self.apply(account, order, &events);
                let version = self.accounts[account].version;
                if let Some(key) = key {
                    self.accounts[account].keys.insert(key, (order, None, version, events.len()));
                }
                Answer::Done { version, events: events.len(), repeated: false }
            }
        }
    }

    fn transfer(&mut self, from: usize, to: usize, amount: i64, key: Option<u8>) -> Answer {
        if let Some((first, first_to, ..)) = key.and_then(|key| self.accounts[from].keys.get(&key)) {
            let same = (*first, *first_to) == (Order::Withdraw(amount), Some(to));
            return if same { Answer::Done { version: 0, events: 0, repeated: true } } else { Answer::KeyReused };
        }
        let mut after = self.clone();
        for (account, order) in [(from, Order::Withdraw(amount)), (to, Order::Deposit(amount))] {
            match after.decide(account, order) {
                Err(refusal) => return Answer::Refused(refusal),
                Ok(events) => after.apply(account, order, &events),
            }
        }
        if let Some(key) = key {
            let version = after.accounts[from].version;
            after.accounts[from].keys.insert(key, (Order::Withdraw(amount), Some(to), version, usize::from(from == to) + 1));
        }
        *self = after;
        Answer::Done { version: 0, events: 0, repeated: false }
    }
}

fn id(number: usize) -> AccountId {
    account(&format!("{number}"))
}

fn command(order: Order) -> AccountCommand {
    match order {
        Order::Open => Open { owner: "x".into() }.into(),
        Order::Deposit(amount) => Deposit { amount }.into(),
        Order::Withdraw(amount) => Withdraw { amount }.into(),
        Order::Drip(times) => Drip { times }.into(),
        Order::Welcome(gift) => Welcome { gift }.into(),
        Order::Audit => Audit.into(),
        Order::Close => Close.into(),
    }
}

fn answer<E: Into<AccountError>>(result: Result<gesta::Done<Account>, ExecuteError<E>>) -> Answer {
    match result {
        Ok(done) => Answer::Done { version: done.version.get(), events: done.events.len(), repeated: done.repeated },
        Err(ExecuteError::Rejected(error)) => Answer::Refused(Refusal::Rejected(error.into())),
        Err(ExecuteError::NotFound) => Answer::Refused(Refusal::NotFound),
        Err(ExecuteError::AlreadyExists) => Answer::Refused(Refusal::AlreadyExists),
        Err(ExecuteError::Ended) => Answer::Refused(Refusal::Ended),
        Err(ExecuteError::Failed(gesta::Failure::KeyReused { .. })) => Answer::KeyReused,
        Err(ExecuteError::Failed(other)) => panic!("{other}"),
    }
}

async fn execute(app: &App, account: usize, order: Order, key: Option<u8>) -> Answer {
    let envelope = Envelope::<Account>::new(id(account), command(order));
    let envelope = match key {
        Some(key) => envelope.idempotency_key(format!("key {key}")),
        None => envelope,
    };
    answer(app.execute_many::<Account, AccountError>([envelope]).next().await.expect("one answer").1)
}

/// The same in the caller's own hands, so that nothing of it goes on once it is dropped.
async fn execute_here(app: &App, account: usize, order: Order) {
    let id = id(account);
    match order {
        Order::Open => drop(app.execute(&id, Open { owner: "x".into() }).await),
        Order::Deposit(amount) => drop(app.execute(&id, Deposit { amount }).await),
        Order::Withdraw(amount) => drop(app.execute(&id, Withdraw { amount }).await),
        Order::Drip(times) => drop(app.execute(&id, Drip { times }).await),
        Order::Welcome(gift) => drop(app.execute(&id, Welcome { gift }).await),
        Order::Audit => drop(app.execute(&id, Audit).await),
        Order::Close => drop(app.execute(&id, Close).await),
    }
}

async fn transfer(app: &App, from: usize, to: usize, amount: i64, key: Option<u8>) -> Answer {
    let (from, to) = (id(from), id(to));
    let mut unit = app.unit(async |u| {
        u.execute(&from, Withdraw { amount }).await?;
        u.execute(&to, Deposit { amount }).await?;
        Ok::<_, Refusal<AccountError>>(())
    });
    if let Some(key) = key {
        unit = unit.idempotency_key(format!("key {key}"));
    }
    match unit.await {
        Ok(done) => Answer::Done { version: 0, events: 0, repeated: done.repeated },
        Err(UnitError::Rejected(refusal)) => Answer::Refused(refusal),
        Err(UnitError::Failed(gesta::Failure::KeyReused { .. })) => Answer::KeyReused,
        Err(UnitError::Failed(other)) => panic!("{other}"),
    }
}

async fn run(apps: &[App], steps: &[Step]) {
    let mut model = Model::default();
    let app = |writer: usize| &apps[writer % apps.len()];
    for step in steps {
        match step {
            Step::One { writer, account, order, key } => {
                let found = execute(app(*writer), *account, *order, *key).await;
                assert_eq!(found, model.execute(*account, *order, *key), "{step:?}");
            }
            Step::Transfer { writer, from, to, amount, key } => {
                let found = transfer(app(*writer), *from, *to, *amount, *key).await;
                assert_eq!(found, model.transfer(*from, *to, *amount, *key), "{step:?}");
            }
            Step::Race { account, orders: [first, second] } => {
                let (a, b) = (execute(app(0), *account, *first, None), execute(app(1), *account, *second, None));
                let found = tokio::join!(a, b);
                let mut in_order = model.clone();
                let forth = (in_order.execute(*account, *first, None), in_order.execute(*account, *second, None));
                let back = {
                    let b = model.execute(*account, *second, None);
                    (model.execute(*account, *first, None), b)
                };
                assert!(found == forth || found == back, "{step:?}: {found:?} is neither {forth:?} nor {back:?}");
                if found == forth && (found != back || matches_store(apps, &in_order).await) {
                    model = in_order;
                }
            }
            Step::Dropped { account, order, polls } => {
                let mut call = Box::pin(execute_here(app(0), *account, *order));
                for _ in 0..*polls {
                    if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                        break;
                    }
                }
                drop(call);
                // Its append goes on, and has the lease until it is over.
                execute(app(0), *account, Order::Audit, None).await;
                // All or nothing, and which of the two can be seen.
                let mut done = model.clone();
                done.execute(*account, *order, None);
                if matches_store(apps, &done).await {
                    model = done;
                }
            }
            Step::Many { orders } => {
                let envelopes = orders.iter().map(|(account, order)| Envelope::<Account>::new(id(*account), command(*order)));
                let mut answers = app(0).execute_many::<Account, AccountError>(envelopes.collect::<Vec<_>>());
                let mut found = vec![None; orders.len()];
                while let Some((number, result)) = answers.next().await {
                    found[number] = Some(answer(result));
                }
                for ((account, order), found) in orders.iter().zip(found) {
                    assert_eq!(found, Some(model.execute(*account, *order, None)), "{step:?}");
                }
            }
        }
    }
    assert!(matches_store(apps, &model).await);
    check_rows(apps, &model).await;
}

async fn matches_store(apps: &[App], model: &Model) -> bool {
    for app in apps {
        for (number, modelled) in model.accounts.iter().enumerate() {
            let loaded = app.load::<Account>(&id(number)).await.unwrap();
            let stage = match loaded.stage {
                Stage::Alive(state) => Stage::Alive((state.balance, state.bookings)),
                Stage::Absent => Stage::Absent,
                Stage::Ended => Stage::Ended,
            };
            if (loaded.version.get(), stage) != (modelled.version, modelled.stage) {
                return false;
            }
        }
    }
    true
}

async fn check_rows(apps: &[App], model: &Model) {
    let app = &apps[0];
    app.settle().await.unwrap();
    for (number, modelled) in model.accounts.iter().enumerate() {
        let row = app.read::<Summary>().get(&id(number)).await.unwrap();
        let expected = modelled.stage.as_alive().map(|(balance, _)| *balance);
        assert_eq!(row.as_ref().map(|row| row.balance), expected);
        assert_eq!(row.map(|row| row.version), expected.map(|_| modelled.version));
    }
    let amounts = app.read::<Amounts>().all().await.unwrap();
    let found: BTreeMap<i64, u32> = amounts.into_iter().map(|row| (row.amount, row.times)).collect();
    assert_eq!(found, model.amounts);
}

/// The ways a state can come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Cache,
    /// A cache that holds two: the others are evicted.
    Evictions,
    Snapshots,
    Replay,
    /// Two apps on one store, each with a cache of its own.
    TwoWriters,
}

const WAYS: [Way; 5] = [Way::Cache, Way::Evictions, Way::Snapshots, Way::Replay, Way::TwoWriters];

async fn start(builder: Builder, cache_entries: usize, feeds: bool) -> App {
    let mut limits = Limits::default();
    (limits.cache_entries, limits.attempts) = (cache_entries, 50);
    let builder = lending(builder).limits(limits);
    let builder = if feeds { builder.inline_projection::<Summary>().projection::<Amounts>() } else { builder };
    builder.start().await.unwrap()
}

async fn run_every_way(steps: &[Step], database: &Database) {
    for way in WAYS {
        let folder = Folder::new();
        let postgres = [new_schema(database, "shared").await, new_schema(database, "exclusive").await];
        for url in ["memory:".to_owned(), folder.url("test.db")].into_iter().chain(postgres) {
            let store = gesta::store::connect(&url).await.unwrap();
            let apps = match way {
                Way::Cache => vec![start(App::on(store.clone()), 1_000, true).await],
                Way::Evictions => vec![start(App::on(store.clone()), 2, true).await],
                Way::Snapshots => vec![start(App::on(store.clone()), 0, true).await],
                Way::Replay => {
                    let store = Store { snapshots: None, ..store.clone() };
                    vec![start(App::on(store), 0, true).await]
                }
                // The second app's appends carry no inline model, so neither do the first's.
                Way::TwoWriters => {
                    let first =
                        lending(App::on(store.clone())).limits(two_writers()).projection::<Summary>().projection::<Amounts>();
                    // As in another process, where that is allowed.
                    let other =
                        if url.starts_with("postgres") { gesta::store::connect(&url).await.unwrap() } else { store.clone() };
                    let second = lending(App::on(other)).limits(two_writers());
                    vec![first.start().await.unwrap(), second.start().await.unwrap()]
                }
            };
            run(&apps, steps).await;
            for app in &apps {
                app.shutdown().await.unwrap();
            }
            store.log.close().await.unwrap();
        }
        // The same where the app knows that nobody else writes.
        if way == Way::Cache {
            for url in ["memory:".to_owned(), folder.url("sole.db")] {
                let app = start(App::connect(&url).await.unwrap(), 1_000, true).await;
                run(std::slice::from_ref(&app), steps).await;
                app.shutdown().await.unwrap();
            }
        }
    }
}

/// A schema that is not there yet.
async fn new_schema(database: &Database, appends: &str) -> String {
    let sql = AssertSqlSafe(format!("drop schema if exists {appends} cascade"));
    database.connect().await.execute(sql).await.unwrap();
    database.url(&format!("?schema={appends}&appends={appends}"))
}

fn two_writers() -> Limits {
    Limits { attempts: 50, ..Limits::default() }
}

#[test]
fn every_way_to_a_state_gives_the_model_s_answers() {
    let heavy = std::env::var_os("GESTA_HEAVY").is_some();
    let (cases, longest) = if heavy { (300, 120) } else { (12, 60) };
    println!("{cases} histories of up to {longest} steps; GESTA_HEAVY=1 runs more");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let database = runtime.block_on(Database::new());
    let mut runner = TestRunner::new(config);
    let result = runner.run(&proptest::collection::vec(step(), 1..longest), |steps| {
        runtime.block_on(run_every_way(&steps, &database));
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}
