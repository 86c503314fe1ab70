//! HTTP/1.1 and WebSocket servers and clients in which every connection ends well, on tokio, async-std, smol and plain
//! threads.
//!
//! The protocol is [`endwell_core`]: pure state machines in which the right to write is an owned value. This crate
//! drives them over real sockets.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use endwell::{Answered, Exchange, ServerConfig, http::StatusCode, serve, with_state};
//!
//! struct App {
//!     greeting: String,
//! }
//!
//! async fn hello(app: Arc<App>, exchange: Exchange) -> Answered {
//!     exchange.respond(StatusCode::OK, app.greeting.clone())
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Arc::new(App { greeting: "hello".into() });
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     serve(listener, ServerConfig::default(), with_state(app, hello)).await;
//!     Ok(())
//! }
//! ```
//!
//! - [`serve`] accepts connections and gives each its own task. A [`Server`] has any number of listeners, also serves
//!   connections that the program accepts itself, on any [`Transport`], and shuts down with a [`Report`].
//! - [`Info`] has what is known of a connection: its two ends, and what its layers know, such as TLS.
//! - A handler receives an [`Exchange`] and gives it up by responding. A handler that forgets to respond does not
//!   compile; if one panics or drops its exchange, the connection's task responds in its place. It may return any error,
//!   which is told to [`ServerConfig::on_exchange`]; [`HandlerError`] chooses the response for it.
//! - [`Exchange::accept`] turns an exchange into a WebSocket: [`ws::Socket`], which ends with
//!   [`close`](ws::Socket::close).
//! - [`ws::Outlet`] lets many tasks send over one WebSocket, and [`ws::Socket::split`] lets two tasks share it.
//! - `hub`, with feature `hub`, knows all open WebSockets: their users and topics, and sends one message to many.
//! - [`client`] is the other side: a [`Connection`](client::Connection) is the right to send the next request, a
//!   [`Pool`](client::Pool) keeps connections and shares them, and [`ws::Socket::connect`] opens a WebSocket, and
//!   [`ws::Reconnecting`] opens it again when it is lost.
//! - `tls`, with feature `rustls`, is a layer over any listener and any connector.
//! - Every wait has a deadline and every buffer has a bound: [`ServerConfig`] and [`ClientConfig`].
//! - A test needs no sockets: [`Server::connection`] and [`client::Connection::over`] take the two ends of a pipe in memory,
//!   such as those of `tokio::io::duplex` in a `tokio::Stream`.
//!
//! # Runtimes
//!
//! The type of the listener selects the runtime. Each runtime has TCP and Unix listeners.
//!
//! | feature | listeners | a connection is | [`Runtime`] | also |
//! |---|---|---|---|---|
//! | `tokio` (default) | tokio's | a task, on either kind of its runtime | `tokio::Tokio` | `tokio::Stream` |
//! | `async-std` | async-std's | a task | `async_std::AsyncStd` | `futures_io::Stream` |
//! | `smol` | smol's | a task | `smol::Smol` | `futures_io::Stream` |
//! | `blocking` | the standard library's | a thread | `blocking::Threads` | `blocking::handler` for handlers without async |
//!
//! Features add up: one program can use all of them. The last three imply feature `futures-io`, whose
//! `futures_io::Stream` serves any byte stream that implements the traits of futures-io.
//!
//! A [`Transport`] only moves bytes. Tasks and time are the [`Runtime`]'s, which [`Server::connection`],
//! [`client::Connection::over`] and [`ws::Socket::over`] take beside the transport. To support another runtime,
//! implement [`Runtime`] and its [`Timer`], and [`Listener`] and [`Connector`] for its sockets.
//!
//! async-std is discontinued by its authors. Its sockets have the same parts as smol's, so a move to smol changes two
//! lines and no handler:
//!
//! ```text
//! async_std::net::TcpListener::bind(..)   becomes   smol::net::TcpListener::bind(..)
//! async_std::task::block_on(..)           becomes   smol::block_on(..)
//! ```
//!
//! # Other crates
//!
//! Each is behind a feature, and none is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `http` | conversions between heads, fields, methods, status codes and URLs and those of the `http` crate |
//! | `http-body` | bodies that are `http_body::Body`, and any such body as what is sent: `Exchange::respond_with` |
//! | `futures` | bodies and WebSockets that are streams and sinks |
//! | `tower` | `with_service`: any `tower::Service` as a handler, such as a router of axum with layers of tower-http |
//! | `axum`, `hyper`, `http2` | `ws::WebSocketUpgrade` under `axum::serve` and hyper too, also over HTTP/2 |
//! | `proxy-protocol` | `proxy_protocol::ProxyProtocol`: the addresses of clients behind a proxy that passes TCP on |
//! | `tracing` | a span for each connection and each exchange of a server: the module `tracing` |
//! | `metrics` | `ServerConfig::metrics`: counters, gauges and histograms, for Prometheus and others: the module `metrics` |
//! | `cluster` | `hub::Hub::over`: a hub on many nodes, over a bus between them |
//! | `percent-encoding` | `Exchange::path_segments` and `Exchange::query_pairs` |
//!
//! Bodies and byte streams also have the I/O traits of tokio (feature `tokio`) and of futures-io (feature `futures-io`).
//!
//! # Compression
//!
//! With feature `deflate`, `ServerConfig::deflate` and `ClientConfig::deflate` let WebSockets compress messages
//! (permessage-deflate, RFC 7692) if the other end agrees. The feature adds zlib-rs, which contains unsafe code; this crate
//! contains none. `ws::Deflate` documents how much memory it holds, and when.
//!
//! # When output is written
//!
//! A response is queued, and written before the connection's task waits: for input, for a deadline, or for the handler. So
//! pipelined requests cost few system calls, and no response is left in a buffer.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a right asks for its own state, and treats all others alike"
)]

