//! Waiting for the end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::Ended;
use crate::wire::{Link, SocketState};

/// Waits until a WebSocket has ended, and says how.
#[must_use = "it says how the connection ended"]
pub struct CloseSocket {
    link: Arc<Link>,
}

impl CloseSocket {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }
}

impl Future for CloseSocket {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut wire = self.link.lock();
        if let SocketState::Over(ended) = &wire.socket {
            return Poll::Ready((**ended).clone());
        }
        wire.poll_gone(cx)
    }
}

impl fmt::Debug for CloseSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseSocket").finish_non_exhaustive()
    }
}
