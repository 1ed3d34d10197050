//! Who waits for events is woken: by this process at once, by others through `NOTIFY`.
//!
//! A notification is sent from outside of the append's transaction, where it would take a lock of the whole server at each commit;
//! and at most once in a while. It says only that there may be something: whoever hears it looks, and looks from time to time
//! without hearing anything.
//!
//! The two tasks that tell and hear end with the runtime they run on. The next caller that needs them starts them on its own.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::Executor as _;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use super::connections::Connections;
use super::schema::Place;
use super::session::{Ask as _, silent};

/// The least time between two notifications of one process.
const APART: Duration = Duration::from_millis(5);
/// How often is looked without having heard anything, while notifications come, and while they don't.
const POLL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(50));
/// The pause before the channel is listened to again, where that failed.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Wake {
    /// Counts what was heard.
    heard: watch::Sender<u64>,
    /// Something was appended that others have not been told of.
    untold: Notify,
    listening: AtomicBool,
    closed: watch::Sender<bool>,
    /// Whether there is a task that tells, and one that hears.
    tells: AtomicBool,
    hears: AtomicBool,
    /// What they work with.
    channel: OnceLock<(Connections, String)>,
}

/// A task of the two. If it ends before its work has, it can be started again.
struct Task {
    wake: Arc<Wake>,
    hears: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.hears {
            self.wake.listening.store(false, Ordering::Relaxed);
            self.wake.hears.store(false, Ordering::SeqCst);
        } else {
            self.wake.tells.store(false, Ordering::SeqCst);
        }
    }
}

impl Wake {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Wake {
            heard: watch::Sender::new(0),
            untold: Notify::new(),
            listening: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            tells: AtomicBool::new(false),
            hears: AtomicBool::new(false),
            channel: OnceLock::new(),
        })
    }

    /// Lets others know, and hears of them, until the store is closed.
    pub(super) fn start(self: &Arc<Self>, connections: &Connections, place: &Place) {
        let _ = self.channel.set((connections.clone(), place.channel.clone()));
        self.run(false);
    }

    /// Starts what does not run, on the caller's runtime.
    fn run(self: &Arc<Self>, again: bool) {
        if self.tells.load(Ordering::SeqCst) && self.hears.load(Ordering::SeqCst) {
            return;
        }
        let (Some((connections, channel)), false, Ok(runtime)) = (self.channel.get(), self.is_closed(), Handle::try_current())
        else {
            return;
        };
        if !self.tells.swap(true, Ordering::SeqCst) {
            // The task has it also if it never ran.
            let task = Task { wake: Arc::clone(self), hears: false };
            let (connections, channel) = (connections.clone(), channel.clone());
            runtime.spawn(async move {
                task.wake.until_closed(task.wake.tell(&connections, &channel)).await;
            });
        }
        if !self.hears.swap(true, Ordering::SeqCst) {
            let task = Task { wake: Arc::clone(self), hears: true };
            let (connections, channel) = (connections.clone(), channel.clone());
            runtime.spawn(async move {
                task.wake.until_closed(task.wake.listen(&connections, &channel, again)).await;
            });
        }
    }

    async fn until_closed(&self, work: impl Future<Output = ()>) {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            () = work => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    /// This process has appended.
    pub(super) fn appended(self: &Arc<Self>) {
        self.run(true);
        self.heard.send_modify(|heard| *heard += 1);
        self.untold.notify_one();
    }

    async fn tell(&self, connections: &Connections, channel: &str) {
        loop {
            self.untold.notified().await;
            if let Ok(mut connection) = connections.control().await {
                let told = sqlx::query("select pg_notify($1, '')").bind(channel).run(&mut connection.session()).await;
                let told = match told {
                    Ok(_) => connection.done().await,
                    Err(why) => Err(why),
                };
                if let Err(why) = told {
                    tracing::debug!(%why, "others were not told of an append; they look from time to time");
                }
            }
            tokio::time::sleep(APART).await;
        }
    }

    async fn listen(&self, connections: &Connections, channel: &str, mut again: bool) {
        loop {
            match self.hear(connections, channel, again).await {
                // Behind a pooler. The task stays, so that no other is started.
                Ok(()) => std::future::pending().await,
                Err(why) => {
                    // One that was there is gone.
                    if self.listening.swap(false, Ordering::Relaxed) {
                        connections.distrust();
                        again = true;
                    }
                    tracing::debug!(%why, "notifications are not heard, the store looks for events more often");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn hear(&self, connections: &Connections, channel: &str, again: bool) -> Result<(), sqlx::Error> {
        let Some(mut listener) = connections.listener().await? else { return Ok(()) };
        // A loss is to be known at once, not once the server is back.
        listener.eager_reconnect(false);
        let wait_max = connections.answer_wait_max();
        tokio::time::timeout(wait_max, listener.listen(channel)).await.unwrap_or_else(|_| Err(silent(wait_max)))?;
        if again {
            // Others may have been lost while nobody listened, and something may have been missed.
            connections.distrust();
            self.heard.send_modify(|heard| *heard += 1);
        }
        self.listening.store(true, Ordering::Relaxed);
        loop {
            let Ok(heard) = tokio::time::timeout(wait_max, listener.try_recv()).await else {
                // Nobody has appended, or nobody is there.
                let asked = tokio::time::timeout(wait_max, listener.execute("select 1")).await;
                asked.unwrap_or_else(|_| Err(silent(wait_max)))?;
                continue;
            };
            if heard?.is_none() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
            }
            self.heard.send_modify(|heard| *heard += 1);
        }
    }

    /// What has been heard, for [`changed`](Wake::changed) to wait for more.
    pub(super) fn ear(self: &Arc<Self>) -> watch::Receiver<u64> {
        self.run(true);
        let mut ear = self.heard.subscribe();
        ear.mark_unchanged();
        ear
    }

    /// Comes back when something is heard, when it is time to look anyway, or when the store is closed.
    pub(super) async fn changed(&self, ear: &mut watch::Receiver<u64>) {
        let mut closed = self.closed.subscribe();
        let poll = if self.listening.load(Ordering::Relaxed) { POLL.0 } else { POLL.1 };
        tokio::select! {
            _ = ear.changed() => {}
            _ = closed.wait_for(|closed| *closed) => {}
            () = tokio::time::sleep(poll) => {}
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }
}
