//! The origin to connect to: RFC 9110 4.3.

use std::fmt;
use std::io;

use super::url::{Scheme, with_zone};

/// The host and port to connect to, with TLS or without: an origin of RFC 9110 4.3.1. Those of `ws` are those of
/// `http`, and those of `wss` are those of `https`.
///
/// A connection can be reused for the same origin, and for no other. Names are compared without regard to case.
///
/// ```
/// use endwell::client::{Origin, Url};
///
/// let origin = Url::parse("wss://Example.com/chat")?.origin();
/// assert_eq!(origin, Origin::https("example.com", 443));
/// # Ok::<(), endwell::client::InvalidUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    tls: Tls,
    host: Box<str>,
    port: u16,
}

/// The layer that does TLS to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tls {
    /// No layer: the origin is one of `http`.
    No,
    /// The connector that connects to it.
    Asked,
    /// A layer above the connector that connects to it.
    Above,
}

impl Origin {
    /// Makes an origin without TLS. The host is a name or an address, without brackets.
    pub fn http(host: &str, port: u16) -> Self {
        Self::new(Scheme::Http, host, port)
    }

    /// Makes an origin with TLS. The host is a name or an address, without brackets.
    pub fn https(host: &str, port: u16) -> Self {
        Self::new(Scheme::Https, host, port)
    }

    pub(super) fn new(scheme: Scheme, host: &str, port: u16) -> Self {
        let tls = match scheme {
            Scheme::Https | Scheme::Wss => Tls::Asked,
            Scheme::Http | Scheme::Ws => Tls::No,
        };
        let (address, zone) = split_zone(host);
        Self { tls, host: with_zone(&address.to_ascii_lowercase(), zone).into(), port }
    }

    /// True if the connector that receives it must use TLS.
    pub fn is_secure(&self) -> bool {
        self.tls == Tls::Asked
    }

    /// True if it is one of `https`, also below the layer that [does TLS](Self::without_tls): the choice of a proxy may
    /// depend on it.
    pub fn is_https(&self) -> bool {
        self.tls != Tls::No
    }

    /// The host: a name or an address, without brackets. An IPv6 address may have a zone after a `%`, for the
    /// connector.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host without the zone of an IPv6 address, for certificates and proxies. A zone means nothing on another
    /// machine (RFC 6874 4).
    pub fn host_without_zone(&self) -> &str {
        split_zone(&self.host).0
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same origin without TLS, for the connector below a layer of TLS.
    #[must_use]
    pub fn without_tls(&self) -> Self {
        let tls = if self.is_https() { Tls::Above } else { Tls::No };
        Self { tls, ..self.clone() }
    }

    /// Host and port, for a connector without TLS.
    ///
    /// # Errors
    ///
    /// If the origin requires TLS ([`io::ErrorKind::Unsupported`]): data that must be encrypted is not sent in the
    /// clear.
    pub fn plain(&self) -> io::Result<(&str, u16)> {
        if self.is_secure() {
            let reason = "expected an origin without TLS (http or ws), got https or wss: \
                          that needs a connector with TLS (RFC 9110 4.2.2)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        Ok((&self.host, self.port))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https() { "https" } else { "http" };
        write!(f, "{scheme}://{}", Authority { host: &self.host, port: self.port })
    }
}

/// Splits an IPv6 address from its zone. A name with a `%` has no colon.
fn split_zone(host: &str) -> (&str, Option<&str>) {
    match host.split_once('%') {
        Some((address, zone)) if address.contains(':') => (address, Some(zone)),
        Some(_) | None => (host, None),
    }
}

/// Host and port as written in a URL.
pub(super) struct Authority<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        // An IPv6 address is written in brackets because of its colons.
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_without_tls_is_not_asked_for_secrets() {
        let secure = Origin::https("A.example", 443);
        assert_eq!(secure.plain().map_err(|error| error.kind()), Err(io::ErrorKind::Unsupported));
        assert_eq!(secure.without_tls().plain().ok(), Some(("a.example", 443)));
        assert_eq!(secure.to_string(), "https://a.example:443");
        let below = secure.without_tls();
        assert!(!below.is_secure() && below.is_https() && below != Origin::http("a.example", 443));
        assert_eq!(below.to_string(), "https://a.example:443");
        assert_eq!(Origin::http("a", 1).without_tls(), Origin::http("a", 1));
        assert_eq!(Origin::http("::1", 80).to_string(), "http://[::1]:80");
    }

    #[test]
    fn the_case_of_a_zone_matters_and_others_are_not_told_it() {
        let origin = Origin::http("FE80::A%Eth0", 80);
        assert_eq!((origin.host(), origin.host_without_zone()), ("fe80::a%Eth0", "fe80::a"));
        assert_ne!(origin, Origin::http("fe80::a%eth0", 80));
        let name = Origin::http("A%2Db", 80);
        assert_eq!((name.host(), name.host_without_zone()), ("a%2db", "a%2db"));
    }
}
