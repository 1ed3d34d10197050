//! Other programs that hold a lock of the file are named, with what to do about it.

use std::io::Read as _;

use super::*;

/// What a child does: it takes the lock that is asked for, and keeps it.
#[test]
fn as_foreign_writer() {
    let Ok(path) = std::env::var("GESTA_TESTS_CHILD") else { return };
    let (path, sql) = path.split_once('|').expect("a path and what to do");
    let writer = Connection::open(path).expect("a database");
    writer.execute_batch(sql).expect("a lock");
    println!("locked");
    // Until the parent closes it.
    let _ = std::io::stdin().read(&mut [0]);
}

fn lock(path: &Path, sql: &str) -> Child {
    let path = PathBuf::from(format!("{}|{sql}", path.display()));
    let (child, mut lines) = child_of("sqlite::others::as_foreign_writer", &path, None);
    assert!(lines.any(|line| line.ends_with("locked")), "the child did not lock");
    child
}

fn names(error: &str, path: &Path, child: &Child) {
    assert!(error.contains(&format!("`{}`", path.display())) && error.contains("end its transaction"), "{error}");
    if cfg!(target_os = "linux") {
        assert!(error.contains(&format!("process {} (", child.id())), "{error}");
    } else {
        assert!(error.contains("another program"), "{error}");
    }
}

/// R18: who holds the lock of which file, and what to do.
#[tokio::test]
async fn append_names_the_program_that_holds_the_lock() {
    let directory = directory();
    let path = directory.path().canonicalize().expect("a folder").join("bank.db");
    let store = open(&path).expect("a store");
    let mut child = lock(&path, "BEGIN IMMEDIATE");
    let appended = store.log.append(append("Account-1", 0, 1));
    let models = store.read_models.clone().expect("read models");
    let refused = appended.await.expect_err("the file is locked");
    names(&refused.to_string(), &path, &child);
    assert!(matches!(&refused, AppendError::Store(why) if why.is_retryable()), "{refused}");
    let refused = models.prepare(vec![spec("accounts", 1)]).await.expect_err("the file is locked");
    names(&refused.to_string(), &path, &child);
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    store.log.append(append("Account-1", 0, 1)).await.expect("the lock is free");
    store.log.close().await.expect("closing");
}

/// R18: the same for whoever opens the file, for writing or for reading.
#[tokio::test]
async fn opening_names_the_program_that_holds_the_lock() {
    let directory = directory();
    let path = directory.path().canonicalize().expect("a folder").join("bank.db");
    written(&path).await;
    let lock_all = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version = 3; COMMIT";
    let mut child = lock(&path, lock_all);
    for mode in [SqliteMode::ReadWrite, SqliteMode::ReadOnly] {
        let refused = open_as(&path, mode).err().expect("the file is locked");
        names(&refused.to_string(), &path, &child);
    }
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    open(&path).expect("the lock is free").log.close().await.expect("closing");
}
