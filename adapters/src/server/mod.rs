//! Servers: one connection on any transport, and all that a listener accepts.

mod admit;
mod answered;
mod between;
mod counters;
mod exchange;
mod handler_error;
mod life;
mod report;
mod request;
mod respond;
mod room;
mod run;
mod serve;
mod shed;
mod with_state;

use std::fmt;
use std::sync::Arc;

use endwell_core::http::server;

use crate::ServerConfig;
use crate::connection::{Link, Shared, State};
use crate::runtime::Runtime;
use crate::transport::{Endpoints, Transport};

pub(crate) use admit::Networks;
pub use answered::{Answered, IntoAnswered};
pub use counters::Counters;
pub use exchange::Exchange;
pub(crate) use exchange::jitter;
pub use handler_error::HandlerError;
pub(crate) use life::{Life, LifeLimits};
pub use report::{ExchangeReport, HandlerEnd};
pub(crate) use request::Request;
pub(crate) use respond::{Fallback, HeldBy};
pub use run::Run;
pub use serve::{Serve, serve};
pub(crate) use shed::{Standing, ticks};
pub use with_state::with_state;

/// A connection to serve, on any [`Transport`]. [`serve`](crate::serve()) makes one for each connection that a listener
/// accepts. Make your own for connections from elsewhere.
///
/// ```no_run
/// # async fn f(stream: tokio::net::UnixStream) {
/// use endwell::tokio::{Stream, Tokio};
/// use endwell::{ServerConfig, Exchange, Server, http::StatusCode};
///
/// let server = Server::new(Stream::unix(stream), Tokio, &ServerConfig::default());
/// let ended = server.run(async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
/// println!("{ended}");
/// # }
/// ```
#[must_use = "run it"]
pub struct Server {
    link: Arc<Link>,
}

impl Server {
    /// Makes a connection that belongs to no listener, over a stream of `runtime`. Its addresses are unknown.
    pub fn new(transport: impl Transport, runtime: impl Runtime, config: &ServerConfig) -> Self {
        let shared = Shared::alone(config);
        Self::member_of(shared, transport, &runtime, Endpoints::default())
    }

    pub(crate) fn member_of(
        shared: Arc<Shared>,
        transport: impl Transport,
        runtime: &impl Runtime,
        endpoints: Endpoints,
    ) -> Self {
        let server =
            server::Server::new(Arc::clone(&shared.settings.http), Arc::clone(&shared.settings.output));
        Self { link: Link::new(transport, runtime, endpoints, shared, State::Between(server)) }
    }

    /// Serves the connection to its end, one exchange after the other. Await the result: it is how the connection
    /// ended.
    ///
    /// `handler` is called for each request and runs inside this future. Whenever it waits, earlier responses are
    /// written first. A panic of the handler is caught: the request gets a 500 and the connection closes.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection at once.
    pub fn run<H, F>(self, handler: H) -> Run<H, F>
    where
        H: Fn(Exchange) -> F,
        F: Future<Output: IntoAnswered>,
    {
        Run::new(self.link, handler)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("endpoints", &self.link.endpoints).finish_non_exhaustive()
    }
}
