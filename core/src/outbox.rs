//! Bytes to send, in order.

mod hold;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::fmt;
use core::time::Duration;

use crate::time::Clock;
use crate::{Deadline, Exceeded, Instant, Limit, Pace, convert};
use hold::Hold;

/// The bytes that states have written and that the transport has not taken, in order, bounded.
///
/// Small pieces are joined; a piece of 4 KiB or more is kept by reference, not copied. A driver takes bytes with
/// [`chunks`](Self::chunks) (for a vectored write) or as a [`Buf`], and reports how many were written with
/// [`Buf::advance`].
///
/// Two limits bound it. Data that would exceed [`OutboxLimits::bytes`] is handed back to the caller. Above
/// [`OutboxLimits::high_water`] a driver takes no further request or event, so that a peer that sends and never reads
/// cannot make memory grow. Heads and refusals are always accepted: there is one for each request taken, and they are
/// small. The control frames of a WebSocket have a reserve of 1 KiB above the limit.
pub struct Outbox {
    /// Small pieces, joined; `start..` is not sent yet.
    joined: Vec<u8>,
    start: usize,
    /// Large pieces, each with the index in `joined` before which it goes.
    large: VecDeque<(usize, Bytes)>,
    len: usize,
    sent: u64,
    limits: OutboxLimits,
    /// Overrides the pace of the limits. Boxed, because few connections set it.
    pace: Option<Box<Pace>>,
    clock: Clock,
    acknowledged: Acknowledged,
    /// Boxed, because few connections ever have one.
    hold: Option<Box<Hold>>,
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
}

/// The bounds of an [`Outbox`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Bytes that may be queued. More data is handed back. Default 1 MiB: sixteen full socket buffers of the usual
    /// size, enough to keep any link busy.
    pub bytes: usize,
    /// Bytes above which no further request or event is taken. Default 64 KiB: gathering more than one write of the
    /// usual socket buffer gains nothing.
    pub high_water: usize,
    /// The pace at which the peer must take what is queued, counted from when the queue was last empty. Default: 60 s
    /// of silence, as long as a receiver may keep its window shut behind a slow disk or a sleeping radio; in total 60 s
    /// plus 1 s for every 500 bytes, a modem's rate, so that a byte now and then cannot hold memory for ever.
    pub pace: Pace,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, high_water: 64 << 10, pace: PACE }
    }
}

const PACE: Pace = Pace::silence(Duration::from_secs(60)).total(Duration::from_secs(60), 500);

/// From this size on, a piece is kept by reference: below it, copying costs less than another slice in a vectored
/// write.
const LARGE: usize = 4096;

/// Room for a few control frames above the limit on data: a pong or a Close does not wait for a slow message.
const CONTROL_RESERVE: usize = 1024;

impl Outbox {
    /// Makes an empty outbox.
    pub fn new(limits: OutboxLimits) -> Self {
        Self {
            joined: Vec::new(),
            start: 0,
            large: VecDeque::new(),
            len: 0,
            sent: 0,
            limits,
            pace: None,
            clock: Clock::default(),
            acknowledged: Acknowledged::Untold { is_asked: false, sent: 0 },
            hold: None,
        }
    }

    /// The number of queued bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if the transport has taken everything.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bytes that the transport has taken so far. What is queued now has been taken once this has grown
    /// by [`len`](Self::len).
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The limits.
    pub fn limits(&self) -> &OutboxLimits {
        &self.limits
    }

    /// True if a control frame of `len` bytes still fits. Control frames have a reserve above the limit.
    pub(crate) fn takes_control(&self, len: usize) -> bool {
        self.limits.bytes.saturating_add(CONTROL_RESERVE).saturating_sub(self.len) >= len
    }

    /// The number of bytes of data that still fit.
    #[inline]
    pub fn room(&self) -> usize {
        self.limits.bytes.saturating_sub(self.len)
    }

    /// True above the high-water mark: send first, and take the next request or event later.
    pub fn is_above_high_water(&self) -> bool {
        self.len > self.limits.high_water
    }

    /// Discards all queued bytes, because there is no transport any more.
    pub fn discard(&mut self) {
        self.hold = None;
        self.advance(self.len);
    }

