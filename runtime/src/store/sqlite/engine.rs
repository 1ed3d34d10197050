//! Who writes when: group commit on a thread of its own, or on the caller's where nobody else is there.
//!
//! Always true: only the thread takes from the queue, and only whoever holds the writer's lock writes. What was queued is
//! done, whether or not its caller still waits. Nothing is ever waited for to make a batch larger.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{oneshot, watch};

use super::file::WriteLock;
use super::readers::Readers;
use super::writer::Writer;
use crate::error::StoreError;
use crate::event::Position;
use crate::store::{Append, AppendError, Appended};

/// As many appends share a transaction at most.
const BATCH_APPENDS_MAX: usize = 512;
/// A transaction takes no further append once it holds as many bytes.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// A commit that takes longer is left to the thread: a worker of the caller's runtime is not to be blocked for long, and
/// the way to the thread and back does not count beside it.
const QUICK: Duration = Duration::from_micros(250);

pub(super) struct Engine {
    queue: Mutex<Queue>,
    wake: Condvar,
    /// `None` once the store is closed.
    writer: Mutex<Option<Writer>>,
    head: watch::Sender<Head>,
    /// Set when the file was let go of.
    ended: watch::Sender<Option<Result<(), StoreError>>>,
    /// Whether the last append was alone and quickly done.
    quick: AtomicBool,
    readers: Arc<Readers>,
}

/// The position of the last event, and whether the store is closed.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) closed: bool,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    state: State,
    /// The log has become long: the thread begins it again before anything else is written.
    shorten_log: bool,
    /// Whether the thread waits to be woken.
    asleep: bool,
}

impl Queue {
    /// Whether whoever comes may write at once.
    fn is_idle(&self) -> bool {
        self.jobs.is_empty() && !self.shorten_log
    }
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// Nothing more is written; reads go on.
    Released,
    Closed,
}

enum Job {
    Append(Append, Reply),
    Other(Box<dyn FnOnce(&mut Writer) + Send>),
}

type Reply = oneshot::Sender<Result<Appended, AppendError>>;

/// What the thread does next.
enum Work {
    Appends(Vec<Append>, Vec<Reply>),
    Other(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// What became of something to be written.
enum Taken<T> {
    Done(T),
    Queued(oneshot::Receiver<T>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole whenever user code could panic, see `Writer`.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Starts the thread. It keeps `lock` until everything is written and the file is closed.
    pub(super) fn start(
        writer: Writer,
        readers: Arc<Readers>,
        lock: WriteLock,
    ) -> Result<(Arc<Self>, std::thread::JoinHandle<()>), StoreError> {
        let (head, _) = watch::channel(Head { position: writer.head().unwrap_or(Position::ZERO), closed: false });
        let engine = Arc::new(Engine {
            queue: Mutex::default(),
            wake: Condvar::new(),
            writer: Mutex::new(Some(writer)),
            head,
            ended: watch::Sender::new(None),
            quick: AtomicBool::new(true),
            readers,
        });
        let served = Arc::clone(&engine);
        let thread = std::thread::Builder::new().name("gesta-sqlite".to_owned()).spawn(move || {
            // Nothing in there is known to panic; but if it did, callers must not wait for ever.
            let _ = catch_unwind(AssertUnwindSafe(|| served.serve()));
            let result = served.end();
            drop(lock);
            served.ended.send_replace(Some(result));
        });
        let thread = thread.map_err(|error| StoreError::Driver {
            context: "starting the writer's thread",
            message: error.to_string(),
            transient: false,
        })?;
        Ok((engine, thread))
    }

    pub(super) fn head(&self) -> &watch::Sender<Head> {
        &self.head
    }

    pub(super) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        match self.take_append(append)? {
            Taken::Done(result) => result,
            Taken::Queued(reply) => reply.await.unwrap_or(Err(AppendError::UnknownOutcome(StoreError::Closed))),
        }
    }

    /// Without an `.await` in it, so that an append is queued, or done, as soon as its future was polled once.
    fn take_append(&self, append: Append) -> Result<Taken<Result<Appended, AppendError>>, StoreError> {
        let queue = lock(&self.queue);
        if queue.state != State::Open {
            return Err(StoreError::Closed);
        }
        if !append.crowded && queue.is_idle() && self.quick.load(Ordering::Relaxed) && may_block() {
            // Not `lock`: a writer that is busy has a thread to come back to the queue.
            if let Some(mut writer) = try_lock(&self.writer) {
                drop(queue);
                if let Some(writer) = writer.as_mut() {
                    let mut results = self.write(writer, std::slice::from_ref(&append));
                    return results.pop().map(Taken::Done).ok_or(StoreError::Closed);
                }
                return Err(StoreError::Closed);
            }
        }
        let (reply, result) = oneshot::channel();
        self.push(queue, Job::Append(append, reply));
        Ok(Taken::Queued(result))
    }

    /// Does something else on the writer's connection.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.take_job(job)? {
            Taken::Done(result) => result,
            Taken::Queued(reply) => reply.await.unwrap_or(Err(StoreError::Closed)),
        }
    }

