//! Ids that can be written down beforehand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::{IdSource, Timestamp};

/// Gives ids in the form of version 7 that count 1, 2, 3, ..: `00000000-0000-7000-8000-000000000001` is the first one.
///
/// They don't depend on the clock; what stands last is the number in hexadecimal. Clones go on with the same count.
///
/// # Examples
/// ```
/// use gesta::testing::SequentialIds;
/// use gesta::{IdSource, Timestamp};
///
/// let ids = SequentialIds::default();
/// assert_eq!(ids.next(Timestamp::now()).to_string(), "00000000-0000-7000-8000-000000000001");
/// assert_eq!(ids.next(Timestamp::now()), SequentialIds::nth(2));
/// ```
#[derive(Debug, Clone, Default)]
pub struct SequentialIds(Arc<AtomicU64>);

impl SequentialIds {
    /// The id that is given as the `number`th one, for a number up to 2^62 - 1.
    pub const fn nth(number: u64) -> Uuid {
        // Version 7 above, the variant's bits 10 below: RFC 9562, section 5.7.
        Uuid::from_u64_pair(0x7000, 1 << 63 | number & (u64::MAX >> 2))
    }
}

impl IdSource for SequentialIds {
    fn next(&self, _: Timestamp) -> Uuid {
        SequentialIds::nth(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::START;

    #[test]
    fn ids_are_of_version_7_and_grow() {
        let ids = SequentialIds::default();
        let first = ids.next(START);
        let second = ids.clone().next(Timestamp::from_micros(0));
        assert_eq!(first.to_string(), "00000000-0000-7000-8000-000000000001");
        assert_eq!(second.to_string(), "00000000-0000-7000-8000-000000000002");
        assert_eq!((first.get_version_num(), first.get_variant()), (7, uuid::Variant::RFC4122));
        assert!(SequentialIds::nth(255) < SequentialIds::nth(256));
    }
}
