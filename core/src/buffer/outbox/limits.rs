//! The bounds of what is queued.

use core::time::Duration;

use crate::Pace;

/// The bounds of what a connection queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Bytes that may be queued. More data is handed back. Default 1 MiB: sixteen full socket buffers of the usual
    /// size, enough to keep any link busy. The least value used is 64, so that a chunk fits and a body can go on.
    pub bytes: usize,
    /// Bytes above which no further request or event is taken. Default 64 KiB: gathering more than one write of the
    /// usual socket buffer gains nothing.
    pub high_water: usize,
    /// The pace at which the peer must take what is queued, counted from when the queue was last empty. Default: 60 s
    /// of silence, as long as a receiver may keep its window shut behind a slow disk or a sleeping radio; in total 60 s
    /// plus 1 s for every 500 bytes, a modem's rate, so that a byte now and then cannot hold memory for ever.
    ///
    /// A peer that has taken much at once may take nothing more until it has used that up. So neither bound is met while
    /// what the peer took would last it at 1 KiB a second (`curl --limit-rate` takes 101 times its rate in a burst, and
    /// then pauses for 100 s). A pause can thus last twice the silence, 2 minutes by default, after 120 KiB or more.
    pub pace: Pace,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, high_water: 64 << 10, pace: PACE }
    }
}

impl OutboxLimits {
    /// The bytes that may be queued: at least one chunk, since a writer that waits until nothing is queued must fit.
    pub(super) fn room(&self) -> usize {
        self.bytes.max(64)
    }
}

pub(super) const PACE: Pace = Pace::silence(Duration::from_secs(60)).total(Duration::from_secs(60), 500);
