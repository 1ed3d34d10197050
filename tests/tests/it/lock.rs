//! The schema lock as a stranger meets it: a new crate outside of this workspace, and cargo and git as they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A new package with a repository of its own.
struct Package(tempfile::TempDir);

const DOMAIN: &str = r#"
use gesta::prelude::*;

#[event]
pub struct Opened {
    pub owner: String,
}
#[event]
pub struct Renamed {
    pub owner: String,
}

pub struct Account {
    pub owner: String,
}

#[aggregate(id = u64, schema = "account.events")]
impl Account {
    fn opened(e: Opened) -> Self {
        Account { owner: e.owner }
    }
    fn renamed(&mut self, e: Renamed) {
        self.owner = e.owner;
    }
}
"#;

/// The same with version 2 of an event, which has one more field.
fn with_version_2(of: &str, field: &str) -> String {
    let before = format!("#[event]\npub struct {of} {{\n");
    let after = format!("#[event(version = 2)]\npub struct {of} {{\n    #[added(2, default = 0)]\n    pub {field}: i64,\n");
    let changed = DOMAIN.replace(&before, &after);
    assert_ne!(changed, DOMAIN);
    changed
}

impl Package {
    fn new() -> Self {
        let package = Package(tempfile::tempdir().unwrap());
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime").canonicalize().unwrap();
        let manifest = format!(
            "[package]\nname = \"stranger\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ngesta = {{ path = '{}' }}\n\n[workspace]\n",
            runtime.display()
        );
        package.write("Cargo.toml", &manifest);
        // What this workspace has already: nothing is looked for elsewhere.
        std::fs::copy(runtime.join("../Cargo.lock"), package.path("Cargo.lock")).unwrap();
        package.write("src/lib.rs", "pub mod domain;\n");
        package.write("src/domain.rs", DOMAIN);
        package.write(".gitignore", "Cargo.lock\n");
        package.git(&["init", "-q", "-b", "main"]);
        package
    }
    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }
    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }
    fn lock(&self) -> String {
        self.read("src/account.events")
    }

    /// Runs cargo as that package's owner would, on what is compiled already.
    fn cargo(&self, words: &str, schema: &str) -> Result<String, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock");
        let mut command = Command::new(env!("CARGO"));
        command.args(words.split_whitespace()).arg("--offline").current_dir(self.0.path());
        // Of the run this test is in, nothing stays.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO") && name != "CARGO_HOME" || name.starts_with("GESTA") || name == "RUSTFLAGS" {
                command.env_remove(name);
            }
        }
        command.env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never");
        if !schema.is_empty() {
            command.env("GESTA_SCHEMA", schema);
        }
        said(&command.output().unwrap())
    }
    fn git(&self, words: &[&str]) -> String {
        self.try_git(words).unwrap_or_else(|said| panic!("git {words:?}: {said}"))
    }
    fn try_git(&self, words: &[&str]) -> Result<String, String> {
        let who = ["-c", "user.name=stranger", "-c", "user.email=stranger@example.com", "-c", "commit.gpgsign=false"];
        said(&Command::new("git").args(who).args(words).current_dir(self.0.path()).output().unwrap())
    }
    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }
    /// A branch with version 2 of an event, drafted and committed.
    fn branch(&self, name: &str, of: &str, field: &str) {
        self.git(&["checkout", "-q", "-b", name, "main"]);
        self.write("src/domain.rs", &with_version_2(of, field));
        self.cargo("test --lib gesta_schema", "write").unwrap();
        self.commit(name);
    }
}

fn said(output: &Output) -> Result<String, String> {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(said) }
}

