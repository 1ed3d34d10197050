//! Which database to open, and how; and the URLs that say so.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::error::StartError;
use crate::store::url::{decode, name_shown, pairs, scheme_shown};

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
        read(url).map_err(|why| StartError::InvalidUrl { url: without_secrets(url), why })
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

/// Those of them whose values can be shown, and gesta's own.
const SHOWN: [&str; 13] = [
    "schema",
    "appends",
    "connections_max",
    "connection_wait_max_s",
    "answer_wait_max_s",
    "lease_s",
    "pooler",
    "sslmode",
    "ssl-mode",
    "host",
    "hostaddr",
    "port",
    "dbname",
];

fn is_drivers(name: &str) -> bool {
    DRIVERS.contains(&name) || name.starts_with("options[")
}

fn is_known(name: &str) -> bool {
    is_drivers(name) || SHOWN.contains(&name)
}

/// An option's value as it is told of, which behind a password may be the rest of that.
struct Told<'a>(Option<&'a str>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "`{value}`"),
            None => f.write_str("that"),
        }
    }
}

fn read(url: &str) -> Result<PostgresOptions, String> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    if !matches!(scheme, "postgres" | "postgresql") || !rest.starts_with("//") {
        return Err("a database is named like this: `postgres://user:password@host/database`".to_owned());
    }
    // Else the rest of a password would be taken for a host, a database or an option, and be told of as such.
    if let Some((sign, code)) = misplaced(rest.get(2..).unwrap_or_default()) {
        return Err(format!("a `{sign}` stands in the user or the password: it is written `{code}` there"));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut hidden = false;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        if !is_known(name) {
            let drivers = DRIVERS.join(", ");
            let there_are = format!(
                "use `schema`, `appends`, `connections_max`, `connection_wait_max_s`, `answer_wait_max_s`, `lease_s` or `pooler`, or one \
                 of the driver's: {drivers}"
            );
            // Without a host behind it, `user:password` is taken for a host and its port.
            let sure = base.contains('@') || !base.trim_start_matches(scheme).trim_start_matches(':').contains(':');
            return Err(match name_shown(pair).filter(|_| sure) {
                _ if hidden => {
                    format!("behind `password` stands what is no option: an `&` is written `%26` there; else {there_are}")
                }
                Some(name) => format!("there is no option `{name}`: {there_are}"),
                None => format!("an option is none: {there_are}"),
            });
        }
        hidden |= name == "password";
    }
    let (mut ours, mut drivers, mut hidden) = (Vec::new(), Vec::new(), false);
    for (name, value) in pairs(query)? {
        let text = decode(value)?;
        if is_drivers(name) {
            if matches!(name, "sslmode" | "ssl-mode")
                && let Err(why) = PgSslMode::from_str(&text)
            {
                let why = if hidden { "`sslmode` can't be that".to_owned() } else { plain(&why) };
                return Err(format!("{why}: see how `postgres://user:password@host:5432/database` is made"));
            }
            drivers.push(format!("{name}={value}"));
        } else {
            ours.push((name, text, hidden));
        }
        hidden |= name == "password";
    }
    let connect = PgConnectOptions::from_str(&format!("{base}?{}", drivers.join("&"))).map_err(|why| {
        let why = plain(&why);
        format!("{why}: see how `postgres://user:password@host:5432/database` is made")
    })?;
    // The driver warns of each statement that takes a second; how long it may take is for gesta to judge.
    let connect = match "debug".parse() {
        Ok(level) => connect.log_slow_statements(level, Duration::from_secs(1)),
        Err(_) => connect,
    };
    let mut options = PostgresOptions::new(connect);
    for (name, value, hidden) in ours {
        let told = Told((!hidden).then_some(&*value));
        options = match (name, &*value) {
            ("schema", schema) => options.schema(schema),
            ("appends", "shared") => options.appends(AppendOrder::Shared),
            ("appends", "exclusive") => options.appends(AppendOrder::Exclusive),
            ("appends", _) => return Err(format!("`appends` can't be {told}: use `shared` or `exclusive`")),
            ("connections_max", number) => match number.parse() {
                Ok(max) if max >= CONNECTIONS_MIN => options.connections_max(max),
                _ => return Err(format!("`connections_max` can't be {told}: use a number from {CONNECTIONS_MIN} on")),
            },
            ("connection_wait_max_s", number) => options.connection_wait_max(seconds(name, number, &told)?),
            ("answer_wait_max_s", number) => options.answer_wait_max(seconds(name, number, &told)?),
            ("lease_s", number) => options.lease(seconds(name, number, &told)?),
            ("pooler", "transaction") => options.transaction_pooler(),
            _ => {
                return Err(format!(
                    "`{name}` can't be {told}: use `transaction`, or leave it out where each connection keeps its session"
                ));
            }
        };
        if name == "schema" {
            let refused = |why| {
                if hidden { "`schema` can't be that: use letters, digits and `_`, at most 63 of them".to_owned() } else { why }
            };
            options.check().map_err(refused)?;
        }
    }
    Ok(options)
}

