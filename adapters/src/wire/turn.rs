//! How much one connection does before the other tasks of its thread get their turn.

use std::task::{Context, Poll};

use super::Wire;

/// The work of one turn, in bytes that pass: a millisecond at most, so that eight busy connections hold up a ninth by
/// less than ten.
const TURN: usize = 256 << 10;

/// The cost of an event of a WebSocket, beside its bytes: 256 in a turn.
pub(super) const EVENT: usize = TURN / 256;

/// The cost of a request, beside its bytes: 16 in a turn.
pub(super) const EXCHANGE: usize = TURN / 16;

/// The work that is left in a turn.
pub(super) struct Work(usize);

impl Default for Work {
    fn default() -> Self {
        Self(TURN)
    }
}

impl Work {
    /// Begins a turn. True if the last one was used up.
    pub(super) fn begin(&mut self) -> bool {
        std::mem::replace(&mut self.0, TURN) == 0
    }

    /// Counts work that was done.
    #[inline]
    pub(super) fn spend(&mut self, cost: usize) {
        self.0 = self.0.saturating_sub(cost);
    }

    /// Ends the turn.
    pub(super) fn use_up(&mut self) {
        self.0 = 0;
    }

    /// True if the rest waits for the next turn.
    #[inline]
    pub(super) fn is_used_up(&self) -> bool {
        self.0 == 0
    }
}

impl Wire {
    /// Goes on in the next turn, which the driver begins.
    #[cold]
    pub(super) fn yield_turn(&mut self) {
        self.wake_driver();
    }

    /// Pending if the turn is used up. The next one wakes the reader.
    #[inline]
    pub(super) fn poll_turn_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.work.is_used_up() {
            return Poll::Ready(());
        }
        self.waiters.read(cx, &mut self.woken);
        self.yield_turn();
        Poll::Pending
    }
}
