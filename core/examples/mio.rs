//! A server on the core alone: one thread, any number of connections, and mio to wait for the sockets.
//!
//! `cargo run -p endwell-core --example mio -- 127.0.0.1:8080` answers `/` with a line, and `/later` with the same line a
//! second later. It echoes what is sent to `/echo` while it arrives, and the messages of a WebSocket at `/ws`. Ctrl-C ends
//! it in order.
//!
//! - `mio/driver.rs`: all connections, and when each has its turn;
//! - `mio/connection.rs`: the turn of one connection;
//! - `mio/state.rs`: the states of the core that a connection goes through;
//! - `mio/application.rs`: what is answered.
//!
//! The duties are those of `endwell_core::guide`.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a driver has a clock")]

use std::sync::Arc;
use std::time::Duration;

use endwell_core::http::HttpLimits;
use endwell_core::{OutboxLimits, ws};
use mio::net::TcpListener;

#[path = "mio/application.rs"]
mod application;
#[path = "mio/connection.rs"]
mod connection;
#[path = "mio/driver.rs"]
mod driver;
#[path = "mio/state.rs"]
mod state;
pub(crate) use driver::Driver;

/// What the server allows.
pub(crate) struct Settings {
    pub(crate) http: Arc<HttpLimits>,
    pub(crate) ws: Arc<ws::SocketLimits>,
    pub(crate) output: Arc<OutboxLimits>,
    /// Connections at once. More wait in the backlog.
    pub(crate) connections: usize,
    /// Bytes that connections hold together. Above it none is accepted, and one that holds more than its share ends.
    pub(crate) bytes: usize,
    /// The time that the application works for `/later`.
    pub(crate) later: Duration,
    /// The time that connections have to end once the server stops.
    pub(crate) grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let (http, ws, output) = Default::default();
        let (later, grace) = (Duration::from_secs(1), Duration::from_secs(10));
        Self { http, ws, output, connections: 10_000, bytes: 1 << 30, later, grace }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".into());
    let listener = TcpListener::bind(address.parse()?)?;
    println!("{}", listener.local_addr()?);
    let (driver, stop) = Driver::new(listener, Settings::default())?;
    ctrlc::set_handler(move || drop(stop.wake()))?;
    driver.run(|outcome| match outcome {
        Ok(outcome) => eprintln!("{outcome}"),
        Err(error) => eprintln!("{error}"),
    })?;
    Ok(())
}
