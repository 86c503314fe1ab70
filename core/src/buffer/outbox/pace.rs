//! How fast the peer takes what is queued.

use alloc::boxed::Box;
use bytes::Buf;
use core::time::Duration;

use super::Outbox;
use super::hold::Hold;
use crate::time::Clock;
use crate::{Deadline, Exceeded, Instant, Limit, Pace};

/// A peer that has taken much at once may take nothing more until it has used that up: it lies in buffers of its own, or
/// the peer keeps an average, as `curl --limit-rate` does, which takes 101 times its rate in a burst and then pauses for
/// 100 s. So a second is granted for this many bytes: the slowest rate that curl is seen to be asked for.
const READ_RATE: u64 = 1 << 10;

/// Bounds what a peer gains by taking much and then stopping, as a multiple of the silence: curl's pause is shorter.
const LONGEST_READ: u32 = 2;

/// Until when the peer may still be reading what it has taken.
#[derive(Clone, Copy, Default)]
struct Reads {
    until: Instant,
    /// The bytes that the peer is known to have taken.
    taken: u64,
    /// The last look: what is new since was taken after it.
    looked: Instant,
}

impl Reads {
    /// Notes that the peer is known at `now` to have taken `taken` bytes in all.
    fn note(&mut self, taken: u64, now: Instant, pace: &Pace) {
        let new = taken.saturating_sub(self.taken);
        if new == 0 {
            return;
        }
        self.taken = taken;
        let longest = pace.silence.map_or(Duration::ZERO, |silence| silence.saturating_mul(LONGEST_READ));
        let time = Duration::from_millis(new.saturating_mul(1000) / READ_RATE);
        let until = self.until.max(self.looked).saturating_add(time.min(longest));
        self.until = until.min(now.saturating_add(longest));
    }
}

/// How many of the sent bytes the peer has acknowledged, as far as we know, while we wait for it.
#[derive(Clone, Copy)]
enum Acknowledged {
    /// Not asked yet, or the system cannot tell. The transport has taken `sent` bytes.
    Untold {
        is_asked: bool,
        sent: u64,
    },
    Told(u64),
    /// Asked when the queue was empty and bytes were still in flight. The clock is that of those bytes.
    OnItsWay(u64),
}

impl Default for Acknowledged {
    fn default() -> Self {
        Self::Untold { is_asked: false, sent: 0 }
    }
}

/// What is known of a peer that took nothing at some time. Boxed, because few connections ever stall.
#[derive(Default)]
pub(super) struct Watch {
    clock: Clock,
    acknowledged: Acknowledged,
    reads: Reads,
}

impl Watch {
    /// Nothing is waited for.
    pub(super) fn stop(&mut self) {
        self.clock.stop();
    }

    /// Notes a look at `now`, after `sent` bytes in all.
    fn look(&mut self, now: Instant, sent: u64, pace: &Pace, unacknowledged: impl FnOnce() -> Option<u64>) {
        if self.clock.since().is_none() || self.times_what_was_before() {
            self.clock.stop();
            self.acknowledged = Acknowledged::Untold { is_asked: false, sent };
        }
        let is_due = self.deadline(pace).is_some_and(|deadline| now >= deadline.at);
        let told = if is_due { unacknowledged().map(|rest| sent.saturating_sub(rest)) } else { None };
        self.acknowledged = match (self.acknowledged, told) {
            (Acknowledged::Untold { is_asked: false, .. }, Some(told)) => {
                // How much the peer had acknowledged when the clock began is unknown, so the clock begins here.
                self.clock.stop();
                Acknowledged::Told(told)
            }
            (Acknowledged::Untold { is_asked, sent: before }, _) => {
                self.clock.add_bytes(sent.saturating_sub(before));
                Acknowledged::Untold { is_asked: is_asked || is_due, sent }
            }
            (Acknowledged::Told(before) | Acknowledged::OnItsWay(before), told) => {
                let told = before.max(told.unwrap_or(before));
                self.clock.add_bytes(told.saturating_sub(before));
                Acknowledged::Told(told)
            }
        };
    }

    /// Notes that the peer has acknowledged `told` bytes of those behind which nothing is queued.
    fn look_at_what_is_on_its_way(&mut self, told: u64) {
        match self.acknowledged {
            Acknowledged::OnItsWay(before) if self.clock.since().is_some() => {
                self.clock.add_bytes(told.saturating_sub(before));
            }
            Acknowledged::OnItsWay(_) | Acknowledged::Told(_) | Acknowledged::Untold { .. } => {
                self.clock.stop();
            }
        }
        self.acknowledged = Acknowledged::OnItsWay(told);
    }

