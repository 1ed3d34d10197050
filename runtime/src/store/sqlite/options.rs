//! How a file is opened, and the URLs that say so.

use std::path::{Path, PathBuf};

use super::file::ends_as_folder;
use crate::error::StartError;
use crate::store::url::{decode, name_shown, pairs};

/// Which file to open, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file.
    pub path: PathBuf,
    /// What it is opened for.
    pub mode: SqliteMode,
    /// When an append is told to be stored.
    pub synchronous: Synchronous,
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SqliteMode {
    /// For writing; a file that is not there is created: `?mode=rwc`, or nothing.
    #[default]
    Create,
    /// For writing; the file must be there: `?mode=rw`.
    ReadWrite,
    /// For reading only, beside the one app that writes: `?mode=ro`.
    ReadOnly,
}

/// When an append is told to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Synchronous {
    /// When the disk has it, so that it outlives a loss of power.
    #[default]
    Full,
    /// When the operating system has it: a crash of the process loses nothing, a loss of power may lose the last appends,
    /// whole ones and from the end.
    Normal,
}

impl SqliteOptions {
    /// For writing, created where it is not there, and safe against a loss of power.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        SqliteOptions { path: path.into(), mode: SqliteMode::default(), synchronous: Synchronous::default() }
    }
    /// The same in another mode.
    pub fn mode(self, mode: SqliteMode) -> Self {
        SqliteOptions { mode, ..self }
    }
    /// The same with another moment at which an append is told to be stored.
    pub fn synchronous(self, synchronous: Synchronous) -> Self {
        SqliteOptions { synchronous, ..self }
    }

    /// Reads a URL: `sqlite:bank.db`, `sqlite://bank.db` or `sqlite:///var/lib/bank.db`, with `%20` and the like in the path,
    /// and `?mode=ro|rw|rwc` and `?synchronous=full|normal` behind it, joined by `&`.
    ///
    /// ```
    /// # use gesta::store::sqlite::{SqliteMode, SqliteOptions};
    /// let options = SqliteOptions::parse("sqlite:my%20bank.db?mode=ro")?;
    /// assert_eq!(options, SqliteOptions::new("my bank.db").mode(SqliteMode::ReadOnly));
    /// # Ok::<_, gesta::StartError>(())
    /// ```
    ///
    /// # Errors
    /// [`StartError::InvalidUrl`] says what is wrong, and what can be written instead.
    pub fn parse(url: &str) -> Result<Self, StartError> {
        read(url).map_err(|why| StartError::InvalidUrl { url: without_secrets(url), why })
    }
}

fn read(url: &str) -> Result<SqliteOptions, String> {
    let rest = url.strip_prefix("sqlite:").ok_or("it does not begin with `sqlite:`: write `sqlite:bank.db`")?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decode(path.strip_prefix("//").unwrap_or(path))?;
    if path.eq_ignore_ascii_case(":memory:") {
        return Err("a SQLite database in memory is not offered: write `memory:`, which is faster".to_owned());
    }
    if path.is_empty() {
        return Err("it names no file: write `sqlite:bank.db`, or `sqlite:///var/lib/bank.db` for an absolute path".to_owned());
    }
    if ends_as_folder(&path) {
        let file = Path::new(&path).join("bank.db");
        return Err(format!("`{path}` is a folder's path: add the name of the file, for example `sqlite:{}`", file.display()));
    }
    let mut options = SqliteOptions::new(path);
    for (name, value) in pairs(query)? {
        match (name, value) {
            ("mode", "ro") => options.mode = SqliteMode::ReadOnly,
            ("mode", "rw") => options.mode = SqliteMode::ReadWrite,
            ("mode", "rwc") => options.mode = SqliteMode::Create,
            ("mode", _) => return Err(format!("there is no mode `{value}`: use `ro`, `rw` or `rwc`")),
            ("synchronous", "full") => options.synchronous = Synchronous::Full,
            ("synchronous", "normal") => options.synchronous = Synchronous::Normal,
            ("synchronous", _) => return Err(format!("`synchronous` can't be `{value}`: use `full` or `normal`")),
            _ => {
                let name =
                    name_shown(&format!("{name}={value}")).map_or_else(|| "of that name".to_owned(), |name| format!("`{name}`"));
                return Err(format!("there is no option {name}: use `mode=ro|rw|rwc` or `synchronous=full|normal`"));
            }
        }
    }
    Ok(options)
}

