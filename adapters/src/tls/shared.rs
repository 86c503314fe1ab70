//! A server's configuration that can be replaced.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;

/// A server's configuration that can be replaced while listeners use it, for example when a certificate was renewed or the roots
/// of clients have changed. A clone shares it.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use endwell::{ServerConfig, Exchange, http::StatusCode, serve, tls};
/// use tokio::signal::unix::{SignalKind, signal};
///
/// fn load() -> std::io::Result<tls::rustls::ServerConfig> {
///     tls::server_config(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)
/// }
///
/// let config = tls::SharedServerConfig::new(load()?);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8443").await?;
/// let listener = tls::TlsListener::new(listener, config.clone());
/// let mut hangup = signal(SignalKind::hangup())?;
/// tokio::spawn(async move {
///     while hangup.recv().await.is_some() {
///         match load() {
///             Ok(loaded) => config.replace(loaded),
///             Err(error) => eprintln!("the old certificates stay: {error}"),
///         }
///     }
/// });
/// serve(listener, ServerConfig::default(), async |exchange: Exchange| exchange.respond(StatusCode::OK, "hello")).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedServerConfig(Arc<RwLock<Arc<ServerConfig>>>);

impl SharedServerConfig {
    /// Makes one of a configuration such as that of [`server_config`](super::server_config). Early data (RFC 8446 2.3) is never
    /// accepted, whatever the configuration sets, since it can be replayed.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(without_early_data(config.into()))))
    }

    /// Replaces it. Handshakes that begin from now on use `config`. Open connections are not touched, and keep what their
    /// handshakes agreed on. A session of the old configuration is not resumed: its client makes a whole handshake.
    pub fn replace(&self, config: impl Into<Arc<ServerConfig>>) {
        let config = without_early_data(config.into());
        let old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), config);
        drop(old);
    }

    /// The configuration in use.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<ServerConfig> for SharedServerConfig {
    fn from(config: ServerConfig) -> Self {
        Self::new(config)
    }
}

impl From<Arc<ServerConfig>> for SharedServerConfig {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self::new(config)
    }
}

pub(super) fn without_early_data(mut config: Arc<ServerConfig>) -> Arc<ServerConfig> {
    if config.max_early_data_size > 0 {
        Arc::make_mut(&mut config).max_early_data_size = 0;
    }
    config
}
