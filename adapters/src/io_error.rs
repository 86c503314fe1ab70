//! Each error of this crate as a `std::io::Error`, for code that has no other.

use std::io::{Error, ErrorKind};

use endwell_core::{Bound, Exceeded, Outcome};

use crate::client::proxy::{InvalidProxy, InvalidVariable};
use crate::client::{
    Incomplete, InvalidUrl, NotTunnelled, NotUpgraded, NotWanted, PoolError, RequestError, SendError,
    TextError,
};
use crate::ws::{ConnectError, NotSent, PieceError, SendTimeoutError, TrySendError};
use crate::{Ended, EndedKind, HandlerError, WriteError};

macro_rules! io_error {
    ($($error:ty, $name:ident => $kind:expr;)*) => {
        $(impl From<$error> for Error {
            fn from($name: $error) -> Self {
                Self::new($kind, $name)
            }
        })*
    };
}

io_error! {
    Ended, ended => kind(&ended);
    Incomplete, incomplete => kind(&incomplete.ended);
    RequestError, error => kind(error.ended());
    TextError, error => match &error {
        TextError::Incomplete(incomplete) => kind(&incomplete.ended),
        TextError::NotUtf8(_) => ErrorKind::InvalidData,
    };
    WriteError, error => match &error {
        WriteError::Ended(ended) => kind(ended),
        WriteError::Overrun(_) => ErrorKind::InvalidInput,
    };
    PieceError, error => match &error {
        PieceError::Ended(ended) => kind(ended),
        PieceError::NotText(_) => ErrorKind::InvalidInput,
    };
    NotSent, error => not_sent(&error);
    PoolError, error => pool(&error);
    SendError, error => match &error {
        SendError::Url(_) | SendError::Head(_) => ErrorKind::InvalidInput,
        #[cfg(feature = "http-body")]
        SendError::Body(_) => ErrorKind::Other,
        #[cfg(feature = "tower")]
        SendError::Response(_) => ErrorKind::InvalidData,
        SendError::NoConnection { error, .. } => pool(error),
        SendError::Failed { failure, .. } => kind(failure.ended()),
    };
    NotUpgraded, error => match &error {
        NotUpgraded::Refused(_) => ErrorKind::ConnectionRefused,
        NotUpgraded::Failed(failure) => kind(failure.ended()),
    };
    NotTunnelled, error => match &error {
        NotTunnelled::Refused(_) => ErrorKind::ConnectionRefused,
        NotTunnelled::Failed(failure) => kind(failure.ended()),
    };
    ConnectError, error => match &error {
        ConnectError::Url(_) | ConnectError::Field(_) | ConnectError::Subprotocol(_) => ErrorKind::InvalidInput,
        ConnectError::Io(error) => error.kind(),
        ConnectError::Refused(_) => ErrorKind::ConnectionRefused,
        ConnectError::Failed(failure) => kind(failure.ended()),
    };
    TrySendError, error => match &error {
        TrySendError::Full(_) => ErrorKind::WouldBlock,
        TrySendError::NotSent(error) => not_sent(error),
    };
    SendTimeoutError, error => match &error {
        SendTimeoutError::Timeout(_) => ErrorKind::TimedOut,
        SendTimeoutError::NotSent(error) => not_sent(error),
    };
    NotWanted, error => ErrorKind::ConnectionAborted;
    InvalidUrl, error => ErrorKind::InvalidInput;
    InvalidProxy, error => ErrorKind::InvalidInput;
    InvalidVariable, error => ErrorKind::InvalidInput;
    HandlerError, error => ErrorKind::Other;
}

/// The kind of error that fits the way a connection has ended.
fn kind(ended: &Ended) -> ErrorKind {
    match ended.kind() {
        EndedKind::Transport(error) => error.kind(),
        EndedKind::ByPeer | EndedKind::WebSocket(Outcome::EndOfStream) => ErrorKind::UnexpectedEof,
        _ => match (ended.violation(), ended.exceeded()) {
            (Some(violation), _) if violation.is_incomplete() => ErrorKind::UnexpectedEof,
            (Some(_), _) => ErrorKind::InvalidData,
            (None, Some(exceeded)) => bound(exceeded),
            (None, None) => ErrorKind::ConnectionAborted,
        },
    }
}

fn bound(exceeded: &Exceeded) -> ErrorKind {
    match exceeded.bound {
        Bound::Time(_) | Bound::Silence(_) | Bound::Total(_) => ErrorKind::TimedOut,
        Bound::Bytes(_) | Bound::Count(_) => ErrorKind::InvalidData,
    }
}

fn not_sent(error: &NotSent) -> ErrorKind {
    error.ended.as_ref().map_or(ErrorKind::BrokenPipe, kind)
}

fn pool(error: &PoolError) -> ErrorKind {
    match error {
        PoolError::Busy(_) | PoolError::Timeout(_) => ErrorKind::TimedOut,
        PoolError::Io(error) => error.kind(),
    }
}
