//! TLS over another listener.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConnection;

use super::TlsStream;
use super::handshake::Handshake;
use super::places::Places;
use super::session::Session;
use super::shared::SharedServerConfig;
use crate::info::{Address, Info};
use crate::runtime::Runtime as _;
use crate::transport;

/// TLS as a layer over another listener, to [serve](crate::serve()).
///
/// A handshake is part of its connection's own task: it delays no other connection. One that fails ends only its
/// connection, with an [`EndedKind::Transport`](crate::EndedKind::Transport) that holds the reason
/// ([`ServerConfig::on_end`](crate::ServerConfig::on_end)). A server that stops ends the handshakes in progress. Their number is
/// bounded: at the bound, the first bytes of other connections wait in turn. A connection that has sent nothing does not count.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use endwell::{ServerConfig, Exchange, http::StatusCode, serve, tls};
///
/// let config = tls::server_config(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let listener = tls::TlsListener::new(tokio::net::TcpListener::bind("127.0.0.1:8443").await?, config);
/// serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TlsListener<L> {
    inner: L,
    config: SharedServerConfig,
    time: Duration,
    places: Arc<Places>,
}

impl<L> TlsListener<L> {
    /// Makes a layer over `inner`, with a configuration such as that of [`server_config`](super::server_config): a
    /// [`SharedServerConfig`] can be replaced later. Early data (RFC 8446 2.3) is never accepted, whatever the configuration
    /// sets, since it can be replayed.
    pub fn new(inner: L, config: impl Into<SharedServerConfig>) -> Self {
        Self { inner, config: config.into(), time: TIME, places: Places::new(AT_ONCE) }
    }

    /// Sets the time that a handshake may take, from the accepting on. Default 10 s, as for a request's head.
    pub fn handshake_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Sets how many handshakes may be in progress at once; at least one. Default 1,024: each costs the server more
    /// than the client, and holds up to 64 KiB.
    pub fn handshakes(mut self, at_once: usize) -> Self {
        self.places = Places::new(at_once);
        self
    }
}

impl<L: transport::Listener + Sync> transport::Listener for TlsListener<L> {
    type Transport = TlsStream<L::Transport>;
    type Runtime = L::Runtime;

    async fn accept(&self) -> io::Result<(Self::Transport, Info)> {
        let (transport, mut info) = self.inner.accept().await?;
        let connection = ServerConnection::new(self.config.current()).map_err(io::Error::other)?;
        let handshake = Handshake::bounded(self.time, self.runtime().sleep(self.time), self.places.place());
        let stream = TlsStream::tls(Session::new(transport, connection, handshake));
        stream.describe(&mut info);
        Ok((stream, info))
    }

    fn runtime(&self) -> L::Runtime {
        self.inner.runtime()
    }

    fn local_address(&self) -> Address {
        self.inner.local_address()
    }
}

const TIME: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 1024;
