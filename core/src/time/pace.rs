//! How fast a peer must be.

use core::fmt;
use core::time::Duration;

/// The pace that a peer must keep while we wait for it: a longest silence, and a total time that grows with the bytes
/// that have passed.
///
/// The silence bounds a peer that has stopped. The total bounds a peer that sends a byte now and then, and so never
/// meets the silence. Neither cuts off a peer that is slow and steady, or one that pauses.
///
/// Only time spent waiting for the peer counts. Time that the application takes counts towards neither.
///
/// ```
/// use core::time::Duration;
/// use endwell_core::Pace;
///
/// // At most 30 s without a byte; 1,000 bytes within 32 s, 1 MB within 34 minutes.
/// let body = Pace::silence(Duration::from_secs(30)).total(Duration::from_secs(30), 500);
/// // An event stream: it never ends, and sends something at least every minute.
/// let events = Pace::silence(Duration::from_secs(60));
/// # assert!(events.total.is_none() && body.total.is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest time without a byte. `None`: no limit.
    pub silence: Option<Duration>,
    /// The longest time for all the bytes. `None`: no limit.
    pub total: Option<Total>,
}

/// A time that grows with the bytes that have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The time for the first bytes.
    pub base: Duration,
    /// The number of bytes that add one second. The least value used is 1.
    pub bytes_per_second: u64,
}

impl Pace {
    /// Sets no limit.
    pub const UNLIMITED: Self = Self { silence: None, total: None };

    /// Bounds the silence, but not the total time.
    pub const fn silence(longest: Duration) -> Self {
        Self { silence: Some(longest), total: None }
    }

    /// Bounds the total time too: `base` plus one second for every `bytes_per_second` bytes.
    #[must_use]
    pub const fn total(self, base: Duration, bytes_per_second: u64) -> Self {
        Self { silence: self.silence, total: Some(Total { base, bytes_per_second }) }
    }
}

impl Total {
    /// The time allowed for `bytes` bytes.
    pub fn time(self, bytes: u64) -> Duration {
        self.base.saturating_add(Duration::from_secs(bytes / self.bytes_per_second.max(1)))
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and 1s for every {} bytes", self.base, self.bytes_per_second.max(1))
    }
}
