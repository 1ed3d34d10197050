//! What gesta is built of is what `deny.toml` allows, as far as this machine's tree shows it.
//!
//! `cargo deny` checks the same file for all targets, in the heavy form of the tests; this one needs no network and no other
//! program than cargo.

#![allow(missing_docs, reason = "everything here is private, and named by what it promises")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use toml::{Table, Value};

/// A package as `cargo tree` shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    features: Vec<String>,
}

/// Issue 12: gesta can be given away under MIT or Apache-2.0 with all that it, and its tests, are built of.
#[test]
fn licences_are_those_that_are_allowed() {
    assert_eq!(
        refused_licences(&whole_tree(), &rules()),
        [""; 0],
        "read the licence, and add it to `deny.toml` if it asks for a notice only"
    );
}

/// Issue 12: a dependency that comes in a second version is a decision.
#[test]
fn second_versions_are_those_that_are_known() {
    let found = new_duplicates(&whole_tree(), &rules());
    assert_eq!(found, [""; 0], "take one version for both, or add the older one to `skip` in `deny.toml` with the reason");
}

/// F18, issue 12: gesta itself turns on nothing that changes what its users store or build.
#[test]
fn banned_crates_and_features_are_off() {
    let found = banned(&own_tree(), &rules());
    assert_eq!(found, [""; 0], "turn it off: `cargo tree -p gesta -e normal,build,features -i <crate>` shows where it is on");
}

/// The checks above see what they look for.
#[test]
fn a_tree_with_each_fault_is_refused() {
    let packages = |lines: &[&str]| lines.iter().map(|line| package(line)).collect::<BTreeSet<_>>();
    let faulty = packages(&[
        "a v1.0.0|GPL-3.0|",
        "b v1.0.0|MIT AND (GPL-3.0 OR LGPL-3.0)|",
        "c v1.0.0||",
        "d v0.1.0|Apache-2.0 WITH LLVM-exception|",
        "e v1.0.0|MIT MIT|",
        "f v1.0.0|(MIT|",
        "fine v1.0.0 (proc-macro)|GPL-3.0 OR (MIT AND Unicode-3.0)| (*)",
        "fine v2.0.0|Apache-2.0/GPL-3.0|std",
    ]);
    let refused: Vec<_> = refused_licences(&faulty, &rules()).iter().map(|line| line[..1].to_owned()).collect();
    assert_eq!(refused, ["a", "b", "c", "d", "e", "f"]);

    let twice = packages(&["syn v2.0.1|MIT|", "syn v3.0.0|MIT|", "syn v2.9.0|MIT|", "rand v0.8.0|MIT|", "rand v0.9.0|MIT|"]);
    assert_eq!(new_duplicates(&twice, &rules()), [r#"rand: {"0.8.0", "0.9.0"}"#]);
    let other = packages(&["syn v20.0.1|MIT|", "syn v3.0.0|MIT|"]);
    assert_eq!(new_duplicates(&other, &rules()).len(), 1, "20 is not 2");

    let features = packages(&[
        "native-tls v0.2.0|MIT|",
        "rust_decimal v1.0.0|MIT|serde-float",
        "serde_json v1.0.0|MIT|arbitrary_precision,std",
        "sqlx v0.9.0|MIT|postgres,macros",
    ]);
    let expected = ["native-tls", "serde_json/arbitrary_precision", "rust_decimal/serde-float", "sqlx/macros"];
    assert_eq!(banned(&features, &rules()), expected);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// The packages of a tree, with the features that are on in it.
fn tree(arguments: &[&str]) -> BTreeSet<Package> {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["tree", "--all-features", "--locked", "--offline", "--prefix", "none"]);
    let output = command.args(["--format", "{p}|{l}|{f}"]).args(arguments).output().expect("cargo starts");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    text.lines().filter(|line| !line.is_empty()).map(package).collect()
}

/// A line such as `serde v1.0.1 (proc-macro)|MIT OR Apache-2.0|derive,std (*)`.
fn package(line: &str) -> Package {
    let fields: Vec<_> = line.trim_end_matches(" (*)").split('|').collect();
    let [package, licence, features] = fields[..] else { panic!("cargo tree writes three fields: {line}") };
    let mut words = package.split(' ');
    let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Package {
        name: name.to_owned(),
        version: version.trim_start_matches('v').to_owned(),
        licence: licence.to_owned(),
        features: features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect(),
    }
}

fn whole_tree() -> BTreeSet<Package> {
    tree(&["--workspace", "--edges", "normal,build,dev"])
}

/// What a user of gesta builds.
fn own_tree() -> BTreeSet<Package> {
    tree(&["--package", "gesta", "--edges", "normal,build"])
}

fn rules() -> Table {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("`deny.toml` is in the repository");
    text.parse().expect("`deny.toml` is TOML")
}

/// The value under a path of keys.
fn under<'t>(table: &'t Table, keys: &[&str]) -> &'t Value {
    let missing = || panic!("`deny.toml` has no `{}`", keys.join("."));
    let (first, rest) = keys.split_first().expect("a path has keys");
    rest.iter().fold(table.get(*first).unwrap_or_else(missing), |value, key| value.get(key).unwrap_or_else(missing))
}

