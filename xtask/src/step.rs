//! Steps: one call of cargo each, run in order until one fails.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Variables that make a test write what it should compare; whoever has them set still wants to know what passes.
const NOT_INHERITED: [&str; 3] = ["GESTA_SCHEMA", "TRYBUILD", "UPDATE_EXPECT"];

/// One call of cargo.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    pub(crate) envs: Vec<(&'static str, OsString)>,
    /// Its tests run on servers that are brought up for them.
    pub(crate) needs_servers: bool,
}

impl Step {
    /// Calls cargo with these arguments, which stand apart by spaces.
    pub(crate) fn new(name: impl Into<String>, args: &str) -> Self {
        let args = args.split(' ').map(str::to_owned).collect();
        Step { name: name.into(), args, envs: Vec::new(), needs_servers: false }
    }
    pub(crate) fn args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.envs.push((name, value.into()));
        self
    }
    pub(crate) fn with_servers(self) -> Self {
        Step { needs_servers: true, ..self }
    }

    /// Whether cargo, or a program that is installed for it, knows the command.
    pub(crate) fn is_known_command(&self) -> bool {
        let Some(command) = self.args.first() else { return false };
        cargo().args([command.as_str(), "--help"]).output().is_ok_and(|output| output.status.success())
    }

    fn run(&self) -> Result<(), String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace");
        let mut command = cargo();
        command.current_dir(root).args(&self.args);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`cargo {}` ended with {status}", self.args.join(" "))),
            Err(e) => Err(format!("cargo can't be started: {e}")),
        }
    }
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs the steps in order, and says at the end how long each took and which one failed.
pub(crate) fn run(steps: &[Step]) -> ExitCode {
    if steps.is_empty() {
        eprintln!("no step has this name");
        return ExitCode::from(2);
    }
    let mut took = Vec::new();
    let mut failed = None;
    for step in steps {
        println!("\n==> {}: cargo {}", step.name, step.args.join(" "));
        let start = Instant::now();
        let result = step.run();
        took.push((step, start.elapsed()));
        if let Err(why) = result {
            failed = Some((step, why));
            break;
        }
    }
    println!("\n{}", summary(&took, steps.len(), failed.is_some()));
    match failed {
        None => ExitCode::SUCCESS,
        Some((step, why)) => {
            eprintln!("\nthe step `{}` failed: {why}", step.name);
            ExitCode::FAILURE
        }
    }
}

fn summary(took: &[(&Step, Duration)], steps: usize, failed: bool) -> String {
    let width = took.iter().map(|(step, _)| step.name.chars().count()).max().unwrap_or(0);
    let lines = took.iter().enumerate().map(|(i, (step, took_seconds))| {
        let mark = if failed && i + 1 == took.len() { "failed" } else { "ok" };
        format!("{:width$}  {:7.1} s  {mark}", step.name, took_seconds.as_secs_f64())
    });
    let mut lines: Vec<_> = lines.collect();
    if took.len() < steps {
        lines.push(format!("{} of {steps} steps were not run", steps - took.len()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_where_cargo_has_it() {
        assert!(Step::new("a", "build").is_known_command());
        assert!(!Step::new("a", "no-such-command --version").is_known_command());
    }

    #[test]
    fn the_summary_names_durations_the_failure_and_what_was_left_out() {
        let (a, b) = (Step::new("a", ""), Step::new("long", ""));
        let took = [(&a, Duration::from_millis(1_250)), (&b, Duration::from_secs(61))];
        assert_eq!(summary(&took, 2, false), "a         1.2 s  ok\nlong     61.0 s  ok");
        assert_eq!(summary(&took, 4, true), "a         1.2 s  ok\nlong     61.0 s  failed\n2 of 4 steps were not run");
    }
}
