//! Writes the body of a response.

use bytes::Bytes;

use super::respond::Finished;
use crate::Outbox;
use crate::http::FieldSection;
use crate::http::received::persistence::Persistence;
use crate::http::sent::body::{NotWritten, Sending, Short};

/// The right to write a response's body. Finishing or aborting the body gives it up.
#[derive(Debug)]
#[must_use = "a body that is not finished leaves the connection without a next request"]
pub struct ResponseBody {
    sending: Sending,
    persistence: Persistence,
    takes_trailers: bool,
}

/// A response that was cut off. The connection can only close: give this to
/// [`RequestBody::abandon`](super::RequestBody::abandon).
#[derive(Debug)]
#[must_use = "give it to `RequestBody::abandon`"]
pub struct Aborted {
    pub(super) cut: Cut,
}

/// Whether the peer can tell from the bytes sent that data is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The length is short, or the last chunk is missing.
    Visible,
    /// A close would look like the end of the response; only a reset does not.
    Invisible,
}

impl ResponseBody {
    pub(super) fn new(sending: Sending, persistence: Persistence, takes_trailers: bool) -> Self {
        Self { sending, persistence, takes_trailers }
    }

    /// Writes a piece. An empty piece writes nothing, so it cannot end a body.
    ///
    /// # Errors
    ///
    /// Returns the data, of which nothing was written, if it exceeds the announced length or [`room`](Self::room).
    pub fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        self.sending.write(data, out)
    }

    /// The number of bytes that can be written now.
    pub fn room(&self, out: &Outbox) -> usize {
        self.sending.room(out)
    }

    /// The number of bytes still to be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        self.sending.remaining()
    }

    /// Ends the body. Trailers are sent in a chunked body whose request had `TE: trailers`, and omitted otherwise (RFC
    /// 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Aborts the response if less was written than was announced.
    pub fn finish(self, trailers: Option<&FieldSection>, out: &mut Outbox) -> Result<Finished, Aborted> {
        match self.sending.finish(trailers.filter(|_| self.takes_trailers), out) {
            Ok(()) => Ok(Finished { persistence: self.persistence }),
            Err(Short) => Err(self.abort()),
        }
    }

    /// Cuts the body off, because its source has failed. No client can take the response for a complete one: if no byte
    /// is missing, or the client could not tell, the connection is reset.
    pub fn abort(self) -> Aborted {
        let cut = match self.sending {
            Sending::UntilClose | Sending::NoContent | Sending::Length { remaining: 0 } => Cut::Invisible,
            Sending::Length { .. } | Sending::Chunked => Cut::Visible,
        };
        Aborted { cut }
    }
}
