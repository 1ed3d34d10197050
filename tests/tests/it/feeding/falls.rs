//! A fold that ends its process is found and passed over. A process that is killed from outside passes over nothing.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::{LONG, until};
use crate::postgres::server::Database;
use crate::stores::Folder;

/// A process of its own (`process.rs`).
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
}

/// The program, and whether its code is mended.
#[derive(Clone)]
struct Build {
    program: PathBuf,
    mended: bool,
}

impl Build {
    fn first() -> Self {
        Build { program: PathBuf::from(env!("CARGO_BIN_EXE_feeding-process")), mended: false }
    }
    /// Another program file, whose code is mended.
    fn mended(folder: &Folder) -> Self {
        let program = folder.file("mended");
        std::fs::copy(env!("CARGO_BIN_EXE_feeding-process"), &program).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(&program).unwrap();
        file.write_all(b"a later build").unwrap();
        Build { program, mended: true }
    }
}

impl Process {
    fn start(build: &Build, url: &str, model: &str) -> Self {
        let mut command = Command::new(&build.program);
        command.args([url, model]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if build.mended {
            command.env("MENDED", OsString::from("1"));
        }
        let mut child = command.spawn().expect("it starts");
        let (stdin, output, (say, said)) = (child.stdin.take(), child.stdout.take().expect("it is piped"), channel());
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).all(|line| say.send(line).is_ok()));
        Process { child, stdin, said }
    }
    /// The next line that it says; none if it has died.
    fn answer(&self) -> Option<String> {
        use std::sync::mpsc::RecvTimeoutError;
        match self.said.recv_timeout(2 * LONG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing"),
        }
    }
    fn tell(&mut self, line: &str) {
        // It may have died.
        let _ = writeln!(self.stdin.as_mut().expect("it has not ended"), "{line}");
    }
    fn ask(&mut self, line: &str) -> Option<String> {
        self.tell(line);
        self.answer()
    }
    /// Its answer behind those that it gives first.
    fn ask_started(&mut self, line: &str) -> Option<String> {
        self.tell(line);
        (self.answer()? == "started").then_some(())?;
        self.answer()
    }
    /// Its answer once that is another one: what it does at its start may not be done, or another process may have the model still.
    fn ask_until(&mut self, line: &str, other: &str) -> Option<String> {
        let until = Instant::now() + LONG;
        loop {
            let answer = self.ask(line);
            if !answer.as_ref().is_some_and(|answer| answer.contains(other)) || Instant::now() > until {
                return answer;
            }
        }
    }
    /// It has died by itself.
    fn died(mut self) {
        let status = self.child.wait().expect("it was started here");
        assert_eq!(status.signal(), Some(6), "{status}");
    }
    /// It ends in order.
    fn end(mut self) {
        drop(self.stdin.take());
        let status = self.child.wait().expect("it was started here");
        assert!(status.success(), "{status}");
    }
    /// It is killed from outside.
    fn kill(mut self) {
        self.child.kill().expect("it runs");
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The deaths of a process that is started again and again, until one lives and answers.
fn deaths(build: &Build, url: &str, model: &str) -> (u32, Process, String) {
    for deaths in 0..10 {
        let mut process = Process::start(build, url, model);
        if let Some(answer) = process.ask_started("settle") {
            return (deaths, process, answer);
        }
        process.died();
    }
    panic!("it dies again and again");
}

fn is_parked(url: &str) {
    println!("on {url}");
    let (build, folder) = (Build::first(), Folder::new());
    let mut process = Process::start(&build, url, "falls");
    for line in ["dig 1", "dig 2", "fall 1 softly", "fall 2 softly"] {
        let answer = if line == "dig 1" { process.ask_started(line) } else { process.ask(line) };
        assert!(answer.is_some_and(|answer| answer.parse::<u64>().is_ok()), "{line}");
    }
    assert_eq!(process.ask("settle").as_deref(), Some("settled"));
    process.tell("fall 1 deep");
    while process.answer().is_some() {}
    process.died();

    // The first death named no event, so two more did.
    let (count, mut process, answer) = deaths(&build, url, "falls");
    assert_eq!(count, 2, "{answer}");
    let why = "2 processes of this build have died while they folded it";
    assert!(answer.contains("parked") && answer.contains("event 3 of `Well-1`") && answer.contains(why), "{answer}");
    assert_eq!(process.ask("read 2").as_deref(), Some("Some(1)"));
    // The other model was in the same event each time, and is innocent.
    assert_eq!(process.ask_until("calm 1", "Some(1)").as_deref(), Some("Ok(0) Ok(Some(2))"));
    assert!(process.ask("read 1").is_some_and(|answer| answer.contains(why)));
    assert!(process.ask("fall 2 softly").is_some());
    process.end();
    // It is not met again: neither after an orderly end, nor after a kill.
    for kills in [false, true] {
        let mut process = Process::start(&build, url, "falls");
        assert!(process.ask_started("settle").is_some_and(|answer| answer.contains(why)));
        assert_eq!(process.ask("read 2").as_deref(), Some("Some(2)"));
        if kills { process.kill() } else { process.end() }
    }
    // Whoever asks for it gets it.
    let mut process = Process::start(&build, url, "falls");
    assert_eq!(process.ask_started("parked").as_deref(), Some("1"));
    assert_eq!(process.ask_until("retry", "another app feeds it now"), None);
    process.died();
    let (count, process, answer) = deaths(&build, url, "falls");
    assert_eq!(count, 0, "{answer}");
    process.end();
    // Another build mends it by itself.
    let mut process = Process::start(&Build::mended(&folder), url, "falls");
    assert_eq!(process.answer().as_deref(), Some("started"));
    assert_eq!(process.ask_until("settle", "parked").as_deref(), Some("settled"));
    assert_eq!(process.ask("read 1").as_deref(), Some("Some(2)"));
    process.end();
}

/// R12: an endless recursion in a fold ended the process at each start, for ever.
#[test]
fn a_fold_that_ends_its_process_is_parked_in_a_file() {
    let folder = Folder::new();
    is_parked(&folder.url("test.db"));
}

/// R12: the same on Postgres, where the lease of a dead process has to run out first.
#[tokio::test(flavor = "multi_thread")]
async fn a_fold_that_ends_its_process_is_parked_on_postgres() {
    let database = Database::new().await;
    let url = database.url("?lease_s=1");
    tokio::task::spawn_blocking(move || is_parked(&url)).await.unwrap();
}

fn is_stopped(url: &str) {
    println!("on {url}");
    let (build, folder) = (Build::first(), Folder::new());
    let mut process = Process::start(&build, url, "all");
    assert!(process.ask_started("dig 1").is_some());
    assert!(process.ask("fall 1 softly").is_some());
    process.tell("fall 1 deep");
    while process.answer().is_some() {}
    process.died();
    let (count, process, answer) = deaths(&build, url, "all");
    assert_eq!(count, 2, "{answer}");
    assert!(answer.contains("has stopped") && answer.contains("event 3 of `Well-1` (`Fell` version 1"), "{answer}");
    process.end();
    let mut process = Process::start(&build, url, "all");
    assert!(process.ask_started("settle").is_some_and(|answer| answer.contains("has stopped")));
    process.end();
    let mut process = Process::start(&Build::mended(&folder), url, "all");
    assert_eq!(process.ask_started("settle").as_deref(), Some("settled"));
    process.end();
}

/// R12: a model that can't park stops before the event, and names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_can_not_park_stops_at_a_fatal_fold() {
    let (folder, database) = (Folder::new(), Database::new().await);
    for url in [folder.url("test.db"), database.url("?lease_s=1")] {
        tokio::task::spawn_blocking(move || is_stopped(&url)).await.unwrap();
    }
}

