//! Why a response did not come, or was incomplete.

use std::fmt;

use bytes::Bytes;

use crate::Ended;

/// Why the head of a response did not come. The connection is lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The connection had ended before any byte of the request was sent. The request can be sent again on another
    /// connection, whatever its method.
    NotSent(Ended),
    /// The connection ended before any byte of a response. The server may or may not have acted on the request, so it
    /// can be sent again only if its method is idempotent (RFC 9110 9.2.2).
    Unanswered(Ended),
    /// The server had begun to respond, broke the protocol, or met a limit. Sending the request again is not safe.
    Failed(Ended),
}

impl RequestError {
    /// How the connection ended.
    pub fn ended(&self) -> &Ended {
        let (Self::NotSent(ended) | Self::Unanswered(ended) | Self::Failed(ended)) = self;
        ended
    }

    /// True if the request can be sent again on another connection. `idempotent` is true if a repeated request has the
    /// same effect as a single one (RFC 9110 9.2.2).
    pub fn is_safe_to_retry(&self, idempotent: bool) -> bool {
        match self {
            Self::NotSent(_) => true,
            Self::Unanswered(_) => idempotent,
            Self::Failed(_) => false,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(ended) => write!(f, "the request was not sent: {ended}"),
            Self::Unanswered(ended) => write!(f, "the request was not answered: {ended}"),
            Self::Failed(ended) => write!(f, "no whole head of a response: {ended}"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.ended())
    }
}

impl From<RequestError> for Ended {
    fn from(failure: RequestError) -> Self {
        let (RequestError::NotSent(ended) | RequestError::Unanswered(ended) | RequestError::Failed(ended)) =
            failure;
        ended
    }
}

/// Why the body of a response is incomplete.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incomplete {
    /// The bytes of the body that came.
    pub received: u64,
    /// The bytes that the head had announced, if any.
    pub announced: Option<u64>,
    /// What happened.
    pub ended: Ended,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, announced, ended } = self;
        match announced {
            Some(announced) => {
                write!(f, "the body was cut off after {received} of {announced} bytes: {ended}")
            }
            None => write!(f, "the body was cut off after {received} bytes: {ended}"),
        }
    }
}

impl std::error::Error for Incomplete {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.ended)
    }
}

impl From<Incomplete> for Ended {
    fn from(incomplete: Incomplete) -> Self {
        incomplete.ended
    }
}

/// Why the body of a response is not text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TextError {
    /// The body is incomplete, or larger than allowed.
    Incomplete(Incomplete),
    /// The body is whole, and not UTF-8. Holds it.
    NotUtf8(Bytes),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(incomplete) => incomplete.fmt(f),
            Self::NotUtf8(body) => {
                write!(f, "expected a body in UTF-8, got {} bytes that are not", body.len())
            }
        }
    }
}

impl std::error::Error for TextError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Incomplete(incomplete) => Some(incomplete),
            Self::NotUtf8(_) => None,
        }
    }
}

impl From<Incomplete> for TextError {
    fn from(incomplete: Incomplete) -> Self {
        Self::Incomplete(incomplete)
    }
}