    /// Judges the pace, now that what is known is noted.
    fn check(&mut self, now: Instant, pace: &Pace) -> Result<(), Exceeded> {
        match self.acknowledged {
            Acknowledged::Untold { is_asked: false, .. } => {}
            Acknowledged::Untold { is_asked: true, sent: taken }
            | Acknowledged::Told(taken)
            | Acknowledged::OnItsWay(taken) => self.reads.note(taken, now, pace),
        }
        self.reads.looked = now;
        match self.clock.check(now, pace, Limit::WriteProgress) {
            Err(exceeded) if now >= self.reads.until => Err(exceeded),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// True if the clock is that of bytes sent before the queue was last empty, and not of what is queued now.
    fn times_what_was_before(&self) -> bool {
        matches!(self.acknowledged, Acknowledged::OnItsWay(_))
    }

    /// When to look again, while something is queued.
    fn deadline(&self, pace @ Pace { silence, total }: &Pace) -> Option<Deadline> {
        if self.times_what_was_before() {
            return None;
        }
        let reason = Limit::WriteProgress;
        let limit = self.clock.deadline(pace, reason);
        let limit = limit.map(|Deadline { at, reason }| Deadline { at: at.max(self.reads.until), reason });
        let Acknowledged::Untold { is_asked: false, .. } = self.acknowledged else { return limit };
        let time = silence.iter().copied().chain(total.map(|total| total.base)).min()? / 8;
        let ask = self.clock.since().map(|since| Deadline { at: since.saturating_add(time), reason });
        Deadline::earlier(ask, limit)
    }

    /// The number of sent bytes that the peer has acknowledged, if it is more than was known.
    fn gained(&mut self, told: u64) -> Option<u64> {
        let (before, told_now) = match self.acknowledged {
            Acknowledged::Untold { .. } => (None, Acknowledged::Told(told)),
            Acknowledged::Told(before) => (Some(before), Acknowledged::Told(told)),
            Acknowledged::OnItsWay(before) => (Some(before), Acknowledged::OnItsWay(told)),
        };
        if told <= before.unwrap_or(0) {
            return None;
        }
        self.clock.add_bytes(before.map_or(0, |before| told.saturating_sub(before)));
        self.acknowledged = told_now;
        Some(told)
    }
}

impl Outbox {
    /// The pace at which the peer must take what is queued.
    pub(crate) fn pace(&self) -> &Pace {
        self.pace.as_deref().unwrap_or(&self.limits.pace)
    }

    /// Sets the pace at which the peer must take what is queued from now on, instead of
    /// [`OutboxLimits::pace`](crate::OutboxLimits::pace), for example for one large download or one endless stream. `None`
    /// restores the pace of the limits.
    pub(crate) fn set_pace(&mut self, pace: Option<Pace>) {
        self.pace = pace.map(Box::new);
    }

    /// Checks the pace of the peer. Call it when the transport takes nothing at `now`, or may be given
    /// nothing ([`is_held`](Self::is_held)).
    ///
    /// Bytes that the transport has taken may still lie in a buffer of this machine, and a transport with a full buffer
    /// may take nothing for a long time although the peer keeps reading. So what counts is what the peer has
    /// acknowledged. `unacknowledged` returns how many of the bytes that the transport has taken the peer has not
    /// acknowledged. It returns `None` if the system cannot tell; what the transport has taken counts then. The number
    /// may exceed what was taken, since lower layers add bytes. Asking may be slow. It is done once, after an eighth of
    /// the time of the pace has been spent waiting, and the clock begins anew there; then again before a limit is
    /// judged.
    ///
    /// # Errors
    ///
    /// [`Limit::WriteProgress`] if the peer takes our output too slowly. The caller can only reset the connection.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        unacknowledged: impl FnOnce() -> Option<u64>,
    ) -> Result<(), Exceeded> {
        if self.remaining() == 0 {
            self.stop_watch();
            self.poll_hold(now);
            return Ok(());
        }
        let (pace, sent) = (*self.pace(), self.sent);
        let watch = self.watch.get_or_insert_default();
        watch.look(now, sent, &pace, unacknowledged);
        watch.check(now, &pace)
    }

    /// Nothing is waited for.
    pub(super) fn stop_watch(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.stop();
        }
    }

    /// True while some written bytes are in flight and the peer keeps its pace: it is too early to expect its answer.
    /// Ask this before an answer to what was written is judged to be late.
    ///
    /// `unacknowledged` is as for [`poll`](Self::poll). If the system cannot tell, what the transport has taken counts
    /// as arrived.
    pub(crate) fn is_on_its_way(
        &mut self,
        now: Instant,
        unacknowledged: impl FnOnce() -> Option<u64>,
    ) -> bool {
        if !self.is_empty() {
            // The pace is judged by `poll`, on write.
            return true;
        }
        let told = unacknowledged().map_or(self.sent, |rest| self.sent.saturating_sub(rest));
        if told >= self.sent {
            self.stop_watch();
            return false;
        }
        let pace = *self.pace();
        let watch = self.watch.get_or_insert_default();
        watch.look_at_what_is_on_its_way(told);
        watch.check(now, &pace).is_ok()
    }

    /// The number of sent bytes that the peer has acknowledged, if it is more than was known.
    pub(crate) fn gained(&mut self, unacknowledged: Option<u64>) -> Option<u64> {
        let told = self.sent.saturating_sub(unacknowledged?);
        self.watch.get_or_insert_default().gained(told)
    }

    /// When [`poll`](Self::poll) must be called again.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        if self.is_held() {
            return self.hold.as_deref().and_then(Hold::deadline);
        }
        let watch = self.watch.as_ref().filter(|_| !self.is_empty())?;
        watch.deadline(self.pace())
    }
}

#[cfg(test)]
mod tests;
