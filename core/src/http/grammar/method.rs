//! Request methods. RFC 9110 9.

use core::fmt;

use super::characters;

/// A request method. Case matters (RFC 9110 9.1).
///
/// ```
/// use endwell_core::http::Method;
///
/// assert_eq!(Method::try_from("PATCH")?, Method::Patch);
/// assert_eq!(Method::try_from("PURGE")?, Method::Extension("PURGE"));
/// assert!(Method::try_from("GET /").is_err());
/// # Ok::<(), endwell_core::http::InvalidMethod>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method<'a> {
    /// GET, RFC 9110 9.3.1.
    Get,
    /// HEAD, RFC 9110 9.3.2.
    Head,
    /// POST, RFC 9110 9.3.3.
    Post,
    /// PUT, RFC 9110 9.3.4.
    Put,
    /// DELETE, RFC 9110 9.3.5.
    Delete,
    /// CONNECT, RFC 9110 9.3.6.
    Connect,
    /// OPTIONS, RFC 9110 9.3.7.
    Options,
    /// TRACE, RFC 9110 9.3.8.
    Trace,
    /// PATCH, RFC 5789.
    Patch,
    /// Any other token, of at most 32 bytes.
    Extension(&'a str),
}

/// Text that is not a method: a token of at most 32 bytes. RFC 9110 9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMethod(());

impl fmt::Display for InvalidMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a token of at most 32 bytes as the method (RFC 9110 9.1)")
    }
}

impl core::error::Error for InvalidMethod {}

impl<'a> TryFrom<&'a str> for Method<'a> {
    type Error = InvalidMethod;

    fn try_from(text: &'a str) -> Result<Self, InvalidMethod> {
        Self::of(text).ok_or(InvalidMethod(()))
    }
}

impl<'a> Method<'a> {
    /// Longer than any registered method (the longest has 17 bytes).
    pub(in crate::http) const LONGEST: usize = 32;

    /// Reads a method from a token, which is ASCII.
    pub(in crate::http) fn from_token(token: &'a [u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            other => Self::Extension(core::str::from_utf8(other).unwrap_or_default()),
        }
    }

    /// Reads a method that we may send.
    pub(in crate::http) fn of(text: &'a str) -> Option<Self> {
        let valid = characters::is_token(text.as_bytes()) && text.len() <= Self::LONGEST;
        valid.then(|| Self::from_token(text.as_bytes()))
    }

    /// The method without the text that it was read from, or `None` if it needs that text.
    pub(in crate::http) fn registered(self) -> Option<Method<'static>> {
        Some(match self {
            Self::Get => Method::Get,
            Self::Head => Method::Head,
            Self::Post => Method::Post,
            Self::Put => Method::Put,
            Self::Delete => Method::Delete,
            Self::Connect => Method::Connect,
            Self::Options => Method::Options,
            Self::Trace => Method::Trace,
            Self::Patch => Method::Patch,
            Self::Extension(_) => return None,
        })
    }

    /// True if a repeated request with this method has the same effect as a single one. RFC 9110 9.2.2. False for an
    /// extension method, whose effect is unknown.
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options | Self::Trace | Self::Put | Self::Delete => true,
            Self::Post | Self::Connect | Self::Patch | Self::Extension(_) => false,
        }
    }

    /// The method as text.
    pub fn as_str(&self) -> &'a str {
        match *self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Extension(token) => token,
        }
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
