//! How to connect.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::rustls::ClientConfig;
use async_nats::{ConnectOptions, ServerAddr};
use tokio::sync::oneshot;

use crate::connection::Target;
use crate::prefix::Prefix;
use crate::shared::Shared;
use crate::{ConnectError, Nats, thread};

/// The messages that the client of NATS takes beyond ours: 16, as many as it takes at once. It bounds them by number
/// only, so this is 4 MiB of the largest.
const CLIENT: usize = 16;

/// The messages that wait in the client for this crate to take them: 262,144. Within one turn it reads its socket up to 128
/// times, 64 KiB each, and drops what is beyond. All that waits is taken in the next turn, so 8 MiB wait at most, and none
/// is dropped if they have 32 bytes or more on the wire, with their subject.
const SUBSCRIPTION: usize = 262_144;

/// How to connect to NATS: the prefix, credentials and TLS.
///
/// ```no_run
/// # async fn connect() -> Result<(), endwell_nats::ConnectError> {
/// use endwell_nats::NatsConfig;
///
/// let config = NatsConfig::new("chat").name("web-1").user_and_password("chat", "secret");
/// let nats = config.connect("tls://nats-1.example.com,tls://nats-2.example.com").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NatsConfig {
    prefix: String,
    options: ConnectOptions,
}

impl NatsConfig {
    /// Chooses what all subjects begin with: one or more tokens with dots between them, such as `chat` or `prod.chat`. The
    /// programs with the same prefix are one hub.
    pub fn new(prefix: impl Into<String>) -> Self {
        let options = ConnectOptions::new()
            .ping_interval(Duration::from_secs(2))
            .connection_timeout(Duration::from_secs(2));
        Self { prefix: prefix.into(), options }
    }

    fn with(self, change: impl FnOnce(ConnectOptions) -> ConnectOptions) -> Self {
        Self { options: change(self.options), ..self }
    }

    /// Sets the name of the connection, which NATS shows to those who watch it. Default: it has none.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|options| options.name(name.into()))
    }

    /// Sets the user and the password. Those of the URL come first.
    pub fn user_and_password(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.with(|options| options.user_and_password(user.into(), password.into()))
    }

    /// Sets the token.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.with(|options| options.token(token.into()))
    }

    /// Uses the content of a credentials file (`.creds`): a JWT and the key that signs for it.
    ///
    /// # Errors
    ///
    /// If it is not one.
    #[cfg(feature = "nkeys")]
    #[cfg_attr(docsrs, doc(cfg(feature = "nkeys")))]
    pub fn credentials(self, content: &str) -> std::io::Result<Self> {
        Ok(Self { options: self.options.credentials(content)?, ..self })
    }

    /// Uses the seed of an NKey.
    #[cfg(feature = "nkeys")]
    #[cfg_attr(docsrs, doc(cfg(feature = "nkeys")))]
    pub fn nkey(self, seed: impl Into<String>) -> Self {
        self.with(|options| options.nkey(seed.into()))
    }

    /// Demands TLS, whatever the URL says and the server offers. A `tls://` URL demands it too.
    pub fn require_tls(self) -> Self {
        self.with(|options| options.require_tls(true))
    }

    /// Begins with TLS, before the server says anything (`handshake_first` in its configuration).
    pub fn tls_first(self) -> Self {
        self.with(ConnectOptions::tls_first)
    }

    /// Trusts the certificate authorities of a PEM file. Default: those of the system.
    pub fn root_certificates(self, file: impl Into<PathBuf>) -> Self {
        self.with(|options| options.add_root_certificates(file.into()))
    }

    /// Shows a certificate to the server. Both files are PEM.
    pub fn client_certificate(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.with(|options| options.add_client_certificate(certificate.into(), key.into()))
    }

    /// Uses a configuration of rustls, in place of the files.
    pub fn tls_config(self, config: ClientConfig) -> Self {
        self.with(|options| options.tls_client_config(config))
    }

    /// Sets how often the server is asked whether it lives, while it sends nothing. A connection is cut after three
    /// intervals without an answer. Default 2 s: the 60 s of the client would leave a hanging server unnoticed for 3 min.
    pub fn ping_interval(self, interval: Duration) -> Self {
        self.with(|options| options.ping_interval(interval))
    }

    /// Sets how long one attempt to connect may take, for each address. Default 2 s: some round trips.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.connection_timeout(timeout))
    }

    /// Connects to NATS. The URL is `nats://HOST:PORT` or `tls://HOST:PORT`, the port 4222 by default; several are
    /// separated by commas, and the others of a cluster are learned at each connection. It may have a user and a password: `nats://USER:PASSWORD@HOST`.
    ///
    /// This needs no runtime of tokio.
    ///
    /// # Errors
    ///
    /// If the prefix or a URL is invalid, or there is no connection. A program that should start without NATS uses
    /// [`connect_later`](Self::connect_later).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the attempt.
    pub async fn connect(self, url: &str) -> Result<Nats, ConnectError> {
        let (first, connected) = oneshot::channel();
        let nats = self.start(url, Some(first))?;
        // The thread always answers; it could only panic.
        connected.await.unwrap_or_else(|gone| Err(ConnectError::Unreachable(gone.into())))?;
        Ok(nats)
    }

    /// Connects to NATS in the background, for as long as it takes. Until then the hub is alone, and its view of the
    /// others is stale. [`NatsMonitor::status`](crate::NatsMonitor::status) has the reason.
    ///
    /// # Errors
    ///
    /// If the prefix or a URL is invalid.
    pub fn connect_later(self, url: &str) -> Result<Nats, ConnectError> {
        self.start(url, None)
    }

    fn start(
        self,
        url: &str,
        first: Option<oneshot::Sender<Result<(), ConnectError>>>,
    ) -> Result<Nats, ConnectError> {
        let prefix = Prefix::parse(&self.prefix)?;
        let parse = |url: &str| url.trim().parse::<ServerAddr>().map_err(ConnectError::Url);
        let servers = url.split(',').map(parse).collect::<Result<Vec<_>, _>>()?;
        let mut options = self.options.client_capacity(CLIENT).subscription_capacity(SUBSCRIPTION);
        // The client does not look at them.
        if let Some((user, password)) = servers.iter().find_map(credentials) {
            options = options.user_and_password(user, password);
        }
        let shared = Arc::new(Shared::default());
        let nats = Nats::new(Arc::clone(&shared));
        thread::start(Target::new(prefix, servers, options), shared, first)?;
        Ok(nats)
    }
}

fn credentials(server: &ServerAddr) -> Option<(String, String)> {
    Some((server.username()?.to_owned(), server.password().unwrap_or_default().to_owned()))
}
