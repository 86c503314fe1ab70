//! Which proxy leads to an origin.

use super::bypass::Bypass;
use super::location::Proxy;
use crate::client::Origin;

/// Which proxy leads to an origin: one for those of `http` and `ws`, one for those of `https` and `wss`, and a list of those
/// that are reached without. [`Proxies::from_env`] reads the usual variables. Default: none.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Proxies {
    pub(super) http: Option<Proxy>,
    pub(super) https: Option<Proxy>,
    pub(super) bypass: Bypass,
}

impl Proxies {
    /// One proxy for all origins.
    pub fn all(proxy: Proxy) -> Self {
        Self { http: Some(proxy.clone()), https: Some(proxy), bypass: Bypass::default() }
    }

    /// Except for the hosts of this list, which has commas or spaces between, as curl's `NO_PROXY`:
    ///
    /// - a name stands for itself and for all names below it, with a dot before it or without;
    /// - an address stands for itself, and `10.0.0.0/8` or `fe80::/10` for a network;
    /// - either may have a port behind it, and is then meant with that port only (`[::1]:80` for an IPv6 address);
    /// - `*` stands for every host.
    ///
    /// Anything else stands for none. Names are compared as they are asked for: they are not resolved.
    #[must_use]
    pub fn except(self, list: &str) -> Self {
        Self { bypass: Bypass::parse(list), ..self }
    }

    /// The proxy that leads to an origin. `None`: it is reached without.
    pub fn of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.is_https() { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.bypass.has(origin))
    }
}
