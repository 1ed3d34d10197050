//! `cargo xtask bench [section ..]`: ratios to the same by hand, in interleaved rounds.
//!
//! Sections: `codec`, `commands`, `clients`, `replay`, `subscribe`; all unless some are named. `GESTA_BENCH_ROUNDS` sets the rounds.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::wildcard_imports,
    missing_docs,
    reason = "counts are small here, and nobody else uses it"
)]

use std::time::{Duration, Instant};

use gesta::{App, Event, Position, Uuid};
use gesta_bench::domain::*;
use gesta_bench::hand::{self, Hand};
use gesta_bench::measure::{Folder, Table, resident_kib, rounds, wanted};

const ROUND: Duration = Duration::from_secs(1);
const ACCOUNTS: usize = 1_000;
const EVENTS: usize = 1_000_000;

fn main() {
    let rounds = rounds();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = Folder::new();
    if wanted("codec") {
        codec(rounds);
    }
    if wanted("commands") {
        runtime.block_on(commands(&folder, rounds));
    }
    if wanted("clients") {
        runtime.block_on(clients(&folder, rounds));
    }
    if wanted("replay") || wanted("subscribe") {
        runtime.block_on(large(&folder, rounds, wanted("replay"), wanted("subscribe")));
    }
}

/// T7: the generated codec against serde into the struct.
fn codec(rounds: usize) {
    let event = deposited(Uuid::now_v7(), "ref-00000042-payment".into(), 42);
    let payload = serde_json::to_vec(&event).expect("plain fields");
    let (mut decode, mut encode) = (Table::default(), Table::default());
    let per_second = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        let mut count = 0u64;
        while started.elapsed() < ROUND / 4 {
            (0..1_000).for_each(|_| work());
            count += 1_000;
        }
        count as f64 / started.elapsed().as_secs_f64()
    };
    for _ in 0..rounds {
        decode.add(
            "serde_json",
            per_second(&mut || {
                std::hint::black_box(serde_json::from_slice::<Deposited>(&payload)).expect("an event");
            }),
        );
        decode.add(
            "generated, by name and version",
            per_second(&mut || {
                use gesta::Aggregate;
                std::hint::black_box(Account::decode("Deposited", 1, &payload)).expect("an event");
            }),
        );
        let mut out = Vec::with_capacity(512);
        encode.add(
            "serde_json",
            per_second(&mut || {
                out.clear();
                serde_json::to_writer(&mut out, &event).expect("plain fields");
                std::hint::black_box(&out);
            }),
        );
        encode.add(
            "generated",
            per_second(&mut || {
                out.clear();
                event.encode(&mut out).expect("plain fields");
                std::hint::black_box(&out);
            }),
        );
    }
    println!("## Decoding an event of six fields\n");
    decode.print("a second");
    println!("## Encoding it\n");
    encode.print("a second");
}

fn names() -> Vec<AccountId> {
    (0..ACCOUNTS).map(|n| AccountId::new(format!("{n:032x}")).expect("a valid id")).collect()
}

async fn app(file: &std::path::Path, synchronous: &str) -> App {
    let _ = std::fs::remove_file(file);
    let url = format!("sqlite:{}?synchronous={synchronous}", file.display());
    App::connect(&url).await.expect("a new file").aggregate::<Account>().start().await.expect("it starts")
}

/// T2, T8: one client, states in the cache.
async fn commands(folder: &Folder, rounds: usize) {
    for synchronous in ["full", "normal"] {
        let mut table = Table::default();
        for round in 0..rounds {
            let mut by_hand = Hand::open(&folder.file(&format!("hand-{synchronous}-{round}.db")), synchronous);
            let accounts = names();
            let (started, mut count) = (Instant::now(), 0usize);
            while started.elapsed() < ROUND {
                by_hand.deposit(accounts[count % ACCOUNTS].as_str(), Uuid::now_v7(), format!("ref-{count:08}"), 1);
                count += 1;
            }
            table.add("by hand, cached", count as f64 / started.elapsed().as_secs_f64());

            for store in ["sqlite", "memory"] {
                let app = match store {
                    "sqlite" => app(&folder.file(&format!("app-{synchronous}-{round}.db")), synchronous).await,
                    _ => App::connect("memory:").await.expect("memory").aggregate::<Account>().start().await.expect("it starts"),
                };
                open(&app, &accounts).await;
                let deposits = tokio::spawn({
                    let (app, accounts) = (app.clone(), accounts.clone());
                    async move { deposit(&app, &accounts, 0, 1).await }
                });
                table.add(&format!("gesta, {store}"), deposits.await.expect("it runs"));
                app.shutdown().await.expect("it ends");
            }
        }
        println!("## Commands, one client, synchronous={synchronous}\n");
        table.print("commands a second");
    }
}

