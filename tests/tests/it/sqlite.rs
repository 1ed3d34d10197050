//! What holds for files: whose they are, who writes to them, and what is left after a crash.

mod dropped;
mod files;
mod log;
mod mounts;
mod others;
mod values;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gesta::read::{Column, ColumnKind, ColumnRole, Value};
use gesta::store::sqlite::{self, SqliteMode, SqliteOptions};
use gesta::store::{
    Append, AppendError, InlineFold, InlineRefusal, ModelSpec, NewEvent, Parked, ParkingChange, Placed, RowChange, RowKey,
    RowSet, Snapshot, Store, StoredEvent, StreamAppend,
};
use gesta::{Position, StartError, StoreError, StreamName, Timestamp, Uuid, Version};
use rusqlite::Connection;
use tempfile::TempDir;

fn directory() -> TempDir {
    TempDir::new().expect("a directory for the files")
}

fn open(path: impl Into<PathBuf>) -> Result<Store, StartError> {
    sqlite::open(&SqliteOptions::new(path))
}

fn open_as(path: impl Into<PathBuf>, mode: SqliteMode) -> Result<Store, StartError> {
    sqlite::open(&SqliteOptions::new(path).mode(mode))
}

fn append(stream: &str, expected: u64, events: u128) -> Append {
    let event = |n| NewEvent {
        id: Uuid::from_u128(n + 1),
        name: "Deposited",
        schema_version: 1,
        occurred_at: None,
        payload: b"{\"amount\":5}".to_vec(),
    };
    let stream = StreamName::parse(stream).expect("a name");
    Append {
        streams: vec![StreamAppend {
            stream,
            expected: Version::new(expected),
            expected_event: None,
            events: (0..events).map(event).collect(),
            key: None,
        }],
        recorded_at: "2026-11-21T09:30:00.000001Z".parse().expect("a time"),
        actor: Some("me".into()),
        correlation_id: None,
        causation_id: None,
        crowded: false,
        inline: None,
    }
}

async fn count(store: &Store) -> Result<u64, StoreError> {
    let mut seen = 0;
    let mut visit = |_: StoredEvent<'_>| {
        seen += 1;
        ControlFlow::Continue(())
    };
    store.log.read_all(Position::ZERO, usize::MAX, &mut visit).await?;
    Ok(seen)
}

/// Every file below a directory, with what it holds.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("the directory is there").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.clone(), if path.is_dir() { Vec::new() } else { std::fs::read(&path).expect("a file") })).collect()
}

/// A file that holds a store with one event, closed.
async fn written(path: &Path) {
    let store = open(path).expect("a new store");
    store.log.append(append("Account-1", 0, 1)).await.expect("an append");
    store.log.close().await.expect("closing");
}

#[tokio::test]
async fn what_is_not_ours_is_named_and_not_touched() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("text"), "dear diary\n".repeat(50)).expect("a file");
    std::fs::write(at("short"), "SQLite format 3\0").expect("a file");
    std::fs::write(at("zeros"), [0; 4096]).expect("a file");
    std::fs::create_dir(at("directory")).expect("a directory");
    for (name, journal) in [("foreign", "DELETE"), ("foreign_wal", "WAL")] {
        let foreign = Connection::open(at(name)).expect("a database");
        foreign.pragma_update(None, "journal_mode", journal).expect("a journal");
        foreign.execute_batch("CREATE TABLE diary (entry TEXT); INSERT INTO diary VALUES ('dear')").expect("a table");
    }
    let before = contents(directory.path());
    for (name, says) in [
        ("text", "it is no SQLite database"),
        ("short", "it ends within the header"),
        ("zeros", "it holds zeros only"),
        ("directory", "it is a directory"),
        ("foreign", "it is a SQLite database of something else"),
        ("foreign_wal", "it is a SQLite database of something else"),
    ] {
        for mode in [SqliteMode::Create, SqliteMode::ReadWrite, SqliteMode::ReadOnly] {
            let error = open_as(at(name), mode).err().unwrap_or_else(|| panic!("`{name}` was opened"));
            assert!(matches!(&error, StartError::NotOurs { why, .. } if why.starts_with(says)), "{name}: {error}");
        }
    }
    assert_eq!(contents(directory.path()), before, "something was touched");
}

