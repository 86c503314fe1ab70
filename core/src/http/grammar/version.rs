//! The HTTP version of a message. RFC 9112 2.3.

use core::fmt;

use crate::Violation;

/// The versions of HTTP that are understood. A minor version above 1 counts as 1.1 (RFC 9110 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// Why a version was refused.
pub(in crate::http) enum InvalidVersion {
    /// The text is not a version.
    Syntax(Violation),
    /// Another major version. RFC 9110 15.6.6.
    Major(Violation),
}

impl fmt::Display for Version {
    /// `HTTP/1.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        })
    }
}

impl Version {
    /// Reads `HTTP/` digit `.` digit. Case matters.
    pub(in crate::http) fn parse(text: &[u8]) -> Result<Self, InvalidVersion> {
        match text {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit() => Ok(Self::Http11),
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                let violation = Violation::new("HTTP/1.1 or HTTP/1.0", text, "RFC 9110 15.6.6");
                Err(InvalidVersion::Major(violation))
            }
            _ => {
                let violation = Violation::new("a version of the form HTTP/1.1", text, "RFC 9112 2.3");
                Err(InvalidVersion::Syntax(violation))
            }
        }
    }
}
