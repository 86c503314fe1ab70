//! The listeners of async-std. Its sockets are served as async-io's, which they are made of.
//!
//! async-std is discontinued by its authors, who name [smol](https://docs.rs/smol) as the way on. Moving there changes
//! the listener and what the program runs on, and no handler:
//!
//! ```text
//! async_std::net::TcpListener::bind(..)   becomes   smol::net::TcpListener::bind(..)
//! async_std::task::block_on(..)           becomes   smol::block_on(..)
//! ```

use std::io;
use std::time::Duration;

use ::async_std::net::{TcpListener, TcpStream, ToSocketAddrs};
use ::async_std::os::unix::net::{UnixListener, UnixStream};
use async_io::{Async, Timer};

use crate::client::Origin;
use crate::connected;
pub use crate::futures_io::Stream;
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
        Timer::after(duration).await;
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
        Timer::after(duration).await;
    }
}

/// TCP connections, made on async-std.
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
        Timer::after(duration).await;
    }
}

/// async-std lends no file descriptor to be shut down or reset with, so a socket is taken out of its wrapper and put
/// into async-io's, which is the same reactor's. Taking it out has made it blocking.
fn unwrap_tcp(stream: TcpStream) -> io::Result<Async<std::net::TcpStream>> {
    Async::new(std::net::TcpStream::try_from(stream)?)
}

/// Like [`unwrap_tcp`].
fn unwrap_unix(stream: UnixStream) -> io::Result<Async<std::os::unix::net::UnixStream>> {
    Async::new(std::os::unix::net::UnixStream::try_from(stream)?)
}

/// A TCP connection of async-std's. Fails if it has clones, or is gone already.
impl TryFrom<TcpStream> for Stream<Async<std::net::TcpStream>> {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::tcp(unwrap_tcp(stream)?)
    }
}

/// A Unix connection of async-std's. Fails if it has clones.
impl TryFrom<UnixStream> for Stream<Async<std::os::unix::net::UnixStream>> {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(unwrap_unix(stream)?))
    }
}
