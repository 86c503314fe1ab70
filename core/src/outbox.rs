//! What is to be sent, in order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::fmt;

use crate::time::Progress;
use crate::{Deadline, Exceeded, Instant, Limit, Rate, convert};

/// The bytes that states have written and the transport has not taken, in order, bounded.
///
/// Small pieces are put together; a piece of 4 KiB or more is kept by reference and not copied. A driver takes
/// bytes with [`chunks`](Self::chunks) (for a vectored write) or as a [`Buf`], and says how many went out with
/// [`Buf::advance`].
///
/// Two marks bound it. Data that would go past [`OutboxLimits::bytes`] is handed back to whoever writes it.
/// Above [`OutboxLimits::high_water`] a driver takes no further request or event, so that a peer that sends and
/// never reads cannot grow anything. Heads and refusals are always taken: there is one of them for each request
/// taken, and they are small. The control frames of a WebSocket have a reserve of 1 KiB above the bound.
pub struct Outbox {
    /// Small pieces, put together; `start..` is not sent yet.
    joined: Vec<u8>,
    start: usize,
    /// Large pieces, each with the index in `joined` before which it goes.
    large: VecDeque<(usize, Bytes)>,
    len: usize,
    sent: u64,
    limits: OutboxLimits,
    progress: Progress,
}

/// The bounds of an [`Outbox`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Bytes that may be queued; more data is handed back. Default 1 MiB: sixteen full socket buffers of the
    /// usual size, enough to keep any link busy.
    pub bytes: usize,
    /// Bytes above which no further request or event is taken. Default 64 KiB: more than one write of the
    /// usual socket buffer gathers nothing.
    pub high_water: usize,
    /// The least the peer must take while something is queued. Default 1 KiB in 10 s. `None`: no limit.
    pub progress: Option<Rate>,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, high_water: 64 << 10, progress: Some(Rate::DEFAULT) }
    }
}

/// From this size on a piece is kept by reference: below it, a copy costs less than a further slice in a
/// vectored write.
const LARGE: usize = 4096;

/// Room for a few control frames above the bound on data: a pong or a Close does not wait for a slow message.
const CONTROL_RESERVE: usize = 1024;

impl Outbox {
    /// An empty outbox.
    pub fn new(limits: OutboxLimits) -> Self {
        Self {
            joined: Vec::new(),
            start: 0,
            large: VecDeque::new(),
            len: 0,
            sent: 0,
            limits,
            progress: Progress::default(),
        }
    }

    /// How many bytes are queued.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if everything was taken by the transport.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes the transport has taken so far. What is queued now has gone out once this has grown by
    /// [`len`](Self::len).
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The bounds.
    pub fn limits(&self) -> &OutboxLimits {
        &self.limits
    }

    /// True if a control frame of `len` bytes still fits. There is a reserve for them above the bound.
    pub(crate) fn takes_control(&self, len: usize) -> bool {
        self.limits.bytes.saturating_add(CONTROL_RESERVE).saturating_sub(self.len) >= len
    }

    /// How much data still fits.
    #[inline]
    pub fn room(&self) -> usize {
        self.limits.bytes.saturating_sub(self.len)
    }

    /// True above the high-water mark: send first, take the next request or event later.
    pub fn is_above_high_water(&self) -> bool {
        self.len > self.limits.high_water
    }

    /// The queued bytes in order, as few slices as there are.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
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

    /// Checks the write-stall limit. Call it when the transport takes nothing at `now`.
    ///
    /// # Errors
    ///
    /// [`Limit::WriteProgress`]: the peer takes our output too slowly. Only a reset is left.
    pub fn poll(&mut self, now: Instant) -> Result<(), Exceeded> {
        if self.is_empty() {
            self.progress.stop();
            return Ok(());
        }
        match self.limits.progress {
            Some(rate) if self.progress.expired(now, rate) => Err(Exceeded::rate(Limit::WriteProgress, rate)),
            _ => Ok(()),
        }
    }

