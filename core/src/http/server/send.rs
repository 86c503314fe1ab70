//! The body of a response as it is written.

use bytes::Bytes;
use core::fmt;

use super::respond::{Finished, Persistence};
use crate::http::FieldSection;
use crate::{Outbox, convert};

/// The right to write a response's body: given up by finishing it, or by aborting it.
#[derive(Debug)]
#[must_use = "a body that is not finished leaves the connection without a next request"]
pub struct ResponseBody {
    sending: Sending,
    persistence: Persistence,
    takes_trailers: bool,
}

/// How the content goes out.
#[derive(Debug)]
pub(super) enum Sending {
    Length {
        remaining: u64,
    },
    Chunked,
    UntilClose,
    /// The response has none: what is written is thrown away.
    NoContent,
}

/// Data that was not written, handed back.
#[derive(Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// It goes past the length that was announced.
    Overrun(Bytes),
    /// It does not fit into the outbox now.
    Full(Bytes),
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun(data) => {
                write!(
                    f,
                    "expected no more content than was announced, got {} bytes (RFC 9110 8.6)",
                    data.len()
                )
            }
            Self::Full(data) => write!(f, "the outbox has no room for {} bytes", data.len()),
        }
    }
}

impl core::error::Error for NotWritten {}

/// A response that was cut off. The connection can only close: give it to
/// [`RequestBody::abandon`](super::RequestBody::abandon).
#[derive(Debug)]
#[must_use = "give it to `RequestBody::abandon`"]
pub struct Aborted {
    pub(super) cut: Cut,
}

/// Whether a peer can see from what was sent that something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The length is short, or the last chunk is.
    Visible,
    /// A close would look like the end: only a reset does not.
    Invisible,
}

/// What a chunk needs besides its data, at the most: sixteen digits and two line ends.
const CHUNK_OVERHEAD: usize = 20;

impl ResponseBody {
    pub(super) fn new(sending: Sending, persistence: Persistence, takes_trailers: bool) -> Self {
        Self { sending, persistence, takes_trailers }
    }

    /// Writes a piece. Empty pieces write nothing: there is no piece that ends a body.
    ///
    /// # Errors
    ///
    /// The data comes back whole, and nothing of it was written: it goes past the announced length, or past
    /// [`room`](Self::room).
    pub fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        if data.is_empty() {
            return Ok(());
        }
        let len = convert::u64_from(data.len());
        if matches!(self.sending, Sending::Length { remaining } if remaining < len) {
            return Err(NotWritten::Overrun(data));
        }
        if data.len() > self.room(out) {
            return Err(NotWritten::Full(data));
        }
        match &mut self.sending {
            Sending::Length { remaining } => {
                *remaining -= len;
                out.put_bytes(data);
            }
            Sending::Chunked => {
                out.put_hex(len);
                out.put(b"\r\n");
                out.put_bytes(data);
                out.put(b"\r\n");
            }
            Sending::UntilClose => out.put_bytes(data),
            Sending::NoContent => {}
        }
        Ok(())
    }

    /// How much data can be written now.
    pub fn room(&self, out: &Outbox) -> usize {
        match self.sending {
            Sending::Length { .. } | Sending::UntilClose => out.room(),
            Sending::Chunked => out.room().saturating_sub(CHUNK_OVERHEAD),
            Sending::NoContent => usize::MAX,
        }
    }

    /// How much must still be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        match self.sending {
            Sending::Length { remaining } => Some(remaining),
            Sending::Chunked | Sending::UntilClose | Sending::NoContent => None,
        }
    }

    /// Ends the body. Trailers are sent in chunked bodies whose request had `TE: trailers`, and left out
    /// otherwise (RFC 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Less was written than was announced: the response is aborted.
    pub fn finish(self, trailers: Option<&FieldSection>, out: &mut Outbox) -> Result<Finished, Aborted> {
        match self.sending {
            Sending::Length { remaining: 1.. } => return Err(self.abort()),
            Sending::Chunked => {
                out.put(b"0\r\n");
                if let Some(trailers) = trailers.filter(|_| self.takes_trailers) {
                    out.put(trailers.as_bytes());
                }
                out.put(b"\r\n");
            }
            Sending::Length { .. } | Sending::UntilClose | Sending::NoContent => {}
        }
        Ok(Finished { persistence: self.persistence })
    }

    /// Cuts the body off: what produces it has failed. No client can take the response for a whole one: where
    /// nothing of it is missing, or nothing could show that something is, the connection is reset.
    pub fn abort(self) -> Aborted {
        let cut = match self.sending {
            Sending::UntilClose | Sending::NoContent | Sending::Length { remaining: 0 } => Cut::Invisible,
            Sending::Length { .. } | Sending::Chunked => Cut::Visible,
        };
        Aborted { cut }
    }
}
