//! The processes of a race: started, told to begin, and listened to until they have come to their end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::said::Said;

/// A race takes less than that, or is stuck.
const TIME_MAX: Duration = Duration::from_mins(15);

/// A process that is to be started.
pub(super) struct Plan<'a> {
    /// The store, as gesta opens it.
    pub(super) store: &'a str,
    /// The database, for statements written by hand.
    pub(super) hand: &'a str,
    pub(super) seed: u64,
    /// Makes its streams its own.
    pub(super) number: usize,
    /// How many events each of its writers appends.
    pub(super) events: usize,
    /// `mixed`, `storm` or `hot`.
    pub(super) writers: &'a str,
}

/// A process that runs; it ends with this.
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    ready: Option<oneshot::Receiver<()>>,
    said: Option<JoinHandle<Vec<Said>>>,
}

impl Process {
    pub(super) fn start(plan: &Plan<'_>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_races-writer"));
        command.args([plan.store, plan.hand]);
        command.args([plan.seed.to_string(), plan.number.to_string(), plan.events.to_string()]).arg(plan.writers);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the writer starts");
        let (stdin, output) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        let (is_ready, ready) = oneshot::channel();
        let said = std::thread::spawn(move || {
            let (mut is_ready, mut said) = (Some(is_ready), Vec::new());
            for line in BufReader::new(output).lines() {
                let line = line.expect("the writer speaks UTF-8");
                match line.parse().unwrap_or_else(|()| panic!("the writer said `{line}`")) {
                    Said::Ready => drop(is_ready.take().map(|is_ready| is_ready.send(()))),
                    other => said.push(other),
                }
            }
            said
        });
        Process { child, stdin, ready: Some(ready), said: Some(said) }
    }

    /// Comes back once it is connected.
    pub(super) async fn ready(&mut self) {
        let ready = self.ready.take().expect("it is waited for once");
        ready.await.expect("the writer gets ready; what it says to its standard error is above");
    }

    pub(super) fn begin(&mut self) {
        let mut stdin = self.stdin.take().expect("it begins once");
        stdin.write_all(b"go\n").expect("it listens");
    }

    /// All it has said, once it has come to its end.
    pub(super) async fn said(mut self) -> Vec<Said> {
        let said = self.said.take().expect("it is listened to once");
        let said = tokio::task::spawn_blocking(|| said.join().expect("what it says can be read"));
        let said = tokio::time::timeout(TIME_MAX, said).await.expect("the writer comes to an end").expect("no panic");
        let status = self.child.wait().expect("it was started here");
        assert!(status.success(), "a writer failed: {status}; the last it said: {:?}", said.last());
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