/// The driver wraps some of its errors in others of the same kind, and some not.
fn plain(why: &sqlx::Error) -> String {
    why.to_string().replace("error with configuration: ", "")
}

/// A sign that ends the user and the password before the `@` does, and how it is written, in what stands behind the `//`.
fn misplaced(rest: &str) -> Option<(char, &'static str)> {
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = base.split_once('/').map_or("", |(_, path)| path);
    // Names of people and their mail addresses.
    let may_hold_it = ["user=", "password=", "application_name=", "options=", "options["];
    let cut = |pair: &str| pair.contains('@') && !may_hold_it.iter().any(|name| pair.starts_with(name));
    if rest.contains('#') {
        Some(('#', "%23"))
    } else if query.split('&').any(cut) {
        Some(('?', "%3F"))
    } else if path.contains('@') {
        Some(('/', "%2F"))
    } else {
        None
    }
}

fn seconds(name: &str, number: &str, told: &Told<'_>) -> Result<Duration, String> {
    match number.parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{name}` can't be {told}: use whole seconds from 1 on")),
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

/// A URL as it may be shown: known options, and host and database if no `:` and no `@` says that a user and a password could stand there.
/// Neither the values of other options are shown nor whatever stands behind a password.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    let scheme = scheme_shown(scheme);
    let Some(rest) = rest.strip_prefix("//").filter(|rest| misplaced(rest).is_none()) else {
        return format!("{scheme}:***");
    };
    let (base, query) = rest.split_once('?').map_or((rest, None), |(base, query)| (base, Some(query)));
    let is_plain = base.chars().all(|letter| letter.is_alphanumeric() || ".-_%/".contains(letter));
    let mut shown = format!("{scheme}://{}", if is_plain { base } else { "***" });
    if base.contains(':') && !base.contains('@') {
        // A `?` can stand in a password without a host behind it.
        return shown;
    }
    for (pair, sign) in
        query.into_iter().flat_map(|query| query.split('&')).zip(std::iter::once('?').chain(std::iter::repeat('&')))
    {
        shown.push(sign);
        match pair.split_once('=') {
            Some((name, _)) if SHOWN.contains(&name) => shown.push_str(pair),
            Some((name, _)) if DRIVERS.contains(&name) && name != "password" => {
                shown.push_str(name);
                shown.push_str("=***");
            }
            _ => return shown + "***",
        }
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
            ("postgres://ann:12?schema=cret@h/d", "a `?` stands in the user or the password: it is written `%3F` there"),
            ("postgres://ann:12#3cret@h/d", "a `#` stands in the user or the password: it is written `%23` there"),
            ("postgres://ann:12/cret@h/d", "a `/` stands in the user or the password: it is written `%2F` there"),
            ("postgres://ann:se/cret@h/d", "a `/` stands in the user or the password: it is written `%2F` there"),
            (
                "postgres://h/d?user=ann@b&password=secret&pool=3",
                "behind `password` stands what is no option: an `&` is written `%26`",
            ),
            (
                "postgres://h/d?password=se@cret&pool=3",
                "behind `password` stands what is no option: an `&` is written `%26` there",
            ),
            ("postgres://h/d?password=se&cret", "behind `password` stands what is no option: an `&` is written `%26` there"),
            ("postgres://h/d?password=se&appends=cret", "`appends` can't be that: use `shared` or `exclusive`"),
            ("postgres://h/d?password=se&sslmode=cret", "`sslmode` can't be that: see how `postgres://user:password@host"),
            ("postgres://h/d?password=se&schema=cret%22", "`schema` can't be that: use letters, digits and `_`"),
            ("postgres://ann:secret", "invalid port number: see how `postgres://user:password@host:5432/database` is made"),
            ("postgres://ann:secret@h/d?pool=3&password=secret", "there is no option `pool`: use `schema`, "),
            ("postgres://ann:secret@h/d?SECRET", "an option is none: use `schema`, "),
        ] {
            let error = PostgresOptions::parse(url).expect_err(url).to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("cret") && !error.contains("SECRET"), "{error}");
        }
    }

    /// F20: 10,101 of 300,000 random URLs showed a part of their password.
    #[test]
    fn no_random_url_shows_a_part_of_its_password() {
        const SIGNS: &[u8] = b"@:/?#%&=[]\\ ;'\"~+!-_.";
        const LETTERS: &[u8] = b"ZXJ7";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |max: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap_or_default() % max
        };
        let options = [
            "",
            "schema=a&appends=both",
            "pool=3",
            "connections_max=1",
            "sslmode=maybe",
            "schema=a&schema=b",
            "host=/x&frob=1",
            "port=abc",
        ];
        let (mut refused, mut taken) = (0, 0);
        for _ in 0..100_000 {
            let mut secret = String::new();
            for _ in 0..=below(12) {
                let from = if below(3) == 0 { SIGNS } else { LETTERS };
                secret.push(char::from(from[below(from.len())]));
            }
            let option = options[below(options.len())];
            let and = if option.is_empty() { "" } else { "&" };
            let (query, sign) = (option, if option.is_empty() { "" } else { "?" });
            let form = below(9);
            let url = match form {
                0 => format!("postgres://ann:{secret}@db.example/bank{sign}{query}"),
                1 => format!("postgres://ann:{secret}@db.example:port/bank{sign}{query}"),
                2 => format!("postgres://db.example/bank?{option}{and}password={secret}"),
                3 => format!("postgres://db.example/bank?password={secret}{and}{option}"),
                4 => format!("postgresql://{secret}@db.example/bank{sign}{query}"),
                5 => format!("postgres://ann:{secret}"),
                6 => format!("postgres:ann:{secret}@db.example/bank{sign}{query}"),
                7 => format!("mysql://ann:{secret}@db.example/bank{sign}{query}"),
                _ => format!("postgres://db.example/bank?sslpassword={secret}{and}{option}"),
            };
            let told = match PostgresOptions::parse(&url) {
                Err(why) => {
                    refused += 1;
                    format!("{why} {why:?}")
                }
                // A host, a port and a database are named there, if it can be read.
                Ok(_) if form == 5 => continue,
                Ok(options) => {
                    taken += 1;
                    // A user's name is told of, since the server tells of it too.
                    let connect = options.connect.clone().username("ann");
                    format!("{:?}", PostgresOptions { connect, ..options })
                }
            };
            assert!(!told.contains(['Z', 'X', 'J']), "{url}: {told}");
        }
        assert!(refused > 1_000 && taken > 1_000, "{refused} were refused, {taken} were not: does this test see nothing?");
    }

    #[test]
    fn url_is_shown_as_far_as_it_holds_no_secret() {
        for (url, shown) in [
            ("postgres://h/d?schema=", "postgres://h/d?schema="),
            ("postgres://h:5432/d?schema=", "postgres://***"),
            ("postgres://ann:secret@h/d?sslkey=a&schema=b&pool=3&schema=c", "postgres://***?sslkey=***&schema=b&***"),
            ("postgres://ann:secret", "postgres://***"),
            ("postgres://h/d?schema=a&password=b&schema=c", "postgres://h/d?schema=a&***"),
        ] {
            assert_eq!(without_secrets(url), shown);
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
