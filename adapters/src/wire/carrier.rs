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

    /// Drops the timer too, since no task drives the connection any more: it would keep that task's waker. The clock
    /// stands still.
    fn leave(&mut self);

    fn now(&self) -> Instant;

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()>;
}

/// A transport and its timer, each until it is dropped.
pub(crate) enum Line<T: Transport> {
    Open(T, T::Timer),
    HungUp(T::Timer),
    Left(Instant),
}

impl<T: Transport> Line<T> {
    pub(super) fn new(transport: T) -> Self {
        let timer = transport.timer();
        Self::Open(transport, timer)
    }

    fn open(&self) -> Option<&T> {
        match self {
            Self::Open(transport, _) => Some(transport),
            Self::HungUp(_) | Self::Left(_) => None,
        }
    }

    fn open_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Open(transport, _) => Some(transport),
            Self::HungUp(_) | Self::Left(_) => None,
        }
    }
}

fn closed<R>() -> Poll<io::Result<R>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl<T: Transport> Carrier for Line<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.open_mut().map_or_else(closed, |transport| transport.poll_read(cx, buffer))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.open_mut().map_or_else(closed, |transport| transport.poll_write(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open_mut().map_or_else(closed, |transport| transport.poll_flush(cx))
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open_mut().map_or_else(closed, |transport| transport.poll_end_write(cx))
    }

    fn reset(&mut self) {
        if let Some(transport) = self.open_mut() {
            transport.reset();
        }
    }

    fn found_nothing(&self) -> bool {
        self.open().is_none_or(Transport::found_nothing)
    }

    fn has_unseen(&self) -> bool {
        self.open().is_some_and(Transport::has_unseen)
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.open().and_then(Transport::unacknowledged)
    }

    fn hang_up(&mut self) {
        *self = match std::mem::replace(self, Self::Left(Instant::default())) {
            Self::Open(_, timer) | Self::HungUp(timer) => Self::HungUp(timer),
            left @ Self::Left(_) => left,
        };
    }

    fn has_hung_up(&self) -> bool {
        self.open().is_none()
    }

    fn leave(&mut self) {
        *self = Self::Left(self.now());
    }

    fn now(&self) -> Instant {
        match self {
            Self::Open(_, timer) | Self::HungUp(timer) => timer.now(),
            Self::Left(at) => *at,
        }
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        match self {
            Self::Open(_, timer) | Self::HungUp(timer) => timer.poll_sleep(cx, until),
            Self::Left(_) => Poll::Pending,
        }
    }
}
