//! A Postgres cluster of one's own: made in a temporary folder, started, and gone with it.
//!
//! Always true: it listens on the loopback address only, under a port that was free, and its processes and files are gone once it
//! is dropped.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The variable that names a server for tests: one on which they may make databases.
pub const VARIABLE: &str = "GESTA_TEST_POSTGRES";

/// The user of a cluster of one's own.
const USER: &str = "gesta";

/// How long it may take until one that was killed can be started again, and the pauses between attempts.
const START_MAX: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(10);

/// A server for tests.
#[derive(Debug)]
pub enum Server {
    /// Somebody else's, named by [`VARIABLE`].
    Given(String),
    /// One that was brought up, and goes with this.
    Own(Cluster),
}

impl Server {
    /// The one that is named, or one of our own; where no Postgres is installed, it is installed, if that may be done.
    ///
    /// # Errors
    /// Says what is missing, and what to do.
    pub fn ready() -> Result<Self, String> {
        if let Ok(url) = std::env::var(VARIABLE) {
            return Ok(Server::Given(url));
        }
        if programs().is_none() {
            let otherwise =
                "install Postgres 13 or newer (on Debian, `apt-get install postgresql`), or name a server by GESTA_TEST_POSTGRES";
            install("postgresql", otherwise)?;
        }
        Cluster::start(&[]).map(Server::Own)
    }

    /// Where a database of it is in which tests may make others.
    pub fn url(&self) -> String {
        match self {
            Server::Given(url) => url.clone(),
            Server::Own(cluster) => cluster.url("postgres"),
        }
    }
}

/// Installs one of Debian's packages, where this is Debian and root asks; else says what to do.
pub(crate) fn install(package: &str, otherwise: &str) -> Result<(), String> {
    let run = |arguments: &[&str]| {
        let status =
            Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`apt-get {}` ended with {status}: {otherwise}", arguments.join(" "))),
            Err(_) => Err(format!("`{package}` is not here: {otherwise}")),
        }
    };
    run(&["update"])?;
    run(&["install", "-y", "--no-install-recommends", package])
}

/// A cluster that is running.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    owner: Owner,
}

/// Whom the server runs as: it refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner(Option<(u32, u32)>);

impl Cluster {
    /// Makes one and starts it, with these settings beside those that tests need.
    ///
    /// # Errors
    /// Says what is missing, or what a program said.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, String> {
        let cluster = Cluster::place()?;
        cluster.run("initdb", &["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])?;
        cluster.configure(settings)?;
        cluster.resume()?;
        Ok(cluster)
    }

    /// Another one that gets all that this one stores, a moment later: a standby.
    ///
    /// # Errors
    /// Says what is missing, or what a program said.
    pub fn standby(&self) -> Result<Self, String> {
        let standby = Cluster::place()?;
        let port = self.port.to_string();
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", USER, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"];
        standby.run("pg_basebackup", &from)?;
        standby.configure(&[])?;
        standby.resume()?;
        Ok(standby)
    }

    /// Makes a standby one that can be written to.
    ///
    /// # Errors
    /// What a program said.
    pub fn promote(&self) -> Result<(), String> {
        self.run("pg_ctl", &["promote", "-w"])
    }

    /// Stops the server, copies its files aside as a physical backup, and starts it again.
    ///
    /// # Errors
    /// The output of the program that failed.
    pub fn back_up(&self) -> Result<(), String> {
        self.run("pg_ctl", &["stop", "-m", "fast", "-w"])?;
        copy(&self.data(), &self.backup())?;
        self.resume()
    }

    /// Puts the files of the last [`back_up`](Cluster::back_up) in the place of the present ones, which are lost, and starts
    /// the server again under the same address.
    ///
    /// # Errors
    /// The output of the program that failed.
    pub fn restore(&self) -> Result<(), String> {
        self.crash()?;
        copy(&self.backup(), &self.data())?;
        self.resume()
    }

    fn backup(&self) -> PathBuf {
        self.folder.join("backup")
    }

    /// A folder and a port.
    fn place() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let programs = programs().ok_or("no Postgres is installed here: on Debian, `apt-get install postgresql`")?;
        let owner = Owner::find()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("gesta-postgres-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        owner.own(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        Ok(Cluster { folder, programs, port: free_port().map_err(|why| format!("no port is free: {why}"))?, owner })
    }

