//! A stream of which a part has been read.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use crate::transport::Transport;

/// A connection of a [`ProxyProtocol`](super::ProxyProtocol): the client's bytes, without the header.
#[derive(Debug)]
pub struct ProxyStream<T> {
    /// What came with the header, and was not read since.
    rest: Vec<u8>,
    inner: T,
}

impl<T> ProxyStream<T> {
    pub(super) fn new(rest: Vec<u8>, inner: T) -> Self {
        Self { rest, inner }
    }
}

impl<T: Transport> Transport for ProxyStream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.rest.is_empty() {
            return self.inner.poll_read(cx, buffer);
        }
        let taken = self.rest.len().min(buffer.len());
        buffer.iter_mut().zip(self.rest.drain(..taken)).for_each(|(to, from)| *to = from);
        if self.rest.is_empty() {
            // The connection may live long.
            self.rest = Vec::new();
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.inner.poll_write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_end_write(cx)
    }

    fn reset(&mut self) {
        self.inner.reset();
    }

    fn found_nothing(&self) -> bool {
        self.inner.found_nothing()
    }

    fn has_unseen(&self) -> bool {
        !self.rest.is_empty() || self.inner.has_unseen()
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.inner.unacknowledged()
    }

    fn take_error(&self) -> Option<io::Error> {
        self.inner.take_error()
    }
}