/// R12: an inline model of a file that meets such an event at its start names it, and ends no process any more.
#[test]
fn an_inline_model_names_a_fatal_fold_at_its_start() {
    let folder = Folder::new();
    let (build, url) = (Build::first(), folder.url("test.db"));
    let mut process = Process::start(&build, &url, "none");
    assert!(process.ask_started("dig 1").is_some());
    assert!(process.ask("fall 1 deep").is_some());
    process.end();
    for _ in 0..3 {
        let process = Process::start(&build, &url, "inline");
        assert_eq!(process.answer(), None);
        process.died();
    }
    for _ in 0..2 {
        let answer = Process::start(&build, &url, "inline").answer().unwrap();
        assert!(answer.contains("could not be caught up") && answer.contains("event 2 of `Well-1`"), "{answer}");
    }
    let mut process = Process::start(&Build::mended(&folder), &url, "inline");
    assert_eq!(process.ask_started("read 1").as_deref(), Some("Some(1)"));
    process.end();
}

fn is_killed(url: &str) {
    println!("on {url}");
    let (build, folder) = (Build::first(), Folder::new());
    let mut process = Process::start(&build, url, "falls");
    assert!(process.ask_started("dig 1").is_some());
    assert_eq!(process.ask("settle").as_deref(), Some("settled"));
    // It is killed in the fold of this very event, twice.
    process.tell("fall 1 slow");
    while process.answer().expect("it lives") != "folding" {}
    process.kill();
    let process = Process::start(&build, url, "falls");
    while process.answer().expect("it lives") != "folding" {}
    process.kill();
    let mut process = Process::start(&Build { mended: true, ..build.clone() }, url, "falls");
    assert_eq!(process.ask_started("settle").as_deref(), Some("settled"));
    assert_eq!(process.ask("read 1").as_deref(), Some("Some(1)"));
    // Nothing of that is left: it takes as many deaths as before.
    process.tell("fall 1 softly");
    process.kill();
    // Killed at any moment.
    for round in 0..8_u32 {
        let mut process = Process::start(&Build { mended: true, ..build.clone() }, url, "falls");
        assert_eq!(process.answer().as_deref(), Some("started"));
        for _ in 0..4 * round {
            process.tell("fall 1 softly");
        }
        for _ in 0..round {
            assert!(process.answer().is_some());
        }
        std::thread::sleep(std::time::Duration::from_millis(u64::from(round % 4) * 40));
        process.kill();
    }
    let mut process = Process::start(&Build::mended(&folder), url, "falls");
    assert_eq!(process.ask_started("settle").as_deref(), Some("settled"));
    assert_eq!(process.ask("parked").as_deref(), Some("0"));
    process.end();
}

