//! `pgbouncer` in transaction mode, in front of a server for tests: each transaction may run in another session.
//!
//! Always true: it listens on the loopback address only, under a port that was free, and it and its files are gone once it is
//! dropped.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::postgres::{Owner, free_port, install};

/// Sessions for each database: fewer than there are clients, so that they are handed on at once.
pub const SESSIONS: usize = 4;
/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(10);

/// Makes sure that one can be started: where none is installed, it is installed, if that may be done.
///
/// # Errors
/// Says what is missing, and what to do.
pub fn ready() -> Result<(), String> {
    if program().is_none() {
        install("pgbouncer", "install `pgbouncer` (on Debian, `apt-get install pgbouncer`)")?;
    }
    program().map(drop).ok_or_else(|| "`pgbouncer` is installed, and not to be found".to_owned())
}

/// A pooler that is running.
#[derive(Debug)]
pub struct Pooler {
    child: Child,
    folder: PathBuf,
    user: String,
    port: u16,
}

impl Pooler {
    /// Starts one before the server of this URL.
    ///
    /// # Errors
    /// Says what is missing, and what to do.
    pub fn before(server: &str) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let address =
            Address::parse(server).ok_or_else(|| format!("`{server}` is not of the form postgres://user@host:port/.."))?;
        let failed = |why: io::Error| format!("pgbouncer can't be started: {why}");
        let port = free_port().map_err(failed)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("gesta-pooler-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(failed)?;
        Owner::find()?.own(&folder).map_err(failed)?;
        let users = folder.join("users");
        fs::write(&users, format!("\"{}\" \"{}\"\n", address.user, address.password)).map_err(failed)?;
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\nserver_login_retry = 0\n",
            address.host,
            address.port,
            users.display(),
        );
        fs::write(folder.join("pgbouncer.ini"), text).map_err(failed)?;
        let child = spawn(&folder)?;
        let mut pooler = Pooler { child, folder, user: address.user.to_owned(), port };
        pooler.wait()?;
        Ok(pooler)
    }

    /// Where a database of the server is through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{}@127.0.0.1:{}/{database}", self.user, self.port)
    }

    /// Ends it in the middle of whatever it does, and starts it again.
    ///
    /// # Errors
    /// Says why it can't be started.
    pub fn crash(&mut self) -> Result<(), String> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.child = spawn(&self.folder)?;
        self.wait()
    }

    /// Until it listens.
    fn wait(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().map_err(|why| why.to_string())?;
            if ended.is_some() || began.elapsed() > START_MAX {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("pgbouncer does not listen:\n{log}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Starts the program on what stands in its folder.
fn spawn(folder: &Path) -> Result<Child, String> {
    let failed = |why: io::Error| format!("pgbouncer can't be started: {why}");
    let program = program().ok_or("`pgbouncer` is not here: `cargo xtask test` installs it")?;
    let mut command = Command::new(program);
    Owner::find()?.of(&mut command);
    let log = fs::File::create(folder.join("log")).map_err(failed)?;
    command.arg(folder.join("pgbouncer.ini")).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().map_err(failed)
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.is_file())
}

/// Where a server is, and for whom.
#[derive(Debug, PartialEq)]
struct Address<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: u16,
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (rest, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
        let (who, place) = rest.rsplit_once('@')?;
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
        Some(Address { user, password, host, port: port.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_found_in_its_url() {
        let address = |user, password, port| Some(Address { user, password, host: "127.0.0.1", port });
        assert_eq!(Address::parse("postgres://gesta@127.0.0.1:55432/postgres"), address("gesta", "", 55432));
        assert_eq!(Address::parse("postgres://gesta:secret@127.0.0.1/a?sslmode=disable"), address("gesta", "secret", 5432));
        assert_eq!(Address::parse("postgres:///a"), None);
    }
}