    /// The queued bytes that may be sent, in order, in as few slices as possible.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let mut left = self.remaining();
        self.all_chunks().map_while(move |chunk| {
            let chunk = chunk.get(..left).unwrap_or(chunk);
            left = left.saturating_sub(chunk.len());
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    fn all_chunks(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = self.start;
        let mut large = self.large.iter();
        let mut pending: Option<&Bytes> = None;
        core::iter::from_fn(move || {
            if let Some(bytes) = pending.take() {
                return Some(&bytes[..]);
            }
            let next = large.next();
            let until = next.map_or(self.joined.len(), |(index, _)| *index);
            let joined = self.joined.get(at..until).unwrap_or_default();
            at = until;
            match next {
                Some((_, bytes)) if joined.is_empty() => Some(&bytes[..]),
                Some((_, bytes)) => {
                    pending = Some(bytes);
                    Some(joined)
                }
                None if joined.is_empty() => None,
                None => Some(joined),
            }
        })
    }

    /// The pace at which the peer must take what is queued.
    pub fn pace(&self) -> &Pace {
        self.pace.as_deref().unwrap_or(&self.limits.pace)
    }

    /// Sets the pace at which the peer must take what is queued from now on, instead of [`OutboxLimits::pace`], for
    /// example for one large download or one endless stream. `None` restores the pace of the limits.
    pub fn set_pace(&mut self, pace: Option<Pace>) {
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
    pub fn poll(
        &mut self,
        now: Instant,
        unacknowledged: impl FnOnce() -> Option<u64>,
    ) -> Result<(), Exceeded> {
        if self.remaining() == 0 {
            self.clock.stop();
            self.poll_hold(now);
            return Ok(());
        }
        if self.clock.since().is_none() {
            self.acknowledged = Acknowledged::Untold { is_asked: false, sent: self.sent };
        }
        let is_due = self.deadline().is_some_and(|deadline| now >= deadline.at);
        let told = if is_due { unacknowledged().map(|rest| self.sent.saturating_sub(rest)) } else { None };
        self.acknowledged = match (self.acknowledged, told) {
            (Acknowledged::Untold { is_asked: false, .. }, Some(told)) => {
                // How much the peer had acknowledged when the clock began is unknown, so the clock begins here.
                self.clock.stop();
                Acknowledged::Told(told)
            }
            (Acknowledged::Untold { is_asked, sent }, _) => {
                self.clock.add_bytes(self.sent.saturating_sub(sent));
                Acknowledged::Untold { is_asked: is_asked || is_due, sent: self.sent }
            }
            (Acknowledged::Told(before), told) => {
                let told = before.max(told.unwrap_or(before));
                self.clock.add_bytes(told.saturating_sub(before));
                Acknowledged::Told(told)
            }
        };
        let pace = *self.pace();
        self.clock.check(now, &pace, Limit::WriteProgress)
    }

    /// True while some written bytes are in flight and the peer keeps its pace: it is too early to expect its answer.
    /// Ask this before an answer to what was written is judged to be late.
    ///
    /// `unacknowledged` is as for [`poll`](Self::poll). If the system cannot tell, what the transport has taken counts
    /// as arrived.
    pub fn is_on_its_way(&mut self, now: Instant, unacknowledged: impl FnOnce() -> Option<u64>) -> bool {
        if !self.is_empty() {
            // The pace is judged by `poll`, on write.
            return true;
        }
        let told = unacknowledged().map_or(self.sent, |rest| self.sent.saturating_sub(rest));
        if told >= self.sent {
            self.clock.stop();
            return false;
        }
        match self.acknowledged {
            Acknowledged::Told(before) if self.clock.since().is_some() => {
                self.clock.add_bytes(told.saturating_sub(before));
            }
            Acknowledged::Told(_) | Acknowledged::Untold { .. } => self.clock.stop(),
        }
        self.acknowledged = Acknowledged::Told(told);
        self.clock.check(now, &self.limits.pace, Limit::WriteProgress).is_ok()
    }

    /// The number of sent bytes that the peer has acknowledged, if it is more than was known.
    pub(crate) fn gained(&mut self, unacknowledged: Option<u64>) -> Option<u64> {
        let told = self.sent.saturating_sub(unacknowledged?);
        let before = match self.acknowledged {
            Acknowledged::Told(before) => before,
            Acknowledged::Untold { .. } => 0,
        };
        if told <= before {
            return None;
        }
        if let Acknowledged::Told(before) = self.acknowledged {
            self.clock.add_bytes(told.saturating_sub(before));
        }
        self.acknowledged = Acknowledged::Told(told);
        Some(told)
    }

    /// The number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.sent.saturating_add(convert::u64_from(self.len))
    }

    /// When [`poll`](Self::poll) must be called again.
    pub fn deadline(&self) -> Option<Deadline> {
        if self.is_held() {
            return self.hold.as_deref().and_then(Hold::deadline);
        }
        let pace @ Pace { silence, total } = self.pace();
        let reason = Limit::WriteProgress;
        let limit = self.clock.deadline(pace, reason);
        let Acknowledged::Untold { is_asked: false, .. } = self.acknowledged else { return limit };
        let time = silence.iter().copied().chain(total.map(|total| total.base)).min()? / 8;
        let ask = self.clock.since().map(|since| Deadline { at: since.saturating_add(time), reason });
        Deadline::earlier(ask, limit)
    }

    /// Lends memory for small pieces. Its content is dropped.
    ///
    /// # Errors
    ///
    /// Returns the memory unused if the outbox already holds some.
    pub fn lend(&mut self, mut memory: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.joined.capacity() > 0 {
            return Err(memory);
        }
        memory.clear();
        self.joined = memory;
        Ok(())
    }

    /// True if the outbox holds memory for small pieces.
    pub fn is_lent(&self) -> bool {
        self.joined.capacity() > 0
    }

    /// Returns the memory for small pieces, and keeps what is not sent in an allocation of its exact size.
    ///
    /// `None` if there is no memory to spare.
    pub fn reclaim(&mut self) -> Option<Vec<u8>> {
        let unsent = self.joined.get(self.start..).unwrap_or_default();
        if self.joined.capacity() <= unsent.len() {
            return None;
        }
        let kept = unsent.to_vec();
        for (index, _) in &mut self.large {
            *index = index.saturating_sub(self.start);
        }
        self.start = 0;
        Some(core::mem::replace(&mut self.joined, kept))
    }

    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.joined.extend_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    #[inline]
    fn make_room(&mut self, len: usize) {
        if self.joined.capacity() - self.joined.len() < len && self.start > self.joined.len() / 2 {
            self.drop_sent();
        }
    }

    /// Reuses the space of sent bytes instead of growing: with a peer that is always a little behind, the outbox never
    /// runs empty. Moves fewer bytes than were sent since the last time.
    fn drop_sent(&mut self) {
        self.joined.drain(..self.start);
        for (index, _) in &mut self.large {
            *index = index.saturating_sub(self.start);
        }
        self.start = 0;
    }

    /// Appends two bytes and the bytes that belong to them.
    #[inline]
    pub(crate) fn put_pair(&mut self, pair: [u8; 2], rest: &[u8]) {
        let len = rest.len() + 2;
        self.make_room(len);
        self.joined.reserve(len);
        self.joined.extend_from_slice(&pair);
        self.joined.extend_from_slice(rest);
        self.len += len;
    }

    /// Appends bytes and returns them, to mask them.
    pub(crate) fn put_mut(&mut self, bytes: &[u8]) -> &mut [u8] {
        self.put(bytes);
        let start = self.joined.len().saturating_sub(bytes.len());
        self.joined.get_mut(start..).unwrap_or_default()
    }

    /// Appends owned bytes, without a copy if they are many.
    pub(crate) fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < LARGE {
            self.put(&bytes);
        } else {
            self.put_large(bytes);
        }
    }

    /// Appends shared bytes; if they are many, by another reference to them.
    pub(crate) fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < LARGE {
            self.put(bytes);
        } else {
            self.put_large(bytes.clone());
        }
    }

