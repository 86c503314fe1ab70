//! Threads: the listeners of the standard library, a thread for each connection, and handlers without async.
//!
//! ```no_run
//! use endwell::blocking::{block_on, handler};
//! use endwell::{Config, Ended, http::StatusCode, serve};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
//! block_on(serve(listener, Config::default(), handler(|mut exchange| {
//!     let body = block_on(exchange.read_all(1 << 20))?;
//!     Ok::<_, Ended>(exchange.respond(StatusCode::OK, body))
//! })));
//! # std::io::Result::Ok(())
//! ```
//!
//! A connection's thread runs the same driver as the tasks of other runtimes, with [`block_on`]. Its sockets are
//! non-blocking: it sleeps until its socket is ready, its deadline has come, or another thread has sent something,
//! dropped something or stopped the server. From a plain blocking read only its own peer could wake it, and read and
//! write timeouts would have to replace all the rest.
//!
//! A thread keeps 144 KiB for reading and writing, besides its stack; [`Config::connections`](crate::Config) bounds the
//! number of threads. If the system has no thread for a connection, the connection is closed,
//! [`Ended::Transport`](crate::Ended) reports the reason, and [`accept_errors`](crate::Counters::accept_errors) counts
//! it. Accepting continues after a pause.

mod handler;

use std::future::IntoFuture;
use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use async_io::Async;

use crate::client::Origin;
use crate::connected;
pub use crate::futures_io::{Stream, Timer};
use crate::transport::{Connector, Endpoints, Listener};
pub use handler::{Handled, Handling, handler};

/// Runs a future on this thread, which sleeps while the future waits.
///
/// Do not use it within an `async` handler: it would block a thread of the runtime.
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    async_io::block_on(future.into_future())
}

/// Serving a TCP listener makes it and its clones non-blocking.
impl Listener for TcpListener {
    type Transport = Stream<Async<TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        // Registered again each time: cheap beside a thread, and the caller's listener stays a plain one.
        let (stream, peer) = Async::new(self)?.read_with(|listener| listener.accept()).await?;
        connected::tcp(Async::new(stream)?, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        spawn(task)
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// Serving a Unix listener makes it and its clones non-blocking.
impl Listener for UnixListener {
    type Transport = Stream<Async<UnixStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        let (stream, peer) = Async::new(self)?.read_with(|listener| listener.accept()).await?;
        connected::unix(Async::new(stream)?, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        spawn(task)
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

/// A connector for TCP, on threads: each connection has its own thread. Resolving a name blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    type Transport = Stream<Async<TcpStream>>;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Endpoints)> {
        connected::to(origin.plain()?.to_socket_addrs()?).await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        spawn(task)
    }

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("endwell connection".into()).spawn(|| block_on(task)).map(drop)
}
