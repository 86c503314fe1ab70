//! How long to wait before the next attempt.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The wait behind the first cut. Nodes that were cut together come back spread over it.
const LEAST: Duration = Duration::from_millis(100);

/// The longest wait: 1 s. An attempt costs little, and a node is missed while it is away.
const MOST: Duration = Duration::from_secs(1);

/// Waits that double, each of them shortened at random.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: LEAST }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(MOST);
        wait.mul_f64(f64::from(random()) / f64::from(u32::MAX))
    }

    /// A connection lived for a time. One that ended at once does not shorten the waits.
    pub(crate) fn lived(&mut self, time: Duration) {
        if time >= MOST {
            self.next = LEAST;
        }
    }
}

fn random() -> u32 {
    // std draws its keys at random.
    let [a, b, c, d, ..] = RandomState::new().hash_one(0).to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_second_and_begin_again_after_a_connection_that_lasted() {
        let mut backoff = Backoff::new();
        for most in [100, 200, 400, 800, 1000, 1000] {
            assert_eq!(backoff.next, Duration::from_millis(most));
            assert!(backoff.next() <= Duration::from_millis(most));
        }
        backoff.lived(Duration::from_millis(10));
        assert_eq!(backoff.next, MOST);
        backoff.lived(Duration::from_secs(1));
        assert_eq!(backoff.next, LEAST);
    }

    #[test]
    fn no_two_nodes_wait_alike() {
        let wait = || Backoff { next: MOST }.next();
        let waits: std::collections::BTreeSet<Duration> = std::iter::repeat_with(wait).take(20).collect();
        assert!(waits.len() > 15, "{waits:?}");
    }
}
