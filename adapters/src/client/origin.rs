//! Whom to connect to: RFC 9110 4.3.

use std::fmt;
use std::io;

use super::url::Scheme;

/// Whom to connect to, and whether by TLS: an origin of RFC 9110 4.3.1. Those of `ws` are those of `http`, and those of
/// `wss` those of `https`.
///
/// A connection can be used again for the same origin, and for no other. Names are compared without case.
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
    is_secure: bool,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// An origin that is reached without TLS. The host is a name or an address, without brackets.
    pub fn http(host: &str, port: u16) -> Self {
        Self::new(Scheme::Http, host, port)
    }

    /// An origin that is reached by TLS. The host is a name or an address, without brackets.
    pub fn https(host: &str, port: u16) -> Self {
        Self::new(Scheme::Https, host, port)
    }

    pub(super) fn new(scheme: Scheme, host: &str, port: u16) -> Self {
        let is_secure = match scheme {
            Scheme::Https | Scheme::Wss => true,
            Scheme::Http | Scheme::Ws => false,
        };
        Self { is_secure, host: host.to_ascii_lowercase().into(), port }
    }

    /// True if it is reached by TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The host: a name or an address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same host and port without TLS: what the connector below a layer of TLS is asked for.
    #[must_use]
    pub fn without_tls(&self) -> Self {
        Self { is_secure: false, ..self.clone() }
    }

    /// Host and port, for a connector that knows no TLS.
    ///
    /// # Errors
    ///
    /// The origin is reached by TLS ([`io::ErrorKind::Unsupported`]): what was meant to be secret is not sent in the
    /// clear.
    pub fn plain(&self) -> io::Result<(&str, u16)> {
        if self.is_secure {
            let reason = "expected an origin without TLS (http or ws), got https or wss: \
                          that needs a connector with TLS (RFC 9110 4.2.2)";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        Ok((&self.host, self.port))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_secure, host, port } = self;
        let scheme = if *is_secure { "https" } else { "http" };
        // The colons of an IPv6 address stand in brackets.
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
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
        assert_eq!(Origin::http("::1", 80).to_string(), "http://[::1]:80");
    }
}
