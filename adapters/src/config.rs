//! The settings of a server or a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use endwell_core::{OutboxLimits, http, ws};

use crate::ws::OutletLimits;
use crate::{Ended, Endpoints};

/// How a server treats its connections, or a client its own. A client uses the first four fields, `deflate` and
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
    /// The limits of HTTP, in bytes and time, and how strictly a client reads responses
    /// ([`Limits::reading`](http::Limits::reading)).
    pub http: http::Limits,
    /// The limits of WebSockets, in bytes and time.
    pub ws: ws::Limits,
    /// The limits of output that is queued for a peer.
    pub output: OutboxLimits,
    /// The limits of messages that the outlets of one WebSocket have accepted.
    pub outlet: OutletLimits,
    /// How WebSockets compress messages: a server's, if the client offers it, and a client's, if the server agrees.
    /// Default `None`: messages are not compressed. [`Acceptance::deflate`](ws::Acceptance::deflate) and
    /// [`Offer::deflate`](ws::Offer::deflate) override it for one connection.
    #[cfg(feature = "deflate")]
    pub deflate: Option<ws::Deflate>,
    /// The most connections of one listener at a time. Default 10,000. A full server stops accepting; new connections
    /// wait in the system's backlog.
    pub connections: usize,
    /// The most bytes that all connections of a listener may hold together, received and queued. Default 1 GiB. Above
    /// it no connection is accepted, and a new request gets 503.
    pub held_bytes: usize,
    /// The time that open exchanges have to end once a shutdown has begun. Default 30 s. After it they are cut off.
    pub shutdown_time: Duration,
    /// For a client: the time to connect, over all addresses of a name. Default 10 s: a lost first packet is sent again
    /// after 1 s, and again after 3 s.
    pub connect_time: Duration,
    /// A callback that is called once for each connection, with how it ended. Default: no callback.
    pub on_end: Option<OnEnd>,
}

/// A callback that receives how each connection ended. The connection's task calls it, so it must not block.
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
