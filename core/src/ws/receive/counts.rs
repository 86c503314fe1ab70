//! The limits of a message. RFC 6455 10.4.

use super::message::Taken;
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::{Bound, Exceeded, Limit};

/// What the headers of a message have announced so far.
#[derive(Debug, Default)]
pub(in crate::ws) struct Counts {
    frames: usize,
    /// Consecutive empty frames.
    empty_frames: usize,
    /// The payload of all frames that have begun.
    payload: u64,
}

/// What the payload of a message is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Plain,
    Compressed,
}

impl Counts {
    /// Counts a frame with `len` bytes of payload. Refuses one that cannot be within the limits, before its payload
    /// arrives. The decompressed size is checked while it is decompressed.
    #[inline]
    pub(super) fn add(
        &mut self,
        len: u64,
        form: Form,
        taken: Taken,
        limits: &SocketLimits,
    ) -> Result<(), Cause> {
        self.frames = self.frames.saturating_add(1);
        self.empty_frames = if len == 0 { self.empty_frames.saturating_add(1) } else { 0 };
        self.payload = self.payload.saturating_add(len);
        let (frames, frame_bytes) = match taken {
            Taken::Whole => (self.frames, limits.frame_bytes),
            Taken::Pieces | Taken::Skipped => (self.empty_frames, u64::MAX),
        };
        // A message has a frame.
        let fragments = limits.fragments.max(1);
        if frames > fragments {
            return Err(Exceeded::count(Limit::FragmentCount, fragments).into());
        }
        if len > form.most(frame_bytes) {
            return Err(too_long((Limit::FrameBytes, frame_bytes)));
        }
        let bound = taken.bound(limits);
        if self.payload > form.most(bound.1) { Err(too_long(bound)) } else { Ok(()) }
    }
}

impl Taken {
    /// The limit of a message's content, in bytes.
    pub(in crate::ws) fn bound(self, limits: &SocketLimits) -> (Limit, u64) {
        match self {
            Self::Whole => (Limit::MessageBytes, limits.message_bytes),
            Self::Pieces | Self::Skipped => (Limit::StreamedBytes, limits.streamed_bytes),
        }
    }
}

impl Form {
    /// The most that content of `bytes` bytes takes on the wire. If a compressor cannot make it smaller: nine bits for
    /// each byte (RFC 1951 3.2.6), and what begins and ends blocks.
    fn most(self, bytes: u64) -> u64 {
        match self {
            Self::Plain => bytes,
            Self::Compressed => bytes.saturating_add(bytes / 8).saturating_add(64),
        }
    }
}

#[cold]
pub(in crate::ws) fn too_long((limit, bound): (Limit, u64)) -> Cause {
    Exceeded { limit, bound: Bound::Bytes(bound) }.into()
}
