//! A transport that closes at the end of its connection, even while tasks still hold the link.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use endwell_core::Instant;

use crate::transport::{Timer, Transport};

/// The transport of a connection and its timer, of whatever types. Rights that outlive the connection keep the link but
/// not the socket. After it was dropped every operation fails, and the clock goes on.
pub(crate) trait Carrier: Send + 'static {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn reset(&mut self);

    fn found_nothing(&self) -> bool;

    fn has_unseen(&self) -> bool;

    fn unacknowledged(&self) -> Option<u64>;

    /// Drops the transport: the socket closes now.
    fn hang_up(&mut self);

    /// True once it was dropped.
    fn has_hung_up(&self) -> bool;

    fn now(&self) -> Instant;

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()>;
}

/// A transport until it is dropped, and its timer.
pub(crate) struct Line<T: Transport> {
    transport: Option<T>,
    timer: T::Timer,
}

impl<T: Transport> Line<T> {
    pub(super) fn new(transport: T) -> Self {
        Self { timer: transport.timer(), transport: Some(transport) }
    }
}

fn closed<R>() -> Poll<io::Result<R>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl<T: Transport> Carrier for Line<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.transport.as_mut().map_or_else(closed, |transport| transport.poll_read(cx, buffer))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.transport.as_mut().map_or_else(closed, |transport| transport.poll_write(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_mut().map_or_else(closed, |transport| transport.poll_flush(cx))
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_mut().map_or_else(closed, |transport| transport.poll_end_write(cx))
    }

    fn reset(&mut self) {
        if let Some(transport) = &mut self.transport {
            transport.reset();
        }
    }

    fn found_nothing(&self) -> bool {
        self.transport.as_ref().is_none_or(Transport::found_nothing)
    }

    fn has_unseen(&self) -> bool {
        self.transport.as_ref().is_some_and(Transport::has_unseen)
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.transport.as_ref().and_then(Transport::unacknowledged)
    }

    fn hang_up(&mut self) {
        self.transport = None;
    }

    fn has_hung_up(&self) -> bool {
        self.transport.is_none()
    }

    fn now(&self) -> Instant {
        self.timer.now()
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        self.timer.poll_sleep(cx, until)
    }
}