    fn take_job<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Taken<Result<T, StoreError>>, StoreError> {
        let queue = lock(&self.queue);
        if queue.state != State::Open {
            return Err(StoreError::Closed);
        }
        if queue.is_idle()
            && may_block()
            && let Some(mut writer) = try_lock(&self.writer)
        {
            drop(queue);
            let Some(writer) = writer.as_mut() else { return Ok(Taken::Done(Err(StoreError::Closed))) };
            let result = job(writer);
            self.look_after_files(writer);
            return Ok(Taken::Done(result));
        }
        let (reply, result) = oneshot::channel();
        let job = move |writer: &mut Writer| {
            // Whoever asked may have gone; what it asked for is done.
            let _ = reply.send(job(writer));
        };
        self.push(queue, Job::Other(Box::new(job)));
        Ok(Taken::Queued(result))
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, job: Job) {
        queue.jobs.push_back(job);
        let wake = std::mem::replace(&mut queue.asleep, false);
        drop(queue);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Writes appends, and tells the head before anybody is told of them.
    fn write(&self, writer: &mut Writer, appends: &[Append]) -> Vec<Result<Appended, AppendError>> {
        let started = Instant::now();
        let results = writer.append(appends);
        let alone = appends.len() == 1 && lock(&self.queue).jobs.is_empty();
        self.quick.store(alone && started.elapsed() < QUICK, Ordering::Relaxed);
        if let Some(position) = writer.head() {
            self.head.send_if_modified(|head| std::mem::replace(&mut head.position, position) != position);
        }
        self.look_after_files(writer);
        results
    }

    /// After each write: a long log is begun again, and if the store has stopped, those who wait
    /// for events are told.
    fn look_after_files(&self, writer: &Writer) {
        if writer.has_stopped() {
            self.head.send_if_modified(|head| !std::mem::replace(&mut head.closed, true));
        } else if writer.log_is_due() {
            let mut queue = lock(&self.queue);
            queue.shorten_log = true;
            let wake = std::mem::replace(&mut queue.asleep, false);
            drop(queue);
            if wake {
                self.wake.notify_one();
            }
        }
    }

    fn serve(&self) {
        while self.wait_for_work() {
            let mut writer = lock(&self.writer);
            if let Some(writer) = writer.as_mut() {
                writer.shorten_log(&self.readers);
            }
            // Taken only now: whatever was queued while the writer was busy shares the batch.
            let work = self.take_work();
            let (Some(writer), Some(work)) = (writer.as_mut(), work) else { continue };
            match work {
                Work::Appends(appends, replies) => {
                    let results = self.write(writer, &appends);
                    for (reply, result) in replies.into_iter().zip(results) {
                        // Whoever asked may have gone; the append is stored all the same.
                        let _ = reply.send(result);
                    }
                }
                Work::Other(job) => {
                    job(writer);
                    self.look_after_files(writer);
                }
            }
        }
    }

    /// Whether there is something to do; nothing any more where the store is closing and the queue is empty.
    fn wait_for_work(&self) -> bool {
        let mut queue = lock(&self.queue);
        while queue.is_idle() && queue.state == State::Open {
            queue.asleep = true;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.asleep = false;
        std::mem::take(&mut queue.shorten_log) || !queue.jobs.is_empty()
    }

    fn take_work(&self) -> Option<Work> {
        let mut queue = lock(&self.queue);
        let (mut appends, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        loop {
            match queue.jobs.pop_front() {
                Some(Job::Append(append, reply)) => {
                    bytes += append.streams.iter().flat_map(|part| &part.events).map(|event| event.payload.len()).sum::<usize>();
                    appends.push(append);
                    replies.push(reply);
                    if appends.len() == BATCH_APPENDS_MAX || bytes >= BATCH_BYTES_MAX {
                        break;
                    }
                }
                Some(Job::Other(job)) if appends.is_empty() => return Some(Work::Other(job)),
                Some(job) => {
                    queue.jobs.push_front(job);
                    break;
                }
                None => break,
            }
        }
        (!appends.is_empty()).then_some(Work::Appends(appends, replies))
    }

    /// Takes nothing more; what was queued is still done. Reads end as well.
    pub(super) fn begin_close(&self) {
        self.end_writing(State::Closed);
    }

    /// The same where reads go on.
    pub(super) fn begin_release(&self) {
        self.end_writing(State::Released);
    }

    fn end_writing(&self, state: State) {
        let mut queue = lock(&self.queue);
        if queue.state == State::Open {
            queue.state = state;
        }
        queue.asleep = false;
        drop(queue);
        self.wake.notify_one();
        self.head.send_if_modified(|head| !std::mem::replace(&mut head.closed, true));
    }

    /// Closes, and comes back when everything is done.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.begin_close();
        let mut ended = self.ended.subscribe();
        match ended.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Ok(())),
            Err(_) => Ok(()),
        }
    }

    fn end(&self) -> Result<(), StoreError> {
        self.begin_close();
        // Those who wait for something that was not done are told so by their dropped replies.
        let mut queue = lock(&self.queue);
        let (jobs, state) = (std::mem::take(&mut queue.jobs), queue.state);
        drop(queue);
        drop(jobs);
        if state == State::Released {
            self.readers.close_idle();
        } else {
            self.readers.close();
        }
        let writer = lock(&self.writer).take();
        writer.map_or(Ok(()), Writer::close)
    }
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Whether the caller runs on one of several workers, so that the others go on while it writes.
fn may_block() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}
