//! What the command line asks for.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  test              everything that has to pass: format, lints, features, tests, documentation
    --heavy         also tests that take minutes (GESTA_HEAVY=1), and `cargo deny`, installed where it is missing
    --data <DIR>    also tests that want the real event log, which is in this folder (GESTA_DATA)
    --only <STEP>   only the steps whose name holds this
  bless             rewrites what snapshots and diagnostics expect; read the difference before you commit it
  races             many long races of processes on a Postgres store, one of them behind a pooler
    --runs <N>      so many (GESTA_RACES); 50 without it, which takes an hour
  bench [..]        the benchmarks; what follows goes to `cargo bench`
  help              this text";

#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Test(TestOptions),
    Bless,
    /// So many.
    Races(usize),
    Bench(Vec<String>),
    Help,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct TestOptions {
    pub(crate) heavy: bool,
    /// Absolute, because tests run in the folders of their packages.
    pub(crate) data: Option<PathBuf>,
    pub(crate) only: Option<String>,
}

pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Request, String> {
    let Some(command) = words.next() else { return Ok(Request::Help) };
    let request = match command.as_str() {
        "test" => return test(words).map(Request::Test),
        "races" => return races(words).map(Request::Races),
        "bench" => return Ok(Request::Bench(words.collect())),
        "bless" => Request::Bless,
        "help" | "--help" | "-h" => Request::Help,
        _ => return Err(format!("there is no command `{command}`")),
    };
    match words.next() {
        None => Ok(request),
        Some(word) => Err(format!("`{command}` takes nothing, so not `{word}`")),
    }
}

/// How many where nobody says so.
const RACES: usize = 50;

fn races(mut words: impl Iterator<Item = String>) -> Result<usize, String> {
    let mut runs = RACES;
    while let Some(word) = words.next() {
        if word != "--runs" {
            return Err(format!("`races` has no option `{word}`"));
        }
        let number = words.next().ok_or("`--runs` needs a value")?;
        runs = number.parse().map_err(|_| format!("`--runs {number}`: it takes a number"))?;
    }
    Ok(runs)
}

fn test(mut words: impl Iterator<Item = String>) -> Result<TestOptions, String> {
    let mut options = TestOptions::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--heavy" => options.heavy = true,
            "--only" => options.only = Some(value()?),
            "--data" => {
                let folder = value()?;
                let folder = std::fs::canonicalize(&folder).map_err(|e| format!("`--data {folder}`: {e}"))?;
                options.data = Some(folder);
            }
            _ => return Err(format!("`test` has no option `{word}`")),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_and_options_are_understood() {
        assert_eq!(parsed(""), Ok(Request::Help));
        assert_eq!(parsed("bless"), Ok(Request::Bless));
        assert_eq!(parsed("races"), Ok(Request::Races(50)));
        assert_eq!(parsed("races --runs 3"), Ok(Request::Races(3)));
        assert_eq!(parsed("bench --quick"), Ok(Request::Bench(vec!["--quick".to_owned()])));
        assert_eq!(parsed("test"), Ok(Request::Test(TestOptions::default())));
        let Ok(Request::Test(options)) = parsed("test --heavy --only lints --data .") else { panic!("it is a test") };
        assert!(options.heavy && options.only.as_deref() == Some("lints") && options.data.is_some_and(|data| data.is_absolute()));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(parsed("tset"), Err("there is no command `tset`".to_owned()));
        assert_eq!(parsed("bless all"), Err("`bless` takes nothing, so not `all`".to_owned()));
        assert_eq!(parsed("test --fast"), Err("`test` has no option `--fast`".to_owned()));
        assert_eq!(parsed("races --runs many"), Err("`--runs many`: it takes a number".to_owned()));
        assert_eq!(parsed("races --long"), Err("`races` has no option `--long`".to_owned()));
        assert_eq!(parsed("test --data"), Err("`--data` needs a value".to_owned()));
        assert!(parsed("test --data no/such/folder").unwrap_err().starts_with("`--data no/such/folder`: "));
    }
}