    /// When [`poll`](Self::poll) must be called again.
    pub fn deadline(&self) -> Option<Deadline> {
        self.limits.progress.and_then(|rate| self.progress.deadline(rate, Limit::WriteProgress))
    }

    /// Lends memory for small pieces, if none is held. Its content is dropped.
    ///
    /// # Errors
    ///
    /// The memory comes back unused: some is held already.
    pub fn lend(&mut self, mut memory: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.joined.capacity() > 0 {
            return Err(memory);
        }
        memory.clear();
        self.joined = memory;
        Ok(())
    }

    /// True if memory for small pieces is held.
    pub fn is_lent(&self) -> bool {
        self.joined.capacity() > 0
    }

    /// Gives the memory for small pieces back, and keeps what is not sent in memory of its exact size.
    ///
    /// `None`: there is none to spare.
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

    /// Puts bytes behind what is queued.
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

    /// Makes room of what was sent, instead of growing: a peer that is always a little behind never lets the
    /// outbox run empty. Moves fewer bytes than were sent since the last time.
    fn drop_sent(&mut self) {
        self.joined.drain(..self.start);
        for (index, _) in &mut self.large {
            *index = index.saturating_sub(self.start);
        }
        self.start = 0;
    }

    /// Puts two bytes and what belongs to them behind what is queued.
    #[inline]
    pub(crate) fn put_pair(&mut self, pair: [u8; 2], rest: &[u8]) {
        let len = rest.len() + 2;
        self.make_room(len);
        self.joined.reserve(len);
        self.joined.extend_from_slice(&pair);
        self.joined.extend_from_slice(rest);
        self.len += len;
    }

    /// Puts bytes behind what is queued and hands them out, to mask them.
    pub(crate) fn put_mut(&mut self, bytes: &[u8]) -> &mut [u8] {
        self.put(bytes);
        let start = self.joined.len().saturating_sub(bytes.len());
        self.joined.get_mut(start..).unwrap_or_default()
    }

    /// Puts owned bytes behind what is queued, without a copy if they are many.
    pub(crate) fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < LARGE {
            self.put(&bytes);
        } else {
            self.put_large(bytes);
        }
    }

    /// Puts bytes that others have too behind what is queued: many are one more reference to them.
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

    /// Puts a number in decimal behind what is queued.
    pub(crate) fn put_decimal(&mut self, number: u64) {
        self.put_digits(number, 10);
    }

    /// Puts a number in hexadecimal behind what is queued.
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
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.chunks().next().unwrap_or_default()
    }

    /// The transport took `count` bytes. What exceeds [`remaining`](Buf::remaining) is ignored.
    fn advance(&mut self, count: usize) {
        let count = count.min(self.len);
        self.len -= count;
        self.sent = self.sent.saturating_add(convert::u64_from(count));
        self.progress.add(count);
        if self.large.is_empty() {
            self.start += count;
        } else {
            self.advance_past_large(count);
        }
        if self.len == 0 {
            self.joined.clear();
            self.start = 0;
            self.progress.stop();
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
    use core::time::Duration;

    use super::*;

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

    #[test]
    fn a_peer_that_takes_nothing_meets_the_limit() {
        let at = |s| Instant::from_epoch(Duration::from_secs(s));
        let mut outbox = Outbox::default();
        assert!(outbox.poll(at(0)).is_ok() && outbox.deadline().is_none());
        outbox.put(&[0; 3000]);
        assert!(outbox.poll(at(1)).is_ok());
        assert_eq!(outbox.deadline().unwrap().at, at(11));
        outbox.advance(1024);
        assert!(outbox.poll(at(11)).is_ok());
        outbox.advance(1023);
        assert_eq!(outbox.poll(at(21)).unwrap_err().limit, Limit::WriteProgress);
        outbox.advance(usize::MAX);
        assert!(outbox.poll(at(60)).is_ok() && outbox.deadline().is_none());
    }
}
