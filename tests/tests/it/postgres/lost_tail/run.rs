//! One run: accounts are filled, a server loses the last of it, and three processes go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gesta::store::Store;
use gesta::{App, Version};
use sqlx::Executor as _;
use xtask::postgres::Cluster;

use super::super::proxy::Proxy;
use super::super::server::connect;
use super::oracle;
use super::unguarded::Unguarded;
use crate::app::commands::lending;
use crate::domain::*;
use crate::faults::dice::Dice;

#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) loss: Loss,
    pub(super) snapshots: bool,
    pub(super) models: bool,
    pub(super) memory: Memory,
    /// Appends name the event they were decided on.
    pub(super) compares_events: bool,
}

/// The way in which the server loses its last events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// A physical backup is restored at the same address.
    Restore,
    /// A standby that lags is promoted, and gets the address.
    Promotion,
}

/// Whether the process that was there before remembers which events it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    Kept,
    Lost,
}

/// Accounts of a run.
const ACCOUNTS: u64 = 4;
/// No run takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// What the first process knows of an account.
struct Known {
    id: AccountId,
    version: Version,
    balance: i64,
}

/// Faults that the oracle finds.
pub(super) async fn run(seed: u64, form: Form) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let primary = Arc::new(Cluster::start(&[]).expect("a server of one's own"));
    let proxy = Proxy::new(&primary.url("postgres")).await;
    let url = proxy.url(&primary.url("postgres"));

    let filler = start(&url, form).await;
    for number in 0..ACCOUNTS {
        filler.execute(&id(number), Open { owner: "Ann".into() }).await.unwrap();
        deposit(&filler, &mut dice, number, 6).await;
    }
    let standby = keep_this(form.loss, &primary).await;
    for number in 0..ACCOUNTS {
        let count = 2 + dice.below(10);
        deposit(&filler, &mut dice, number, count).await;
    }

    let store = store(&url, form).await;
    let (log, store) = match form.memory {
        Memory::Kept => (None, store),
        Memory::Lost => {
            let (log, store) = Unguarded::over(&store, form.compares_events);
            (Some(log), store)
        }
    };
    let first = start_on(store, form, form.memory == Memory::Kept).await;
    let mut known = Vec::new();
    for number in 0..ACCOUNTS {
        known.push(warm(&first, &mut dice, number).await);
    }

    lose(form.loss, &primary, standby.as_ref(), &proxy).await;
    if let Some(log) = &log {
        log.forget(&gesta::store::connect(&url).await.unwrap());
    }
    let second = start(&url, form).await;
    second.execute(&account("new"), Open { owner: "Eve".into() }).await.unwrap();
    for known in &known {
        spend(&second, &mut dice, known).await;
    }

    // The first process may look before it decides; each look may show it something of the new server.
    match dice.below(4) {
        0 => drop(first.load::<Account>(&account("new")).await),
        1 => drop(first.load::<Account>(&known[0].id).await),
        2 if form.models && form.memory == Memory::Kept => drop(first.read::<Summary>().all().await),
        _ => {}
    }
    let decide = async |app: &App| {
        for known in &known {
            // Whether it is refused, or stops: what counts is what is stored.
            let _ = app.execute(&known.id, Withdraw { amount: known.balance }).await;
            let _ = app.execute(&known.id, Drip { times: 12 }).await;
            let _ = app.execute(&known.id, Withdraw { amount: known.balance }).await;
        }
    };
    if dice.percent(70) {
        decide(&first).await;
    }
    tokio::join!(decide(&first), decide(&filler), decide(&second));

    for app in [first, filler, second] {
        let _ = tokio::time::timeout(LONG, app.shutdown()).await;
    }
    let fresh = start(&url, Form { snapshots: true, ..form }).await;
    if form.models {
        fresh.settle().await.unwrap();
    }
    let faults = oracle::faults(&url, "public", &fresh, form.models).await;
    fresh.shutdown().await.unwrap();
    faults
}

fn id(number: u64) -> AccountId {
    account(&number.to_string())
}

async fn store(url: &str, form: Form) -> Store {
    let store = gesta::store::connect(url).await.unwrap();
    if form.snapshots { store } else { Store { snapshots: None, ..store } }
}

async fn start(url: &str, form: Form) -> App {
    start_on(store(url, form).await, form, true).await
}

async fn start_on(store: Store, form: Form, reads: bool) -> App {
    let app = lending(App::on(store));
    let app = if form.models && reads { app.projection::<Summary>() } else { app };
    app.start().await.unwrap()
}

async fn deposit(app: &App, dice: &mut Dice, number: u64, times: usize) {
    for _ in 0..times {
        let amount = 10 + i64::try_from(dice.below(5)).expect("it is small");
        app.execute(&id(number), Deposit { amount }).await.unwrap();
    }
}

/// Brings an account into the first process's cache, in one of the ways in which it gets there.
async fn warm(app: &App, dice: &mut Dice, number: u64) -> Known {
    let id = id(number);
    match dice.below(3) {
        0 => drop(app.execute(&id, Withdraw { amount: 1_000_000 }).await.unwrap_err()),
        1 => drop(app.execute(&id, Deposit { amount: 5 }).await.unwrap()),
        _ => drop(app.execute(&id, Audit).await.unwrap()),
    }
    let loaded = app.load::<Account>(&id).await.unwrap();
    Known { id, version: loaded.version, balance: loaded.into_state().expect("it is open").balance }
}

/// The second process empties the account, and goes on to the version that the first one knows, or near it.
async fn spend(app: &App, dice: &mut Dice, known: &Known) {
    let balance = app.load::<Account>(&known.id).await.unwrap().into_state().expect("it is open").balance;
    let mut version = app.execute(&known.id, Withdraw { amount: balance }).await.unwrap().version;
    let until = Version::new(known.version.get() + dice.below(6).saturating_sub(4) as u64);
    while version < until {
        version = app.execute(&known.id, Deposit { amount: 1 }).await.unwrap().version;
    }
}

/// What is stored now is all that is left after the loss.
async fn keep_this(loss: Loss, primary: &Arc<Cluster>) -> Option<Cluster> {
    match loss {
        Loss::Restore => {
            let primary = Arc::clone(primary);
            tokio::task::spawn_blocking(move || primary.back_up().unwrap()).await.unwrap();
            None
        }
        Loss::Promotion => {
            let standby = primary.standby().expect("a standby");
            let mut there = connect(&standby.url("postgres")).await;
            there.execute("alter system set primary_conninfo = ''").await.unwrap();
            there.execute("select pg_reload_conf()").await.unwrap();
            let gone = "select count(*) from pg_stat_wal_receiver";
            let until = Instant::now() + LONG;
            while sqlx::query_scalar::<_, i64>(gone).fetch_one(&mut there).await.unwrap() > 0 {
                assert!(Instant::now() < until, "the standby still receives from its primary");
            }
            Some(standby)
        }
    }
}

async fn lose(loss: Loss, primary: &Arc<Cluster>, standby: Option<&Cluster>, proxy: &Proxy) {
    if let (Loss::Promotion, Some(standby)) = (loss, standby) {
        primary.crash().unwrap();
        standby.promote().unwrap();
        proxy.turn_to(&standby.url("postgres"));
    } else {
        let primary = Arc::clone(primary);
        tokio::task::spawn_blocking(move || primary.restore().unwrap()).await.unwrap();
    }
}
