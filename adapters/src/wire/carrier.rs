//! A transport that closes at the end of its connection, even while tasks still hold the link.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use endwell_core::Instant;

use crate::transport::Transport;

/// The transport of a connection. Rights that outlive the connection keep the link but not the socket.
pub(crate) trait Carrier: Transport {
    /// Drops the transport: the socket closes now.
    fn hang_up(&mut self);

    /// True once it was dropped.
    fn has_hung_up(&self) -> bool;

    /// The transport, for another protocol.
    fn as_transport(&mut self) -> &mut dyn Transport;
}

/// A transport, or the time at which it was dropped.
pub(crate) enum Line<T> {
    Open(T),
    Closed(Instant),
}

fn closed<R>() -> Poll<io::Result<R>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl<T: Transport> Carrier for Line<T> {
    fn hang_up(&mut self) {
        *self = Self::Closed(self.now());
    }

    fn has_hung_up(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    fn as_transport(&mut self) -> &mut dyn Transport {
        self
    }
}

impl<T: Transport> Transport for Line<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Open(transport) => transport.poll_read(cx, buffer),
            Self::Closed(_) => closed(),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Self::Open(transport) => transport.poll_write(cx, slices),
            Self::Closed(_) => closed(),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Open(transport) => transport.poll_flush(cx),
            Self::Closed(_) => closed(),
        }
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Open(transport) => transport.poll_end_write(cx),
            Self::Closed(_) => closed(),
        }
    }

    fn reset(&mut self) {
        if let Self::Open(transport) = self {
            transport.reset();
        }
    }

    fn now(&self) -> Instant {
        match self {
            Self::Open(transport) => transport.now(),
            Self::Closed(at) => *at,
        }
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        match self {
            Self::Open(transport) => transport.poll_sleep(cx, until),
            Self::Closed(_) => Poll::Pending,
        }
    }

    fn found_nothing(&self) -> bool {
        match self {
            Self::Open(transport) => transport.found_nothing(),
            Self::Closed(_) => true,
        }
    }

    fn has_unseen(&self) -> bool {
        match self {
            Self::Open(transport) => transport.has_unseen(),
            Self::Closed(_) => false,
        }
    }

    fn unacknowledged(&self) -> Option<u64> {
        match self {
            Self::Open(transport) => transport.unacknowledged(),
            Self::Closed(_) => None,
        }
    }
}
