//! A connection that another protocol uses.

use std::any::Any;
use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::Ended;
use crate::connection::{Connection, Link, Side, State, Until, open};
use crate::info::Address;
use crate::news::{Gone, Stopping};
use crate::transport::Transport;

/// A connection that uses another protocol: a byte stream. It starts with the bytes after the request, or for a client
/// with those after the response.
///
/// With feature `tokio` it is `tokio::io::AsyncRead + AsyncWrite`, and with feature `futures-io` the same of
/// `futures-io`. Dropping it closes the connection: what was written before, and the response that announced the other
/// protocol, still go out.
///
/// The connection's task reads up to [`HttpLimits::received_bytes`](crate::http::HttpLimits::received_bytes) ahead, so a reset
/// ends the connection whatever its holder does. Behind more than that, or behind the end of the stream, a reset is
/// noticed within 10 s.
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
        &self.link.info.peer
    }

    /// The address of this side.
    pub fn local_address(&self) -> &Address {
        &self.link.info.local
    }

    /// The fact of type `T` that a layer of the connection knows, such as `tls::TlsInfo`. `None` if none does.
    pub fn info<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.link.info.get()
    }

    /// True if the connection uses TLS.
    pub fn is_secure(&self) -> bool {
        self.link.info.is_secure
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

    /// Waits until the server stops. The stream then has [`ServerConfig::shutdown_time`](crate::ServerConfig::shutdown_time) to end.
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
        let mut connection = self.link.lock();
        let polled = connection.poll_raw_write(cx, |transport, cx| transport.poll_write(cx, slices));
        if let Poll::Ready(Ok(len)) = &polled {
            connection.observed.wrote(*len);
        }
        polled
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

impl Connection {
    /// Reads what the peer of another protocol has sent. Zero bytes are the end of the stream.
    pub(crate) fn poll_raw_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let State::Raw(raw) = &mut self.state else {
            return Poll::Ready(Err(broken(&self.how_it_ends())));
        };
        let Some(raw) = raw else { return self.poll_own_read(cx, buffer) };
        if let Some(arrived) = raw.received_up_to(buffer.len()) {
            let len = arrived.len();
            buffer.iter_mut().zip(arrived.iter()).for_each(|(to, from)| *to = *from);
            // There is room for more.
            self.stop_waiting();
            return Poll::Ready(Ok(len));
        }
        if let Some(cut) = self.ended.as_ref().or(self.truncated.as_ref()) {
            return Poll::Ready(Err(broken(cut)));
        }
        if raw.has_ended() {
            return Poll::Ready(Ok(0));
        }
        self.wait_for_peer(cx)
    }

    /// Reads for a holder who has the state too, and whom nothing is read ahead for.
    fn poll_own_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let polled = self.poll_raw(cx, |transport, cx| transport.poll_read(cx, buffer));
        match &polled {
            // The transport wakes it, unless this side ends the connection.
            Poll::Pending => {
                self.await_input(cx);
            }
            Poll::Ready(Ok(len)) => self.observed.received(*len),
            Poll::Ready(Err(_)) => {}
        }
        polled
    }

    /// Writes to the raw transport, for another protocol: queued output is sent first.
    pub(crate) fn poll_raw_write<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut dyn Transport, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if let Err(ended) = ready!(self.poll_output(cx, Side::Writer, Until::Flushed)) {
            return Poll::Ready(Err(broken(&ended)));
        }
        let polled = self.poll_raw(cx, poll);
        if polled.is_pending() {
            // The transport wakes it, unless this side ends the connection.
            self.waiters.write(Side::Writer, Until::Ended, cx, &mut self.woken);
        } else if self.life.counts_output() {
            self.life.took(self.clock());
        }
        polled
    }

    /// The holder of the raw transport is done. What HTTP has queued still goes out.
    pub(crate) fn end_raw(&mut self) {
        match self.state.take() {
            State::Raw(Some(raw)) => self.state = State::closing(raw.close(), Ended::UPGRADED),
            State::Raw(None) => {
                let position = self.position();
                return self.is_over(Ended::UPGRADED, position);
            }
            other => self.state = other,
        }
        self.leave_to_driver();
    }

    fn poll_raw<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut dyn Transport, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if let Some(ended) = self.ended() {
            return Poll::Ready(Err(broken(ended)));
        }
        poll(open(&mut self.transport)?, cx)
    }
}

fn broken(ended: &Ended) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, ended.clone())
}
