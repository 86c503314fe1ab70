//! A connection that another protocol uses.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::connection::Link;
use crate::news::{Gone, Stopping};
use crate::transport::{Address, Transport};

/// A connection that uses another protocol: a byte stream. It starts with the bytes after the request, or for a client
/// with those after the response.
///
/// With feature `tokio` it is `tokio::io::AsyncRead + AsyncWrite`, and with feature `futures-io` the same of
/// `futures-io`. Dropping it closes the connection: what was written before, and the response that announced the other
/// protocol, still go out.
///
/// The connection's task reads up to [`Limits::received_bytes`](crate::http::Limits::received_bytes) ahead, so a reset
/// ends the connection whatever its holder does.
#[must_use = "dropping it closes the connection"]
pub struct Upgraded {
    link: Arc<Link>,
}

impl Upgraded {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    /// The address of the other side.
    pub fn peer_address(&self) -> &Address {
        &self.link.endpoints.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link.endpoints.local
    }

    /// Sets the time after which the connection is reset if no byte has passed in either direction. Default `None`:
    /// without an end, since other protocols may be silent for as long as they like; the system notices a peer that is
    /// not there any more by TCP keep-alive.
    pub fn set_idle_time(&mut self, time: Option<Duration>) {
        self.link.lock().set_idle_time(time);
    }

    /// Waits until the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn gone(&self) -> Gone<'_> {
        Gone::new(&self.link)
    }

    /// Waits until the server stops. The stream then has [`Config::shutdown_time`](crate::Config::shutdown_time) to end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn stopping(&self) -> Stopping<'_> {
        Stopping::new(&self.link)
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
        self.link.lock().poll_raw_write(cx, Transport::poll_flush)
    }

    /// Ends the write side.
    ///
    /// # Errors
    ///
    /// If the transport failed.
    pub fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.lock().poll_raw_write(cx, Transport::poll_end_write)
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
