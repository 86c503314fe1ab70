//! A connection that another protocol uses.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};

use crate::transport::Address;
use crate::wire::{Carrier, Link};

/// A connection that uses another protocol: a byte stream. It starts with the bytes after the request, or for a client
/// with those after the response.
///
/// With feature `tokio` it is `tokio::io::AsyncRead + AsyncWrite`, and with feature `futures-io` the same of
/// `futures-io`. Dropping it closes the connection.
#[must_use = "dropping it closes the connection"]
pub struct Upgraded {
    link: Arc<Link>,
    leftover: Bytes,
}

impl Upgraded {
    pub(crate) fn new(link: Arc<Link>, leftover: Bytes) -> Self {
        Self { link, leftover }
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link.endpoints.local
    }

    /// Reads from the stream. Zero bytes are the end of the stream, unless `buffer` is empty.
    ///
    /// # Errors
    ///
    /// If the transport failed.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let len = self.leftover.len().min(buffer.len());
        if let Some(start) = buffer.get_mut(..len).filter(|_| len > 0) {
            self.leftover.copy_to_slice(start);
            return Poll::Ready(Ok(len));
        }
        self.link.lock().poll_raw_read(cx, buffer)
    }

    /// Writes from `slices`, and returns how many bytes were taken. The response to the request is sent first.
    ///
    /// # Errors
    ///
    /// If the transport failed.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.link.lock().poll_raw_write(cx, |transport, cx| transport.poll_write(cx, slices))
    }

    /// Flushes what a lower layer may hold back.
    ///
    /// # Errors
    ///
    /// If the transport failed.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.lock().poll_raw_write(cx, Carrier::poll_flush)
    }

    /// Ends the write side.
    ///
    /// # Errors
    ///
    /// If the transport failed.
    pub fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.lock().poll_raw_write(cx, Carrier::poll_end_write)
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.link.lock().end_raw();
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").field("peer", self.peer_address()).finish_non_exhaustive()
    }
}
