//! How a connection ended.

use core::fmt;

use crate::ws::Close;
use crate::{Error, Exceeded, Violation};

/// How a connection ended. Every connection, of HTTP and of WebSocket, in both roles, ends in one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The peer ended its stream between two messages of HTTP: the ordinary end. For a client, this is also a server that
    /// ended its stream before any byte of a response.
    ByPeer,
    /// This end closed, and cut no message off: between two messages of HTTP, after the last one that either end had
    /// announced, or when it was done with another protocol.
    ByUs,
    /// Nothing came between two messages of HTTP for longer than a limit: [`Limit::FirstByteTime`] or
    /// [`Limit::IdleTime`].
    ///
    /// [`Limit::FirstByteTime`]: crate::Limit::FirstByteTime
    /// [`Limit::IdleTime`]: crate::Limit::IdleTime
    Silent(Exceeded),
    /// This end cut a message of HTTP off, or left a request without a response.
    Aborted,
    /// A Close frame passed in each direction: the clean end of a WebSocket. RFC 6455 7.1.4.
    Closed {
        /// Whose Close came first, as this end saw it. If the two crossed, each end sees its own first.
        first: End,
        /// Our Close.
        sent: Close,
        /// The peer's Close.
        received: Close,
    },
    /// The stream of a WebSocket ended without the peer's Close. RFC 6455 7.1.5.
    EndOfStream,
    /// The peer sent what the protocol forbids.
    Violated(Violation),
    /// The peer met a limit.
    Exceeded(Exceeded),
    /// The transport failed. The driver knows how.
    Transport,
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Ours.
    Ours,
    /// The peer's.
    Theirs,
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        match error {
            Error::Protocol(violation) => Self::Violated(violation),
            Error::Limit(exceeded) => Self::Exceeded(exceeded),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer => f.write_str("closed by the peer between two messages"),
            Self::ByUs => f.write_str("closed by us after a message"),
            Self::Silent(exceeded) | Self::Exceeded(exceeded) => exceeded.fmt(f),
            Self::Aborted => f.write_str("cut off by us"),
            Self::Closed { first: End::Ours, sent, received } => {
                write!(f, "closed by us with {sent}, answered with {received}")
            }
            Self::Closed { first: End::Theirs, sent, received } => {
                write!(f, "closed by the peer with {received}, answered with {sent}")
            }
            Self::EndOfStream => f.write_str("the stream ended without a Close (RFC 6455 7.1.5)"),
            Self::Violated(violation) => violation.fmt(f),
            Self::Transport => f.write_str("the transport failed"),
        }
    }
}