    fn put_large(&mut self, bytes: Bytes) {
        self.len = self.len.saturating_add(bytes.len());
        self.large.push_back((self.joined.len(), bytes));
    }

    /// Appends a number in decimal.
    pub(crate) fn put_decimal(&mut self, number: u64) {
        self.put_digits(number, 10);
    }

    /// Appends a number in hexadecimal.
    pub(crate) fn put_hex(&mut self, number: u64) {
        self.put_digits(number, 16);
    }

    fn put_digits(&mut self, mut number: u64, base: u64) {
        let mut digits = [0; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            let digit = convert::usize_from(number % base);
            *place = b"0123456789abcdef".get(digit).copied().unwrap_or(b'0');
            used += 1;
            number /= base;
            if number == 0 {
                break;
            }
        }
        self.put(digits.get(digits.len() - used..).unwrap_or_default());
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new(OutboxLimits::default())
    }
}

impl Buf for Outbox {
    /// The number of queued bytes that may be sent: all of them, unless the rest [is held](Outbox::is_held).
    fn remaining(&self) -> usize {
        match &self.hold {
            None => self.len,
            Some(hold) => self.len.min(hold.before(self.sent)),
        }
    }

    fn chunk(&self) -> &[u8] {
        self.chunks().next().unwrap_or_default()
    }

