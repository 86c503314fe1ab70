//! The settings of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use endwell_core::{OutboxLimits, http, ws};

use crate::ws::OutletLimits;
use crate::{Ended, ExchangeReport, Info};

/// How a server treats its connections. Every field has a default.
///
/// ```
/// use endwell::ServerConfig;
///
/// let mut config = ServerConfig::default();
/// config.http.body_bytes = 1 << 20;
/// config.connections = 500;
///
/// // Or chained:
/// let config = ServerConfig::default()
///     .with(|config| config.http.body_bytes = 1 << 20)
///     .connections(500)
///     .on_end(|info, ended| eprintln!("{}: {ended}", info.peer));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The limits of HTTP, in bytes and time. Those for a client's responses do not apply.
    pub http: http::HttpLimits,
    /// The limits of WebSockets, in bytes and time.
    pub ws: ws::SocketLimits,
    /// The limits of output that is queued for a client.
    pub output: OutboxLimits,
    /// The limits of messages that the outlets of one WebSocket have accepted.
    pub outlet: OutletLimits,
    /// How WebSockets compress messages, if the client offers it. Default `None`: messages are not compressed.
    /// [`Acceptance::deflate`](ws::Acceptance::deflate) overrides it for one connection.
    #[cfg(feature = "deflate")]
    pub deflate: Option<ws::Deflate>,
    /// The most connections of a server at a time, over all of its listeners. Default 10,000.
    ///
    /// When another one waits, a full server closes connections that have been idle for 0.5 s or more, the longest idle
    /// first: between two requests, or without a first byte. If none is idle, the one that holds most is cut off, among
    /// those that have waited 5 s for their peers: for the rest of a head, a body or a large message, or for a response
    /// to be taken. Busy handlers and quiet WebSockets stay, and a new connection waits for them.
    /// [`Counters::shed`](crate::Counters::shed) counts what was closed, and [`on_end`](Self::on_end) is told
    /// [`Limit::Connections`](endwell_core::Limit::Connections).
    pub connections: usize,
    /// The most bytes that all connections of a server may hold together: received and not taken by a handler, and
    /// queued. A body counts while [`Exchange::read_all`](crate::Exchange::read_all) gathers it. Default 1 GiB.
    ///
    /// Above 7/8 of it, connections that hold more than 64 KiB are not read, and those that hold most are shed until 3/4
    /// are left. A WebSocket gets a Close with 1013; a request without a response gets 503, or 413 if its body is what is
    /// held; a response that has begun is cut off by a reset, and so is a connection whose queue is larger than 64 KiB.
    /// A connection is spared while it mostly holds output of which its peer takes 16 KiB and a 64th a second. If those
    /// alone hold more than the limit, a new request gets 503. [`Counters::shed`](crate::Counters::shed) counts what was
    /// shed, and [`on_end`](Self::on_end) is told [`Limit::HeldBytes`](endwell_core::Limit::HeldBytes).
    ///
    /// A connection that holds up to 64 KiB is never shed for this, so the limit should be more than that for each of
    /// [`connections`](Self::connections).
    pub held_bytes: usize,
    /// Decides whether a connection is served. Default `None`: every connection is.
    ///
    /// It is called with the [`Info`] of a new connection, before a TLS handshake, and with the number of other connections
    /// from its address, open or waiting for a place. For IPv6 the first 64 bits count as the address, and all peers without an IP address count as one. If it
    /// returns false, the connection is dropped at once, and [`Counters::not_admitted`](crate::Counters::not_admitted)
    /// counts it. The accept loop calls it, so it must not block.
    ///
    /// ```
    /// use endwell::ServerConfig;
    ///
    /// let mut config = ServerConfig::default();
    /// config.admit = Some(std::sync::Arc::new(|_, open| open < 100));
    /// ```
    pub admit: Option<Admit>,
    /// The time that open exchanges have to end once a shutdown has begun with [`Serve::until`](crate::Serve::until), or
    /// since a [`Server`](crate::Server) or a [`Serve`](crate::Serve) was dropped. Default 30 s. After it they are cut off.
    pub shutdown_time: Duration,
    /// What becomes of a handler whose connection has ended. Default [`OnGone::Cancel`].
    /// [`Exchange::set_on_gone`](crate::Exchange::set_on_gone) overrides it for one exchange.
    pub on_gone: OnGone,
    /// How long a peer that has ended its side of the stream can let the handler work. Default 10 s; `None`: without an
    /// end. A peer that has only ended its side is still sent its answer (RFC 9112 9.6), but it cannot be told from one
    /// that has left. The time starts again whenever it takes some of the answer, and stands still while it has some to
    /// take, which has a pace of its own ([`OutboxLimits::pace`]). After it the connection is reset.
    pub half_closed: Option<Duration>,
    /// The time that a handler has after its connection has ended, if its exchange was answered, or became a WebSocket
    /// or another protocol. Default 5 s: enough to leave rooms and write a log. With [`OnGone::Cancel`] it is then
    /// dropped.
    pub handler_grace: Duration,
    /// The time of a handler, from its request on. Default `None`: without an end. A handler that takes longer is
    /// dropped. If it has not answered, the response is 503, and one that it has begun is cut off. A WebSocket, a
    /// switch and a tunnel end this time: they have limits of their own.
    /// [`Exchange::set_handler_time`](crate::Exchange::set_handler_time) overrides it for one exchange.
    pub handler_time: Option<Duration>,
    /// A callback that is called for each connection that is admitted, before its first request. It may add facts to the
    /// [`Info`], which every exchange of the connection sees: [`Exchange::info`](crate::Exchange::info). Default: no callback.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use endwell::{Answered, Exchange, ServerConfig, http::StatusCode};
    ///
    /// #[derive(Default)]
    /// struct Visits(AtomicU64);
    ///
    /// let config = ServerConfig::default()
    ///     .on_begin(|info| info.insert(Visits::default()))
    ///     .on_end(|info, _| println!("{:?}", info.get::<Visits>().map(|visits| &visits.0)));
    ///
    /// async fn count(exchange: Exchange) -> Answered {
    ///     let visit = exchange.info::<Visits>().map(|visits| visits.0.fetch_add(1, Ordering::Relaxed) + 1);
    ///     exchange.respond(StatusCode::OK, format!("{visit:?}"))
    /// }
    /// ```
    pub on_begin: Option<OnBegin>,
    /// A callback that is called once for each connection, with how it ended. Default: no callback.
    pub on_end: Option<OnEnd>,
    /// A callback that is called once for each exchange, when it has ended, with what became of it: [`ExchangeReport`].
    /// Refused requests, 503s of a server that holds too much, panics, and exchanges that a client, a limit or the end of
    /// the server cut off are among them. Default: no callback, which costs nothing.
    pub on_exchange: Option<OnExchange>,
    /// True if connections and exchanges are counted and measured by the crate `metrics`: see [`metrics`](crate::metrics) for
    /// the names. Default false.
    #[cfg(feature = "metrics")]
    pub metrics: bool,
}