    /// Adds settings to those it has.
    fn configure(&self, settings: &[(&str, &str)]) -> Result<(), String> {
        let (port, sockets) = (self.port.to_string(), self.folder.display().to_string());
        let ours = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", &sockets),
            ("max_connections", "300"),
            ("max_prepared_transactions", "20"),
            ("max_wal_size", "4GB"),
            ("log_min_messages", "warning"),
        ];
        let lines: Vec<_> = ours.iter().chain(settings).map(|(name, value)| format!("{name} = '{value}'\n")).collect();
        let file = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        fs::write(&file, before + &lines.concat()).map_err(|why| format!("{}: {why}", file.display()))
    }

    /// Where a database of it is.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Under which port it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with its files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Ends it at once, as a crash would: nothing is written before.
    ///
    /// # Errors
    /// What a program said.
    pub fn crash(&self) -> Result<(), String> {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w"])
    }

    /// Kills the server without a word to it or to those that work for it, and starts it again. It refuses to begin as long as one
    /// of those is left, which may still carry out what it was asked for.
    ///
    /// # Errors
    /// What a program said.
    pub fn kill(&self) -> Result<(), String> {
        let file = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
        self.kill_one(text.lines().next().unwrap_or_default())?;
        let until = Instant::now() + START_MAX;
        loop {
            match self.resume() {
                Err(why) if Instant::now() > until => return Err(why),
                Err(_) => std::thread::sleep(PAUSE),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Kills one of its processes without a word to it.
    ///
    /// # Errors
    /// What a program said.
    pub fn kill_one(&self, process: &str) -> Result<(), String> {
        self.run("pg_ctl", &["kill", "KILL", process])
    }

    /// Starts it again, with what it has.
    ///
    /// # Errors
    /// What a program said.
    pub fn resume(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        self.run("pg_ctl", &["start", "-w", "-t", "60", "-l", &log.display().to_string()])
            .map_err(|why| format!("{why}\n{}", self.log()))
    }

    /// What the server has written down since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Whether it is running.
    pub fn is_running(&self) -> bool {
        self.run("pg_ctl", &["status"]).is_ok()
    }

    /// Runs one of the programs that belong to the server, as its owner and on its data.
    ///
    /// # Errors
    /// What it said.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-D").arg(self.data()).args(arguments);
        self.owner.of(&mut command);
        // What it starts lives on, and would keep a pipe open.
        let said = self.folder.join("said");
        let output = fs::File::create(&said).map_err(|why| why.to_string())?;
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(|why| why.to_string())?)
            .stderr(output);
        let status = command.status().map_err(|why| format!("{program}: {why}"))?;
        let text = || fs::read_to_string(&said).unwrap_or_default();
        if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}:\n{}", text())) }
    }
}

/// Copies a folder with owners and rights, in the place of what is there.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |why: io::Error| format!("{}: {why}", to.display());
    if to.exists() {
        fs::remove_dir_all(to).map_err(failed)?;
    }
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("`cp -a {} {}` ended with {status}", from.display(), to.display())) }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where the server's programs are: those of the newest version.
pub fn programs() -> Option<PathBuf> {
    let complete =
        |folder: &Path| ["initdb", "pg_basebackup", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<_> = std::env::split_paths(&path).filter(|folder| complete(folder)).collect();
    if found.is_empty() {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        found = versions.map(|version| version.path().join("bin")).filter(|folder| complete(folder)).collect();
        let number = |folder: &PathBuf| folder.parent().and_then(Path::file_name).and_then(OsStr::to_str)?.parse::<u32>().ok();
        found.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    }
    found.into_iter().next()
}

pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(unix)]
impl Owner {
    pub(crate) fn find() -> Result<Self, String> {
        use std::os::unix::fs::MetadataExt as _;
        let own = fs::metadata("/proc/self").map_or(1, |own| own.uid());
        if own != 0 {
            return Ok(Owner(None));
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|why| format!("/etc/passwd: {why}"))?;
        let ids = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let ids = ids("postgres").or_else(|| ids("nobody"));
        ids.map(|ids| Owner(Some(ids))).ok_or_else(|| "there is no user `postgres` that the server could run as".to_owned())
    }
    pub(crate) fn own(self, folder: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => std::os::unix::fs::chown(folder, Some(user), Some(group)),
            None => Ok(()),
        }
    }
    pub(crate) fn of(self, command: &mut Command) {
        use std::os::unix::process::CommandExt as _;
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
    }
}

#[cfg(not(unix))]
impl Owner {
    pub(crate) fn find() -> Result<Self, String> {
        Ok(Owner(None))
    }
    pub(crate) fn own(self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    pub(crate) fn of(self, _: &mut Command) {}
}
