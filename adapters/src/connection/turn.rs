//! How much one connection does before the other tasks of its thread get their turn.

use std::task::{Context, Poll};
use std::time::Duration;

use endwell_core::Instant;

use super::Connection;

/// The work of one turn, in bytes that pass: a millisecond at most, so that eight busy connections hold up a ninth by
/// less than ten.
const TURN: usize = 256 << 10;

/// The time of one turn, where handlers compute between their requests. tokio asks the system for news once in 61 turns: so
/// a newcomer waits 15 ms at the most.
const TIME: Duration = Duration::from_micros(250);

/// The cost of an event of a WebSocket, beside its bytes: 256 in a turn.
pub(crate) const EVENT: usize = TURN / 256;

/// The cost of a request, beside its bytes: 32 in a turn, so that a client that has 16 in flight does not use one up.
const EXCHANGE: usize = TURN / 32;

/// The work that is left in a turn.
pub(crate) struct Work {
    left: usize,
    of: usize,
    /// When the first request of this turn began.
    since: Option<Instant>,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: TURN, of: TURN, since: None }
    }
}

impl Work {
    /// Begins a turn, of `most` at most. True if the last one was used up.
    pub(crate) fn begin(&mut self, most: usize) -> bool {
        let of = TURN.min(most);
        std::mem::replace(self, Self { left: of, of, since: None }).is_used_up()
    }

    /// The work that was done in this turn.
    pub(crate) fn spent(&self) -> usize {
        self.of.saturating_sub(self.left)
    }

    /// Counts work that was done.
    #[inline]
    pub(crate) fn spend(&mut self, cost: usize) {
        self.left = self.left.saturating_sub(cost);
    }

    /// Counts a request that begins at `now`.
    pub(crate) fn begin_exchange(&mut self, now: Instant) {
        self.spend(EXCHANGE);
        match self.since {
            Some(since) if now >= since.saturating_add(TIME) => self.use_up(),
            Some(_) => {}
            None => self.since = Some(now),
        }
    }

    /// Ends the turn.
    pub(crate) fn use_up(&mut self) {
        self.left = 0;
    }

    /// True if the rest waits for the next turn.
    #[inline]
    pub(crate) fn is_used_up(&self) -> bool {
        self.left == 0
    }
}

impl Connection {
    /// Goes on in the next turn, which the driver begins.
    #[cold]
    pub(crate) fn yield_turn(&mut self) {
        self.wake_driver();
    }

    /// Pending if the turn is used up. The next one wakes the reader.
    #[inline]
    pub(crate) fn poll_turn_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.work.is_used_up() {
            return Poll::Ready(());
        }
        self.await_input(cx);
        self.yield_turn();
        Poll::Pending
    }
}
