//! Why nothing more is received.

use core::fmt;

use crate::ws::wire::close::{Close, CloseCode, InvalidClose};
use crate::{Exceeded, Limit, Violation};

/// Why nothing more is received, by blame. The peer is owed a Close for it, at most once (RFC 6455 7.1.7):
/// [`Socket::close`](super::Socket::close) writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The peer sent what the protocol forbids: 1002.
    Violation(Violation),
    /// The peer sent text that is not UTF-8: 1007.
    NotText(Violation),
    /// The peer exceeded a limit: 1009 if what it sent is too big, otherwise 1008.
    Exceeded(Exceeded),
    /// The stream ended without a Close. No peer is left to tell.
    EndOfStream,
}

impl Cause {
    /// The close code for the peer. `None` if the stream has ended.
    pub fn code(&self) -> Option<CloseCode> {
        match self {
            Self::Violation(_) => Some(CloseCode::PROTOCOL_ERROR),
            Self::NotText(_) => Some(CloseCode::INVALID_PAYLOAD),
            Self::Exceeded(Exceeded {
                limit: Limit::FrameBytes | Limit::MessageBytes | Limit::StreamedBytes,
                ..
            }) => Some(CloseCode::MESSAGE_TOO_BIG),
            Self::Exceeded(_) => Some(CloseCode::POLICY_VIOLATION),
            Self::EndOfStream => None,
        }
    }

    /// The Close that the peer is owed: the code, and what was expected. Repeats nothing that the peer sent.
    pub(super) fn owed(&self) -> Option<Close> {
        let code = self.code()?;
        let reason = match self {
            Self::Violation(violation) | Self::NotText(violation) => {
                alloc::format!("expected {} ({})", violation.expected(), violation.section())
            }
            Self::Exceeded(exceeded) => alloc::format!("{exceeded}"),
            Self::EndOfStream => return None,
        };
        // A reason that is too long is omitted, not cut.
        Some(Close::new(code, &reason).unwrap_or(code.into()))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) | Self::NotText(violation) => violation.fmt(f),
            Self::Exceeded(exceeded) => exceeded.fmt(f),
            Self::EndOfStream => f.write_str("the stream ended without a Close (RFC 6455 7.1.5)"),
        }
    }
}

impl core::error::Error for Cause {}

impl From<Violation> for Cause {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl From<InvalidClose> for Cause {
    fn from(invalid: InvalidClose) -> Self {
        match invalid {
            InvalidClose::Violation(violation) => Self::Violation(violation),
            InvalidClose::NotText(violation) => Self::NotText(violation),
        }
    }
}

impl From<Exceeded> for Cause {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}
