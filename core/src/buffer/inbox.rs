//! Bytes that have arrived and are not yet consumed.

use bytes::{Bytes, BytesMut};
use core::fmt;

use crate::Instant;

/// The bytes that arrived for a state and that the state has not consumed, in order, bounded.
///
/// An inbox belongs to the state that receives and moves with it, so the bytes behind a pipelined request or an upgrade
/// never leave the connection. A driver feeds it in one of two ways:
///
/// - **in place**: read into [`room`](Self::room) and then call [`filled`](Self::filled). [`lend`](Self::lend) a buffer
///   first and [`reclaim`](Self::reclaim) it before the task waits; an idle connection then holds no buffer;
/// - **by copy**: [`feed`](Self::feed).
///
/// The driver reports the end of the stream with [`end`](Self::end), or with [`cut`](Self::cut) if bytes may be missing
/// before it. It reports silence with [`dry`](Self::dry): a read found nothing, and only then can a time limit expire.
/// So a slow driver does not time out a peer whose bytes wait unread in the kernel.
pub(crate) struct Inbox {
    /// Every byte of its length is initialised; `start..end` is what arrived.
    pub(super) buffer: BytesMut,
    /// The size of the allocation that the buffer is a part of: what a payload that shares the buffer keeps alive.
    pub(super) allocated: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The bytes at the end that no look ahead has seen. More than are unread if what was seen is consumed.
    unseen: usize,
    limit: usize,
    stream: Stream,
}

/// What the last look at the stream showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// Bytes, or there was no look yet.
    Flowing,
    /// Nothing to read at `at`, nor at any look since `since`.
    Dry { since: Instant, at: Instant },
    /// Nothing to read since `since`, and no look since we stopped waiting for the peer.
    Unwatched { since: Instant },
    /// The stream has ended.
    Ended,
    /// The stream has ended, and bytes may be missing.
    Cut,
}

/// The first buffer that an inbox makes for itself when none is lent.
const FIRST: usize = 4096;