/// What becomes of a handler whose connection has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnGone {
    /// Its future is dropped, since no client is left to read its response.
    ///
    /// It is polled once more first, so that what it waits for can tell it; if it still waits then, it is dropped. A
    /// handler that has answered, or holds a WebSocket or another protocol, is dropped after
    /// [`ServerConfig::handler_grace`].
    #[default]
    Cancel,
    /// It runs to its end, for example because it has begun to change something. Until then its connection counts among
    /// [`ServerConfig::connections`]: bound it by [`ServerConfig::handler_time`].
    Finish,
}

/// Decides whether a connection is served, by what is known of it and the number of connections that its address has
/// already.
pub type Admit = Arc<dyn Fn(&Info, usize) -> bool + Send + Sync>;

/// A callback that receives what is known of each new connection, and may add to it. It is called where the connection was
/// accepted, so it must not block.
pub type OnBegin = Arc<dyn Fn(&mut Info) + Send + Sync>;

/// A callback that receives how each connection ended. The connection's task calls it, so it must not block.
pub type OnEnd = Arc<dyn Fn(&Info, &Ended) + Send + Sync>;

/// A callback that receives what became of each exchange. The connection's task calls it, so it must not block, nor panic.
pub type OnExchange = Arc<dyn Fn(&ExchangeReport) + Send + Sync>;

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            http: http::HttpLimits::default(),
            ws: ws::SocketLimits::default(),
            output: OutboxLimits::default(),
            outlet: OutletLimits::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
            connections: 10_000,
            held_bytes: 1 << 30,
            admit: None,
            shutdown_time: Duration::from_secs(30),
            on_gone: OnGone::default(),
            half_closed: Some(Duration::from_secs(10)),
            handler_grace: Duration::from_secs(5),
            handler_time: None,
            on_begin: None,
            on_end: None,
            on_exchange: None,
            #[cfg(feature = "metrics")]
            metrics: false,
        }
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ServerConfig");
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
            .field("on_gone", &self.on_gone)
            .field("half_closed", &self.half_closed)
            .field("handler_grace", &self.handler_grace)
            .field("handler_time", &self.handler_time)
            .finish_non_exhaustive()
    }
}
