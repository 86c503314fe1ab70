//! When a state must be polled again, and why.

use super::instant::Instant;
use crate::limit::Limit;

/// When a state must be polled again even if no byte arrives, and the limit that is then met.
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

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
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
