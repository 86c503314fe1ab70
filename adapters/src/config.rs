//! What a server or a client can be told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use endwell_core::{OutboxLimits, http, ws};

use crate::ws::OutletLimits;
use crate::{Ended, Endpoints};

/// How a server treats its connections, or a client its own: of these the first four count, and
/// [`connect_time`](Self::connect_time). Every field has a default.
///
/// ```
/// use endwell::Config;
///
/// let mut config = Config::default();
/// config.http.body_bytes = 1 << 20;
/// config.connections = 500;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The bounds of HTTP: bytes and times; and how strictly a client reads responses
    /// ([`Limits::reading`](http::Limits::reading)).
    pub http: http::Limits,
    /// The bounds of WebSockets: bytes and times.
    pub ws: ws::Limits,
    /// The bounds of what is queued for a peer.
    pub output: OutboxLimits,
    /// The bounds of what the outlets of one WebSocket have accepted.
    pub outlet: OutletLimits,
    /// How WebSockets compress messages: a server's, where the client offers it, and a client's, where the server agrees.
    /// Default `None`: they do not. One connection can do otherwise:
    /// [`Acceptance::deflate`](ws::Acceptance::deflate), [`Offer::deflate`](ws::Offer::deflate).
    #[cfg(feature = "deflate")]
    pub deflate: Option<ws::Deflate>,
    /// Connections at one time, for each listener. Default 10,000. A full server stops accepting; new connections
    /// wait in the system's backlog.
    pub connections: usize,
    /// Bytes that all connections of a listener together may hold, received and queued. Default 1 GiB. Above it no
    /// connection is accepted, and a new request gets 503.
    pub held_bytes: usize,
    /// The time that open exchanges have to end after a shutdown began. Default 30 s; then they are cut off.
    pub shutdown_time: Duration,
    /// A client's: the time to connect, all addresses of a name together. Default 10 s: a first
    /// packet that is lost is sent again after 1 s, and after 3 s.
    pub connect_time: Duration,
    /// Called once for each connection, with how it ended. Default: nothing.
    pub on_end: Option<OnEnd>,
}

/// Is told how each connection ended. Called by the connection's task: it must not block.
pub type OnEnd = Arc<dyn Fn(&Endpoints, &Ended) + Send + Sync>;

impl Default for Config {
    fn default() -> Self {
        Self {
            http: http::Limits::default(),
            ws: ws::Limits::default(),
            output: OutboxLimits::default(),
            outlet: OutletLimits::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
            connections: 10_000,
            held_bytes: 1 << 30,
            shutdown_time: Duration::from_secs(30),
            connect_time: Duration::from_secs(10),
            on_end: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Config");
        #[cfg(feature = "deflate")]
        shown.field("deflate", &self.deflate);
        shown
            .field("http", &self.http)
            .field("ws", &self.ws)
            .field("output", &self.output)
            .field("outlet", &self.outlet)
            .field("connections", &self.connections)
            .field("held_bytes", &self.held_bytes)
            .field("shutdown_time", &self.shutdown_time)
            .field("connect_time", &self.connect_time)
            .finish_non_exhaustive()
    }
}
