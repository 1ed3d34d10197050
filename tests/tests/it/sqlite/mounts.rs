//! Files in a folder that can't be written.

use super::*;

/// What a child does: it reads the file, and says what it found.
#[tokio::test]
async fn as_reader_of_a_mount() {
    let Ok(path) = std::env::var("GESTA_TESTS_CHILD") else { return };
    let folder = Path::new(&path).parent().expect("a folder");
    assert!(std::fs::write(folder.join("probe"), "").is_err(), "the folder can be written");
    let writing = open(&path).err().expect("nothing can be written");
    println!("writing {writing}");
    match open_as(&path, SqliteMode::ReadOnly) {
        Ok(store) => {
            println!("found {}", count(&store).await.expect("a count"));
            println!("head {}", store.log.head().await.expect("a head"));
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).expect("a line");
            match count(&store).await {
                Ok(count) => println!("again {count}"),
                Err(why) => println!("refused {why}"),
            }
        }
        Err(why) => println!("refused {why}"),
    }
}

/// A child that sees the folder of a file as one that can't be written, and what it says; `None` if
/// this user can't make one.
#[cfg(target_os = "linux")]
fn reader_of_a_mount(path: &Path) -> Option<(Child, impl Iterator<Item = String> + use<>)> {
    let folder = path.parent().expect("a folder").display();
    let mount = format!("mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}'");
    let can = Command::new("unshare").args(["--mount", "sh", "-c", &mount]).output();
    if !can.is_ok_and(|can| can.status.success()) {
        println!("not run: this user can't mount a folder");
        return None;
    }
    let script = format!("exec unshare --mount sh -c \"{mount} && exec \\\"\\$0\\\" \\\"\\$@\\\"\" \"$0\" \"$@\"");
    Some(child_of("sqlite::mounts::as_reader_of_a_mount", path, Some(&script)))
}

/// The first line that tells something.
fn told(lines: &mut impl Iterator<Item = String>) -> String {
    let tells = |line: &String| ["writing ", "found ", "head ", "again ", "refused "].iter().any(|word| line.contains(word));
    let line = lines.find(tells).expect("the child says something");
    // The name of the test may stand before it.
    line.rsplit_once("... ").map_or(line.clone(), |(_, told)| told.to_owned())
}

/// R17: a file that was closed in order is read where nothing can be written; a writer that comes
/// later elsewhere is noticed.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn closed_file_is_read_in_a_folder_without_write_access() {
    use std::io::Write as _;
    let directory = directory();
    // Characters that mean something in a URL.
    let path = directory.path().canonicalize().expect("a folder").join("my bank?#%20.db");
    written(&path).await;
    let Some((mut child, mut lines)) = reader_of_a_mount(&path) else { return };
    let writing = told(&mut lines);
    assert!(writing.contains("mount its directory for writing, or open it with `?mode=ro`"), "{writing}");
    assert_eq!(told(&mut lines), "found 1");
    assert_eq!(told(&mut lines), "head 1");
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 1, 1)).await.expect("an append");
    child.stdin.take().expect("its input").write_all(b"\n").expect("a line");
    assert_eq!(told(&mut lines), "again 2");
    child.wait().expect("it has ended");
    store.log.close().await.expect("closing");
}

/// R17: a log that was left is not passed over: it holds the last events.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn log_in_a_folder_without_write_access_says_what_to_do() {
    let directory = directory();
    let path = directory.path().canonicalize().expect("a folder").join("bank.db");
    let store = open(&path).expect("a store");
    store.log.append(append("Account-1", 0, 1)).await.expect("an append");
    let folder = directory.path().canonicalize().expect("a folder").join("copy");
    std::fs::create_dir(&folder).expect("a folder");
    let copy = folder.join("bank.db");
    for ending in ["", "-wal"] {
        let [from, to] = [&path, &copy].map(|path| format!("{}{ending}", path.display()));
        std::fs::copy(from, to).expect("a copy");
    }
    let Some((mut child, mut lines)) = reader_of_a_mount(&copy) else { return };
    assert!(told(&mut lines).starts_with("writing "));
    let refused = told(&mut lines);
    assert!(refused.contains("bank.db-wal`") && refused.contains("copy both files"), "{refused}");
    child.wait().expect("it has ended");
    store.log.close().await.expect("closing");
}
