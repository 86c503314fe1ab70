//! Parses URLs: RFC 9110 4.2 and RFC 6455 3.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use endwell_core::http::{InvalidRequest, Method, Request};

use super::origin::Origin;

/// A parsed URL: the origin to connect to, and the target to request.
///
/// A fragment is dropped: it is for the reader of the response, and never sent (RFC 9110 4.2.5). In a `ws` URL it has no
/// meaning (RFC 6455 3), and is dropped as browsers drop it. Characters that browsers leave unescaped in a path and a query
/// are accepted ([`Target`](endwell_core::http::Target)).
///
/// ```
/// use endwell::client::{Scheme, Url};
///
/// let url = Url::parse("ws://example.com:8080/chat?room=1")?;
/// assert_eq!((url.scheme(), url.host(), url.port()), (Scheme::Ws, "example.com", 8080));
/// assert_eq!((url.authority(), url.target()), ("example.com:8080", "/chat?room=1"));
/// # Ok::<(), endwell::client::InvalidUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    authority: String,
    host: String,
    port: u16,
    target: String,
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
    /// `ws`.
    Ws,
    /// `wss`.
    Wss,
}

/// Why text is not a URL to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// The scheme is not one of those supported here.
    Scheme,
    /// The URL has `user:password@` before the host, which is never sent to a server. Credentials go into a field, such
    /// as Authorization. RFC 9110 4.2.4.
    UserInformation,
    /// The zone of an IPv6 address is not letters, digits, `-`, `.`, `_` or `~`. RFC 6874 2.
    Zone,
    /// The port is zero.
    Port,
    /// The host is not a name or an address, or path and query cannot be sent unescaped.
    Head(InvalidRequest),
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("expected a URL with a scheme that can be used here (RFC 9110 4.2)"),
            Self::UserInformation => f.write_str(
                "expected a URL without user:password@, which would go into a field (RFC 9110 4.2.4)",
            ),
            Self::Zone => f.write_str("expected a zone behind %25 in an IPv6 address (RFC 6874 2)"),
            Self::Port => f.write_str("expected a port from 1 to 65535 (RFC 9110 4.2)"),
            Self::Head(invalid) => invalid.fmt(f),
        }
    }
}

impl std::error::Error for InvalidUrl {}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        [(Self::Http, "http"), (Self::Https, "https"), (Self::Ws, "ws"), (Self::Wss, "wss")]
            .into_iter()
            .find_map(|(scheme, name)| text.eq_ignore_ascii_case(name).then_some(scheme))
    }

    /// The default port of the scheme.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http | Self::Ws => 80,
            Self::Https | Self::Wss => 443,
        }
    }
}

impl Url {
    /// Reads a URL. Nothing is escaped here, so characters that cannot be sent unescaped, such as a space, are refused.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Scheme)?;
        let scheme = Scheme::parse(scheme).ok_or(InvalidUrl::Scheme)?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // RFC 9112 3.2.1: an empty path is sent as a slash.
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        if authority.contains('@') {
            return Err(InvalidUrl::UserInformation);
        }
        let (authority, zone) = take_zone(authority)?;
        Request::new(Method::Get, &authority, &target).map_err(InvalidUrl::Head)?;
        let (host, port) = host_and_port(&authority, scheme.default_port())?;
        let address = with_zone(without_brackets(host), zone);
        let authority =
            if port == scheme.default_port() { host.to_owned() } else { format!("{host}:{port}") };
        Ok(Self { scheme, authority, host: address, port, target })
    }

    /// Host and port as a URL names them: as [`authority`](Self::authority), with the zone of an IPv6 address.
    fn authority_with_zone(&self) -> Cow<'_, str> {
        let zone = self.host.split_once('%').filter(|(address, _)| address.contains(':'));
        match (zone, self.authority.split_once(']')) {
            (Some((_, zone)), Some((address, port))) => format!("{address}%25{zone}]{port}").into(),
            _ => (&*self.authority).into(),
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host to connect to: a name or an address, without brackets. An IPv6 address has its zone after a `%`, if the
    /// URL names one: `http://[fe80::1%25eth0]/` leads to `fe80::1%eth0`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The origin to connect to.
    pub fn origin(&self) -> Origin {
        Origin::new(self.scheme, &self.host, self.port)
    }

    /// Host and port as a request names them: without the default port of the scheme, and without a zone, which means
    /// nothing on another machine (RFC 6874 4).
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query: the target of a request.
    pub fn target(&self) -> &str {
        &self.target
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        })
    }
}

impl fmt::Display for Url {
    /// As text that [`parse`](Url::parse) reads: without a fragment, and without the default port of the scheme.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority_with_zone(), self.target)
    }
}

impl FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Url {
    type Error = InvalidUrl;

    fn try_from(text: &str) -> Result<Self, InvalidUrl> {
        Self::parse(text)
    }
}

impl TryFrom<&String> for Url {
    type Error = InvalidUrl;

    fn try_from(text: &String) -> Result<Self, InvalidUrl> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Url {
    type Error = InvalidUrl;

    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        Self::parse(&text)
    }
}

impl From<&Self> for Url {
    fn from(url: &Self) -> Self {
        url.clone()
    }
}

