//! The head of a request to send, checked when it is made.

use alloc::string::String;
use core::fmt;

use super::framing::Announced;
use crate::Outbox;
use crate::http::grammar::target;
use crate::http::received::persistence::Persistence;
use crate::http::{Field, FieldSection, InvalidField, InvalidMethod, Method, Target};

/// The head of a request to send: method, host, target and fields. The fields that frame the message and manage the
/// connection are added when it is sent.
///
/// Method, host and target are text, so they are checked once, when the head is made. Code that holds a `Request`
/// cannot split a request with it. CONNECT has its own type, [`Connect`], since it opens a tunnel.
///
/// ```
/// use endwell_core::http::{Field, Method, Request};
///
/// let head = Request::new(Method::Get, "example.com", "/search?q=a")?
///     .with(Field::from_static("accept", "text/html"));
/// assert_eq!(head.method(), Method::Get);
/// assert!(Request::new(Method::Get, "example.com", "/ HTTP/1.1\r\nx: y").is_err());
/// # Ok::<(), endwell_core::http::InvalidRequest>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    method: String,
    host: String,
    target: String,
    fields: FieldSection,
    pub(in crate::http) persistence: Persistence,
    takes_trailers: bool,
}

/// The head of a CONNECT: the host and port that the tunnel leads to, and fields. RFC 9110 9.3.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect(pub(in crate::http) Request);

/// Why text is not a valid request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The method is not a token of at most 32 bytes. RFC 9110 9.1.
    Method,
    /// CONNECT asks for a tunnel: use [`Connect`].
    Connect,
    /// The host is not a name or an address, with or without a port. RFC 9110 7.2.
    Host,
    /// The target has no form that is allowed with this method. RFC 9112 3.2.
    Target,
    /// The authority of an absolute target differs from the host. RFC 9112 3.2.2.
    OtherHost,
    /// The protocol is not a name, with a version after a slash or without. RFC 9110 7.8.
    Protocol,
    /// A field is not valid, or is one that the state machines write.
    Field(InvalidField),
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "expected a token of at most 32 bytes as the method (RFC 9110 9.1)",
            Self::Connect => "expected another method than CONNECT, which asks for a tunnel (RFC 9110 9.3.6)",
            Self::Host => "expected a name or an address as the host, with a port or without (RFC 9110 7.2)",
            Self::Target => {
                "expected a path or an absolute URI of valid characters as the target (RFC 9112 3.2)"
            }
            Self::OtherHost => "expected the authority of the absolute target as the host (RFC 9112 3.2.2)",
            Self::Protocol => "expected a protocol name, with a version or without (RFC 9110 7.8)",
            Self::Field(invalid) => return invalid.fmt(f),
        })
    }
}

impl core::error::Error for InvalidRequest {}

impl From<InvalidMethod> for InvalidRequest {
    fn from(_: InvalidMethod) -> Self {
        Self::Method
    }
}

impl From<InvalidField> for InvalidRequest {
    fn from(invalid: InvalidField) -> Self {
        Self::Field(invalid)
    }
}

impl Request {
    /// Checks method, host and target.
    ///
    /// `host` is the authority of the URI, without the port if it is the scheme's default. `target` is a path with its
    /// query, the whole URI for a proxy, or `*` with OPTIONS. Nothing is escaped here: the target is sent as it is, and
    /// one that [cannot be sent](Target) is refused.
    ///
    /// # Errors
    ///
    /// What is wrong. The arguments are only borrowed.
    pub fn new(method: Method<'_>, host: &str, target: &str) -> Result<Self, InvalidRequest> {
        let name = method.as_str();
        // The text decides, not the variant that holds it.
        let method = Method::of(name).ok_or(InvalidRequest::Method)?;
        if method == Method::Connect {
            return Err(InvalidRequest::Connect);
        }
        check_host(host)?;
        let parsed = Target::parse(target.as_bytes(), method).map_err(|_invalid| InvalidRequest::Target)?;
        if matches!(parsed, Target::Absolute { authority, .. } if authority != host) {
            return Err(InvalidRequest::OtherHost);
        }
        Ok(Self::checked(name, host, target))
    }

