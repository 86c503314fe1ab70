//! Listeners and a connector for async-std, whose sockets are those of async-io.
//!
//! async-std is discontinued by its authors, who recommend [smol](https://docs.rs/smol). The move changes the listener
//! and the executor of the program, and no handler:
//!
//! ```text
//! async_std::net::TcpListener::bind(..)   becomes   smol::net::TcpListener::bind(..)
//! async_std::task::block_on(..)           becomes   smol::block_on(..)
//! ```

#[cfg(unix)]
mod unix;

use std::io;
use std::net::SocketAddr;

use ::async_std::net::{TcpListener, TcpStream, ToSocketAddrs};
use async_io::Async;

pub use crate::futures_io::{AsyncIoTimer, Stream};
use crate::runtime::Runtime;
use crate::sockets;

/// The runtime of async-std.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Timer = AsyncIoTimer;

    fn timer(&self) -> AsyncIoTimer {
        AsyncIoTimer::new()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::async_std::task::spawn(task);
        Ok(())
    }
}

/// A connector for TCP, on async-std.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

sockets::serve_and_connect!(
    AsyncStd,
    TcpListener => accept_tcp,
    Tcp => async |(host, port): (&str, u16)| (host, port).to_socket_addrs().await
);

async fn accept_tcp(listener: &TcpListener) -> io::Result<(Async<std::net::TcpStream>, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    Ok((unwrap_tcp(stream)?, peer))
}

/// Takes a socket out of async-std's wrapper and puts it into async-io's, which uses the same reactor: async-std does
/// not lend the file descriptor for a shutdown or a reset. Taking it out has made it blocking.
fn unwrap_tcp(stream: TcpStream) -> io::Result<Async<std::net::TcpStream>> {
    Async::new(std::net::TcpStream::try_from(stream)?)
}

/// Takes a TCP connection of async-std. Fails if it has clones, or is closed already.
impl TryFrom<TcpStream> for Stream<Async<std::net::TcpStream>> {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::tcp(unwrap_tcp(stream)?)
    }
}
