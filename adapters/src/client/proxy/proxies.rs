//! The proxy for each origin.

use super::bypass::Bypass;
use super::location::Proxy;
use crate::client::Origin;

/// The proxy for each origin: one for those of `http` and `ws`, one for those of `https` and `wss`, and a list of those
/// that are reached without a proxy. [`Proxies::from_env`] reads the usual variables. Default: no proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Proxies {
    pub(super) http: Option<Proxy>,
    pub(super) https: Option<Proxy>,
    pub(super) bypass: Bypass,
}

impl Proxies {
    /// Uses one proxy for all origins.
    pub fn all(proxy: Proxy) -> Self {
        Self { http: Some(proxy.clone()), https: Some(proxy), bypass: Bypass::default() }
    }

    /// Excludes the hosts of this list, separated by commas or spaces, as in curl's `NO_PROXY`:
    ///
    /// - a name matches itself and all names below it, with or without a dot before it;
    /// - an address matches itself, and `10.0.0.0/8` or `fe80::/10` a network;
    /// - either may be followed by a port, and then matches only that port (`[::1]:80` for an IPv6 address);
    /// - `*` matches every host.
    ///
    /// Anything else matches no host. Names are compared as they are in the origin, without resolving them.
    #[must_use]
    pub fn except(self, list: &str) -> Self {
        Self { bypass: Bypass::parse(list), ..self }
    }

    /// The proxy for an origin. `None` if it is reached without a proxy.
    pub fn of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.is_https() { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.bypass.has(origin))
    }
}
