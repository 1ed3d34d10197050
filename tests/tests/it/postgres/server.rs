//! The server that tests run on, and a database of its own for each of them.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use xtask::pooler::Pooler;

/// A database of its own, gone with the test.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    pub async fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let server = std::env::var(xtask::postgres::VARIABLE).unwrap_or_else(|_| {
            panic!("`{}` names no server: run the tests by `cargo xtask test`, which starts one", xtask::postgres::VARIABLE)
        });
        let name = format!("gesta_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut server_connection = connect(&server).await;
        let sql = AssertSqlSafe(format!("create database {name}"));
        server_connection.execute(sql).await.expect("the user of the tests may make databases");
        Database { server, name }
    }

    /// With these options behind it, such as `?schema=a`.
    pub fn url(&self, options: &str) -> String {
        self.url_at(&self.server, options)
    }

    /// A pooler before its server.
    pub fn pooler(&self) -> Pooler {
        Pooler::before(&self.server).expect("a pooler")
    }

    /// The same through a pooler.
    pub fn url_through(&self, pooler: &Pooler, options: &str) -> String {
        let more = if options.is_empty() { "?pooler=transaction".to_owned() } else { format!("{options}&pooler=transaction") };
        format!("{}{more}", pooler.url(&self.name))
    }

    /// The same at another address.
    pub fn url_at(&self, server: &str, options: &str) -> String {
        let (base, own) = server.split_once('?').unwrap_or((server, ""));
        let (base, _) = base.rsplit_once('/').expect("the URL of a server names a database");
        let sign = if own.is_empty() { options.to_owned() } else { format!("?{own}{}", options.replacen('?', "&", 1)) };
        format!("{base}/{}{sign}", self.name)
    }

    /// The same through a pooler.
    pub async fn connect_through(&self, pooler: &Pooler) -> PgConnection {
        connect_through(&pooler.url(&self.name)).await
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection beside gesta's.
    pub async fn connect(&self) -> PgConnection {
        connect(&self.url("")).await
    }
}

/// A connection by the driver alone, through a pooler, which refuses one of its settings.
pub async fn connect_through(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("it is the URL of a server");
    options.extra_float_digits(None).connect().await.unwrap_or_else(|why| panic!("{url}: {why}"))
}

/// A connection by the driver alone.
pub async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("it is the URL of a server");
    options.connect().await.unwrap_or_else(|why| panic!("{url}: {why}"))
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        // A drop can't wait in the runtime it is in.
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection = connect(&server).await;
                let _ = connection.execute(AssertSqlSafe(sql)).await;
                let _ = connection.close().await;
            });
        });
        let _ = gone.join();
    }
}
