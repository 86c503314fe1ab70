//! What a handshake has found out.

use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, Connection, ProtocolVersion};

/// The facts of a TLS connection, known since the end of its handshake. So a handler always has them:
/// [`Exchange::info`](crate::Exchange::info), and for a client [`Connection::info`](crate::client::Connection::info).
///
/// ```
/// use endwell::{Answered, Exchange, http::StatusCode, tls::TlsInfo};
///
/// async fn whoami(exchange: Exchange) -> Answered {
///     let certificate = exchange.info::<TlsInfo>().and_then(|tls| tls.peer_certificates.first());
///     match certificate.map(|certificate| certificate.len()) {
///         Some(len) => exchange.respond(StatusCode::OK, format!("a certificate of {len} bytes")),
///         None => exchange.respond(StatusCode::FORBIDDEN, "no certificate"),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsInfo {
    /// For a server: the name that the client asked for (SNI, RFC 6066 3). `None` if it sent none, and for a client.
    pub server_name: Option<String>,
    /// The protocol that was agreed on (ALPN, RFC 7301): `http/1.1`, or `None` if none was.
    pub alpn: Option<&'static str>,
    /// The version of TLS.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The certificates of the peer in DER, its own first. They were checked by the configuration's verifier. Empty if
    /// the peer sent none: a client sends some only if the server asks for them
    /// ([`mutual_server_config`](super::mutual_server_config)).
    pub peer_certificates: Vec<CertificateDer<'static>>,
}

impl TlsInfo {
    /// The facts of a connection. `None` before the end of its handshake.
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        let server_name = match connection {
            Connection::Client(_) => None,
            Connection::Server(server) => server.server_name().map(Into::into),
        };
        Some(Self {
            server_name,
            // Another protocol ends the connection.
            alpn: connection.alpn_protocol().map(|_| "http/1.1"),
            version: connection.protocol_version()?,
            cipher_suite: connection.negotiated_cipher_suite()?.suite(),
            peer_certificates: connection.peer_certificates().unwrap_or_default().to_vec(),
        })
    }
}
