//! The door of an app: commands go in while it is open, and shutting down waits for those inside.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Gate {
    closed: AtomicBool,
    running: AtomicUsize,
    left: Notify,
}

/// Somebody inside.
pub(crate) struct Running<'a>(&'a Gate);

impl Gate {
    /// How many are inside.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Goes in; `None` where the door is closed.
    pub(crate) fn enter(&self) -> Option<Running<'_>> {
        // Counted before looking: whoever closes the door and counts nobody can be sure of it.
        self.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self);
        (!self.closed.load(Ordering::SeqCst)).then_some(running)
    }

    /// Closes the door and waits until nobody is inside; answers whether it was open.
    pub(crate) async fn close(&self) -> bool {
        let was_open = !self.closed.swap(true, Ordering::SeqCst);
        loop {
            let left = self.left.notified();
            if self.running.load(Ordering::SeqCst) == 0 {
                return was_open;
            }
            left.await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.left.notify_waiters();
        }
    }
}
