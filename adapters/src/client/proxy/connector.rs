//! A connector that uses proxies.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use endwell_core::http;

use super::connect;
use super::error::{ProxyError, Reason};
use super::location::{Kind, Proxy};
use super::proxies::Proxies;
#[cfg(feature = "socks")]
use super::socks;
use super::through::Through;
use crate::Info;
use crate::client::Origin;
use crate::client::origin::Authority;
use crate::transport::Connector;

/// A connector that reaches origins through the proxies that are set for them, and other origins directly through the
/// connector below.
///
/// The proxy depends on the origin alone, so a kept connection can be reused for its origin. With a proxy,
/// [`Info::peer`] is the proxy's address: the origin's is unknown.
///
/// # Errors of its connections
///
/// If the proxy, or the way to it, is at fault, the error's [`get_ref`](io::Error::get_ref) is a [`ProxyError`].
/// Otherwise they are those of the connector below. The time is part of
/// [`ClientConfig::connect_time`](crate::ClientConfig::connect_time).
pub struct Proxied<C> {
    connector: C,
    proxies: Proxies,
    limits: Arc<http::HttpLimits>,
}

impl<C: Connector> Proxied<C> {
    /// Uses `proxies`, to which `connector` connects.
    pub fn new(connector: C, proxies: Proxies) -> Self {
        Self { connector, proxies, limits: Arc::default() }
    }

    /// Sets the limits of an HTTP proxy's response: those of its head and of interim responses, and how strictly it is
    /// read ([`HttpLimits::reading`](http::HttpLimits::reading)). The others do not apply.
    #[must_use]
    pub fn limits(self, limits: http::HttpLimits) -> Self {
        Self { limits: limits.into(), ..self }
    }

    /// Opens a tunnel to an origin. Returns the bytes that came right after the response.
    async fn open(
        &self,
        proxy: &Proxy,
        transport: &mut C::Transport,
        origin: Authority<'_>,
    ) -> Result<Bytes, Reason> {
        match proxy.kind() {
            Kind::Http | Kind::Https => connect::open(proxy, transport, origin, &self.limits).await,
            #[cfg(feature = "socks")]
            Kind::Socks => socks::open(proxy, transport, origin).await.map(|()| Bytes::new()),
        }
    }
}

impl<C: Connector> Connector for Proxied<C> {
    type Transport = Through<C::Transport>;
    type Runtime = C::Runtime;

    async fn connect(&self, origin: &Origin) -> io::Result<(Self::Transport, Info)> {
        let (_, port) = origin.plain()?;
        let host = origin.host_without_zone();
        let Some(proxy) = self.proxies.of(origin) else {
            let (transport, info) = self.connector.connect(origin).await?;
            return Ok((Through::new(transport, Bytes::new()), info));
        };
        let failed = |reason| io::Error::from(ProxyError::new(proxy, Authority { host, port }, reason));
        let connected = self.connector.connect(&proxy.origin()).await;
        let (mut transport, info) = connected.map_err(|error| failed(Reason::Unreachable(error)))?;
        let leftover = self.open(proxy, &mut transport, Authority { host, port }).await.map_err(failed)?;
        Ok((Through::new(transport, leftover), info))
    }

    fn runtime(&self) -> C::Runtime {
        self.connector.runtime()
    }
}

impl<C: fmt::Debug> fmt::Debug for Proxied<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxied")
            .field("connector", &self.connector)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
