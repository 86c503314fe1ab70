//! HTTP/1.1 and WebSocket servers and clients in which every connection ends well, on tokio, async-std, smol and plain
//! threads.
//!
//! The protocol is [`endwell_core`]: pure state machines in which the right to write is an owned value. This crate
//! drives them over real sockets.
//!
//! ```no_run
//! use endwell::{Config, Exchange, http::StatusCode, serve};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     serve(listener, Config::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
//!     Ok(())
//! }
//! ```
//!
//! - [`serve`] accepts connections and gives each a task; [`Server`] serves one connection on any [`Transport`].
//! - A handler gets an [`Exchange`] and gives it up by answering. A handler that forgets to answer does not compile;
//!   one that panics or drops its exchange is answered for.
//! - [`Exchange::accept`] makes it a WebSocket: [`ws::Socket`], which ends in [`close`](ws::Socket::close).
//! - [`ws::Outlet`] is for many tasks that send over one WebSocket, and [`ws::Socket::split`] for two that share it.
//! - [`client`] is the other side: a [`Connection`](client::Connection) is the right to send the next request, a
//!   [`Pool`](client::Pool) keeps connections and shares them, and [`ws::connect`] opens a WebSocket.
//! - `tls`, with feature `rustls`, is a layer over any listener and any connector.
//! - Whatever is open has a deadline and whatever is held has a bound: [`Config`].
//!
//! # Runtimes
//!
//! The type of the listener says what serves it. Each has TCP and Unix listeners.
//!
//! | feature | listeners | a connection is | besides |
//! |---|---|---|---|
//! | `tokio` (default) | tokio's | a task, on either kind of its runtime | `tokio::Stream` |
//! | `async-std` | async-std's | a task | `futures_io::Stream` |
//! | `smol` | smol's | a task | `futures_io::Stream` |
//! | `blocking` | the standard library's | a thread | `blocking::handler` for handlers that are plain code |
//!
//! Features add up: one program can use all of them. The last three imply feature `futures-io`, whose
//! `futures_io::Stream` serves any byte stream of futures-io's.
//!
//! async-std is discontinued by its authors. Its sockets are made of the same parts as smol's, so the way out is two
//! lines, and no handler changes:
//!
//! ```text
//! async_std::net::TcpListener::bind(..)   becomes   smol::net::TcpListener::bind(..)
//! async_std::task::block_on(..)           becomes   smol::block_on(..)
//! ```
//!
//! # Compression
//!
//! With feature `deflate`, `Config::deflate` lets WebSockets compress messages (permessage-deflate, RFC 7692) where the
//! other end agrees. It brings zlib-rs in, which has unsafe code where this crate has none. What it holds, and when:
//! `ws::Deflate`.
//!
//! # When output is written
//!
//! What a handler answers is gathered, and written before the connection's task waits for anything: for input, for
//! a deadline, or for work of the handler's own. Pipelined requests cost few system calls, and no answer sits in
//! a buffer.
#![forbid(unsafe_code)]

#[cfg(feature = "async-std")]
pub mod async_std;
#[cfg(feature = "blocking")]
pub mod blocking;
mod body;
pub mod client;
mod conclusion;
mod config;
#[cfg(any(feature = "async-std", feature = "smol", feature = "blocking"))]
mod connected;
mod connection;
mod counters;
mod date;
mod ended;
mod exchange;
#[cfg(feature = "futures-io")]
pub mod futures_io;
mod hub;
mod random;
mod scratch;
mod serve;
mod server;
#[cfg(feature = "smol")]
pub mod smol;
mod sync;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod tcp;
#[cfg(feature = "rustls")]
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
mod transport;
mod upgraded;
mod wire;
pub mod ws;

pub use body::{Gone, Read, ReadAll, Ready, RequestBody, ResponseBody, Write, WriteError};
pub use bytes::Bytes;
pub use conclusion::{Answered, Conclusion};
pub use config::{Config, OnEnd};
pub use connection::Run;
pub use counters::Counters;
pub use ended::Ended;
pub use endwell_core as core;
pub use endwell_core::http;
pub use exchange::Exchange;
pub use serve::{Serve, serve};
pub use server::Server;
pub use transport::{Address, Connector, Endpoints, Listener, Transport, Truncated};
pub use upgraded::Upgraded;

/// The README's servers compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
