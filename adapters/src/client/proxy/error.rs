//! Why a proxy opened no tunnel.

use std::fmt;
use std::io;

use endwell_core::Exceeded;
use endwell_core::http::{ResponseHead, StatusCode};

use super::location::Proxy;
use crate::client::origin::Authority;

/// Why there is no connection through a proxy.
///
/// A connector returns it within an [`io::Error`]:
///
/// ```
/// use endwell::client::proxy::ProxyError;
///
/// fn wants_credentials(error: &std::io::Error) -> bool {
///     let error = error.get_ref().and_then(|error| error.downcast_ref::<ProxyError>());
///     error.is_some_and(ProxyError::wants_credentials)
/// }
/// ```
///
/// It never holds credentials.
#[non_exhaustive]
pub struct ProxyError {
    /// The proxy, as a URL without credentials.
    pub proxy: String,
    /// The host and port that the tunnel leads to.
    pub target: String,
    /// What happened.
    pub reason: Reason,
    had_credentials: bool,
}

/// What happened at a proxy, or on the way to it.
#[non_exhaustive]
pub enum Reason {
    /// The proxy could not be connected to.
    Unreachable(io::Error),
    /// An HTTP proxy responded with anything but a 2xx. A 407 asks for credentials, or for others, and
    /// `Proxy-Authenticate` in this head names the scheme.
    Refused(Box<ResponseHead>),
    /// A SOCKS proxy asks for credentials, or for others.
    Credentials,
    /// A SOCKS proxy refused, with a reply of RFC 1928 6.
    Denied(Denied),
    /// The proxy closed the connection before it responded.
    Closed,
    /// The proxy's response was invalid: what was expected, and what came unless it might hold credentials.
    Protocol(String),
    /// The proxy's response exceeded a limit.
    Limit(Exceeded),
    /// The connection to the proxy failed after it was made.
    Transport(io::Error),
    /// The origin's host cannot be sent to a proxy.
    Host,
}

/// The refusals of SOCKS proxies, with their numbers. RFC 1928 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied {
    /// 1: general SOCKS server failure.
    Failure,
    /// 2: connection not allowed by ruleset.
    NotAllowed,
    /// 3: network unreachable.
    NetworkUnreachable,
    /// 4: host unreachable.
    HostUnreachable,
    /// 5: connection refused.
    ConnectionRefused,
    /// 6: TTL expired.
    TtlExpired,
    /// 7: command not supported.
    CommandNotSupported,
    /// 8: address type not supported.
    AddressTypeNotSupported,
}

impl Denied {
    /// The meaning of the refusal, and its kind of error.
    fn describe(self) -> (&'static str, io::ErrorKind) {
        match self {
            Self::Failure => ("it failed (SOCKS reply 1)", io::ErrorKind::Other),
            Self::NotAllowed => {
                ("its rules do not allow it (SOCKS reply 2)", io::ErrorKind::PermissionDenied)
            }
            Self::NetworkUnreachable => {
                ("the network is unreachable from there (SOCKS reply 3)", io::ErrorKind::NetworkUnreachable)
            }
            Self::HostUnreachable => (
                "the host is unreachable from there, or its name is not known (SOCKS reply 4)",
                io::ErrorKind::HostUnreachable,
            ),
            Self::ConnectionRefused => {
                ("the host refused the connection (SOCKS reply 5)", io::ErrorKind::ConnectionRefused)
            }
            Self::TtlExpired => ("the host did not answer in time (SOCKS reply 6)", io::ErrorKind::TimedOut),
            Self::CommandNotSupported => {
                ("it makes no connections (SOCKS reply 7)", io::ErrorKind::Unsupported)
            }
            Self::AddressTypeNotSupported => (
                "it does not know this kind of address: a name, IPv4 or IPv6 (SOCKS reply 8)",
                io::ErrorKind::Unsupported,
            ),
        }
    }
}

impl ProxyError {
    pub(super) fn new(proxy: &Proxy, target: Authority<'_>, reason: Reason) -> Self {
        let had_credentials = proxy.credentials().is_some();
        Self { proxy: proxy.to_string(), target: target.to_string(), reason, had_credentials }
    }

