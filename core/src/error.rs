//! Errors, sorted by blame: the peer broke the protocol, or a limit was met.
//!
//! Only an adapter has the third kind, a failed transport. The core has no error for misuse: a call that must not be
//! made does not compile.

use alloc::boxed::Box;
use core::fmt;

use crate::limit::Exceeded;

/// Why a connection, or one message of it, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The peer sent what the protocol forbids.
    Protocol(Violation),
    /// The peer followed the protocol but exceeded one of our limits.
    Limit(Exceeded),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(violation) => violation.fmt(f),
            Self::Limit(exceeded) => exceeded.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Protocol(violation)
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Self {
        Self::Limit(exceeded)
    }
}

/// A violation of the protocol by the peer: what was expected, what came, and the section that requires it.
///
/// What came is kept shortened, and shown escaped: it is safe to print.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation(Box<Details>);

#[derive(Clone, PartialEq, Eq)]
struct Details {
    expected: &'static str,
    got: Excerpt,
    section: &'static str,
}

impl Violation {
    /// `section` is the RFC section that states what was expected.
    pub(crate) fn new(expected: &'static str, got: &[u8], section: &'static str) -> Self {
        Self(Box::new(Details { expected, got: Excerpt::of(got), section }))
    }

    /// What the protocol requires.
    pub fn expected(&self) -> &'static str {
        self.0.expected
    }

    /// What came instead, escaped and cut after 48 bytes.
    pub fn got(&self) -> impl fmt::Display + '_ {
        &self.0.got
    }

    /// True if nothing was wrong with what came, but the stream ended within a message. RFC 9112 8.
    pub fn is_incomplete(&self) -> bool {
        self.0.section == INCOMPLETE
    }

    /// The section that requires it, as in "RFC 9112 6.3".
    pub fn section(&self) -> &'static str {
        self.0.section
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {} ({})", self.0.expected, self.0.got, self.0.section)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({self})")
    }
}

impl core::error::Error for Violation {}

/// The section about messages that end early.
pub(crate) const INCOMPLETE: &str = "RFC 9112 8";

/// The first bytes of what a peer sent, shown escaped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    start: Box<[u8]>,
    cut: usize,
}

impl Excerpt {
    const SHOWN: usize = 48;

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let shown = bytes.get(..Self::SHOWN).unwrap_or(bytes);
        Self { start: shown.into(), cut: bytes.len().saturating_sub(shown.len()) }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start.is_empty() {
            return f.write_str("nothing");
        }
        write!(f, "\"{}\"", self.start.escape_ascii())?;
        if self.cut > 0 {
            write!(f, " and {} bytes more", self.cut)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_came_is_escaped_and_cut() {
        let got = [b"\x1b[2J".as_slice(), &[b'a'; 100]].concat();
        let text = Violation::new("a token", &got, "RFC 9110 5.6.2").to_string();
        assert!(text.starts_with("expected a token, got \"\\x1b[2Jaaa"), "{text}");
        assert!(text.ends_with("a\" and 56 bytes more (RFC 9110 5.6.2)"), "{text}");
    }
}
