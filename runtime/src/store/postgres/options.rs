//! Which database to open, and how; and the URLs that say so.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::error::StartError;
use crate::store::url::{decode, pairs};

/// Which database to open, and how.
///
/// Its `Debug` keeps the password to itself.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// How to connect: host, user, password, database, TLS.
    pub connect: PgConnectOptions,
    /// The schema in which all tables are; `None` takes the first one of the connection's search path. One that is not there
    /// is created.
    pub schema: Option<String>,
    /// How appends are kept in order.
    pub appends: AppendOrder,
    /// The most connections this store opens for each runtime that uses it, at least 6.
    pub connections_max: u32,
    /// How long a call waits for a connection before it fails.
    pub connection_wait_max: Duration,
    /// How long the server may say nothing before a connection counts as lost.
    pub answer_wait_max: Duration,
    /// How long a process that feeds a read model may be silent before another one takes the model over.
    pub lease: Duration,
    /// Whether a pooler stands between, such as pgbouncer, that gives each transaction another session.
    pub transaction_pooler: bool,
}

/// How appends are kept in order, so that readers never skip one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AppendOrder {
    /// Appends run beside each other, and readers wait for those that were open when they looked: `?appends=shared`, or nothing.
    ///
    /// Those that carry an inline read model, or that only hold a key, take the lock alone all the same.
    #[default]
    Shared,
    /// Appends run one after the other, each batch under one lock: `?appends=exclusive`.
    Exclusive,
}

/// The least number of connections: three for the census and to tell and hear of appends, one to append, and two to read.
const CONNECTIONS_MIN: u32 = 6;

impl PostgresOptions {
    /// For this database, with everything else as it is by default.
    pub fn new(connect: PgConnectOptions) -> Self {
        PostgresOptions {
            connect,
            schema: None,
            appends: AppendOrder::default(),
            connections_max: 16,
            connection_wait_max: Duration::from_secs(10),
            answer_wait_max: Duration::from_mins(1),
            lease: Duration::from_secs(10),
            transaction_pooler: false,
        }
    }
    /// The same in this schema.
    pub fn schema(self, schema: impl Into<String>) -> Self {
        PostgresOptions { schema: Some(schema.into()), ..self }
    }
    /// The same with appends kept in order in another way.
    pub fn appends(self, appends: AppendOrder) -> Self {
        PostgresOptions { appends, ..self }
    }
    /// The same with another number of connections; 6 where it is less.
    pub fn connections_max(self, connections_max: u32) -> Self {
        PostgresOptions { connections_max: connections_max.max(CONNECTIONS_MIN), ..self }
    }
    /// The same with another patience.
    pub fn connection_wait_max(self, connection_wait_max: Duration) -> Self {
        PostgresOptions { connection_wait_max, ..self }
    }

    /// The same with another time in which the server has to say something: with the next row, or that it is done. It waits 30 seconds
    /// itself where somebody else holds what it needs, so less would take a server for lost that is only busy.
    ///
    /// Whatever was asked of one that says nothing fails, and an append's outcome is unknown then.
    pub fn answer_wait_max(self, answer_wait_max: Duration) -> Self {
        PostgresOptions { answer_wait_max, ..self }
    }

    /// The same with another time after which read models of a silent process are taken over. One that says nothing for as long (a second,
    /// at least) between two statements of a transaction of gesta's loses what it has locked: the server ends its session.
    pub fn lease(self, lease: Duration) -> Self {
        PostgresOptions { lease, ..self }
    }

    /// The same through a pooler in transaction mode, such as pgbouncer, where one connection's transactions run in several
    /// sessions.
    ///
    /// Nothing is kept in a session then: no settings, no prepared statements, no ear for what other processes append, for which is
    /// looked 20 times a second instead. Each statement has a transaction of its own and is prepared anew, so a command takes four
    /// round trips instead of one: where there are connections enough, go to the server.
    pub fn transaction_pooler(self) -> Self {
        PostgresOptions { transaction_pooler: true, ..self }
    }

