//! `cargo xtask bench postgres`: commands on Postgres against the same by hand, on the same server, in interleaved rounds.
//!
//! By hand is what is usually written: a transaction for each command, that reads the head of the stream, inserts and commits, on
//! a connection of its own for each client. By hand and batched is the limit: one task that stores what is queued as one statement,
//! with the least of columns and no care for errors, other processes or readers.

#![allow(clippy::cast_precision_loss, missing_docs, reason = "counts are small here, and nobody else uses it")]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gesta::{App, Position, Uuid};
use gesta_bench::domain::{Account, AccountId, Deposit, Open, deposited};
use gesta_bench::measure::{Table, rounds, wanted};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

const ROUND: Duration = Duration::from_secs(2);
const ACCOUNTS: usize = 1_000;
/// What many clients must come to: a variant, how often what another one does, and that one.
const TARGETS: [(&str, f64, &str); 2] = [("gesta", 4.0, "by hand"), ("gesta, two readers follow", 0.85, "gesta")];
/// With fewer, no two appends share a flush.
const MANY: usize = 32;

fn main() -> ExitCode {
    if !wanted("postgres") {
        return ExitCode::SUCCESS;
    }
    let server = std::env::var("GESTA_TEST_POSTGRES").expect("`cargo xtask bench` brings up a server");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut missed = false;
        for clients in [1, MANY] {
            let mut table = Table::default();
            for round in 0..rounds() {
                table.add("by hand", by_hand(&server, clients).await);
                table.add("by hand, batched, versions kept", batched_by_hand(&server, clients).await);
                for (name, options, readers) in [
                    ("gesta", "", 0),
                    ("gesta, two readers follow", "", 2),
                    ("gesta, appends exclusive", "&appends=exclusive", 0),
                ] {
                    let schema = format!("bench_{}_{clients}_{round}_{}", std::process::id(), name.len());
                    table.add(name, commands(&server, &schema, options, clients, readers).await);
                    let mut connection = connect(&server).await;
                    let gone = connection.execute(AssertSqlSafe(format!("drop schema {schema} cascade"))).await;
                    gone.expect("a schema of our own");
                }
            }
            println!("## Commands on Postgres, {clients} clients, {ACCOUNTS} accounts\n");
            table.print("commands a second");
            for (name, least, to) in TARGETS.into_iter().filter(|_| clients == MANY) {
                let ratio = table.ratio(name, to).expect("both were measured");
                missed |= ratio < least;
                println!(
                    "{}: `{name}` does {ratio:.2} times what `{to}` does; asked for: {least}",
                    if ratio < least { "MISSED" } else { "ok" }
                );
            }
        }
        if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    })
}

async fn connect(server: &str) -> PgConnection {
    server.parse::<PgConnectOptions>().expect("a URL").connect().await.expect("the server")
}

/// How much is done a second by as many clients, each of which counts what it does until then.
async fn rate<F>(clients: usize, client: impl Fn(usize, Instant, Arc<AtomicUsize>) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let (started, done) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..clients).map(|number| tokio::spawn(client(number, started + ROUND, Arc::clone(&done)))).collect();
    for task in tasks {
        task.await.expect("it runs");
    }
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// A connection to an empty table such as one would make by hand.
async fn table_by_hand(server: &str) -> PgConnection {
    let mut connection = connect(server).await;
    let tables = "drop table if exists by_hand; create table by_hand (position bigserial primary key, stream text not null, \
        version bigint not null, type text not null, event_id uuid not null, recorded_at bigint not null, payload bytea not null, \
        unique (stream, version))";
    sqlx::raw_sql(tables).execute(&mut connection).await.expect("tables of our own");
    connection
}

async fn by_hand(server: &str, clients: usize) -> f64 {
    table_by_hand(server).await;
    rate(clients, |client, until, done| {
        let server = server.to_owned();
        async move {
            let mut connection = connect(&server).await;
            let mut count = client;
            while Instant::now() < until {
                let stream = format!("Account-{:032x}", count % ACCOUNTS);
                let event = deposited(Uuid::now_v7(), format!("ref-{count:08}"), 1);
                let payload = serde_json::to_vec(&event).expect("plain fields");
                let mut transaction = connection.begin().await.expect("a transaction");
                let head: Option<i64> =
                    sqlx::query_scalar("select version from by_hand where stream = $1 order by version desc limit 1")
                        .bind(&stream)
                        .fetch_optional(&mut *transaction)
                        .await
                        .expect("a version");
                let sql =
                    "insert into by_hand (stream, version, type, event_id, recorded_at, payload) values ($1, $2, $3, $4, $5, $6)";
                let insert = sqlx::query(sql).bind(&stream).bind(head.unwrap_or(0) + 1).bind("Deposited");
                let insert = insert.bind(Uuid::now_v7()).bind(event.at_us).bind(payload);
                // Another client was faster on this account: it is done again, and does not count.
                if insert.execute(&mut *transaction).await.is_err() {
                    transaction.rollback().await.expect("a connection");
                    continue;
                }
                transaction.commit().await.expect("a commit");
                done.fetch_add(1, Ordering::Relaxed);
                count += clients;
            }
        }
    })
    .await
}

