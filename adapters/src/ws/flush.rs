//! Waits for the transport.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::halves::SendHalf;
use crate::Ended;
use crate::connection::{Side, Until};

/// Waits until the transport has taken everything.
#[must_use = "futures do nothing unless polled"]
pub struct Flush<'a> {
    pub(super) half: &'a mut SendHalf,
}

impl Future for Flush<'_> {
    type Output = Result<(), Ended>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.half.link().lock().poll_output(cx, Side::Writer, Until::Drained)
    }
}

impl fmt::Debug for Flush<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flush").finish_non_exhaustive()
    }
}
