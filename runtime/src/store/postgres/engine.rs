//! Who writes when: what is queued while a statement runs shares the next one.
//!
//! Always true: what was queued is done, whether or not its caller still waits. Nothing is ever waited for to make a batch larger.
//! Of one stream, a batch holds one append.
//!
//! An append is written by a task of its caller's runtime. So a runtime that ends, or stands still, takes no other's appends along.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{self, Handle};
use tokio::sync::{oneshot, watch};

use super::writer::Writer;
use crate::StreamName;
use crate::error::StoreError;
use crate::store::{Append, AppendError, Appended};

/// As many appends share a statement at most.
const BATCH_APPENDS_MAX: usize = 512;
/// A statement takes no further append once it holds as many bytes.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// As many statements run beside each other: while one waits for the disk, another is put together.
const LANES: usize = 2;

pub(super) struct Engine {
    pub(super) writer: Writer,
    queues: Mutex<Queues>,
    /// Set once nothing is queued or under way any more, and nothing more is taken.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Queues {
    /// Of each runtime that appends.
    of: Vec<(runtime::Id, Queue)>,
    /// How many appends were taken from a queue and are not answered.
    under_way: usize,
    closing: bool,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Append, Reply)>,
    /// How many tasks serve it.
    lanes: usize,
}

type Reply = oneshot::Sender<Result<Appended, AppendError>>;

impl Queues {
    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.of.iter().all(|(_, queue)| queue.jobs.is_empty())
    }

    fn get(&mut self, runtime: runtime::Id) -> &mut Queue {
        let at = self.of.iter().position(|(id, _)| *id == runtime).unwrap_or_else(|| {
            self.of.push((runtime, Queue::default()));
            self.of.len() - 1
        });
        &mut self.of[at].1
    }
}

impl Engine {
    pub(super) fn new(writer: Writer) -> Arc<Self> {
        Arc::new(Engine { writer, queues: Mutex::default(), ended: watch::Sender::new(false) })
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn append(self: &Arc<Self>, append: Append) -> Result<Appended, AppendError> {
        // A task that is gone was ended with its runtime, in the middle of what it did.
        self.take(append)?.await.unwrap_or(Err(AppendError::UnknownOutcome(StoreError::Closed)))
    }

    /// Without an `.await` in it, so that an append is queued as soon as its future was polled once.
    fn take(self: &Arc<Self>, append: Append) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        super::append::check(&append)?;
        let (reply, result) = oneshot::channel();
        let runtime = Handle::current();
        let mut queues = self.queues();
        if queues.closing {
            return Err(StoreError::Closed.into());
        }
        let queue = queues.get(runtime.id());
        queue.jobs.push_back((append, reply));
        if queue.lanes < LANES {
            queue.lanes += 1;
            let lane = Lane { engine: Arc::clone(self), runtime: runtime.id(), serves: true, holds: 0 };
            drop(queues);
            runtime.spawn(async move { lane.serve().await });
        }
        Ok(result)
    }

    /// What goes into the next statement.
    fn batch(&self, runtime: runtime::Id) -> (Vec<Append>, Vec<Reply>) {
        let mut queues = self.queues();
        let queue = queues.get(runtime);
        let (mut appends, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        let (mut streams, mut left) = (HashSet::<StreamName>::new(), VecDeque::new());
        while let Some((append, reply)) = queue.jobs.pop_front() {
            // One after the other: the second is decided by what the first has stored. Those behind it keep their order.
            if append.streams.iter().any(|part| streams.contains(&part.stream)) {
                streams.extend(append.streams.iter().map(|part| part.stream.clone()));
                left.push_back((append, reply));
                continue;
            }
            streams.extend(append.streams.iter().map(|part| part.stream.clone()));
            bytes += append.streams.iter().flat_map(|part| &part.events).map(|event| event.payload.len()).sum::<usize>();
            appends.push(append);
            replies.push(reply);
            if appends.len() == BATCH_APPENDS_MAX || bytes >= BATCH_BYTES_MAX {
                break;
            }
        }
        while let Some(job) = left.pop_back() {
            queue.jobs.push_front(job);
        }
        queues.under_way += appends.len();
        (appends, replies)
    }

    /// As many of the appends that were taken are answered, or lost with their task.
    fn answered(&self, queues: &mut Queues, count: usize) {
        queues.under_way -= count;
        if queues.closing && queues.is_idle() {
            self.ended.send_replace(true);
        }
    }

    /// Takes nothing more, and comes back once what was queued is done.
    pub(super) async fn close(&self) {
        let idle = {
            let mut queues = self.queues();
            queues.closing = true;
            queues.is_idle()
        };
        if !idle {
            let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
        }
    }
}

/// A task that serves the queue of its runtime, or waits for one append. However it ends, the queue is left to the next one.
struct Lane {
    engine: Arc<Engine>,
    runtime: runtime::Id,
    /// It serves the queue.
    serves: bool,
    /// How many appends it has taken and not answered.
    holds: usize,
}

impl Lane {
    async fn serve(mut self) {
        loop {
            // Whoever was answered with the last batch and goes on at once shares this one: else each batch of many would be followed by
            // a single append, which has the others wait for it.
            tokio::task::yield_now().await;
            let (appends, replies) = self.engine.batch(self.runtime);
            self.holds = appends.len();
            if appends.is_empty() {
                let mut queues = self.engine.queues();
                // Nobody can queue between this look and the lane's end, since both are under the lock.
                let queue = queues.get(self.runtime);
                if queue.jobs.is_empty() {
                    self.serves = false;
                    queue.lanes -= 1;
                    if queue.lanes == 0 {
                        queues.of.retain(|(id, _)| *id != self.runtime);
                    }
                    return;
                }
                continue;
            }
            let results = self.engine.writer.write(&appends).await;
            for ((append, reply), result) in appends.into_iter().zip(replies).zip(results) {
                let Some(result) = result else {
                    // It counts there from now on.
                    self.holds -= 1;
                    let waiting = Lane { engine: Arc::clone(&self.engine), runtime: self.runtime, serves: false, holds: 1 };
                    tokio::spawn(async move {
                        let result = waiting.engine.writer.wait(&append).await;
                        drop(reply.send(result));
                    });
                    continue;
                };
                // Whoever asked may have gone; the append is stored all the same.
                drop(reply.send(result));
            }
            let answered = std::mem::take(&mut self.holds);
            self.engine.answered(&mut self.engine.queues(), answered);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut queues = self.engine.queues();
        if self.serves {
            let queue = queues.get(self.runtime);
            queue.lanes -= 1;
            if queue.lanes == 0 {
                // With this task its runtime has ended, or a bug has ended it: nobody is left to do what is queued.
                queues.of.retain(|(id, _)| *id != self.runtime);
            }
        }
        self.engine.answered(&mut queues, self.holds);
    }
}
