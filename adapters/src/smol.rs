//! The listeners of smol. Its sockets are built on async-io's, and are served as those.
//!
//! ```no_run
//! use endwell::{Config, Exchange, http::StatusCode, serve};
//!
//! smol::block_on(async {
//!     let listener = smol::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     serve(listener, Config::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! Connections run on smol's global executor. The environment variable `SMOL_THREADS` sets its number of threads; the
//! default is one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::smol::net::unix::{UnixListener, UnixStream};
use ::smol::net::{self, TcpListener, TcpStream};
use async_io::Async;

use crate::client::Origin;
use crate::connected;
pub use crate::futures_io::{Stream, Timer};
use crate::transport::{Connector, Endpoints, Listener};

impl Listener for TcpListener {
    type Transport = Stream<Async<std::net::TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let listener: Arc<Async<std::net::TcpListener>> = self.clone().into();
        let (stream, peer) = listener.accept().await?;
        connected::tcp(stream, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::smol::spawn(task).detach();
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

impl Listener for UnixListener {
    type Transport = Stream<Async<std::os::unix::net::UnixStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let listener: Arc<Async<std::os::unix::net::UnixListener>> = self.clone().into();
        let (stream, peer) = listener.accept().await?;
        connected::unix(stream, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::smol::spawn(task).detach();
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// A connector for TCP, on smol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Transport = Stream<Async<std::net::TcpStream>>;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Endpoints)> {
        connected::to(net::resolve(origin.plain()?).await?).await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::smol::spawn(task).detach();
        Ok(())
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// Takes a TCP connection of smol. Fails if it has clones, or is closed already.
impl TryFrom<TcpStream> for Stream<Async<std::net::TcpStream>> {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::tcp(sole(stream)?)
    }
}

/// Takes a Unix connection of smol. Fails if it has clones.
impl TryFrom<UnixStream> for Stream<Async<std::os::unix::net::UnixStream>> {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        Ok(Self::unix(sole(stream)?))
    }
}

/// Returns the socket inside, if there is no other reference to it.
fn sole<T>(stream: impl Into<Arc<Async<T>>>) -> io::Result<Async<T>> {
    Arc::try_unwrap(stream.into())
        .map_err(|_| io::Error::other("expected a socket without clones, got one with some"))
}
