//! How fast a peer must be.

use core::fmt;
use core::time::Duration;

/// The pace that a peer must keep while it is waited for: the longest silence, and a total time that grows with the
/// bytes that have passed.
///
/// The silence bounds a peer that stopped. The total bounds a peer that sends a byte now and then, for which the
/// silence never ends. Neither cuts off a peer that is slow and steady, or one that pauses.
///
/// Only time in which the peer is waited for counts. An application that takes its time uses up neither.
///
/// ```
/// use core::time::Duration;
/// use endwell_core::Pace;
///
/// // At most 30 s without a byte; 1,000 bytes within 32 s, 1 MB within 34 minutes.
/// let body = Pace::silence(Duration::from_secs(30)).total(Duration::from_secs(30), 500);
/// // An event stream: it never ends, and says something at least every minute.
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
    /// So many bytes add a second. At least 1 is used, whatever is set.
    pub bytes_per_second: u64,
}

impl Pace {
    /// Any pace will do.
    pub const UNLIMITED: Self = Self { silence: None, total: None };

    /// Bounds the silence, and not the total time.
    pub const fn silence(longest: Duration) -> Self {
        Self { silence: Some(longest), total: None }
    }

    /// Bounds the total time too: `base`, and a second more for every `bytes_per_second` bytes.
    #[must_use]
    pub const fn total(self, base: Duration, bytes_per_second: u64) -> Self {
        Self { silence: self.silence, total: Some(Total { base, bytes_per_second }) }
    }
}

impl Total {
    /// The time for so many bytes.
    pub fn time(self, bytes: u64) -> Duration {
        self.base.saturating_add(Duration::from_secs(bytes / self.bytes_per_second.max(1)))
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and 1s for every {} bytes", self.base, self.bytes_per_second.max(1))
    }
}