#[tokio::test]
async fn a_newer_format_is_named_and_not_touched() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    written(&path).await;
    Connection::open(&path).expect("a database").pragma_update(None, "user_version", 7).expect("a format");
    let before = contents(directory.path());
    for mode in [SqliteMode::Create, SqliteMode::ReadWrite, SqliteMode::ReadOnly] {
        let error = open_as(&path, mode).err().expect("a newer format");
        assert!(matches!(error, StartError::NewerFormat { found: 7, known: 3, .. }), "{error}");
    }
    assert_eq!(contents(directory.path()), before, "something was touched");
}

/// Makes a file one of the second format, which had fewer columns.
fn make_second_format(path: &Path) {
    let connection = Connection::open(path).expect("a database");
    let sql = "ALTER TABLE gesta_keys DROP COLUMN hash_version; ALTER TABLE gesta_snapshots DROP COLUMN position;
        ALTER TABLE gesta_snapshots DROP COLUMN event_id; PRAGMA user_version = 2";
    connection.execute_batch(sql).expect("the second format");
}

/// Makes a file one of the first format, which had no `gesta_parked` either.
fn make_first_format(path: &Path) {
    make_second_format(path);
    let connection = Connection::open(path).expect("a database");
    connection.execute_batch("DROP TABLE gesta_parked; PRAGMA user_version = 1").expect("the first format");
}

#[tokio::test]
async fn a_file_of_the_first_format_is_read_as_it_is_and_migrated_where_it_is_written_to() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    written(&path).await;
    let columns = &[Column { name: "number", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Key, doc: "" }];
    let spec = ModelSpec { table: "scores", columns, fingerprint: 1, inline: false };
    let score = || RowChange { key: Value::Integer(1), row: Some(vec![Value::Integer(1)]) };
    let store = open(&path).expect("a store");
    let models = store.read_models.clone().expect("read models");
    let first = models.prepare(vec![spec.clone()]).await.expect("a model")[0].checkpoint.expect("its checkpoint");
    models.commit(0, vec![score()], first, Position::new(1)).await.expect("a commit");
    store.log.close().await.expect("closing");
    drop((store, models));
    make_first_format(&path);
    let before = contents(directory.path());

    let reader = open_as(&path, SqliteMode::ReadOnly).expect("a store of the first format");
    let models = reader.read_models.clone().expect("read models");
    assert!(models.prepare(vec![spec.clone()]).await.expect("a model")[0].checkpoint.is_some());
    assert_eq!(models.parked(0).await.expect("nothing is parked"), []);
    reader.log.close().await.expect("closing");
    drop((reader, models));
    assert_eq!(contents(directory.path())[&path], before[&path], "who reads changes nothing");

    for round in 0..2 {
        let store = open(&path).expect("a store of the first format, or of the second by now");
        assert_eq!(count(&store).await.expect("events"), 1);
        let models = store.read_models.clone().expect("read models");
        let at = models.prepare(vec![spec.clone()]).await.expect("a model")[0].checkpoint.expect("its checkpoint");
        assert_eq!(at.position, Position::new(1));
        assert_eq!(models.rows(0, &[Value::Integer(1)]).await.expect("a row"), [score().row]);
        assert_eq!(models.parked(0).await.expect("what is parked").len(), round);
        let stream = StreamName::parse("Account-1").expect("a stream");
        let (version, position, name) = (Version::new(1), Position::new(1), "Deposited".to_owned());
        let parked = Parked { stream, version, position, name, schema_version: 1, why: "why".to_owned() };
        let parking = vec![ParkingChange::Park(parked)];
        models.commit_parking(0, vec![], parking, at, Position::new(1)).await.expect("a stream is parked");
        store.log.close().await.expect("closing");
    }
}

