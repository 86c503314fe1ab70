//! Where a URL leads: RFC 9110 4.2 and RFC 6455 3.

use std::fmt;

use endwell_core::http::{InvalidRequestHead, Method, RequestHead};

use super::origin::Origin;

/// Where a URL leads: whom to connect to, and what to ask for.
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

/// Text that is no URL to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// The scheme is another than those that can be used here.
    Scheme,
    /// It has a fragment, which is for no server. RFC 6455 3.
    Fragment,
    /// The port is zero.
    Port,
    /// The host, or what follows it, is none. User information is refused too (RFC 9110 4.2.4).
    Head(InvalidRequestHead),
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("expected a URL with a scheme that can be used here (RFC 9110 4.2)"),
            Self::Fragment => f.write_str("expected a URL without a fragment (RFC 6455 3)"),
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

    /// The port where a URL names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http | Self::Ws => 80,
            Self::Https | Self::Wss => 443,
        }
    }
}

impl Url {
    /// Reads a URL. Nothing is escaped here: what must be escaped and is not is refused.
    ///
    /// # Errors
    ///
    /// Says what was wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUrl::Scheme)?;
        let scheme = Scheme::parse(scheme).ok_or(InvalidUrl::Scheme)?;
        if rest.contains('#') {
            return Err(InvalidUrl::Fragment);
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // RFC 9112 3.2.1: an empty path is sent as a slash.
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        RequestHead::new(Method::Get, authority, &target).map_err(InvalidUrl::Head)?;
        let (host, port) = host_and_port(authority, scheme.default_port())?;
        let authority =
            if port == scheme.default_port() { host.to_owned() } else { format!("{host}:{port}") };
        Ok(Self { scheme, authority, host: without_brackets(host).to_owned(), port, target })
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, to connect to: a name or an address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whom to connect to.
    pub fn origin(&self) -> Origin {
        Origin::new(self.scheme, &self.host, self.port)
    }

    /// Host and port as a request names them: without the port where it is the scheme's own.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query, the target of a request.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// The parts of an authority that was checked.
pub(super) fn host_and_port(authority: &str, default: u16) -> Result<(&str, u16), InvalidUrl> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (authority, ""),
    };
    // RFC 3986 3.2.2: an address of a future version is not known, and is no name to look up.
    if host.starts_with("[v") || host.starts_with("[V") {
        return Err(InvalidUrl::Head(InvalidRequestHead::Host));
    }
    let port = match port {
        "" => default,
        port => port.parse().ok().filter(|port| *port > 0).ok_or(InvalidUrl::Port)?,
    };
    Ok((host, port))
}

/// An IPv6 address as it is connected to.
pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
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
        ] {
            let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let found = (url.host(), url.port(), url.authority(), url.target());
            assert_eq!(found, (host, port, authority, target), "{text}");
        }
    }

    #[test]
    fn what_is_no_url() {
        use InvalidRequestHead::{Host, Target};
        for (text, why) in [
            ("", InvalidUrl::Scheme),
            ("a/b", InvalidUrl::Scheme),
            ("ftp://a", InvalidUrl::Scheme),
            ("ws://a/#f", InvalidUrl::Fragment),
            ("ws://a:0", InvalidUrl::Port),
            ("ws://a:65536", InvalidUrl::Head(Host)),
            ("ws://a:b", InvalidUrl::Head(Host)),
            ("ws://", InvalidUrl::Head(Host)),
            ("ws://:80", InvalidUrl::Head(Host)),
            ("ws://u:p@a/", InvalidUrl::Head(Host)),
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