    /// Reads a URL, such as `postgres://user:password@host:5432/database?schema=ledger`.
    ///
    /// Its own options are `schema`, `appends=shared|exclusive`, `connections_max`, `connection_wait_max_s`, `answer_wait_max_s`,
    /// `lease_s` and `pooler=transaction`; beside them those of the driver: `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host` (a
    /// folder that begins with `/` is that of a socket), `hostaddr`, `port`, `dbname`, `user`, `password`, `application_name` and
    /// `options`.
    ///
    /// ```
    /// # use gesta::store::postgres::{AppendOrder, PostgresOptions};
    /// let options = PostgresOptions::parse("postgres://localhost/bank?schema=ledger&appends=exclusive")?;
    /// assert_eq!(options.schema.as_deref(), Some("ledger"));
    /// assert_eq!(options.appends, AppendOrder::Exclusive);
    /// # Ok::<_, gesta::StartError>(())
    /// ```
    ///
    /// # Errors
    /// [`StartError::InvalidUrl`] says what is wrong, and what can be written instead.
    pub fn parse(url: &str) -> Result<Self, StartError> {
        read(url).map_err(|why| StartError::InvalidUrl { url: without_password(url), why })
    }
}

/// The driver's own options, as far as a store has a use for them.
const DRIVERS: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "ssl-ca",
];

fn read(url: &str) -> Result<PostgresOptions, String> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    if !matches!(scheme, "postgres" | "postgresql") || !rest.starts_with("//") {
        return Err("a database is named like this: `postgres://user:password@host/database`".to_owned());
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    // Then the rest of a password would be told as if it were an option's name.
    let cut = is_cut(query).then(|| "a `?` stands in the user or the password: it is written `%3F` there".to_owned());
    let (mut ours, mut drivers) = (Vec::new(), Vec::new());
    for (name, value) in pairs(query)? {
        if DRIVERS.contains(&name) || name.starts_with("options[") {
            drivers.push(format!("{name}={value}"));
        } else {
            ours.push((name, decode(value)?));
        }
    }
    let connect = PgConnectOptions::from_str(&format!("{base}?{}", drivers.join("&"))).map_err(|why| {
        if let Some(cut) = &cut {
            return cut.clone();
        }
        // The driver wraps some of its errors in others of the same kind, and some not.
        let why = why.to_string().replace("error with configuration: ", "");
        format!("{why}: see how `postgres://user:password@host:5432/database` is made")
    })?;
    let mut options = PostgresOptions::new(connect);
    for (name, value) in ours {
        options = match (name, &*value) {
            ("schema", schema) => options.schema(schema),
            ("appends", "shared") => options.appends(AppendOrder::Shared),
            ("appends", "exclusive") => options.appends(AppendOrder::Exclusive),
            ("appends", other) => return Err(format!("`appends` can't be `{other}`: use `shared` or `exclusive`")),
            ("connections_max", number) => match number.parse() {
                Ok(max) if max >= CONNECTIONS_MIN => options.connections_max(max),
                _ => return Err(format!("`connections_max` can't be `{number}`: use a number from {CONNECTIONS_MIN} on")),
            },
            ("connection_wait_max_s", number) => options.connection_wait_max(seconds(name, number)?),
            ("answer_wait_max_s", number) => options.answer_wait_max(seconds(name, number)?),
            ("lease_s", number) => options.lease(seconds(name, number)?),
            ("pooler", "transaction") => options.transaction_pooler(),
            ("pooler", other) => {
                return Err(format!(
                    "`pooler` can't be `{other}`: use `transaction`, or leave it out where each connection keeps its session"
                ));
            }
            (name, _) => {
                let unknown = || {
                    format!(
                        "there is no option `{name}`: use `schema`, `appends`, `connections_max`, `connection_wait_max_s`, \
                         `answer_wait_max_s`, `lease_s` or `pooler`, or one of the driver's: {}",
                        DRIVERS.join(", ")
                    )
                };
                return Err(cut.unwrap_or_else(unknown));
            }
        };
    }
    options.check()?;
    Ok(options)
}

