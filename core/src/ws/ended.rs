//! How a connection ended.

use core::fmt;

use super::failure::Cause;
use crate::ws::wire::close::Close;
use crate::{Exceeded, Violation};

/// How a WebSocket ended. Every connection ends in one of these. RFC 6455 7.1.4 to 7.1.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A Close frame passed in each direction: the clean end.
    Closed {
        /// Whose Close came first, as this end saw it. If the two crossed, each end sees its own first.
        first: End,
        /// Our Close.
        sent: Close,
        /// The peer's Close.
        received: Close,
    },
    /// The peer sent what the protocol forbids, including text that is not UTF-8.
    Violated(Violation),
    /// A limit was met: the peer sent too much, or did not act in time.
    Exceeded(Exceeded),
    /// The stream ended without the peer's Close.
    EndOfStream,
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

impl From<Cause> for Ended {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Violation(violation) | Cause::NotText(violation) => Self::Violated(violation),
            Cause::Exceeded(exceeded) => Self::Exceeded(exceeded),
            Cause::EndOfStream => Self::EndOfStream,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { first: End::Ours, sent, received } => {
                write!(f, "closed by us with {sent}, answered with {received}")
            }
            Self::Closed { first: End::Theirs, sent, received } => {
                write!(f, "closed by the peer with {received}, answered with {sent}")
            }
            Self::Violated(violation) => violation.fmt(f),
            Self::Exceeded(exceeded) => exceeded.fmt(f),
            Self::EndOfStream => Cause::EndOfStream.fmt(f),
            Self::Transport => f.write_str("the transport failed"),
        }
    }
}