/// The texts of a list; of a table in it, those under `crate`.
fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().expect("a list");
    items.iter().map(|item| item.get("crate").unwrap_or(item).as_str().expect("a text")).collect()
}

/// Whether a licence expression of SPDX can be met with these licences; `/` is how `OR` was written before.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut at = 0;
    !words.is_empty() && any_of(&words, &mut at, allowed) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let word = words.get(*at).copied();
    *at += 1;
    if word == Some("(") {
        let met = any_of(words, at, allowed);
        *at += 1;
        return met && words.get(*at - 1) == Some(&")");
    }
    // With an exception it is another licence, and none is on the list.
    let excepted = words.get(*at) == Some(&"WITH");
    *at += if excepted { 2 } else { 0 };
    !excepted && word.is_some_and(|word| allowed.contains(&word))
}

fn refused_licences(packages: &BTreeSet<Package>, rules: &Table) -> Vec<String> {
    let allowed = texts(under(rules, &["licenses", "allow"]));
    let refused = packages.iter().filter(|package| !is_allowed(&package.licence, &allowed));
    refused.map(|package| format!("{} {}: `{}`", package.name, package.version, package.licence)).collect()
}

/// The names with more than one version that no entry of the list explains.
fn new_duplicates(packages: &BTreeSet<Package>, rules: &Table) -> Vec<String> {
    let skipped = texts(under(rules, &["bans", "skip"]));
    let is_skipped = |name: &str, version: &str| {
        skipped.iter().any(|skip| {
            let (skipped, prefix) = skip.split_once('@').unwrap_or((skip, ""));
            let rest = version.strip_prefix(prefix);
            skipped == name && rest.is_some_and(|rest| rest.is_empty() || prefix.is_empty() || rest.starts_with('.'))
        })
    };
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Package { name, version, .. } in packages.iter().filter(|package| !is_skipped(&package.name, &package.version)) {
        versions.entry(name).or_default().insert(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions.iter().map(|(name, versions)| format!("{name}: {versions:?}")).collect()
}

fn banned(packages: &BTreeSet<Package>, rules: &Table) -> Vec<String> {
    let crates = texts(under(rules, &["bans", "deny"]));
    let on_list = packages.iter().filter(|package| crates.contains(&package.name.as_str()));
    let mut found: Vec<_> = on_list.map(|package| package.name.clone()).collect();
    for rule in under(rules, &["bans", "features"]).as_array().expect("a list of tables") {
        let name = rule.get("crate").and_then(Value::as_str).expect("each rule names its crate");
        let denied = texts(rule.get("deny").expect("each rule names features"));
        for package in packages.iter().filter(|package| package.name == name) {
            let on = package.features.iter().filter(|feature| denied.contains(&feature.as_str()));
            found.extend(on.map(|feature| format!("{name}/{feature}")));
        }
    }
    found
}