/// A URL as it may be shown: a password for another kind of store, or the value of another store's option, can stand in it.
fn without_secrets(url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let may_hold_password =
        path.strip_prefix("sqlite:").unwrap_or(path).split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    if may_hold_password || query.is_some_and(|query| query.contains('@')) {
        return "sqlite:***".to_owned();
    }
    let mut shown = path.to_owned();
    for (pair, sign) in
        query.into_iter().flat_map(|query| query.split('&')).zip(std::iter::once('?').chain(std::iter::repeat('&')))
    {
        shown.push(sign);
        if !["mode=", "synchronous="].iter().any(|name| pair.starts_with(name)) {
            return shown + "***";
        }
        shown.push_str(pair);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> String {
        SqliteOptions::parse(url).unwrap().path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_url_names_a_file() {
        assert_eq!(path("sqlite:bank.db"), "bank.db");
        assert_eq!(path("sqlite://bank.db"), "bank.db");
        assert_eq!(path("sqlite://data/bank.db?"), "data/bank.db");
        assert_eq!(path("sqlite:///var/lib/bank.db"), "/var/lib/bank.db");
        assert_eq!(path("sqlite:/var/lib/bank.db"), "/var/lib/bank.db");
        assert_eq!(path("sqlite:a%20b%3f%25%C3%BC.db"), "a b?%ü.db");
        assert_eq!(path("sqlite:file:bank.db"), "file:bank.db");
    }

    #[test]
    fn options_stand_behind_it() {
        let parse = |url| SqliteOptions::parse(url).unwrap();
        let plain = SqliteOptions::new("a.db");
        assert_eq!((plain.mode, plain.synchronous), (SqliteMode::Create, Synchronous::Full));
        assert_eq!(parse("sqlite:a.db?mode=rwc&synchronous=full"), plain);
        assert_eq!(parse("sqlite:a.db?mode=rw"), plain.clone().mode(SqliteMode::ReadWrite));
        let both = plain.mode(SqliteMode::ReadOnly).synchronous(Synchronous::Normal);
        assert_eq!(parse("sqlite:a.db?synchronous=normal&mode=ro"), both);
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_what_can() {
        for (url, says) in [
            ("memory:", "`sqlite:bank.db`"),
            ("sqlite:", "names no file"),
            ("sqlite://?mode=ro", "names no file"),
            ("sqlite::memory:", "`memory:`"),
            ("sqlite:data/", "for example `sqlite:data/bank.db`"),
            ("sqlite:/?mode=ro", "for example `sqlite:/bank.db`"),
            ("sqlite:.", "a folder's path"),
            ("sqlite:data/..", "a folder's path"),
            ("sqlite://:memory:", "`memory:`"),
            ("sqlite:a.db?mode=x", "`ro`, `rw` or `rwc`"),
            ("sqlite:a.db?mode", "`ro`, `rw` or `rwc`"),
            ("sqlite:a.db?synchronous=off", "`full` or `normal`"),
            ("sqlite:a.db?cache=shared", "no option `cache`: use `mode="),
            ("sqlite:a.db?mode=ro&mode=ro", "`mode` stands there twice"),
            ("sqlite:a%2", "two hexadecimal digits"),
            ("sqlite:a%zz", "two hexadecimal digits"),
            ("sqlite:a%ff", "not UTF-8"),
            ("sqlite:a%00", "NUL"),
        ] {
            let error = SqliteOptions::parse(url).unwrap_err();
            assert!(matches!(&error, StartError::InvalidUrl { .. }) && error.to_string().contains(says), "{error}");
        }
    }
}