/// A file of the second format keeps its keys. Its snapshots name no event, so they are not loaded, and new ones
/// take their place.
#[tokio::test]
async fn second_format_keeps_keys_and_drops_snapshots() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    written(&path).await;
    let stream = StreamName::parse("Account-1").expect("a stream");
    let store = open(&path).expect("a store");
    let mut last = None;
    let mut visit = |event: StoredEvent<'_>| {
        last = Some((event.version, event.position, event.id));
        std::ops::ControlFlow::Continue(())
    };
    store.log.read_stream(&stream, Version::ZERO, 10, &mut visit).await.expect("events");
    let (version, position, event_id) = last.expect("an event");
    let recorded_at = Timestamp::from_micros(7);
    let snapshot = Snapshot { version, position, event_id, recorded_at, payload: b"{}".to_vec() };
    store.snapshots.as_ref().expect("snapshots").save_snapshot(&stream, 1, snapshot.clone()).await.expect("a snapshot");
    store.log.close().await.expect("closing");
    drop(store);
    make_second_format(&path);
    let by_hand = Connection::open(&path).expect("a database");
    let key = "INSERT INTO gesta_keys VALUES ('Account-1', 'k', 77, 0, 1, 1, 7)";
    by_hand.execute(key, []).expect("a key of an earlier build");
    drop(by_hand);

    for mode in [SqliteMode::ReadOnly, SqliteMode::ReadWrite] {
        let store = open_as(&path, mode).expect("a store of the second format");
        let snapshots = store.snapshots.as_ref().expect("snapshots");
        assert_eq!(snapshots.load_snapshot(&stream, 1).await.expect("no error"), None);
        let key = store.keys.as_ref().expect("keys").find_key(&stream, "k").await.expect("a look").expect("the key");
        assert_eq!((key.command_hash, key.after), (77, Version::new(1)));
        if mode == SqliteMode::ReadWrite {
            snapshots.save_snapshot(&stream, 1, snapshot.clone()).await.expect("a snapshot");
            assert_eq!(snapshots.load_snapshot(&stream, 1).await.expect("no error"), Some(snapshot.clone()));
        }
        store.log.close().await.expect("closing");
    }
}

#[tokio::test]
async fn a_file_that_must_be_there_is_not_created() {
    let directory = directory();
    for mode in [SqliteMode::ReadOnly, SqliteMode::ReadWrite] {
        let error = open_as(directory.path().join("bank.db"), mode).err().expect("no such file");
        assert!(matches!(error, StartError::NoSuchFile { .. }), "{error}");
    }
    assert_eq!(contents(directory.path()), BTreeMap::new());
    let error = open(directory.path().join("none").join("bank.db")).err().expect("no such directory");
    assert!(error.to_string().contains("create it first"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_permission_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = directory();
    let path = directory.path().join("bank.db");
    written(&path).await;
    for permission in [0o000, 0o400] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(permission)).expect("a permission");
        // Whoever may do everything, as in most containers, is not held up by it.
        let may = std::fs::OpenOptions::new().read(true).write(true).open(&path).is_ok();
        match open(&path) {
            Ok(store) => {
                assert!(may, "a file without permission was opened");
                store.log.close().await.expect("closing");
            }
            Err(error) => assert!(!may && error.to_string().contains("grant this process the right"), "{error}"),
        }
    }
}

