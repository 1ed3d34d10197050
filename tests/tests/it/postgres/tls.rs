//! A server that is spoken to by TLS only: with every connection, and only where its certificate is the one that is asked for.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::Command;
use std::time::{Duration, Instant};

use gesta::{App, StartError};
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use xtask::postgres::Cluster;

use super::server::connect;
use crate::app::commands::lending;
use crate::domain::*;
use crate::stores::Folder;

/// Certificates for a day: of `ours`, which has signed that of the server for `localhost`, and of `others`, who has not.
struct Certificates(Folder);

impl Certificates {
    fn new() -> Self {
        let new = Certificates(Folder::new());
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for name in ["ours", "others"] {
            new.openssl(&format!("req -x509 {key} -days 1 -subj /CN={name} -keyout {name}.key -out {name}.crt"));
        }
        fs::write(new.0.file("server.ext"), "subjectAltName = DNS:localhost\n").expect("the folder is there");
        new.openssl(&format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"));
        let signed = "-CA ours.crt -CAkey ours.key -CAcreateserial -days 1 -extfile server.ext";
        new.openssl(&format!("x509 -req -in server.csr {signed} -out server.crt"));
        new
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.file("")).output();
        let output = output.expect("the program `openssl` is there: Debian's Postgres brings it along");
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Gives the server what it shows to whoever connects.
    async fn give_to(&self, cluster: &Cluster) {
        let owner = fs::metadata(cluster.data()).expect("the server has a folder");
        for name in ["server.crt", "server.key"] {
            let place = cluster.data().join(name);
            fs::copy(self.0.file(name), &place).expect("the folder can be written to");
            fs::set_permissions(&place, Permissions::from_mode(0o600)).expect("it is ours");
            chown(&place, Some(owner.uid()), Some(owner.gid())).expect("who runs the server may do that");
        }
        let mut admin = connect(&cluster.url("postgres")).await;
        admin.execute("alter system set ssl = on").await.unwrap();
        admin.execute("select pg_reload_conf()").await.unwrap();
        // Each new connection's process may start before the server has read its settings.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut next = connect(&cluster.url("postgres")).await;
            let on: String = sqlx::query_scalar("show ssl").fetch_one(&mut next).await.unwrap();
            if on == "on" {
                return;
            }
            assert!(Instant::now() < deadline, "the settings are not read: {}", cluster.log());
        }
    }

    /// The server by this name, with the certificate of whoever must have signed its own.
    fn url(&self, cluster: &Cluster, host: &str, mode: &str, root: &str) -> String {
        let (port, root) = (cluster.port(), self.0.file(root));
        format!("postgres://gesta@{host}:{port}/postgres?sslmode={mode}&sslrootcert={}", root.display())
    }
}

/// The processes that serve an app: by their number, whether TLS is used, and whether it hears of appends.
async fn serving(admin: &mut PgConnection, app: &str) -> Vec<(i32, (bool, bool))> {
    let sql =
        "select pid, ssl, query like 'LISTEN %' from pg_stat_activity join pg_stat_ssl using (pid) where application_name = $1";
    let found: Vec<(i32, bool, bool)> = sqlx::query_as(sql).bind(app).fetch_all(admin).await.unwrap();
    found.into_iter().map(|(pid, ssl, listens)| (pid, (ssl, listens))).collect()
}

/// Commands and reads, by many at once; answers who has served them.
async fn served(url: &str, name: &str, admin: &mut PgConnection) -> HashMap<i32, (bool, bool)> {
    let app = App::connect(&format!("{url}&application_name={name}")).await.unwrap();
    let app = lending(app).projection::<Summary>().start().await.unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..8 {
        let (app, id) = (app.clone(), account(&format!("{name}{client}")));
        clients.spawn(async move {
            app.execute(&id, Open { owner: "x".repeat(100_000) }).await.unwrap();
            for _ in 0..20 {
                app.execute(&id, Deposit { amount: 1 }).await.unwrap();
                assert!(!app.history::<Account>(&id).unwrap().all().await.unwrap().is_empty());
            }
        });
    }
    let (mut served, deadline) = (HashMap::new(), Instant::now() + Duration::from_secs(30));
    while !clients.is_empty() || !served.values().any(|(_, listens)| *listens) {
        served.extend(serving(admin, name).await);
        while let Some(client) = clients.try_join_next() {
            client.unwrap();
        }
        assert!(Instant::now() < deadline, "{served:?}");
    }
    app.settle().await.unwrap();
    for client in 0..8 {
        let row = app.read::<Summary>().get(&account(&format!("{name}{client}"))).await.unwrap().expect("it is there");
        assert_eq!((row.balance, row.owner.len()), (20, 100_000));
    }
    served.extend(serving(admin, name).await);
    app.shutdown().await.unwrap();
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_connections_use_tls_where_it_is_asked_for() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let certificates = Certificates::new();
    certificates.give_to(&cluster).await;
    let mut admin = connect(&cluster.url("postgres")).await;
    for mode in ["verify-full", "require", "disable"] {
        let url = certificates.url(&cluster, "localhost", mode, "ours.crt");
        let served = served(&url, mode, &mut admin).await;
        assert!(served.len() >= 6, "{mode}: some were not seen: {served:?}");
        assert!(served.values().any(|(_, listens)| *listens), "{mode}: {served:?}");
        // The last shows that it would be seen.
        assert!(served.values().all(|(ssl, _)| *ssl == (mode != "disable")), "{mode}: {served:?}");
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_the_one_that_is_asked_for_is_refused() {
    let cluster = Cluster::start(&[]).expect("a server of one's own");
    let certificates = Certificates::new();
    certificates.give_to(&cluster).await;
    let opens = async |host, mode, root| gesta::store::connect(&certificates.url(&cluster, host, mode, root)).await;
    drop(opens("localhost", "verify-full", "ours.crt").await.expect("it is ours"));
    drop(opens("127.0.0.1", "verify-ca", "ours.crt").await.expect("it is ours, whatever it is called"));
    let port = cluster.port();
    let encrypted = |host: &str, why: &str| {
        format!("opening the database: no encrypted connection to {host}:{port}: invalid peer certificate: {why}")
    };
    let unknown = encrypted("localhost", "UnknownIssuer: see `sslmode` and `sslrootcert`");
    for (host, mode, root, why) in [
        ("localhost", "verify-full", "others.crt", &*unknown),
        ("localhost", "verify-ca", "others.crt", &*unknown),
        ("127.0.0.1", "verify-full", "ours.crt", &*encrypted("127.0.0.1", "certificate not valid for name \"127.0.0.1\"")),
        (
            "localhost",
            "verify-full",
            "nobodys.crt",
            "opening the database: a file is not there that the URL names: see `sslrootcert`, `sslcert` and `sslkey`: No such file",
        ),
    ] {
        let refused = opens(host, mode, root).await.err().expect("nobody vouches for it");
        assert!(refused.to_string().starts_with(why), "{refused}");
        assert!(matches!(refused, StartError::Store(why) if !why.is_retryable()), "it stays so");
    }
}
