//! One connection, served on any transport.

use std::fmt;
use std::sync::Arc;

use endwell_core::http::server;

use crate::conclusion::Conclusion;
use crate::hub::Hub;
use crate::runtime::Runtime;
use crate::transport::{Endpoints, Transport};
use crate::wire::{Link, State, output_limits};
use crate::{Config, Exchange, Run};

/// A connection to serve, on any [`Transport`]. [`serve`](crate::serve()) makes one for each connection that a listener
/// accepts. Make your own for connections from elsewhere.
///
/// ```no_run
/// # async fn f(stream: tokio::net::UnixStream) {
/// use endwell::tokio::{Stream, Tokio};
/// use endwell::{Config, Exchange, Server, http::StatusCode};
///
/// let server = Server::new(Stream::unix(stream), Tokio, &Config::default());
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
    pub fn new(transport: impl Transport, runtime: impl Runtime, config: &Config) -> Self {
        let hub = Hub::alone(config);
        Self::member_of(hub, transport, &runtime, Endpoints::default(), config, config.http.clone().into())
    }

    pub(crate) fn member_of(
        hub: Arc<Hub>,
        transport: impl Transport,
        runtime: &impl Runtime,
        endpoints: Endpoints,
        config: &Config,
        limits: Arc<endwell_core::http::Limits>,
    ) -> Self {
        let server = server::Server::new(limits, output_limits(config));
        Self { link: Link::new(transport, runtime, endpoints, hub, State::Between(server)) }
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
        F: Future<Output: Conclusion>,
    {
        Run::new(self.link, handler)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("endpoints", &self.link.endpoints).finish_non_exhaustive()
    }
}
