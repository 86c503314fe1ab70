//! How connections compress, and the compressors that they share.

use alloc::sync::Arc;

use super::pool::Pool;
use super::window::WindowBits;

/// How connections compress: permessage-deflate, RFC 7692. Needs feature `deflate`, and with it std.
///
/// Pass it to [`Acceptance::deflate`](super::super::Acceptance::deflate) or
/// [`Offer::deflate`](super::super::Offer::deflate), behind an `Arc`: the connections that use it share its
/// compressors.
///
/// # What it costs
///
/// A compressor (390 KiB by default) or an inflater (71 KiB) is lent to a connection for one message and then returned;
/// up to 16 unused ones of each are kept. A whole message is compressed within one call. An inflater stays with a
/// connection while a compressed message is in flight, and a compressor while the connection
/// [streams](super::super::Socket::begin) a message.
///
/// Between messages a connection holds 136 bytes, and with context takeover the data that was sent and received last:
///
/// | | holds at most, between messages |
/// |---|---|
/// | [`without_context`](Self::without_context) | nothing |
/// | default | 4 KiB of what it sent, and 32 KiB of what it received |
/// | `received_context: WindowBits::new(11)` | 4 KiB, and 2 KiB |
///
/// The memory grows with the compressed messages that have come, not with the terms that were agreed on, and is counted
/// in [`Socket::held_bytes`](super::super::Socket::held_bytes). Because the compressor is not kept, the history of
/// sent data is loaded anew for each message: by default about 10 us. An inflater keeps the received history until
/// another connection needs the inflater. In that case, or if the previous message ended with a final block, up to 32
/// KiB are copied into an inflater, which takes about 1 us.
///
/// The work that a peer can cause for decompression is bounded by the bytes that it sends. A final block within a
/// message (RFC 7692 7.2.3.5) begins a stream of its own, so one is allowed for each 8 bytes on the wire, and 16 more
/// at a time. More fail with 1008.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deflate {
    /// How hard the compressor works, from 1 (fast) to 9 (small). The value is clamped to that range. Default 6, as in
    /// zlib. For JSON of 1 KiB, level 1 takes a third of the time, and its output is half as large again.
    pub level: u8,
    /// Messages of fewer bytes are sent uncompressed. Default 256: a shorter message fits into one packet either way,
    /// and hardly shrinks without context.
    pub least: usize,
    /// The largest window of our compressor. The peer may ask for a smaller one. Default 15, 32 KiB.
    pub window: WindowBits,
    /// The memory of our compressor, from 1 to 9. The value is clamped to that range. Default 8, as in zlib. Each step
    /// down halves a part of that memory, and the size of the blocks.
    pub memory_level: u8,
    /// Bytes of sent data that the next message may refer to: our context takeover (RFC 7692 7.1.1). Default 4 KiB, the
    /// last few messages. More than [`window`](Self::window) has no effect, and more than 4 KiB costs more time than it
    /// saves bytes. 0: no context takeover.
    pub sent_context: usize,
    /// The largest window that the peer's compressor may keep across messages: the received data that we hold. Default
    /// 15, 32 KiB. A peer that cannot use a smaller window is asked not to take its context over. `None`: the peer
    /// takes no context over.
    pub received_context: Option<WindowBits>,
    pool: Arc<Pool>,
}

impl Default for Deflate {
    fn default() -> Self {
        Self {
            level: 6,
            least: 256,
            window: WindowBits::MOST,
            memory_level: 8,
            sent_context: 4096,
            received_context: Some(WindowBits::MOST),
            pool: Arc::default(),
        }
    }
}

impl Deflate {
    /// Disables context takeover in both directions: each message is compressed on its own, and no history is held
    /// between messages.
    pub fn without_context() -> Self {
        Self { sent_context: 0, received_context: None, ..Self::default() }
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}