impl Inbox {
    /// Makes an empty inbox that holds at most `limit` unconsumed bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            allocated: 0,
            start: 0,
            end: 0,
            unseen: 0,
            limit,
            stream: Stream::Flowing,
        }
    }

    /// The bytes that are not consumed yet.
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The number of bytes that are not consumed yet.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// True if every byte is consumed.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of unread bytes that a look ahead has [seen](Self::see).
    pub(crate) fn seen(&self) -> usize {
        self.len().saturating_sub(self.unseen)
    }

    /// Notes that a look ahead has seen the first `len` unread bytes.
    pub(crate) fn see(&mut self, len: usize) {
        self.unseen = self.len().saturating_sub(len);
    }

    /// Returns initialised room to read into. Call [`filled`](Self::filled) afterwards.
    ///
    /// After a state waits there is room, unless the stream has ended or the state has stopped reading. Allocates a buffer if none is lent.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let allowed = self.limit.saturating_sub(self.len());
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
        if self.start > 0 && self.end == self.buffer.len() {
            self.compact();
        }
        if self.end == self.buffer.len() && allowed > 0 {
            let grown = self.buffer.len().saturating_mul(2).max(FIRST);
            self.buffer.resize(grown.min(self.limit), 0);
            // If parts of the buffer were handed out, it lies where it did, or in an allocation as large.
            self.allocated = self.allocated.max(self.buffer.capacity());
        }
        let end = self.end.saturating_add(allowed).min(self.buffer.len());
        self.buffer.get_mut(self.end..end).unwrap_or_default()
    }

    /// True if there is room without allocating. A full inbox has no room, however large its buffer is.
    pub(crate) fn has_room(&self) -> bool {
        self.buffer.len().min(self.limit) > self.len()
    }

    /// Marks the first `len` bytes of [`room`](Self::room) as received.
    ///
    /// `len` is at most the length of the room. Zero bytes change nothing: the end of the stream is reported with
    /// [`end`](Self::end), so a full inbox cannot look like the end.
    pub(crate) fn filled(&mut self, len: usize) {
        if len > 0 && !self.is_over() {
            self.end = self.end.saturating_add(len).min(self.buffer.len());
            self.unseen = self.unseen.saturating_add(len);
            self.stream = Stream::Flowing;
        }
    }

    /// Copies from `bytes` and returns how many were taken: all, unless the limit is met.
    #[cfg(test)]
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.is_over() {
                break;
            }
            let room = self.room();
            let len = room.len().min(rest.len());
            let (Some(to), Some(from)) = (room.get_mut(..len), rest.get(..len)) else { break };
            if from.is_empty() {
                break;
            }
            to.copy_from_slice(from);
            self.filled(len);
            taken += len;
        }
        taken
    }

    /// Marks the stream as ended: nothing arrives after the bytes that are here.
    pub(crate) fn end(&mut self) {
        if self.stream != Stream::Cut {
            self.stream = Stream::Ended;
        }
    }

    /// Marks the stream as broken off: nothing arrives after the bytes that are here, and bytes may be missing, as when
    /// TLS ends without close_notify (RFC 8446 6.1). Returns true the first time.
    ///
    /// Poll the state afterwards. A state that waits between two messages misses nothing and treats this as the end of
    /// the stream (RFC 9112 9.8). Any other state still waits, for bytes that can no longer come: the connection has
    /// failed.
    pub(crate) fn cut(&mut self) -> bool {
        let is_new = !self.is_over();
        if is_new {
            self.stream = Stream::Cut;
        }
        is_new
    }

    /// Reports that a read at `now` found nothing and that the stream has not ended.
    pub(crate) fn dry(&mut self, now: Instant) {
        self.stream = match self.stream {
            Stream::Flowing => Stream::Dry { since: now, at: now },
            Stream::Dry { since, .. } | Stream::Unwatched { since } => Stream::Dry { since, at: now },
            over @ (Stream::Ended | Stream::Cut) => over,
        };
    }

    /// True if the stream has ended and was not [cut](Self::cut). There may still be unread bytes.
    pub(crate) fn has_ended(&self) -> bool {
        self.stream == Stream::Ended
    }

    /// True if nothing more will arrive: the stream has ended or was cut.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stream, Stream::Ended | Stream::Cut)
    }

    /// True if the stream broke off.
    pub(crate) fn is_cut(&self) -> bool {
        self.stream == Stream::Cut
    }

    /// True if nothing more fits: the state must consume before the driver reads on.
    #[cfg(test)]
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// Lends a buffer to read into. Its whole length counts as initialised room and its content is ignored. Its
    /// capacity should be that of its whole allocation: [`Payload::take`](super::Payload::take) uses it to judge what sharing the buffer
    /// would keep alive.
    ///
    /// Unread bytes are copied to its start.
    ///
    /// # Errors
    ///
    /// Returns the buffer unused if the unread bytes do not fit, or if the inbox already holds a buffer with room.
    pub(crate) fn lend(&mut self, mut buffer: BytesMut) -> Result<(), BytesMut> {
        let len = self.len();
        let Some(start) = buffer.get_mut(..len).filter(|_| buffer_is_larger(&self.buffer, len)) else {
            return Err(buffer);
        };
        start.copy_from_slice(self.unread());
        self.allocated = buffer.capacity();
        self.buffer = buffer;
        self.start = 0;
        self.end = len;
        Ok(())
    }

    /// Returns the buffer and keeps the unread bytes in an allocation of their exact size.
    ///
    /// `None` if the buffer is no larger than the unread bytes. [`Payload::take`](super::Payload::take) may have handed out a part of the
    /// buffer: it is then shorter than when it was lent.
    pub(crate) fn reclaim(&mut self) -> Option<BytesMut> {
        if self.buffer.capacity() == 0 || self.buffer.len() == self.len() {
            return None;
        }
        let kept = if self.is_empty() { BytesMut::new() } else { BytesMut::from(self.unread()) };
        self.start = 0;
        self.end = kept.len();
        self.allocated = kept.capacity();
        Some(core::mem::replace(&mut self.buffer, kept))
    }

    /// The moment of the last read that found nothing, if no byte came since.
    pub(crate) fn dry_at(&self) -> Option<Instant> {
        match self.stream {
            Stream::Dry { at, .. } => Some(at),
            Stream::Flowing | Stream::Unwatched { .. } | Stream::Ended | Stream::Cut => None,
        }
    }

    /// Restarts the count of silence for another state: it begins at the next look at the stream.
    pub(crate) fn forget_silence(&mut self) {
        if let Stream::Dry { .. } | Stream::Unwatched { .. } = self.stream {
            self.stream = Stream::Flowing;
        }
    }

    /// Notes that we have stopped waiting for the peer: only the next look shows whether it is still silent.
    pub(crate) fn forget_look(&mut self) {
        if let Stream::Dry { since, .. } = self.stream {
            self.stream = Stream::Unwatched { since };
        }
    }

    /// The moment of the first read that found nothing after the last byte.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        match self.stream {
            Stream::Dry { since, .. } | Stream::Unwatched { since } => Some(since),
            Stream::Flowing | Stream::Ended | Stream::Cut => None,
        }
    }

    /// Makes an inbox that starts with `leftover`, whatever its length.
    pub(crate) fn with_leftover(leftover: Bytes, limit: usize) -> Self {
        // A copy: `leftover` may be part of a far larger allocation, and would keep that alive.
        let buffer = BytesMut::from(&leftover[..]);
        let (allocated, end) = (buffer.capacity(), buffer.len());
        Self { buffer, allocated, start: 0, end, unseen: end, limit, stream: Stream::Flowing }
    }

    /// Sets another limit from now on. Unread bytes stay.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Consumes `len` bytes.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Consumes everything.
    pub(crate) fn discard(&mut self) {
        self.consume(usize::MAX);
    }

    /// Consumes `skip` bytes and the `len` bytes after them, and returns the latter.
    #[inline]
    pub(crate) fn read(&mut self, skip: usize, len: usize) -> &mut [u8] {
        let start = self.start.saturating_add(skip).min(self.end);
        let end = start.saturating_add(len).min(self.end);
        (self.start, self.end) = if end == self.end { (0, 0) } else { (end, self.end) };
        self.buffer.get_mut(start..end).unwrap_or_default()
    }

    fn compact(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }
}

