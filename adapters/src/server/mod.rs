//! Servers: what any number of listeners accept, and connections from elsewhere.

mod accept;
mod admit;
mod answered;
mod between;
mod counters;
mod exchange;
mod handler_error;
mod life;
mod members;
mod observed;
mod parts;
mod report;
mod request;
mod request_id;
mod respond;
mod room;
mod run;
mod serve;
mod shed;
mod shutdown;
mod with_state;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use endwell_core::http::server;

use crate::ServerConfig;
use crate::connection::{Link, Shared, State};
use crate::info::{Address, Info};
use crate::runtime::Runtime;
use crate::transport::{Listener, Transport};

pub(crate) use admit::Networks;
pub use answered::{Answered, IntoAnswered};
pub use counters::Counters;
pub use exchange::Exchange;
#[cfg(feature = "tower")]
pub(crate) use exchange::acceptance;
pub(crate) use exchange::jitter;
pub use handler_error::HandlerError;
pub(crate) use life::{Life, LifeLimits};
pub(crate) use members::{Member, Members};
pub(crate) use observed::Observed;
pub use parts::Responder;
pub use report::{ExchangeReport, HandlerEnd, MessageCounts};
pub(crate) use request::Request;
pub use request_id::RequestId;
pub(crate) use request_id::next_connection;
pub(crate) use respond::{Fallback, HeldBy};
pub(crate) use room::NO_TENDER;
use room::Sleeps;
pub use run::Run;
pub use serve::{Serve, serve};
pub(crate) use shed::{Standing, ticks};
pub use shutdown::{Late, Report, Shutdown, Stage};
pub use with_state::with_state;

/// A server: a handler, and one set of limits and counters for all connections that it serves, from any number of
/// listeners of any kind and runtime. [`serve`] is the one-liner for one listener.
///
/// ```no_run
/// # async fn f(stop: impl Future<Output = ()>) -> std::io::Result<()> {
/// use std::time::Duration;
///
/// use endwell::{ServerConfig, Exchange, Server, http::StatusCode};
/// use tokio::net::{TcpListener, UnixListener};
///
/// let server = Server::new(ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello"));
/// server.listen(TcpListener::bind("127.0.0.1:8080").await?);
/// server.listen(UnixListener::bind("/run/hello.sock")?);
/// stop.await;
/// let report = server.shutdown(Duration::from_secs(10)).await;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
///
/// Dropping it shuts it down with the time of [`ServerConfig::shutdown_time`], without a report: listeners close, idle
/// connections close, and open exchanges are answered. Nothing is cut off before that time is over.
#[must_use = "dropping it shuts it down"]
pub struct Server<H> {
    inner: Arc<Inner<H>>,
}

/// What the connections of a server need.
pub(crate) struct Inner<H> {
    shared: Arc<Shared>,
    handler: H,
}

impl<H> Server<H> {
    /// Makes a server that serves nothing yet. `handler` is called for each request.
    pub fn new<F>(config: ServerConfig, handler: H) -> Self
    where
        H: Fn(Exchange) -> F,
        F: Future<Output: IntoAnswered>,
    {
        Self { inner: Arc::new(Inner { shared: Shared::of_server(&config), handler }) }
    }

    /// Serves what `listener` accepts, each connection in its own task, until the server stops. Accepting is a task of
    /// the listener's runtime, so call this where that can spawn: with tokio, within its runtime.
    ///
    /// Errors of `accept` are counted, and accepting continues, as described at [`serve`].
    pub fn listen<L, F>(&self, listener: L) -> Listening
    where
        L: Listener + Sync,
        H: Fn(Exchange) -> F + Send + Sync + 'static,
        F: Future<Output: IntoAnswered> + Send + 'static,
    {
        let address = listener.local_address();
        let runtime = listener.runtime();
        let spawned = runtime.spawn(accept::accept(Arc::clone(&self.inner), listener));
        if spawned.is_err() {
            self.inner.shared.counters.accept_errors.add();
        }
        Listening { address: spawned.map(|()| address) }
    }

    /// Serves a connection that another accept loop has accepted, on any [`Transport`]. The future does all the work:
    /// await it, or spawn it. `runtime` gives the time, and `info` what the handler sees of the connection.
    ///
    /// The limits of [`ServerConfig`] hold as for a listener. At [`ServerConfig::connections`] the future first waits for a place,
    /// and others make room. A connection that [`ServerConfig::admit`] refuses ends at once with
    /// [`Limit::Connections`](endwell_core::Limit::Connections).
    ///
    /// ```no_run
    /// # async fn f(listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// use endwell::tokio::{Stream, Tokio};
    /// use endwell::{Address, Exchange, Info, Server, ServerConfig, http::StatusCode};
    ///
    /// let server = Server::new(ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello"));
    /// loop {
    ///     let (stream, peer) = listener.accept().await?;
    ///     let info = Info::new(Address::Tcp(peer), Address::Unknown);
    ///     tokio::spawn(server.connection(Stream::tcp(stream)?, Tokio, info));
    /// }
    /// # }
    /// ```
    pub fn connection<F>(&self, transport: impl Transport, runtime: impl Runtime, info: Info) -> Run<H, F>
    where
        H: Fn(Exchange) -> F,
        F: Future<Output: IntoAnswered>,
    {
        let mut info = info;
        let member = self.inner.shared.arrive(&info);
        if member.is_some() {
            self.inner.shared.tell_begin(&mut info);
        }
        let link = self.inner.link(transport, &runtime, info);
        Run::new(link, Arc::clone(&self.inner), member, Sleeps::new(runtime))
    }

    /// The counters of this server.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.inner.shared.counters)
    }

    /// Shuts the server down, and reports what did not end in time. It begins at once: listeners close, idle
    /// connections close, and the response to every open exchange announces the close. Await the result to know when
    /// the listeners are closed and the last connection has ended; those that are still open after `time` are cut off.
    ///
    /// A handler of a connection that is cut off is polled once more, so that what it waits for can tell it
    /// [`EndedKind::Shutdown`](crate::EndedKind::Shutdown), and is then dropped.
    pub fn shutdown(self, time: Duration) -> Shutdown {
        self.inner.shared.stop(time);
        Shutdown::new(&self.inner.shared)
    }
}

impl<H> Drop for Server<H> {
    fn drop(&mut self) {
        self.inner.shared.stop_by_default();
    }
}

impl<H> Inner<H> {
    /// Makes a connection that waits for its first request.
    fn link(&self, transport: impl Transport, runtime: &impl Runtime, info: Info) -> Arc<Link> {
        let shared = Arc::clone(&self.shared);
        let server = server::ServerConnection::new(
            Arc::clone(&shared.settings.http),
            Arc::clone(&shared.settings.output),
        );
        Link::new(transport, runtime, info, shared, State::Between(server))
    }
}

impl<H> fmt::Debug for Server<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("counters", &self.inner.shared.counters).finish_non_exhaustive()
    }
}

/// A listener that a [`Server`] accepts from. Dropping this changes nothing: the listener closes when the server stops.
#[derive(Debug)]
pub struct Listening {
    address: io::Result<Address>,
}

impl Listening {
    /// The address that the listener accepts on, for example with the port that the system chose.
    ///
    /// # Errors
    ///
    /// If the runtime had no room for the task that accepts, such as no thread: the listener is closed.
    pub fn local_address(&self) -> io::Result<&Address> {
        self.address.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
    }
}
