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
mod tests {
    use alloc::vec;
    use core::time::Duration;

    use super::super::limits::PACE;
    use super::*;
    use crate::Bound;

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    fn untold() -> Option<u64> {
        None
    }

    /// Polls at every deadline until a limit is met. Returns the second, and the bound.
    fn ends(outbox: &mut Outbox, unacknowledged: impl Fn(u64) -> Option<u64>) -> (u64, Bound) {
        loop {
            let now = outbox.deadline().unwrap().at;
            let second = now.since_epoch().as_secs();
            if let Err(Exceeded { limit, bound }) = outbox.poll(now, || unacknowledged(second)) {
                assert_eq!(limit, Limit::WriteProgress);
                return (second, bound);
            }
        }
    }

    const SILENCE: Bound = Bound::Silence(Duration::from_secs(60));

    fn total() -> Bound {
        Bound::Total(PACE.total.unwrap())
    }

    #[test]
    fn a_peer_that_takes_nothing_meets_the_limit() {
        let mut outbox = Outbox::default();
        assert!(outbox.poll(at(0), untold).is_ok() && outbox.deadline().is_none());
        outbox.put(&[0; 3000]);
        assert!(outbox.poll(at(1), untold).is_ok());
        outbox.advance(1024);
        assert!(outbox.poll(at(51), untold).is_ok());
        assert_eq!(outbox.deadline().unwrap().at, at(63), "60 s and 2 s for 1,024 bytes");
        assert!(outbox.poll(at(62), untold).is_ok());
        assert_eq!(ends(&mut outbox, |_| None), (63, total()));
        outbox.advance(usize::MAX);
        assert!(outbox.poll(at(64), untold).is_ok() && outbox.deadline().is_none());
        outbox.put(b"next");
        assert!(outbox.poll(at(70), untold).is_ok());
        assert_eq!(ends(&mut outbox, |_| None), (130, SILENCE));
    }

