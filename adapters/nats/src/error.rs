//! Why there is no connection.

use std::error::Error;
use std::{fmt, io};

use async_nats::ConnectErrorKind;

/// Why [`connect`](crate::connect) failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The prefix is not one: dots between tokens of ASCII letters, digits and signs, without `*` and `>`, without a `$` at
    /// its start, at most 200 bytes.
    Prefix(String),
    /// The URL is not one of NATS.
    Url(io::Error),
    /// The server refused the credentials, or there were none.
    Denied(Box<dyn Error + Send + Sync>),
    /// The server could not be reached, or did not answer as NATS does. The source says what happened.
    Unreachable(Box<dyn Error + Send + Sync>),
    /// The server is not configured for a hub: it takes smaller messages than a hub sends, or no headers.
    Unfit {
        /// The most bytes of a message there (`max_payload`). A hub needs 512 KiB; the default of NATS is 1 MiB.
        max_payload: usize,
        /// Whether it takes headers.
        headers: bool,
    },
    /// The system gave no thread or no event queue.
    System(io::Error),
}

impl ConnectError {
    pub(crate) fn of_client(error: async_nats::ConnectError) -> Self {
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                Self::Denied(error.into())
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => Self::Unreachable(error.into()),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => write!(f, "expected a prefix such as \"chat\", got {prefix:?}"),
            Self::Url(error) => write!(f, "expected a URL such as \"nats://127.0.0.1:4222\": {error}"),
            Self::Denied(error) => write!(f, "NATS refused the credentials: {error}"),
            Self::Unreachable(error) => write!(f, "no connection to NATS: {error}"),
            Self::Unfit { headers: false, .. } => {
                f.write_str("expected a NATS that takes headers (2.2 or later)")
            }
            Self::Unfit { max_payload, .. } => {
                write!(f, "expected a NATS whose max_payload is 512 KiB or more, got {max_payload} bytes")
            }
            Self::System(error) => write!(f, "no thread for NATS: {error}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Prefix(_) | Self::Unfit { .. } => None,
            Self::Url(error) | Self::System(error) => Some(error),
            Self::Denied(error) | Self::Unreachable(error) => Some(&**error),
        }
    }
}
