//! A moment, and the time between two.

use core::time::Duration;

/// A moment, as the time that has passed since an epoch of the caller's choice.
///
/// The core has no clock. A driver picks an epoch once (the start of the process, for example), reads its own clock and
/// passes the moment in; the core only compares and adds. The resolution is one nanosecond and the range is 584 years;
/// arithmetic saturates at the ends of that range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The moment that is `elapsed` after the epoch.
    pub fn from_epoch(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time from the epoch to this moment.
    pub fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment that is `after` later.
    pub fn saturating_add(self, after: Duration) -> Self {
        Self::from_epoch(self.since_epoch().saturating_add(after))
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