/// A lent buffer is useful if the held one has no room: it is empty or exactly full.
fn buffer_is_larger(held: &BytesMut, unread: usize) -> bool {
    held.is_empty() || held.len() == unread
}

impl fmt::Debug for Inbox {
    /// Shows lengths, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("unread", &self.len())
            .field("limit", &self.limit)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn feeding_stops_at_the_bound_and_a_full_inbox_is_not_an_end() {
        let mut inbox = Inbox::new(10);
        assert_eq!(inbox.feed(b"0123456789abc"), 10);
        assert!(inbox.is_full() && inbox.room().is_empty() && !inbox.has_ended());
        inbox.consume(3);
        assert_eq!(inbox.feed(b"abc"), 3);
        assert_eq!(inbox.unread(), b"3456789abc");
    }

    #[test]
    fn a_lent_buffer_comes_back_and_the_rest_is_kept_exactly() {
        let mut inbox = Inbox::new(1 << 16);
        inbox.lend(BytesMut::zeroed(1 << 16)).unwrap();
        inbox.room()[..6].copy_from_slice(b"abcdef");
        inbox.filled(6);
        inbox.consume(4);
        let back = inbox.reclaim().unwrap();
        assert_eq!(back.len(), 1 << 16);
        assert_eq!(inbox.unread(), b"ef");
        assert_eq!(inbox.buffer.len(), 2);
        assert!(inbox.reclaim().is_none());
        inbox.lend(back).unwrap();
        assert_eq!(inbox.feed(b"gh"), 2);
        assert_eq!(inbox.unread(), b"efgh");
    }

    #[test]
    fn a_small_payload_is_copied_and_a_large_one_is_shared() {
        let mut inbox = Inbox::new(1 << 16);
        inbox.lend(BytesMut::zeroed(1 << 16)).unwrap();
        inbox.feed(&vec![7; 40_000]);
        assert_eq!(inbox.payload(20).take().len(), 20);
        assert_eq!(inbox.buffer.len(), 1 << 16);
        assert_eq!(inbox.payload(20_000).take(), vec![7; 20_000]);
        assert_eq!(inbox.buffer.len(), (1 << 16) - 20_020);
        assert_eq!(inbox.unread(), vec![7; 19_980]);
    }

    /// The rest of a buffer whose larger part was handed out does not show the size of its allocation.
    #[test]
    fn a_payload_keeps_at_most_four_times_its_size_alive() {
        let mut inbox = Inbox::new(1 << 16);
        inbox.lend(BytesMut::zeroed(1 << 16)).unwrap();
        inbox.feed(&vec![7; 1 << 16]);
        assert_eq!(inbox.payload(60_000).take().len(), 60_000);
        let left = inbox.buffer.len();
        assert_eq!(inbox.payload(4000).take(), vec![7; 4000]);
        assert_eq!(inbox.buffer.len(), left, "it is copied");
        assert_eq!(inbox.unread(), vec![7; 1536]);
        // The bytes after a handshake may be a small part of a large allocation.
        let large = Bytes::from(vec![7; 1 << 20]);
        let inbox = Inbox::with_leftover(large.slice(..100), 1 << 16);
        drop(large);
        assert!(inbox.buffer.capacity() < 1000);
    }

    #[test]
    fn a_full_inbox_has_no_room_though_its_buffer_is_larger() {
        let mut inbox = Inbox::new(100);
        inbox.lend(BytesMut::zeroed(1000)).unwrap();
        assert!(inbox.has_room());
        assert_eq!(inbox.feed(&[7; 200]), 100);
        assert!(inbox.is_full() && !inbox.has_room() && inbox.room().is_empty());
        inbox.consume(1);
        assert!(inbox.has_room() && !inbox.room().is_empty());
    }

    #[test]
    fn silence_is_forgotten_when_bytes_arrive() {
        let mut inbox = Inbox::new(10);
        inbox.dry(Instant::default());
        assert!(inbox.dry_at().is_some());
        inbox.feed(b"a");
        assert!(inbox.dry_at().is_none());
    }

    #[test]
    fn nothing_arrives_after_the_end() {
        let mut inbox = Inbox::new(10);
        inbox.end();
        assert_eq!(inbox.feed(b"late"), 0);
        inbox.dry(Instant::default());
        assert!(inbox.has_ended());
        assert!(!inbox.cut() && inbox.has_ended());
    }

    #[test]
    fn a_stream_that_was_cut_has_not_ended() {
        let mut inbox = Inbox::new(10);
        inbox.feed(b"a");
        assert!(inbox.cut() && !inbox.cut());
        inbox.end();
        inbox.dry(Instant::default());
        assert_eq!(inbox.feed(b"late"), 0);
        assert!(inbox.is_over() && !inbox.has_ended());
        assert_eq!(inbox.unread(), b"a");
    }
}
