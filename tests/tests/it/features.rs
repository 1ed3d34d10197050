//! Who asks for one store gets the driver of no other.

use std::process::Command;

/// What gesta is built of with these features.
fn built_of(features: &str) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(["tree", "--offline", "--locked", "-p", "gesta"]);
    command.args(["--no-default-features", "-e", "normal,build", "--prefix", "none", "--features", features]);
    let output = command.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_store_brings_its_own_driver_and_no_other() {
    for stores in
        ["", "memory", "sqlite", "postgres", "memory,sqlite", "memory,postgres", "sqlite,postgres", "memory,sqlite,postgres"]
    {
        let tree = built_of(stores);
        for (driver, store) in
            [("rusqlite ", "sqlite"), ("libsqlite3-sys ", "sqlite"), ("sqlx ", "postgres"), ("rustls ", "postgres")]
        {
            let there = tree.lines().any(|line| line.starts_with(driver));
            assert_eq!(there, stores.contains(store), "with `{stores}`: {driver}\n{tree}");
        }
        for never in ["sqlx-macros ", "sqlx-sqlite ", "sqlx-mysql "] {
            assert!(!tree.lines().any(|line| line.starts_with(never)), "with `{stores}`: {never}");
        }
    }
}
