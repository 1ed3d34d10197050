//! `cargo xtask <command>`: the front door for everything people do in this repository.
//!
//! Always true here: every command prints what it runs, stops at the first failure, and then says which step failed.

mod args;
mod step;

use std::process::ExitCode;

use args::{Request, TestOptions, USAGE};
use step::Step;
use xtask::pooler;
use xtask::postgres::{self, Server};

fn main() -> ExitCode {
    let mut steps = match args::parse(std::env::args().skip(1)) {
        Ok(Request::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Test(options)) => test(&options),
        Ok(Request::Bless) => bless(),
        Ok(Request::Races(runs)) => vec![races(runs)],
        Ok(Request::Bench(rest)) => vec![Step::new("benchmarks", "bench -p gesta-bench").args(rest).with_servers()],
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // Gone when this ends.
    let _server = match steps.iter().any(|step| step.needs_servers).then(servers).transpose() {
        Ok(server) => {
            for step in steps.iter_mut().filter(|step| step.needs_servers) {
                step.envs.extend(server.as_ref().map(|server| (postgres::VARIABLE, server.url().into())));
            }
            server
        }
        Err(why) => {
            eprintln!("the tests need a Postgres server, and a pooler: {why}");
            return ExitCode::FAILURE;
        }
    };
    step::run(&steps)
}

/// A server that is running, and what tests need to start more.
fn servers() -> Result<Server, String> {
    let server = Server::ready()?;
    pooler::ready()?;
    Ok(server)
}

/// Races that are long, and what shows that they find what they look for.
fn races(runs: usize) -> Step {
    let arguments = "test --release -p gesta-tests --all-features --test it -- postgres::races --nocapture --test-threads 1";
    Step::new("races", arguments).env("GESTA_RACES", &runs.to_string()).with_servers()
}

/// Everything that has to pass, what fails fastest first.
fn test(options: &TestOptions) -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", "fmt --all --check"),
        Step::new("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
        Step::new("no feature", "clippy -p gesta --no-default-features -- -D warnings"),
    ];
    // Features are additive and need each other for nothing, so each one must do alone, and the stores in any company.
    let alone = ["memory", "sqlite", "postgres", "contract", "chrono", "rust_decimal"];
    for feature in alone.into_iter().chain(["memory,sqlite", "memory,postgres", "sqlite,postgres"]) {
        let step = Step::new(format!("feature {feature}"), "clippy -p gesta --no-default-features");
        steps.push(step.args(["--features", feature, "--", "-D", "warnings"]));
    }
    // The code is the same: another store is a feature and a URL.
    for feature in ["sqlite", "postgres"] {
        let step = Step::new(format!("examples on {feature}"), "clippy -p gesta-examples --no-default-features");
        steps.push(step.args(["--features", feature, "--", "-D", "warnings"]));
    }
    // Whoever uses gesta may want more of the driver than gesta does, and gets one driver for both.
    let beside = "clippy -p gesta --no-default-features --features postgres,sqlx/default -- -D warnings";
    steps.push(Step::new("beside all of the driver", beside));
    steps.push(Step::new("tests", "test --workspace --all-features").with_servers());
    steps.push(Step::new("messages about features", "test -p gesta --no-default-features --lib connect"));
    steps.push(Step::new("documentation", "doc --workspace --all-features --no-deps").env("RUSTDOCFLAGS", "-D warnings"));
    if options.heavy {
        steps.extend(cargo_deny());
    }
    if let Some(only) = &options.only {
        steps.retain(|step| step.name.contains(only.as_str()));
    }
    for step in &mut steps {
        if options.heavy {
            step.envs.push(("GESTA_HEAVY", "1".into()));
        }
        if let Some(data) = &options.data {
            step.envs.push(("GESTA_DATA", data.into()));
        }
    }
    steps
}

/// Licences, second versions and sources of all dependencies on all targets, by the rules in `deny.toml`. The program that knows them
/// is installed where it is missing.
fn cargo_deny() -> Vec<Step> {
    let check = Step::new("cargo deny", "deny --workspace check licenses bans sources");
    if check.is_known_command() {
        vec![check]
    } else {
        vec![Step::new("cargo deny itself", "install --locked cargo-deny"), check]
    }
}

/// Rewrites what snapshots and diagnostics expect. Not a test: what it wrote is to be read.
fn bless() -> Vec<Step> {
    let step = |name, arguments| Step::new(name, arguments).env("UPDATE_EXPECT", "1").env("TRYBUILD", "overwrite");
    vec![
        step("snapshots of the macros", "test -p gesta-macros --all-features"),
        step("snapshots and diagnostics of the tests", "test -p gesta-tests --all-features").with_servers(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_tests_and_the_real_data_are_asked_for_by_name() {
        let options = TestOptions { heavy: true, data: Some("/data".into()), only: Some("tests".to_owned()) };
        let [step] = &test(&options)[..] else { panic!("one step has this name") };
        assert_eq!(step.envs, [("GESTA_HEAVY", "1".into()), ("GESTA_DATA", "/data".into())]);
        assert!(test(&TestOptions::default()).iter().all(|step| !step.envs.iter().any(|(name, _)| name.starts_with("GESTA"))));
    }
}