async fn open(app: &App, accounts: &[AccountId]) {
    for id in accounts {
        app.execute(id, Open { owner: "Ann".into() }).await.expect("a new account");
    }
}

/// Deposits for a round; how many a second.
async fn deposit(app: &App, accounts: &[AccountId], first: usize, step: usize) -> f64 {
    let (started, mut count) = (Instant::now(), 0usize);
    while started.elapsed() < ROUND {
        let id = &accounts[(first + count * step) % ACCOUNTS];
        let command = Deposit { transaction: Uuid::now_v7(), reference: format!("ref-{count:08}"), cents: 1 };
        app.execute(id, command).await.expect("a deposit");
        count += 1;
    }
    count as f64 / started.elapsed().as_secs_f64()
}

/// Many clients: group commit.
async fn clients(folder: &Folder, rounds: usize) {
    let mut table = Table::default();
    for round in 0..rounds {
        for synchronous in ["normal", "full"] {
            for clients in [1usize, 32, 1024] {
                let app = app(&folder.file(&format!("clients-{synchronous}-{clients}-{round}.db")), synchronous).await;
                let accounts = std::sync::Arc::new(names());
                open(&app, &accounts).await;
                let mut tasks = tokio::task::JoinSet::new();
                for client in 0..clients {
                    let (app, accounts) = (app.clone(), accounts.clone());
                    tasks.spawn(async move { deposit(&app, &accounts, client, clients).await });
                }
                let sum: f64 = tasks.join_all().await.iter().sum();
                table.add(&format!("{clients} clients, {synchronous}"), sum);
                app.shutdown().await.expect("it ends");
            }
        }
    }
    println!("## Commands, many clients, SQLite\n");
    table.print("commands a second");
}

/// T6, T11 and the subscription: one large file.
async fn large(folder: &Folder, rounds: usize, replay: bool, subscribe: bool) {
    let file = folder.file("large.db");
    let app = app(&file, "normal").await;
    let accounts = names();
    let opens = accounts.iter().map(|id| gesta::Envelope::<Account>::new(id.clone(), Open { owner: "Ann".into() }));
    let deposits = (0..EVENTS - ACCOUNTS).map(|n| {
        let command = Deposit { transaction: Uuid::now_v7(), reference: format!("ref-{n:08}"), cents: 1 };
        gesta::Envelope::<Account>::new(accounts[n * 7919 % ACCOUNTS].clone(), command)
    });
    let all: Vec<_> = opens.collect();
    let mut answers = app.execute_many::<Account, &'static str>(all.into_iter().chain(deposits));
    while let Some((_, answer)) = answers.next().await {
        answer.expect("all are fine");
    }
    drop(answers);
    if subscribe {
        let before = resident_kib();
        let mut events = app.subscribe(Position::ZERO);
        let (mut count, mut most, started) = (0usize, before, Instant::now());
        while count < EVENTS {
            events.next().await.expect("not shut down").expect("readable");
            count += 1;
            if count.is_multiple_of(10_000) {
                most = most.max(resident_kib());
            }
        }
        let per_second = count as f64 / started.elapsed().as_secs_f64();
        println!("## A subscription through {EVENTS} events\n");
        println!(
            "{per_second:.0} events a second; resident before {before} KiB, at most {most} KiB ({:+} KiB)\n",
            most.cast_signed() - before.cast_signed()
        );
    }
    app.shutdown().await.expect("it ends");
    drop(app);
    if !replay {
        return;
    }
    let mut table = Table::default();
    let (mut before, mut most) = (0, 0);
    for round in 0..rounds {
        let started = Instant::now();
        let (count, sum) = hand::replay(&file);
        table.add("read and decoded by hand", count as f64 / started.elapsed().as_secs_f64());
        assert_eq!((count, sum), (EVENTS as u64, (EVENTS - ACCOUNTS) as i64));

        // Each round finds another definition, so the model is folded from all events.
        let store = gesta::store::connect(&format!("sqlite:{}", file.display())).await.expect("the file");
        if let (Some(models), 1..) = (&store.read_models, round) {
            use gesta::ReadModel;
            let spec =
                gesta::store::ModelSpec { table: Sums::TABLE, columns: Sums::COLUMNS, fingerprint: round as u64, inline: false };
            models.prepare(vec![spec]).await.expect("an empty table");
        }
        before = resident_kib();
        let started = Instant::now();
        let app = App::on(store.clone()).aggregate::<Account>().projection::<Sums>().start().await.expect("it starts");
        app.settle().await.expect("it is fed");
        table.add("into a read model", EVENTS as f64 / started.elapsed().as_secs_f64());
        most = most.max(resident_kib());
        app.shutdown().await.expect("it ends");
        store.log.close().await.expect("it closes");
    }
    println!("## Replay of {EVENTS} events\n");
    table.print("events a second");
    println!("resident {before} KiB before the last round, at most {most} KiB\n");
}