    /// The head of an HTTP proxy's response other than a 2xx.
    pub fn head(&self) -> Option<&ResponseHead> {
        match &self.reason {
            Reason::Refused(head) => Some(head),
            Reason::Unreachable(_)
            | Reason::Credentials
            | Reason::Denied(_)
            | Reason::Closed
            | Reason::Protocol(_)
            | Reason::Limit(_)
            | Reason::Transport(_)
            | Reason::Host => None,
        }
    }

    /// True if the proxy asks for credentials, or for others than it received. Some proxies use 401 for that.
    pub fn wants_credentials(&self) -> bool {
        match &self.reason {
            Reason::Refused(head) => {
                matches!(head.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED)
            }
            Reason::Credentials => true,
            Reason::Unreachable(_)
            | Reason::Denied(_)
            | Reason::Closed
            | Reason::Protocol(_)
            | Reason::Limit(_)
            | Reason::Transport(_)
            | Reason::Host => false,
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match &self.reason {
            Reason::Unreachable(error) | Reason::Transport(error) => error.kind(),
            Reason::Refused(head) => match head.status().as_u16() {
                401 | 403 | 407 => io::ErrorKind::PermissionDenied,
                _ => io::ErrorKind::Other,
            },
            Reason::Credentials => io::ErrorKind::PermissionDenied,
            Reason::Denied(denied) => denied.describe().1,
            Reason::Closed => io::ErrorKind::UnexpectedEof,
            Reason::Protocol(_) | Reason::Limit(_) => io::ErrorKind::InvalidData,
            Reason::Host => io::ErrorKind::InvalidInput,
        }
    }
}

impl From<ProxyError> for io::Error {
    fn from(error: ProxyError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxy, target, reason, had_credentials } = self;
        if self.wants_credentials() {
            let what = if *had_credentials { "does not accept the credentials" } else { "wants credentials" };
            write!(f, "the proxy {proxy} {what} for a tunnel to {target}")?;
        }
        match reason {
            Reason::Refused(head) if self.wants_credentials() => write!(f, ": {}", head.status()),
            Reason::Credentials => Ok(()),
            Reason::Unreachable(error) => write!(f, "no connection to the proxy {proxy}: {error}"),
            Reason::Refused(head) if head.status().as_u16() >= 500 => {
                write!(f, "the proxy {proxy} could not make a tunnel to {target}: {}", head.status())
            }
            Reason::Refused(head) => {
                write!(f, "the proxy {proxy} refused a tunnel to {target}: {}", head.status())
            }
            Reason::Denied(denied) => {
                write!(f, "the proxy {proxy} made no connection to {target}: {}", denied.describe().0)
            }
            Reason::Closed => {
                write!(f, "the proxy {proxy} closed the connection before it answered for {target}")
            }
            Reason::Protocol(what) => write!(f, "the proxy {proxy} broke the protocol: {what}"),
            Reason::Limit(exceeded) => {
                write!(f, "the answer of the proxy {proxy} met a limit: {exceeded}")
            }
            Reason::Transport(error) => write!(f, "the connection to the proxy {proxy} failed: {error}"),
            Reason::Host => {
                write!(f, "expected a host that the proxy {proxy} can be asked for (RFC 9110 7.2)")
            }
        }
    }
}

impl fmt::Debug for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyError({self})")
    }
}

/// Shows only the status of a head: a proxy may send back what it received.
impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => f.debug_tuple("Unreachable").field(error).finish(),
            Self::Refused(head) => f.debug_tuple("Refused").field(&head.status()).finish(),
            Self::Credentials => f.write_str("Credentials"),
            Self::Denied(denied) => f.debug_tuple("Denied").field(denied).finish(),
            Self::Closed => f.write_str("Closed"),
            Self::Protocol(what) => f.debug_tuple("Protocol").field(what).finish(),
            Self::Limit(exceeded) => f.debug_tuple("Limit").field(exceeded).finish(),
            Self::Transport(error) => f.debug_tuple("Transport").field(error).finish(),
            Self::Host => f.write_str("Host"),
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::Unreachable(error) | Reason::Transport(error) => Some(error),
            Reason::Limit(exceeded) => Some(exceeded),
            Reason::Refused(_)
            | Reason::Credentials
            | Reason::Denied(_)
            | Reason::Closed
            | Reason::Protocol(_)
            | Reason::Host => None,
        }
    }
}
