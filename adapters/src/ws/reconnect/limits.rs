//! When a socket is opened again: each bound has a number, a default and a reason.

use std::time::Duration;

use crate::random;

/// The limits of a WebSocket that [reconnects](super::Reconnecting).
///
/// After the nth failure in a row, the wait is a random time between zero and `first_wait` times 2 to the power of n - 1, at
/// most `longest_wait`: truncated exponential back-off with full jitter (RFC 6455 7.2.3). The clients of a server that has failed
/// come back spread over that time, and not all at once.
///
/// ```
/// use std::time::Duration;
///
/// use endwell::ws::ReconnectLimits;
///
/// let mut limits = ReconnectLimits::default();
/// limits.first_wait = Duration::from_millis(500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconnectLimits {
    /// The longest wait after the first failure. Default 5 s, as RFC 6455 7.2.3 proposes.
    pub first_wait: Duration,
    /// The longest wait after any failure. Default 60 s: a server that is back has its clients back within a minute, each
    /// of which asked it twice a minute on average.
    pub longest_wait: Duration,
    /// A socket that was open for this long was not a failure: the wait begins with `first_wait` again. Default 60 s: a server
    /// that opens each socket and closes it soon is not asked more often than one that is away.
    pub lasting_time: Duration,
    /// The most that is heeded of the Retry-After of a response with 429 or 503 (RFC 9110 10.2.3). The wait is that time and a
    /// random one, so that clients with the same answer do not come at once. Default 1 h: a mistaken answer does not keep a
    /// client away for days.
    pub retry_after: Duration,
    /// The time that the hooks have, each: [`prepare`](super::ReconnectBuilder::prepare) and
    /// [`on_open`](super::ReconnectBuilder::on_open). Default 30 s: a few round trips with a slow server.
    pub hook_time: Duration,
}

impl Default for ReconnectLimits {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(60),
            lasting_time: Duration::from_secs(60),
            retry_after: Duration::from_secs(3600),
            hook_time: Duration::from_secs(30),
        }
    }
}

impl ReconnectLimits {
    /// The longest wait after so many failures in a row.
    fn longest_after(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }

    /// The wait after so many failures in a row, of which the last asks for one of `retry_after`.
    pub(super) fn wait(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let asked = retry_after.unwrap_or_default().min(self.retry_after);
        asked.saturating_add(random::up_to(self.longest_after(failures)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_its_bound_and_is_spread_over_all_of_it() {
        let limits = ReconnectLimits::default();
        let longest =
            [0, 1, 2, 3, 4, 5, 33, u32::MAX].map(|failures| limits.longest_after(failures).as_secs());
        assert_eq!(longest, [5, 5, 10, 20, 40, 60, 60, 60]);
        let waits: Vec<_> = (0..1000).map(|_| limits.wait(3, None)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(20)));
        for quarter in 0..4 {
            let (from, to) = (Duration::from_secs(5 * quarter), Duration::from_secs(5 * quarter + 5));
            assert!(waits.iter().filter(|wait| (from..to).contains(wait)).count() > 150, "{quarter}");
        }
    }

    #[test]
    fn a_server_is_not_asked_before_it_wants_to_be_within_a_bound() {
        let limits = ReconnectLimits::default();
        let wait = limits.wait(1, Some(Duration::from_secs(100)));
        assert!((100..=105).contains(&wait.as_secs()), "{wait:?}");
        let wait = limits.wait(1, Some(Duration::MAX));
        assert!((3600..=3605).contains(&wait.as_secs()), "{wait:?}");
    }
}
