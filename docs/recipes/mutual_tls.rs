//! TLS with certificates of clients. The server's own certificate is loaded again on SIGHUP.

use endwell::http::StatusCode;
use endwell::tls::{self, SharedServerConfig, TlsInfo, TlsListener};
use endwell::{Answered, Exchange, ServerConfig, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

async fn who(exchange: Exchange) -> Answered {
    let certificates = exchange.info::<TlsInfo>().map_or(0, |tls| tls.peer_certificates.len());
    exchange.respond(StatusCode::OK, format!("{certificates} certificates"))
}

/// Reads the files that hold the server's certificates, its key, and the roots of clients.
pub fn load([certificates, key, clients]: [&str; 3]) -> std::io::Result<tls::rustls::ServerConfig> {
    let clients = tls::roots(&std::fs::read(clients)?)?;
    tls::mutual_server_config(&std::fs::read(certificates)?, &std::fs::read(key)?, clients)
}

pub async fn run(listener: TcpListener, config: SharedServerConfig) {
    serve(TlsListener::new(listener, config), ServerConfig::default(), who).await;
}

const FILES: [&str; 3] = ["cert.pem", "key.pem", "clients.pem"];

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let config = SharedServerConfig::new(load(FILES)?);
    let mut hangup = signal(SignalKind::hangup())?;
    let reloaded = config.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match load(FILES) {
                Ok(config) => reloaded.replace(config),
                Err(error) => eprintln!("the old certificates stay: {error}"),
            }
        }
    });
    run(TcpListener::bind("127.0.0.1:8443").await?, config).await;
    Ok(())
}
