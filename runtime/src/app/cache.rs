//! The state cache, and the queue in front of each aggregate.
//!
//! Always true here: of one stream there is at most one [`Lease`], so commands on one aggregate of this app never run at
//! the same time; a state is in the cache only while nobody holds the lease; a state that was taken out comes back only
//! by [`Lease::put_back`], which its holder calls after a known success. Whatever else happens to a holder (a conflict, a
//! panic, a dropped future), the state is gone and is read again. A holder who is dropped while an append is on its way
//! leaves the lease to it, so a state is never read while one is.

use std::any::Any;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio::sync::oneshot;

use crate::StreamName;

/// States of aggregates that are not in use, and who waits for those that are.
pub(crate) struct StateCache {
    entries_max: usize,
    bytes_max: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Streams somebody holds the lease of, with those that wait for it, first come first.
    held: HashMap<StreamName, VecDeque<oneshot::Sender<Lease>>>,
    idle: LruCache<StreamName, Cached>,
    idle_bytes: usize,
}

/// A state in the cache.
pub(crate) struct Cached {
    pub(crate) state: Box<dyn Any + Send>,
    /// What it is estimated to take, in bytes.
    pub(crate) bytes: usize,
}

/// The right to run commands on one aggregate, with its state where it was cached.
pub(crate) struct Lease {
    cache: Arc<StateCache>,
    stream: StreamName,
    cached: Option<Cached>,
    /// It could not be handed on; whoever tried still has the right.
    returned: bool,
}

/// What a name and its places in the maps take beside the state, in bytes; an estimate.
const OVERHEAD_BYTES: usize = 160;

impl StateCache {
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Arc<Self> {
        let inner = Inner { held: HashMap::new(), idle: LruCache::unbounded(), idle_bytes: 0 };
        Arc::new(StateCache { entries_max, bytes_max, inner: Mutex::new(inner) })
    }

    /// Nothing in here can panic halfway, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lease of a stream, behind those that came earlier.
    pub(crate) async fn acquire(self: &Arc<Self>, stream: &StreamName) -> Lease {
        let waiting = {
            let mut inner = self.lock();
            match inner.held.entry(stream.clone()) {
                Entry::Vacant(free) => {
                    free.insert(VecDeque::new());
                    return self.lease(inner, stream);
                }
                Entry::Occupied(mut held) => {
                    let (sender, receiver) = oneshot::channel();
                    let waiting = held.get_mut();
                    // Those who gave up did so in this order, mostly: where a lease is held for long, they must not pile up.
                    while waiting.front().is_some_and(oneshot::Sender::is_closed) {
                        waiting.pop_front();
                    }
                    waiting.push_back(sender);
                    receiver
                }
            }
        };
        // A lease is handed on when it is dropped, so no sender is ever dropped unused.
        waiting.await.expect("a lease is always handed on")
    }

    /// The lease of a stream, where nobody holds it.
    pub(crate) fn try_acquire(self: &Arc<Self>, stream: &StreamName) -> Option<Lease> {
        let mut inner = self.lock();
        match inner.held.entry(stream.clone()) {
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                Some(self.lease(inner, stream))
            }
            Entry::Occupied(_) => None,
        }
    }

    fn lease(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>, stream: &StreamName) -> Lease {
        let cached = inner.idle.pop(stream);
        if let Some(cached) = &cached {
            inner.idle_bytes -= cached.weight(stream);
        }
        Lease { cache: self.clone(), stream: stream.clone(), cached, returned: false }
    }

    /// Hands the lease to the next who waits, else keeps its state.
    fn release(self: &Arc<Self>, stream: &StreamName, mut cached: Option<Cached>) {
        let evicted = {
            let mut inner = self.lock();
            loop {
                let Some(waiting) = inner.held.get_mut(stream) else { break Vec::new() };
                if let Some(next) = waiting.pop_front() {
                    let lease = Lease { cache: self.clone(), stream: stream.clone(), cached: cached.take(), returned: false };
                    match next.send(lease) {
                        Ok(()) => break Vec::new(),
                        // That one went away, and what it was sent comes back.
                        Err(mut lease) => {
                            lease.returned = true;
                            cached = lease.cached.take();
                        }
                    }
                } else {
                    inner.held.remove(stream);
                    break inner.keep(stream, cached.take(), self.entries_max, self.bytes_max);
                }
            }
        };
        let_go(evicted);
    }

    /// Forgets every state that is not in use.
    pub(crate) fn clear(&self) {
        let idle = {
            let mut inner = self.lock();
            inner.idle_bytes = 0;
            std::mem::replace(&mut inner.idle, LruCache::unbounded())
        };
        let_go(idle);
    }

    #[cfg(test)]
    fn idle(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.idle.len(), inner.idle_bytes)
    }
}

/// States may be large, and their destructors are the user's: outside the lock, and not to the harm of whoever comes along.
fn let_go<T>(states: T) {
    if catch_unwind(AssertUnwindSafe(|| drop(states))).is_err() {
        tracing::error!("the destructor of a state panicked");
    }
}

impl Cached {
    fn weight(&self, stream: &StreamName) -> usize {
        self.bytes + stream.as_str().len() + OVERHEAD_BYTES
    }
}

