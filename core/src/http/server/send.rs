//! The body of a response as it is written.

use bytes::Bytes;

use super::respond::Finished;
use crate::Outbox;
use crate::http::FieldSection;
use crate::http::persistence::Persistence;
use crate::http::send::{NotWritten, Sending, Short};

/// The right to write a response's body: given up by finishing it, or by aborting it.
#[derive(Debug)]
#[must_use = "a body that is not finished leaves the connection without a next request"]
pub struct ResponseBody {
    sending: Sending,
    persistence: Persistence,
    takes_trailers: bool,
}

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
        self.sending.write(data, out)
    }

    /// How much data can be written now.
    pub fn room(&self, out: &Outbox) -> usize {
        self.sending.room(out)
    }

    /// How much must still be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        self.sending.remaining()
    }

    /// Ends the body. Trailers are sent in chunked bodies whose request had `TE: trailers`, and left out
    /// otherwise (RFC 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Less was written than was announced: the response is aborted.
    pub fn finish(self, trailers: Option<&FieldSection>, out: &mut Outbox) -> Result<Finished, Aborted> {
        match self.sending.finish(trailers.filter(|_| self.takes_trailers), out) {
            Ok(()) => Ok(Finished { persistence: self.persistence }),
            Err(Short) => Err(self.abort()),
        }
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
