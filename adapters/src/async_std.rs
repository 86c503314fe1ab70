//! The listeners of async-std. Its sockets are built on async-io's, and are served as those.
//!
//! async-std is discontinued by its authors, who recommend [smol](https://docs.rs/smol). The move changes the listener
//! and the executor of the program, and no handler:
//!
//! ```text
//! async_std::net::TcpListener::bind(..)   becomes   smol::net::TcpListener::bind(..)
//! async_std::task::block_on(..)           becomes   smol::block_on(..)
//! ```

use std::io;
use std::time::Duration;

use ::async_std::net::{TcpListener, TcpStream, ToSocketAddrs};
use ::async_std::os::unix::net::{UnixListener, UnixStream};
use async_io::Async;

use crate::client::Origin;
use crate::connected;
pub use crate::futures_io::{Stream, Timer};
use crate::transport::{Connector, Endpoints, Listener};

impl Listener for TcpListener {
    type Transport = Stream<Async<std::net::TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        connected::tcp(unwrap_tcp(stream)?, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::async_std::task::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

impl Listener for UnixListener {
    type Transport = Stream<Async<std::os::unix::net::UnixStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Self::accept(self).await?;
        connected::unix(unwrap_unix(stream)?, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::async_std::task::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// A connector for TCP, on async-std.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Transport = Stream<Async<std::net::TcpStream>>;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Endpoints)> {
        connected::to(origin.plain()?.to_socket_addrs().await?).await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::async_std::task::spawn(task);
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// Takes a socket out of async-std's wrapper and puts it into async-io's, which uses the same reactor: async-std does
/// not lend the file descriptor for a shutdown or a reset. Taking it out has made it blocking.
fn unwrap_tcp(stream: TcpStream) -> io::Result<Async<std::net::TcpStream>> {
    Async::new(std::net::TcpStream::try_from(stream)?)
}

/// Like [`unwrap_tcp`].
fn unwrap_unix(stream: UnixStream) -> io::Result<Async<std::os::unix::net::UnixStream>> {
    Async::new(std::os::unix::net::UnixStream::try_from(stream)?)
}

/// Takes a TCP connection of async-std. Fails if it has clones, or is closed already.
impl TryFrom<TcpStream> for Stream<Async<std::net::TcpStream>> {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::tcp(unwrap_tcp(stream)?)
    }
}

/// Takes a Unix connection of async-std. Fails if it has clones.
impl TryFrom<UnixStream> for Stream<Async<std::os::unix::net::UnixStream>> {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(unwrap_unix(stream)?))
    }
}
