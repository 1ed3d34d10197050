//! A clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::{Clock, Timestamp};

/// What the clock says in a test that does not say otherwise: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_date(2026, 1, 1).expect("it is a date");

/// A clock that moves only when told to. Clones show, and set, the same time.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use gesta::testing::FixedClock;
/// use gesta::{Clock, Timestamp};
///
/// let clock = FixedClock::new(Timestamp::from_micros(0));
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "1970-01-01T00:01:30Z");
/// ```
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that says this.
    pub fn new(now: Timestamp) -> Self {
        FixedClock(Arc::new(AtomicI64::new(now.as_micros())))
    }
    /// Sets it, forwards or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
    /// Sets it forward by this much, to the microsecond below.
    pub fn advance(&self, by: Duration) {
        let moved = |now| Some((Timestamp::from_micros(now) + by).as_micros());
        // The function never answers `None`, so this can't fail.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }
}

impl Default for FixedClock {
    /// A clock that says [`START`].
    fn default() -> Self {
        FixedClock::new(START)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shows_the_same_time() {
        let clock = FixedClock::default();
        let shown: Arc<dyn Clock> = Arc::new(clock.clone());
        assert_eq!(shown.now(), START);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(shown.now().to_string(), "2026-01-01T00:00:01.500000Z");
        clock.set(Timestamp::from_micros(-1));
        assert_eq!(shown.now().to_string(), "1969-12-31T23:59:59.999999Z");
    }
}
