//! The files of a store are those that were opened, belong to their owner, and have a name.

use std::time::{Duration, Instant};

use super::*;
use crate::app::commands::lending;
use crate::domain::{Deposit, Open, account};
use crate::told::Listening;

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

const REPLACED: &str = "was removed, moved or replaced while the store had it open";

/// What was tried, on which of the files.
const REPLACEMENTS: [(&str, &str); 7] =
    [("empty", ""), ("remove", ""), ("move", ""), ("replace", ""), ("remove", "-wal"), ("replace", "-wal"), ("remove", "folder")];

fn replace(path: &Path, (how, which): (&str, &str)) {
    let file = if which == "folder" { path.parent().expect("a folder").to_owned() } else { beside(path, which) };
    let other = file.with_extension("other");
    match how {
        "empty" => std::fs::write(&file, ""),
        "remove" if file.is_dir() => std::fs::remove_dir_all(&file),
        "remove" => std::fs::remove_file(&file),
        "move" => std::fs::rename(&file, other),
        _ => std::fs::copy(&file, &other).and_then(|_| std::fs::rename(other, &file)),
    }
    .expect("a file of ours");
}

/// R29: what is acknowledged is in the file that has the path.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_is_not_acknowledged_once_the_file_was_replaced() {
    for replacement in REPLACEMENTS {
        let directory = directory();
        let folder = directory.path().join("data");
        std::fs::create_dir(&folder).expect("a folder");
        let path = folder.join("bank.db");
        let store = open(&path).expect("a store");
        store.log.append(append("Account-1", 0, 1)).await.expect("an append");
        let waiting = tokio::spawn({
            let log = Arc::clone(&store.log);
            async move { log.wait_beyond(Position::new(1)).await }
        });
        replace(&path, replacement);
        let first = store.log.append(append("Account-1", 1, 1)).await.expect_err("the file is not there");
        assert!(
            matches!(&first, AppendError::UnknownOutcome(why) if why.to_string().contains(REPLACED)),
            "{replacement:?}: {first}"
        );
        // Nothing goes on as if nothing had happened.
        let second = store.log.append(append("Account-2", 0, 1)).await.expect_err("the store has stopped");
        assert!(matches!(&second, AppendError::Store(why) if why.to_string().contains(REPLACED)), "{replacement:?}: {second}");
        let read = count(&store).await.expect_err("the store has stopped");
        assert!(read.to_string().contains(REPLACED), "{replacement:?}: {read}");
        let waited = waiting.await.expect("no panic").expect_err("nothing comes any more");
        assert!(waited.to_string().contains(REPLACED), "{replacement:?}: {waited}");
        let closed = store.log.close().await.expect_err("something is lost");
        assert!(closed.to_string().contains(REPLACED), "{replacement:?}: {closed}");
    }
}

/// R29: the files that keep other processes in order hold no events, so they are looked at once a
/// second.
#[cfg(unix)]
#[tokio::test]
async fn store_stops_once_its_lock_was_removed() {
    for ending in ["-shm", ".lock"] {
        let directory = directory();
        let path = directory.path().join("bank.db");
        let store = open(&path).expect("a store");
        std::fs::remove_file(beside(&path, ending)).expect("a file of ours");
        let (mut version, began) = (0, Instant::now());
        let refused = loop {
            match store.log.append(append("Account-1", version, 1)).await {
                Ok(_) => version += 1,
                Err(refused) => break refused,
            }
            assert!(began.elapsed() < Duration::from_secs(30), "`{ending}` is not missed");
        };
        assert!(refused.to_string().contains("unknown") || refused.to_string().contains(REPLACED), "{refused}");
        let refused = store.log.append(append("Account-1", version, 1)).await.expect_err("the store has stopped");
        assert!(refused.to_string().contains(REPLACED) && refused.to_string().contains(ending), "{refused}");
    }
}

/// R29: also where nothing is written after it, shutting down does not say that all is well.
#[cfg(unix)]
#[tokio::test]
async fn shutdown_says_that_the_file_was_removed() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let url = format!("sqlite:{}", path.display());
    let builder = gesta::App::connect(&url).await.expect("a store");
    let app = lending(builder).start().await.expect("an app");
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.expect("a command");
    std::fs::remove_file(&path).expect("a file of ours");
    let error = app.shutdown().await.expect_err("the file is gone");
    assert!(error.to_string().contains(REPLACED), "{error}");
}

/// R29: and a command says so, with its type.
#[cfg(unix)]
#[tokio::test]
async fn command_is_refused_once_the_file_was_removed() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let url = format!("sqlite:{}", path.display());
    let builder = gesta::App::connect(&url).await.expect("a store");
    let app = lending(builder).start().await.expect("an app");
    app.execute(&account("a"), Open { owner: "Ann".into() }).await.expect("a command");
    std::fs::remove_file(&path).expect("a file of ours");
    for _ in 0..2 {
        let refused = app.execute(&account("a"), Deposit { amount: 1 }).await.expect_err("the file is gone");
        let refused = format!("{refused:?}");
        assert!(refused.contains("FileReplaced"), "{refused}");
    }
}

