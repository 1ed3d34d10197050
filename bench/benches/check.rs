//! `cargo xtask bench lock`: what a schema lock adds to `cargo check`, while it matches and when it does not.
//!
//! `cargo xtask bench versions`: what events and their histories cost, against as many structs with serde.
//!
//! Each package is generated outside of this workspace, and checked without the incremental cache; rounds go through all of
//! them in turn. What a variant adds is the median of its differences to the first one within a round. Where a machine is
//! busy, the processor's time is the better witness.

#![allow(missing_docs, reason = "nobody else uses it")]

use gesta_bench::measure::{median, rounds, wanted};
use gesta_bench::package::{Packages, Took, aggregate, events, structs};

const LOCK: &str = "account.events";

fn main() {
    if wanted("lock") {
        lock();
    }
    if wanted("versions") {
        versions();
    }
}

/// 30 events with 300 fields.
fn lock() {
    let (without, with) = (aggregate(30, false), aggregate(30, true));
    let names = [
        "no_lock",
        "no_lock_again",
        "matches",
        "one_event_narrower",
        "all_events_narrower",
        "one_event_differs",
        "all_events_differ",
        "all_events_differ_deep",
        "every_field_differs",
    ];
    let sources: Vec<_> =
        names.iter().map(|name| (*name, if name.starts_with("no_lock") { &*without } else { &*with })).collect();
    let packages = Packages::new(&sources);
    let written = packages.cargo("test --quiet -p matches --lib gesta_schema", "release");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let text = packages.read(&format!("matches/src/{LOCK}"));
    println!("## A lock of 30 events with 300 fields, {} lines, {} KiB\n", text.lines().count(), text.len() / 1024);
    let count = |kind: &'static str| {
        move |path: &str, stored: &str| if path.starts_with("count_") { kind.to_owned() } else { stored.to_owned() }
    };
    for (name, lock) in [
        ("one_event_narrower", changed(&text, Some("Happened17"), count("u16"))),
        ("all_events_narrower", changed(&text, None, count("u16"))),
        ("one_event_differs", changed(&text, Some("Happened17"), count("text"))),
        ("all_events_differ", changed(&text, None, count("text"))),
        // The type of one field of `Money`, which is within three fields of each event.
        (
            "all_events_differ_deep",
            changed(&text, None, |path, stored| if path.rsplit('.').next() == Some("minor") { "text" } else { stored }.into()),
        ),
        ("every_field_differs", changed(&text, None, |_, stored| if stored == "text" { "bool" } else { "text" }.into())),
    ] {
        assert_ne!(lock, text, "{name}");
        packages.write(&format!("{name}/src/{LOCK}"), &lock);
    }
    measure(&packages, &names, |name, took| {
        assert_eq!(took.success, !name.contains("differ"), "{name}: {}", took.said);
        assert!(took.success || took.said.contains("was text, is now "), "{name}: {}", took.said);
    });
}

/// A lock that says of fields that they were something else; one section, or all of them. `kind` is given a line's path and
/// what stands there.
fn changed(text: &str, only: Option<&str>, kind: impl Fn(&str, &str) -> String) -> String {
    let (mut changed, mut here) = (String::new(), false);
    for line in text.lines() {
        let mut line = line.to_owned();
        if let Some(title) = line.strip_prefix("event ") {
            here = only.is_none_or(|only| title.split(' ').next() == Some(only));
            if here {
                // Another fingerprint, as the changed lines have.
                let last = if line.ends_with('0') { "1" } else { "0" };
                line.replace_range(line.len() - 1.., last);
            }
        } else if here && let Some((path, stored)) = line.strip_prefix("  ").and_then(|line| line.split_once(' ')) {
            line = format!("  {path} {}", kind(path, stored));
        }
        changed.push_str(&line);
        changed.push('\n');
    }
    changed
}

/// 100 events under one aggregate.
fn versions() {
    let sources = [
        ("structs_100", structs(100)),
        ("structs_300", structs(300)),
        ("events_100", events(100, 1)),
        ("events_100_in_version_3", events(100, 3)),
    ];
    let packages = Packages::new(&sources.each_ref().map(|(name, source)| (*name, &**source)));
    println!("## 100 events of six fields\n");
    measure(&packages, &sources.each_ref().map(|(name, _)| *name), |name, took| {
        assert!(took.success, "{name}: {}", took.said);
    });
}

fn measure(packages: &Packages, names: &[&str], look: impl Fn(&str, &Took)) {
    for name in names {
        look(name, &packages.check(name));
    }
    let mut all: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); names.len()];
    for _ in 0..rounds() {
        for (name, (wall, cpu)) in names.iter().zip(&mut all) {
            let took = packages.check(name);
            look(name, &took);
            wall.push(took.wall_ms);
            cpu.push(took.cpu_ms);
        }
    }
    println!("| package | median ms | adds | processor ms | adds |\n|---|---:|---:|---:|---:|");
    let added =
        |values: &[f64], base: &[f64]| median(&mut values.iter().zip(base).map(|(value, base)| value - base).collect::<Vec<_>>());
    for (name, (wall, cpu)) in names.iter().zip(&all) {
        println!(
            "| {name} | {:.0} | {:+.0} | {:.0} | {:+.0} |",
            median(&mut wall.clone()),
            added(wall, &all[0].0),
            median(&mut cpu.clone()),
            added(cpu, &all[0].1)
        );
    }
    println!();
}
