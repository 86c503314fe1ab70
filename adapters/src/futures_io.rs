//! Transports made from any byte stream of futures-io, and from the sockets of async-io, which async-std, smol and the
//! threads use.
//!
//! Everything here works wherever it is polled, because async-io has a thread of its own that waits for events. A program
//! with its own executor can use this [`AsyncIoTimer`] in its [`Runtime`](crate::Runtime).

#[cfg(unix)]
mod unix;

use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{self, Duration};

use ::futures_io::{AsyncRead, AsyncWrite};
use async_io::Async;
use endwell_core::Instant;
use socket2::SockRef;

use crate::transport::Transport;
use crate::{runtime, tcp};

/// A transport made from any byte stream of futures-io.
#[derive(Debug)]
pub struct Stream<T: 'static> {
    io: T,
    socket: &'static Socket<T>,
}

/// A timer on async-io's own thread.
#[derive(Debug)]
pub struct AsyncIoTimer {
    epoch: time::Instant,
    sleep: Option<(time::Instant, async_io::Timer)>,
}

impl AsyncIoTimer {
    /// Makes a timer that is not set.
    pub fn new() -> Self {
        Self { epoch: time::Instant::now(), sleep: None }
    }
}

impl Default for AsyncIoTimer {
    fn default() -> Self {
        Self::new()
    }
}

/// The operations that differ between kinds of streams.
#[derive(Debug)]
struct Socket<T> {
    /// Ends the write side. For a wrapped stream, closing does that; async-io's own sockets only flush.
    end_write: fn(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<()>>,
    /// Makes its drop a reset.
    reset: fn(&T),
    /// The bytes that the peer has not acknowledged.
    unacknowledged: fn(&T) -> Option<u64>,
    /// The error that no read or write has returned.
    error: fn(&T) -> Option<io::Error>,
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream<T> {
    /// Makes a transport from any byte stream, for example one of TLS. It cannot be reset, only dropped.
    pub fn new(io: T) -> Self {
        Self::over(
            io,
            &Socket { end_write: T::poll_close, reset: |_| {}, unacknowledged: |_| None, error: |_| None },
        )
    }

    fn over(io: T, socket: &'static Socket<T>) -> Self {
        Self { io, socket }
    }

    /// Returns the byte stream.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl Stream<Async<TcpStream>> {
    /// Makes a transport from a TCP connection. Sets `TCP_NODELAY`, because output is gathered already. If the system
    /// has `TCP_NOTSENT_LOWAT`, the kernel holds at most 128 KiB of unsent data, so that a slow reader is seen to read. TCP
    /// keep-alive is on: the kernel notices within two minutes that a silent peer is no longer there.
    ///
    /// # Errors
    ///
    /// If the connection is closed already.
    pub fn tcp(io: Async<TcpStream>) -> io::Result<Self> {
        io.get_ref().set_nodelay(true)?;
        tcp::bound_unsent(&SockRef::from(&io));
        tcp::keep_alive(&SockRef::from(&io));
        Ok(Self::over(
            io,
            &Socket {
                end_write: |io, _| Poll::Ready(io.as_ref().get_ref().get_ref().shutdown(Shutdown::Write)),
                reset: |io| {
                    // If this fails, the connection closes instead.
                    let _ = SockRef::from(io).set_linger(Some(Duration::ZERO));
                },
                unacknowledged: |io| tcp::unacknowledged(&SockRef::from(io)),
                error: |io| io.get_ref().take_error().unwrap_or(None),
            },
        ))
    }
}

/// Takes a TCP connection of the standard library. It becomes non-blocking.
impl TryFrom<TcpStream> for Stream<Async<TcpStream>> {
    type Error = io::Error;

    fn try_from(io: TcpStream) -> io::Result<Self> {
        Self::tcp(Async::new(io)?)
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Stream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match slices {
            // As almost always, and a system call for one is cheaper.
            [slice] => Pin::new(&mut self.io).poll_write(cx, slice),
            slices => Pin::new(&mut self.io).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (self.socket.end_write)(Pin::new(&mut self.io), cx)
    }

    fn reset(&mut self) {
        (self.socket.reset)(&self.io);
    }

    fn unacknowledged(&self) -> Option<u64> {
        (self.socket.unacknowledged)(&self.io)
    }

    fn take_error(&self) -> Option<io::Error> {
        (self.socket.error)(&self.io)
    }
}

impl runtime::Timer for AsyncIoTimer {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    fn poll_sleep(mut self: Pin<&mut Self>, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let deadline = self.epoch + until.since_epoch();
        let timer = match &mut self.sleep {
            Some((at, timer)) => {
                if *at != deadline {
                    *at = deadline;
                    timer.set_at(deadline);
                }
                timer
            }
            none => &mut none.insert((deadline, async_io::Timer::at(deadline))).1,
        };
        Pin::new(timer).poll(cx).map(|_| self.sleep = None)
    }
}
