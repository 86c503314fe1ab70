//! The head of a received request.

use core::fmt;
use core::ops::Range;

use bytes::Bytes;

use crate::Violation;
use crate::http::Fields;
use crate::http::grammar::characters;
use crate::http::grammar::method::Method;
use crate::http::grammar::target;
use crate::http::grammar::target::Target;
use crate::http::grammar::version::{InvalidVersion, Version};

/// The head of a request: method, target, version and fields.
#[derive(Clone)]
pub struct RequestHead {
    line: RequestLine,
    fields: Fields,
}

impl RequestHead {
    /// `fields` were read from the same head as `line`.
    pub(in crate::http) fn new(line: RequestLine, fields: Fields) -> Self {
        Self { line, fields }
    }

    /// Of a request whose fields are invalid or not complete. `text` has the line.
    pub(in crate::http) fn without_fields(line: RequestLine, text: &[u8]) -> Self {
        Self { line, fields: Fields::empty(Bytes::copy_from_slice(text)) }
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        self.line.method(self.fields.section())
    }

    /// The target.
    pub fn target(&self) -> Target<'_> {
        self.line.target(self.fields.section())
    }

    /// The path of the target as it was sent: percent escapes are not decoded. `/` if an absolute target has no path.
    /// Empty for the forms without a path.
    pub fn path(&self) -> &str {
        self.line.path(self.fields.section())
    }

    /// The query of the target as it was sent, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.line.query(self.fields.section())
    }

    /// The whole target as it was sent.
    pub fn target_str(&self) -> &str {
        text_at(self.fields.section(), self.line.target)
    }

    /// The version. A minor version above 1 counts as 1.1.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// True if the target itself names the authority.
    pub(in crate::http) fn target_has_authority(&self) -> bool {
        matches!(self.line.form, Form::Absolute { .. } | Form::Authority)
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The host that the request is for, with a port if one came. It is that of an absolute target, otherwise that of
    /// the Host field (RFC 9112 3.2.2). `None` only in HTTP/1.0.
    pub fn authority(&self) -> Option<&str> {
        match self.target() {
            Target::Absolute { authority, .. } | Target::Authority(authority) => Some(authority),
            Target::Origin { .. } | Target::Asterisk => self.fields.get_str("host"),
        }
    }
}

impl fmt::Debug for RequestHead {
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

/// The contents of a request line, and the positions of its parts. RFC 9112 3.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct RequestLine {
    method: MethodName,
    form: Form,
    target: Place,
    /// Empty for the forms without a path, and for an absolute target without one. The query follows it in the target.
    path: Place,
    version: Version,
}

#[derive(Clone, Copy, Debug)]
enum MethodName {
    Registered(Method<'static>),
    Extension(Place),
}

/// A position in a head, which has at most 16 MiB.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn new(start: usize, len: usize) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(start.saturating_add(len)) }
    }

    fn range(self) -> Range<usize> {
        let wide = |at| usize::try_from(at).unwrap_or(usize::MAX);
        wide(self.start)..wide(self.end)
    }

    fn len(self) -> usize {
        self.range().len()
    }
}

/// The form of a target, and the lengths that locate its parts.
#[derive(Clone, Copy, Debug)]
enum Form {
    Origin,
    Absolute { scheme_len: u32 },
    Authority,
    Asterisk,
}

/// Why a request line was refused.
pub(in crate::http) enum InvalidRequestLine {
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

impl From<InvalidVersion> for InvalidRequestLine {
    fn from(invalid: InvalidVersion) -> Self {
        match invalid {
            InvalidVersion::Syntax(violation) => Self::Syntax(violation),
            InvalidVersion::Major(violation) => Self::Version(violation),
        }
    }
}

impl RequestLine {
    /// The bytes of a request line besides its target, at the most.
    pub(in crate::http) const OVERHEAD: usize = Method::LONGEST + " ".len() + " HTTP/1.1\r\n".len();