/// The group commit that one would write by hand: a task puts together what is queued, as one statement, and versions are kept.
async fn batched_by_hand(server: &str, clients: usize) -> f64 {
    let mut connection = table_by_hand(server).await;
    let (queue, mut queued) = tokio::sync::mpsc::channel::<Job>(1024);
    let batcher = tokio::spawn(async move {
        let mut jobs = Vec::new();
        while queued.recv_many(&mut jobs, 512).await > 0 {
            let streams: Vec<&str> = jobs.iter().map(|job| &*job.stream).collect();
            let versions: Vec<i64> = jobs.iter().map(|job| job.version).collect();
            let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
            let at: Vec<i64> = jobs.iter().map(|job| job.at).collect();
            let payloads: Vec<&[u8]> = jobs.iter().map(|job| &*job.payload).collect();
            let sql = "insert into by_hand (stream, version, type, event_id, recorded_at, payload) \
                select s, v, t, i, a, p from unnest($1::text[], $2::int8[], $3::text[], $4::uuid[], $5::int8[], $6::bytea[]) \
                    as x(s, v, t, i, a, p) \
                where coalesce((select version from by_hand e where e.stream = s order by version desc limit 1), 0) = v - 1 \
                order by s returning position";
            let rows = sqlx::query(sql).bind(streams).bind(versions).bind(vec!["Deposited"; jobs.len()]);
            let rows = rows.bind(ids).bind(at).bind(payloads).fetch_all(&mut connection).await.expect("rows");
            assert_eq!(rows.len(), jobs.len(), "nobody else writes");
            for job in jobs.drain(..) {
                let _ = job.reply.send(());
            }
        }
    });
    let heads: Arc<Vec<_>> = Arc::new((0..ACCOUNTS).map(|_| tokio::sync::Mutex::new(0)).collect());
    let rate = rate(clients, |client, until, done| {
        let (heads, queue) = (Arc::clone(&heads), queue.clone());
        async move {
            let mut count = client;
            while Instant::now() < until {
                let account = count % ACCOUNTS;
                let mut head = heads[account].lock().await;
                let stream = format!("Account-{account:032x}");
                let event = deposited(Uuid::now_v7(), format!("ref-{count:08}"), 1);
                let payload = serde_json::to_vec(&event).expect("plain fields");
                let (reply, stored) = tokio::sync::oneshot::channel();
                let job = Job { stream, version: *head + 1, id: Uuid::now_v7(), at: event.at_us, payload, reply };
                queue.send(job).await.expect("the batcher");
                stored.await.expect("the batcher");
                *head += 1;
                done.fetch_add(1, Ordering::Relaxed);
                count += clients;
            }
        }
    })
    .await;
    drop(queue);
    batcher.await.expect("it ends");
    rate
}

struct Job {
    stream: String,
    version: i64,
    id: Uuid,
    at: i64,
    payload: Vec<u8>,
    reply: tokio::sync::oneshot::Sender<()>,
}

async fn commands(server: &str, schema: &str, options: &str, clients: usize, readers: usize) -> f64 {
    let sign = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{sign}schema={schema}{options}");
    let app = App::connect(&url).await.expect("the server").aggregate::<Account>().start().await.expect("it starts");
    let accounts: Arc<Vec<_>> =
        Arc::new((0..ACCOUNTS).map(|n| AccountId::new(format!("{n:032x}")).expect("a valid id")).collect());
    for id in accounts.iter() {
        app.execute(id, Open { owner: "Ann".into() }).await.expect("a new account");
    }
    let following: Vec<_> = (0..readers)
        .map(|_| {
            let mut events = app.subscribe(Position::ZERO);
            tokio::spawn(async move { while let Some(Ok(_)) = events.next_stored().await {} })
        })
        .collect();
    let rate = rate(clients, |client, until, done| {
        let (app, accounts) = (app.clone(), Arc::clone(&accounts));
        async move {
            let mut count = client;
            while Instant::now() < until {
                let deposit = Deposit { transaction: Uuid::now_v7(), reference: format!("ref-{count:08}"), cents: 1 };
                app.execute(&accounts[count % ACCOUNTS], deposit).await.expect("a deposit");
                done.fetch_add(1, Ordering::Relaxed);
                count += clients;
            }
        }
    })
    .await;
    for task in following {
        task.abort();
    }
    app.shutdown().await.expect("it ends");
    rate
}