/// R29: a reader that stays with the file of before would answer from it for ever.
#[cfg(unix)]
#[tokio::test]
async fn reader_is_refused_once_the_file_was_replaced() {
    for how in ["empty", "remove", "replace"] {
        let directory = directory();
        let path = directory.path().join("bank.db");
        written(&path).await;
        let reader = open_as(&path, SqliteMode::ReadOnly).expect("a reader");
        assert_eq!(count(&reader).await.expect("a count"), 1);
        replace(&path, (how, ""));
        let refused = count(&reader).await.expect_err("the file is another one");
        assert!(refused.to_string().contains(REPLACED), "{refused}");
        let refused = reader.log.wait_beyond(Position::new(9)).await.expect_err("the file is another one");
        assert!(refused.to_string().contains(REPLACED), "{refused}");
    }
}

/// Whether this process holds SQLite's shared lock of a file, see
/// <https://sqlite.org/fileformat.html> on the lock-byte page.
#[cfg(target_os = "linux")]
fn holds_the_shared_lock(path: &Path) -> bool {
    use std::os::linux::fs::MetadataExt as _;
    let locks = std::fs::read_to_string("/proc/locks").expect("the system's locks");
    let inode = format!(":{} 1073741826 ", path.metadata().expect("a file").st_ino());
    let process = format!(" {} ", std::process::id());
    locks.lines().any(|line| line.contains(&inode) && line.contains(&process))
}

/// R29: POSIX drops a process's locks on a file when the process closes any descriptor of it. Then
/// a program that closes the file (sqlite3 before 3.51, for example) takes itself for the last one,
/// and removes the log under the app.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn second_opening_in_a_process_keeps_the_locks_of_the_first() {
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 0, 1)).await.expect("an append");
    assert!(holds_the_shared_lock(&path));
    for mode in [SqliteMode::Create, SqliteMode::ReadWrite] {
        assert!(matches!(open_as(&path, mode), Err(StartError::InUse { .. })));
        assert!(holds_the_shared_lock(&path), "{mode:?}");
    }
    let reader = open_as(&path, SqliteMode::ReadOnly).expect("a reader");
    assert_eq!(count(&reader).await.expect("a count"), 1);
    drop(reader);
    assert!(holds_the_shared_lock(&path));
    store.log.close().await.expect("closing");
    assert!(!holds_the_shared_lock(&path));
    // The next opening looks into the file again.
    std::fs::write(&path, "dear diary\n".repeat(50)).expect("a file");
    assert!(matches!(open(&path), Err(StartError::NotOurs { .. })));
}

/// R27: a path that can only lead to a folder makes no file of another name.
#[tokio::test]
async fn path_of_a_folder_is_refused_and_creates_nothing() {
    let directory = directory();
    for end in ["data/", "data/.", "data//", "data/..", "."] {
        let path = format!("{}/{end}", directory.path().display());
        for error in [open(&path).err(), gesta::store::connect(&format!("sqlite:{path}")).await.err()] {
            let error = error.unwrap_or_else(|| panic!("`{path}` was opened"));
            assert!(error.to_string().contains("folder") && error.to_string().contains("name of the file"), "{error}");
        }
    }
    assert_eq!(contents(directory.path()), BTreeMap::new());
}

/// A new file is its owner's alone, with all files beside it; one that is there keeps its
/// permissions.
#[cfg(unix)]
#[tokio::test]
async fn new_file_is_private_and_an_old_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = directory();
    let path = directory.path().join("bank.db");
    let mode = |ending: &str| beside(&path, ending).metadata().expect("a file").permissions().mode() & 0o777;
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 0, 1)).await.expect("an append");
    for ending in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(ending), 0o600, "`{ending}`");
    }
    store.log.close().await.expect("closing");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    let store = open(&path).expect("a store");
    assert_eq!([mode(""), mode("-wal"), mode("-shm")], [0o640; 3]);
    store.log.close().await.expect("closing");
}

/// R28: a copy without its log is opened with a warning that says what it holds, since it can't be
/// told from a closed file.
#[tokio::test]
async fn copy_without_its_log_is_opened_with_a_warning() {
    let listening = Listening::begin();
    let directory = directory();
    let path = directory.path().join("bank.db");
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 0, 3)).await.expect("an append");
    let warnings = |name: &str| {
        let lines = listening.lines().into_iter();
        lines.filter(|line| line.contains(name) && line.contains("WARN")).collect::<Vec<_>>()
    };
    for mode in [SqliteMode::ReadOnly, SqliteMode::ReadWrite] {
        let copy = directory.path().join(format!("{mode:?}.db"));
        std::fs::copy(&path, &copy).expect("a copy");
        let opened = open_as(&copy, mode).expect("a store");
        assert_eq!(count(&opened).await.expect("a count"), 0);
        let warnings = warnings(&format!("{mode:?}.db"));
        assert!(
            matches!(&warnings[..], [one] if one.contains("`VACUUM INTO`") && one.contains("last_position=0")),
            "{warnings:?}"
        );
    }
    // The two right ways to copy an open file. Both are whole, and neither is warned of.
    let whole = directory.path().join("whole.db");
    for ending in ["", "-wal"] {
        std::fs::copy(beside(&path, ending), beside(&whole, ending)).expect("a copy");
    }
    let vacuumed = directory.path().join("vacuumed.db");
    let by_hand = Connection::open(&path).expect("a database");
    by_hand.execute("VACUUM INTO ?1", [vacuumed.to_str()]).expect("a backup");
    for copy in [whole, vacuumed] {
        let opened = open(&copy).expect("a store");
        assert_eq!(count(&opened).await.expect("a count"), 3);
        opened.log.append(append("Account-1", 3, 1)).await.expect("an append");
        opened.log.close().await.expect("closing");
    }
    store.log.close().await.expect("closing");
    assert_eq!(warnings("db"), Vec::<String>::new());
}