    /// Reads the line at `range` of `text`, without its line end.
    pub(in crate::http) fn parse(text: &[u8], range: Range<usize>) -> Result<Self, InvalidRequestLine> {
        let line = text.get(range.clone()).unwrap_or_default();
        let shape =
            || Violation::new("a method, a target and a version with one space between", line, "RFC 9112 3");
        let method_len = characters::find(b' ', line).ok_or_else(shape)?;
        let method = line.get(..method_len).unwrap_or_default();
        if !characters::is_token(method) {
            return Err(Violation::new("a token as the method", method, "RFC 9110 9.1").into());
        }
        if method_len > Method::LONGEST {
            let violation = Violation::new("a method of at most 32 bytes", method, "RFC 9112 3");
            return Err(InvalidRequestLine::Method(violation));
        }
        let target_start = method_len + 1;
        let rest = line.get(target_start..).unwrap_or_default();
        let target_len = characters::find(b' ', rest).ok_or_else(shape)?;
        let version = Version::parse(rest.get(target_len + 1..).unwrap_or_default())?;
        let start = range.start + target_start;
        let bytes = rest.get(..target_len).unwrap_or_default();
        let method = Method::from_token(method);
        let parsed = Target::parse(bytes, method).map_err(|invalid| invalid.violation(bytes))?;
        let (form, path_start) = match parsed {
            Target::Origin { .. } => (Form::Origin, start),
            Target::Absolute { scheme, authority, .. } => {
                let scheme_len = u32::try_from(scheme.len()).unwrap_or(u32::MAX);
                (Form::Absolute { scheme_len }, start + scheme.len() + "://".len() + authority.len())
            }
            Target::Authority(_) => (Form::Authority, start),
            Target::Asterisk => (Form::Asterisk, start),
        };
        let method = match method.registered() {
            Some(method) => MethodName::Registered(method),
            None => MethodName::Extension(Place::new(range.start, method_len)),
        };
        let target = Place::new(start, target_len);
        let query_len = parsed.query().map_or(0, |query| "?".len() + query.len());
        let path_len = match form {
            Form::Origin | Form::Absolute { .. } => target.range().end.saturating_sub(path_start + query_len),
            Form::Authority | Form::Asterisk => 0,
        };
        Ok(Self { method, form, path: Place::new(path_start, path_len), target, version })
    }

    /// Where the next line starts.
    pub(in crate::http) fn end(&self) -> usize {
        self.target.range().end + " HTTP/1.1\r\n".len()
    }

    pub(in crate::http) fn target_len(&self) -> usize {
        self.target.len()
    }

    pub(in crate::http) fn method<'a>(&self, text: &'a [u8]) -> Method<'a> {
        match self.method {
            MethodName::Registered(method) => method,
            MethodName::Extension(place) => Method::Extension(text_at(text, place)),
        }
    }

    fn path<'a>(&self, text: &'a [u8]) -> &'a str {
        match self.form {
            Form::Absolute { .. } if self.path.len() == 0 => {
                target::missing_path(self.has_query(), self.method(text))
            }
            Form::Origin | Form::Absolute { .. } | Form::Authority | Form::Asterisk => {
                text_at(text, self.path)
            }
        }
    }

    /// True if the target has a query. Only for forms with a path, missing or not.
    fn has_query(&self) -> bool {
        self.path.end < self.target.end
    }

    fn query<'a>(&self, text: &'a [u8]) -> Option<&'a str> {
        let query = Place { start: self.path.end.saturating_add(1), end: self.target.end };
        match self.form {
            Form::Origin | Form::Absolute { .. } => self.has_query().then(|| text_at(text, query)),
            Form::Authority | Form::Asterisk => None,
        }
    }

    fn target<'a>(&self, text: &'a [u8]) -> Target<'a> {
        let place = |start, end| text_at(text, Place { start, end });
        let (path, query) = (self.path(text), self.query(text));
        match self.form {
            Form::Origin => Target::Origin { path, query },
            Form::Absolute { scheme_len } => {
                let scheme_end = self.target.start + scheme_len;
                let scheme = place(self.target.start, scheme_end);
                let authority = place(scheme_end + COLON_SLASHES, self.path.start);
                Target::Absolute { scheme, authority, path, query }
            }
            Form::Authority => Target::Authority(text_at(text, self.target)),
            Form::Asterisk => Target::Asterisk,
        }
    }
}

/// The length of `://` between a scheme and an authority.
const COLON_SLASHES: u32 = 3;

/// The text at `place`, which was found to be UTF-8.
fn text_at(text: &[u8], place: Place) -> &str {
    text.get(place.range()).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
}
