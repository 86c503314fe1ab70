//! Lets the hubs of many endwell programs be one, over [NATS](https://nats.io): a [`Backplane`](endwell::hub::Backplane).
//!
//! ```no_run
//! use endwell::hub::{Hub, HubConfig};
//! use endwell::tokio::Tokio;
//!
//! async fn hub() -> Result<Hub, endwell_nats::ConnectError> {
//!     let nats = endwell_nats::connect("nats://127.0.0.1:4222", "chat").await?;
//!     let (hub, node) = Hub::over(&Tokio, nats, HubConfig::default());
//!     tokio::spawn(node);
//!     Ok(hub)
//! }
//! ```
//!
//! All programs that use the same prefix on the same NATS are one hub. Core NATS is enough, of any version since 2.2: no
//! JetStream, nothing to set up.
//!
//! # What it does
//!
//! - **One subscription**, to everything below the prefix, however many topics and users there are.
//! - **It never waits.** The hub's messages wait in a queue of at most 1 MiB; one that is full refuses more, and the hub
//!   keeps them. A slow or hanging NATS holds up no connection.
//! - **It reconnects by itself**, at first within 0.1 s, then once a second. Each connection has a client of its own, and
//!   what the last one had taken and not written is dropped with it: the hub knows which messages the other nodes have
//!   heard, and sends the rest again once they listen. A client that sends what it kept as soon as it is back sends it to
//!   nodes that have not subscribed yet.
//! - **A NATS that hangs** is noticed after three [`ping_interval`](NatsConfig::ping_interval)s, 6 s by default. The hub
//!   notices after 2 s, when it no longer hears itself.
//! - **It works on every runtime.** The client of NATS needs tokio; it has a thread of its own, with a runtime of its own,
//!   so the program may be on any other.
//!
//! # What is on NATS
//!
//! Messages are published as they are: with the prefix `chat`, `nats pub chat.m.topic.lobby hello` says hello in the room
//! `lobby`. A client that may publish below the prefix can send to every connection and pretend to be a node: where others use
//! the same NATS, give the programs a user of their own with permission to publish and subscribe to `chat.>`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod backoff;
mod config;
mod connection;
mod error;
mod nats;
mod outgoing;
mod prefix;
mod shared;
mod status;
mod thread;

pub use async_nats::rustls;

pub use config::NatsConfig;
pub use error::ConnectError;
pub use nats::Nats;
pub use status::{NatsMonitor, NatsStatus};

/// Connects to NATS, with the defaults of [`NatsConfig`]: `NatsConfig::new(prefix).connect(url)`.
///
/// # Errors
///
/// If the prefix or the URL is invalid, or there is no connection: [`NatsConfig::connect`].
///
/// # Cancel safety
///
/// Dropping the future ends the attempt.
pub async fn connect(url: &str, prefix: &str) -> Result<Nats, ConnectError> {
    NatsConfig::new(prefix).connect(url).await
}
