//! Threads: the listeners of the standard library, a thread for each connection, and handlers that are plain code.
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
//! A connection's thread runs the same driver as every other runtime's task, with [`block_on`]. Its sockets are
//! non-blocking: it sleeps until its socket is ready, its deadline has come, or another thread has sent
//! something, dropped something or stopped the server. In a plain blocking read nothing but its own peer could wake
//! it, and read and write timeouts would have to stand in for all the rest.
//!
//! A thread keeps 144 KiB to read and write with, besides its stack: [`Config::connections`](crate::Config) is what
//! bounds this. If the system has no thread for a connection, it is closed, [`Ended::Transport`](crate::Ended) is
//! reported with the reason, and [`accept_errors`](crate::Counters::accept_errors) counts it; accepting goes on
//! after a pause.

mod handler;

use std::future::IntoFuture;
use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use async_io::{Async, Timer};

use crate::client::Origin;
use crate::connected;
pub use crate::futures_io::Stream;
use crate::transport::{Connector, Endpoints, Listener};
pub use handler::{Handled, Handling, handler};

/// Runs a future on this thread, which sleeps while the future waits.
///
/// Not for the inside of an `async` handler: it would keep a thread of the runtime from its work.
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    async_io::block_on(future.into_future())
}

/// A TCP listener becomes non-blocking when it is served, and so do its clones.
impl Listener for TcpListener {
    type Transport = Stream<Async<TcpStream>>;

    async fn accept(&self) -> io::Result<(Self::Transport, Endpoints)> {
        // Registered anew each time: little beside a thread, and the listener stays the one that everybody knows.
        let (stream, peer) = Async::new(self)?.read_with(|listener| listener.accept()).await?;
        connected::tcp(Async::new(stream)?, peer)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        spawn(task)
    }

    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }
}

/// A Unix listener becomes non-blocking when it is served, and so do its clones.
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
        Timer::after(duration).await;
    }
}

/// TCP connections, made on threads: each has one of its own. Resolving a name blocks.
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
        Timer::after(duration).await;
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("endwell connection".into()).spawn(|| block_on(task)).map(drop)
}
