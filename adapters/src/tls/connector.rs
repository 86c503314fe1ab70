//! TLS over another connector.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::TlsStream;
use crate::Info;
use crate::client::Origin;
use crate::transport;

/// TLS as a layer over another connector. That one connects, to the server or through a proxy; this one does the
/// handshake and checks the server's certificate against the host of the origin. An origin without TLS is passed
/// through.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use endwell::{ClientConfig, tls, tokio::Tcp, ws};
///
/// let connector = tls::TlsConnector::new(Tcp, tls::client_config(tls::webpki_roots())?);
/// let mut socket = ws::Socket::connect(&connector, "wss://example.com/chat", &ClientConfig::default()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TlsConnector<C> {
    inner: C,
    config: Arc<ClientConfig>,
}

impl<C> TlsConnector<C> {
    /// Makes a layer over `inner`, with a configuration such as that of [`client_config`](super::client_config).
    pub fn new(inner: C, config: impl Into<Arc<ClientConfig>>) -> Self {
        Self { inner, config: config.into() }
    }
}

impl<C: transport::Connector> transport::Connector for TlsConnector<C> {
    type Transport = TlsStream<C::Transport>;
    type Runtime = C::Runtime;

    /// A failed check of the certificate is an [`io::Error`] of kind `InvalidData` with a [`rustls::Error`] inside.
    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Info)> {
        if !origin.is_secure() {
            let (transport, info) = self.inner.connect(origin).await?;
            return Ok((TlsStream::plain(transport), info));
        }
        let name = server_name(origin.host_without_zone())?;
        let (transport, mut info) = self.inner.connect(&origin.without_tls()).await?;
        let mut stream = TlsStream::client(transport, Arc::clone(&self.config), name)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        stream.describe(&mut info);
        std::future::poll_fn(|cx| stream.poll_open(cx)).await?;
        Ok((stream, info))
    }

    fn runtime(&self) -> C::Runtime {
        self.inner.runtime()
    }
}

fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let text = format!(
            "expected a name or an address that a certificate can be for, got \"{}\" (RFC 9110 4.3.4)",
            host.escape_default()
        );
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}