    fn checked(method: &str, host: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            host: host.into(),
            target: target.into(),
            fields: FieldSection::new(),
            persistence: Persistence::Keep,
            takes_trailers: false,
        }
    }

    /// Adds a field, and returns the head.
    #[must_use]
    pub fn with(mut self, field: Field<'_>) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds a field, after checking it, and returns the head. For text that is known, [`Field::from_static`] is checked
    /// when the program is compiled.
    ///
    /// # Errors
    ///
    /// If name or value is not valid, or the state machines write the field ([`Field::new`]).
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        Ok(self.with(Field::new(name, value.as_ref())?))
    }

    /// Makes this the last request of its connection, and announces that. RFC 9112 9.6.
    #[must_use]
    pub fn last(mut self) -> Self {
        self.persistence = Persistence::Close;
        self
    }

    /// Asks for the trailers of a chunked response, `TE: trailers`. RFC 9110 10.1.4.
    #[must_use]
    pub fn with_trailers(mut self) -> Self {
        self.takes_trailers = true;
        self
    }

    /// True if the trailers of a chunked response are asked for.
    #[cfg(feature = "http")]
    pub(in crate::http) fn takes_trailers(&self) -> bool {
        self.takes_trailers
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        Method::from_token(self.method.as_bytes())
    }

    /// The host, with a port if one was given.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The fields.
    pub fn fields(&self) -> &FieldSection {
        &self.fields
    }

    /// The fields, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.fields
    }

    /// Writes the head. `announced` frames the content, within what the method requires.
    pub(in crate::http) fn write(&self, announced: Announced, expects: Expects, out: &mut Outbox) {
        for part in [self.method.as_str(), " ", &self.target, " HTTP/1.1\r\nhost: ", &self.host, "\r\n"] {
            out.put(part.as_bytes());
        }
        out.put(match (self.persistence, self.takes_trailers) {
            (Persistence::Keep, false) => b"",
            (Persistence::Keep, true) => b"connection: te\r\nte: trailers\r\n",
            (Persistence::Close, false) => b"connection: close\r\n",
            (Persistence::Close, true) => b"connection: close, te\r\nte: trailers\r\n",
        });
        match announced {
            // RFC 9110 8.6: a length of zero is sent only with a method for which content has a meaning.
            Announced::Length(0) if !matches!(self.method(), Method::Post | Method::Put | Method::Patch) => {}
            Announced::Length(_) | Announced::Chunked | Announced::Nothing => announced.write(out),
        }
        if expects == Expects::Continue {
            out.put(b"expect: 100-continue\r\n");
        }
        out.put(self.fields.as_bytes());
        out.put(b"\r\n");
    }
}

impl Connect {
    /// Checks `authority`, the host and the port that the tunnel leads to.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Host`] if the authority is not a host and a port.
    pub fn new(authority: &str) -> Result<Self, InvalidRequest> {
        check_host(authority)?;
        Target::parse(authority.as_bytes(), Method::Connect).map_err(|_invalid| InvalidRequest::Host)?;
        Ok(Self(Request::checked("CONNECT", authority, authority)))
    }

    /// Adds a field, for example the credentials for a proxy, and returns the head.
    #[must_use]
    pub fn with(self, field: Field<'_>) -> Self {
        Self(self.0.with(field))
    }

    /// Adds a field, after checking it, and returns the head. For text that is known, [`Field::from_static`] is checked
    /// when the program is compiled.
    ///
    /// # Errors
    ///
    /// If name or value is not valid, or the state machines write the field ([`Field::new`]).
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, InvalidField> {
        Ok(self.with(Field::new(name, value.as_ref())?))
    }

    /// The host and the port that the tunnel leads to.
    pub fn authority(&self) -> &str {
        &self.0.host
    }

    /// The fields.
    pub fn fields(&self) -> &FieldSection {
        &self.0.fields
    }

    /// The fields, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.0.fields
    }
}

/// Whether a request expects 100 Continue. RFC 9110 10.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Expects {
    Continue,
    Nothing,
}

/// RFC 9110 4.2.1: an http URI with an empty host is invalid.
fn check_host(host: &str) -> Result<(), InvalidRequest> {
    let parts = target::is_authority(host.as_bytes());
    parts.filter(|parts| parts.host).map(|_valid| ()).ok_or(InvalidRequest::Host)
}

impl fmt::Debug for Request {
    /// Shows only the names of the fields: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("target", &self.target)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(method: &str, host: &str, target: &str) -> Option<InvalidRequest> {
        Request::new(Method::Extension(method), host, target).err()
    }

    #[test]
    fn method_host_and_target_cannot_split_a_request() {
        for target in ["", "a", "/a b", "/\r\n", "/a\r\nx: y", "/\n", "/\0", "/#f", "/\\", "/\u{7f}", "*"] {
            assert_eq!(reason("GET", "h", target), Some(InvalidRequest::Target), "{target:?}");
        }
        for host in ["", ":80", "a b", "a\r\nx: y", "a/b", "u@a", "a:b", "[::1", "http://a", "a,b:c"] {
            assert_eq!(reason("GET", host, "/"), Some(InvalidRequest::Host), "{host:?}");
            let reason = Connect::new(host).err();
            assert_eq!(reason, Some(InvalidRequest::Host), "{host:?}");
        }
        for method in ["", "GET ", "G\r\nT", "a:b", "\u{e9}", &"A".repeat(33)] {
            assert_eq!(reason(method, "h", "/"), Some(InvalidRequest::Method), "{method:?}");
        }
        for (method, target) in [("GET", "/a|%?b=[c]\u{e9}%"), ("OPTIONS", "*"), ("M-SEARCH", "http://h/a")] {
            assert_eq!(reason(method, "h", target), None, "{method} {target}");
        }
        assert_eq!(reason("GET", "h", "http://other/"), Some(InvalidRequest::OtherHost));
        assert_eq!(reason("CONNECT", "h", "h:1"), Some(InvalidRequest::Connect));
        assert!(Connect::new("h").is_err() && Connect::new("h:1").is_ok());
    }

    #[test]
    fn the_text_of_a_method_decides() {
        let head = Request::new(Method::Extension("HEAD"), "h", "/").unwrap();
        assert_eq!(head.method(), Method::Head);
    }
}