#[cfg(feature = "async-std")]
pub mod async_std;
#[cfg(feature = "blocking")]
pub mod blocking;
mod body;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod byte_streams;
pub mod client;
mod config;
mod configure;
mod connection;
mod date;
mod ended;
#[cfg(feature = "futures-io")]
pub mod futures_io;
pub mod http;
#[cfg(feature = "hub")]
pub mod hub;
mod info;
mod io_error;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics/off.rs"]
mod metrics;
mod news;
mod once;
#[cfg(feature = "proxy-protocol")]
pub mod proxy_protocol;
mod random;
mod runtime;
mod scratch;
mod server;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(any(feature = "async-std", feature = "smol", feature = "blocking"))]
mod sockets;
mod sync;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod tcp;
#[cfg(feature = "rustls")]
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tower")]
mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
#[cfg(not(feature = "tracing"))]
#[path = "tracing/off.rs"]
mod tracing;
mod transport;
mod upgraded;
pub mod ws;

#[cfg(feature = "http-body")]
pub use body::BodyError;
pub use body::{ReadAll, ReadRequest, Ready, RequestReader, ResponseWriter, Write, WriteError};
pub use bytes::Bytes;
pub use client::ClientConfig;
pub use config::{Admit, OnBegin, OnEnd, OnExchange, OnGone, ServerConfig};
pub use connection::Driver;
pub use ended::{Ended, EndedKind};
pub use endwell_core as core;
pub use endwell_core::http::server::NotSwitched;
pub use endwell_core::{Bound, Exceeded, Instant, Limit, OutboxLimits, Pace, Total, Violation};
pub use info::{Address, Info};
pub use news::{Gone, HalfClosed, Stopping};
pub use runtime::{Runtime, Timer};
pub use server::{
    Answered, Counters, Exchange, ExchangeReport, HandlerEnd, HandlerError, IntoAnswered, Late, Listening,
    MessageCounts, Report, RequestId, Responder, Run, Serve, Server, Shutdown, Stage, serve, with_state,
};
#[cfg(feature = "tower")]
pub use tower::{WithService, with_service};
pub use transport::{Connector, Listener, Transport, Truncated};
pub use upgraded::Upgraded;

/// Compiles the servers in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Compiles what the pages for users of other libraries show.
#[cfg(all(doctest, feature = "axum", feature = "deflate"))]
mod coming_from {
    #[doc = include_str!("../../docs/coming-from/tungstenite.md")]
    struct Tungstenite;
    #[doc = include_str!("../../docs/coming-from/fastwebsockets.md")]
    struct Fastwebsockets;
    #[doc = include_str!("../../docs/coming-from/hyper.md")]
    struct Hyper;
    #[doc = include_str!("../../docs/coming-from/gorilla.md")]
    struct Gorilla;
    #[doc = include_str!("../../docs/coming-from/npm-ws.md")]
    struct NpmWs;
}
