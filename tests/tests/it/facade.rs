//! gesta behind another crate: packages outside of this workspace, and cargo as it is.

use std::path::Path;
use std::process::Command;

const DOMAIN: &str = r#"
pub mod domain {
    use GESTA::prelude::*;

    #[id(PATH)]
    pub struct AccountId(String);
    #[value(PATH)]
    pub struct Cents(pub i64);
    #[event(version = 2, PATH)]
    pub struct Opened {
        #[serde(rename = "c")]
        #[added(2, default = Cents(0))]
        pub cents: Cents,
    }
    #[command(PATH)]
    pub struct Open;
    #[state(snapshot_every = 5, PATH)]
    pub struct Account {
        pub cents: Cents,
    }
    #[aggregate(id = AccountId, PATH)]
    impl Account {
        fn opened(e: Opened) -> Self {
            Account { cents: e.cents }
        }
    }
    #[command_handler(PATH)]
    impl Account {
        fn open(_: Open) -> Opened {
            Opened { cents: Cents(1) }
        }
    }
    #[derive(ReadModel)]
    #[read_model(table = "rows", PATH)]
    pub struct Row {
        #[key]
        pub number: u64,
        pub cents: i64,
    }
    #[projection(of = Account, PATH)]
    impl Row {
        #[key = 0]
        fn opened(e: &Opened) -> Self {
            Row { number: 0, cents: e.cents.0 }
        }
    }
}
"#;

/// Checks a package that depends on `dependency`; `gesta` is where that is, `path` what each macro is told.
fn check(dependency: &str, gesta: &str, path: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime").canonicalize().unwrap();
    let package = |name: &str, dependencies: &str| {
        let dependencies = dependencies.replace("RUNTIME", &runtime.display().to_string());
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n")
    };
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"facade\", \"stranger\"]\n");
    std::fs::copy(runtime.join("../Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    write("facade/Cargo.toml", &package("facade", "gesta = { path = 'RUNTIME' }"));
    write("facade/src/lib.rs", "pub use gesta;\n");
    write("stranger/Cargo.toml", &package("stranger", dependency));
    let source = DOMAIN.replace("GESTA", gesta).replace("PATH", path);
    write("stranger/src/lib.rs", &source);

    let mut command = Command::new(env!("CARGO"));
    command.args(["check", "--offline", "--quiet", "-p", "stranger"]).current_dir(folder.path());
    // Of the run this test is in, nothing stays.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO") && name != "CARGO_HOME" || name.starts_with("GESTA") || name == "RUSTFLAGS" {
            command.env_remove(name);
        }
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lock");
    command.env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never");
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn errors(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("error") && !line.starts_with("error: could not compile")).collect()
}

/// R21: each macro takes the path of a re-export; without it each says so, once, and what to write.
#[test]
fn macros_find_gesta_behind_another_crate_by_path() {
    let (facade, renamed) = ("facade = { path = '../facade' }", "evs = { package = \"gesta\", path = 'RUNTIME' }");
    for (dependency, gesta, path) in [(facade, "facade::gesta", "facade::gesta"), (renamed, "evs", "::evs")] {
        let (compiles, said) = check(dependency, gesta, &format!("crate = {path}"));
        assert!(compiles, "{said}");
        let (compiles, said) = check(dependency, gesta, "");
        assert!(!compiles);
        let errors = errors(&said);
        assert_eq!(errors.len(), 9, "{said}");
        for attribute in ["id", "value", "event", "command", "state", "aggregate", "command_handler", "read_model", "projection"]
        {
            let expected = if gesta == "evs" {
                format!(
                    "error: the crate `gesta` is called `evs` in this package's `Cargo.toml`: write `#[{attribute}(crate = ::evs)]`"
                )
            } else {
                format!(
                    "error: this package does not depend on `gesta`: add it to `Cargo.toml`; or, if another crate re-exports it, \
                     say where, `#[{attribute}(crate = ::facade::gesta)]`"
                )
            };
            assert!(errors.contains(&&*expected), "{said}");
        }
    }
}
