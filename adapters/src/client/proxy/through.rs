//! The transport after a tunnel.

use std::fmt;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};

use crate::transport::Transport;

/// A transport that may lead through a proxy: the one below it, once the proxy has opened the tunnel. It adds no layer.
pub struct Through<T> {
    transport: T,
    /// The bytes that came right after the proxy's response.
    leftover: Bytes,
}

impl<T> Through<T> {
    pub(super) fn new(transport: T, leftover: Bytes) -> Self {
        Self { transport, leftover }
    }
}

impl<T: Transport> Transport for Through<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = self.leftover.len().min(buffer.len());
        if let Some(start) = buffer.get_mut(..len).filter(|_| len > 0) {
            self.leftover.copy_to_slice(start);
            return Poll::Ready(Ok(len));
        }
        self.transport.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.transport.poll_write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_end_write(cx)
    }

    fn reset(&mut self) {
        self.transport.reset();
    }

    fn found_nothing(&self) -> bool {
        self.transport.found_nothing()
    }

    fn has_unseen(&self) -> bool {
        self.transport.has_unseen()
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.transport.unacknowledged()
    }

    fn take_error(&self) -> Option<io::Error> {
        self.transport.take_error()
    }
}

impl<T> fmt::Debug for Through<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Through").finish_non_exhaustive()
    }
}