impl From<Infallible> for InvalidUrl {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The parts of a valid authority.
pub(super) fn host_and_port(authority: &str, default: u16) -> Result<(&str, u16), InvalidUrl> {
    let (host, port) = match authority.rsplit_once(':') {
        // An IPv6 address is in brackets because of its colons.
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (authority, ""),
    };
    // RFC 3986 3.2.2: an address of a future version is unknown, and not a name to look up.
    if host.starts_with("[v") || host.starts_with("[V") {
        return Err(InvalidUrl::Head(InvalidRequest::Host));
    }
    let port = match port {
        "" => default,
        port => port.parse().ok().filter(|port| *port > 0).ok_or(InvalidUrl::Port)?,
    };
    Ok((host, port))
}

/// Removes the brackets of an IPv6 address, to connect to it.
pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Removes the zone from an IPv6 address in brackets. RFC 6874 2; like curl, this also accepts a bare `%`.
pub(super) fn take_zone(authority: &str) -> Result<(Cow<'_, str>, Option<&str>), InvalidUrl> {
    let address = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((address, zone, behind)) = address
        .and_then(|(inner, behind)| inner.split_once('%').map(|(address, zone)| (address, zone, behind)))
    else {
        return Ok((authority.into(), None));
    };
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if zone.is_empty() || !zone.bytes().all(is_unreserved) {
        return Err(InvalidUrl::Zone);
    }
    Ok((format!("[{address}]{behind}").into(), Some(zone)))
}

/// A host in the form that the system's resolver reads.
pub(super) fn with_zone(host: &str, zone: Option<&str>) -> String {
    zone.map_or_else(|| host.to_owned(), |zone| format!("{host}%{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_to_connect_to_and_what_to_ask_for() {
        for (text, host, port, authority, target) in [
            ("http://a", "a", 80, "a", "/"),
            ("HTTP://a:80/", "a", 80, "a", "/"),
            ("ws://a:/x", "a", 80, "a", "/x"),
            ("https://a:80?q", "a", 80, "a:80", "/?q"),
            ("wss://a:443/p?q=/:@", "a", 443, "a", "/p?q=/:@"),
            ("ws://[::1]/", "::1", 80, "[::1]", "/"),
            ("ws://[::1]:8080/", "::1", 8080, "[::1]:8080", "/"),
            ("ws://127.0.0.1:9", "127.0.0.1", 9, "127.0.0.1:9", "/"),
            ("ws://a/#f", "a", 80, "a", "/"),
            ("http://a#f", "a", 80, "a", "/"),
            ("http://a?q#f?#/@b", "a", 80, "a", "/?q"),
            ("http://a/u@b", "a", 80, "a", "/u@b"),
            ("http://a?u@b", "a", 80, "a", "/?u@b"),
            ("http://a/[b]|^`{}\"<>'%\u{e9}?50%\\\u{e9}", "a", 80, "a", "/[b]|^`{}\"<>'%\u{e9}?50%\\\u{e9}"),
            ("http://[fe80::1%25eth0]/", "fe80::1%eth0", 80, "[fe80::1]", "/"),
            ("https://[FE80::1%25Eth0.1~_-]:8443", "FE80::1%Eth0.1~_-", 8443, "[FE80::1]:8443", "/"),
            ("ws://[fe80::1%eth0]:80/", "fe80::1%eth0", 80, "[fe80::1]", "/"),
            ("ws://[fe80::1%251]/", "fe80::1%1", 80, "[fe80::1]", "/"),
            ("ws://[fe80::1%25]/", "fe80::1%25", 80, "[fe80::1]", "/"),
        ] {
            let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let found = (url.host(), url.port(), url.authority(), url.target());
            assert_eq!(found, (host, port, authority, target), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url), "{text}");
        }
    }

    #[test]
    fn what_is_no_url() {
        use InvalidRequest::{Host, Target};
        for (text, why) in [
            ("", InvalidUrl::Scheme),
            ("a/b", InvalidUrl::Scheme),
            ("ftp://a", InvalidUrl::Scheme),
            ("ws://a:0", InvalidUrl::Port),
            ("ws://a:65536", InvalidUrl::Head(Host)),
            ("ws://a:b", InvalidUrl::Head(Host)),
            ("ws://", InvalidUrl::Head(Host)),
            ("ws://:80", InvalidUrl::Head(Host)),
            ("ws://u:p@a/", InvalidUrl::UserInformation),
            ("ws://u@a", InvalidUrl::UserInformation),
            ("ws://@a?q", InvalidUrl::UserInformation),
            ("ws://[::1%]/", InvalidUrl::Zone),
            ("ws://[::1%25a%25b]/", InvalidUrl::Zone),
            ("ws://[::1%25a b]/", InvalidUrl::Zone),
            ("ws://[a%25eth0]/", InvalidUrl::Head(Host)),
            ("ws://[::1%25a/b]/", InvalidUrl::Head(Host)),
            ("ws://a/\\b", InvalidUrl::Head(Target)),
            ("ws://a b/", InvalidUrl::Head(Host)),
            ("ws://a/b c", InvalidUrl::Head(Target)),
            ("ws://a/\r\nx: y", InvalidUrl::Head(Target)),
            ("ws://::1/", InvalidUrl::Head(Host)),
            ("ws://[v1.a]/", InvalidUrl::Head(Host)),
        ] {
            assert_eq!(Url::parse(text), Err(why), "{text:?}");
        }
    }
}
