//! Writes the body of a request.

use bytes::Bytes;

use crate::Outbox;
use crate::http::FieldSection;
use crate::http::sent::body::{NotWritten, Sending, Short};

/// The right to write a request's body. Finishing or aborting the body gives it up.
///
/// The response may come, and even end, before the body is finished. The body can then still be finished, to keep the
/// connection, or aborted.
#[derive(Debug)]
#[must_use = "a body that is not finished leaves the connection without a next request"]
pub struct Body(Sending);

/// The proof that a request was written to its end. The next request requires it.
#[derive(Debug)]
#[must_use = "give it to `ResponseBody::after`"]
pub struct Finished(());

/// A request that was cut off. The server can tell: the length is short, or the last chunk is missing.
///
/// A response may still come and can be read. No further request can follow.
#[derive(Debug)]
pub struct Aborted(());

impl Finished {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Body {
    pub(super) fn new(sending: Sending) -> Self {
        Self(sending)
    }

    /// Writes a piece. An empty piece writes nothing, so it cannot end a body.
    ///
    /// # Errors
    ///
    /// Returns the data, of which nothing was written, if it exceeds the announced length or [`room`](Self::room).
    pub fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        self.0.write(data, out)
    }

    /// The number of bytes that can be written now.
    pub fn room(&self, out: &Outbox) -> usize {
        self.0.room(out)
    }

    /// The number of bytes still to be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        self.0.remaining()
    }

    /// Ends the body. Trailers are sent in a chunked body and omitted otherwise (RFC 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Aborts the request if less was written than was announced.
    pub fn finish(self, trailers: Option<&FieldSection>, out: &mut Outbox) -> Result<Finished, Aborted> {
        match self.0.finish(trailers, out) {
            Ok(()) => Ok(Finished::new()),
            Err(Short) => Err(self.abort()),
        }
    }

    /// Cuts the body off: its source has failed, or the body is no longer wanted.
    pub fn abort(self) -> Aborted {
        Aborted(())
    }
}