/// R12: a process that is killed from outside parks no innocent event.
#[tokio::test(flavor = "multi_thread")]
async fn kills_from_outside_park_nothing() {
    let (folder, database) = (Folder::new(), Database::new().await);
    for url in [folder.url("test.db"), database.url("?lease_s=1")] {
        tokio::task::spawn_blocking(move || is_killed(&url)).await.unwrap();
    }
}

/// R12: nor does one that is killed while its store lets it wait, which it may do for long.
#[tokio::test(flavor = "multi_thread")]
async fn kills_while_the_store_waits_park_nothing() {
    use sqlx::Executor as _;

    let database = Database::new().await;
    let url = database.url("?lease_s=1");
    let (mut admin, mut holder) = (database.connect().await, database.connect().await);
    let build = Build::first();
    let mut process = Process::start(&build, &url, "falls");
    assert!(process.ask_started("dig 1").is_some());
    assert_eq!(process.ask("settle").as_deref(), Some("settled"));
    sqlx::raw_sql("begin; lock table falls in access exclusive mode").execute(&mut holder).await.unwrap();
    process.tell("fall 1 softly");
    let mut since = "-infinity".to_owned();
    for _ in 0..3 {
        let waits = format!(
            "select count(*) > 0 and not exists (select from gesta_begun where table_name = 'falls' and position > 0)
             from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and backend_start > '{since}'"
        );
        until("the process waits", async || {
            sqlx::query_scalar(sqlx::AssertSqlSafe(&*waits)).fetch_one(&mut admin).await.unwrap()
        })
        .await;
        process.kill();
        since = sqlx::query_scalar("select clock_timestamp()::text").fetch_one(&mut admin).await.unwrap();
        process = Process::start(&build, &url, "falls");
    }
    holder.execute("rollback").await.unwrap();
    tokio::task::spawn_blocking(move || {
        assert_eq!(process.ask_started("settle").as_deref(), Some("settled"));
        assert_eq!(process.ask("parked").as_deref(), Some("0"));
        process.end();
    })
    .await
    .unwrap();
}

/// R12: the death of a process that feeds nothing leaves no note, and an owner that ends in order takes its own back.
#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_a_bystander_counts_for_nothing() {
    let database = Database::new().await;
    let url = database.url("?lease_s=30");
    let mut admin = database.connect().await;
    let owner = tokio::task::spawn_blocking(move || {
        let build = Build::first();
        let mut owner = Process::start(&build, &url, "falls");
        assert!(owner.ask_started("dig 1").is_some());
        assert_eq!(owner.ask("settle").as_deref(), Some("settled"));
        for _ in 0..3 {
            let mut bystander = Process::start(&build, &url, "falls");
            assert!(bystander.ask_started("fall 1 softly").is_some());
            assert_eq!(bystander.ask("settle").as_deref(), Some("settled"));
            bystander.kill();
        }
        owner
    });
    let owner = owner.await.unwrap();
    let noted: Vec<i64> = sqlx::query_scalar("select position from gesta_begun").fetch_all(&mut admin).await.unwrap();
    assert_eq!(noted, [0, 0], "the owner's notes, one for each model");
    tokio::task::spawn_blocking(move || owner.end()).await.unwrap();
    let noted: i64 = sqlx::query_scalar("select count(*) from gesta_begun").fetch_one(&mut admin).await.unwrap();
    assert_eq!(noted, 0);
}

/// R12: files and schemas of earlier builds have no table for it, and open.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_the_table_of_begun_folds_opens() {
    use gesta::App;
    use sqlx::Executor as _;

    use super::falling::{Dig, Falls, Well};

    let (folder, database) = (Folder::new(), Database::new().await);
    let urls = [folder.url("test.db"), database.url("")];
    let start =
        async |url: &str| App::connect(url).await.unwrap().aggregate::<Well>().projection::<Falls>().start().await.unwrap();
    for url in &urls {
        let app = start(url).await;
        app.execute(&1, Dig).await.unwrap();
        app.settle().await.unwrap();
        app.shutdown().await.unwrap();
    }
    database.connect().await.execute("drop table gesta_begun").await.unwrap();
    let file = rusqlite::Connection::open(folder.file("test.db")).unwrap();
    // As a file of format 2 is.
    file.execute_batch(
        "DROP TABLE gesta_begun; ALTER TABLE gesta_keys DROP COLUMN hash_version; ALTER TABLE gesta_snapshots DROP COLUMN position; \
         ALTER TABLE gesta_snapshots DROP COLUMN event_id; PRAGMA user_version = 2",
    )
    .unwrap();
    drop(file);
    for url in &urls {
        let app = start(url).await;
        app.execute(&2, Dig).await.unwrap();
        app.settle().await.unwrap();
        assert_eq!(app.read::<Falls>().all().await.unwrap().len(), 2);
        app.shutdown().await.unwrap();
    }
}
