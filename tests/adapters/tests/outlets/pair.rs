//! Two sockets with a wire between them, both driven.

use std::sync::Arc;
use std::time::Duration;

use endwell::core::ws::{self as core_ws, Deflate, Masks, Role};
use endwell::tokio::{Stream, Tokio};
use endwell::ws::{Jitter, Socket, SocketLimits};
use endwell::{Ended, ServerConfig};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

/// What must come comes sooner.
pub(crate) const LONG: Duration = Duration::from_secs(10);

pub(crate) struct Pair {
    pub(crate) server: Socket,
    pub(crate) client: Socket,
    pub(crate) server_task: JoinHandle<Ended>,
}

/// A server with the bounds of `config`, and a client with the usual ones. The wire holds `wire` bytes each way.
pub(crate) fn pair(config: &ServerConfig, wire: usize) -> Pair {
    let (one, other) = tokio::io::duplex(wire);
    let (server, driver) =
        Socket::over(Stream::new(one), Tokio, web_socket(Role::Server, config), &config.into());
    let server_task = tokio::spawn(driver);
    let config = ServerConfig::default();
    let masks = Masks::new(|| [1, 2, 3, 4]);
    let (client, driver) =
        Socket::over(Stream::new(other), Tokio, web_socket(Role::Client(masks), &config), &(&config).into());
    tokio::spawn(driver);
    Pair { server, client, server_task }
}

/// A client that may receive compressed messages, and the bytes of a server: nobody reads what it is sent.
pub(crate) fn with_raw_server() -> (Socket, DuplexStream) {
    let (one, other) = tokio::io::duplex(4096);
    let config = ServerConfig::default();
    let deflate = Arc::new(Deflate::default());
    let agreement = deflate.confirm([&b"permessage-deflate"[..]]).unwrap().unwrap();
    let client = web_socket(Role::Client(Masks::new(|| [1, 2, 3, 4])), &config).deflate(&agreement);
    let (client, driver) = Socket::over(Stream::new(one), Tokio, client, &(&config).into());
    tokio::spawn(driver);
    (client, other)
}

fn web_socket(role: Role, config: &ServerConfig) -> core_ws::Socket {
    let limits: Arc<SocketLimits> = config.ws.clone().into();
    core_ws::Socket::from_parts(role, bytes::Bytes::new(), limits, config.output, Jitter::default(), None)
}
