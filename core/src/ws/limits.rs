//! The bounds of WebSocket: each has a number, a default and a reason.

use core::time::Duration;

use super::frame;
use crate::Pace;

/// The bounds of a WebSocket.
///
/// ```
/// use endwell_core::ws::Limits;
///
/// let mut limits = Limits::default();
/// limits.message_bytes = 1 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of payload in one data frame. Default 16 MiB, as a message: whoever sends no fragments is not bounded
    /// by less. 1009 above it, when the header has come and before the payload.
    pub frame_bytes: u64,
    /// Bytes of one message, all its fragments together; of a compressed one, of what it says, and an eighth more for what
    /// it takes on the wire. Default 16 MiB: it is held whole, so this is what one connection can make us hold, and twice that for the
    /// moments in which its memory grows. 1009 above it, at the header of the frame that would pass it, and where a
    /// compressed one says more.
    pub message_bytes: u64,
    /// Bytes of one message that is received in pieces ([`Receiver::poll_piece`](super::Receiver::poll_piece)), counted
    /// likewise; the two bounds above are not for it. Default 1 GiB, as a body: it is streamed through constant memory, so
    /// this bounds the time of one message. 1009 above it, as above.
    pub streamed_bytes: u64,
    /// Frames of one message, empty ones too. Default 1,024: 16 KiB each for the largest message, and an end to
    /// those that send fragments of nothing. 1008 above it. A message that is received in pieces holds none of them,
    /// so there only empty ones in a row are counted.
    pub fragments: usize,
    /// The pace of a message that was begun and is waited for, from its first byte to its last, also between
    /// fragments. Default: 60 s of silence, since a peer may make a message while it sends it; in all 5 minutes and 1 s for
    /// every 500 bytes, so that a byte now and then does not hold what was gathered for ever. 1008 beyond it.
    /// [`Session::set_message_pace`](super::Session::set_message_pace) sets it for one socket.
    pub message_pace: Pace,
    /// The time from one keep-alive ping to the next, give or take 10 % ([`Jitter`](super::Jitter)). Default 20 s:
    /// middle boxes forget connections after 30 s and more. `None`: no pings.
    pub ping_interval: Option<Duration>,
    /// The time within which something must arrive after a keep-alive ping: its pong, or any other byte. Default
    /// 20 s, many round trips of a bad link; 1008 after it.
    pub pong_time: Duration,
    /// The time for the peer's Close after ours, and again for the end of the stream after both. Default 5 s: a
    /// peer that has something to finish has had the time, and one that is gone costs no more.
    pub close_time: Duration,
    /// Bytes received and not yet consumed. Default 128 KiB, what one large read takes. Frames up to this size are
    /// handed out where they arrived; larger ones are gathered. At least 256 are used, whatever is set, so that
    /// a control frame fits.
    pub received_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 16 << 20,
            message_bytes: 16 << 20,
            streamed_bytes: 1 << 30,
            fragments: 1024,
            message_pace: Pace::silence(Duration::from_secs(60)).total(Duration::from_secs(300), 500),
            ping_interval: Some(Duration::from_secs(20)),
            pong_time: Duration::from_secs(20),
            close_time: Duration::from_secs(5),
            received_bytes: 128 << 10,
        }
    }
}

impl Limits {
    /// The bound of an inbox: a whole control frame fits, so a poll that waits leaves room.
    pub(super) fn received(&self) -> usize {
        self.received_bytes.max(256)
    }

    /// The largest payload of a frame with a short header that no limit refuses.
    pub(super) fn small(&self) -> u8 {
        let bound = self.frame_bytes.min(self.message_bytes);
        u8::try_from(bound).unwrap_or(u8::MAX).min(frame::CONTROL_BYTES)
    }
}
