//! Why a pool returned no connection, or no response.

use std::fmt;
use std::io;
use std::time::Duration;

use endwell_core::http::{InvalidField, InvalidRequest};

use crate::client::{InvalidUrl, RequestError};

/// Why a [`Pool`](super::Pool) returned no connection. Nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// All connections were in use for the whole [`PoolLimits::wait_time`](super::PoolLimits::wait_time), which this
    /// holds.
    Busy(Duration),
    /// The [time of the request](super::RequestBuilder::timeout), which this holds, was over before.
    Timeout(Duration),
    /// The connection failed.
    Io(io::Error),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(time) => write!(f, "all connections that there may be were in use for {time:?}"),
            Self::Timeout(time) => write!(f, "no connection within {time:?}, the time for the request"),
            Self::Io(error) => write!(f, "cannot connect: {error}"),
        }
    }
}

impl std::error::Error for PoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Busy(_) | Self::Timeout(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<io::Error> for PoolError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Why a request that a [`Pool`](super::Pool) has sent has no response.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The URL is not one of `http` or `https`.
    Url(InvalidUrl),
    /// The head of the request is not valid: its method, or a field.
    Head(InvalidRequest),
    /// The body of the request failed, or was not as long as announced. The request was cut off.
    #[cfg(feature = "http-body")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    /// The response has a status below 100, which the `http` crate does not have.
    #[cfg(feature = "tower")]
    Response(::http::Error),
    /// There was no connection for it, the first time or for a retry.
    NoConnection {
        /// The cause.
        error: PoolError,
        /// The number of retries before this.
        retries: u32,
    },
    /// The connection ended, or the server sent no valid response.
    Failed {
        /// The failure of the last attempt.
        failure: RequestError,
        /// The number of retries before this.
        retries: u32,
        /// True if it can be sent once more: it did not reach the server, or a repeated request has the same effect as
        /// a single one.
        is_safe_to_retry: bool,
    },
}

impl SendError {
    /// True if the request can be sent again: the server did not act on it, or a repeated request has the same effect
    /// as a single one (RFC 9110 9.2.2).
    pub fn is_safe_to_retry(&self) -> bool {
        match self {
            // It would fail again, its body is used up, or it was answered.
            Self::Url(_) | Self::Head(_) => false,
            #[cfg(feature = "tower")]
            Self::Response(_) => false,
            #[cfg(feature = "http-body")]
            Self::Body(_) => false,
            // If an earlier failure had made it unsafe, that would be the error.
            Self::NoConnection { .. } => true,
            Self::Failed { is_safe_to_retry, .. } => *is_safe_to_retry,
        }
    }

    /// The number of retries before this.
    pub fn retries(&self) -> u32 {
        match self {
            Self::NoConnection { retries, .. } | Self::Failed { retries, .. } => *retries,
            Self::Url(_) | Self::Head(_) => 0,
            #[cfg(feature = "tower")]
            Self::Response(_) => 0,
            #[cfg(feature = "http-body")]
            Self::Body(_) => 0,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(invalid) => return invalid.fmt(f),
            Self::Head(invalid) => return invalid.fmt(f),
            #[cfg(feature = "tower")]
            Self::Response(error) => return error.fmt(f),
            #[cfg(feature = "http-body")]
            Self::Body(error) => return write!(f, "the body of the request was cut off: {error}"),
            Self::NoConnection { error, .. } => error.fmt(f),
            Self::Failed { failure, .. } => failure.fmt(f),
        }?;
        let safe = if self.is_safe_to_retry() { "yes" } else { "no" };
        match self.retries() {
            0 => write!(f, "; safe to retry: {safe}"),
            1 => write!(f, "; sent again once; safe to retry: {safe}"),
            retries => write!(f, "; sent again {retries} times; safe to retry: {safe}"),
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(invalid) => Some(invalid),
            Self::Head(invalid) => Some(invalid),
            #[cfg(feature = "tower")]
            Self::Response(error) => Some(error),
            #[cfg(feature = "http-body")]
            Self::Body(error) => Some(&**error),
            Self::NoConnection { error, .. } => Some(error),
            Self::Failed { failure, .. } => Some(failure),
        }
    }
}

impl From<InvalidUrl> for SendError {
    fn from(invalid: InvalidUrl) -> Self {
        Self::Url(invalid)
    }
}

impl From<InvalidRequest> for SendError {
    fn from(invalid: InvalidRequest) -> Self {
        Self::Head(invalid)
    }
}

impl From<InvalidField> for SendError {
    fn from(invalid: InvalidField) -> Self {
        Self::Head(invalid.into())
    }
}
