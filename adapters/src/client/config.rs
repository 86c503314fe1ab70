//! The settings of a client.

use std::time::Duration;

use endwell_core::{OutboxLimits, http, ws};

use crate::ws::OutletLimits;

/// How a client treats its connections. Every field has a default.
///
/// [`Connection::connect`](super::Connection::connect), [`Pool`](super::Pool), [`Connection::over`](super::Connection::over) and
/// [`ws::Socket::connect`](crate::ws::Socket::connect) use it.
///
/// ```
/// use std::time::Duration;
///
/// use endwell::ClientConfig;
///
/// let mut config = ClientConfig::default();
/// config.connect_time = Duration::from_secs(3);
/// config.http.response_time = Some(Duration::from_secs(20));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The limits of HTTP, in bytes and time, and how strictly responses are read
    /// ([`HttpLimits::reading`](http::HttpLimits::reading)).
    pub http: http::HttpLimits,
    /// The limits of WebSockets, in bytes and time.
    pub ws: ws::SocketLimits,
    /// The limits of output that is queued for a server.
    pub output: OutboxLimits,
    /// The limits of messages that the outlets of one WebSocket have accepted.
    pub outlet: OutletLimits,
    /// How WebSockets compress messages, if the server agrees. Default `None`: messages are not compressed.
    /// [`Offer::deflate`](ws::Offer::deflate) overrides it for one connection.
    #[cfg(feature = "deflate")]
    pub deflate: Option<ws::Deflate>,
    /// The time to connect, over all addresses of a name, with TLS and proxies. Default 10 s: a lost first packet is sent
    /// again after 1 s, and again after 3 s. [`Connection::over`](super::Connection::over) does not connect.
    pub connect_time: Duration,
    /// How long a WebSocket whose server has closed it or left stays open while the application receives none of what
    /// came before. Default 10 s; `None`: without an end.
    pub half_closed: Option<Duration>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            http: http::HttpLimits::default(),
            ws: ws::SocketLimits::default(),
            output: OutboxLimits::default(),
            outlet: OutletLimits::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
            connect_time: Duration::from_secs(10),
            half_closed: Some(Duration::from_secs(10)),
        }
    }
}
