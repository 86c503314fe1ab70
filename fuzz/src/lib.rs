//! What the targets share: a peer that sends bytes in pieces and pauses between them, and a second reader of HTTP.

pub mod framing;
mod transport;

pub use transport::{Arrival, Transport};

use std::time::Duration;

/// What the peer does.
pub struct Peer<'a> {
    /// It says nothing more at the end, instead of closing.
    pub quiet: bool,
    /// One byte per piece, over and over.
    pub cuts: &'a [u8],
    pub stream: &'a [u8],
}

impl Peer<'_> {
    /// The length of a piece: mostly short, so that a few bytes of plan cut a long stream.
    pub fn piece(&self, index: usize) -> usize {
        let byte = usize::from(at(self.cuts, index).unwrap_or(b'!'));
        if byte < 0x80 { (byte & 0x1f).max(1) } else { byte * 16 }
    }

    /// How long a piece lets wait for itself: not at all, or up to some seconds, or a minute.
    pub fn gap(&self, index: usize) -> Duration {
        let byte = at(self.cuts, index).unwrap_or(b'!');
        Duration::from_millis([0, 0, 0, 900, 2_100, 6_000, 11_000, 60_000][usize::from(byte >> 5)])
    }
}

/// The element of a list that is read over and over.
pub fn at(bytes: &[u8], index: usize) -> Option<u8> {
    bytes.get(index.checked_rem(bytes.len())?).copied()
}