    #[test]
    fn a_peer_that_reads_what_the_transport_holds_is_not_silent() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 1 << 20]);
        outbox.advance(1 << 19);
        outbox.poll(at(0), untold).unwrap();
        // The transport takes nothing for 500 s. The peer reads 1,000 bytes a second of what the transport holds, then
        // stops.
        let left = |second: u64| Some((1 << 19) - second.min(500) * 1000);
        let (second, bound) = ends(&mut outbox, left);
        assert!((560..=620).contains(&second) && bound == SILENCE, "{second}: {bound:?}");
    }

    #[test]
    fn a_peer_that_reads_a_byte_a_second_of_what_the_transport_holds_meets_the_limit() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 1 << 20]);
        outbox.advance(1 << 19);
        outbox.poll(at(0), untold).unwrap();
        assert_eq!(ends(&mut outbox, |second| Some((1 << 19) - second)), (67, total()));
    }

    #[test]
    fn what_the_transport_takes_does_not_count_for_a_peer_that_acknowledges_nothing() {
        let mut outbox = Outbox::default();
        outbox.put(&[0; 3000]);
        outbox.poll(at(0), || unreachable!("nothing is due")).unwrap();
        for second in 1..67 {
            outbox.advance(10);
            outbox.poll(at(second), || Some(second * 10)).unwrap();
        }
        assert_eq!(ends(&mut outbox, |_| Some(660)), (68, SILENCE));
    }

    #[test]
    fn a_peer_that_has_taken_much_may_be_silent_while_it_reads_that() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 3 << 20]);
        outbox.advance(2 << 20);
        outbox.poll(at(0), untold).unwrap();
        // It reads 30,000 bytes a second, and its buffer opens only when that is used up.
        outbox.poll(at(8), || Some(0)).unwrap();
        for second in 9..78 {
            outbox.poll(at(second), || Some(0)).unwrap();
        }
        outbox.advance(1 << 19);
        outbox.poll(at(79), || Some(0)).unwrap();
        // The question at the end of the 120 s for the 2 MiB finds the rest, which has a time of its own.
        assert_eq!(ends(&mut outbox, |_| Some(0)), (120 + 120, SILENCE));
    }

    /// What curl 7.88 does at any rate: a burst of 101 times the rate, then a pause until that is the average.
    #[test]
    fn a_burst_and_a_pause_of_a_hundred_seconds_are_a_steady_rate() {
        for rate in [1 << 10, 10 << 10, 30 << 10, 1 << 20] {
            let mut outbox =
                Outbox::new(crate::OutboxLimits { bytes: usize::MAX, ..Default::default() }.into());
            outbox.put(&vec![0; 300 * rate]);
            for burst in 0..2 {
                outbox.advance(101 * rate);
                for second in 0..101 {
                    outbox.poll(at(burst * 101 + second), || Some(0)).unwrap();
                }
            }
        }
    }

    #[test]
    fn what_only_this_machine_holds_buys_no_silence() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 3 << 20]);
        outbox.advance(2 << 20);
        outbox.poll(at(0), untold).unwrap();
        assert_eq!(ends(&mut outbox, |_| Some(2 << 20)), (67, SILENCE));
    }

    #[test]
    fn what_a_peer_took_counts_from_when_it_took_it() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 3 << 20]);
        outbox.advance(2 << 20);
        outbox.poll(at(0), untold).unwrap();
        outbox.poll(at(8), || Some(0)).unwrap();
        outbox.advance(1 << 20);
        outbox.put(b"next");
        outbox.poll(at(1000), || Some(0)).unwrap();
        outbox.poll(at(1010), || Some(0)).unwrap();
        // It took the last MiB after the look at 1000 s.
        assert_eq!(ends(&mut outbox, |_| Some(0)), (1000 + 120, SILENCE));
    }

    #[test]
    fn a_peer_that_takes_all_it_can_and_stops_meets_twice_the_silence() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 64 << 20]);
        outbox.advance(63 << 20);
        outbox.poll(at(0), untold).unwrap();
        assert_eq!(ends(&mut outbox, |_| None), (120, SILENCE));
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 64 << 20]);
        outbox.advance(63 << 20);
        outbox.poll(at(0), untold).unwrap();
        assert_eq!(ends(&mut outbox, |_| Some(0)), (120, SILENCE));
    }

    #[test]
    fn the_acknowledged_never_shrink_and_layers_below_may_add_bytes() {
        let mut outbox = Outbox::default();
        outbox.put(&[0; 3000]);
        outbox.advance(1000);
        outbox.poll(at(0), untold).unwrap();
        let left = |second| {
            Some(if second < 10 {
                u64::MAX
            } else if second < 70 {
                1
            } else {
                900
            })
        };
        assert_eq!(ends(&mut outbox, left), (68, total()), "999 bytes in 60 s");
    }

    #[test]
    fn the_peer_is_asked_for_only_where_it_matters() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 1 << 20]);
        for second in 0..7 {
            outbox.poll(at(second), || unreachable!("nothing is due")).unwrap();
            outbox.advance(1000);
        }
        outbox.poll(at(8), || Some(0)).unwrap();
        for second in 9..68 {
            outbox.poll(at(second), || unreachable!("nothing is due")).unwrap();
            outbox.advance(1000);
        }
        let mut is_asked = false;
        outbox
            .poll(at(68), || {
                is_asked = true;
                Some(0)
            })
            .unwrap();
        assert!(is_asked);
    }

    #[test]
    fn the_pace_can_change_within_a_stall() {
        let mut outbox = Outbox::default();
        outbox.put(b"an event");
        outbox.poll(at(0), untold).unwrap();
        outbox.set_pace(Some(Pace::UNLIMITED));
        assert_eq!(outbox.deadline(), None);
        outbox.poll(at(10_000), untold).unwrap();
        outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
        outbox.set_pace(None);
        assert_eq!(*outbox.pace(), PACE);
        outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
        assert_eq!(ends(&mut outbox, |_| None), (5, Bound::Silence(Duration::from_secs(5))));
    }

    #[test]
    fn what_is_on_its_way_is_waited_for_while_the_peer_takes_it() {
        let mut outbox = Outbox::default();
        outbox.put(&vec![0; 100_000]);
        assert!(outbox.is_on_its_way(at(0), || unreachable!("not written yet")));
        outbox.advance(100_000);
        // 1,000 bytes a second, which nothing but the question shows.
        for second in (0..100).step_by(5) {
            assert!(outbox.is_on_its_way(at(second), || Some(100_000 - second * 1000)));
        }
        assert!(!outbox.is_on_its_way(at(100), || Some(0)));
        // It stops.
        outbox.put(&[0; 1000]);
        outbox.advance(1000);
        for second in (200..260).step_by(5) {
            assert!(outbox.is_on_its_way(at(second), || Some(10)));
        }
        assert!(!outbox.is_on_its_way(at(260), || Some(10)));
        // A byte now and then.
        let mut outbox = Outbox::default();
        outbox.put(&[0; 1000]);
        outbox.advance(1000);
        let takes = |second| move || Some(1000 - second / 30);
        let end = (0..1000).step_by(30).find(|second| !outbox.is_on_its_way(at(*second), takes(*second)));
        assert_eq!(end, Some(60));
        // The system cannot tell.
        assert!(!outbox.is_on_its_way(at(0), untold));
    }

    #[test]
    fn what_is_on_its_way_is_judged_only_when_that_is_asked() {
        let mut outbox = Outbox::default();
        outbox.put(&[0; 1000]);
        outbox.advance(1000);
        assert!(outbox.is_on_its_way(at(0), || Some(1000)));
        assert_eq!(outbox.deadline(), None);
        assert!(outbox.is_on_its_way(at(59), || Some(1000)));
        // What is queued behind it has a time of its own.
        outbox.put(&[0; 1000]);
        assert_eq!(outbox.deadline(), None);
        outbox.poll(at(100), || Some(1000)).unwrap();
        assert_eq!(ends(&mut outbox, |_| None), (160, SILENCE));
    }

    #[test]
    fn what_is_on_its_way_has_the_pace_that_was_set() {
        let mut outbox = Outbox::default();
        outbox.set_pace(Some(Pace::silence(Duration::from_secs(5))));
        outbox.put(&[0; 1000]);
        outbox.advance(1000);
        assert!(outbox.is_on_its_way(at(0), || Some(1000)));
        assert!(outbox.is_on_its_way(at(4), || Some(1000)));
        assert!(!outbox.is_on_its_way(at(5), || Some(1000)));
    }
}
