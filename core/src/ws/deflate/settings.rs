//! How connections compress, and what they share for it.

use alloc::sync::Arc;

use super::pool::Pool;
use super::window::WindowBits;

/// How connections compress: permessage-deflate, RFC 7692. Needs feature `deflate`, and with it std.
///
/// Give it to [`Acceptance::deflate`](super::super::Acceptance::deflate) or
/// [`Offer::deflate`](super::super::Offer::deflate), behind an `Arc`: the connections that have it share its compressors.
///
/// # What it costs
///
/// A compressor (390 KiB by default) or an inflater (71 KiB) is lent to a connection for one message and
/// goes back; up to 16 of each that nobody needs are kept. A whole message is compressed within one call. An inflater
/// stays with a connection for as long as a compressed message is under way, and a compressor with one that
/// [streams](super::super::Sender::fragments) a message.
///
/// Between messages a connection holds 136 bytes, and with context takeover what was sent and received last:
///
/// | | holds at most, between messages |
/// |---|---|
/// | [`without_context`](Self::without_context) | nothing |
/// | default | 4 KiB of what it sent, and 32 KiB of what it received |
/// | `received_context: WindowBits::new(11)` | 4 KiB, and 2 KiB |
///
/// That follows the bytes of compressed messages that have come, never what was agreed on, and lies in
/// [`Session::held_bytes`](super::super::Session::held_bytes). Because the compressor is not kept, its memory of what was sent
/// is loaded anew for each message: by default about 10 us. An inflater keeps what was received for as long as no other
/// connection needs it. If one did, or if the message before ended with a final block, up to 32 KiB are copied into it, which
/// takes about 1 us.
///
/// What a peer can make inflating cost is bounded by the bytes that it sends. A final block within a message (RFC 7692
/// 7.2.3.5) begins a stream of its own, so there may be one for each 8 bytes on the wire, and 16 more at a time: 1008 above
/// that.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deflate {
    /// How hard the compressor works, from 1 (fast) to 9 (small); what lies outside is taken as the nearest. Default 6, as
    /// zlib's. For JSON of 1 KiB, 1 takes a third of the time and makes it half as large again.
    pub level: u8,
    /// Messages of fewer bytes are sent plain. Default 256: below it a message fits into one packet either way, and
    /// without context it hardly shrinks.
    pub least: usize,
    /// The largest window of our compressor. The peer may ask for less. Default 15, 32 KiB.
    pub window: WindowBits,
    /// The memory of our compressor, from 1 to 9; what lies outside is taken as the nearest. Default 8, as zlib's. Each
    /// step halves a part of it and the blocks that it makes.
    pub memory_level: u8,
    /// Bytes of what was sent that the next message may refer to: our context takeover (RFC 7692 7.1.1). Default 4 KiB,
    /// the last few messages. More than [`window`](Self::window) has no use, and more than 4 KiB costs more time than it
    /// saves bytes. 0: no context takeover.
    pub sent_context: usize,
    /// The largest window that the peer's compressor may have across messages: what we hold of what was received. Default
    /// 15, 32 KiB. A peer that cannot be held to less is asked to take no context over. `None`: no peer's context
    /// takeover.
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
    /// No context takeover in either direction: each message is compressed by itself, and between messages nothing is
    /// held.
    pub fn without_context() -> Self {
        Self { sent_context: 0, received_context: None, ..Self::default() }
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}
