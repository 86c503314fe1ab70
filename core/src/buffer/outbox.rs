//! Bytes to send, in order.

mod hold;
mod limits;
mod pace;
mod put;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::{Buf, Bytes};
use core::fmt;

use crate::{Pace, convert};
use hold::Hold;
pub use limits::OutboxLimits;
use pace::Watch;

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
pub(crate) struct Outbox {
    /// Small pieces, joined; `start..` is not sent yet.
    joined: Vec<u8>,
    start: usize,
    /// Large pieces, each with the index in `joined` before which it goes.
    /// Boxed, because an idle connection has none.
    #[expect(clippy::box_collection, reason = "it is mostly missing, and each connection has one")]
    large: Option<Box<VecDeque<(usize, Bytes)>>>,
    len: usize,
    sent: u64,
    limits: Arc<OutboxLimits>,
    /// Overrides the pace of the limits. Boxed, because few connections set it.
    pace: Option<Box<Pace>>,
    watch: Option<Box<Watch>>,
    /// Boxed, because few connections ever have one.
    hold: Option<Box<Hold>>,
}

/// Room for a few control frames above the limit on data: a pong or a Close does not wait for a slow message.
const CONTROL_RESERVE: usize = 1024;

impl Outbox {
    /// Makes an empty outbox.
    pub(crate) fn new(limits: Arc<OutboxLimits>) -> Self {
        Self {
            joined: Vec::new(),
            start: 0,
            large: None,
            len: 0,
            sent: 0,
            limits,
            pace: None,
            watch: None,
            hold: None,
        }
    }

    /// The number of queued bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// True if the transport has taken everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of bytes that the transport has taken so far. What is queued now has been taken once this has grown
    /// by [`len`](Self::len).
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The limits.
    pub(crate) fn limits(&self) -> &OutboxLimits {
        &self.limits
    }

    /// True if a control frame of `len` bytes still fits. Control frames have a reserve above the limit.
    pub(crate) fn takes_control(&self, len: usize) -> bool {
        self.limits.room().saturating_add(CONTROL_RESERVE).saturating_sub(self.len) >= len
    }

    /// The number of bytes of data that still fit.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.limits.room().saturating_sub(self.len)
    }

    /// True above the high-water mark: send first, and take the next request or event later.
    pub(crate) fn is_above_high_water(&self) -> bool {
        self.len > self.limits.high_water
    }

    /// Discards all queued bytes, because there is no transport any more.
    pub(crate) fn discard(&mut self) {
        self.hold = None;
        self.advance(self.len);
    }

    /// The queued bytes that may be sent, in order, in as few slices as possible.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let mut left = self.remaining();
        self.all_chunks().map_while(move |chunk| {
            let chunk = chunk.get(..left).unwrap_or(chunk);
            left = left.saturating_sub(chunk.len());
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    fn all_chunks(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = self.start;
        let mut large = self.large.iter().flat_map(|large| large.iter());
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

    /// The number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.sent.saturating_add(convert::u64_from(self.len))
    }

    /// Lends memory for small pieces. Its content is dropped.
    ///
    /// # Errors
    ///
    /// Returns the memory unused if the outbox already holds some.
    pub(crate) fn lend(&mut self, mut memory: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.joined.capacity() > 0 {
            return Err(memory);
        }
        memory.clear();
        self.joined = memory;
        Ok(())
    }

    /// True if the outbox holds memory for small pieces.
    pub(crate) fn is_lent(&self) -> bool {
        self.joined.capacity() > 0
    }

    /// Returns the memory for small pieces, and keeps what is not sent in an allocation of its exact size.
    ///
    /// `None` if there is no memory to spare.
    pub(crate) fn reclaim(&mut self) -> Option<Vec<u8>> {
        let unsent = self.joined.get(self.start..).unwrap_or_default();
        if self.joined.capacity() <= unsent.len() {
            return None;
        }
        let kept = unsent.to_vec();
        self.large = self.large.take().filter(|large| !large.is_empty());
        self.forget_start();
        Some(core::mem::replace(&mut self.joined, kept))
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new(Arc::default())
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
        if self.large.is_none() {
            self.start += count;
        } else {
            self.advance_past_large(count);
        }
        if self.len == 0 {
            self.joined.clear();
            self.start = 0;
            self.stop_watch();
        }
    }
}

impl Outbox {
    fn advance_past_large(&mut self, mut count: usize) {
        let Some(large) = &mut self.large else { return };
        while count > 0 {
            let until = large.front().map_or(self.joined.len(), |(index, _)| *index);
            let joined = count.min(until.saturating_sub(self.start));
            self.start += joined;
            count -= joined;
            if count == 0 {
                break;
            }
            let Some((_, bytes)) = large.front_mut() else { break };
            if bytes.len() > count {
                bytes.advance(count);
                break;
            }
            count -= bytes.len();
            large.pop_front();
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

    use super::put::LARGE;
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
}
