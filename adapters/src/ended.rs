//! How a connection ended, by blame.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use endwell_core::{Error, Exceeded, Limit, Outcome, Violation};

/// How a connection ended, or why an exchange could not continue.
///
/// Only the library makes one, so a handler that returns it has received it from its connection. [`kind`](Self::kind)
/// is there to match on:
///
/// ```
/// use endwell::{Ended, EndedKind};
///
/// fn log(ended: &Ended) {
///     match ended.kind() {
///         EndedKind::ByPeer | EndedKind::Announced => {}
///         EndedKind::Transport(error) => eprintln!("{error}"),
///         _ => eprintln!("{ended}"),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Ended(EndedKind);

/// The ways in which a connection ends: [`Ended::kind`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EndedKind {
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
    /// A handler returned this error within its response, which was cut off.
    Failed(Arc<dyn StdError + Send + Sync>),
    /// A client gave the connection up: it dropped the connection, or an incomplete exchange.
    GivenUp,
    /// The connection was handed to another protocol, which has ended.
    Upgraded,
    /// The connection became a WebSocket, which ended in this way.
    WebSocket(Outcome),
}

impl Ended {
    pub(crate) const BY_PEER: Self = Self(EndedKind::ByPeer);
    pub(crate) const ANNOUNCED: Self = Self(EndedKind::Announced);
    pub(crate) const SHUTDOWN: Self = Self(EndedKind::Shutdown);
    pub(crate) const CANCELLED: Self = Self(EndedKind::Cancelled);
    pub(crate) const UNANSWERED: Self = Self(EndedKind::Unanswered);
    pub(crate) const ABORTED: Self = Self(EndedKind::Aborted);
    pub(crate) const GIVEN_UP: Self = Self(EndedKind::GivenUp);
    pub(crate) const UPGRADED: Self = Self(EndedKind::Upgraded);

    /// How it ended, to match on.
    pub fn kind(&self) -> &EndedKind {
        &self.0
    }

    /// The limit that was met, of HTTP or of a WebSocket.
    pub fn exceeded(&self) -> Option<&Exceeded> {
        match &self.0 {
            EndedKind::Limit(exceeded) | EndedKind::WebSocket(Outcome::Exceeded(exceeded)) => Some(exceeded),
            _ => None,
        }
    }

    /// How the peer broke the protocol, of HTTP or of a WebSocket.
    pub fn violation(&self) -> Option<&Violation> {
        match &self.0 {
            EndedKind::Protocol(violation) | EndedKind::WebSocket(Outcome::Violated(violation)) => {
                Some(violation)
            }
            _ => None,
        }
    }

    /// The error of the transport.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0 {
            EndedKind::Transport(error) => Some(error),
            _ => None,
        }
    }

    /// How the WebSocket ended that the connection had become.
    pub fn web_socket(&self) -> Option<&Outcome> {
        match &self.0 {
            EndedKind::WebSocket(known) => Some(known),
            _ => None,
        }
    }

    pub(crate) fn limit(exceeded: Exceeded) -> Self {
        Self(EndedKind::Limit(exceeded))
    }

    pub(crate) fn transport(error: io::Error) -> Self {
        Self(EndedKind::Transport(Arc::new(error)))
    }

    pub(crate) fn of_web_socket(known: Outcome) -> Self {
        Self(EndedKind::WebSocket(known))
    }

    /// A handler failed within its response.
    pub(crate) fn failed(error: Arc<dyn StdError + Send + Sync>) -> Self {
        Self(EndedKind::Failed(error))
    }

    /// The peer broke the protocol, or met a limit.
    pub(crate) fn of_error(error: Error) -> Self {
        Self(match error {
            Error::Protocol(violation) => EndedKind::Protocol(violation),
            Error::Limit(exceeded) => EndedKind::Limit(exceeded),
        })
    }

    /// How a connection of HTTP ends, if the transport does not fail.
    pub(crate) fn of_http(known: &Outcome) -> Self {
        Self(match known {
            Outcome::ByPeer => EndedKind::ByPeer,
            Outcome::ByUs => EndedKind::Announced,
            Outcome::Silent(exceeded) | Outcome::Exceeded(exceeded) => EndedKind::Limit(*exceeded),
            Outcome::Aborted => EndedKind::Aborted,
            Outcome::Violated(violation) => EndedKind::Protocol(violation.clone()),
            Outcome::Closed { .. } | Outcome::EndOfStream | Outcome::Transport | _ => {
                EndedKind::WebSocket(known.clone())
            }
        })
    }

    /// What went wrong, in a word. `None` if nothing did.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        let of_limit = |limit| match limit {
            Limit::HeldBytes | Limit::Connections => "overload",
            _ => "limit",
        };
        Some(match &self.0 {
            EndedKind::Announced
            | EndedKind::Upgraded
            | EndedKind::WebSocket(Outcome::Closed { .. } | Outcome::ByPeer | Outcome::ByUs) => return None,
            EndedKind::ByPeer | EndedKind::WebSocket(Outcome::EndOfStream) => "closed",
            EndedKind::Protocol(_) | EndedKind::WebSocket(Outcome::Violated(_)) => "protocol",
            EndedKind::Limit(exceeded)
            | EndedKind::WebSocket(Outcome::Exceeded(exceeded) | Outcome::Silent(exceeded)) => {
                of_limit(exceeded.limit)
            }
            EndedKind::Transport(_) | EndedKind::WebSocket(Outcome::Transport) => "transport",
            EndedKind::Shutdown => "shutdown",
            EndedKind::Cancelled => "cancelled",
            EndedKind::Unanswered => "unanswered",
            EndedKind::Failed(_) => "handler",
            EndedKind::Aborted | EndedKind::GivenUp | EndedKind::WebSocket(_) => "aborted",
        })
    }

    /// True if the peer took our output too slowly.
    pub(crate) fn is_stall(&self) -> bool {
        matches!(self.0, EndedKind::Limit(exceeded) if exceeded.limit == Limit::WriteProgress)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ended").field(&self.0).finish()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EndedKind {
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
            Self::Failed(error) => write!(f, "the response was cut off: {error}"),
            Self::GivenUp => f.write_str("the client gave the connection up"),
            Self::WebSocket(ended) => ended.fmt(f),
            Self::Upgraded => f.write_str("the connection was given to another protocol"),
        }
    }
}

impl StdError for Ended {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            EndedKind::Protocol(violation) => Some(violation),
            EndedKind::Limit(exceeded) => Some(exceeded),
            EndedKind::Transport(error) => Some(&**error),
            EndedKind::Failed(error) => Some(&**error),
            EndedKind::ByPeer
            | EndedKind::Announced
            | EndedKind::Shutdown
            | EndedKind::Cancelled
            | EndedKind::Unanswered
            | EndedKind::Aborted
            | EndedKind::GivenUp
            | EndedKind::Upgraded
            | EndedKind::WebSocket(_) => None,
        }
    }
}
