//! The address of a proxy, and its credentials.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use endwell_core::http::{Method, Request};

use crate::client::Origin;
use crate::client::origin::Authority;
use crate::client::url::{host_and_port, take_zone, with_zone, without_brackets};

/// A proxy: its kind, its address, and its credentials.
///
/// `Display` and `Debug` hide the credentials.
///
/// ```
/// use endwell::client::proxy::Proxy;
///
/// let proxy = Proxy::parse("http://user:p%40ss@proxy.example:3128")?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128");
/// # Ok::<(), endwell::client::proxy::InvalidProxy>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: Box<str>,
    port: u16,
    credentials: Option<Credentials>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    /// HTTP over TLS.
    Https,
    #[cfg(feature = "socks")]
    Socks,
}

/// The user and password for a proxy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Box<str>,
    pub(super) password: Box<str>,
}

/// Why text is not a proxy that can be used. It does not show the text, which may hold credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// The scheme is not one of a proxy.
    Scheme,
    /// The scheme is one of SOCKS, and the crate was built without feature `socks`.
    NoSocks,
    /// The host is invalid, or the port is not from 1 to 65535.
    Host,
    /// The user or the password is not allowed by the scheme, or wrongly escaped.
    Credentials,
    /// The text has a path, a query or a fragment.
    Path,
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "expected a proxy's scheme: http, https, socks5 or socks5h",
            Self::NoSocks => "expected a build with feature `socks` for a SOCKS proxy",
            Self::Host => "expected a name or an address as the proxy's host, and a port from 1 to 65535",
            Self::Credentials => {
                "expected a user and a password for the proxy, percent-encoded UTF-8 in a URL: for HTTP without control \
                 characters and the user without a colon (RFC 7617 2), for SOCKS of 1 to 255 bytes each (RFC 1929 2)"
            }
            Self::Path => "expected a proxy's URL without a path",
        })
    }
}

impl std::error::Error for InvalidProxy {}

impl Proxy {
    /// Reads a proxy's URL: `http`, `https`, `socks5` or `socks5h`, with or without `user:password@`, in which all
    /// characters but letters and digits are percent-encoded.
    ///
    /// The default port is 80, 443 or 1080. Text without a scheme means `http`. Both schemes of SOCKS let the proxy
    /// resolve names.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, default) = Kind::of(scheme)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(InvalidProxy::Path);
        }
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, authority),
        };
        let (authority, zone) = take_zone(authority).map_err(|_invalid| InvalidProxy::Host)?;
        Request::new(Method::Get, &authority, "/").map_err(|_invalid| InvalidProxy::Host)?;
        let (host, port) = host_and_port(&authority, default).map_err(|_invalid| InvalidProxy::Host)?;
        let host = with_zone(without_brackets(host), zone).into();
        let proxy = Self { kind, host, port, credentials: None };
        let Some(credentials) = credentials else { return Ok(proxy) };
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        match (percent_decoded(user), percent_decoded(password)) {
            (Some(user), Some(password)) => proxy.with_credentials(&user, &password),
            (None, _) | (_, None) => Err(InvalidProxy::Credentials),
        }
    }

    /// Sets `user` and `password`, unescaped. They are sent to the proxy in the clear, unless the connection to it uses
    /// TLS.
    ///
    /// # Errors
    ///
    /// [`InvalidProxy::Credentials`] if the scheme does not allow them.
    pub fn with_credentials(self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let is_valid = match self.kind {
            Kind::Http | Kind::Https => {
                !user.contains(':') && !user.chars().chain(password.chars()).any(char::is_control)
            }
            #[cfg(feature = "socks")]
            Kind::Socks => [user, password].iter().all(|text| (1..=255).contains(&text.len())),
        };
        if !is_valid {
            return Err(InvalidProxy::Credentials);
        }
        let credentials = Some(Credentials { user: user.into(), password: password.into() });
        Ok(Self { credentials, ..self })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The origin for the connector below.
    pub(super) fn origin(&self) -> Origin {
        match self.kind {
            Kind::Https => Origin::https(&self.host, self.port),
            Kind::Http => Origin::http(&self.host, self.port),
            #[cfg(feature = "socks")]
            Kind::Socks => Origin::http(&self.host, self.port),
        }
    }
}

