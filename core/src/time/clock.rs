//! The clock of a pace.

use super::{Deadline, Instant, Pace};
use crate::{Bound, Exceeded, Limit, convert};

/// The clock of a [`Pace`]: runs while we wait for the peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    state: State,
    /// When the wait began, moved forward by the pauses since.
    start: Instant,
    /// When the last byte was noticed, moved forward by the pauses since.
    heard: Instant,
    bytes: u64,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Stopped,
    /// `moved`: bytes have passed since the last look.
    Running {
        moved: bool,
    },
    Paused {
        at: Instant,
        moved: bool,
    },
}

impl Clock {
    /// Counts bytes that have passed.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.add_bytes(convert::u64_from(bytes));
    }

    /// Counts bytes that have passed.
    pub(crate) fn add_bytes(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        if let State::Running { moved } | State::Paused { moved, .. } = &mut self.state {
            *moved |= bytes > 0;
        }
    }

    /// Ends the wait and forgets the count.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }

    /// When the wait began, moved forward by the pauses since.
    pub(crate) fn since(&self) -> Option<Instant> {
        match self.state {
            State::Stopped => None,
            State::Running { .. } | State::Paused { .. } => Some(self.start),
        }
    }

    /// Pauses the wait at `now`. The time waited so far still counts.
    pub(crate) fn pause(&mut self, now: Instant) {
        if let State::Running { moved } = self.state {
            self.state = State::Paused { at: now, moved };
        }
    }

    /// Notes that a look at `now` found nothing, and starts the clock if it does not run.
    ///
    /// # Errors
    ///
    /// The bound that is met.
    pub(crate) fn check(&mut self, now: Instant, pace: &Pace, limit: Limit) -> Result<(), Exceeded> {
        let moved = match self.state {
            State::Running { moved } => {
                // The look came too late, and the peer had not stopped: the time after the deadline is not the peer's.
                if let Some((due, _)) = self.met(pace).filter(|_| moved) {
                    self.start = self.start.saturating_add(now.saturating_since(due));
                }
                moved
            }
            State::Paused { at, moved } => {
                let pause = now.saturating_since(at);
                self.start = self.start.saturating_add(pause);
                self.heard = self.heard.saturating_add(pause);
                moved
            }
            State::Stopped => {
                self.start = now;
                true
            }
        };
        if moved {
            self.heard = now;
        }
        self.state = State::Running { moved: false };
        match self.met(pace) {
            Some((at, bound)) if now >= at => Err(Exceeded { limit, bound }),
            _ => Ok(()),
        }
    }

    /// When to look again.
    pub(crate) fn deadline(&self, pace: &Pace, reason: Limit) -> Option<Deadline> {
        match self.state {
            State::Running { .. } => self.met(pace).map(|(at, _)| Deadline { at, reason }),
            State::Stopped | State::Paused { .. } => None,
        }
    }

    /// The bound that is met first if no byte passes, and when.
    fn met(&self, pace: &Pace) -> Option<(Instant, Bound)> {
        let silence = pace.silence.map(|time| (self.heard.saturating_add(time), Bound::Silence(time)));
        let total =
            pace.total.map(|total| (self.start.saturating_add(total.time(self.bytes)), Bound::Total(total)));
        match (silence, total) {
            (Some(silence), Some(total)) => Some(if total.0 < silence.0 { total } else { silence }),
            (silence, total) => silence.or(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const PACE: Pace = Pace::silence(Duration::from_secs(30)).total(Duration::from_secs(60), 500);

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    fn check(clock: &mut Clock, second: u64) -> Result<(), Bound> {
        clock.check(at(second), &PACE, Limit::BodyProgress).map_err(|exceeded| exceeded.bound)
    }

    fn deadline(clock: &Clock) -> Option<Instant> {
        clock.deadline(&PACE, Limit::BodyProgress).map(|deadline| deadline.at)
    }

    const SILENCE: Result<(), Bound> = Err(Bound::Silence(Duration::from_secs(30)));

    #[test]
    fn silence_is_counted_from_the_last_byte() {
        let mut clock = Clock::default();
        assert_eq!(deadline(&clock), None);
        check(&mut clock, 0).unwrap();
        assert_eq!(deadline(&clock), Some(at(30)));
        clock.add(1);
        check(&mut clock, 29).unwrap();
        assert_eq!(deadline(&clock), Some(at(59)));
        check(&mut clock, 58).unwrap();
        assert_eq!(check(&mut clock, 59), SILENCE);
    }

    #[test]
    fn a_byte_a_second_does_not_renew_the_total() {
        let mut clock = Clock::default();
        for second in 0..60 {
            check(&mut clock, second).unwrap();
            clock.add(1);
        }
        let total = PACE.total.unwrap();
        assert_eq!(check(&mut clock, 60), Err(Bound::Total(total)));
    }

    #[test]
    fn the_total_grows_with_what_came() {
        let mut clock = Clock::default();
        for second in (0..10_000).step_by(25) {
            check(&mut clock, second).unwrap();
            clock.add(25 * 500);
        }
    }

    #[test]
    fn bytes_before_the_first_wait_count() {
        let mut clock = Clock::default();
        clock.add(5000);
        for second in [0, 20, 40, 60, 69] {
            check(&mut clock, second).unwrap();
            clock.add(1);
        }
        assert!(check(&mut clock, 70).is_err());
    }

    #[test]
    fn only_waiting_counts() {
        let mut clock = Clock::default();
        check(&mut clock, 0).unwrap();
        clock.pause(at(4));
        clock.pause(at(50));
        assert_eq!(deadline(&clock), None);
        check(&mut clock, 100).unwrap();
        assert_eq!(deadline(&clock), Some(at(126)));
        assert_eq!(check(&mut clock, 126), SILENCE);

        let mut clock = Clock::default();
        for hour in 0..5 {
            check(&mut clock, hour * 3600).unwrap();
            clock.pause(at(hour * 3600 + 10));
            clock.add(1);
        }
        check(&mut clock, 20_000).unwrap();
        assert_eq!(deadline(&clock), Some(at(20_010)), "50 s of the total were waited");
    }

    #[test]
    fn a_look_that_comes_too_late_is_not_the_peers_time() {
        let mut clock = Clock::default();
        check(&mut clock, 0).unwrap();
        clock.add(1);
        check(&mut clock, 5000).unwrap();
        assert_eq!(deadline(&clock), Some(at(5030)));
        clock.add(1);
        assert!(check(&mut clock, 5030).is_err(), "twice 30 s were waited");
        // If nothing came it is the peer's.
        let mut clock = Clock::default();
        check(&mut clock, 0).unwrap();
        assert_eq!(check(&mut clock, 5000), SILENCE);
    }

    #[test]
    fn what_is_not_bounded_has_no_deadline() {
        let mut clock = Clock::default();
        for second in [0, u64::from(u32::MAX)] {
            clock.check(at(second), &Pace::UNLIMITED, Limit::BodyProgress).unwrap();
            assert_eq!(clock.deadline(&Pace::UNLIMITED, Limit::BodyProgress), None);
        }
    }
}
