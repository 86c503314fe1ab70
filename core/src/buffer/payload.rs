//! Received bytes, as they are handed out.

use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use core::ops::Deref;

use super::inbox::Inbox;

/// Received bytes, consumed from the inbox and borrowed until the next call.
///
/// Dereferences to a byte slice. [`take`](Self::take) makes it owned.
pub struct Payload<'a>(Place<'a>);

enum Place<'a> {
    /// In the receive buffer.
    Arrived { inbox: &'a mut Inbox, start: usize, len: usize },
    /// Gathered from more than one piece.
    Gathered(&'a mut Vec<u8>),
}

impl<'a> From<&'a mut Vec<u8>> for Payload<'a> {
    /// Wraps bytes that were received earlier as the payload that they would have been then.
    fn from(bytes: &'a mut Vec<u8>) -> Self {
        Self::gathered(bytes)
    }
}

impl<'a> Payload<'a> {
    pub(crate) fn gathered(bytes: &'a mut Vec<u8>) -> Self {
        Self(Place::Gathered(bytes))
    }

    /// Wraps `len` bytes of the receive buffer from `start` on, which the inbox has consumed.
    #[inline]
    fn arrived(inbox: &'a mut Inbox, start: usize, len: usize) -> Self {
        Self(Place::Arrived { inbox, start, len })
    }

    /// Makes the bytes an owned value.
    ///
    /// Shares the receive buffer if the payload is at least 2 KiB and at least a quarter of the buffer's allocation,
    /// and copies otherwise. Sharing keeps the whole allocation alive, so it holds at most four times the payload.
    /// Bytes that were gathered from more than one piece are moved.
    pub fn take(self) -> Bytes {
        let (inbox, start, len) = match self.0 {
            Place::Arrived { inbox, start, len } => (inbox, start, len),
            Place::Gathered(bytes) => return core::mem::take(bytes).into(),
        };
        if len < inbox.allocated.div_ceil(4) || len < SHARED_FROM {
            return Bytes::copy_from_slice(inbox.buffer.get(start..start + len).unwrap_or_default());
        }
        let _consumed = inbox.buffer.split_to(start);
        let taken = inbox.buffer.split_to(len);
        inbox.end = inbox.end.saturating_sub(start + len);
        inbox.start = 0;
        taken.freeze()
    }

    /// Borrows the bytes, to unmask them.
    #[inline]
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Place::Arrived { inbox, start, len } => {
                inbox.buffer.get_mut(*start..*start + *len).unwrap_or_default()
            }
            Place::Gathered(bytes) => bytes,
        }
    }
}

impl Inbox {
    /// Consumes the first `len` unread bytes, or all if they are fewer, and returns them.
    #[inline]
    pub(crate) fn payload(&mut self, len: usize) -> Payload<'_> {
        let len = len.min(self.len());
        let start = self.start;
        self.start = start + len;
        Payload::arrived(self, start, len)
    }
}

/// Below this size, copying is cheaper than the bookkeeping of sharing.
const SHARED_FROM: usize = 2048;

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Arrived { inbox, start, len } => {
                inbox.buffer.get(*start..*start + *len).unwrap_or_default()
            }
            Place::Gathered(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}