    /// Marks `count` bytes as taken by the transport. Any excess over [`remaining`](Buf::remaining) is ignored.
    fn advance(&mut self, count: usize) {
        let count = count.min(self.remaining());
        self.len -= count;
        self.sent = self.sent.saturating_add(convert::u64_from(count));
        if self.large.is_empty() {
            self.start += count;
        } else {
            self.advance_past_large(count);
        }
        if self.len == 0 {
            self.joined.clear();
            self.start = 0;
            self.clock.stop();
        }
    }
}

impl Outbox {
    fn advance_past_large(&mut self, mut count: usize) {
        while count > 0 {
            let until = self.large.front().map_or(self.joined.len(), |(index, _)| *index);
            let joined = count.min(until.saturating_sub(self.start));
            self.start += joined;
            count -= joined;
            if count == 0 {
                break;
            }
            let Some((_, bytes)) = self.large.front_mut() else { break };
            if bytes.len() > count {
                bytes.advance(count);
                break;
            }
            count -= bytes.len();
            self.large.pop_front();
        }
    }
}

impl fmt::Debug for Outbox {
    /// Shows lengths, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("queued", &self.len)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::Bound;

    fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while outbox.has_remaining() {
            let joined: usize = outbox.chunks().map(<[u8]>::len).sum();
            assert_eq!(joined, outbox.len());
            let chunk = outbox.chunk();
            let len = chunk.len().min(step);
            all.extend_from_slice(&chunk[..len]);
            outbox.advance(len);
        }
        all
    }

    #[test]
    fn order_is_kept_between_small_and_large() {
        for step in [1, 3, 4096, usize::MAX] {
            let mut outbox = Outbox::default();
            let big = Bytes::from(vec![b'x'; LARGE]);
            outbox.put(b"head ");
            outbox.put_bytes(big.clone());
            outbox.put_bytes(big.clone());
            outbox.put(b" tail ");
            outbox.put_decimal(10_203);
            outbox.put(b" ");
            outbox.put_hex(0xdead_beef);
            outbox.put(b" ");
            outbox.put_decimal(0);
            let expected = [b"head ", &big[..], &big[..], b" tail 10203 deadbeef 0"].concat();
            assert_eq!(drain(&mut outbox, step), expected);
        }
    }

    #[test]
    fn memory_is_given_back_and_the_rest_stays_in_order() {
        let mut outbox = Outbox::default();
        outbox.lend(Vec::with_capacity(1 << 16)).unwrap();
        outbox.put(b"abc");
        outbox.put_bytes(Bytes::from(vec![b'x'; LARGE]));
        outbox.put(b"def");
        outbox.advance(2);
        assert_eq!(outbox.reclaim().unwrap().capacity(), 1 << 16);
        let expected = [b"c", &vec![b'x'; LARGE][..], b"def"].concat();
        assert_eq!(drain(&mut outbox, 1000), expected);
    }

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
}
