//! Fixed times, counted from when the wait for the peer began.

use core::time::Duration;

use crate::Instant;
use crate::io::{Ask, Conn};

/// A fixed time, counted from the first look that found nothing.
///
/// It is met if it was over at the last look, and that found nothing. Whether it is met is not kept, so nothing of it is
/// left once a byte has come or another wait has begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Since(Option<Instant>);

impl Since {
    /// Starts over with the next look.
    pub(crate) fn restart(&mut self) {
        self.0 = None;
    }

    /// Starts over at `now`.
    pub(crate) fn restart_at(&mut self, now: Instant) {
        self.0 = Some(now);
    }

    /// Starts at `now`, unless it runs.
    pub(crate) fn start(&mut self, now: Instant) {
        self.0.get_or_insert(now);
    }

    /// Judges a look at `now` that found nothing. True if `time` has passed since the first.
    pub(crate) fn is_over(&mut self, now: Instant, time: Duration) -> bool {
        now >= self.0.get_or_insert(now).saturating_add(time)
    }

    /// True if `time` had passed `at` that moment: usually the last look, if it found nothing.
    pub(crate) fn is_met(self, at: Option<Instant>, time: Duration) -> bool {
        at.zip(self.end(time)).is_some_and(|(at, end)| at >= end)
    }

    pub(crate) fn end(self, time: Duration) -> Option<Instant> {
        self.0.map(|since| since.saturating_add(time))
    }
}

/// A fixed time for what the peer does once it has what was written: counted from the first look that found nothing, or
/// from the last that found some of it still on its way.
///
/// To ask costs system calls. So the first question comes after an eighth of the time: a peer that is quicker costs none,
/// and none loses more than that eighth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SinceArrival {
    since: Since,
    has_arrived: bool,
}

impl SinceArrival {
    /// Starts over with the next look.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// Starts over with the next look. The peer is known to have what was written.
    pub(crate) fn restart_arrived(&mut self) {
        *self = Self { has_arrived: true, ..Self::default() };
    }

    /// Judges a look at `now` that found nothing. True if `time` has passed.
    pub(crate) fn is_over(&mut self, conn: &mut Conn, now: Instant, time: Duration, ask: Ask<'_>) -> bool {
        if !self.has_arrived {
            if !conn.is_written() {
                self.restart();
                return false;
            }
            if ask.is_vain() || self.since.is_over(now, time / FIRST_QUESTION) {
                if conn.is_unsent(now, ask) {
                    self.since.restart_at(now);
                    return false;
                }
                self.has_arrived = true;
            }
        }
        self.since.is_over(now, time)
    }

    /// True if `time` had passed `at` that moment: usually the last look, if it found nothing.
    pub(crate) fn is_met(self, at: Option<Instant>, time: Duration) -> bool {
        self.since.is_met(at, time)
    }

    /// When to look again.
    pub(crate) fn end(self, time: Duration) -> Option<Instant> {
        self.since.end(if self.has_arrived { time } else { time / FIRST_QUESTION })
    }
}

/// The part of the time after which the first question comes.
const FIRST_QUESTION: u32 = 8;
