//! Listeners and a connector for smol, whose sockets are those of async-io.
//!
//! ```no_run
//! use endwell::{ServerConfig, Exchange, http::StatusCode, serve};
//!
//! smol::block_on(async {
//!     let listener = smol::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
//!     std::io::Result::Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! Connections run on smol's global executor. The environment variable `SMOL_THREADS` sets its number of threads; the
//! default is one.

#[cfg(unix)]
mod unix;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ::smol::net::{TcpListener, TcpStream, resolve};
use async_io::Async;

pub use crate::futures_io::{AsyncIoTimer, Stream};
use crate::runtime::Runtime;
use crate::sockets;

/// The runtime of smol's global executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Runtime for Smol {
    type Timer = AsyncIoTimer;

    fn timer(&self) -> AsyncIoTimer {
        AsyncIoTimer::new()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        ::smol::spawn(task).detach();
        Ok(())
    }
}

/// A connector for TCP, on smol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

sockets::serve_and_connect!(Smol, TcpListener => accept_tcp, Tcp => resolve);

async fn accept_tcp(listener: &TcpListener) -> io::Result<(Async<std::net::TcpStream>, SocketAddr)> {
    Arc::<Async<std::net::TcpListener>>::from(listener.clone()).accept().await
}

/// Takes a TCP connection of smol. Fails if it has clones, or is closed already.
impl TryFrom<TcpStream> for Stream<Async<std::net::TcpStream>> {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::tcp(sole(stream)?)
    }
}

/// Returns the socket inside, if there is no other reference to it.
fn sole<T>(stream: impl Into<Arc<Async<T>>>) -> io::Result<Async<T>> {
    Arc::try_unwrap(stream.into())
        .map_err(|_| io::Error::other("expected a socket without clones, got one with some"))
}
