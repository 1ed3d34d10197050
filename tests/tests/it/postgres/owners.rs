//! Several processes with the same read models: one feeds each of them, all read it, and another takes over where that one is gone.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gesta::store::postgres::{self, PostgresOptions};
use gesta::{App, Builder};
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;

use super::server::Database;
use crate::app::commands::lending;
use crate::domain::*;

/// An app as in a process of its own.
async fn process(database: &Database) -> App {
    let options = PostgresOptions::parse(&database.url("")).unwrap().lease(Duration::from_millis(900));
    let builder: Builder = App::on(postgres::open(&options).await.unwrap());
    lending(builder).projection::<Summary>().projection::<Amounts>().start().await.unwrap()
}

async fn deposit(app: &App, amount: i64) {
    let done = app.execute(&account("A"), Deposit { amount }).await.unwrap();
    let row = app.read::<Summary>().after(&done).get(&account("A")).await.unwrap();
    assert!(row.is_some_and(|row| row.version >= done.version.get()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_process_reads_what_each_has_written_whoever_feeds_the_models() {
    let database = Database::new().await;
    let first = process(&database).await;
    first.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
    let (second, third) = (process(&database).await, process(&database).await);
    for app in [&second, &first, &third, &second] {
        deposit(app, 5).await;
    }
    for app in [&first, &second, &third] {
        app.settle().await.unwrap();
        assert_eq!(app.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(20));
        let amounts = app.read::<Amounts>().all().await.unwrap();
        assert_eq!(amounts.iter().map(|row| (row.amount, row.times)).collect::<Vec<_>>(), [(5, 4)]);
    }
    // In order: the next one has them at once.
    first.shutdown().await.unwrap();
    deposit(&second, 1).await;
    deposit(&third, 1).await;
    second.shutdown().await.unwrap();
    deposit(&third, 1).await;
    assert_eq!(third.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(23));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_dead_process_has_fed_is_taken_over() {
    let database = Database::new().await;
    let url = database.url("");
    // A runtime of its own, which ends as a process does that is killed: without a word to anybody.
    let (opened, wait) = std::sync::mpsc::channel();
    let (die, died) = tokio::sync::oneshot::channel::<()>();
    let dying = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let options = PostgresOptions::parse(&url).unwrap().lease(Duration::from_millis(900));
            let app = lending(App::on(postgres::open(&options).await.unwrap())).projection::<Summary>().projection::<Amounts>();
            let app = app.start().await.unwrap();
            app.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
            deposit(&app, 5).await;
            opened.send(()).unwrap();
            let _ = died.await;
            std::mem::forget(app);
        });
        runtime.shutdown_background();
    });
    wait.recv().unwrap();
    let next = process(&database).await;
    deposit(&next, 5).await;
    die.send(()).unwrap();
    dying.join().unwrap();
    deposit(&next, 5).await;
    next.settle().await.unwrap();
    assert_eq!(next.read::<Summary>().get(&account("A")).await.unwrap().map(|row| row.balance), Some(15));
    assert_eq!(next.read::<Amounts>().all().await.unwrap()[0].times, 3);
}

/// No test takes as long; it only keeps a broken one from waiting for ever.
const LONG: Duration = Duration::from_secs(30);

