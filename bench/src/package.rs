//! A package of its own, generated, and how long cargo takes to check it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::measure::Folder;

/// What each domain below begins with: types that are nested in its events.
const VALUES: &str = r"#![allow(dead_code)]
use gesta::prelude::*;
use std::collections::BTreeMap;

#[value]
pub enum Channel {
    Branch,
    Terminal,
    Card { number: String, expires: u32 },
    Wire(Iban),
}
#[value]
pub struct Iban(String);
#[value]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}
#[value]
pub enum Currency {
    Eur,
    Usd,
    Gbp,
}
#[value]
pub struct Line {
    pub article: String,
    pub count: u32,
    pub price: Money,
}
#[value]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<u64>,
}
";

/// Ten fields of all kinds.
const FIELDS: [(&str, &str); 10] = [
    ("owner", "String"),
    ("count", "u32"),
    ("limit", "Option<i64>"),
    ("channel", "Channel"),
    ("amount", "Money"),
    ("pair", "(u16, String)"),
    ("rates", "BTreeMap<Currency, f64>"),
    ("lines", "Vec<Line>"),
    ("page", "Page<Money>"),
    ("reason", "Option<Channel>"),
];

/// Events of ten fields each under one aggregate, with a lock or without one.
pub fn aggregate(events: usize, lock: bool) -> String {
    let mut source = VALUES.to_owned();
    for event in 0..events {
        write!(source, "#[event]\npub struct Happened{event} {{\n").expect("text");
        for (field, ty) in FIELDS {
            writeln!(source, "    pub {field}_{event}: {ty},").expect("text");
        }
        source.push_str("}\n");
    }
    block(&mut source, events, if lock { ", schema = \"account.events\"" } else { "" });
    source
}

/// Events of six fields each, in their first version or with the history of three, under one aggregate.
pub fn events(count: usize, versions: u32) -> String {
    let mut source = VALUES.to_owned();
    for event in 0..count {
        if versions == 1 {
            write!(source, "#[event]\npub struct Happened{event} {{\n").expect("text");
        } else {
            write!(source, "#[event(version = 3)]\n#[removed(3, teller: Option<String>)]\npub struct Happened{event} {{\n")
                .expect("text");
        }
        let [renamed, added] = if versions == 1 {
            [""; 2]
        } else {
            [
                "#[renamed(2, from = \"amt\")]\n    #[converted(3, from = u32)]\n    ",
                "#[added(2, default = Channel::Branch)]\n    ",
            ]
        };
        write!(
            source,
            "    {renamed}pub cents: i64,\n    {added}pub channel: Channel,\n    pub owner: String,\n    pub limit: Option<i64>,\n    pub amount: Money,\n    pub lines: Vec<Line>,\n}}\n"
        )
        .expect("text");
    }
    block(&mut source, count, "");
    source
}

/// As many structs with what an event has anyway: serde, `Clone`, `Debug`, `PartialEq`.
pub fn structs(count: usize) -> String {
    let mut source = VALUES.replace("use gesta::prelude::*;", "use serde::{Deserialize, Serialize};");
    source = source.replace("#[value]\npub enum Currency", "#[derive(Eq, PartialOrd, Ord)]\n#[value]\npub enum Currency");
    source = source.replace("#[value]", "#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]");
    for event in 0..count {
        write!(
            source,
            "#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]\npub struct Happened{event} {{\n    pub cents: i64,\n    pub channel: Channel,\n    pub owner: String,\n    pub limit: Option<i64>,\n    pub amount: Money,\n    pub lines: Vec<Line>,\n}}\n"
        )
        .expect("text");
    }
    source
}

fn block(source: &mut String, events: usize, arguments: &str) {
    write!(source, "pub struct Account;\n#[aggregate(id = u64{arguments})]\nimpl Account {{\n").expect("text");
    source.push_str("    fn happened_0(_: &Happened0) -> Self {\n        Account\n    }\n");
    for event in 1..events {
        writeln!(source, "    fn happened_{event}(&mut self, _: &Happened{event}) {{}}").expect("text");
    }
    source.push_str("}\n");
}

/// What a check took.
pub struct Took {
    pub wall_ms: f64,
    /// Of the compiler alone, whatever else runs; 0 where the system does not say.
    pub cpu_ms: f64,
    pub said: String,
    pub success: bool,
}

/// Packages that share what they depend on.
pub struct Packages(Folder);

impl Packages {
    /// Of these names and sources.
    pub fn new(all: &[(&str, &str)]) -> Self {
        let packages = Packages(Folder::new());
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime").canonicalize().expect("the runtime");
        let names: Vec<_> = all.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        packages.write("Cargo.toml", &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", names.join(", ")));
        // What this workspace has already: nothing is looked for elsewhere.
        std::fs::copy(runtime.join("../Cargo.lock"), packages.path("Cargo.lock")).expect("a copy");
        for (name, source) in all {
            packages.write(
                &format!("{name}/Cargo.toml"),
                &format!(
                    "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ngesta = {{ path = '{}', default-features = false }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n",
                    runtime.display()
                ),
            );
            packages.write(&format!("{name}/src/lib.rs"), source);
        }
        packages
    }
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.file(file)
    }
    /// Writes a file, and so asks for the package to be checked again.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        std::fs::write(path, text).expect("a new file");
    }
    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).expect("the file")
    }
    pub fn cargo(&self, words: &str, schema: &str) -> Output {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words.split_whitespace()).args(["--offline", "--color", "never"]).current_dir(self.path(""));
        // Of the run this is in, nothing stays.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO") && name != "CARGO_HOME" || name.starts_with("GESTA") || name == "RUSTFLAGS" {
                command.env_remove(name);
            }
        }
        command.env("CARGO_TARGET_DIR", self.path("target")).env("CARGO_INCREMENTAL", "0");
        if !schema.is_empty() {
            command.env("GESTA_SCHEMA", schema);
        }
        command.output().expect("cargo")
    }
    /// Checks a package anew, and nothing it depends on.
    pub fn check(&self, name: &str) -> Took {
        let source = format!("{name}/src/lib.rs");
        let text = self.read(&source);
        self.write(&source, &text);
        let (started, before) = (Instant::now(), children_ms());
        let output = self.cargo(&format!("check --quiet -p {name}"), "");
        Took {
            wall_ms: started.elapsed().as_secs_f64() * 1e3,
            cpu_ms: children_ms() - before,
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
            success: output.status.success(),
        }
    }
}

/// The processor time of all children that have ended, of which Linux says hundredths of a second.
fn children_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}
