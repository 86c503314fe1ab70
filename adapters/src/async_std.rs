//! async-std, over futures-io: any `AsyncRead + AsyncWrite`, and its listeners.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{self, Duration};

use ::async_std::net::{TcpListener, TcpStream};
use ::async_std::os::unix::net::{UnixListener, UnixStream};
use async_io::{Async, Timer};
use endwell_core::Instant;
use futures_io::{AsyncRead, AsyncWrite};
use socket2::SockRef;

use crate::transport::{Address, Endpoints, Listener, Transport};
use crate::upgraded::Upgraded;

/// A transport made of any byte stream of futures-io's.
#[derive(Debug)]
pub struct Stream<T> {
    io: T,
    reset: fn(&T),
    epoch: time::Instant,
    sleep: Option<(time::Instant, Timer)>,
    reads: u32,
}

/// Reads in a row after which a task gives way to others. tokio does this by itself.
const TURN: u32 = 64;

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream<T> {
    /// Any byte stream, such as one that TLS wraps. Where a reset is due it is only dropped.
    pub fn new(io: T) -> Self {
        Self::with_reset(io, |_| {})
    }

    fn with_reset(io: T, reset: fn(&T)) -> Self {
        Self { io, reset, epoch: time::Instant::now(), sleep: None, reads: 0 }
    }

    /// The byte stream.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl Stream<Async<std::net::TcpStream>> {
    /// A TCP connection. Sets `TCP_NODELAY`: what is written is gathered already.
    ///
    /// async-std lends no file descriptor to be reset with, so the socket is taken out of its wrapper and put into
    /// async-io's, which is the same reactor's.
    ///
    /// # Errors
    ///
    /// The connection is gone already, or the stream has clones.
    pub fn tcp(io: TcpStream) -> io::Result<Self> {
        let io = Async::new_nonblocking(std::net::TcpStream::try_from(io)?)?;
        io.get_ref().set_nodelay(true)?;
        Ok(Self::with_reset(io, |io| {
            // Should it fail, the connection closes instead.
            let _ = SockRef::from(io).set_linger(Some(Duration::ZERO));
        }))
    }
}

impl Stream<UnixStream> {
    /// A Unix connection. Unix sockets have no reset.
    pub fn unix(io: UnixStream) -> Self {
        Self::new(io)
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Stream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.reads >= TURN {
            // `found_nothing` still sees the full count; the next call begins anew.
            self.reads += 1;
            if self.reads > TURN + 1 {
                self.reads = 0;
            } else {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.reads = if polled.is_ready() { self.reads + 1 } else { 0 };
        polled
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }

    fn reset(&mut self) {
        (self.reset)(&self.io);
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let deadline = self.epoch + until.since_epoch();
        let timer = match &mut self.sleep {
            Some((at, timer)) => {
                if *at != deadline {
                    *at = deadline;
                    timer.set_at(deadline);
                }
                timer
            }
            none => &mut none.insert((deadline, Timer::at(deadline))).1,
        };
        Pin::new(timer).poll(cx).map(|_| self.sleep = None)
    }

    fn found_nothing(&self) -> bool {
        self.reads < TURN
    }
}

impl Listener for TcpListener {
    type Transport = Stream<Async<std::net::TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        let endpoints = Endpoints { peer: Address::Tcp(peer), local: Address::Tcp(stream.local_addr()?) };
        Ok((Stream::tcp(stream)?, endpoints))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        ::async_std::task::spawn(task);
    }

    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }
}

impl Listener for UnixListener {
    type Transport = Stream<UnixStream>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        let path = |address: ::async_std::os::unix::net::SocketAddr| address.as_pathname().map(Into::into);
        let endpoints =
            Endpoints { peer: Address::Unix(path(peer)), local: Address::Unix(path(stream.local_addr()?)) };
        Ok((Stream::unix(stream), endpoints))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        ::async_std::task::spawn(task);
    }

    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write(cx, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_end_write(cx)
    }
}
