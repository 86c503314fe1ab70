//! When each connection of a hub that is drained is closed.

use std::time::Duration;

use super::Drain;

/// The shortest time between two rounds of closes: timers need not be more exact.
const ROUND: Duration = Duration::from_millis(10);

/// Spreads the closes of so many connections evenly over a time, by the time that has passed.
#[derive(Debug)]
pub(super) struct Schedule {
    count: usize,
    spread: Duration,
    within: Duration,
}

impl Schedule {
    pub(super) fn new(count: usize, Drain { within, spread }: Drain) -> Self {
        Self { count, spread: spread.min(within), within }
    }

    /// How many have had their turn after `elapsed`.
    pub(super) fn due(&self, elapsed: Duration) -> usize {
        let (passed, spread) = (elapsed.as_nanos(), self.spread.as_nanos());
        if passed >= spread {
            return self.count;
        }
        let count = u128::try_from(self.count).unwrap_or(u128::MAX);
        // The first is due at once.
        let due = count.saturating_mul(passed) / spread + 1;
        usize::try_from(due).map_or(self.count, |due| due.min(self.count))
    }

    /// When to look again, after `elapsed`. `None`: the time is over.
    pub(super) fn next(&self, elapsed: Duration) -> Option<Duration> {
        if elapsed >= self.within {
            return None;
        }
        if self.due(elapsed) >= self.count {
            return Some(self.within);
        }
        let each = u32::try_from(self.count).map_or(Duration::ZERO, |count| self.spread / count.max(1));
        Some(elapsed.saturating_add(each.max(ROUND)).min(self.within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// The times in milliseconds at which a program that wakes in time closes, and how many then.
    fn rounds(count: usize, within: u32, spread: u32) -> Vec<(u128, usize)> {
        let drain = Drain { within: MILLISECOND * within, spread: MILLISECOND * spread };
        let schedule = Schedule::new(count, drain);
        let (mut rounds, mut closed, mut elapsed) = (Vec::new(), 0, Duration::ZERO);
        loop {
            let due = schedule.due(elapsed);
            assert!(due >= closed && due <= count);
            if due > closed {
                rounds.push((elapsed.as_millis(), due - closed));
            }
            closed = due;
            match schedule.next(elapsed) {
                Some(next) => {
                    assert!(next > elapsed && next <= drain.within);
                    elapsed = next;
                }
                None => break,
            }
        }
        assert_eq!((closed, elapsed), (count, drain.within));
        rounds
    }

    #[test]
    fn the_closes_are_spread_evenly() {
        assert_eq!(rounds(4, 500, 100), [(0, 1), (25, 1), (50, 1), (75, 1)]);
        assert_eq!(rounds(1, 500, 100), [(0, 1)]);
        assert_eq!(rounds(0, 500, 100), []);
        let many = rounds(10_000, 30_000, 10_000);
        assert!(many.iter().all(|(at, closed)| *at <= 10_000 && *closed <= 10), "{many:?}");
    }

    #[test]
    fn without_a_time_all_are_closed_at_once() {
        assert_eq!(rounds(1000, 500, 0), [(0, 1000)]);
        let none = Schedule::new(5, Drain { within: Duration::ZERO, spread: MILLISECOND });
        assert_eq!((none.due(Duration::ZERO), none.next(Duration::ZERO)), (5, None));
    }

    #[test]
    fn none_is_closed_behind_the_end() {
        let rounds = rounds(10, 50, 1000);
        assert_eq!(rounds.iter().map(|(_, closed)| closed).sum::<usize>(), 10);
        assert!(rounds.iter().all(|(at, _)| *at <= 50));
    }

    #[test]
    fn a_program_that_wakes_late_catches_up() {
        let schedule = Schedule::new(100, Drain { within: MILLISECOND * 1000, spread: MILLISECOND * 100 });
        assert_eq!(schedule.due(MILLISECOND * 50), 51);
        assert_eq!(schedule.due(MILLISECOND * 5000), 100);
        assert_eq!(schedule.next(MILLISECOND * 5000), None);
    }
}