#[tokio::test]
async fn one_app_writes_to_a_file_however_it_is_spelt() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a new store");
    let mut spellings = vec![path.clone(), directory.path().join(".").join("bank.db")];
    #[cfg(unix)]
    {
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink("bank.db", &link).expect("a link");
        spellings.push(link);
    }
    for spelling in &spellings {
        for mode in [SqliteMode::Create, SqliteMode::ReadWrite] {
            let error = open_as(spelling, mode).err().expect("a second writer");
            assert!(matches!(error, StartError::InUse { .. }), "{error}");
        }
        let reader = open_as(spelling, SqliteMode::ReadOnly).expect("a reader beside it");
        reader.log.close().await.expect("closing");
    }
    store.log.close().await.expect("closing");
    for spelling in spellings {
        // Let go of by `close`, and by being dropped.
        let again = open(&spelling).expect("the file is free again");
        again.log.append(append("Account-1", count(&again).await.expect("a count"), 1)).await.expect("an append");
        drop(again);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_file_that_is_not_there_yet_takes_the_lock_of_the_file() {
    let directory = directory();
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink("bank.db", &link).expect("a link");
    let store = open(&link).expect("a new store");
    let error = open(directory.path().join("bank.db")).err().expect("a second writer");
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    drop(store);
}

/// What a child does with the file that it is told; the parent ends it in the midst.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_child() {
    let Ok(path) = std::env::var("GESTA_TESTS_CHILD") else { return };
    println!("began");
    let store = open(&path).expect("the file is ours alone");
    let head = count(&store).await.expect("a count");
    for version in head.. {
        match store.log.append(append("Account-1", version, 1)).await {
            Ok(_) => println!("stored {}", version + 1),
            Err(error) => {
                println!("refused {}", if matches!(error, AppendError::UnknownOutcome(_)) { "unknown" } else { "certain" });
                // Whatever failed, what is stored can be read.
                println!("read {}", count(&store).await.expect("a count"));
                return;
            }
        }
    }
}

fn child(path: &Path, shell: Option<&str>) -> (Child, impl Iterator<Item = String> + use<>) {
    child_of("sqlite::as_a_child", path, shell)
}

/// A process that runs one test of this program, which is told the path; `shell` starts the program
/// as `"$0" "$@"`.
fn child_of(name: &str, path: &Path, shell: Option<&str>) -> (Child, impl Iterator<Item = String> + use<>) {
    let test = std::env::current_exe().expect("this test's own program");
    let mut command = match shell {
        Some(script) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).arg(test);
            shell
        }
        None => Command::new(test),
    };
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env("GESTA_TESTS_CHILD", path);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    (child, lines)
}

fn stored(line: &str) -> Option<u64> {
    line.strip_prefix("stored ").and_then(|count| count.parse().ok())
}

#[tokio::test]
async fn a_killed_app_lets_go_of_its_file_and_has_lost_nothing() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let mut last = 0;
    for _ in 0..3 {
        let (mut child, mut lines) = child(&path, None);
        let more = last + 20;
        assert!(lines.by_ref().filter_map(|line| stored(&line)).any(|count| count >= more), "the child did not append");
        let error = open(&path).err().expect("the child holds the file");
        assert!(matches!(error, StartError::InUse { .. }), "{error}");
        child.kill().expect("it is killed");
        last = lines.filter_map(|line| stored(&line)).last().unwrap_or(more);
        child.wait().expect("it has ended");

        let store = open(&path).expect("the lock is free again");
        let found = count(&store).await.expect("a count");
        assert!((last..=last + 1).contains(&found), "{last} were acknowledged, {found} are there");
        last = found;
        store.log.close().await.expect("closing");
    }
}

#[tokio::test]
async fn a_crash_while_creating_leaves_a_store_or_nothing() {
    let directory = directory();
    for round in 0..24u32 {
        let path = directory.path().join(format!("{round}.db"));
        let (mut child, mut lines) = child(&path, None);
        assert!(lines.any(|line| line.ends_with("began")), "the child did not begin");
        // Somewhere between the first system call and the last; each outcome is right, so nothing depends on when.
        for step in 0..round * 20_000 {
            std::hint::black_box(step);
        }
        child.kill().expect("it is killed");
        child.wait().expect("it has ended");
        let acknowledged = lines.filter_map(|line| stored(&line)).last().unwrap_or(0);
        let store = open(&path).expect("whatever is left can be opened");
        let found = count(&store).await.expect("a count");
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{acknowledged} were acknowledged, {found} are there");
        store.log.append(append("Account-1", found, 1)).await.expect("an append");
        store.log.close().await.expect("closing");
    }
}

/// A rollback journal of a transaction that began on an empty file, see <https://sqlite.org/fileformat.html#the_rollback_journal>.
fn journal_of_a_creation() -> Vec<u8> {
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0u32, 0x1234_5678, 0, 512, 4096] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(512, 0);
    journal
}

