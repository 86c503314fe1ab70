//! A moment, and the time between two.

use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

/// A moment, as the time that has passed since an epoch of the caller's choice.
///
/// The core has no clock. A driver picks an epoch once (the start of the process, for example), reads its own clock and
/// passes the moment in; the core only compares and adds. The resolution is one nanosecond and the range is 584 years;
/// arithmetic saturates at the ends of that range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// The nanoseconds since the epoch, and one: so a moment that may be missing costs no more than one that is there.
pub struct Instant(NonZeroU64);

impl Instant {
    /// The moment that is `elapsed` after the epoch.
    pub fn from_epoch(elapsed: Duration) -> Self {
        Self(NonZeroU64::MIN.saturating_add(nanos(elapsed)))
    }

    /// The time from the epoch to this moment.
    pub fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0.get() - 1)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// The moment that is `after` later.
    pub fn saturating_add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(nanos(after)))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The epoch.
impl Default for Instant {
    fn default() -> Self {
        Self(NonZeroU64::MIN)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?})", self.since_epoch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(at(u64::MAX).saturating_add(Duration::MAX), at(u64::MAX));
        assert_eq!(at(1).saturating_since(at(2)), Duration::ZERO);
        assert_eq!(at(5).saturating_since(at(2)), Duration::from_secs(3));
    }
}
