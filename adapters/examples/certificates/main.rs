//! One server on two addresses with TLS: the second takes only clients that have a certificate. Ctrl-C ends it, and it tells
//! which connections did not end in time.
//!
//! `certificates CERTIFICATE KEY CLIENTS`, all of them PEM files: the server's certificates, its key, and the authorities of
//! the clients.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use endwell::http::StatusCode;
use endwell::tls::{self, TlsInfo, TlsListener};
use endwell::{Answered, Exchange, HandlerError, Server, ServerConfig};
use tokio::net::TcpListener;

/// Counts the bytes of a body, and tells who sent it.
async fn handle(mut exchange: Exchange) -> Result<Answered, HandlerError> {
    let mut bytes = 0;
    while let Some(piece) = exchange.read().await? {
        bytes += piece.len();
    }
    let certificates = exchange.info::<TlsInfo>().map_or(0, |tls| tls.peer_certificates.len());
    Ok(exchange.respond(StatusCode::OK, format!("{bytes} bytes, {certificates} certificates\n")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [certificate, key, clients] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(
        |_| "expected three files: the server's certificates, its key, and the authorities of its clients",
    )?;
    let (certificate, key) = (std::fs::read(certificate)?, std::fs::read(key)?);
    let clients = tls::roots(&std::fs::read(clients)?)?;

    let mut config = ServerConfig::default();
    config.on_exchange = Some(Arc::new(|report| {
        let error = report.error().map(|error| format!(": {error}")).unwrap_or_default();
        eprintln!("{} {}{error}", report.peer_address(), report.request_line());
    }));
    let server = Server::new(config, handle);
    let public = tls::server_config(&certificate, &key)?;
    let public = server.listen(TlsListener::new(TcpListener::bind("127.0.0.1:8443").await?, public));
    let internal = tls::mutual_server_config(&certificate, &key, clients)?;
    let internal = server.listen(TlsListener::new(TcpListener::bind("127.0.0.1:8444").await?, internal));
    eprintln!(
        "on {}, and for clients with a certificate on {}",
        public.local_address()?,
        internal.local_address()?
    );

    tokio::signal::ctrl_c().await?;
    let report = server.shutdown(Duration::from_secs(5)).await;
    eprintln!("{report}");
    Ok(())
}
