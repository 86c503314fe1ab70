//! Drives a WebSocket that does not belong to a server.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use endwell_core::ws as core_ws;

use crate::hub::Hub;
use crate::transport::{Endpoints, Transport};
use crate::wire::{Driving, Link, State};
use crate::{Config, Ended};

/// Drives a WebSocket to its end: made by [`Socket::over`](super::Socket::over). Returns how the connection ended.
///
/// # Cancel safety
///
/// If it is dropped, the connection closes at once, and the holders of its parts receive [`Ended::Cancelled`].
#[must_use = "the socket does nothing unless its driver is polled"]
pub struct Driver(Driving);

impl Driver {
    pub(super) fn new(transport: impl Transport, socket: core_ws::Socket, config: &Config) -> Self {
        let hub = Hub::alone(config);
        let link = Link::new(transport, Endpoints::default(), hub, State::Socket(socket));
        Self(Driving::new(link))
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        self.0.link()
    }
}

impl Future for Driver {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        self.0.poll_beside(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
