//! When a ping is due, and when its pong is overdue.

use core::time::Duration;

use super::limits::Limits;
use crate::{Deadline, Exceeded, Instant, Limit};

/// What moves the pings of one connection away from those of all others: they would else come in one burst for all
/// connections that were made together, after a restart say. Any number will do that is spread evenly over all 32 bits.
///
/// It counts in parts of 2^32 of a fifth of the interval: zero moves the interval by -10 %, 2^31 leaves it as it is, and the
/// greatest is one such part short of +10 %. For an interval of 20 s a part is a nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Jitter(pub u32);

impl Jitter {
    fn of(self, interval: Duration) -> Duration {
        // 90 % and up to 20 % more. A duration has no more than 94 bits of nanoseconds.
        let least = interval.saturating_sub(interval / 10);
        let more = ((interval / 5).as_nanos() * u128::from(self.0)) >> u32::BITS;
        least.saturating_add(Duration::from_nanos(u64::try_from(more).unwrap_or(u64::MAX)))
    }
}

/// The clock of the keep-alive pings.
#[derive(Debug)]
pub(super) struct KeepAlive {
    beat: Beat,
    jitter: Jitter,
}

#[derive(Clone, Copy, Debug)]
enum Beat {
    /// Nothing has been waited for yet.
    New,
    /// The last ping was then, or the connection began then, and all is well.
    Heard(Instant),
    /// A ping went out then and nothing was heard since. And how much was written before it.
    Unanswered(Instant, u64),
    /// The peer was seen then to take what was written before the ping. And how much that is.
    Behind(Instant, u64),
}

/// What a moment of silence means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Fine,
    PingDue,
    TooLong(Exceeded),
}

impl KeepAlive {
    pub(super) fn new(jitter: Jitter) -> Self {
        Self { beat: Beat::New, jitter }
    }

    /// A pong came.
    pub(super) fn heard(&mut self) {
        if let Beat::Unanswered(ping, _) | Beat::Behind(ping, _) = self.beat {
            self.beat = Beat::Heard(ping);
        }
    }

    /// A ping is on its way.
    pub(super) fn pinged(&mut self, now: Instant) {
        self.beat = Beat::Unanswered(now, 0);
    }

    /// So much was written before the ping.
    pub(super) fn pinged_behind(&mut self, written: u64) {
        if let Beat::Unanswered(_, before) = &mut self.beat {
            *before = written;
        }
    }

    /// The peer has acknowledged so much, which is more than was seen before: it cannot answer a ping that it has not got.
    pub(super) fn takes(&mut self, now: Instant, acknowledged: u64) {
        self.beat = match self.beat {
            Beat::Unanswered(_, before) | Beat::Behind(_, before) if acknowledged < before => {
                Beat::Behind(now, before)
            }
            // It has got the ping since the last look.
            Beat::Behind(..) => Beat::Unanswered(now, 0),
            other @ (Beat::New | Beat::Heard(_) | Beat::Unanswered(..)) => other,
        }
    }

    /// A read at `now` found nothing, and none has found anything since `silent_since`.
    pub(super) fn poll(&mut self, now: Instant, silent_since: Instant, limits: &Limits) -> Silence {
        let Some(interval) = limits.ping_interval else { return Silence::Fine };
        if let Beat::Unanswered(ping, _) | Beat::Behind(ping, _) = self.beat {
            // Whatever came after the ping shows that somebody is there.
            if silent_since > ping {
                self.beat = Beat::Heard(ping);
            }
        }
        match self.beat {
            Beat::New => {
                self.beat = Beat::Heard(now);
                Silence::Fine
            }
            Beat::Heard(last) if now >= last.saturating_add(self.jitter.of(interval)) => Silence::PingDue,
            Beat::Unanswered(ping, _) | Beat::Behind(ping, _)
                if now >= ping.saturating_add(limits.pong_time) =>
            {
                Silence::TooLong(Exceeded::time(Limit::PongTime, limits.pong_time))
            }
            Beat::Heard(_) | Beat::Unanswered(..) | Beat::Behind(..) => Silence::Fine,
        }
    }

    pub(super) fn deadline(&self, limits: &Limits) -> Option<Deadline> {
        let interval = limits.ping_interval?;
        match self.beat {
            Beat::Heard(last) => {
                let at = last.saturating_add(self.jitter.of(interval));
                Some(Deadline { at, reason: Limit::PingInterval })
            }
            Beat::Unanswered(ping, _) | Beat::Behind(ping, _) => {
                Some(Deadline { at: ping.saturating_add(limits.pong_time), reason: Limit::PongTime })
            }
            Beat::New => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn jitter_is_ten_per_cent_either_way() {
        let twenty = Duration::from_secs(20);
        assert_eq!(Jitter(0).of(twenty), Duration::from_secs(18));
        assert_eq!(Jitter(1 << 31).of(twenty), twenty);
        assert_eq!(Jitter(u32::MAX).of(twenty), Duration::from_secs(22) - Duration::from_nanos(1));
        assert!(Jitter(u32::MAX).of(Duration::MAX) > Duration::MAX / 2);
        assert_eq!(Jitter(u32::MAX).of(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_ping_is_due_and_then_its_pong() {
        let limits = Limits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        assert_eq!(clock.poll(at(100), at(100), &limits), Silence::Fine);
        assert_eq!(clock.deadline(&limits).map(|d| (d.at, d.reason)), Some((at(118), Limit::PingInterval)));
        assert_eq!(clock.poll(at(118), at(100), &limits), Silence::PingDue);
        clock.pinged(at(118));
        assert_eq!(clock.deadline(&limits).map(|d| (d.at, d.reason)), Some((at(138), Limit::PongTime)));
        assert_eq!(clock.poll(at(137), at(100), &limits), Silence::Fine);
        assert!(matches!(clock.poll(at(138), at(100), &limits), Silence::TooLong(_)));
    }

    #[test]
    fn a_ping_that_the_peer_has_not_got_is_waited_with() {
        let limits = Limits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        clock.pinged(at(18));
        clock.pinged_behind(1000);
        clock.takes(at(38), 999);
        assert_eq!(clock.poll(at(38), at(0), &limits), Silence::Fine);
        assert_eq!(clock.deadline(&limits).map(|d| d.at), Some(at(58)));
        // It has got it, and then it has its time for the pong.
        clock.takes(at(58), 1000);
        assert_eq!(clock.poll(at(58), at(0), &limits), Silence::Fine);
        clock.takes(at(78), 1001);
        assert!(matches!(clock.poll(at(78), at(0), &limits), Silence::TooLong(_)));
        // A peer that had all before the ping has had its time.
        clock.pinged(at(100));
        clock.pinged_behind(2000);
        clock.takes(at(120), 2000);
        assert!(matches!(clock.poll(at(120), at(0), &limits), Silence::TooLong(_)));
    }

    #[test]
    fn any_byte_after_the_ping_is_a_sign_of_life() {
        let limits = Limits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        assert_eq!(clock.poll(at(0), at(0), &limits), Silence::Fine);
        clock.pinged(at(18));
        // Long silence before it was looked at, and bytes within.
        assert_eq!(clock.poll(at(500), at(30), &limits), Silence::PingDue);
    }
}
