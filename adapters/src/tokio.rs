//! Transports and listeners for tokio: any `AsyncRead + AsyncWrite`, and its sockets.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::{self, TcpListener, TcpStream, UnixListener, UnixStream};
use ::tokio::task::coop;
use ::tokio::time::{self, Sleep};
use endwell_core::Instant;
use socket2::SockRef;

use crate::client::{self, Origin};
use crate::tcp;
use crate::transport::{self, Address, Connector, Endpoints, Listener, Transport, of_one_connection};
use crate::upgraded::Upgraded;
use crate::ws::{ByteStream, Fragments};

/// The operations that only a socket has.
#[derive(Debug)]
struct Socket<T> {
    /// Makes its drop a reset.
    reset: fn(&T),
    /// True if there is anything to read.
    peek: fn(&T) -> bool,
    /// The bytes that the peer has not acknowledged.
    unacknowledged: fn(&T) -> Option<u64>,
}

/// A transport made from any byte stream of tokio. Needs a runtime with its timer enabled.
#[derive(Debug)]
pub struct Stream<T: 'static> {
    io: T,
    socket: &'static Socket<T>,
}

/// The timer of a connection on tokio.
#[derive(Debug)]
pub struct Timer {
    epoch: time::Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn new() -> Self {
        Self { epoch: time::Instant::now(), sleep: None }
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream<T> {
    /// Makes a transport from any byte stream, for example one of TLS. It cannot be reset, only dropped.
    pub fn new(io: T) -> Self {
        Self::over(io, &Socket { reset: |_| {}, peek: |_| false, unacknowledged: |_| None })
    }

    fn over(io: T, socket: &'static Socket<T>) -> Self {
        Self { io, socket }
    }

    /// Returns the byte stream.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl Stream<TcpStream> {
    /// Makes a transport from a TCP connection. Sets `TCP_NODELAY`, because output is gathered already. If the system
    /// has `TCP_NOTSENT_LOWAT`, the kernel holds at most 128 KiB of unsent data, so that a slow reader is seen to read. TCP
    /// keep-alive is on: the kernel notices within two minutes that a silent peer is no longer there.
    ///
    /// # Errors
    ///
    /// If the connection is closed already.
    pub fn tcp(io: TcpStream) -> io::Result<Self> {
        io.set_nodelay(true)?;
        tcp::bound_unsent(&SockRef::from(&io));
        tcp::keep_alive(&SockRef::from(&io));
        Ok(Self::over(
            io,
            &Socket {
                reset: |io| {
                    // If this fails, the connection closes instead.
                    let _ = SockRef::from(io).set_linger(Some(Duration::ZERO));
                },
                peek: |io| peek(&SockRef::from(io)),
                unacknowledged: |io| tcp::unacknowledged(&SockRef::from(io)),
            },
        ))
    }
}

impl Stream<UnixStream> {
    /// Makes a transport from a Unix connection. Unix sockets have no reset.
    pub fn unix(io: UnixStream) -> Self {
        Self::over(
            io,
            &Socket { reset: |_| {}, peek: |io| peek(&SockRef::from(io)), unacknowledged: |_| None },
        )
    }
}

/// True if a read would not wait: there are bytes, the end, or an error.
fn peek(socket: &socket2::Socket) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    !matches!(socket.peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Stream<T> {
    type Timer = Timer;

    fn timer(&self) -> Timer {
        Timer::new()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn reset(&mut self) {
        (self.socket.reset)(&self.io);
    }

    fn found_nothing(&self) -> bool {
        // A task that has used up its turn is told that there is nothing to read.
        coop::has_budget_remaining()
    }

    fn has_unseen(&self) -> bool {
        // The runtime's knowledge of a socket is as old as its last wait.
        (self.socket.peek)(&self.io)
    }

    fn unacknowledged(&self) -> Option<u64> {
        (self.socket.unacknowledged)(&self.io)
    }
}

impl transport::Timer for Timer {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let deadline = self.epoch + until.since_epoch();
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                if sleep.deadline() != deadline {
                    sleep.as_mut().reset(deadline);
                }
                sleep
            }
            none => none.insert(Box::pin(time::sleep_until(deadline))),
        };
        // A task that has used up its turn would not be registered with the timer, and the driver does not ask twice.
        pin!(coop::unconstrained(sleep.as_mut())).poll(cx)
    }
}

/// Makes the transport of a TCP connection to `peer`.
fn connected(stream: TcpStream, peer: SocketAddr) -> io::Result<(Stream<TcpStream>, Endpoints)> {
    let local = stream.local_addr().map_err(of_one_connection)?;
    let stream = Stream::tcp(stream).map_err(of_one_connection)?;
    Ok((stream, Endpoints { peer: Address::Tcp(peer), local: Address::Tcp(local) }))
}

impl Listener for TcpListener {
    type Transport = Stream<TcpStream>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        connected(stream, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::tokio::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        time::sleep(duration).await;
    }
}

impl Listener for UnixListener {
    type Transport = Stream<UnixStream>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        let path = |address: ::tokio::net::unix::SocketAddr| address.as_pathname().map(Into::into);
        let local = stream.local_addr().map_err(of_one_connection)?;
        let endpoints = Endpoints { peer: Address::Unix(path(peer)), local: Address::Unix(path(local)) };
        Ok((Stream::unix(stream), endpoints))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::tokio::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        time::sleep(duration).await;
    }
}

/// A connector for TCP, on tokio. Needs a runtime with its timer enabled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Transport = Stream<TcpStream>;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Endpoints)> {
        let addresses = net::lookup_host(origin.plain()?).await?;
        let stream = client::first(addresses, TcpStream::connect, time::sleep).await?;
        let peer = stream.peer_addr()?;
        connected(stream, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::tokio::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        time::sleep(duration).await;
    }
}

macro_rules! async_read {
    ($stream:ty) => {
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let len = ready!(self.get_mut().poll_read(cx, buffer.initialize_unfilled()))?;
                buffer.advance(len);
                Poll::Ready(Ok(()))
            }
        }
    };
}

macro_rules! async_write {
    ($stream:ty, $end:ident) => {
        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                data: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, &[IoSlice::new(data)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().poll_write(cx, slices)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().$end(cx)
            }
        }
    };
}

async_read!(Upgraded);
async_write!(Upgraded, poll_end_write);
async_read!(ByteStream);
async_write!(ByteStream, poll_end_write);
// `Fragments::finish` consumes it, so shutting down only flushes.
async_write!(Fragments<'_>, poll_flush);

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::OwnedFd;

    use super::*;

    /// As for the sockets of async-io.
    #[::tokio::test]
    async fn what_is_wrong_with_one_connection_is_told_apart() -> io::Result<()> {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let peer = udp.local_addr()?;
        let unix = std::os::unix::net::UnixStream::pair()?.0;
        for socket in [OwnedFd::from(udp), OwnedFd::from(unix)] {
            let stream = std::net::TcpStream::from(socket);
            stream.set_nonblocking(true)?;
            let failed = connected(TcpStream::from_std(stream)?, peer);
            assert_eq!(failed.map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionAborted));
        }
        Ok(())
    }
}
