//! The body of a request as it is written.

use bytes::Bytes;

use crate::Outbox;
use crate::http::FieldSection;
use crate::http::send::{NotWritten, Sending, Short};

/// The right to write a request's body: given up by finishing it, or by aborting it.
///
/// The response may come before it is finished, and even end. It can then still be finished, if the connection is
/// worth it, or aborted.
#[derive(Debug)]
#[must_use = "a body that is not finished leaves the connection without a next request"]
pub struct Body(Sending);

/// The proof that a request was written to its end. The next one exists only with it.
#[derive(Debug)]
#[must_use = "give it to `ResponseBody::after`"]
pub struct Finished(());

/// A request that was cut off. What is missing shows to the server: the length is short, or the last chunk is missing.
///
/// The response can still be read, should one come. There is no next request.
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

    /// Writes a piece. Empty pieces write nothing: there is no piece that ends a body.
    ///
    /// # Errors
    ///
    /// The data comes back whole, and nothing of it was written: it goes past the announced length, or past
    /// [`room`](Self::room).
    pub fn write(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), NotWritten> {
        self.0.write(data, out)
    }

    /// How much data can be written now.
    pub fn room(&self, out: &Outbox) -> usize {
        self.0.room(out)
    }

    /// How much must still be written, if a length was announced.
    pub fn remaining(&self) -> Option<u64> {
        self.0.remaining()
    }

    /// Ends the body. Trailers are sent in chunked bodies, and left out otherwise (RFC 9110 6.5.1).
    ///
    /// # Errors
    ///
    /// Less was written than was announced: the request is aborted.
    pub fn finish(self, trailers: Option<&FieldSection>, out: &mut Outbox) -> Result<Finished, Aborted> {
        match self.0.finish(trailers, out) {
            Ok(()) => Ok(Finished::new()),
            Err(Short) => Err(self.abort()),
        }
    }

    /// Cuts the body off: what produces it has failed, or nobody wants it any more.
    pub fn abort(self) -> Aborted {
        Aborted(())
    }
}