#[tokio::test]
async fn a_creation_that_a_loss_of_power_cut_short_is_begun_again() {
    let directory = directory();
    let whole = directory.path().join("whole.db");
    written(&whole).await;
    let whole = std::fs::read(&whole).expect("a file");
    for (name, left) in [("pages", whole[..3 * 4096].to_vec()), ("zeros", vec![0; 8192]), ("nothing", Vec::new())] {
        let path = directory.path().join(name);
        std::fs::write(&path, left).expect("a file");
        std::fs::write(directory.path().join(format!("{name}-journal")), journal_of_a_creation()).expect("a journal");
        let store = open(&path).expect("a new store");
        assert_eq!(count(&store).await.expect("a count"), 0);
        store.log.append(append("Account-1", 0, 1)).await.expect("an append");
        store.log.close().await.expect("closing");
    }
}

#[tokio::test]
async fn a_store_that_was_not_switched_to_its_log_yet_is_switched() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    written(&path).await;
    let by_hand = Connection::open(&path).expect("a database");
    by_hand.pragma_update(None, "journal_mode", "DELETE").expect("a journal");
    drop(by_hand);
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 1, 1)).await.expect("an append");
    assert!(directory.path().join("bank.db-wal").exists());
    store.log.close().await.expect("closing");
    assert!(!directory.path().join("bank.db-wal").exists(), "closing writes the log back");
}

#[cfg(unix)]
#[tokio::test]
async fn when_the_disk_refuses_nothing_acknowledged_is_lost() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    // A limit on the size of files stands in for a disk that fails.
    let (mut child, lines) = child(&path, Some("trap '' XFSZ; ulimit -f 2000; exec \"$0\" \"$@\""));
    let (mut acknowledged, mut refused, mut read) = (0, None, None);
    for line in lines {
        acknowledged = stored(&line).unwrap_or(acknowledged);
        refused = line.strip_prefix("refused ").map(str::to_owned).or(refused);
        read = line.strip_prefix("read ").and_then(|count| count.parse::<u64>().ok()).or(read);
    }
    child.wait().expect("it has ended");
    let refused = refused.expect("the disk refused");
    assert!(acknowledged > 10, "only {acknowledged} were stored");
    assert_eq!(read, Some(acknowledged), "what is read after the failure");
    let store = open(&path).expect("a store");
    let found = count(&store).await.expect("a count");
    let possible = if refused == "unknown" { acknowledged..=acknowledged + 1 } else { acknowledged..=acknowledged };
    assert!(possible.contains(&found), "{acknowledged} were acknowledged, one was {refused}, {found} are there");
    store.log.append(append("Account-1", found, 1)).await.expect("an append");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_beside_the_writer_sees_what_is_stored() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let writer = open(&path).expect("a new store");
    let reader = open_as(&path, SqliteMode::ReadOnly).expect("a reader");
    let can = reader.log.capabilities();
    assert!(!can.writable && !can.sole_writer);
    for version in 0..5 {
        let waiting = Arc::clone(&reader.log);
        let waiting = tokio::spawn(async move { waiting.wait_beyond(Position::new(version)).await });
        writer.log.append(append("Account-1", version, 1)).await.expect("an append");
        waiting.await.expect("no panic").expect("it is woken");
        assert_eq!(count(&reader).await.expect("a count"), version + 1);
        assert_eq!(reader.log.head().await.expect("a head"), Position::new(version + 1));
    }
    assert_eq!(reader.log.event_types().await.expect("kinds"), writer.log.event_types().await.expect("kinds"));

    let refused = reader.log.append(append("Account-1", 5, 1)).await;
    assert!(matches!(refused, Err(AppendError::Store(StoreError::ReadOnly))), "{refused:?}");
    let waiting = Arc::clone(&reader.log);
    let waiting = tokio::spawn(async move { waiting.wait_beyond(Position::new(99)).await });
    reader.log.close().await.expect("closing");
    assert!(matches!(waiting.await.expect("no panic"), Err(StoreError::Closed)));
    assert!(matches!(reader.log.head().await, Err(StoreError::Closed)));
}

