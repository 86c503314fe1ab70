//! Each error of this crate as a `std::io::Error`, for code that has no other.

use core::fmt;
use std::io::{Error as IoError, ErrorKind};

use crate::http::client::Failure;
use crate::http::server::NotSwitched;
use crate::http::{
    InvalidField, InvalidInterim, InvalidMethod, InvalidRequest, InvalidStatusCode, NotWritten,
};
use crate::ws::{
    Cause, ControlTooLong, Full, InvalidCloseCode, InvalidSubprotocol, NotAHandshake, PieceNotWritten,
    ReasonTooLong,
};
use crate::{Bound, Error, Exceeded, Violation};

macro_rules! io_error {
    ($($error:ty, $name:ident => $kind:expr;)*) => {
        $(impl From<$error> for IoError {
            fn from($name: $error) -> Self {
                Self::new($kind, $name)
            }
        })*
    };
}

io_error! {
    Violation, violation => violated(&violation);
    Exceeded, exceeded => met(&exceeded);
    Error, error => error_kind(&error);
    Failure, failure => match &failure {
        Failure::Unanswered => ErrorKind::UnexpectedEof,
        Failure::Error(error) => error_kind(error),
    };
    NotWritten, error => match &error {
        NotWritten::Overrun(_) => ErrorKind::InvalidInput,
        NotWritten::Full(_) => ErrorKind::WouldBlock,
    };
    PieceNotWritten, error => match &error {
        PieceNotWritten::Full(_) => ErrorKind::WouldBlock,
        PieceNotWritten::NotText(_) => ErrorKind::InvalidInput,
    };
    Cause, cause => match &cause {
        Cause::Violation(violation) | Cause::NotText(violation) => violated(violation),
        Cause::Exceeded(exceeded) => met(exceeded),
        Cause::EndOfStream => ErrorKind::UnexpectedEof,
    };
    NotAHandshake, error => ErrorKind::InvalidData;
    NotSwitched, error => ErrorKind::InvalidData;
    InvalidField, invalid => ErrorKind::InvalidInput;
    InvalidInterim, invalid => ErrorKind::InvalidInput;
    InvalidMethod, invalid => ErrorKind::InvalidInput;
    InvalidRequest, invalid => ErrorKind::InvalidInput;
    InvalidStatusCode, invalid => ErrorKind::InvalidInput;
    InvalidCloseCode, invalid => ErrorKind::InvalidInput;
    InvalidSubprotocol, invalid => ErrorKind::InvalidInput;
    ControlTooLong, invalid => ErrorKind::InvalidInput;
    ReasonTooLong, invalid => ErrorKind::InvalidInput;
}

#[cfg(feature = "deflate")]
io_error! {
    crate::ws::MalformedExtensions, malformed => ErrorKind::InvalidData;
}

#[cfg(feature = "http")]
io_error! {
    crate::http::InvalidHead, invalid => ErrorKind::InvalidInput;
    crate::http::UnsupportedVersion, unsupported => ErrorKind::Unsupported;
}

impl<M: fmt::Debug + Send + Sync + 'static> From<Full<M>> for IoError {
    fn from(full: Full<M>) -> Self {
        Self::new(ErrorKind::WouldBlock, full)
    }
}

fn error_kind(error: &Error) -> ErrorKind {
    match error {
        Error::Protocol(violation) => violated(violation),
        Error::Limit(exceeded) => met(exceeded),
    }
}

fn violated(violation: &Violation) -> ErrorKind {
    if violation.is_incomplete() { ErrorKind::UnexpectedEof } else { ErrorKind::InvalidData }
}

fn met(exceeded: &Exceeded) -> ErrorKind {
    match exceeded.bound {
        Bound::Time(_) | Bound::Silence(_) | Bound::Total(_) => ErrorKind::TimedOut,
        Bound::Bytes(_) | Bound::Count(_) => ErrorKind::InvalidData,
    }
}
