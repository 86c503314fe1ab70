//! Why a response did not come, or not to its end.

use core::fmt;

use crate::{Error, Exceeded, Violation};

/// Why a response did not come, or not to its end. The connection is lost, and with it the right to send a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server ended the stream before any byte of a response. It may have closed the connection before the request
    /// arrived. A caller that may repeat the request (RFC 9110 9.2.2) can do so on another connection.
    Unanswered,
    /// The server broke the protocol or met a limit.
    Error(Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered => {
                f.write_str("the stream ended before any byte of a response (RFC 9112 9.3.1)")
            }
            Self::Error(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Error(violation.into())
    }
}

impl From<Exceeded> for Failure {
    fn from(exceeded: Exceeded) -> Self {
        Self::Error(exceeded.into())
    }
}