// One test, since all of its parts compile in one folder.
#[test]
fn a_stranger_follows_the_messages_to_a_lock_and_through_merges() {
    let package = Package::new();

    // The message of the compiler, followed to the letter.
    let message = package.cargo("check", "").unwrap_err();
    let expected = "error: `src/account.events` does not exist yet: `GESTA_SCHEMA=write cargo test gesta_schema` writes it";
    assert!(message.contains(expected), "{message}");
    let written = package.cargo("test gesta_schema", "write").unwrap();
    assert!(written.contains("src/account.events: drafted Opened v1, Renamed v1"), "{written}");
    package.cargo("check", "").unwrap();
    let tested = package.cargo("test", "").unwrap();
    assert!(tested.contains("test domain::gesta_schema_account ... ok"), "{tested}");
    package.commit("a lock");
    let listed = package.cargo("package --list --allow-dirty", "").unwrap();
    assert!(listed.contains("src/account.events"), "{listed}");

    // A draft may change; it is behind until it is written again.
    package.write(
        "src/domain.rs",
        &DOMAIN.replacen("owner: String,", "owner: u64,", 1).replacen("owner: e.owner", "owner: e.owner.to_string()", 1),
    );
    let behind = package.cargo("test --lib", "").unwrap_err();
    assert!(behind.contains("account.events is behind the code:\n  - Opened v1: `owner u64` is not in it"), "{behind}");
    package.write("src/domain.rs", DOMAIN);

    // What is released stays.
    let released = package.cargo("test --lib gesta_schema", "release").unwrap();
    assert!(released.contains("released Opened v1, Renamed v1"), "{released}");
    package.commit("a release");
    package.write("src/domain.rs", &DOMAIN.replacen("owner: String,", "owner: u64,", 1));
    let refused = package.cargo("check", "").unwrap_err();
    assert!(refused.contains("- Opened v1: `owner` was text, is now u64"), "{refused}");
    let refused = package.cargo("test --lib gesta_schema", "write").unwrap_err();
    assert!(!refused.contains("drafted"), "{refused}");
    package.write("src/domain.rs", DOMAIN);
    let mistaken = package.cargo("test --lib gesta_schema", "wirte").unwrap_err();
    assert!(mistaken.contains("`GESTA_SCHEMA=wirte`: it is `write`, `release`, or not set"), "{mistaken}");

    // Two branches, two events.
    package.branch("first", "Opened", "at");
    package.branch("second", "Renamed", "at");
    package.git(&["merge", "-q", "--no-edit", "first"]);
    package.cargo("check", "").unwrap();
    let (lock, samples) = (package.lock(), package.read("src/account.samples"));
    package.cargo("test --lib gesta_schema", "write").unwrap();
    assert_eq!(package.lock(), lock, "git has merged it as it is written");
    assert_eq!(package.read("src/account.samples"), samples, "and the samples too");
    package.cargo("test --lib", "").unwrap();
    assert!(lock.contains("draft Opened v2") && lock.contains("draft Renamed v2"), "{lock}");

    // Two branches, one event: git stops, in the lock too.
    package.branch("third", "Renamed", "by");
    assert!(package.try_git(&["merge", "-q", "--no-edit", "second"]).is_err());
    package.git(&["checkout", "-q", "--ours", "src/domain.rs"]);
    let unfinished = package.cargo("check", "").unwrap_err();
    assert!(
        unfinished.contains("a merge is unfinished: keep the lines of both sides, or of one where both added the same version"),
        "{unfinished}"
    );
    let both: String = package
        .lock()
        .lines()
        .filter(|line| !["<<<<", "====", ">>>>"].iter().any(|mark| line.starts_with(mark)))
        .fold(String::new(), |text, line| text + line + "\n");
    package.write("src/account.events", &both);
    let twice = package.cargo("check", "").unwrap_err();
    assert!(
        twice.contains("`Renamed` v2 stands twice: a merge of two branches that both added it; keep the file of one of them"),
        "{twice}"
    );
    // One of them is made version 3, as the message says.
    let source = with_version_2("Renamed", "by").replace("version = 2", "version = 3").replace(
        "    pub owner: String,\n}\n\npub struct Account",
        "    #[added(3, default = 0)]\n    pub at: i64,\n    pub owner: String,\n}\n\npub struct Account",
    );
    package.write("src/domain.rs", &source);
    package.git(&["checkout", "-q", "--ours", "src/account.events", "src/account.samples"]);
    package.cargo("test --lib gesta_schema", "write").unwrap();
    package.cargo("test --lib", "").unwrap();
    package.commit("both");

    // A lock that is lost is not taken for a new one.
    let lock = package.lock();
    std::fs::remove_file(package.path("src/account.events")).unwrap();
    let lost = package.cargo("test --lib gesta_schema", "write").unwrap_err();
    assert!(
        lost.contains("account.events does not list Opened v1, of which account.samples has a sample: was it lost?"),
        "{lost}"
    );
    package.write("src/account.events", &lock);

    // CI sees what was taken back.
    package.git(&["checkout", "-q", "-b", "fourth", "main"]);
    package.write("src/account.events", &package.lock().replace("event Renamed", "draft Renamed"));
    std::fs::remove_file(package.path("src/account.samples")).unwrap();
    package.cargo("test --lib gesta_schema", "write").unwrap();
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir(base.path().join("src")).unwrap();
    std::fs::write(base.path().join("src/account.events"), package.git(&["show", "main:src/account.events"])).unwrap();
    let words = format!("test --lib gesta_schema --config env.GESTA_SCHEMA_BASE='{}'", base.path().display());
    let back = package.cargo(&words, "").unwrap_err();
    assert!(back.contains("Renamed v1 was released, and is a draft now"), "{back}");
    package.git(&["checkout", "-q", "src/account.events", "src/account.samples"]);
    package.cargo(&words, "").unwrap();
}
