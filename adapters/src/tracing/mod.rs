//! Spans and events of the crate `tracing`, for each connection and each exchange of a server.
//!
//! They need no setting: with feature `tracing` they go to the subscriber that the program has set, and cost a look at
//! its level if it wants none. All have the target [`TARGET`]. The names of fields are those of OpenTelemetry's semantic
//! conventions, where it has one.
//!
//! | span | level | field | what it is |
//! |---|---|---|---|
//! | `connection` | debug | `connection` | its number: the first part of a [`RequestId`] |
//! | | | `network.transport` | `tcp` or `unix` |
//! | | | `network.peer.address`, `network.peer.port` | the other side; the path of a Unix socket |
//! | `exchange` | info | `request` | its name: a [`RequestId`] |
//! | | | `http.request.method` | the method as it was sent |
//! | | | `url.scheme`, `url.path`, `url.query` | the parts of the target as they were sent |
//! | | | `network.protocol.version` | `1.0` or `1.1` |
//! | | | `http.response.status_code` | the status, once the exchange has ended |
//! | | | `http.request.body.size`, `http.response.body.size` | the bytes both ways, then too |
//! | | | `error.type` | what went wrong: [`ExchangeReport::error_type`] |
//!
//! The parent of an exchange is its connection, unless connections are filtered out; that of a connection is the span in
//! which it was accepted. A request that was refused has a span too, and lacks what could not be read.
//!
//! | event | level | field | what it is |
//! |---|---|---|---|
//! | `exchange ended` | info, or error if its handler failed or panicked | `elapsed` | the time since the head of its request |
//! | | | `cause` | [`ExchangeReport::cause`], if there is one |
//! | | | `error` | the error that the handler returned, if it did |
//! | `connection ended` | debug | `cause` | how it ended |
//! | `member joined`, `logged in`, `logged out`, `subscribed`, `unsubscribed`, `left` | debug | `member`, `user`, `topic`, ... | each change of a hub, also on other nodes |
//! | `node up`, `node ended`, `the other nodes are heard again` | info | `node` | other nodes of a hub |
//! | `node lost`, `cut off from the other nodes`, `messages of a node are lost`, `a node misses messages` | warn | `node`, `count` | what goes wrong between them |
//!
//! The span of an exchange is entered whenever its handler is called, polled or dropped, and in the thread of a
//! `blocking::handler`. So what a handler logs is within it. A task that the handler spawns is the program's own:
//! `tracing::Instrument` gives it the span.
//!
//! ```no_run
//! use endwell::{Answered, Exchange, http::StatusCode};
//!
//! async fn hello(exchange: Exchange) -> Answered {
//!     tracing::info!("says hello"); // within the span `exchange`
//!     exchange.respond(StatusCode::OK, "hello")
//! }
//! ```

use std::net::IpAddr;

use endwell_core::http::RequestHead;
use tracing::field::{Empty, display};
use tracing::{Level, Span};

use crate::server::{ExchangeReport, HandlerEnd};
use crate::{Address, Ended, Info, RequestId};

/// The target of all spans and events.
pub const TARGET: &str = "endwell";

/// The span of a connection, if a subscriber wants it. Boxed: each connection has room for one.
pub(crate) struct ConnectionSpan(Option<Box<Span>>);

/// The span of an exchange.
#[derive(Clone)]
pub(crate) struct ExchangeSpan(Span);

impl ConnectionSpan {
    /// Without a span: a client has none.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(number: u64, info: &Info) -> Self {
        let (transport, path) = match &info.peer {
            Address::Tcp(_) => (Some("tcp"), None),
            Address::Unix(path) => (Some("unix"), path.as_deref()),
            Address::Unknown => (None, None),
        };
        let span = tracing::debug_span!(
            target: TARGET,
            "connection",
            connection = number,
            network.transport = transport,
            network.peer.address = Empty,
            network.peer.port = Empty,
        );
        if span.is_disabled() {
            return Self(None);
        }
        if let Address::Tcp(peer) = &info.peer {
            let address: IpAddr = peer.ip();
            span.record("network.peer.address", display(address)).record("network.peer.port", peer.port());
        } else if let Some(path) = path {
            span.record("network.peer.address", display(path.display()));
        }
        Self(Some(span.into()))
    }

    pub(crate) fn end(&self, ended: &Ended) {
        if let Some(span) = &self.0 {
            tracing::debug!(target: TARGET, parent: &**span, cause = %ended, "connection ended");
        }
    }
}

impl ExchangeSpan {
    /// True if a subscriber wants spans of exchanges.
    #[inline]
    pub(crate) fn is_wanted() -> bool {
        tracing::enabled!(target: TARGET, Level::INFO)
    }

    /// True if a subscriber wants this one.
    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        !self.0.is_none()
    }

    pub(crate) fn none() -> Self {
        Self(Span::none())
    }

    pub(crate) fn new(
        connection: &ConnectionSpan,
        id: RequestId,
        head: Option<&RequestHead>,
        info: &Info,
    ) -> Self {
        let version = head.map(|head| head.version().to_string());
        Self(tracing::info_span!(
            target: TARGET,
            parent: connection.0.as_ref().and_then(|span| span.id()),
            "exchange",
            request = %id,
            http.request.method = head.map(|head| head.method().as_str()),
            url.scheme = if info.is_secure { "https" } else { "http" },
            url.path = head.map(RequestHead::path),
            url.query = head.and_then(RequestHead::query),
            network.protocol.version = version.as_deref().and_then(|version| version.strip_prefix("HTTP/")),
            http.response.status_code = Empty,
            http.request.body.size = Empty,
            http.response.body.size = Empty,
            error.type = Empty,
        ))
    }

    /// Does something within the span.
    #[inline]
    pub(crate) fn enter<R>(&self, act: impl FnOnce() -> R) -> R {
        self.0.in_scope(act)
    }

    pub(crate) fn end(&self, report: &ExchangeReport) {
        let span = &self.0;
        if let Some(status) = report.status() {
            span.record("http.response.status_code", status);
        }
        span.record("http.request.body.size", report.received_bytes());
        span.record("http.response.body.size", report.sent_bytes());
        if let Some(kind) = report.error_type() {
            span.record("error.type", kind);
        }
        let cause = report.cause().map(display);
        let error = report.error().map(display);
        let elapsed = report.time();
        let is_handlers = matches!(report.handler_end(), Some(HandlerEnd::Failed(_) | HandlerEnd::Panicked));
        if is_handlers {
            tracing::error!(target: TARGET, parent: span, ?elapsed, cause, error, "exchange ended");
        } else {
            tracing::info!(target: TARGET, parent: span, ?elapsed, cause, error, "exchange ended");
        }
    }
}

/// The span that is entered, for another thread.
#[cfg(feature = "blocking")]
pub(crate) fn current() -> ExchangeSpan {
    ExchangeSpan(Span::current())
}
