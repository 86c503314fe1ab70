//! The head of a received response.

use bytes::Bytes;
use core::fmt;

use crate::Violation;
use crate::http::grammar::characters;
use crate::http::grammar::lines::Line;
use crate::http::grammar::version::{InvalidVersion, Version};
use crate::http::{Fields, Reading, StatusCode};

/// The head of a final response: version, status and fields.
#[derive(Clone)]
pub struct ResponseHead {
    status: StatusCode,
    rest: Rest,
}

/// The head of an interim response: a status from 100 to 199, and fields. RFC 9110 15.2.
///
/// The final response is still to come. A client may ignore interim responses.
#[derive(Clone)]
pub struct InterimHead {
    status: u16,
    rest: Rest,
}

/// The parts of a head besides its status.
#[derive(Clone)]
struct Rest {
    /// The whole head, as it came.
    text: Bytes,
    version: Version,
    reason_len: usize,
    fields: Fields,
}

/// An interim or a final head: the status decides.
pub(in crate::http) enum AnyHead {
    Interim(InterimHead),
    Final(ResponseHead),
}

impl ResponseHead {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The version. A minor version above 1 counts as 1.1.
    pub fn version(&self) -> Version {
        self.rest.version
    }

    /// The reason phrase as it came. It has no meaning (RFC 9112 4) and may be empty.
    pub fn reason(&self) -> &[u8] {
        self.rest.reason()
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.rest.fields
    }

    /// The head as it came, from the status line to the empty line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.rest.text
    }
}

impl InterimHead {
    /// The status code, from 100 to 199.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The version. A minor version above 1 counts as 1.1.
    pub fn version(&self) -> Version {
        self.rest.version
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.rest.fields
    }

    /// The head as it came, from the status line to the empty line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.rest.text
    }
}

impl Rest {
    fn reason(&self) -> &[u8] {
        let text = self.text.get(StatusLine::REASON..).unwrap_or_default();
        text.get(..self.reason_len).unwrap_or_default()
    }
}

impl AnyHead {
    /// `line` and `fields` were read from `text`.
    pub(in crate::http) fn new(text: Bytes, line: StatusLine, fields: Fields) -> Self {
        let rest = Rest { text, version: line.version, reason_len: line.reason_len, fields };
        match StatusCode::received(line.code) {
            Some(status) => Self::Final(ResponseHead { status, rest }),
            None => Self::Interim(InterimHead { status: line.code, rest }),
        }
    }
}

/// The contents of a status line. RFC 9112 4.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct StatusLine {
    version: Version,
    /// Three digits.
    code: u16,
    reason_len: usize,
    end: usize,
}

impl StatusLine {
    /// Where the reason phrase starts.
    const REASON: usize = "HTTP/1.1 200 ".len();

    /// Reads `line`, the first line of `text`.
    pub(in crate::http) fn parse(text: &[u8], line: Line, reading: Reading) -> Result<Self, Violation> {
        let got = text.get(line.start..line.end).unwrap_or_default();
        let space = characters::find(b' ', got).unwrap_or(got.len());
        let (version, rest) = got.split_at(space);
        let version = Version::parse(version).map_err(|invalid| match invalid {
            InvalidVersion::Syntax(violation) | InvalidVersion::Major(violation) => violation,
        })?;
        let (digits, reason): ([u8; 3], &[u8]) = match (reading, rest) {
            (_, [b' ', hundreds, tens, ones, b' ', reason @ ..]) => ([*hundreds, *tens, *ones], reason),
            // RFC 9112 4 requires the second space even without a reason phrase.
            (Reading::Ordinary, [b' ', hundreds, tens, ones]) => ([*hundreds, *tens, *ones], b""),
            (Reading::Ordinary | Reading::Strict, _) => {
                let expected = "a status code of three digits between two spaces";
                return Err(Violation::new(expected, rest, "RFC 9112 4"));
            }
        };
        let code = core::str::from_utf8(&digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        let code = code.and_then(|digits| digits.parse().ok());
        let code = code.filter(|code| reading == Reading::Ordinary || (100..=599).contains(code));
        let code =
            code.ok_or_else(|| Violation::new("a status code from 100 to 599", &digits, "RFC 9110 15"))?;
        if !characters::is_field_value(reason) {
            return Err(Violation::new("a reason phrase without control bytes", reason, "RFC 9112 4"));
        }
        Ok(Self { version, code, reason_len: reason.len(), end: line.next })
    }

    /// Where the next line starts.
    pub(in crate::http) fn end(&self) -> usize {
        self.end
    }
}

impl fmt::Debug for ResponseHead {
    /// Hides the values of fields that carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("version", &self.rest.version)
            .field("fields", &self.rest.fields)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InterimHead {
    /// Hides the values of fields that carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterimHead")
            .field("status", &self.status)
            .field("fields", &self.rest.fields)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8], reading: Reading) -> Result<StatusLine, Violation> {
        let line = Line { start: 0, end: text.len(), next: text.len() + 2 };
        StatusLine::parse(text, line, reading)
    }

    #[test]
    fn a_version_a_code_and_a_reason() {
        for (line, code, version, reason_len) in [
            (&b"HTTP/1.1 200 OK"[..], 200, Version::Http11, 2),
            (b"HTTP/1.0 599 ", 599, Version::Http10, 0),
            (b"HTTP/1.9 100  \t\xff", 100, Version::Http11, 3),
        ] {
            for reading in [Reading::Ordinary, Reading::Strict] {
                let parsed = parse(line, reading).unwrap();
                assert_eq!((parsed.code, parsed.version, parsed.reason_len), (code, version, reason_len));
                assert_eq!(parsed.end(), line.len() + 2);
            }
        }
    }

    #[test]
    fn anything_else_is_none() {
        for (line, expected) in [
            (&b""[..], "a version of the form HTTP/1.1"),
            (b" HTTP/1.1 200 OK", "a version of the form HTTP/1.1"),
            (b"http/1.1 200 OK", "a version of the form HTTP/1.1"),
            (b"HTTP/1.1\t200 OK", "a version of the form HTTP/1.1"),
            (b"HTTP/2.0 200 OK", "HTTP/1.1 or HTTP/1.0"),
            (b"HTTP/1.1", "a status code of three digits between two spaces"),
            (b"HTTP/1.1 200", "a status code of three digits between two spaces"),
            (b"HTTP/1.1  200 OK", "a status code of three digits between two spaces"),
            (b"HTTP/1.1 20 OK", "a status code of three digits between two spaces"),
            (b"HTTP/1.1 2000 OK", "a status code of three digits between two spaces"),
            (b"HTTP/1.1 +20 OK", "a status code from 100 to 599"),
            (b"HTTP/1.1 099 ", "a status code from 100 to 599"),
            (b"HTTP/1.1 600 ", "a status code from 100 to 599"),
            (b"HTTP/1.1 200 \0", "a reason phrase without control bytes"),
            (b"HTTP/1.1 200 a\rb", "a reason phrase without control bytes"),
        ] {
            let violation = parse(line, Reading::Strict).unwrap_err();
            assert_eq!(violation.expected(), expected, "{}", line.escape_ascii());
        }
    }
}
