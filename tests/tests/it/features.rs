//! Features: who asks for one store gets the driver of no other, and what other crates turn on
//! changes nothing that is stored.

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

/// Runs the program of `tests/foreign`, built with these features of other crates. Returns its
/// success and its output.
fn said_with(features: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(["run", "--quiet", "--offline", "--locked"]);
    command.args(["-p", "gesta-foreign-features", "--features", features]);
    let output = command.output().expect("cargo");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("error: could not compile"), "{told}");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &told)
}

/// `F18, R1`: an app whose stored forms are changed by other crates does not start, and names each feature.
#[test]
fn an_app_does_not_start_when_features_change_its_stored_forms() {
    let (started, said) = said_with("serde_json/arbitrary_precision,rust_decimal/serde-float");
    assert!(!started, "{said}");
    let tagged = "an `f64` in an enum with `#[serde(tag = \"..\")]`: it can't be read back: ";
    let precision = "the feature `arbitrary_precision` of `serde_json` is on: turn it off";
    let float = "the feature `serde-float` of `rust_decimal` is on: turn it off";
    for part in [tagged, precision, "a `Decimal`: it is written as ", float] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// `F18`: features that change no stored form are no reason to refuse.
#[test]
fn an_app_starts_when_features_of_other_crates_are_harmless() {
    let harmless = "serde_json/preserve_order,serde_json/unbounded_depth,serde_json/raw_value,rust_decimal/serde-str";
    let read = "read back: 12345678901234567890.1234567 Card { cents: 5, fee: 0.1 }\n";
    assert_eq!(said_with(harmless), (true, read.to_owned()));
}