impl Kind {
    /// The kind of a URL's scheme, and its default port.
    fn of(scheme: &str) -> Result<(Self, u16), InvalidProxy> {
        match scheme.to_ascii_lowercase().as_str() {
            "http" => Ok((Self::Http, 80)),
            "https" => Ok((Self::Https, 443)),
            #[cfg(feature = "socks")]
            "socks5" | "socks5h" => Ok((Self::Socks, 1080)),
            #[cfg(not(feature = "socks"))]
            "socks5" | "socks5h" => Err(InvalidProxy::NoSocks),
            _ => Err(InvalidProxy::Scheme),
        }
    }
}

impl Credentials {
    /// The value of `Proxy-Authorization`. RFC 7617 2.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

/// Decodes percent-encoding. RFC 3986 2.1. `None` if it is malformed, or not text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        decoded.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(decoded).ok()
}

/// Shows the proxy without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            #[cfg(feature = "socks")]
            Kind::Socks => "socks5",
        };
        write!(f, "{scheme}://{}", Authority { host: &self.host, port: self.port })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self}{})", if self.credentials.is_some() { ", with credentials" } else { "" })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_proxies() {
        for (text, shown, credentials) in [
            ("http://p:3128", "http://p:3128", None),
            ("p:3128", "http://p:3128", None),
            ("HTTPS://p/", "https://p:443", None),
            ("http://[::1]:1/", "http://[::1]:1", None),
            ("http://p", "http://p:80", None),
            ("http://u:a%3Ab%40c%2F@p", "http://p:80", Some(("u", "a:b@c/"))),
            ("http://u@p", "http://p:80", Some(("u", ""))),
            ("http://u:a@b@p", "http://p:80", Some(("u", "a@b"))),
        ] {
            let proxy = Proxy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(proxy.to_string(), shown, "{text}");
            let found = proxy.credentials().map(|found| (&*found.user, &*found.password));
            assert_eq!(found, credentials, "{text}");
        }
    }

    #[test]
    fn what_is_no_proxy() {
        for (text, why) in [
            ("ftp://p", InvalidProxy::Scheme),
            ("socks4://p", InvalidProxy::Scheme),
            ("", InvalidProxy::Host),
            ("http://", InvalidProxy::Host),
            ("http://p:0", InvalidProxy::Host),
            ("http://p:65536", InvalidProxy::Host),
            ("http://a b", InvalidProxy::Host),
            ("http://p/x", InvalidProxy::Path),
            ("http://p?x", InvalidProxy::Path),
            ("http://u:%zz@p", InvalidProxy::Credentials),
            ("http://u:%e@p", InvalidProxy::Credentials),
            ("http://u:%ff@p", InvalidProxy::Credentials),
            ("http://u:%0d%0ax@p", InvalidProxy::Credentials),
            ("http://a%3Ab:c@p", InvalidProxy::Credentials),
        ] {
            assert_eq!(Proxy::parse(text), Err(why), "{text:?}");
        }
    }

    #[cfg(feature = "socks")]
    #[test]
    fn urls_of_socks() {
        assert_eq!(
            Proxy::parse("socks5h://u:p@[::1]").map(|p| p.to_string()),
            Ok("socks5://[::1]:1080".into())
        );
        for text in ["socks5://u@p", "socks5://:p@p", &format!("socks5://u:{}@p", "x".repeat(256))] {
            assert_eq!(Proxy::parse(text), Err(InvalidProxy::Credentials), "{text:?}");
        }
    }

    #[cfg(not(feature = "socks"))]
    #[test]
    fn socks_needs_its_feature() {
        assert_eq!(Proxy::parse("socks5://p"), Err(InvalidProxy::NoSocks));
    }

    #[test]
    fn credentials_are_not_shown() {
        let proxy = Proxy::parse("http://visible:hun%74er2@p:1").unwrap_or_else(|error| panic!("{error}"));
        let shown = format!("{proxy} {proxy:?} {:?}", proxy.credentials());
        assert!(!shown.contains("visible") && !shown.contains("hun"), "{shown}");
        assert_eq!(shown, "http://p:1 Proxy(http://p:1, with credentials) Some(Credentials(..))");
    }

    /// The example of RFC 7617 2.
    #[test]
    fn basic_credentials() {
        let proxy = Proxy::parse("http://Aladdin:open%20sesame@p").unwrap_or_else(|error| panic!("{error}"));
        let basic = proxy.credentials().map(Credentials::basic);
        assert_eq!(basic.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    }
}
