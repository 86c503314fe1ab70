//! The head of a request as it was received.

use bytes::Bytes;
use core::fmt;
use core::ops::Range;

use super::target::Target;
use super::{Fields, syntax};
use crate::Violation;

/// A request method. Case matters (RFC 9110 9.1).
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

impl<'a> Method<'a> {
    /// Reads a method that is a token.
    fn from_token(token: &'a [u8]) -> Self {
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
            // A token is ASCII.
            other => Self::Extension(core::str::from_utf8(other).unwrap_or_default()),
        }
    }

    /// The method as it is written.
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

/// The versions of HTTP that are understood. A higher minor version counts as 1.1 (RFC 9110 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// The head of a request: method, target, version and fields.
#[derive(Clone)]
pub struct Request {
    head: Bytes,
    line: RequestLine,
    fields: Fields,
}

impl Request {
    pub(super) fn new(head: Bytes, line: RequestLine, fields: Fields) -> Self {
        Self { head, line, fields }
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        self.line.method(&self.head)
    }

    /// The target.
    pub fn target(&self) -> Target<'_> {
        // The target was parsed once, and the bytes are the same.
        self.line.target(&self.head).unwrap_or(Target::Asterisk)
    }

    /// The target's path, as it was sent: percent escapes are not decoded. Empty for the forms without one.
    pub fn path(&self) -> &str {
        self.target().path()
    }

    /// The version; a higher minor version than 1 counts as 1.1.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The host that the request is for, with a port if one came: from an absolute target, else from the Host
    /// field (RFC 9112 3.2.2). Absent only in HTTP/1.0.
    pub fn authority(&self) -> Option<&str> {
        match self.target() {
            Target::Absolute { authority, .. } | Target::Authority(authority) => Some(authority),
            Target::Origin { .. } | Target::Asterisk => self.fields.get_str("host"),
        }
    }
}

impl fmt::Debug for Request {
    /// Hides the values of fields that carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("version", &self.version())
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// Where the parts of a request line stand. RFC 9112 3.
#[derive(Clone, Debug)]
pub(super) struct RequestLine {
    method: Range<usize>,
    target: Range<usize>,
    version: Version,
}

/// Why a request line was not taken.
pub(super) enum InvalidRequestLine {
    Syntax(Violation),
    /// A method longer than any that we implement. RFC 9112 3.
    Method(Violation),
    /// Another major version. RFC 9110 15.6.6.
    Version(Violation),
}

impl From<Violation> for InvalidRequestLine {
    fn from(violation: Violation) -> Self {
        Self::Syntax(violation)
    }
}

/// Longer than any registered method (the longest has 17 bytes).
const METHOD_LEN: usize = 32;

impl RequestLine {
    /// What a request line holds besides its target, at the most.
    pub(super) const OVERHEAD: usize = METHOD_LEN + " ".len() + " HTTP/1.1\r\n".len();

    /// Reads the line that stands at `range` of `text`, without its line end.
    pub(super) fn parse(text: &[u8], range: Range<usize>) -> Result<Self, InvalidRequestLine> {
        let line = text.get(range.clone()).unwrap_or_default();
        let shape =
            || Violation::new("a method, a target and a version with one space between", line, "RFC 9112 3");
        let method_len = syntax::find(b' ', line).ok_or_else(shape)?;
        let method = line.get(..method_len).unwrap_or_default();
        if !syntax::is_token(method) {
            return Err(Violation::new("a token as the method", method, "RFC 9110 9.1").into());
        }
        if method_len > METHOD_LEN {
            let violation = Violation::new("a method of at most 32 bytes", method, "RFC 9112 3");
            return Err(InvalidRequestLine::Method(violation));
        }
        let target_start = method_len + 1;
        let rest = line.get(target_start..).unwrap_or_default();
        let target_len = syntax::find(b' ', rest).ok_or_else(shape)?;
        let version = parse_version(rest.get(target_len + 1..).unwrap_or_default())?;
        let this = Self {
            method: range.start..range.start + method_len,
            target: range.start + target_start..range.start + target_start + target_len,
            version,
        };
        this.target(text).map_err(|invalid| invalid.violation(rest.get(..target_len).unwrap_or_default()))?;
        Ok(this)
    }

    /// Where the line behind it starts.
    pub(super) fn end(&self) -> usize {
        self.target.end + " HTTP/1.1\r\n".len()
    }

    pub(super) fn target_len(&self) -> usize {
        self.target.len()
    }

    pub(super) fn method<'a>(&self, text: &'a [u8]) -> Method<'a> {
        Method::from_token(text.get(self.method.clone()).unwrap_or_default())
    }

    fn target<'a>(&self, text: &'a [u8]) -> Result<Target<'a>, super::target::InvalidTarget> {
        Target::parse(text.get(self.target.clone()).unwrap_or_default(), self.method(text))
    }
}

/// RFC 9112 2.3: `HTTP/` digit `.` digit, and case matters.
fn parse_version(text: &[u8]) -> Result<Version, InvalidRequestLine> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit() => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(InvalidRequestLine::Version(Violation::new("HTTP/1.1 or HTTP/1.0", text, "RFC 9110 15.6.6")))
        }
        _ => Err(Violation::new("a version of the form HTTP/1.1", text, "RFC 9112 2.3").into()),
    }
}