const COLUMNS: &[Column] = &[
    Column { name: "id", kind: ColumnKind::Text, nullable: false, role: ColumnRole::Key, doc: "" },
    Column { name: "balance", kind: ColumnKind::Integer, nullable: false, role: ColumnRole::Indexed, doc: "" },
];

fn spec(table: &'static str, fingerprint: u64) -> ModelSpec {
    ModelSpec { table, columns: COLUMNS, fingerprint, inline: false }
}

#[tokio::test]
async fn a_reader_reads_the_models_of_its_own_definition_only() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let writer = open(&path).expect("a new store");
    let reader = open_as(&path, SqliteMode::ReadOnly).expect("a reader");
    let (written, read) = (writer.read_models.expect("read models"), reader.read_models.expect("read models"));
    let checkpoints = async |specs: Vec<ModelSpec>| {
        let prepared = read.prepare(specs).await.expect("an open store");
        prepared.iter().map(|prepared| (prepared.place, prepared.checkpoint.map(|at| at.position.get()))).collect::<Vec<_>>()
    };
    assert_eq!(checkpoints(vec![spec("accounts", 1)]).await, vec![(0, None)]);
    assert!(read.rows(0, &[Value::Text("a".into())]).await.is_err(), "a model that is not there");

    let first = written.prepare(vec![spec("accounts", 1)]).await.expect("a model")[0].checkpoint.expect("its checkpoint");
    let row = vec![Value::Text("a".into()), Value::Integer(5)];
    let change = RowChange { key: row[0].clone(), row: Some(row.clone()) };
    written.commit(0, vec![change], first, Position::new(3)).await.expect("a commit");
    let seen = checkpoints(vec![spec("others", 1), spec("accounts", 1), spec("accounts2", 2)]).await;
    assert_eq!(seen, vec![(1, None), (0, Some(3)), (2, None)]);
    assert_eq!(read.rows(0, &[Value::Text("a".into())]).await.expect("rows"), vec![Some(row)]);
    let refused = read.commit(0, vec![], first, Position::new(4)).await;
    assert!(refused.is_err(), "a commit on a store that only reads");

    written.prepare(vec![spec("accounts", 2)]).await.expect("another definition");
    let refused = read.rows(0, &[Value::Text("a".into())]).await;
    assert!(refused.is_err(), "rows of another definition: {refused:?}");
    assert_eq!(checkpoints(vec![spec("accounts", 1)]).await, vec![(0, None)]);
}

#[tokio::test]
async fn a_table_that_is_not_ours_is_left_alone() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a new store");
    let by_hand = Connection::open(&path).expect("a database");
    by_hand.execute_batch("CREATE TABLE Accounts (mine TEXT); INSERT INTO Accounts VALUES ('yes')").expect("a table");
    let models = store.read_models.expect("read models");
    for (table, says) in [("accounts", "not ours"), ("gesta_events", "stores' own"), ("a\"b", "can't be the name")] {
        let error = models.prepare(vec![spec("fine", 1), spec(table, 1)]).await.expect_err("the name is taken");
        assert!(error.to_string().contains(says), "{error}");
    }
    let mine: String = by_hand.query_row("SELECT mine FROM Accounts", [], |row| row.get(0)).expect("it is still there");
    assert_eq!(mine, "yes");
    let fine: i64 =
        by_hand.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'fine'", [], |row| row.get(0)).expect("a count");
    assert_eq!(fine, 0, "what was refused left a table");
}