/// A process of its own (`owners/process.rs`); it ends with this.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Process {
    /// Comes back once it feeds the models.
    fn start(url: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_models-owner"));
        let mut child = command.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let (stdin, output, (say, said)) = (child.stdin.take(), child.stdout.take().expect("it is piped"), channel());
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).all(|line| say.send(line).is_ok()));
        let mut process = Process { child, stdin, said };
        assert_eq!(process.answer(), "started");
        assert_eq!(process.ask("feeds"), "yes yes");
        process
    }
    fn answer(&self) -> String {
        self.said.recv_timeout(LONG).expect("it answers; what it says to its standard error is above")
    }
    fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("it has not ended"), "{line}").expect("it listens");
    }
    fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.answer()
    }
    /// Comes back once nothing of it runs any more.
    fn pause(&self) {
        self.signal("-STOP");
        let until = Instant::now() + LONG;
        let state = || Command::new("ps").args(["-o", "stat=", "-p", &self.child.id().to_string()]).output().unwrap().stdout;
        while !state().starts_with(b"T") {
            assert!(Instant::now() < until, "it does not stop");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    fn go_on(&self) {
        self.signal("-CONT");
    }
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("there is a `kill`").success());
    }
    /// It shuts down in order.
    fn end(mut self) {
        drop(self.stdin.take());
        let status = self.child.wait().expect("it was started here");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LEASE: Duration = Duration::from_secs(2);

/// Where a process stands when it is paused.
#[derive(Clone, Copy, PartialEq)]
enum Paused {
    /// It waits for events.
    Waiting,
    /// It has read an event, and asked for the row to fold it into.
    Folding,
    /// It has stored a row of each model, and not yet committed it.
    Storing,
}

impl Paused {
    /// Pauses it there; `append` gives it something to do.
    async fn pause(self, process: &Process, admin: &mut PgConnection, append: impl Future<Output = ()>) {
        let (lock, waiting) = match self {
            Paused::Waiting => {
                append.await;
                return process.pause();
            }
            Paused::Folding => ("begin; lock table amounts in access exclusive mode", 1),
            // Others may read.
            Paused::Storing => ("begin; lock table amounts, summary in exclusive mode", 2),
        };
        sqlx::raw_sql(lock).execute(&mut *admin).await.unwrap();
        append.await;
        let wait = "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        until(admin, &format!("select count(*) = {waiting} {wait}")).await;
        process.pause();
        admin.execute("rollback").await.unwrap();
        let open = "from pg_stat_activity where datname = current_database() and state = 'idle in transaction'";
        match self {
            Paused::Storing => until(admin, &format!("select count(*) = {waiting} {open}")).await,
            _ => until(admin, &format!("select count(*) = 0 {open}")).await,
        }
    }
}

async fn until(admin: &mut PgConnection, sql: &str) {
    let until = Instant::now() + LONG;
    while !sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *admin).await.unwrap() {
        assert!(Instant::now() < until, "it does not come to be so: {sql}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How often each model was taken over.
async fn epochs(admin: &mut PgConnection) -> Vec<i64> {
    sqlx::query_scalar("select epoch from gesta_models order by table_name").fetch_all(admin).await.unwrap()
}

/// Each event is in the rows once.
async fn counted_once(app: &App) {
    app.settle().await.unwrap();
    let history = app.history::<Account>(&account("A")).unwrap().all().await.unwrap();
    let (mut balance, mut times) = (0, BTreeMap::<i64, u32>::new());
    for event in &history {
        if let AccountEvent::Deposited(deposited) = &event.event {
            balance += deposited.amount;
            *times.entry(deposited.amount).or_default() += 1;
        }
    }
    let row = app.read::<Summary>().get(&account("A")).await.unwrap().unwrap();
    assert_eq!((row.balance, row.version), (balance, history.len() as u64));
    let amounts = app.read::<Amounts>().all().await.unwrap();
    assert_eq!(amounts.into_iter().map(|row| (row.amount, row.times)).collect::<BTreeMap<_, _>>(), times);
}

/// A process that feeds the models is paused for longer than its lease, another one takes over, and the first one goes on.
async fn goes_on_after_a_pause(paused: Paused) {
    for appends in ["shared", "exclusive"] {
        let database = Database::new().await;
        let url = database.url(&format!("?appends={appends}&lease_s={}", LEASE.as_secs()));
        let mut admin = database.connect().await;
        let mut first = Process::start(&url);
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().projection::<Amounts>();
        let app = app.start().await.unwrap();
        app.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
        deposit(&app, 5).await;
        assert_eq!(first.ask("5"), "10 at 3");
        // So nothing of it is under way.
        counted_once(&app).await;
        let before = epochs(&mut admin).await;
        let append = async {
            app.execute(&account("A"), Deposit { amount: 5 }).await.unwrap();
        };
        paused.pause(&first, &mut admin, append).await;

        // Nobody waits for it: neither those who read the log, nor those who want its models, for longer than a lease.
        assert_eq!(app.history::<Account>(&account("A")).unwrap().all().await.unwrap().len(), 4);
        let log = tokio::time::timeout(LEASE, app.subscribe(gesta::Position::ZERO).next()).await;
        assert!(log.is_ok_and(|event| event.is_some_and(|event| event.is_ok())), "the log can't be read");
        let after: Vec<_> = before.iter().map(|epoch| epoch + 1).collect();
        let taken = format!("select array_agg(epoch order by table_name) = array{after:?}::int8[] from gesta_models");
        until(&mut admin, &taken).await;
        deposit(&app, 5).await;
        deposit(&app, 7).await;
        counted_once(&app).await;

        first.go_on();
        let deadline = Instant::now() + LONG;
        while first.ask("feeds") != "superseded superseded" {
            assert!(Instant::now() < deadline, "it is not told that it was replaced");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        counted_once(&app).await;
        // It reads what the other one feeds, also where it has appended that itself.
        let balance = app.read::<Summary>().get(&account("A")).await.unwrap().unwrap();
        assert_eq!(first.ask("7"), format!("{} at {}", balance.balance + 7, balance.version + 1));
        deposit(&app, 5).await;
        counted_once(&app).await;
        assert_eq!(epochs(&mut admin).await, after);

        // The other way round it goes in order.
        app.shutdown().await.unwrap();
        while first.ask("feeds") != "yes yes" {
            assert!(Instant::now() < deadline, "it does not take over what was given back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(first.ask("5"), format!("{} at {}", balance.balance + 17, balance.version + 3));
        first.end();
        let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().projection::<Amounts>();
        let app = app.start().await.unwrap();
        counted_once(&app).await;
        app.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_was_paused_finds_that_it_was_replaced() {
    goes_on_after_a_pause(Paused::Waiting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_process_has_folded_before_it_was_paused_and_replaced_is_not_stored() {
    goes_on_after_a_pause(Paused::Folding).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_process_has_stored_and_not_committed_before_it_was_paused_is_undone() {
    goes_on_after_a_pause(Paused::Storing).await;
}

/// It is the only one that may append, and stopped before it was through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_was_paused_in_an_append_keeps_nobody_from_appending() {
    let database = Database::new().await;
    let url = database.url(&format!("?appends=exclusive&lease_s={}", LEASE.as_secs()));
    let mut admin = database.connect().await;
    let mut first = Process::start(&url);
    let app = lending(App::connect(&url).await.unwrap()).projection::<Summary>().projection::<Amounts>().start().await.unwrap();
    app.execute(&account("A"), Open { owner: "Ann".into() }).await.unwrap();
    counted_once(&app).await;
    let slow = "create function slow() returns trigger language plpgsql as
            'begin perform pg_advisory_xact_lock_shared(1); return null; end';
        create trigger slow after insert on gesta_events for each statement execute function slow();
        select pg_advisory_lock(1)";
    sqlx::raw_sql(slow).execute(&mut admin).await.unwrap();
    first.tell("5");
    let waits = "from pg_locks where locktype = 'advisory' and objid = 1 and not granted
        and database = (select oid from pg_database where datname = current_database())";
    until(&mut admin, &format!("select count(*) = 1 {waits}")).await;
    first.pause();
    sqlx::raw_sql("select pg_advisory_unlock(1)").execute(&mut admin).await.unwrap();
    let open = "from pg_stat_activity where datname = current_database() and state = 'idle in transaction'";
    until(&mut admin, &format!("select count(*) = 1 {open}")).await;

    let began = Instant::now();
    app.execute(&account("A"), Deposit { amount: 7 }).await.expect("nobody else is alive");
    assert!(began.elapsed() < 3 * LEASE, "{:?}", began.elapsed());
    first.go_on();
    // Its own is stored once, behind the other.
    assert_eq!(first.answer(), "12 at 3");
    counted_once(&app).await;
    first.end();
    app.shutdown().await.unwrap();
}
