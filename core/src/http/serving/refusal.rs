//! A request that cannot be taken, and the one response that is still allowed.

use alloc::boxed::Box;

use super::{Inner, closing};
use crate::http::server::Reject;
use crate::http::{Date, StatusCode};
use crate::{Closing, Ended, Error};

/// A request that the server cannot take. The server can only send the refusal and close.
///
/// | status | for |
/// |---|---|
/// | 400 | a violation of the protocol |
/// | 408 | a head that was not complete in time |
/// | 413 | a length above the limit |
/// | 414 | a target above the limit |
/// | 417 | an expectation other than 100-continue |
/// | 431 | a head above the limit, or too many fields |
/// | 501 | a transfer coding or a method that is not implemented |
/// | 505 | another major version of HTTP |
#[derive(Debug)]
#[must_use = "answer it, or drop it to close without a response"]
pub struct Refusal {
    reject: Reject,
    is_head: bool,
    inner: Box<Inner>,
}

impl Refusal {
    pub(super) fn new(reject: Reject, is_head: bool, inner: Box<Inner>) -> Self {
        Self { reject, is_head, inner }
    }

    /// The reason: what was expected and what came, or which limit was met.
    pub fn error(&self) -> &Error {
        self.reject.error()
    }

    /// The status that will be sent.
    pub fn status(&self) -> StatusCode {
        self.reject.status()
    }

    /// Writes the response: the status, and a line of text that states what was expected. It announces the close.
    ///
    /// Repeats nothing that the peer sent. For a HEAD, the text is only announced.
    pub fn answer(mut self, date: Option<&Date>) -> Closing {
        self.reject.write(self.is_head, date, &mut self.inner.conn.outbox);
        let ended = Ended::from(self.reject.error().clone());
        closing(*self.inner, ended)
    }
}