impl Inner {
    fn keep(&mut self, stream: &StreamName, cached: Option<Cached>, entries_max: usize, bytes_max: usize) -> Vec<Cached> {
        let Some(cached) = cached else { return Vec::new() };
        let weight = cached.weight(stream);
        if entries_max == 0 || weight > bytes_max {
            return vec![cached];
        }
        self.idle_bytes += weight;
        self.idle.put(stream.clone(), cached);
        let mut evicted = Vec::new();
        while self.idle.len() > entries_max || self.idle_bytes > bytes_max {
            let Some((name, oldest)) = self.idle.pop_lru() else { break };
            self.idle_bytes -= oldest.weight(&name);
            evicted.push(oldest);
        }
        evicted
    }
}

impl Lease {
    pub(crate) fn stream(&self) -> &StreamName {
        &self.stream
    }
    /// The cached state. Its holder gives it back by [`put_back`](Lease::put_back), or it is gone.
    pub(crate) fn take(&mut self) -> Option<Cached> {
        self.cached.take()
    }
    /// The same right in other hands, without a state; nothing of it is left here.
    pub(crate) fn pass_on(&mut self) -> Lease {
        self.returned = true;
        Lease { cache: self.cache.clone(), stream: self.stream.clone(), cached: None, returned: false }
    }
    /// Ends the lease with a state that is known to be what the store holds.
    pub(crate) fn put_back(mut self, cached: Cached) {
        self.cached = Some(cached);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.returned {
            let cached = self.cached.take();
            self.cache.release(&self.stream, cached);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn stream(id: u64) -> StreamName {
        StreamName::new("Account", &id).unwrap()
    }
    fn cached(bytes: usize) -> Cached {
        Cached { state: Box::new(bytes), bytes }
    }
    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }
    fn now<T>(future: impl Future<Output = T>) -> T {
        match poll(pin!(future)) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("has to wait"),
        }
    }

    #[test]
    fn a_state_comes_back_only_when_it_was_put_back() {
        let cache = StateCache::new(10, 10_000);
        now(cache.acquire(&stream(1))).put_back(cached(1));
        let mut lease = now(cache.acquire(&stream(1)));
        assert!(lease.take().is_some());
        drop(lease);
        assert!(now(cache.acquire(&stream(1))).take().is_none());
    }

    #[test]
    fn a_lease_nobody_used_keeps_the_state() {
        let cache = StateCache::new(10, 10_000);
        now(cache.acquire(&stream(1))).put_back(cached(1));
        drop(now(cache.acquire(&stream(1))));
        assert!(now(cache.acquire(&stream(1))).take().is_some());
    }

    #[test]
    fn who_waits_is_served_in_order_and_who_left_is_passed_over() {
        let cache = StateCache::new(10, 10_000);
        let name = stream(1);
        let holder = now(cache.acquire(&name));
        let mut first = Box::pin(cache.acquire(&name));
        let mut left = Box::pin(cache.acquire(&name));
        let mut last = Box::pin(cache.acquire(&name));
        for waiter in [&mut first, &mut left, &mut last] {
            assert!(poll(waiter.as_mut()).is_pending());
        }
        assert!(cache.try_acquire(&stream(1)).is_none());
        drop(left);
        holder.put_back(cached(7));
        let Poll::Ready(lease) = poll(first.as_mut()) else { panic!("the first is next") };
        assert!(poll(last.as_mut()).is_pending());
        drop(lease);
        let Poll::Ready(mut lease) = poll(last.as_mut()) else { panic!("the last is next") };
        assert!(lease.take().is_some());
        drop(lease);
        assert!(cache.try_acquire(&stream(1)).is_some());
    }

    #[test]
    fn a_lease_sent_to_somebody_who_leaves_before_taking_it_is_handed_on() {
        let cache = StateCache::new(10, 10_000);
        let name = stream(1);
        let holder = now(cache.acquire(&name));
        let mut leaver = Box::pin(cache.acquire(&name));
        assert!(poll(leaver.as_mut()).is_pending());
        drop(holder);
        drop(leaver);
        assert!(cache.try_acquire(&stream(1)).is_some());
    }

    #[test]
    fn who_gave_up_waiting_is_forgotten() {
        let cache = StateCache::new(10, 10_000);
        let name = stream(1);
        let holder = now(cache.acquire(&name));
        for _ in 0..100 {
            let mut impatient = Box::pin(cache.acquire(&name));
            assert!(poll(impatient.as_mut()).is_pending());
        }
        assert_eq!(cache.lock().held[&name].len(), 1, "the last one, whom nobody came after");
        drop(holder);
    }

    #[test]
    fn a_destructor_that_panics_harms_nobody_else() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("boom");
            }
        }
        let cache = StateCache::new(1, 10_000);
        now(cache.acquire(&stream(1))).put_back(Cached { state: Box::new(Bomb), bytes: 1 });
        now(cache.acquire(&stream(2))).put_back(cached(1));
        assert!(now(cache.acquire(&stream(2))).take().is_some());
    }

    #[test]
    fn the_least_recently_used_goes_first_by_entries_and_by_bytes() {
        let cache = StateCache::new(2, 10_000);
        for id in 1..=3 {
            now(cache.acquire(&stream(id))).put_back(cached(10));
        }
        assert_eq!(cache.idle().0, 2);
        assert!(now(cache.acquire(&stream(1))).take().is_none());
        now(cache.acquire(&stream(4))).put_back(cached(9_700));
        assert_eq!(cache.idle().0, 1);
        now(cache.acquire(&stream(5))).put_back(cached(20_000));
        assert_eq!(cache.idle().0, 1, "what is larger than the cache is not kept");
        cache.clear();
        assert_eq!(cache.idle(), (0, 0));
    }
}
