//! The limits of WebSocket: each has a number, a default and a reason.

use core::time::Duration;

use crate::Pace;
use crate::ws::wire::header;

/// The limits of a WebSocket.
///
/// ```
/// use endwell_core::ws::SocketLimits;
///
/// let mut limits = SocketLimits::default();
/// limits.message_bytes = 1 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketLimits {
    /// Bytes of payload in one data frame. Default 16 MiB, as for a message: a peer that does not fragment needs that
    /// much. A longer frame fails with 1009, after its header and before its payload.
    pub frame_bytes: u64,
    /// Bytes of one message, all its fragments together. For a compressed message, this is the decompressed size, and
    /// its size on the wire may be an eighth more. Default 16 MiB: a message is reassembled in memory, so one
    /// connection can make us hold this much, and twice that while its buffer grows. A longer message fails with 1009,
    /// at the header of the frame that would exceed the limit, or when the decompressed size exceeds it.
    pub message_bytes: u64,
    /// Bytes of one message that is received in pieces ([`Socket::piece`](super::Socket::piece)), counted
    /// in the same way. The two limits above do not apply to such a message. Default 1 GiB, as for a body: it is
    /// streamed through constant memory, so this bounds the time of one message. A longer message fails with 1009, as
    /// above.
    pub streamed_bytes: u64,
    /// Frames of one message, including empty ones. Default 1,024: 16 KiB each for the largest message, and a bound on
    /// empty fragments. More fail with 1008. A message that is received in pieces holds no frames in memory, so only
    /// consecutive empty ones are counted. The least value used is 1, since a message has a frame.
    pub fragments: usize,
    /// The pace of a message that has begun, counted while we wait for it, from its first byte to its last, also
    /// between fragments. Default: 60 s of silence, since a peer may generate a message while it sends it; in total 5
    /// minutes plus 1 s for every 500 bytes, so that a byte now and then cannot hold the gathered memory for ever. A
    /// slower message fails with 1008. [`Socket::set_message_pace`](super::Socket::set_message_pace) sets it for one
    /// socket.
    pub message_pace: Pace,
    /// The time from one keep-alive ping to the next, plus or minus 10 % ([`Jitter`](super::Jitter)). Default 20 s:
    /// middleboxes drop idle connections after 30 s or more. `None`: no pings.
    pub ping_interval: Option<Duration>,
    /// The time within which the pong, or any other byte, must arrive after a keep-alive ping. Default 20 s, many round
    /// trips of a bad link. The connection fails with 1008 after it.
    pub pong_time: Duration,
    /// The time for the peer's Close after ours, and again for the end of the stream after both. Default 5 s: enough
    /// for a peer to finish what it is sending, and a lost peer costs no more than this.
    pub close_time: Duration,
    /// Bytes received and not yet consumed. Default 128 KiB, the size of one large read. Frames up to this size are
    /// handed out from the receive buffer; larger ones are gathered. A Ping or a Close behind messages that the
    /// application leaves unread is seen within this bound. The least value used is 256, so that a control frame fits.
    pub received_bytes: usize,
}

impl Default for SocketLimits {
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

impl SocketLimits {
    /// The limit of an inbox: a whole control frame fits, so a poll that waits leaves room.
    pub(super) fn received(&self) -> usize {
        self.received_bytes.max(256)
    }

    /// The largest payload of a frame with a short header that no limit refuses.
    pub(super) fn small(&self) -> u8 {
        u8::try_from(self.whole()).unwrap_or(u8::MAX).min(header::CONTROL_BYTES)
    }

    /// The largest payload below 64 KiB of a message in one frame that no limit refuses.
    pub(super) fn whole(&self) -> u16 {
        u16::try_from(self.frame_bytes.min(self.message_bytes)).unwrap_or(u16::MAX)
    }
}
