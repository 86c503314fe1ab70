//! Discards what a socket receives.

use std::task::{Context, Poll};

use super::{State, Wire};

/// Whether what a socket receives is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Up to our Close, or the peer's.
    Reads,
    /// Up to the peer's Close, also after ours.
    ReadsOn,
    /// What arrives is discarded.
    Gone,
}

impl Wire {
    /// Discards all input, from now on and so far: its reader is gone.
    pub(crate) fn discard_input(&mut self) {
        if let State::Receiving(_) = self.state {
            // Our Close is written: the peer has a bounded time for its own.
            self.close_now();
        } else if self.state.receives() {
            self.reader = Reader::Gone;
            self.waiters.stop_reading(&mut self.woken);
            self.leave_to_driver();
        }
    }

    /// Takes what has arrived in the place of a reader that is gone.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) {
        while self.reader == Reader::Gone && matches!(self.poll_message(cx), Poll::Ready(Some(_))) {}
    }
}
