//! A transport made from any byte stream of tokio.

#[cfg(unix)]
mod unix;

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::TcpStream;
use ::tokio::task::coop;
use socket2::SockRef;

use crate::info::{Address, Info};
use crate::tcp;
use crate::transport::{Transport, of_one_connection};

/// The operations that only a socket has.
#[derive(Debug)]
struct Socket<T> {
    /// Makes its drop a reset.
    reset: fn(&T),
    /// True if there is anything to read.
    peek: fn(&T) -> bool,
    /// The bytes that the peer has not acknowledged.
    unacknowledged: fn(&T) -> Option<u64>,
    /// The error that no read or write has returned.
    error: fn(&T) -> Option<io::Error>,
}

/// A transport made from any byte stream of tokio.
#[derive(Debug)]
pub struct Stream<T: 'static> {
    io: T,
    socket: &'static Socket<T>,
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream<T> {
    /// Makes a transport from any byte stream, for example one of TLS. It cannot be reset, only dropped.
    pub fn new(io: T) -> Self {
        Self::over(io, &Socket { reset: |_| {}, peek: |_| false, unacknowledged: |_| None, error: |_| None })
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
                error: |io| io.take_error().unwrap_or(None),
            },
        ))
    }
}

/// True if a read would not wait: there are bytes, the end, or an error.
fn peek(socket: &socket2::Socket) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    !matches!(socket.peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Stream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
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

    fn take_error(&self) -> Option<io::Error> {
        (self.socket.error)(&self.io)
    }
}

/// Makes the transport of a TCP connection to `peer`.
pub(super) fn tcp(stream: TcpStream, peer: SocketAddr) -> io::Result<(Stream<TcpStream>, Info)> {
    let local = stream.local_addr().map_err(of_one_connection)?;
    let stream = Stream::tcp(stream).map_err(of_one_connection)?;
    Ok((stream, Info::new(Address::Tcp(peer), Address::Tcp(local))))
}

#[cfg(all(test, unix))]
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
            let failed = tcp(TcpStream::from_std(stream)?, peer);
            assert_eq!(failed.map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionAborted));
        }
        Ok(())
    }
}