#[tokio::test]
async fn what_nobody_wrote_is_damage_that_names_its_position() {
    for damage in [
        "UPDATE gesta_events SET event_id = x'00' WHERE position = 2",
        "UPDATE gesta_events SET event_id = zeroblob(17) WHERE position = 2",
        "UPDATE gesta_events SET version = -7 WHERE position = 2",
        "UPDATE gesta_events SET type = 99 WHERE position = 2",
        "UPDATE gesta_events SET type = -1 WHERE position = 2",
        "UPDATE gesta_events SET correlation_id = x'' WHERE position = 2",
        "UPDATE gesta_events SET stream = CAST(x'ff' AS TEXT) WHERE position = 2",
        "UPDATE gesta_events SET actor = CAST(x'ff' AS TEXT) WHERE position = 2",
    ] {
        let directory = directory();
        let path = directory.path().join("bank.db");
        let store = open(&path).expect("a new store");
        store.log.append(append("Account-1", 0, 3)).await.expect("an append");
        Connection::open(&path).expect("a database").execute_batch(damage).expect("some damage");
        let mut seen = 0;
        let mut visit = |_: StoredEvent<'_>| {
            seen += 1;
            ControlFlow::Continue(())
        };
        let read = store.log.read_all(Position::ZERO, 10, &mut visit).await;
        assert!(matches!(&read, Err(StoreError::Damaged(why)) if why.contains("position 2 ")), "{damage}: {read:?}");
        assert_eq!(seen, 1, "{damage}: nothing is skipped");
    }
}

#[tokio::test]
async fn people_can_read_the_log() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a new store");
    let mut early = append("Account-ACC-1", 0, 1);
    early.streams[0].events[0].occurred_at = Some(Timestamp::from_micros(-1));
    store.log.append(early).await.expect("an append");
    let sql = "SELECT stream, version, name, payload, recorded_at, occurred_at, actor, event_id FROM gesta_log";
    let by_hand = Connection::open(&path).expect("a database");
    let line =
        by_hand.query_row(sql, [], |row| (0..8).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<Result<Vec<_>, _>>());
    let text = |text: &str| format!("{:?}", rusqlite::types::ValueRef::from(text));
    let expected = [
        text("Account-ACC-1"),
        "Integer(1)".to_owned(),
        text("Deposited"),
        text("{\"amount\":5}"),
        text("2026-11-21T09:30:00.000001Z"),
        text("1969-12-31T23:59:59.999999Z"),
        text("me"),
        text("00000000000000000000000000000001"),
    ];
    assert_eq!(line.expect("a line"), expected);
}

/// A fold that breaks the rule that folds do not panic.
struct Panics;

impl InlineFold for Panics {
    fn carries(&self, _model: usize) -> bool {
        false
    }
    fn keys(&self, _append: &Append) -> Result<Vec<RowKey>, InlineRefusal> {
        Ok(Vec::new())
    }
    fn fold(&self, _append: &Append, _placed: &Placed<'_>, _rows: &mut RowSet) -> Result<(), InlineRefusal> {
        panic!("on purpose")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_that_panics_does_not_end_the_writer() {
    let directory = directory();
    let store = open(directory.path().join("bank.db")).expect("a new store");
    let tasks: Vec<_> = (0..40)
        .map(|task| {
            let log = Arc::clone(&store.log);
            let mut said = append(&format!("Account-{task}"), 0, 1);
            if task % 8 == 3 {
                said.inline = Some(Arc::new(Panics));
            }
            tokio::spawn(async move { log.append(said).await })
        })
        .collect();
    for (at, task) in tasks.into_iter().enumerate() {
        let result = task.await.expect("the caller does not panic");
        assert_eq!(result.is_ok(), at % 8 != 3, "append {at}: {result:?}");
    }
    assert_eq!(count(&store).await.expect("a count"), 35);
    store.log.close().await.expect("closing");
}

#[tokio::test]
async fn a_dropped_store_finishes_what_was_queued() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a new store");
    let mut appends: Vec<_> = (0..100).map(|n| store.log.append(append(&format!("Account-{n}"), 0, 1))).collect();
    for append in &mut appends {
        // Queued by the first poll, and never polled again.
        std::future::poll_fn(|context| std::task::Poll::Ready(append.as_mut().poll(context).is_ready())).await;
    }
    drop(appends);
    drop(store);
    let store = open(&path).expect("the file is free again");
    assert_eq!(count(&store).await.expect("a count"), 100);
}