fn seconds(name: &str, number: &str) -> Result<Duration, String> {
    match number.parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{name}` can't be `{number}`: use whole seconds from 1 on")),
    }
}

impl PostgresOptions {
    /// Refuses what no server takes, or would take for something else: a longer name is cut off there.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.schema {
            Some(name) if name.is_empty() || name.len() > 63 || name.contains(['"', '\0']) || name.starts_with("pg_") => {
                Err(format!("{name:?} can't be the name of a schema: use letters, digits and `_`, at most 63 of them"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PostgresOptions { connect, schema, appends, connections_max, transaction_pooler, .. } = self;
        let PostgresOptions { connection_wait_max, answer_wait_max, lease, .. } = self;
        f.debug_struct("PostgresOptions")
            .field("host", &connect.get_host())
            .field("port", &connect.get_port())
            .field("user", &connect.get_username())
            .field("database", &connect.get_database())
            .field("schema", schema)
            .field("appends", appends)
            .field("connections_max", connections_max)
            .field("connection_wait_max", connection_wait_max)
            .field("answer_wait_max", answer_wait_max)
            .field("lease", lease)
            .field("transaction_pooler", transaction_pooler)
            .finish_non_exhaustive()
    }
}

/// Whether what seems to be options is the rest of a password, and what comes behind that.
fn is_cut(query: &str) -> bool {
    let may_hold_it = ["user=", "password="];
    query.split('&').any(|pair| pair.contains('@') && !may_hold_it.iter().any(|name| pair.starts_with(name)))
}

/// A URL as it may be shown.
fn without_password(url: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    let (scheme, rest) = before.split_once("//").unwrap_or(("", before));
    if query.is_some_and(is_cut) {
        return format!("{scheme}//***");
    }
    let mut shown = match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(user, _)| format!("{user}:***"));
            format!("{scheme}//{user}@{host}")
        }
        None => before.to_owned(),
    };
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| if pair.starts_with("password=") { "password=***" } else { pair });
        shown.push('?');
        shown.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_understood_is_named_without_the_password() {
        for (url, why) in [
            ("postgres:bank", "a database is named like this: `postgres://user:password@host/database`"),
            ("postgres://ann:secret@h/d?appends=both", "`appends` can't be `both`: use `shared` or `exclusive`"),
            ("postgres://ann:secret@h/d?connections_max=5", "`connections_max` can't be `5`: use a number from 6 on"),
            ("postgres://ann:secret@h/d?pooler=session", "`pooler` can't be `session`: use `transaction`, or leave it out"),
            ("postgres://h/d?schema=", "\"\" can't be the name of a schema: use letters, digits and `_`, at most 63 of them"),
            ("postgres://h/d?schema=a&schema=b", "the option `schema` stands there twice: leave one of them out"),
            ("postgres://ann:se?cret@h/d", "a `?` stands in the user or the password: it is written `%3F` there"),
            ("postgres://ann:12?se=cret@h/d", "a `?` stands in the user or the password: it is written `%3F` there"),
            ("postgres://ann:se@12?3=cret@h/d", "a `?` stands in the user or the password: it is written `%3F` there"),
            ("postgres://h/d?user=ann@b&password=secret&pool=3", "there is no option `pool`: use `schema`, "),
            ("postgres://h/d?password=se@cret&pool=3", "there is no option `pool`: use `schema`, "),
            ("postgres://ann:se/cret@h/d", "invalid port number: see how `postgres://user:password@host:5432/database` is made"),
            ("postgres://ann:secret@h/d?pool=3&password=secret", "there is no option `pool`: use `schema`, "),
        ] {
            let error = PostgresOptions::parse(url).expect_err(url).to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("secret") && !error.contains("cret@") && !error.contains("@cret"), "{error}");
        }
    }

    #[test]
    fn what_is_the_drivers_reaches_the_driver() {
        let url = "postgresql://ann@db:5433/bank?sslmode=require&schema=a%20b&application_name=teller";
        let options = PostgresOptions::parse(url).expect("it is right");
        assert_eq!(options.schema.as_deref(), Some("a b"));
        assert_eq!(options.connect.get_host(), "db");
        assert_eq!(options.connect.get_port(), 5433);
        assert_eq!(options.connect.get_application_name(), Some("teller"));
        assert!(matches!(options.connect.get_ssl_mode(), sqlx::postgres::PgSslMode::Require));
    }
}
