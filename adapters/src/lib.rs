//! HTTP/1.1 and WebSocket servers in which every connection ends well, on tokio and async-std.
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
//! - Whatever is open has a deadline and whatever is held has a bound: [`Config`].
//!
//! # Runtimes
//!
//! Feature `tokio` (default) has [`tokio::Stream`], and `serve` on `tokio::net::{TcpListener, UnixListener}`. Feature
//! `async-std` has `async_std::Stream`, and the same listeners of async-std. Features add up. async-std is
//! discontinued by its authors; its transport here is made of `futures-io` and `async-io`, as smol is, so there is
//! a way out.
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
mod conclusion;
mod config;
mod connection;
mod counters;
mod date;
mod ended;
mod exchange;
#[cfg(feature = "futures-io")]
pub mod futures_io;
mod hub;
mod scratch;
mod serve;
mod server;
#[cfg(feature = "smol")]
pub mod smol;
mod sync;
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
pub use transport::{Address, Endpoints, Listener, Transport};
pub use upgraded::Upgraded;

/// The README's server compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
