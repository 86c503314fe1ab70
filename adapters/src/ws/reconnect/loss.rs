//! Why there is no socket, or no longer one.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use endwell_core::http::StatusCode;
use endwell_core::ws::CloseCode;
use endwell_core::{End, Outcome};

use crate::Ended;
use crate::ws::{ConnectError, Message};

/// An attempt to open a socket that failed, or a socket that has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loss {
    /// What happened.
    pub cause: LossCause,
    /// The messages that an outlet had accepted and that were not sent: see [`Outlet::unsent`](crate::ws::Outlet::unsent).
    /// Nothing sends them again but the application.
    pub unsent: Vec<Message>,
    /// The number of failures in a row, with this one. A socket that was open for
    /// [`ReconnectLimits::lasting_time`](super::ReconnectLimits::lasting_time) begins a new row.
    pub failures: u32,
    /// The time until the next attempt. `None` if this is the end.
    pub wait: Option<Duration>,
}

/// What happened to a socket, or to the attempt to open it.
#[derive(Debug)]
#[non_exhaustive]
pub enum LossCause {
    /// The hook before the attempt failed: [`ReconnectBuilder::prepare`](super::ReconnectBuilder::prepare).
    Prepare(Box<dyn Error + Send + Sync>),
    /// No socket was opened. [`ConnectError::Refused`] has the response of the server.
    NotOpened(ConnectError),
    /// The hook of the open socket failed, or took too long: [`ReconnectBuilder::on_open`](super::ReconnectBuilder::on_open).
    Hook {
        /// Its error.
        error: Box<dyn Error + Send + Sync>,
        /// How the socket ended, if that is known: the server may have closed it.
        ended: Option<Ended>,
    },
    /// The socket has ended.
    Ended(Ended),
}

impl Loss {
    /// The status of the response that refused to open a socket.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.cause {
            LossCause::NotOpened(error) => error.status(),
            LossCause::Prepare(_) | LossCause::Hook { .. } | LossCause::Ended(_) => None,
        }
    }

    /// How the socket ended.
    pub fn ended(&self) -> Option<&Ended> {
        match &self.cause {
            LossCause::Ended(ended) => Some(ended),
            LossCause::Hook { ended, .. } => ended.as_ref(),
            LossCause::Prepare(_) | LossCause::NotOpened(_) => None,
        }
    }

    /// The code with which the server closed the socket. `None` if it did not close it first, or gave no code.
    pub fn close_code(&self) -> Option<CloseCode> {
        match self.ended()?.web_socket()? {
            Outcome::Closed { first: End::Theirs, received, .. } => received.code(),
            _ => None,
        }
    }

    /// The time after which a server that is overloaded, or limits its clients, asks to be asked again: Retry-After of a
    /// response with 503 or 429.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.cause {
            LossCause::NotOpened(ConnectError::Refused(response)) => {
                let is_busy = matches!(response.status().as_u16(), 429 | 503);
                response.retry_after().filter(|_| is_busy)
            }
            _ => None,
        }
    }

    /// True if another attempt would most likely fail alike. A socket is not opened again then, unless
    /// [`ReconnectBuilder::end_if`](super::ReconnectBuilder::end_if) decides.
    ///
    /// So it is after a response of 400 to 499, except 408, 425 and 429, which pass; after a Close with 1008 from the server,
    /// whose policy was violated; and if what is asked for is not valid, or needs TLS and the connector has none.
    pub fn is_final(&self) -> bool {
        match &self.cause {
            LossCause::NotOpened(
                ConnectError::Url(_) | ConnectError::Field(_) | ConnectError::Subprotocol(_),
            ) => true,
            LossCause::NotOpened(ConnectError::Io(error)) => error.kind() == io::ErrorKind::Unsupported,
            LossCause::NotOpened(ConnectError::Refused(response)) => {
                let status = response.status();
                status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429)
            }
            LossCause::NotOpened(ConnectError::Failed(_)) | LossCause::Prepare(_) => false,
            LossCause::Hook { .. } | LossCause::Ended(_) => {
                self.close_code() == Some(CloseCode::POLICY_VIOLATION)
            }
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        if !self.unsent.is_empty() {
            write!(f, "; {} messages were not sent", self.unsent.len())?;
        }
        match self.wait {
            Some(wait) => write!(f, "; next attempt in {wait:.1?}"),
            None => f.write_str("; no further attempt"),
        }
    }
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare(error) => write!(f, "cannot prepare a connection: {error}"),
            Self::NotOpened(error) => error.fmt(f),
            Self::Hook { error, ended: Some(ended) } => {
                write!(f, "cannot begin on the new socket: {error}; {ended}")
            }
            Self::Hook { error, ended: None } => write!(f, "cannot begin on the new socket: {error}"),
            Self::Ended(ended) => ended.fmt(f),
        }
    }
}
