//! Who writes when: what is queued while a statement runs shares the next one.
//!
//! Always true: what was queued is done, whether or not its caller still waits. Nothing is ever waited for to make a batch larger.
//! Of one stream, a batch holds one append.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    queue: Mutex<Queue>,
    /// Set once nothing is queued or under way any more, and nothing more is taken.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Append, Reply)>,
    /// How many tasks serve it.
    lanes: usize,
    /// Those, and the ones that wait for one append each.
    tasks: usize,
    closing: bool,
}

type Reply = oneshot::Sender<Result<Appended, AppendError>>;

impl Engine {
    pub(super) fn new(writer: Writer) -> Arc<Self> {
        Arc::new(Engine { writer, queue: Mutex::default(), ended: watch::Sender::new(false) })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn append(self: &Arc<Self>, append: Append) -> Result<Appended, AppendError> {
        // A task that is gone was ended with its runtime, in the middle of what it did.
        self.take(append)?.await.unwrap_or(Err(AppendError::UnknownOutcome(StoreError::Closed)))
    }

    /// Without an `.await` in it, so that an append is queued as soon as its future was polled once.
    fn take(self: &Arc<Self>, append: Append) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        super::append::check(&append)?;
        let (reply, result) = oneshot::channel();
        let mut queue = self.queue();
        if queue.closing {
            return Err(StoreError::Closed.into());
        }
        queue.jobs.push_back((append, reply));
        if queue.lanes < LANES {
            queue.lanes += 1;
            let lane = Lane::new(self, &mut queue, false);
            drop(queue);
            tokio::spawn(async move { lane.serve().await });
        }
        Ok(result)
    }

    /// What goes into the next statement.
    fn batch(&self) -> (Vec<Append>, Vec<Reply>) {
        let mut queue = self.queue();
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
        (appends, replies)
    }

    /// Takes nothing more, and comes back once what was queued is done.
    pub(super) async fn close(&self) {
        let idle = {
            let mut queue = self.queue();
            queue.closing = true;
            queue.tasks == 0
        };
        if !idle {
            let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
        }
    }
}

/// A task that serves the queue, or waits for one append. However it ends, the queue is left to the next one.
struct Lane {
    engine: Arc<Engine>,
    /// It does not serve the queue, or does so no longer.
    ended: bool,
}

impl Lane {
    async fn serve(mut self) {
        loop {
            // Whoever was answered with the last batch and goes on at once shares this one: else each batch of many would be followed by
            // a single append, which has the others wait for it.
            tokio::task::yield_now().await;
            let (appends, replies) = self.engine.batch();
            if appends.is_empty() {
                let mut queue = self.engine.queue();
                // Nobody can queue between this look and the lane's end, since both are under the lock.
                if queue.jobs.is_empty() {
                    queue.lanes -= 1;
                    self.ended = true;
                    return;
                }
                continue;
            }
            let results = self.engine.writer.write(&appends).await;
            for ((append, reply), result) in appends.into_iter().zip(replies).zip(results) {
                let Some(result) = result else {
                    let waiting = Lane::new(&self.engine, &mut self.engine.queue(), true);
                    tokio::spawn(async move {
                        let result = waiting.engine.writer.wait(&append).await;
                        drop(reply.send(result));
                    });
                    continue;
                };
                // Whoever asked may have gone; the append is stored all the same.
                drop(reply.send(result));
            }
        }
    }

    fn new(engine: &Arc<Engine>, queue: &mut Queue, ended: bool) -> Self {
        queue.tasks += 1;
        Lane { engine: Arc::clone(engine), ended }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut queue = self.engine.queue();
        queue.tasks -= 1;
        if !self.ended {
            queue.lanes -= 1;
            if queue.lanes == 0 {
                // With this task its runtime has ended, or a bug has ended it: nobody is left to do what is queued.
                queue.jobs.clear();
            }
        }
        if queue.closing && queue.tasks == 0 {
            self.engine.ended.send_replace(true);
        }
    }
}
