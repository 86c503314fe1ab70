//! Plain threads: the listeners of the standard library, a thread for each connection, and handlers without async.
//!
//! ```no_run
//! use endwell::blocking::{block_on, handler};
//! use endwell::{ServerConfig, Ended, http::StatusCode, serve};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
//! block_on(serve(listener, ServerConfig::default(), handler(|mut exchange| {
//!     let body = block_on(exchange.read_all(1 << 20))?;
//!     Ok::<_, Ended>(exchange.respond(StatusCode::OK, body))
//! })));
//! # std::io::Result::Ok(())
//! ```
//!
//! A connection's thread runs the same driver as the tasks of other runtimes, with [`block_on`]. Its sockets are
//! non-blocking: it sleeps until its socket is ready, its deadline has come, or another thread has sent something,
//! dropped something or stopped the server. From a plain blocking read only its own peer could wake it, and read and
//! write timeouts would have to replace all the rest. Serving a listener makes it and its clones non-blocking.
//!
//! A thread keeps 144 KiB for reading and writing, besides its stack; [`ServerConfig::connections`](crate::ServerConfig) bounds the
//! number of threads. If the system has no thread for a connection, the connection is closed,
//! [`EndedKind::Transport`](crate::EndedKind) reports the reason, and [`accept_errors`](crate::Counters::accept_errors) counts
//! it. Accepting continues after a pause.

mod handler;
#[cfg(unix)]
mod unix;

use std::future::IntoFuture;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::thread;

use async_io::Async;

use crate::connection::check_may_block;
pub use crate::futures_io::{AsyncIoTimer, Stream};
use crate::runtime::Runtime;
use crate::sockets;
pub use handler::{Handled, Handling, handler};

/// Runs a future on this thread, which sleeps while the future waits.
///
/// Do not use it within an `async` handler: it would block a thread of the runtime.
///
/// # Panics
///
/// Within the closure of [`for_each`](crate::ws::Socket::for_each), which would hold up its own connection.
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    check_may_block();
    async_io::block_on(future.into_future())
}

/// The runtime of plain threads: each task has its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Runtime for Threads {
    type Timer = AsyncIoTimer;

    fn timer(&self) -> AsyncIoTimer {
        AsyncIoTimer::new()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        thread::Builder::new().name("endwell connection".into()).spawn(|| block_on(task)).map(drop)
    }
}

/// A connector for TCP, on threads: each connection has its own thread. Resolving a name blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

sockets::serve_and_connect!(
    Threads,
    TcpListener => accept_tcp,
    Tcp => async |(host, port): (&str, u16)| (host, port).to_socket_addrs()
);

/// Registers the listener again each time: cheap beside a thread, and the caller's listener stays a plain one.
async fn accept_tcp(listener: &TcpListener) -> io::Result<(Async<TcpStream>, SocketAddr)> {
    let (stream, peer) = Async::new(listener)?.read_with(|listener| listener.accept()).await?;
    Ok((Async::new(stream)?, peer))
}
