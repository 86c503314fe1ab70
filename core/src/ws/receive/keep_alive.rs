//! When a ping is due, and when its pong is overdue.

use core::time::Duration;

use crate::ws::limits::SocketLimits;
use crate::{Deadline, Exceeded, Instant, Limit};

/// An offset that spreads the keep-alive pings of many connections. Without it, connections that were made together,
/// for example after a restart, would all ping at once. Use numbers that are spread evenly over all 32 bits.
///
/// The unit is a fifth of the interval divided by 2^32. Zero moves the interval by -10 %, 2^31 leaves it unchanged, and
/// the largest number is one unit short of +10 %. For an interval of 20 s a unit is about a nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Jitter(pub u32);

impl Jitter {
    fn of(self, interval: Duration) -> Duration {
        // 90 % and up to 20 % more. A duration has at most 94 bits of nanoseconds.
        let least = interval.saturating_sub(interval / 10);
        let more = ((interval / 5).as_nanos() * u128::from(self.0)) >> u32::BITS;
        least.saturating_add(Duration::from_nanos(u64::try_from(more).unwrap_or(u64::MAX)))
    }
}

/// The clock of the keep-alive pings.
#[derive(Debug)]
pub(in crate::ws) struct KeepAlive {
    beat: Beat,
    jitter: Jitter,
}

#[derive(Clone, Copy, Debug)]
enum Beat {
    /// There was no wait yet.
    New,
    /// The time of the last ping, or of the start of the connection. The peer has been heard.
    Heard(Instant),
    /// The time of a ping after which nothing was heard, and the number of bytes written before it.
    Unanswered(Instant, u64),
    /// When the peer was last seen to take bytes that were written before the ping, and the number of those bytes.
    Behind(Instant, u64),
}

/// What a moment of silence means.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ws) enum Silence {
    Fine,
    PingDue,
    TooLong(Exceeded),
}

impl KeepAlive {
    pub(in crate::ws) fn new(jitter: Jitter) -> Self {
        Self { beat: Beat::New, jitter }
    }

    /// Notes that a pong came.
    pub(in crate::ws) fn heard(&mut self) {
        if let Beat::Unanswered(ping, _) | Beat::Behind(ping, _) = self.beat {
            self.beat = Beat::Heard(ping);
        }
    }

    /// Notes that a ping is on its way, behind the `written` bytes that were written before it.
    pub(in crate::ws) fn pinged(&mut self, now: Instant, written: u64) {
        self.beat = Beat::Unanswered(now, written);
    }

    /// Notes that the peer has acknowledged `acknowledged` bytes, more than before: it cannot answer a ping that it has
    /// not received.
    pub(in crate::ws) fn takes(&mut self, now: Instant, acknowledged: u64) {
        self.beat = match self.beat {
            Beat::Unanswered(_, before) | Beat::Behind(_, before) if acknowledged < before => {
                Beat::Behind(now, before)
            }
            // The peer has received the ping since the last look.
            Beat::Behind(..) => Beat::Unanswered(now, 0),
            other @ (Beat::New | Beat::Heard(_) | Beat::Unanswered(..)) => other,
        }
    }

    /// Judges a read at `now` that found nothing, as did all reads since `silent_since`.
    pub(in crate::ws) fn poll(
        &mut self,
        now: Instant,
        silent_since: Instant,
        limits: &SocketLimits,
    ) -> Silence {
        let Some(interval) = limits.ping_interval else { return Silence::Fine };
        if let Beat::Unanswered(ping, _) | Beat::Behind(ping, _) = self.beat {
            // Any byte after the ping shows that the peer is alive.
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

    pub(in crate::ws) fn deadline(&self, limits: &SocketLimits) -> Option<Deadline> {
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
        let limits = SocketLimits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        assert_eq!(clock.poll(at(100), at(100), &limits), Silence::Fine);
        assert_eq!(clock.deadline(&limits).map(|d| (d.at, d.reason)), Some((at(118), Limit::PingInterval)));
        assert_eq!(clock.poll(at(118), at(100), &limits), Silence::PingDue);
        clock.pinged(at(118), 0);
        assert_eq!(clock.deadline(&limits).map(|d| (d.at, d.reason)), Some((at(138), Limit::PongTime)));
        assert_eq!(clock.poll(at(137), at(100), &limits), Silence::Fine);
        assert!(matches!(clock.poll(at(138), at(100), &limits), Silence::TooLong(_)));
    }

    #[test]
    fn a_ping_that_the_peer_has_not_got_is_waited_with() {
        let limits = SocketLimits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        clock.pinged(at(18), 1000);
        clock.takes(at(38), 999);
        assert_eq!(clock.poll(at(38), at(0), &limits), Silence::Fine);
        assert_eq!(clock.deadline(&limits).map(|d| d.at), Some(at(58)));
        // The peer has received it, and then has its time for the pong.
        clock.takes(at(58), 1000);
        assert_eq!(clock.poll(at(58), at(0), &limits), Silence::Fine);
        clock.takes(at(78), 1001);
        assert!(matches!(clock.poll(at(78), at(0), &limits), Silence::TooLong(_)));
        // A peer that had received everything before the ping has had its time.
        clock.pinged(at(100), 2000);
        clock.takes(at(120), 2000);
        assert!(matches!(clock.poll(at(120), at(0), &limits), Silence::TooLong(_)));
    }

    #[test]
    fn any_byte_after_the_ping_is_a_sign_of_life() {
        let limits = SocketLimits::default();
        let mut clock = KeepAlive::new(Jitter(0));
        assert_eq!(clock.poll(at(0), at(0), &limits), Silence::Fine);
        clock.pinged(at(18), 0);
        // A long silence before the look, with bytes in between.
        assert_eq!(clock.poll(at(500), at(30), &limits), Silence::PingDue);
    }
}
