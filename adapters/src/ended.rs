//! How a connection ended, by blame.

use std::fmt;
use std::io;
use std::sync::Arc;

use endwell_core::{Error, Exceeded, Limit, Outcome, Violation};

/// How a connection ended, or why an exchange could not continue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The peer ended its stream between two requests, or after a response that announced the close: the ordinary end.
    /// Between two requests nothing is missing, so an end without close_notify is ordinary there too (RFC 9112 9.8).
    ByPeer,
    /// A response announced the close, and the connection closed after it.
    Announced,
    /// The peer broke the protocol.
    Protocol(Violation),
    /// A limit was met.
    Limit(Exceeded),
    /// The transport failed.
    Transport(Arc<io::Error>),
    /// The server was shut down.
    Shutdown,
    /// The future that drives the connection was dropped.
    Cancelled,
    /// A handler dropped its exchange, or panicked.
    Unanswered,
    /// A response was cut off: its body was aborted, dropped, or shorter than announced.
    Aborted,
    /// A client gave the connection up: it dropped the connection, or an incomplete exchange.
    GivenUp,
    /// The connection was handed to another protocol, which has ended.
    Upgraded,
    /// The connection became a WebSocket, which ended in this way.
    WebSocket(Outcome),
}

impl Ended {
    /// How a connection of HTTP ends, if the transport does not fail.
    pub(crate) fn of_http(known: &Outcome) -> Self {
        match known {
            Outcome::ByPeer => Self::ByPeer,
            Outcome::ByUs => Self::Announced,
            Outcome::Silent(exceeded) | Outcome::Exceeded(exceeded) => Self::Limit(*exceeded),
            Outcome::Aborted => Self::Aborted,
            Outcome::Violated(violation) => Self::Protocol(violation.clone()),
            Outcome::Closed { .. } | Outcome::EndOfStream | Outcome::Transport | _ => {
                Self::WebSocket(known.clone())
            }
        }
    }

    /// True if the peer took our output too slowly.
    pub(crate) fn is_stall(&self) -> bool {
        matches!(self, Self::Limit(exceeded) if exceeded.limit == Limit::WriteProgress)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer => f.write_str("closed by the peer"),
            Self::Announced => f.write_str("closed after the response that announced it"),
            Self::Protocol(violation) => write!(f, "the peer broke the protocol: {violation}"),
            Self::Limit(exceeded) => write!(f, "a limit was met: {exceeded}"),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
            Self::Shutdown => f.write_str("the server was shut down"),
            Self::Cancelled => f.write_str("the connection's task was dropped"),
            Self::Unanswered => f.write_str("the handler did not answer"),
            Self::Aborted => f.write_str("the response was cut off"),
            Self::GivenUp => f.write_str("the client gave the connection up"),
            Self::WebSocket(ended) => ended.fmt(f),
            Self::Upgraded => f.write_str("the connection was given to another protocol"),
        }
    }
}

impl std::error::Error for Ended {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Protocol(violation) => Some(violation),
            Self::Limit(exceeded) => Some(exceeded),
            Self::Transport(error) => Some(error),
            Self::ByPeer
            | Self::Announced
            | Self::Shutdown
            | Self::Cancelled
            | Self::Unanswered
            | Self::Aborted
            | Self::GivenUp
            | Self::Upgraded
            | Self::WebSocket(_) => None,
        }
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        match error {
            Error::Protocol(violation) => Self::Protocol(violation),
            Error::Limit(exceeded) => Self::Limit(exceeded),
        }
    }
}

impl From<Exceeded> for Ended {
    fn from(exceeded: Exceeded) -> Self {
        Self::Limit(exceeded)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Transport(Arc::new(error))
    }
}
