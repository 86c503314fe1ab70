//! Time as the core sees it: told, never asked.

use core::fmt;
use core::time::Duration;

use crate::Limit;

/// A moment, as the time that has passed since an epoch of the caller's choice.
///
/// The core has no clock. A driver picks an epoch once (the start of the process, say), reads its own
/// clock and passes the moment in; the core only compares and adds. Resolution is one nanosecond and the
/// range 584 years; arithmetic stops at the ends of that range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The moment that lies `elapsed` after the epoch.
    pub fn from_epoch(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// How long after the epoch this moment lies.
    pub fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The time from `earlier` to this moment; zero if `earlier` lies after it.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `after` later.
    pub fn saturating_add(self, after: Duration) -> Self {
        Self::from_epoch(self.since_epoch().saturating_add(after))
    }
}

/// When a state must be polled again even if no byte arrives, and which limit is then met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The moment at which the limit is met.
    pub at: Instant,
    /// The limit: the reason for the deadline, for a log.
    pub reason: Limit,
}

impl Deadline {
    /// The earlier of two deadlines.
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// The least progress a peer must make: this many bytes in every period.
///
/// A rate and not a gap between bytes, so that one byte a second does not renew it for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bytes that must pass in each period.
    pub bytes: u64,
    /// The length of a period.
    pub period: Duration,
}

impl Rate {
    /// 1 KiB in 10 seconds.
    pub const DEFAULT: Self = Self { bytes: 1024, period: Duration::from_secs(10) };
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in {:?}", self.bytes, self.period)
    }
}

/// The clock of a [`Rate`]: runs while somebody waits for the peer.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    since: Option<Instant>,
    /// Of this period, before `since`.
    waited: Duration,
    bytes: u64,
}

impl Progress {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(crate::convert::u64_from(bytes));
    }

    /// Nothing is waited for any more.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }

    /// Nobody waits at the moment. What was waited for so far still counts.
    pub(crate) fn pause(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited = self.waited.saturating_add(now.saturating_since(since));
        }
    }

    /// Starts the clock if it does not run. True if the period is over and too little has passed.
    pub(crate) fn expired(&mut self, now: Instant, rate: Rate) -> bool {
        let since = match self.since {
            Some(since) => since,
            None if self.waited.is_zero() => {
                *self = Self { since: Some(now), ..Self::default() };
                return false;
            }
            None => *self.since.insert(now),
        };
        if now < since.saturating_add(rate.period.saturating_sub(self.waited)) {
            return false;
        }
        if self.bytes < rate.bytes {
            return true;
        }
        *self = Self { since: Some(now), ..Self::default() };
        false
    }

    pub(crate) fn deadline(&self, rate: Rate, reason: Limit) -> Option<Deadline> {
        let left = rate.period.saturating_sub(self.waited);
        self.since.map(|since| Deadline { at: since.saturating_add(left), reason })
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

    #[test]
    fn a_byte_a_second_does_not_renew_a_rate() {
        let mut progress = Progress::default();
        for second in 0..10 {
            assert!(!progress.expired(at(second), Rate::DEFAULT));
            progress.add(1);
        }
        assert!(progress.expired(at(10), Rate::DEFAULT));
    }

    #[test]
    fn enough_bytes_open_the_next_period() {
        let mut progress = Progress::default();
        assert!(!progress.expired(at(0), Rate::DEFAULT));
        progress.add(1024);
        assert!(!progress.expired(at(10), Rate::DEFAULT));
        progress.add(1023);
        assert!(progress.expired(at(20), Rate::DEFAULT));
    }

    #[test]
    fn only_waiting_counts() {
        let mut progress = Progress::default();
        assert!(!progress.expired(at(0), Rate::DEFAULT));
        progress.pause(at(4));
        progress.pause(at(50));
        assert!(!progress.expired(at(100), Rate::DEFAULT));
        assert_eq!(progress.deadline(Rate::DEFAULT, Limit::BodyProgress).unwrap().at, at(106));
        progress.add(1023);
        assert!(progress.expired(at(106), Rate::DEFAULT));
    }

    #[test]
    fn the_earlier_deadline_wins() {
        let first = Deadline { at: at(1), reason: Limit::HeadTime };
        let second = Deadline { at: at(2), reason: Limit::IdleTime };
        assert_eq!(Deadline::earlier(Some(second), Some(first)), Some(first));
        assert_eq!(Deadline::earlier(None, Some(second)), Some(second));
        assert_eq!(Deadline::earlier(None, None), None);
    }
}
